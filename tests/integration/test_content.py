"""What --content promises, proved by others: zstd, a count of block hashes, and Python from docs/content.md."""
import collections
import hashlib
import pathlib
import re
import subprocess

import pytest

import servers
from harness import Loadtest, ask, faults_done

DOCUMENT = servers.REPOSITORY / "docs/content.md"
WRITES = """name = "writes"
sizes = ["1KB", "5000", "10KB", "64KB", "100KB", "256KB"]
[mix]
PUT = 100
"""
READS = 'name = "reads"\nsizes = ["{size}"]\n[mix]\nGET = 100\n'
MODES = {"unique": 0, "shared": 1, "dedupe=30%": 32, "compress=50%": 153}


@pytest.fixture(scope="module")
def documented():
    """The functions of the page's Python."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    names = {}
    exec(compile(code, DOCUMENT, "exec"), names)  # what stands in our own documentation
    pools = {}
    plain = names["pool"]

    def pool(begin, length):  # slow in Python: what was made is kept
        if begin not in pools or len(pools[begin]) < length:
            pools[begin] = plain(begin, length)
        return pools[begin][:length]

    names["pool"] = pool
    return names


@pytest.fixture(scope="module", params=MODES)
def objects(request, shared_serve, tmp_path_factory):
    """(content, {key: bytes}) of 1,000 objects of mixed sizes, as one run wrote them."""
    storage = shared_serve.with_new_bucket()
    tool = Loadtest(tmp_path_factory.mktemp("writer"))
    pattern = tool.folder / "writes.toml"
    pattern.write_text(WRITES)
    before = ask(storage, "/-/stats")
    result = tool(storage, "run", pattern, "--operations", "1000", "--content", request.param, "--create-bucket",
                  "--seed", "7", "--json")
    assert result.status == 0, result.stderr
    s3 = storage.boto3()
    bodies = {key: s3.get_object(Bucket=storage.bucket, Key=key)["Body"].read() for key in storage.keys("loadtest/")}
    assert len(bodies) == 1000
    # `serve` stores them as facts.
    after = ask(storage, "/-/stats")
    assert after["recognised"] - before["recognised"] == after["objects"] - before["objects"] == 1000
    assert after["bytes_kept"] == before["bytes_kept"]
    return request.param, bodies


def blocks(body):
    return [hashlib.sha256(body[at:at + 4096]).digest() for at in range(0, len(body), 4096)]


def test_blocks_in_common_are_as_many_as_asked_for(objects):
    content, bodies = objects
    holders = collections.Counter(digest for body in bodies.values() for digest in set(blocks(body)))
    total = common = stamped = 0
    for body in bodies.values():
        own = blocks(body)
        total += len(own)
        common += sum(holders[digest] > 1 for digest in own)
        stamped += (len(body) + 4095) // 4096 - (len(body) - 32) // 4096
    assert total > 15_000
    expected = {"unique": 0, "compress=50%": 0, "shared": (total - stamped) / total, "dedupe=30%": 0.30}[content]
    tolerance = 0.01 if content == "dedupe=30%" else 0
    assert common / total == pytest.approx(expected, abs=tolerance)
    assert len({hashlib.sha256(body).digest() for body in bodies.values()}) == 1000, "no two objects alike"


def zstd_gain(body):
    packed = subprocess.run(["zstd", "-3", "-c"], input=body, stdout=subprocess.PIPE, check=True).stdout
    return 1 - len(packed) / len(body)


def test_zstd_finds_as_much_as_asked_for(objects):
    content, bodies = objects
    expected = 0.5 if content == "compress=50%" else 0
    by_size = collections.defaultdict(list)
    for body in bodies.values():
        by_size[len(body)].append(body)
    assert len(by_size) == 6
    for size, several in by_size.items():
        tolerance = 0.06 if size < 4096 else 0.02
        for body in several[:5]:
            assert zstd_gain(body) == pytest.approx(expected, abs=tolerance), size


@pytest.mark.parametrize("percent", [5, 20, 80, 95])
def test_zstd_of_other_percentages(documented, percent):
    for size in (4096, 10_000, 100_000):
        assert zstd_gain(documented["content"]("key", size, 103 + percent)) == pytest.approx(percent / 100, abs=0.02), size


def test_the_page_verifies_them_from_their_keys(objects, documented):
    content, bodies = objects
    by_size = collections.defaultdict(list)
    for key, body in bodies.items():
        by_size[len(body)].append((key, body))
    for several in by_size.values():
        for key, body in several[:12]:
            assert documented["mode_of"](key, body) == MODES[content]
            assert documented["is_right"](key, body), (key, len(body))
            wrong = bytearray(body)
            wrong[len(body) // 2] ^= 1
            assert not documented["is_right"](key, bytes(wrong))
            assert not documented["is_right"](key + "x", body)


@pytest.mark.parametrize("content, other", [("shared", "unique"), ("unique", "shared"), ("dedupe=30%", "compress=50%"),
                                            ("compress=50%", "dedupe=75%")])
def test_another_process_checks_them_with_another_setting(serve, loadtest, content, other):
    sizes = [word for size in ("20B", "1KB", "4KB", "100KB", "1MB") for word in ("--size", size)]
    wrote = loadtest(serve, "run", "baseload", *sizes, "--operations", "400", "--content", content, "--verify", "all",
                     "--json")
    assert wrote.status == 0, wrote.stderr
    assert wrote.pattern()["verified"]["corrupt"] == 0 < wrote.pattern()["verified"]["checked"]
    for verify in "all", "sample":
        read = loadtest(serve, "run", "heavyread", *sizes, "--operations", "400", "--content", other, "--verify", verify,
                        "--json")
        assert read.status == 0, read.stderr
        assert read.operation("GET", "heavyread")["count"] == 400
        assert read.pattern("heavyread")["verified"] == {"checked": 400, "corrupt": 0, "kinds": {}}
    whole = loadtest(serve, "verify")
    assert whole.status == 0 and whole.stdout.endswith("every byte checked: nothing is wrong\n"), whole.stderr


@pytest.mark.parametrize("content", MODES)
@pytest.mark.parametrize("fault, kind", [("GET:flip:p=0.05", "flipped"), ("GET:swap:p=0.05", "swapped")])
def test_lies_of_the_storage_are_counted_in_every_mode(serve_with, loadtest, content, fault, kind):
    storage = serve_with("--fault", fault)
    pattern = loadtest.folder / "reads.toml"
    pattern.write_text(READS.format(size="100KB"))
    result = loadtest(storage, "run", pattern, "--prefill", "16", "--operations", "1000", "--verify", "all",
                      "--content", content, "--json")
    assert result.status == 1, result.stderr
    done = faults_done(storage)[fault]
    assert done > 10
    assert result.pattern("reads")["verified"] == {"checked": 1000, "corrupt": done, "kinds": {kind: done}}


@pytest.mark.parametrize("content", MODES)
def test_a_sample_finds_every_swapped_object(serve_with, loadtest, content):
    storage = serve_with("--fault", "GET:swap:p=0.05")
    pattern = loadtest.folder / "reads.toml"
    pattern.write_text(READS.format(size="1MB"))
    result = loadtest(storage, "run", pattern, "--prefill", "8", "--operations", "400", "--content", content, "--json")
    assert result.status == 1, result.stderr
    (done,) = faults_done(storage).values()
    assert result.pattern("reads")["verified"] == {"checked": 400, "corrupt": done, "kinds": {"swapped": done}}


@pytest.mark.parametrize("content", ["shared", "dedupe=30%", "compress=50%"])
def test_other_servers_take_their_hashes_and_give_them_back(versitygw, loadtest, content):
    """The boto3 backend's SHA-256 and CRC32, also where most of a body was hashed with another object."""
    storage = versitygw.with_new_bucket()
    result = loadtest(storage, "run", "baseload", "--size", "40B", "--size", "10KB", "--size", "1MB", "--operations",
                      "150", "--content", content, "--verify", "all", "--backend", "boto3", "--create-bucket", "--json")
    assert result.status == 0 and result.total("errors") == 0, result.stderr
    assert result.pattern()["verified"]["corrupt"] == 0 < result.pattern()["verified"]["checked"]


