"""The real SDKs and our profiles of them before the same server, which writes down what came: header by header the
same, but for the user agent. An SDK version that changes its habits is noticed here, by the header that changed."""
import io
import re

import boto3
import botocore.config
import minio
import minio.deleteobjects
import pytest
import urllib3

import certificates
from harness import json_lines, start_serve
import servers

KEYS = ("sdkwireaccesskey", "sdkwiresecretkey1234567890")
OURS = """name = "wire"
mix = {PUT = 40, GET = 25, HEAD = 15, DELETE = 5, LIST = 15}
sizes = ["1KB", "3MB"]
"""
SIZES = {"1KB": 1 << 10, "3MB": 3 << 20}
PREFIX = "loadtest/0/"
KINDS = {"PUT 1KB", "PUT 3MB", "GET", "GET again", "HEAD", "DELETE", "LIST", "LIST next", "DELETE-BATCH",
         "HEAD bucket", "CREATE bucket"}


@pytest.fixture(params=["http", "https"])
def server(request, tmp_path):
    """(storage, the file of what came). Every third GET is answered 500 first."""
    tls = ()
    if request.param == "https":
        made = certificates.make(tmp_path)
        tls = ("--tls-cert", made.certificate, "--tls-key", made.key)
    record = tmp_path / "record"
    storage = start_serve(tmp_path, "--record", record, "--fault", "GET:status=500:every=3", *tls, credentials=KEYS,
                          scheme=request.param)
    yield storage, record
    assert servers.end(storage.process) == 0


def boto3_client(storage):
    """As the earlier tool had it."""
    config = botocore.config.Config(retries={"max_attempts": 3}, connect_timeout=10, read_timeout=300)
    session = boto3.session.Session(aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1])
    return session.client("s3", endpoint_url=storage.endpoint, verify=False, config=config)


def drive_boto3(storage):
    s3 = boto3_client(storage)
    s3.create_bucket(Bucket="of-boto3")
    s3.head_bucket(Bucket=storage.bucket)
    names = {size: f"{PREFIX}{size}/wire/1700000000000000/0000000a" for size in SIZES}
    for size, key in names.items():
        s3.put_object(Bucket=storage.bucket, Key=key, Body=b"a" * SIZES[size])
    for _ in range(3):
        s3.get_object(Bucket=storage.bucket, Key=names["1KB"])["Body"].read()
    s3.head_object(Bucket=storage.bucket, Key=names["1KB"])
    first = s3.list_objects_v2(Bucket=storage.bucket, Prefix=PREFIX, MaxKeys=1000)
    s3.list_objects_v2(Bucket=storage.bucket, Prefix=PREFIX, MaxKeys=1000,
                       ContinuationToken=first["NextContinuationToken"])
    s3.delete_object(Bucket=storage.bucket, Key=names["3MB"])
    s3.delete_objects(Bucket=storage.bucket, Delete={"Objects": [{"Key": key} for key in names.values()]})


def drive_minio(storage):
    pool = urllib3.PoolManager(maxsize=1, cert_reqs="CERT_NONE", timeout=300,
                               retries=urllib3.Retry(3, allowed_methods=None))
    scheme, address = storage.endpoint.split("://")
    client = minio.Minio(address, access_key=KEYS[0], secret_key=KEYS[1], secure=scheme == "https", http_client=pool)
    client.make_bucket("of-minio")
    client.bucket_exists(storage.bucket)
    names = {size: f"{PREFIX}{size}/wire/1700000000000000/0000000a" for size in SIZES}
    for size, key in names.items():
        client.put_object(storage.bucket, key, io.BytesIO(b"a" * SIZES[size]), SIZES[size])
    for _ in range(3):
        try:
            client.get_object(storage.bucket, names["1KB"]).read()
        except minio.S3Error as error:
            assert error.code == "InternalError"
    client.stat_object(storage.bucket, names["1KB"])
    list(client.list_objects(storage.bucket, prefix=PREFIX, recursive=True))
    client.remove_object(storage.bucket, names["3MB"])
    assert list(client.remove_objects(storage.bucket, map(minio.deleteobjects.DeleteObject, names.values()))) == []


DRIVERS = {"boto3": drive_boto3, "minio": drive_minio}


def kind_of(request):
    method, target, headers = request["method"], request["target"], dict(request["headers"])
    path, _, query = target.partition("?")
    key = path[1:].partition("/")[2]
    names = {part.partition("=")[0] for part in query.split("&")}
    if key:
        size = f" {key.split('/')[2]}" if method == "PUT" else ""
        again = " again" if "attempt=1;" not in headers.get("amz-sdk-request", "attempt=1;") else ""
        return method + size + again
    if "delete" in names:
        return "DELETE-BATCH"
    if "location" in names:
        return "LOCATION"
    if "list-type" in names:
        return "LIST next" if "continuation-token" in names else "LIST"
    return {"HEAD": "HEAD bucket", "PUT": "CREATE bucket"}[method]


