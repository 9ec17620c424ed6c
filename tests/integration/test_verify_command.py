"""verify reads back what runs left and names what is wrong, as often as it is wrong."""
import json

import pytest

from harness import Loadtest, faults_done

RUN = ("run", "baseload", "--size", "1KB", "--size", "10KB", "--size", "1MB", "--concurrency", "4", "--operations", "300",
       "--json")


def result_of(verify):
    return json.loads(verify.stdout)


def check_all(storage, loadtest):
    run = loadtest(storage, *RUN)
    assert run.status == 0, run.stderr
    keys = sorted(storage.keys("loadtest/"))
    good = loadtest(storage, "verify")
    assert good.status == 0 and f"read {len(keys)} objects under loadtest/ (" in good.stdout, good.stderr
    assert good.stdout.endswith("every byte checked: nothing is wrong\n")

    s3 = storage.boto3()

    def content(key):
        return s3.get_object(Bucket=storage.bucket, Key=key)["Body"].read()

    small = [key for key in keys if "/10KB/" in key]
    flipped = bytearray(content(small[0]))
    flipped[-1] ^= 1
    wrong = {small[0]: ("flipped", bytes(flipped)), small[1]: ("swapped", content(small[2])),
             small[3]: ("foreign", b"x" * (10 << 10)), small[4]: ("length", content(small[4])[:9000])}
    for key, (_, body) in wrong.items():
        s3.put_object(Bucket=storage.bucket, Key=key, Body=body)
    s3.delete_object(Bucket=storage.bucket, Key=small[5])
    s3.put_object(Bucket=storage.bucket, Key="loadtest/mine", Body=b"x")
    bad = loadtest(storage, "verify", "--json")
    assert bad.status == 1
    found = result_of(bad)
    assert found["corrupt"] == {"flipped": 1, "swapped": 1, "foreign": 1, "length": 1, "stale": 0}
    assert found["missing"] == 1 and found["foreign"] == 1 and found["read"] == len(keys) - 1
    for key, (kind, _) in wrong.items():
        assert f"{key}: {kind}: " in bad.stderr
    assert f"{small[5]}: missing: the key journal says that it exists" in bad.stderr
    assert f"{small[0]}: flipped: damaged bytes of the object at offset {(10 << 10) - 1}: expected " in bad.stderr


def test_what_is_wrong_is_named_and_counted(serve, loadtest):
    check_all(serve, loadtest)


def test_what_is_wrong_is_named_and_counted_on_ceph(rgw, loadtest):
    storage = rgw.with_new_bucket()
    storage.boto3().create_bucket(Bucket=storage.bucket)
    check_all(storage, loadtest)


@pytest.mark.parametrize("spec, kind", [("GET:flip", "flipped"), ("GET:swap", "swapped"), ("GET:truncate", "truncated"),
                                        ("GET:missing", "missing"), ("GET:length=+10", "length"),
                                        ("GET:length=-10", "length")])
def test_faults_of_the_server_are_counted_exactly(serve_with, loadtest, spec, kind):
    storage = serve_with("--fault", f"{spec}:p=0.05", "--fault-seed", "3")
    loadtest(storage, "run", "baseload", "--size", "1KB", "--size", "100KB", "--prefill", "400", "--operations", "1",
             "--verify", "off")
    before = sum(faults_done(storage).values())
    verify = loadtest(storage, "verify", "--json")
    done = sum(faults_done(storage).values()) - before
    found = result_of(verify)
    counts = {"truncated": found["truncated"], "missing": found["missing"], **found["corrupt"]}
    assert verify.status == 1, verify.stderr
    assert {k: n for k, n in counts.items() if n} == {kind: done} and done > 5
    assert found["failed"] == 0


def test_without_a_journal_a_listed_object_that_is_not_found_is_missing(serve_with, loadtest, tmp_path):
    storage = serve_with("--fault", "GET:missing:p=0.2", "--fault-seed", "3")
    loadtest(storage, "run", "baseload", "--size", "1KB", "--prefill", "200", "--operations", "1")
    before = sum(faults_done(storage).values())
    verify = loadtest(storage, "verify", "--json", settings={"S3LOADTEST_KEY_DIR": str(tmp_path / "elsewhere")})
    done = sum(faults_done(storage).values()) - before
    found = result_of(verify)
    assert verify.status == 1 and done > 10
    assert (found["missing"], found["deleted_meanwhile"], found["journals"]) == (done, 0, 0)
    assert ": missing: the storage lists it, and does not find it" in verify.stderr


def test_keys_that_a_run_did_not_find_are_missing_all_the_same(serve_with, loadtest):
    storage = serve_with("--fault", "GET:missing:p=0.3", "--fault-seed", "3")
    run = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "600", "--json")
    assert run.pattern()["keys"]["unknown"] > 10, "the run met some of them itself"
    before = sum(faults_done(storage).values())
    verify = loadtest(storage, "verify", "--json")
    assert result_of(verify)["missing"] == sum(faults_done(storage).values()) - before > 10
    assert result_of(verify)["deleted_meanwhile"] == 0


def test_journals_are_only_read(serve, loadtest):
    assert loadtest(serve, *RUN).status == 0
    assert loadtest(serve, *RUN, "--prefix", "site").status == 0
    junk = loadtest.folder / "s3loadtest-keys-0.journal"
    junk.write_bytes(bytes(4096))
    journals = {path: path.read_bytes() for path in loadtest.folder.glob("*.journal")}
    assert len(journals) == 3
    verify = loadtest(serve, "verify", "--json")
    assert verify.status == 0 and result_of(verify)["journals"] == 1, verify.stderr
    assert f"{junk.name} is no key journal: it does not begin as one; its keys are not looked for" in verify.stderr
    assert {path: path.read_bytes() for path in loadtest.folder.glob("*.journal")} == journals
    told = loadtest(serve, "verify", "--prefix", "else")
    assert told.stdout.endswith("; no key journal here knows of objects that should be there and are not listed\n")


def test_the_earlier_tools_objects_cannot_be_checked(serve, loadtest):
    serve.boto3().put_object(Bucket=serve.bucket, Key="loadtest/90/1KB/foo", Body=b"x")
    verify = loadtest(serve, "verify", "--json")
    assert verify.status == 0 and (result_of(verify)["unverifiable"], result_of(verify)["foreign"]) == (1, 0)


def test_workers_and_prefixes(serve, loadtest):
    for worker, count in (("1", "100"), ("10", "60")):
        assert loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", count, "--worker-id", worker,
                        "--prefix", "site").status == 0
    for arguments, prefix in ((["--worker-id", "1"], "site/1/"), (["--worker-id", "10"], "site/10/"), ([], "site/")):
        verify = loadtest(serve, "verify", "--prefix", "site", "--json", *arguments)
        assert verify.status == 0, verify.stderr
        assert result_of(verify)["read"] == len(list(serve.keys(prefix))) > 0
    assert result_of(loadtest(serve, "verify", "--json"))["read"] == 0


def test_it_reads_while_a_run_writes_and_trims(serve, loadtest, tmp_path):
    running = loadtest.start(serve, "run", "baseload", "--size", "1KB", "--duration", "4s", "--max-keys", "300")
    running.wait_until_loading()
    (loadtest.folder / "other").mkdir()
    verify = Loadtest(loadtest.folder / "other")(serve, "verify", "--json",
                                                 settings={"S3LOADTEST_KEY_DIR": str(loadtest.folder)})
    assert verify.status == 0, verify.stderr
    assert running.wait().status == 0
