"""Clients that others wrote, on the embedded server and on two real ones: what works on those has to work here.

Continuous integration runs everything on `serve`, and on Ceph RGW and VersityGW a short form. The long form,
which asks those two everything as well, is

    S3LOADTEST_WITNESSES=long ./run-tests integration -k witnesses
"""
import concurrent.futures
import hashlib
import os
import random
import urllib.error
import urllib.request

import pytest

import witnesses
from harness import ask
from witnesses import MiB, PART

LONG = os.environ.get("S3LOADTEST_WITNESSES") == "long"
# Of these every verb is a start of Python: on the real servers only this is asked of them in the short form.
SLOW_TO_START = (witnesses.AwsCli, witnesses.S3cmd)
ASKED_IN_SHORT = {"test_odd_keys_are_kept_as_they_are", "test_uploads_are_found_and_aborted",
                  "test_large_objects_are_put_in_parts"}


def is_asked(test, server, make, size):
    if LONG or server == "serve":
        return True
    return size != 100 * MiB and (make not in SLOW_TO_START or test in ASKED_IN_SHORT)


def pytest_generate_tests(metafunc):
    """Every test with every witness on every server, with the sizes that the test's `sizes` says."""
    sizes = getattr(metafunc.function, "sizes", [None])
    cases = [(server, make, size) for server in ("serve", "rgw", "versitygw") for make in witnesses.ALL
             for size in sizes if is_asked(metafunc.function.__name__, server, make, size)]
    names, ids = ["any_server", "witness"], [f"{server}-{make.name}" for server, make, _ in cases]
    if sizes != [None]:
        names, ids = [*names, "size"], [f"{name}-{case[2]}" for name, case in zip(ids, cases)]
    metafunc.parametrize(names, [case[:len(names)] for case in cases], ids=ids, indirect=["any_server", "witness"])


def with_sizes(*sizes):
    def mark(test):
        test.sizes = sizes
        return test
    return mark


def empty(storage):
    client, keys = storage.boto3(), [{"Key": key} for key in storage.keys()]
    for at in range(0, len(keys), 1000):
        client.delete_objects(Bucket=storage.bucket, Delete={"Objects": keys[at:at + 1000]})
    client.delete_bucket(Bucket=storage.bucket)


@pytest.fixture
def any_server(request):
    return request.param, request.getfixturevalue("shared_serve" if request.param == "serve" else request.param)


@pytest.fixture
def storage(any_server):
    """A bucket of its own, deleted with all that is in it."""
    storage = any_server[1].with_new_bucket()
    storage.boto3().create_bucket(Bucket=storage.bucket)
    yield storage
    empty(storage)


@pytest.fixture
def witness(request, storage, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return request.param(storage, home)


def body_of(size):
    # Always the same: one byte in 256 is what the content of its key begins with, and then serve recognises it.
    return random.Random(7).randbytes(size)


def md5(data):
    return hashlib.md5(data).hexdigest()


@with_sizes(0, 1, 5 * MiB, 100 * MiB)
def test_what_was_put_is_got(storage, witness, tmp_path, size):
    body, sent, received = body_of(size), tmp_path / "sent", tmp_path / "received"
    sent.write_bytes(body)

    witness.put("dir/object", sent)

    head = witness.head("dir/object")
    assert head.size == size
    assert head.etag in (None, md5(body))
    assert storage.boto3().get_object(Bucket=storage.bucket, Key="dir/object")["Body"].read() == body
    witness.get("dir/object", received)
    assert received.read_bytes() == body


def test_parts_of_an_object_are_got_by_range(witness, tmp_path):
    body, sent = body_of(100_000), tmp_path / "sent"
    sent.write_bytes(body)
    witness.put("object", sent)

    if hasattr(witness, "get_from"):
        assert witness.get_from("object", 70_000, body[:70_000]) == body[70_000:]
        return
    for first, last in ((0, 0), (1, 4095), (99_999, 99_999), (50_000, 99_999)):
        assert witness.get_range("object", first, last) == body[first:last + 1], (first, last)


# Names that files may have as well, so that clients that know only files can bring them.
KEYS = ["plain", "with space", " leading space", "trailing space ", "plus+plus", "percent%20percent", "100%",
        "%2F", "a/b/c/deep", "a..b", ".hidden", "dir/.hidden", "..leading", "trailing.", "ünïcødé/日本語/😀",
        "e\u0301 is not é", "amp&equals=question?hash#", "quote'\"quote", "semi;colon:at@", "[brackets]{braces}",
        "tilde~star*", "comma,dollar$!", "<xml>&amp;", "back\\slash", "(round)|pipe^caret`"]


def test_odd_keys_are_kept_as_they_are(storage, witness, tmp_path):
    bodies = {f"odd/{key}": f"the body of {key}".encode() for key in KEYS}
    tree, back = tmp_path / "tree", tmp_path / "back"
    for key, body in bodies.items():
        path = tree / key.removeprefix("odd/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    back.mkdir()

    if hasattr(witness, "put_tree"):
        witness.put_tree(tree, "odd/")
    else:
        for key in bodies:
            witness.put(key, tree / key.removeprefix("odd/"))

    client = storage.boto3()
    assert set(storage.keys()) == set(bodies)
    for key, body in bodies.items():
        assert client.get_object(Bucket=storage.bucket, Key=key)["Body"].read() == body, key
    assert witness.keys("odd/") == {key: len(body) for key, body in bodies.items()}
    if hasattr(witness, "get_tree"):
        witness.get_tree("odd/", back)
    else:
        for key in bodies:
            path = back / key.removeprefix("odd/")
            path.parent.mkdir(parents=True, exist_ok=True)
            witness.get(key, path)
    assert {str(path.relative_to(back)): path.read_bytes() for path in back.rglob("*") if path.is_file()} == {
        key.removeprefix("odd/"): body for key, body in bodies.items()}


def put_many(storage, keys):
    client = storage.boto3(max_pool_connections=8)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=storage.bucket, Key=key, Body=b"x"), keys))


