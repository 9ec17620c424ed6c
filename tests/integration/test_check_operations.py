"""`check` at storages on which one operation of a run does not work."""
import time

import pytest

from test_check import assert_empty, check  # noqa: F401, a fixture


@pytest.mark.parametrize("fault, problem", [
    ("PUT:status=503", "PUT (503 SlowDown)"), ("GET:flip", "GET (it brought other bytes than were written)"),
    ("DELETE-BATCH:status=501", "DELETE-BATCH (501 "), ("LIST:status=403,code=AccessDenied", "LIST (403 AccessDenied)")])
def test_an_operation_that_fails(serve_with, check, fault, problem):  # noqa: F811
    storage = serve_with("--fault", fault)
    done = check(storage)
    assert done.status == 1, done.text
    assert problem in done.problems, done.problems


@pytest.mark.parametrize("fault, problem", [
    ("CREATE-UPLOAD:status=501", "create (501 "), ("PART:status=403,code=AccessDenied", "part (403 AccessDenied)"),
    ("COMPLETE-UPLOAD:status=500", "complete (500 ")])
def test_minio_needs_uploads_in_parts(serve_with, check, fault, problem):  # noqa: F811
    storage = serve_with("--fault", fault)
    done = check(storage, "--backend", "minio")
    assert done.status == 1, done.text
    assert f"multipart uploads, as it sends large objects: {problem}" in done.problems, done.problems
    assert done.facts["next"] == "s3loadtest run baseload --duration 1m --backend native"
    assert check(storage, "--backend", "boto3").status == 0


@pytest.mark.parametrize("fault, said, most", [("silent", "no answer for 10s", 22), ("reset", "the connection was reset", 8)])
def test_where_one_operation_hangs_it_is_named_and_asked_no_more(serve_with, check, fault, said, most):  # noqa: F811
    storage = serve_with("--fault", f"PUT:{fault}")
    began = time.monotonic()
    done = check(storage)
    assert time.monotonic() - began < most
    assert done.status == 1, done.text
    assert done.problems == (f"backend boto3 does not work at {storage.endpoint} in bucket {storage.bucket}: PUT ({said}); "
                             "the storage's log says more")
    works = {name: of["works"] for name, of in done.endpoint["backends"]["boto3"]["operations"].items()}
    assert works.pop("PUT") is False
    assert works == {"HEAD": None, "GET": None, "LIST": True, "DELETE": True, "DELETE-BATCH": True}, "nothing to read"
    assert_empty(storage)


def test_where_listings_hang_the_rest_is_tried(serve_with, check):  # noqa: F811
    storage = serve_with("--fault", "LIST:silent")
    began = time.monotonic()
    done = check(storage)
    assert time.monotonic() - began < 40
    assert done.status == 1, done.text
    assert f"backend boto3 does not work at {storage.endpoint} in bucket {storage.bucket}: LIST (no answer for 10s)" in done.problems
    works = {name: of["works"] for name, of in done.endpoint["backends"]["native"]["operations"].items()}
    assert works.pop("LIST") is not True and all(works.values()), works
    assert done.endpoint["payloads"]["signed"]["verified"] and done.endpoint["multipart"]["complete"]["works"]
    assert "LIST: no answer for 10s" in done.endpoint["left_behind"]["problem"]


def test_where_nothing_can_be_deleted_one_object_stays(serve_with, check):  # noqa: F811
    storage = serve_with("--fault", "DELETE:reset", "--fault", "DELETE-BATCH:reset")
    done = check(storage)
    assert done.status == 1, done.text
    assert "DELETE (the connection was reset), DELETE-BATCH (the connection was reset)" in done.problems, done.problems
    assert len(storage.keys()) == 1 and list(storage.keys()) == done.endpoint["left_behind"]["what"]
