"""The client checks what it reads: objects that another client overwrites in the middle of a run are found."""
import pytest

from harness import json_lines

READS = """name = "reads"
summary = "GET of what the prefill wrote"
sizes = ["{size}"]

[mix]
GET = 100
"""
SIZE = 10 << 10


def start_reads(storage, loadtest, *more, size="10KB"):
    """A run that only reads its sixteen objects, under load; and their keys."""
    pattern = loadtest.folder / "reads.toml"
    pattern.write_text(READS.format(size=size))
    running = loadtest.start(storage, "run", str(pattern), "--prefill", "16", "--concurrency", "4", "--duration", "6s",
                             "--json", *more)
    running.wait_until_loading()
    keys = sorted(storage.keys("loadtest/"))
    assert len(keys) == 16
    return running, keys


@pytest.mark.parametrize("backend", ["boto3", "native"])
def test_each_kind_of_wrong_object_is_found_named_and_ends_with_status_1(serve, loadtest, backend):
    running, keys = start_reads(serve, loadtest, "--verify", "all", "--backend", backend)
    s3 = serve.boto3()

    def content(key):
        return s3.get_object(Bucket=serve.bucket, Key=key)["Body"].read()

    flipped = bytearray(content(keys[2]))
    flipped[5000] ^= 1
    wrong = {"swapped": (keys[0], content(keys[1])), "flipped": (keys[2], bytes(flipped)),
             "foreign": (keys[3], b"x" * SIZE), "length": (keys[4], content(keys[4])[:9000])}
    for key, body in wrong.values():
        s3.put_object(Bucket=serve.bucket, Key=key, Body=body)
    result = running.wait()

    assert result.status == 1, result.stderr
    assert result.summary["verdict"]["passed"] is False
    verified, get = result.pattern("reads")["verified"], result.operation("GET", "reads")
    assert verified["checked"] == get["count"]
    assert set(verified["kinds"]) == set(wrong)
    assert verified["corrupt"] == sum(verified["kinds"].values()) == get["errors"] > 0
    assert get["outcomes"]["truncated"] == verified["kinds"]["length"]
    assert get["outcomes"]["corrupt"] == verified["corrupt"] - verified["kinds"]["length"]
    assert get["attempts"] == get["count"], "what is corrupt is not tried again"

    errors = [e for e in json_lines(result.directory / "errors.jsonl") if "slowest" not in e]
    by_kind = {kind: [e for e in errors if e["kind"] == kind] for kind in wrong}
    assert sum(map(len, by_kind.values())) == len(errors) <= 4 * 10
    for kind, (key, body) in wrong.items():
        assert by_kind[kind], kind
        assert {e["key"] for e in by_kind[kind]} == {key}, kind
        assert result.stderr.count(f" 200 {kind} from") == 1, "a warning at the first of each kind"
    assert all(4096 - 32 <= e["offset"] < 4096 for e in by_kind["swapped"]), "the pool is the same, the stamp is not"
    assert by_kind["swapped"][0]["found"] == content(keys[1])[4064:4080].hex()
    for e in by_kind["flipped"]:
        assert e["offset"] == 5000
        assert e["found"] == bytes(flipped[5000:5016]).hex()
        assert e["expected"] == bytes([flipped[5000] ^ 1, *flipped[5001:5016]]).hex()
    assert by_kind["foreign"][0]["found"] == "78" * 16
    assert "9000 bytes where the object has 10240" in by_kind["length"][0]["message"]


def test_a_sample_finds_another_object_at_every_read_and_damage_far_inside_at_some(serve, loadtest):
    running, keys = start_reads(serve, loadtest, size="100KB")
    s3 = serve.boto3()
    bodies = [s3.get_object(Bucket=serve.bucket, Key=key)["Body"].read() for key in keys]
    s3.put_object(Bucket=serve.bucket, Key=keys[0], Body=bodies[1])
    for key, body in zip(keys[2:], bodies[2:]):
        s3.put_object(Bucket=serve.bucket, Key=key, Body=body[:60_000] + b"?" + body[60_001:])
    result = running.wait()

    assert result.status == 1, result.stderr
    verified, get = result.pattern("reads")["verified"], result.operation("GET", "reads")
    assert verified["checked"] == get["count"]
    assert set(verified["kinds"]) == {"swapped", "flipped"}
    # One key of sixteen in some part of the reads, fourteen in one of 64 of them.
    assert verified["kinds"]["swapped"] > verified["kinds"]["flipped"] > 0
    assert verified["kinds"]["swapped"] < get["count"] / 8


def test_what_is_not_checked_is_not_found(serve, loadtest):
    running, keys = start_reads(serve, loadtest, "--verify", "off")
    for key in keys:
        serve.boto3().put_object(Bucket=serve.bucket, Key=key, Body=b"x" * SIZE)
    result = running.wait()

    assert result.status == 0, result.stderr
    assert result.pattern("reads")["verified"] == {"checked": 0, "corrupt": 0, "kinds": {}}
    assert result.total("errors", "reads") == 0


def test_the_summary_for_people_tells_of_reads_that_were_checked(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "500", "--verify", "all")

    assert result.status == 0, result.stderr
    assert " reads, 0 corrupt" in result.stdout


def test_a_word_that_is_no_mode_is_refused(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--verify", "some", "--operations", "1")

    assert result.status == 2
    assert '--verify: "some" is none of off, sample and all' in result.stderr