@pytest.mark.parametrize("text, says", [
    ("alike", '--content: "alike" is none of unique, shared, dedupe=N% and compress=N%'),
    ("dedupe", '--content: "dedupe": dedupe needs a whole number from 0 to 100, as in dedupe=30%'),
    ("compress=101%", '--content: "compress=101%": compress needs a whole number from 0 to 100, as in compress=30%'),
])
def test_wrong_words_are_refused(serve, loadtest, text, says):
    result = loadtest(serve, "run", "baseload", "--content", text, "--operations", "1")
    assert (result.status, result.stderr) == (2, f"s3loadtest: {says}\n")


def test_an_object_of_a_newer_version_is_told_apart(serve, loadtest, documented):
    key = "loadtest/0/1KB/baseload/1790000000000001/0a0b0c0d"
    body = bytes(range(256)) * 3 + bytes(1024 - 768 - 32) + documented["stamp"](key, 1024, 0, mode=204)
    serve.boto3().put_object(Bucket=serve.bucket, Key=key, Body=body)
    told = loadtest(serve, "verify")
    assert told.status == 0, told.stderr
    assert told.stdout.startswith("read 0 objects under loadtest/ (")
    assert told.stdout.endswith("there was none to check; 1 of the earlier tool, or of a newer version of s3loadtest, cannot be "
                                  "checked by this one; no key journal here knows of objects that should be there and "
                                  "are not listed\n")
