"""`check`: right about good storages, and about a dozen broken setups, and nothing left behind."""
import dataclasses
import json
import signal
import ssl
import subprocess
import time
import urllib.request

import botocore.exceptions
import pytest

import certificates
from harness import start_serve
from misbehaving import Peer, answering, black_hole, closing, http, is_connecting, read_head, s3_error, saying_nothing
import servers
from stand_ins import StandIn


@dataclasses.dataclass
class Checked:
    status: int
    text: str
    errors: str

    @property
    def facts(self):
        return json.loads(self.text)

    @property
    def endpoint(self):
        return self.facts["endpoints"][0]

    @property
    def problems(self):
        return " | ".join(self.endpoint["problems"])


@pytest.fixture
def check(loadtest):
    def run(storage, *arguments, settings=None, environment=None, form=("--json",)):
        result = loadtest(storage, "check", *form, *arguments, settings=settings, environment=environment, seconds=60)
        assert storage is None or storage.secret_key not in result.stdout + result.stderr
        return Checked(result.status, result.stdout, result.stderr)
    return run


def assert_empty(storage):
    s3 = storage.boto3()
    assert storage.keys() == {}
    assert s3.list_multipart_uploads(Bucket=storage.bucket).get("Uploads", []) == []
    try:
        versions = s3.list_object_versions(Bucket=storage.bucket)
    except botocore.exceptions.ClientError:  # serve has none
        return
    assert versions.get("Versions", []) == versions.get("DeleteMarkers", []) == []


def bucket_on(storage, **options):
    fresh = storage.with_new_bucket()
    fresh.boto3().create_bucket(Bucket=fresh.bucket, **options)
    return fresh


# ---- storages that work ------------------------------------------------------------------------------------

@pytest.mark.parametrize("backend", ["boto3", "minio", "native"])
def test_every_server_is_told_as_it_is(any_server, check, backend):
    name, server = any_server
    storage = bucket_on(server)
    done = check(storage, "--backend", backend)

    assert done.status == 0, done.text
    assert done.facts["schema"] == "s3loadtest.check/1" and done.facts["works"]
    assert done.facts["next"] == f"s3loadtest run baseload --duration 1m --backend {backend}"
    end = done.endpoint
    assert end["problems"] == []
    assert end["looks_like"] == {"serve": "the embedded server of s3loadtest", "rgw": "Ceph Object Gateway",
                                 "versitygw": "VersityGW"}[name]
    assert all(of["works"] for of in end["backends"].values())
    assert end["signature_verified"] and end["range"]["works"] and end["keeps_connections"]
    assert end["expect_continue"]["works"] and all(step["works"] for step in end["multipart"].values())
    assert end["bucket"]["exists"] and end["bucket"]["versioning"] == "" and end["bucket"]["object_lock"] is False
    assert abs(end["clock_ahead_seconds"]) <= end["clock_error_seconds"] + 1
    assert end["payloads"]["signed"] == {"works": True, "said": None, "verified": True}
    assert end["payloads"]["unsigned"]["works"]
    # Of RGW's README: it ignores x-amz-checksum-*, and refuses the trailer.
    assert end["payloads"]["streaming-unsigned-trailer"]["works"] == (name != "rgw")
    assert end["checksums"]["content-md5"]["verified"]
    assert {of["verified"] for kind, of in end["checksums"].items() if kind != "content-md5"} == {name != "rgw"}
    assert end["left_behind"] == {"looked": True, "what": [], "problem": None}
    assert_empty(storage)


def test_versions_are_taken_away_too(any_server, check):
    name, server = any_server
    storage = bucket_on(server)
    try:
        storage.boto3().put_bucket_versioning(Bucket=storage.bucket, VersioningConfiguration={"Status": "Enabled"})
    except botocore.exceptions.ClientError:
        pytest.skip(f"{name} keeps no versions here")
    done = check(storage)

    assert done.status == 0, done.text
    assert done.endpoint["bucket"]["versioning"] == "Enabled"
    assert_empty(storage)


