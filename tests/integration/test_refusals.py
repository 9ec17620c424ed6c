"""What is wrong with a request is refused with the code that S3 has for it: by the embedded server as by those
that others wrote. Where one of those knowingly answers otherwise, `elsewhere` says what it answers and why."""
import base64
import datetime
import zlib

import pytest
from botocore.exceptions import ClientError

from sigv4 import Request
from witnesses import PART

BODY = b"the body of an object"
DONE = "done"
HOUR = datetime.timedelta(hours=1)


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@pytest.fixture(scope="module")
def storage(any_server):
    storage = any_server[1].with_new_bucket()
    storage.boto3().create_bucket(Bucket=storage.bucket)
    storage.boto3().put_object(Bucket=storage.bucket, Key="key", Body=BODY)
    yield storage
    for key in storage.keys():
        storage.boto3().delete_object(Bucket=storage.bucket, Key=key)
    storage.boto3().delete_bucket(Bucket=storage.bucket)


@pytest.fixture
def answers(any_server, storage):
    """answers(request, expected, …) sends it and holds the answer against (status, code)."""
    def check(request, expected, rgw=None, versitygw=None):
        elsewhere = {"rgw": rgw, "versitygw": versitygw}.get(any_server[0])
        assert request.send(storage) == (elsewhere or expected)
    return check


def put(storage, key="new", **more):
    return Request("PUT", f"/{storage.bucket}/{key}", BODY, **more)


def get(storage, key="key", **more):
    return Request("GET", f"/{storage.bucket}/{key}", **more)


def test_what_is_signed_right_is_served(storage, answers):
    answers(put(storage).sign(storage), (200, None))
    answers(get(storage).sign(storage), (200, None))
    answers(get(storage).presign(storage), (200, None))
    answers(put(storage).presign(storage), (200, None))


def test_a_tampered_signature(storage, answers):
    request = get(storage).sign(storage)
    last = request.headers["authorization"][-1]
    request.headers["authorization"] = request.headers["authorization"][:-1] + ("0" if last != "0" else "1")
    answers(request, (403, "SignatureDoesNotMatch"))


def test_another_key_and_secret(storage, answers):
    request = get(storage).sign(storage)
    request.headers["authorization"] = request.headers["authorization"].replace(storage.access_key, "nobody")
    answers(request, (403, "InvalidAccessKeyId"),
            versitygw=(404, "XAdminUserNotFound"))  # a code of its own


@pytest.mark.parametrize("spoil", ["method", "path", "query", "header"])
def test_a_request_that_was_changed_after_it_was_signed(storage, answers, spoil):
    request = put(storage, headers={"x-amz-meta-colour": "blue"}).sign(storage)
    if spoil == "method":
        request.method, request.body = "DELETE", b""
    elif spoil == "path":
        request.path += "x"
    elif spoil == "query":
        request.query["x-id"] = "PutObject"
    else:
        request.headers["x-amz-meta-colour"] = "red"
    answers(request, (403, "SignatureDoesNotMatch"))


def test_a_tampered_body(storage, answers):
    request = put(storage).sign(storage)
    request.body = b"The" + request.body[3:]
    answers(request, (400, "XAmzContentSHA256Mismatch"))


def test_a_tampered_body_with_a_checksum_of_its_own(storage, answers):
    wrong = {"x-amz-checksum-crc32": crc32(b"other")}
    answers(put(storage, headers=wrong).sign(storage), (400, "BadDigest"),
            rgw=(200, None))  # RGW 16 knows no x-amz-checksum- headers
    answers(put(storage, headers={"x-amz-checksum-crc32": crc32(BODY)}).sign(storage), (200, None))


def test_a_tampered_body_with_a_checksum_behind_it(storage, answers):
    request = put(storage, headers={"x-amz-trailer": "x-amz-checksum-crc32", "content-encoding": "aws-chunked",
                                    "x-amz-decoded-content-length": str(len(BODY))},
                  payload_hash="STREAMING-UNSIGNED-PAYLOAD-TRAILER").sign(storage)
    request.body = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (
        len(BODY), BODY, crc32(b"other").encode())
    answers(request, (400, "BadDigest"),
            rgw=(400, "XAmzContentSHA256Mismatch"))  # RGW 16 knows no trailers


def test_a_tampered_md5(storage, answers):
    md5 = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    answers(put(storage, headers=md5).sign(storage), (400, "BadDigest"))
    answers(put(storage, headers={"content-md5": "short"}).sign(storage), (400, "InvalidDigest"))


@pytest.mark.parametrize("shift", [-HOUR, HOUR])
def test_a_date_that_is_off(storage, answers, shift):
    answers(get(storage, shift=shift).sign(storage), (403, "RequestTimeTooSkewed"))


def test_a_date_that_was_changed_after_it_was_signed(storage, answers):
    request = get(storage, shift=datetime.timedelta(seconds=-100)).sign(storage)
    request.headers["x-amz-date"] = put(storage).sign(storage).headers["x-amz-date"]
    answers(request, (403, "SignatureDoesNotMatch"))


def test_another_region(storage, answers):
    answers(get(storage, region="eu-west-1").sign(storage), (400, "AuthorizationHeaderMalformed"),
            rgw=(200, None))  # any region is its own


def test_no_signature(storage, answers):
    answers(get(storage), (403, "AccessDenied"))