PAGES = [f"page/{i:04}" for i in range(1005)]  # more than one page even for those that take 1000 at a time


@pytest.fixture(scope="module")
def page_buckets():
    """By server: a bucket for all witnesses; none of them changes it."""
    buckets = {}
    yield buckets
    for storage in buckets.values():
        empty(storage)


@pytest.fixture
def pages(any_server, page_buckets):
    name, storage = any_server
    if name not in page_buckets:
        page_buckets[name] = storage.with_new_bucket()
        page_buckets[name].boto3().create_bucket(Bucket=page_buckets[name].bucket)
        put_many(page_buckets[name], [*PAGES, "pages", "other/1"])
    return page_buckets[name]


def test_lists_have_every_key_on_their_pages(witness, pages, tmp_path):
    assert type(witness)(pages, tmp_path).keys("page/") == dict.fromkeys(PAGES, 1)


def test_a_level_has_its_keys_and_folders(storage, witness):
    put_many(storage, ["a/1", "a/b/1", "a/b/2", "a/b/c/1", "a/d e/1", "a/d/1", "a/é/1", "ab/1", "z"])

    assert witness.level("a/") == ({"a/b/", "a/d e/", "a/d/", "a/é/"}, {"a/1"})
    assert witness.level("") == ({"a/", "ab/"}, {"z"})


def test_objects_are_deleted_one_by_one_and_together(storage, witness):
    put_many(storage, ["one", "two", "many/1", "many/2 2", "many/3+3&é", "many/<4>"])

    witness.delete("one")
    witness.delete_many("many/", ["many/1", "many/2 2", "many/3+3&é", "many/<4>"])

    assert set(storage.keys()) == {"two"}


@with_sizes(1000, 12 * MiB)
def test_objects_are_copied_by_the_server(any_server, storage, witness, tmp_path, size):
    body, sent, source = body_of(size), tmp_path / "sent", "from here/+é%20"
    sent.write_bytes(body)
    witness.put(source, sent)
    # RGW 16 decodes the source of UploadPartCopy twice (and copies whatever object has the name then);
    # CopyObject is right. minio-py and s3cmd copy up to 5 GiB and 1 GiB by that.
    if any_server[0] == "rgw" and size > PART and not isinstance(witness, (witnesses.Minio, witnesses.S3cmd)):
        with pytest.raises(Exception):  # each client has its own
            witness.copy(source, "to there/a&b")
        source = "from here/+é"
        witness.put(source, sent)

    witness.copy(source, "to there/a&b")

    assert storage.boto3().get_object(Bucket=storage.bucket, Key="to there/a&b")["Body"].read() == body


@with_sizes(12 * MiB + 5, 100 * MiB)
def test_large_objects_are_put_in_parts(storage, witness, tmp_path, size):
    body, sent, received = body_of(size), tmp_path / "sent", tmp_path / "received"
    sent.write_bytes(body)

    witness.put_in_parts("dir/large object", sent)

    head = storage.boto3().head_object(Bucket=storage.bucket, Key="dir/large object")
    parts = [hashlib.md5(body[at:at + PART]).digest() for at in range(0, size, PART)]
    assert head["ETag"] == f'"{md5(b"".join(parts))}-{len(parts)}"'
    assert head["ContentLength"] == size
    witness.get("dir/large object", received)
    assert received.read_bytes() == body
    assert "Uploads" not in storage.boto3().list_multipart_uploads(Bucket=storage.bucket)


def test_uploads_are_found_and_aborted(any_server, storage, witness):
    client = storage.boto3()
    before = any_server[0] == "serve" and ask(storage, "/-/stats")
    if isinstance(witness, witnesses.Minio):
        witness.fail_in_parts("unfinished/+ é")
    else:
        upload = client.create_multipart_upload(Bucket=storage.bucket, Key="unfinished/+ é")["UploadId"]
        client.upload_part(Bucket=storage.bucket, Key="unfinished/+ é", UploadId=upload, PartNumber=1,
                           Body=bytes(PART))
        witness.abort_upload("unfinished/+ é", upload)

    assert "Uploads" not in client.list_multipart_uploads(Bucket=storage.bucket)
    assert storage.keys() == {}
    if any_server[0] == "serve":
        after = ask(storage, "/-/stats")
        assert (after["bytes_kept"], after["uploads"]) == (before["bytes_kept"], 0)


def fetch(url, method="GET", body=None):
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method), timeout=20) as answer:
        return answer.read()


def refusal(url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(url)
    return refused.value.code


def test_presigned_addresses_open_one_object_to_anybody(any_server, storage, witness, tmp_path):
    body, sent = body_of(1000), tmp_path / "sent"
    sent.write_bytes(body)
    witness.put("dir/a +é%20.txt", sent)
    url = witness.presign_get("dir/a +é%20.txt")

    if isinstance(witness, witnesses.S3cmd) and any_server[0] != "rgw":
        # Its addresses are signed by version 2, which VersityGW and `serve` refuse as AWS does in its newer
        # regions; RGW still takes it.
        assert refusal(url) == 400
        return
    assert fetch(url) == body
    assert refusal(url.replace("dir/a", "dir/b")) == 403
    if hasattr(witness, "presign_put"):
        fetch(witness.presign_put("uploaded"), "PUT", b"by anybody")
        assert storage.boto3().get_object(Bucket=storage.bucket, Key="uploaded")["Body"].read() == b"by anybody"