def test_the_table_is_for_people(shared_serve, check, loadtest):
    storage = bucket_on(shared_serve)
    done = check(storage, form=())
    assert done.status == 0, done.text
    assert "\x1b" not in done.text
    assert all(len(line) <= 100 for line in done.text.splitlines())
    for line in (f"  bucket       {storage.bucket} exists; versioning off; object lock off",
                 "  connections  kept", f"{storage.endpoint} does all of what a run with backend boto3 needs."):
        assert line in done.text.splitlines(), done.text
    assert done.text.splitlines()[-1] == "next: s3loadtest run baseload --duration 1m"

    result = loadtest(storage, *done.text.splitlines()[-1].split()[2:4], "--operations", "20", "--size", "1KB", "--json")
    assert result.status == 0, result.stderr


# ---- broken setups -----------------------------------------------------------------------------------------

def broken(storage, **settings):
    return dataclasses.replace(storage, **{name: value for name, value in settings.items()})


def test_a_dead_port(shared_serve, check):
    done = check(broken(shared_serve, endpoint=f"http://127.0.0.1:{servers.free_port()}"))
    assert done.status == 3
    assert "Connection refused" in done.problems and done.facts["next"] == "s3loadtest check"


def test_a_host_without_an_address(shared_serve, check):
    done = check(broken(shared_serve, endpoint="http://nowhere.invalid:9000"))
    assert done.status == 3
    assert "cannot find the host of http://nowhere.invalid:9000" in done.problems


def test_a_black_hole_costs_its_deadline_and_no_more(shared_serve, check):
    """As do all the others of thirty, which are told in their order."""
    storage = bucket_on(shared_serve)
    with black_hole() as port:
        dead = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        done = check(storage, *(f"--endpoint={url}" for url in [storage.endpoint, dead, *[storage.endpoint] * 4]))
        took = time.monotonic() - began
    assert done.status == 1
    assert 9 < took < 20
    ends = done.facts["endpoints"]
    assert [end["url"] for end in ends] == [storage.endpoint, dead, *[storage.endpoint] * 4]
    assert [end["works"] for end in ends] == [True, False, True, True, True, True]
    assert ends[0]["seconds"] < took - 5
    assert f"nothing answered a connection within 10s" in ends[1]["problems"][0]
    assert_empty(storage)


def test_the_wrong_scheme_both_ways(shared_serve, check, tmp_path):
    https = shared_serve.endpoint.replace("http", "https")
    done = check(broken(shared_serve, endpoint=https), settings={"S3_VERIFY_SSL": "false"})
    assert done.status == 1
    assert f"{https} speaks plain http, not TLS; write {shared_serve.endpoint}" in done.problems
    assert done.facts["next"] == f"s3loadtest check --endpoint {shared_serve.endpoint}"

    made = certificates.make(tmp_path)
    secure = start_serve(tmp_path, "--tls-cert", made.certificate, "--tls-key", made.key, scheme="https")
    try:
        done = check(broken(secure, endpoint=secure.endpoint.replace("https", "http")))
    finally:
        servers.end(secure.process)
    assert done.status == 1
    assert f"speaks TLS, not plain http; write {secure.endpoint}" in done.problems


def test_a_web_page(check):
    with Peer(answering(http("200 OK", b"<html>Welcome</html>"))) as page:
        done = check(None, settings=broken_settings(page.endpoint))
    assert done.status == 1
    assert "is no S3 endpoint: it answered 200 with text/html" in done.problems


def broken_settings(endpoint):
    return {"S3_ENDPOINTS": endpoint, "AWS_ACCESS_KEY_ID": "AKCHECK", "AWS_SECRET_ACCESS_KEY": "hunter2secret",
            "S3_BUCKET": "loadtest"}


