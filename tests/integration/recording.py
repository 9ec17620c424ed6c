"""A storage that keeps what it was asked, by whom and when: what the counters of a server leave out."""
import base64
import bisect
import collections
import dataclasses
import re
import time
import urllib.parse

from stand_ins import StandIn, s3_error


@dataclasses.dataclass
class Request:
    at: float  # monotonic seconds
    client: tuple  # the connection, by its other end
    operation: str
    key: str  # of the object; the prefix of a LIST
    token: str = ""  # of a LIST
    keys: tuple = ()  # what the page of a LIST brought, or a DELETE-BATCH asked for
    status: int = 200  # 0: the connection was closed instead
    headers: dict = dataclasses.field(default_factory=dict)

    @property
    def size(self):
        return self.key.split("/")[2]

    @property
    def pattern(self):
        return self.key.split("/")[3]


def keys_in(body):
    return re.findall(rb"<Key>([^<]*)</Key>", body)


class RecordingStandIn(StandIn):
    """Objects, listings and batches without signatures. `refuse(key)` keeps an object from a batch; `trouble` is
    asked with the request."""

    def __init__(self):
        super().__init__()
        self.requests = []
        self.refuse = lambda key: False

    def of(self, *operations):
        with self.lock:
            return [request for request in self.requests if request.operation in operations]

    def by_client(self, *operations):
        found = collections.defaultdict(list)
        for request in self.of(*operations):
            found[request.client].append(request)
        return found

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        path, _, query = handler.path.partition("?")
        fields = {name: values[0] for name, values in urllib.parse.parse_qs(query, keep_blank_values=True).items()}
        key = path[1:].partition("/")[2]
        operation = handler.command if key else {"GET": "LIST", "POST": "DELETE-BATCH"}.get(handler.command, "BUCKET")
        request = Request(time.monotonic(), handler.client_address, operation, key or fields.get("prefix", ""),
                          fields.get("continuation-token", ""), headers=dict(handler.headers.items()))
        trouble = self.trouble(request)
        if trouble == "close":
            request.status = 0
            with self.lock:
                self.requests.append(request)
            handler.close_connection = True
            return
        if trouble:
            request.status, content = trouble[0], s3_error(trouble[1])
        elif operation == "LIST":
            content = self.page(request, int(fields.get("max-keys", 1000)))
        elif operation == "DELETE-BATCH":
            content = self.delete(request, body)
        elif operation == "BUCKET":
            content = b""
        else:
            request.status, content = self.right_answer(handler.command, key, body)
        with self.lock:
            self.requests.append(request)
        handler.send_response(request.status)
        if request.status != 204:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)
        handler.wfile.flush()

    def right_answer(self, method, key, body):
        if method == "PUT":
            self.objects[key] = body
            return 200, b""
        if method == "DELETE":
            self.objects.pop(key, None)
            return 204, b""
        found = self.objects.get(key)
        return (200, found) if found is not None else (404, s3_error("NoSuchKey"))

    def page(self, request, most):
        keys = sorted(key for key in list(self.objects) if key.startswith(request.key))
        begin = bisect.bisect_right(keys, base64.b64decode(request.token).decode()) if request.token else 0
        keys, more = keys[begin:begin + most], len(keys) > begin + most
        request.keys = tuple(keys)
        # As S3's: letters that a URL has to encode.
        last = base64.b64encode(keys[-1].encode()).decode() if more else ""
        token = f"<NextContinuationToken>{last}</NextContinuationToken>"
        contents = "".join(f"<Contents><Key>{key}</Key><Size>{len(self.objects.get(key, b''))}</Size></Contents>"
                           for key in keys)
        return (f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"<Name>loadtest</Name><Prefix>{request.key}</Prefix><KeyCount>{len(keys)}</KeyCount>"
                f"<MaxKeys>{most}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token if more else ''}"
                f"{contents}</ListBucketResult>").encode()

    def delete(self, request, body):
        request.keys = tuple(key.decode() for key in keys_in(body))
        answer = []
        for key in request.keys:
            if self.refuse(key):
                answer.append(f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>kept</Message></Error>")
            else:
                self.objects.pop(key, None)
                if b"<Quiet>true</Quiet>" not in body:
                    answer.append(f"<Deleted><Key>{key}</Key></Deleted>")
        return ('<?xml version="1.0"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"{''.join(answer)}</DeleteResult>").encode()
