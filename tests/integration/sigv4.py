"""Signature version 4 as published, for requests that are to be signed right and then spoiled."""
import dataclasses
import datetime
import hashlib
import hmac
import http.client
import urllib.parse
import xml.etree.ElementTree

import servers


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@dataclasses.dataclass
class Request:
    """Path and parameters as they are, unencoded; sign() or presign() adds what makes it a signed one."""
    method: str
    path: str
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)  # names in lower case
    query: dict = dataclasses.field(default_factory=dict)
    payload_hash: str | None = None  # None: the body's
    region: str = servers.REGION
    shift: datetime.timedelta = datetime.timedelta()  # of the clock that dates it

    def encoded_query(self, without=()):
        pairs = [(urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~"))
                 for name, value in self.query.items() if name not in without]
        return "&".join(f"{name}={value}" for name, value in sorted(pairs))

    def encoded_path(self):
        return urllib.parse.quote(self.path, safe="/-_.~")

    def _date(self):
        return (datetime.datetime.now(datetime.timezone.utc) + self.shift).strftime("%Y%m%dT%H%M%SZ")

    def _signature(self, storage, date, payload_hash, signed):
        headers = "".join(f"{name}:{self.headers[name]}\n" for name in signed)
        canonical = "\n".join([self.method, self.encoded_path(), self.encoded_query(("X-Amz-Signature",)), headers,
                               ";".join(signed), payload_hash])
        scope = f"{date[:8]}/{self.region}/s3/aws4_request"
        key = ("AWS4" + storage.secret_key).encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        return _hmac(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{sha256(canonical.encode())}").hex(), scope

    def sign(self, storage):
        date, payload_hash = self._date(), self.payload_hash or sha256(self.body)
        self.headers |= {"host": storage.endpoint.split("//")[1], "x-amz-date": date,
                         "x-amz-content-sha256": payload_hash}
        signed = sorted(self.headers)
        signature, scope = self._signature(storage, date, payload_hash, signed)
        self.headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={storage.access_key}/{scope}, "
                                         f"SignedHeaders={';'.join(signed)}, Signature={signature}")
        return self

    def presign(self, storage, seconds=60):
        date = self._date()
        self.headers["host"] = storage.endpoint.split("//")[1]
        self.query |= {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": date, "X-Amz-Expires": str(seconds),
                       "X-Amz-SignedHeaders": "host", "X-Amz-Credential":
                       f"{storage.access_key}/{date[:8]}/{self.region}/s3/aws4_request"}
        self.query["X-Amz-Signature"], _ = self._signature(storage, date, "UNSIGNED-PAYLOAD", ["host"])
        return self

    def send(self, storage):
        """(status, S3 code or None)"""
        connection = http.client.HTTPConnection(storage.endpoint.split("//")[1], timeout=20)
        try:
            target = self.encoded_path() + ("?" + self.encoded_query() if self.query else "")
            connection.request(self.method, target, self.body, self.headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status < 300 or not text.startswith(b"<"):
            return answer.status, None
        return answer.status, xml.etree.ElementTree.fromstring(text).findtext("Code")