def test_wrong_key_secret_region_and_bucket_are_told_apart(any_server, check):
    name, server = any_server
    storage = bucket_on(server)
    key = check(broken(storage, access_key="AKWRONGWRONGWRONG001"))
    assert key.status == 1
    assert "does not know this access key" in key.problems and "AWS_ACCESS_KEY_ID" in key.problems

    secret = check(broken(storage, secret_key="wrongwrongwrong"))
    assert secret.status == 1
    assert "another secret" in secret.problems and "AWS_SECRET_ACCESS_KEY" in secret.problems

    bucket = check(broken(storage, bucket="not-there-at-all"))
    assert bucket.status == 1
    assert "bucket not-there-at-all does not exist" in bucket.problems
    assert bucket.facts["next"] == "s3loadtest run baseload --duration 1m --create-bucket"

    region = check(storage, settings={"AWS_REGION": "mars-1"})
    enforced = check(storage).endpoint["region_enforced"]
    assert region.status == (1 if enforced else 0), region.text
    if enforced:
        assert "AWS_REGION=us-east-1" in region.problems, region.problems
        assert region.facts["next"] == "AWS_REGION=us-east-1 s3loadtest check"
    assert_empty(storage)


def denying(code_of):
    """A storage that refuses everybody; `code_of(head)` says with which code."""
    def script(connection):
        while head := read_head(connection):
            answer = s3_error("403 Forbidden", code_of(head), "no")
            if b"Content-Length: " in head and not head.startswith((b"GET", b"HEAD")):
                connection.settimeout(0.05)
                try:
                    connection.recv(65536)
                except TimeoutError:
                    pass
                connection.settimeout(60)
            connection.sendall(answer.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if head.startswith(b"HEAD") else answer)
    return script


@pytest.mark.parametrize("knows_key, says", [
    (False, "answers 403 AccessDenied whoever asks, also with a key that nobody has"),
    (True, "knows this access key, but answers 403 AccessDenied whatever the secret")])
def test_a_storage_that_denies_all_without_a_reason(check, knows_key, says):
    def code_of(head):
        return "InvalidAccessKeyId" if knows_key and b"Credential=AKCHECK/" not in head else "AccessDenied"
    with Peer(denying(code_of)) as peer:
        done = check(None, settings=broken_settings(peer.endpoint))
    assert done.status == 1
    assert says in done.problems, done.text
    assert done.endpoint["access"]["ours"] == "403 AccessDenied"


@pytest.fixture(scope="module")
def clock_shift(tmp_path_factory):
    library = tmp_path_factory.mktemp("clock") / "clock_shift.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, servers.REPOSITORY / "tests/data/clock_shift.c", "-ldl"],
                   check=True)
    return lambda seconds: {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(seconds)}


def test_clocks(shared_serve, check, clock_shift):
    storage = bucket_on(shared_serve)
    slightly = check(storage, environment=clock_shift(300))
    assert slightly.status == 0, slightly.text
    assert any("5m ahead of" in note for note in slightly.endpoint["notes"])
    assert 298 < slightly.endpoint["clock_ahead_seconds"] < 302

    far = check(storage, environment=clock_shift(-3600))
    assert far.status == 1
    assert "behind the server's" in far.problems and "NTP" in far.problems
    assert far.endpoint["clock_ahead_seconds"] < -3598


@pytest.mark.parametrize("how, says", [("expired", "expired on "), ("name", "is made out to elsewhere.example, not to"),
                                       ("issuer", "was issued by CN=Test Authority, who is not among")])