def test_presigned_requests(storage, answers):
    answers(get(storage, shift=-2 * HOUR).presign(storage), (403, "AccessDenied"))
    request = get(storage).presign(storage)
    request.query["X-Amz-Expires"] = "61"
    answers(request, (403, "SignatureDoesNotMatch"))
    request = get(storage, key="ke").presign(storage)
    request.path += "y"
    answers(request, (403, "SignatureDoesNotMatch"))
    request = get(storage).presign(storage)
    request.method = "DELETE"
    answers(request, (403, "SignatureDoesNotMatch"))
    # RGW 16 has no code for parameters that cannot be.
    answers(get(storage).presign(storage, seconds=604801), (400, "AuthorizationQueryParametersError"),
            rgw=(403, "AccessDenied"))
    answers(get(storage).presign(storage, seconds=-1), (400, "AuthorizationQueryParametersError"),
            rgw=(403, "AccessDenied"))
    request = get(storage).presign(storage)
    del request.query["X-Amz-Expires"]
    answers(request, (400, "AuthorizationQueryParametersError"), rgw=(403, "AccessDenied"))
    assert storage.boto3().get_object(Bucket=storage.bucket, Key="key")["Body"].read() == BODY


@pytest.fixture
def refused(any_server, storage):
    """refused(code, operation, …): boto3's operation on the bucket ends in this S3 code; DONE: in none."""
    client = storage.boto3()

    def check(expected, operation, rgw=None, versitygw=None, **arguments):
        elsewhere = {"rgw": rgw, "versitygw": versitygw}.get(any_server[0])
        try:
            getattr(client, operation)(**{"Bucket": storage.bucket, **arguments})
            code = DONE
        except ClientError as problem:
            code = problem.response["Error"]["Code"]
        assert code == (elsewhere or expected)
    return check


def test_what_is_not_there(refused, storage):
    etag = storage.boto3().head_object(Bucket=storage.bucket, Key="key")["ETag"]
    refused("NoSuchKey", "get_object", Key="missing")
    refused("404", "head_object", Key="missing")
    refused("NoSuchBucket", "get_object", Bucket="no-such-bucket", Key="key")
    refused("404", "head_bucket", Bucket="no-such-bucket")
    refused("BucketNotEmpty", "delete_bucket")
    refused("InvalidRange", "get_object", Key="key", Range="bytes=1000-")
    refused("PreconditionFailed", "get_object", Key="key", IfMatch='"other"')
    refused("304", "get_object", Key="key", IfNoneMatch=etag)


def test_copies_that_cannot_be(refused, storage):
    refused("NoSuchKey", "copy_object", Key="copy", CopySource={"Bucket": storage.bucket, "Key": "missing"})
    refused("NoSuchBucket", "copy_object", Key="copy", CopySource={"Bucket": "no-such-bucket", "Key": "key"})
    refused("InvalidRequest", "copy_object", Key="key", CopySource={"Bucket": storage.bucket, "Key": "key"})
    refused("PreconditionFailed", "copy_object", Key="copy", CopySourceIfMatch='"other"',
            CopySource={"Bucket": storage.bucket, "Key": "key"}, rgw=DONE)  # RGW 16 does not look at it


def test_uploads_that_cannot_be_completed(refused, storage):
    client, upload = storage.boto3(), {"Bucket": storage.bucket, "Key": "upload"}
    identity = upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    one, two = ({"PartNumber": number, "ETag": client.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
                for number, body in ((1, b"small"), (2, bytes(PART))))

    def complete(code, *parts, **more):
        refused(code, "complete_multipart_upload", Key="upload", UploadId=identity,
                MultipartUpload={"Parts": list(parts)}, **more)

    complete("EntityTooSmall", one, two)
    complete("InvalidPart", {**one, "ETag": two["ETag"]})
    complete("InvalidPart", {**one, "PartNumber": 3})
    complete("InvalidPartOrder", two, one, rgw="EntityTooSmall")  # RGW puts them in order by itself
    client.abort_multipart_upload(**upload)
    complete("NoSuchUpload", one, rgw="InternalError")  # RGW 16 fails to lock what is no longer there
    refused("NoSuchUpload", "upload_part", Key="upload", UploadId=identity, PartNumber=1, Body=b"x")
    refused("NoSuchUpload", "list_parts", Key="upload", UploadId=identity, rgw="NoSuchKey")
    refused("NoSuchUpload", "abort_multipart_upload", Key="upload", UploadId=identity)


def test_part_numbers_that_cannot_be(refused, storage):
    client, upload = storage.boto3(), {"Bucket": storage.bucket, "Key": "upload"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    refused("InvalidArgument", "upload_part", Key="upload", UploadId=upload["UploadId"], PartNumber=10001, Body=b"x",
            rgw=DONE)  # RGW 16 takes it
    refused("InvalidArgument", "upload_part", Key="upload", UploadId=upload["UploadId"], PartNumber=0, Body=b"x",
            rgw=DONE)
    client.abort_multipart_upload(**upload)


def test_what_nobody_has_set(refused, storage):
    client = storage.boto3()
    assert client.get_bucket_versioning(Bucket=storage.bucket).get("Status") is None
    assert client.get_bucket_acl(Bucket=storage.bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert client.get_object_tagging(Bucket=storage.bucket, Key="key")["TagSet"] == []
    refused("NoSuchTagSet", "get_bucket_tagging")
    refused("NoSuchBucketPolicy", "get_bucket_policy")
    refused("NoSuchLifecycleConfiguration", "get_bucket_lifecycle_configuration",
            versitygw="NotImplemented")
    refused("NoSuchCORSConfiguration", "get_bucket_cors")
    refused("ObjectLockConfigurationNotFoundError", "get_object_lock_configuration")
