"""The embedded server with boto3 as the witness: a client that others wrote must be happy with it."""
import dataclasses
import hashlib
import os
import random

import pytest
from botocore.exceptions import ClientError

BUCKET = "loadtest"


@pytest.fixture
def s3(serve):
    return serve.boto3()


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("size", [0, 1, 1024, 5_000_000])
def test_what_was_put_is_got(s3, size):
    # Always the same: one byte in 256 is what the content of this key begins with, and then it is recognised.
    body = random.Random(7).randbytes(size)
    put = s3.put_object(Bucket=BUCKET, Key="a/b c+ü", Body=body, Metadata={"colour": "blue"}, ContentType="text/x")

    got = s3.get_object(Bucket=BUCKET, Key="a/b c+ü")

    assert got["Body"].read() == body
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert got["Metadata"] == {"colour": "blue"}
    assert got["ContentType"] == "text/x"


def test_ranges(s3):
    body = os.urandom(10_000)
    s3.put_object(Bucket=BUCKET, Key="k", Body=body)

    def part(text):
        answer = s3.get_object(Bucket=BUCKET, Key="k", Range=text)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
        return answer["Body"].read()

    assert part("bytes=0-0") == body[:1]
    assert part("bytes=100-4999") == body[100:5000]
    assert part("bytes=9000-") == body[9000:]
    assert part("bytes=-5") == body[-5:]
    refused("InvalidRange", s3.get_object, Bucket=BUCKET, Key="k", Range="bytes=10000-")


def test_head_and_delete(s3):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"12345")
    assert s3.head_object(Bucket=BUCKET, Key="k")["ContentLength"] == 5

    s3.delete_object(Bucket=BUCKET, Key="k")

    refused("404", s3.head_object, Bucket=BUCKET, Key="k")
    refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="k")
    s3.delete_object(Bucket=BUCKET, Key="k")  # S3 does not mind


def test_lists_in_pages_and_deletes_many(s3):
    keys = [f"page/{i:04}" for i in range(250)]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="other", Body=b"x")

    pages = list(s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="page/", PaginationConfig={"PageSize": 100}))
    assert [len(page["Contents"]) for page in pages] == [100, 100, 50]
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys

    top = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [prefix["Prefix"] for prefix in top["CommonPrefixes"]] == ["page/"]
    assert [entry["Key"] for entry in top["Contents"]] == ["other"]
    later = s3.list_objects_v2(Bucket=BUCKET, Prefix="page/", StartAfter="page/0247")
    assert [entry["Key"] for entry in later["Contents"]] == keys[248:]

    gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
    assert len(gone["Deleted"]) == 250 and "Errors" not in gone
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["other"]


def test_buckets(s3):
    refused("404", s3.head_bucket, Bucket="another")
    refused("NoSuchBucket", s3.put_object, Bucket="another", Key="k", Body=b"")
    s3.create_bucket(Bucket="another")
    s3.head_bucket(Bucket="another")
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {BUCKET, "another"}


def test_wrong_keys_are_refused(serve):
    serve.access_key, access_key = "nobody", serve.access_key
    refused("InvalidAccessKeyId", serve.boto3().list_objects_v2, Bucket=BUCKET)
    serve.access_key, serve.secret_key = access_key, "wrong"
    refused("SignatureDoesNotMatch", serve.boto3().list_objects_v2, Bucket=BUCKET)


def test_objects_of_a_run_are_ordinary_objects(serve, s3, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--size", "1MB", "--operations", "200", "--json")
    assert result.status == 0, result.stderr

    keys = serve.keys("loadtest/")
    assert len(keys) == result.pattern()["keys"]["alive"]
    bodies = {}
    for key, size in list(keys.items())[:20]:
        got = s3.get_object(Bucket=BUCKET, Key=key)
        bodies[key] = got["Body"].read()
        assert len(bodies[key]) == size == s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"]
        assert s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=100-599")["Body"].read() == bodies[key][100:600]
    assert len(set(bodies.values())) == len(bodies), "no two objects are alike"

    # The bytes themselves, put under another key, are no fact about that key any more: kept as they are.
    key, body = next(iter(bodies.items()))
    s3.put_object(Bucket=BUCKET, Key="copy", Body=body)
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == body
    s3.delete_object(Bucket=BUCKET, Key=key)
    refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key=key)


def test_a_full_server_refuses_and_forgets_nothing(serve_with):
    s3 = serve_with("--capacity", "1MB").boto3(request_checksum_calculation="when_required")
    s3.put_object(Bucket=BUCKET, Key="first", Body=bytes(900_000))

    refused("InsufficientStorage", s3.put_object, Bucket=BUCKET, Key="second", Body=os.urandom(900_000))

    assert s3.get_object(Bucket=BUCKET, Key="first")["Body"].read() == bytes(900_000)


def test_several_addresses_are_nodes_of_one_storage(serve_with, tmp_path):
    storage = serve_with("--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0")
    assert len(storage.endpoints) == 2 and storage.endpoints[1].startswith("http://127.0.0.2:")
    written = (tmp_path / "serve-0" / "env").read_text().splitlines()
    assert f"S3_ENDPOINTS={','.join(storage.endpoints)}" in written
    one, other = (dataclasses.replace(storage, endpoint=endpoint).boto3() for endpoint in storage.endpoints)
    one.put_object(Bucket=BUCKET, Key="shared", Body=b"the same")
    assert other.get_object(Bucket=BUCKET, Key="shared")["Body"].read() == b"the same"