def test_certificates(tmp_path, check, clock_shift, how, says):
    authority = certificates.make(tmp_path, name=None, title="Test Authority")
    made = certificates.make(tmp_path, name="DNS:elsewhere.example" if how == "name" else "IP:127.0.0.1",
                             issuer=authority if how == "issuer" else None,
                             environment=clock_shift(-3 * 86400) if how == "expired" else None)
    storage = start_serve(tmp_path, "--tls-cert", made.certificate, "--tls-key", made.key, scheme="https")
    trusted = {} if how == "issuer" else {"AWS_CA_BUNDLE": str(made.certificate)}
    try:
        strict = check(storage, settings={"S3_VERIFY_SSL": "true", **trusted})
        lax = check(storage, settings={"S3_VERIFY_SSL": "false", **trusted})
        with urllib.request.urlopen(storage.endpoint + "/-/stats", timeout=10,
                                    context=ssl._create_unverified_context()) as answer:
            assert json.load(answer)["objects"] == 0
    finally:
        servers.end(storage.process)

    assert strict.status == 1
    assert says in strict.problems, strict.text
    assert strict.endpoint["requests"] == 0, "nothing is sent to a server that is not believed"
    assert lax.status == 0, lax.text
    tls = lax.endpoint["tls"]
    assert tls["version"] == "TLSv1.3" and tls["alpn"] in ("http/1.1", None) and tls["handshake_us"] > 0
    assert not tls["verified"] and says in tls["problem"]
    assert any(says in note for note in lax.endpoint["notes"])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate_of_ours(tmp_path, check, version):
    made = certificates.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    context.verify_mode, context.minimum_version, context.maximum_version = ssl.CERT_REQUIRED, version, version

    def script(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            read_head(secure)
    with Peer(script) as peer:
        url = peer.endpoint.replace("http", "https")
        done = check(None, settings={**broken_settings(url), "S3_VERIFY_SSL": "false"})
    assert done.status == 1, done.text
    assert done.problems == (f"the TLS handshake with {url} failed: it wants a client certificate, which s3loadtest does not "
                             "send; use an address of the storage that asks for none")


def test_a_gateway_that_closes_every_connection(serve_with, check):
    for fault in ("*:close", "*:close-unsaid"):
        storage = serve_with("--fault", fault)
        done = check(storage)
        assert done.status == 0, done.text
        assert done.endpoint["keeps_connections"] is False
        assert any("closes the connection after each answer" in note for note in done.endpoint["notes"])
        assert_empty(storage)


@pytest.mark.parametrize("backend", ["minio", "native"])
def test_a_run_on_such_a_gateway(loadtest, backend):
    """minio asks for the region first: its connection is gone behind that answer."""
    stand_in = StandIn()
    stand_in.closes = True
    try:
        result = loadtest(stand_in.storage, "run", "baseload", "--size", "1KB", "--concurrency", "2", "--operations", "40",
                          "--backend", backend, "--json")
    finally:
        stand_in.close()
    assert result.status == 0, result.stderr
    assert result.total("errors") == 0


def test_whoever_closes_without_an_answer(check):
    with Peer(closing) as peer:
        done = check(None, settings=broken_settings(peer.endpoint))
    assert done.status == 1
    assert "ended the connection without an answer" in done.problems


def test_a_lock_that_keeps_what_is_written(rgw, check):
    storage = bucket_on(rgw, ObjectLockEnabledForBucket=True)
    storage.boto3().put_object_lock_configuration(Bucket=storage.bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}})
    done = check(storage)
    assert done.status == 1
    assert "(COMPLIANCE, 1 days)" in done.problems and "nothing was written" in done.problems
    assert done.endpoint["bucket"]["object_lock"] and done.endpoint["backends"] == {}
    assert_empty(storage)


def test_a_key_that_may_only_read(rgw, check):
    """The bucket's policy lets another user list and read, and nothing else."""
    storage = bucket_on(rgw)
    servers.deny(storage, "s3:PutObject", "s3:DeleteObject")
    done = check(storage)
    assert done.status == 1, done.text
    assert "grant it s3:PutObject" in done.problems
    assert "403 AccessDenied" in done.endpoint["backends"]["boto3"]["operations"]["PUT"]["said"]
    assert done.endpoint["backends"]["boto3"]["operations"]["GET"]["works"] is None, "there was nothing to read"
    assert done.endpoint["not_written"] == "PUT is not allowed" and done.endpoint["payloads"] == {}
    storage.boto3().delete_bucket_policy(Bucket=storage.bucket)
    assert_empty(storage)


def test_what_a_key_without_rights_left_is_named_though_it_may_not_list(rgw, check):
    storage = bucket_on(rgw)
    servers.deny(storage, "s3:DeleteObject", "s3:ListBucket")
    done = check(storage)
    storage.boto3().delete_bucket_policy(Bucket=storage.bucket)
    assert list(storage.keys()) == done.endpoint["left_behind"]["what"] != []
    assert "1 of what the check wrote could not be taken away again (403 AccessDenied): " in done.problems
    assert done.facts["next"].startswith("s3loadtest check")


