"""Objects in parts: one PUT, parts of their own, and no upload that stays."""
import signal

import pytest

import servers
from harness import ask
from test_tls import https  # noqa: F401, a fixture

WRITES = 'name = "large"\nmix = {GET = 40, PUT = 60}\nsizes = ["11MB"]\n'


@pytest.fixture
def large(loadtest):
    file = loadtest.folder / "large.toml"
    file.write_text(WRITES)
    return "run", str(file), "--multipart-size", "5MiB", "--json", "--threads", "1"


def unfinished(storage):
    return storage.boto3().list_multipart_uploads(Bucket=storage.bucket).get("Uploads", [])


def is_told_as_one(result, operations):
    assert result.status == 0, result.stderr
    put, get, part = (result.operation(name, "large") for name in ("PUT", "GET", "PART"))
    assert put["count"] + get["count"] == operations and put["errors"] == get["errors"] == part["errors"] == 0
    assert part["count"] == 3 * put["count"] == part["requests"]
    assert put["bytes"] == put["bytes_moved"] == part["bytes"] == 11 * 2**20 * put["count"]
    verified = result.pattern("large")["verified"]
    assert verified["checked"] == get["count"] > 0 and verified["corrupt"] == 0


@pytest.mark.parametrize("backend", ["boto3", "minio", "native"])
def test_objects_in_parts_come_back_whole_from_every_server(any_server, loadtest, large, backend):
    name, server = any_server
    storage = server.with_new_bucket()
    result = loadtest(storage, *large, "--create-bucket", "--operations", "8", "--concurrency", "2", "--verify", "all",
                      "--seed", "7", "--backend", backend)
    is_told_as_one(result, 8)
    assert set(storage.keys("loadtest/").values()) == {11 * 2**20}
    assert unfinished(storage) == []
    cleaned = loadtest(storage, "cleanup", "--yes")
    assert cleaned.status == 0 and storage.keys("loadtest/") == {}, cleaned.stderr


@pytest.mark.parametrize("backend", ["boto3", "minio", "native"])
def test_objects_in_parts_over_https(https, loadtest, large, backend):
    result = loadtest(https, *large, "--operations", "8", "--concurrency", "2", "--verify", "all", "--seed", "7",
                      "--backend", backend, settings={"S3_VERIFY_SSL": "false"})
    is_told_as_one(result, 8)


def test_faults_of_uploads_are_counted_as_the_server_did_them_and_leave_nothing(serve_with, loadtest, large):
    storage = serve_with("--fault", "PART:status=503:p=0.2", "--fault", "PART:reset:every=25",
                         "--fault", "CREATE-UPLOAD:status=500:every=4", "--fault", "CREATE-UPLOAD:truncate:every=7",
                         "--fault", "COMPLETE-UPLOAD:status=503:every=5", "--fault", "ABORT-UPLOAD:status=503:every=2")
    result = loadtest(storage, *large, "--operations", "80", "--concurrency", "4")
    done = {fault["spec"]: fault["done"] for fault in ask(storage, "/-/faults")["faults"]}
    assert all(done.values()), done
    put, part = (result.operation(name, "large") for name in ("PUT", "PART"))
    # A PUT that its part ended has the part's outcome, but not its status.
    statuses = [figures["status"].get("503", 0) for figures in (put, part)]
    assert sum(statuses) == done["PART:status=503:p=0.2"] + done["COMPLETE-UPLOAD:status=503:every=5"] + done[
        "ABORT-UPLOAD:status=503:every=2"]
    assert put["status"].get("500", 0) == done["CREATE-UPLOAD:status=500:every=4"]
    # On a connection that was used before, a reset is a reconnect.
    reconnects = result.summary["client"]["reconnects"]
    assert part["outcomes"].get("reset", 0) + reconnects == done["PART:reset:every=25"]
    assert put["outcomes"].get("truncated", 0) == done["CREATE-UPLOAD:truncate:every=7"]
    assert unfinished(storage) == [] and result.pattern("large")["keys"]["unaborted"] == 0


def test_uploads_that_a_signal_cuts_are_aborted(serve_with, loadtest, large):
    storage = serve_with()
    running = loadtest.start(storage, *large, "--bandwidth", "3MB/s", "--grace", "0s", "--concurrency", "4")
    servers.wait_for("an upload", lambda: ask(storage, "/-/stats")["uploads"] == 4, 10, running.process)
    running.signal(signal.SIGINT)
    result = running.wait(15)
    assert result.status in (0, 3), result.stderr
    assert result.operation("PUT", "large")["cancelled"] == 4
    assert unfinished(storage) == []


def test_kept_connections_give_way_where_descriptors_are_few(serve_with, loadtest):
    keys = ("manyendpoints", "manyendpointssecret1")
    nodes = [serve_with(credentials=keys) for _ in range(4)]
    writes = loadtest.folder / "writes.toml"
    writes.write_text('name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n')
    result = loadtest(nodes[0], "run", str(writes), "--operations", "2000", "--concurrency", "60", "--threads", "2",
                      "--json", settings={"S3_ENDPOINTS": ",".join(n.endpoint for n in nodes)},
                      through=("sh", "-c", 'ulimit -n 200; exec "$@"', "sh"))
    assert result.status == 0, result.stderr
    client = result.summary["client"]
    assert result.total("errors", "writes") == 0 and client["idle_closed"] > 0
    assert client["connections"] - client["idle_closed"] <= 200
    assert ("60 clients keep 240 connections to 4 endpoints, and the limit of 200 file descriptors has room for 128: "
            in result.stderr), result.stderr
