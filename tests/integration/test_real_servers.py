"""baseload on S3 servers that others wrote."""
import functools
import json
import os

import pytest

import servers
import witnesses

SIZES = ["--size", "1KB", "--size", "100KB", "--size", "1MB"]


def holds_what_the_summary_says(result, storage):
    keys = result.pattern()["keys"]
    listed = storage.keys("loadtest/")
    assert keys["alive"] <= len(listed) <= keys["alive"] + keys["unknown"]
    assert set(listed.values()) <= {1 << 10, 100 << 10, 1 << 20}


BACKENDS = ["boto3", "minio", "native", "native --payload signed", "native --payload crc32"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("server", ["rgw", "versitygw"])
def test_baseload_has_no_error_and_counts_the_keys_that_are_there(request, loadtest, server, backend):
    storage = request.getfixturevalue(server).with_new_bucket()

    result = loadtest(storage, "run", "baseload", *SIZES, "--duration", "10s" if backend == "boto3" else "4s", "--json",
                      "--create-bucket", "--backend", *backend.split())

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0, result.stderr
    for operation in ("GET", "PUT"):
        sizes = result.operation(operation)["sizes"]
        assert set(sizes) == {"1KB", "100KB", "1MB"}
        assert all(figures["count"] > 0 for figures in sizes.values()), (operation, sizes)
    # Only a trim of ours may have taken a key from under a read, which is no error.
    assert result.operation("GET")["not_found"] <= result.pattern()["keys"]["trimmed"]
    holds_what_the_summary_says(result, storage)


@pytest.mark.skipif(os.environ.get("S3LOADTEST_BACKENDS") != "long", reason="a minute for each: S3LOADTEST_BACKENDS=long")
@pytest.mark.parametrize("backend", [*BACKENDS, "proxy"])
@pytest.mark.parametrize("make", [functools.partial(servers.rgw, capacity=8 << 30), servers.versitygw],
                         ids=["rgw", "versitygw"])
def test_all_patterns_at_once_pass_with_each_backend(request, loadtest, make, backend, tmp_path):
    """A minute of all seven, an hour of their schedules: bursts, deletions and a hundred slow clients. On a server of
    its own: what is written in a minute fills the half of it."""
    folder = tmp_path / "server"
    folder.mkdir()
    running = make(folder)
    storage = next(running).with_new_bucket()
    proxy = {"S3POOL_BINARY": servers.S3POOL, "S3LOADTEST_PROXY_ADDR": f"127.0.0.1:{servers.free_port()}"}

    result = loadtest(storage, "run", "all", "--duration", "1m", "--time-scale", "60", *SIZES, "--concurrency",
                      "elephant=100", "--json", "--create-bucket", "--backend", *backend.split(), seconds=180,
                      settings=proxy if backend == "proxy" else None)
    running.close()

    assert result.status == 0, result.stderr
    figures = []
    for name, pattern in result.summary["patterns"].items():
        for kind, operation in pattern["operations"].items():
            figures.append(f"{name} {kind} {operation['count']} ops, {operation['errors']} errors, "
                           f"p50 {operation['response_us']['p50']} us, p99 {operation['response_us']['p99']} us")
            # A storage that throttles is none that the backend broke.
            wrong = {o: n for o, n in operation["outcomes"].items() if o not in ("ok", "not_found", "throttled", "cancelled")}
            assert wrong == {}, (name, kind, wrong)
    print(request.node.name, *figures, sep="\n    ")
    assert {"baseload", "checkpoint", "heavyread", "spiky", "elephant", "delete", "listops"} == set(
        result.summary["patterns"])


def test_trimming_really_deletes_on_a_server_of_others(rgw, loadtest):
    storage = rgw.with_new_bucket()

    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "1000", "--max-keys", "20",
                      "--json", "--create-bucket")

    assert result.status == 0, result.stderr
    keys = result.pattern()["keys"]
    assert keys["trimmed"] > 100
    assert keys["alive"] <= 20
    holds_what_the_summary_says(result, storage)


def test_objects_on_a_real_server_can_be_read_by_boto3(versitygw, loadtest):
    storage = versitygw.with_new_bucket()
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "50", "--json", "--create-bucket")
    assert result.status == 0, result.stderr

    bodies = {storage.boto3().get_object(Bucket=storage.bucket, Key=key)["Body"].read()
              for key in storage.keys("loadtest/")}

    assert len(bodies) == result.pattern()["keys"]["alive"], "no two objects are alike"
    assert {len(body) for body in bodies} == {1024}


def as_the_aws_cli_sees(storage, folder):
    """Keys, sizes and ETags of the whole bucket, as another client lists it."""
    listed = witnesses.AwsCli(storage, folder).api("list-objects-v2")
    return sorted((o["Key"], o["Size"], o["ETag"]) for o in listed.get("Contents", []))


@pytest.mark.parametrize("server", ["rgw", "versitygw"])
def test_a_bucket_is_as_it_was_after_a_kill_another_run_verify_and_cleanup(request, loadtest, tmp_path, server):
    storage = request.getfixturevalue(server).with_new_bucket()
    s3 = storage.boto3()
    s3.create_bucket(Bucket=storage.bucket)
    for key in ("loadtest/readme.txt", "loadtest/0/photos/1.jpg", "loadtest2/0/1KB/x", "data/0/1KB/baseload/1/00000001"):
        s3.put_object(Bucket=storage.bucket, Key=key, Body=key.encode())
    before = as_the_aws_cli_sees(storage, tmp_path)

    running = loadtest.start(storage, "run", "baseload", *SIZES, "--max-keys", "100")
    running.wait_until_loading(30)
    servers.wait_for("two seconds", lambda: len(running.finished_seconds()) >= 2, 20, running.process)
    running.process.kill()
    running.wait(10)
    second = loadtest(storage, "run", "baseload", *SIZES, "--operations", "300", "--max-keys", "100", "--json")
    assert second.status == 0 and second.total("errors") == 0, second.stderr
    assert len(as_the_aws_cli_sees(storage, tmp_path)) > len(before)

    verify = loadtest(storage, "verify", "--json")
    assert verify.status == 0, verify.stderr
    found = json.loads(verify.stdout)
    assert found["read"] == len(as_the_aws_cli_sees(storage, tmp_path)) - len(before) and found["foreign"] == 2
    cleanup = loadtest(storage, "cleanup")
    assert cleanup.status == 0, cleanup.stderr
    assert f"deleted {found['read']} objects" in cleanup.stdout
    assert as_the_aws_cli_sees(storage, tmp_path) == before