def comparable(request):
    """What is to be equal: everything, with a mark for what is another value in every request. A list of lines, so
    that a difference is seen at once."""
    target = re.sub(r"continuation-token=[^&]+", "continuation-token=*", request["target"])
    target = re.sub(r"start-after=[^&]+", "start-after=*", target)
    target = re.sub(r"/wire/\d{16}/[0-9a-f]{8}", "/wire/TIME/SUFFIX", target)
    target = re.sub(r"^/(loadtest|of-boto3|of-minio|of-ours)\b", "/BUCKET", target)
    target = re.sub(r"/(1KB|3MB)/wire", "/SIZE/wire", target)
    lines = [f"{request['method']} {target} {request['version']}"]
    headers = dict(request["headers"])
    date = headers.get("X-Amz-Date") or headers["x-amz-date"]
    batch = kind_of(request) == "DELETE-BATCH"
    for name, value in request["headers"]:
        lower = name.lower()
        if lower == "user-agent":
            value = "*"
        elif lower == "x-amz-date":
            value = re.sub(r"^\d{8}T\d{6}Z$", "DATE", value)
        elif lower == "authorization":
            value = re.sub(r"Signature=[0-9a-f]{64}$", "Signature=*", value.replace(date[:8], "DAY"))
        elif lower == "amz-sdk-invocation-id":
            value = re.sub(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", "UUID4", value)
        elif lower == "amz-sdk-request":
            value = re.sub(r"ttl=\d{8}T\d{6}Z", "ttl=LATER", value)
        elif lower == "x-amz-content-sha256" and not value.startswith(("UNSIGNED", "STREAMING")):
            # Of no body it is always the same.
            value = value if value.startswith("e3b0c442") else re.sub(r"^[0-9a-f]{64}$", "SHA256", value)
        elif lower == "x-amz-checksum-crc32":
            value = re.sub(r"^[A-Za-z0-9+/]{6}==$", "CRC32", value)
        elif lower == "content-md5":
            value = re.sub(r"^[A-Za-z0-9+/]{22}==$", "MD5", value)
        elif lower == "content-length" and batch:
            value = re.sub(r"^\d+$", "LENGTH", value)
        lines.append(f"{name}: {value}")
    body = request["body"]
    lines.append(f"body {body['framing']}, chunks {body.get('http_chunks')}, inner chunks {body.get('aws_chunks')}")
    if not batch:
        lines.append(f"body of {body['bytes']} bytes, {body['payload']} of them the object's")
    lines += [re.sub(r":.+", ":CRC32", trailer) for trailer in body.get("trailers", [])]
    lines.append("waited for 100 Continue" if "continue_us" in body else "waited for nothing")
    if "text" in body:
        text = re.sub(r"<Key>[^<]+</Key>", "<Key>*</Key>", body["text"])
        lines.append(re.sub(r"(<Object><Key>\*</Key></Object>)+", "<Object>…", text))
    return lines


@pytest.mark.parametrize("backend", ["boto3", "minio"])
def test_a_profile_sends_what_its_sdk_sends_to_the_last_header(server, loadtest, backend):
    storage, record = server
    flags = ("--backend", backend, "--retries", "sdk", "--concurrency", "1", "--threads", "1", "--json")
    pattern = loadtest.folder / "wire.toml"
    pattern.write_text(OURS)
    ours = loadtest(storage, "run", str(pattern), *flags, "--operations", "150", "--prefill", "1002", "--create-bucket")
    assert ours.status == 0, ours.stderr
    DRIVERS[backend](storage)
    # An empty bucket of another name: the load makes it, and deletes nothing there.
    loadtest(storage, "run", str(pattern), *flags, "--operations", "1", "--create-bucket", "--bucket", "of-ours")
    swept = loadtest(storage, "run", "delete", *flags, "--operations", "3")
    assert swept.status == 0, swept.stderr

    lines = json_lines(record)
    # A look around before a load is nobody's profile and has no user agent.
    requests = [line for line in lines if line["event"] == "request" and "User-Agent" in dict(line["headers"])]
    is_ours = lambda request: dict(request["headers"])["User-Agent"].startswith("s3loadtest/")
    seen = {True: {}, False: {}}
    for request in requests:
        seen[is_ours(request)].setdefault(kind_of(request), []).append(request)
    # minio-py takes a 500 for an answer.
    kinds = KINDS if backend == "boto3" else (KINDS - {"GET again"}) | {"LOCATION"}
    assert set(seen[False]) == kinds
    assert kinds <= set(seen[True])
    for kind in sorted(kinds):
        theirs = comparable(seen[False][kind][0])
        assert comparable(seen[False][kind][-1]) == theirs, f"{kind}: the SDK itself sends it in two ways"
        for request in (seen[True][kind][0], seen[True][kind][-1]):
            assert comparable(request) == theirs, f"{kind}: the profile {backend} and its SDK differ"

    # One client object has one connection to an endpoint, whatever it asks; so have ours, beside the one that looks
    # around before a load.
    objects = [request for request in requests if request["target"].startswith(f"/{storage.bucket}/")]
    for who in (False, True):
        assert len({request["connection"] for request in objects if is_ours(request) == who}) == 1
    assert not any(line["event"] == "request" and "problem" in line for line in lines)


def get_three_times(backend, storage, key):
    if backend == "boto3":
        client = boto3_client(storage)
        return [client.get_object(Bucket=storage.bucket, Key=key)["Body"].read() for _ in range(3)]
    pool = urllib3.PoolManager(maxsize=1, retries=urllib3.Retry(3, allowed_methods=None))
    client = minio.Minio(storage.endpoint.split("://")[1], access_key=KEYS[0], secret_key=KEYS[1], secure=False,
                         http_client=pool)
    return [client.get_object(storage.bucket, key).read() for _ in range(3)]


@pytest.mark.parametrize("backend", ["boto3", "minio"])
def test_a_reset_after_the_request_is_tried_again_as_the_sdk_does_it(serve_with, loadtest, tmp_path, backend):
    record = tmp_path / "record"
    storage = serve_with("--record", record, "--fault", "GET:reset:every=3", credentials=KEYS)
    pattern = loadtest.folder / "wire.toml"
    pattern.write_text('name = "wire"\nmix = {GET = 100}\nsizes = ["1KB"]\n')
    ours = loadtest(storage, "run", str(pattern), "--backend", backend, "--retries", "sdk", "--concurrency", "1",
                    "--threads", "1", "--operations", "20", "--prefill", "1", "--json")
    assert ours.status == 0, ours.stderr
    gets = ours.operation("GET", "wire")
    assert gets["errors"] == 0 and gets["attempts"] == 20 + gets["outcomes"]["reset"] and gets["outcomes"]["reset"] >= 8
    assert ours.summary["client"]["reconnects"] == 0
    key = next(line["target"] for line in json_lines(record) if line.get("method") == "PUT").split("/", 2)[2]
    assert [len(body) for body in get_three_times(backend, storage, key)] == [1024] * 3

    requests = [line for line in json_lines(record) if line["event"] == "request" and key in line["target"]]
    requests = [line for line in requests if line["method"] == "GET"]
    seen = {True: [], False: []}
    for request in requests:
        seen[dict(request["headers"])["User-Agent"].startswith("s3loadtest/")].append(request)
    again = {}  # who: (the request that was reset, the one after it), of the first reset
    for who, of in seen.items():
        if backend == "boto3":
            is_again = lambda before, after: dict(after["headers"])["amz-sdk-request"] == "attempt=2; max=4"
        else:
            is_again = lambda before, after: dict(after["headers"])["Authorization"] == dict(before["headers"])["Authorization"]
        pairs = [pair for pair in zip(of, of[1:]) if pair[0]["connection"] != pair[1]["connection"]]
        assert pairs and all(is_again(*pair) for pair in pairs), "a new connection is that of a second attempt"
        again[who] = pairs[0]
    for which in (0, 1):
        assert comparable(again[True][which]) == comparable(again[False][which])


def test_the_record_holds_no_session_token_and_each_request_of_each_connection(serve_with, loadtest, tmp_path):
    record = tmp_path / "record"
    storage = serve_with("--record", record, credentials=KEYS)
    session = boto3.session.Session(aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1],
                                    aws_session_token="s3cr3tsessiontoken")
    s3 = session.client("s3", endpoint_url=storage.endpoint,
                        config=botocore.config.Config(retries={"total_max_attempts": 1}))
    for _ in range(2):
        try:
            s3.head_bucket(Bucket=storage.bucket)
        except s3.exceptions.ClientError:
            pass
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "400", "--concurrency", "4", "--json")
    assert result.status == 0, result.stderr
    text = record.read_text()
    assert "s3cr3tsessiontoken" not in text and KEYS[1] not in text and "X-Amz-Security-Token" in text
    lines = json_lines(record)
    accepted = [line["connection"] for line in lines if line["event"] == "connection"]
    # Each thread of the server writes its own as it comes to it.
    assert sorted(accepted) == list(range(1, len(accepted) + 1))
    requests = [line for line in lines if line["event"] == "request"]
    for connection in accepted:
        numbers = [r["request"] for r in requests if r["connection"] == connection]
        assert numbers == list(range(1, len(numbers) + 1))
    load = [r for r in requests if r["target"].partition("?")[0].count("/") > 2]
    assert len(load) == sum(operation["requests"] for operation in result.pattern()["operations"].values())