def test_a_key_that_may_do_nothing_wrote_nothing(rgw, check):
    storage = bucket_on(rgw)
    servers.deny(storage, "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket")
    done = check(storage)
    storage.boto3().delete_bucket_policy(Bucket=storage.bucket)
    assert done.status == 1 and "what the check wrote" not in done.problems, done.problems
    assert_empty(storage)


def test_uploads_in_parts_need_the_right_to_abort_them(rgw, check):
    storage = bucket_on(rgw)
    servers.deny(storage, "s3:AbortMultipartUpload")
    done = check(storage, "--backend", "minio")
    assert "grant it s3:AbortMultipartUpload there" in done.problems, done.problems
    assert "multipart upload of " in done.endpoint["left_behind"]["what"][0]
    storage.boto3().delete_bucket_policy(Bucket=storage.bucket)
    upload, = storage.boto3().list_multipart_uploads(Bucket=storage.bucket)["Uploads"]
    storage.boto3().abort_multipart_upload(Bucket=storage.bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def test_a_handshake_that_hangs_is_no_connect_that_does(check):
    with Peer(saying_nothing) as mute:
        done = check(None, settings=broken_settings(f"https://127.0.0.1:{mute.port}"))
    assert "accepts connections but ended no TLS handshake within 10s" in done.problems, done.problems


def test_what_cannot_be_taken_away_is_told(serve_with, check):
    storage = serve_with("--fault", "DELETE:status=403", "--fault", "DELETE-BATCH:status=403")
    done = check(storage)
    assert done.status == 1
    left = storage.keys()
    assert len(left) == 1 and done.endpoint["left_behind"]["what"] == list(left)
    assert "could not be taken away again (403" in done.problems
    assert "DELETE (403 AccessDenied), DELETE-BATCH (403 AccessDenied); grant it s3:DeleteObject" in done.problems
    for backend in ("boto3", "minio", "native"):
        operations = done.endpoint["backends"][backend]["operations"]
        assert operations["GET"]["works"] and operations["DELETE-BATCH"]["works"] is False
        assert operations["PUT"]["works"] is (True if backend == "boto3" else None)
    assert done.endpoint["not_written"] == "what is written could not be deleted again"
    assert done.facts["next"].startswith("s3loadtest check")


def test_cleanup_knows_what_a_killed_check_left(serve_with, loadtest):
    storage = serve_with("--fault", "*:delay=100ms")
    running = loadtest.start(storage, "check", "--json")
    servers.wait_for("an object", lambda: storage.keys(), 20, running.process)
    running.signal(signal.SIGKILL)
    running.process.wait(10)
    assert storage.keys()
    cleaned = loadtest(storage, "cleanup")
    assert cleaned.status == 0, cleaned.stderr
    assert_empty(storage)


@pytest.mark.parametrize("delay", ["100ms", "600ms"])
def test_ctrl_c_leaves_nothing_behind(serve_with, loadtest, delay):
    storage = serve_with("--fault", f"PUT:delay={delay}")
    running = loadtest.start(storage, "check", "--json")
    servers.wait_for("an object", lambda: storage.keys(), 20, running.process)
    running.signal()
    result = running.wait(30)
    assert result.status == 1, result.stderr
    assert json.loads(result.stdout)["interrupted"]
    assert_empty(storage)


def test_ctrl_c_before_anything_answers(loadtest):
    with black_hole() as port:
        running = loadtest.start(None, "check", "--json", settings=broken_settings(f"http://127.0.0.1:{port}"))
        servers.wait_for("its connect", lambda: is_connecting(running.process, port), 10, running.process)
        began = time.monotonic()
        running.signal()
        result = running.wait(10)
    assert time.monotonic() - began < 5
    assert json.loads(result.stdout)["interrupted"]


def test_usage(loadtest):
    result = loadtest(None, "check", "--backend", "nosuch", settings=broken_settings("http://127.0.0.1:9"))
    assert result.status == 2 and "nosuch" in result.stderr
