"""cleanup deletes what testers wrote, and leaves everything else exactly as another client sees it."""
import datetime
import json

import pytest

import servers
from harness import ask

OURS = ["loadtest/0/1KB/baseload/1790000000000001/0a0b0c0d", "loadtest/10/100MB/x", "loadtest/7/other/a/b",
        "loadtest/3/elephant/1"]
FOREIGN = ["loadtest/readme.txt", "loadtest/0/photos/x.jpg", "loadtest/a/1KB/x", "loadtest/0/1KB/", "other/0/1KB/x",
           "loadtest2/0/1KB/baseload/1790000000000001/0a0b0c0d", "loadtest/0/1kb/x", "loadtest/ö/ä b+c%&<>"]
RUN = ("run", "baseload", "--size", "1KB", "--concurrency", "4", "--operations", "200", "--json")


def put_all(storage, keys):
    s3 = storage.boto3()
    for key in keys:
        s3.put_object(Bucket=storage.bucket, Key=key, Body=key.encode())


def listing(storage):
    """What boto3 sees: key and ETag."""
    pages = storage.boto3().get_paginator("list_objects_v2").paginate(Bucket=storage.bucket)
    return {o["Key"]: o["ETag"] for page in pages for o in page.get("Contents", [])}


def uploads(storage):
    return sorted(u["Key"] for u in storage.boto3().list_multipart_uploads(Bucket=storage.bucket).get("Uploads", []))


def check_all(storage, loadtest):
    put_all(storage, FOREIGN)
    before = listing(storage)
    put_all(storage, OURS)
    run = loadtest(storage, *RUN)
    assert run.status == 0, run.stderr
    wrote = run.pattern()["keys"]["alive"] + run.pattern()["keys"]["unknown"]
    s3 = storage.boto3()
    for key in ("loadtest/0/1KB/baseload/1/00000001", "loadtest/mine"):
        s3.create_multipart_upload(Bucket=storage.bucket, Key=key)
    everything = listing(storage)

    dry = loadtest(storage, "cleanup", "--dry-run")
    assert dry.status == 0, dry.stderr
    where = f"{storage.endpoint}, bucket {storage.bucket}, prefix loadtest/: "
    count = wrote + len(OURS)
    others = len([k for k in FOREIGN if k.startswith("loadtest/")])
    assert dry.stdout == (f"{where}{count} objects of a load tester, 1 unfinished multipart upload; {others} and 1 unfinished "
                          "multipart upload of somebody else are left alone\n")
    assert listing(storage) == everything and len(uploads(storage)) == 2

    done = loadtest(storage, "cleanup")
    assert done.status == 0, done.stderr
    assert done.stdout == dry.stdout + f"deleted {count} objects, aborted 1 multipart upload\n"
    assert listing(storage) == before and uploads(storage) == ["loadtest/mine"]
    again = loadtest(storage, "cleanup")
    assert again.status == 0 and again.stdout.startswith(f"{where}0 objects")
    assert listing(storage) == before
    # A run afterwards asks for none of the keys that are gone.
    after = loadtest(storage, *RUN)
    assert after.status == 0 and after.total("errors") == 0 and "going on" not in after.stderr, after.stderr


def test_it_leaves_what_others_wrote(serve, loadtest):
    check_all(serve, loadtest)


def test_it_leaves_what_others_wrote_on_ceph(rgw, loadtest):
    storage = rgw.with_new_bucket()
    storage.boto3().create_bucket(Bucket=storage.bucket)
    check_all(storage, loadtest)


def test_it_goes_through_many_pages(serve, loadtest):
    run = loadtest(serve, *RUN, "--prefill", "12000", "--max-keys", "20000")
    there = len(serve.keys("loadtest/"))
    assert run.status == 0 and there > 12_000
    done = loadtest(serve, "cleanup")
    assert done.status == 0 and f"deleted {there:,} objects\n" in done.stdout
    assert not listing(serve)


def test_one_workers_objects(serve, loadtest):
    for worker in ("1", "10"):
        assert loadtest(serve, *RUN, "--worker-id", worker).status == 0
    kept = set(serve.keys("loadtest/10/"))
    done = loadtest(serve, "cleanup", "--prefix", "loadtest/1")
    assert done.status == 0, done.stderr
    assert set(serve.keys("loadtest/")) == kept


@pytest.mark.parametrize("arguments, words", [
    (["--prefix", ""], "an empty prefix would mean the whole bucket"),
    (["--prefix", "/"], "an empty prefix would mean the whole bucket"),
    (["--any-key"], "--any-key deletes every object under loadtest/ in bucket loadtest, whoever wrote it; add --yes"),
    (["--prefix", "data"], "no run that is recorded in ./logs wrote under data/ in bucket loadtest; add --yes"),
])
def test_what_could_hurt_is_refused(serve, loadtest, arguments, words):
    put_all(serve, ["data/0/1KB/x", *OURS])
    before = listing(serve)
    result = loadtest(serve, "cleanup", *arguments)
    assert result.status == 2 and words in result.stderr and result.stdout == ""
    assert listing(serve) == before


def test_a_prefix_of_a_recorded_run_needs_no_yes(serve, loadtest):
    assert loadtest(serve, *RUN, "--prefix", "site/test").status == 0
    assert listing(serve)
    done = loadtest(serve, "cleanup", "--prefix", "site/test")
    assert done.status == 0 and not listing(serve), done.stderr
    put_all(serve, ["elsewhere/0/1KB/x"])
    assert loadtest(serve, "cleanup", "--prefix", "elsewhere", "--yes").status == 0
    assert not listing(serve)


def test_a_run_that_writes_nothing_makes_no_prefix_ours(serve, loadtest):
    put_all(serve, ["archive/0/1KB/x"])
    assert loadtest(serve, "run", "listops", "--operations", "1", "--prefix", "archive").status == 0
    result = loadtest(serve, "cleanup", "--prefix", "archive")
    assert result.status == 2 and "no run that is recorded in ./logs wrote under archive/" in result.stderr
    assert listing(serve)


@pytest.mark.parametrize("pattern", ["delete", "all"])
def test_the_delete_pattern_obeys_the_same_rule(serve, loadtest, pattern):
    theirs = ["customers/1/1KB/photo.jpg", "customers/1/100MB/film"]
    put_all(serve, theirs)
    run = ("run", pattern, "--prefix", "customers", "--worker-id", "1", "--size", "1KB", "--duration", "2s")
    refused = loadtest(serve, *run)
    assert refused.status == 2 and refused.stderr.endswith(
        "no run that is recorded in ./logs wrote under customers/1/ in bucket loadtest; add --yes if test objects there "
        "are to be deleted, or use the prefix loadtest/: delete deletes what it finds\n"), refused.stderr
    assert set(listing(serve)) == set(theirs)
    if pattern == "delete":
        assert loadtest(serve, *run, "--yes").status == 0
        assert not set(listing(serve)) & set(theirs)


def test_interrupted_it_says_what_is_left_and_fails(serve_with, loadtest):
    storage = serve_with("--fault", "DELETE-BATCH:delay=300ms")
    assert loadtest(storage, *RUN, "--prefill", "20000", "--max-keys", "30000").status == 0
    running = loadtest.start(storage, "cleanup")
    servers.wait_for("a deletion", lambda: ask(storage, "/-/stats")["operations"].get("DELETE-BATCH"), 20,
                     running.process)
    running.signal()
    done = running.wait()
    left = len(listing(storage))
    assert done.status == 1 and 0 < left < 20_000, done.stderr
    assert "; interrupted: about " in done.stdout and done.stdout.endswith(" are left, another call goes on\n")


def test_any_key_may_be_counted_without_yes(serve, loadtest):
    put_all(serve, [*FOREIGN, *OURS])
    before = listing(serve)
    done = loadtest(serve, "cleanup", "--any-key", "--dry-run")
    assert done.status == 0, done.stderr
    assert f"prefix loadtest/: {sum(k.startswith('loadtest/') for k in before)} objects\n" in done.stdout
    assert listing(serve) == before


def test_any_key_deletes_all_under_the_prefix(serve, loadtest):
    put_all(serve, [*FOREIGN, *OURS])
    done = loadtest(serve, "cleanup", "--any-key", "--yes")
    assert done.status == 0, done.stderr
    assert set(listing(serve)) == {k for k in FOREIGN if not k.startswith("loadtest/")}


def test_single_refusals_are_named_and_the_rest_is_deleted(rgw, loadtest):
    storage = rgw.with_new_bucket()
    s3 = storage.boto3()
    s3.create_bucket(Bucket=storage.bucket)
    put_all(storage, OURS)
    held = OURS[1]
    s3.put_bucket_policy(Bucket=storage.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteObject"],
        "Resource": [f"arn:aws:s3:::{storage.bucket}/{held}"]}]}))
    done = loadtest(storage, "cleanup")
    assert done.status == 1
    assert f"not deleted: {held}: AccessDenied" in done.stderr
    assert f"deleted {len(OURS) - 1} objects; 1 could not be deleted\n" in done.stdout
    assert set(listing(storage)) == {held}


def versions(storage):
    found = storage.boto3().list_object_versions(Bucket=storage.bucket)
    return sorted((v["Key"], v["VersionId"]) for part in ("Versions", "DeleteMarkers") for v in found.get(part, []))


def test_a_bucket_with_versions(rgw, loadtest):
    storage = rgw.with_new_bucket()
    s3 = storage.boto3()
    s3.create_bucket(Bucket=storage.bucket)
    s3.put_bucket_versioning(Bucket=storage.bucket, VersioningConfiguration={"Status": "Enabled"})
    put_all(storage, ["loadtest/mine", "loadtest/mine"])
    before = versions(storage)
    put_all(storage, OURS + OURS)

    done = loadtest(storage, "cleanup")
    assert done.status == 0 and f"deleted {len(OURS)} objects" in done.stdout, done.stderr
    assert f"bucket {storage.bucket} keeps versions: deleting objects frees nothing there" in done.stderr
    assert len(versions(storage)) == len(before) + 3 * len(OURS), "two versions and a marker each"
    done = loadtest(storage, "cleanup", "--versions")
    assert done.status == 0, done.stderr
    assert f"{3 * len(OURS)} versions ({len(OURS)} delete markers) of a load tester" in done.stdout
    assert versions(storage) == before


def test_objects_under_retention_are_named_and_the_rest_is_deleted(rgw, loadtest):
    storage = rgw.with_new_bucket()
    s3 = storage.boto3()
    s3.create_bucket(Bucket=storage.bucket, ObjectLockEnabledForBucket=True)
    retained, held = OURS[0], OURS[1]
    put_all(storage, OURS + OURS)
    until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).replace(microsecond=0)
    s3.put_object_retention(Bucket=storage.bucket, Key=retained,
                            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    s3.put_object_legal_hold(Bucket=storage.bucket, Key=held, LegalHold={"Status": "ON"})
    locked = [(key, s3.head_object(Bucket=storage.bucket, Key=key)["VersionId"]) for key in (retained, held)]

    done = loadtest(storage, "cleanup", "--versions")
    assert done.status == 1
    for (key, version), why in zip(locked, (f"GOVERNANCE until {until:%Y-%m-%dT%H:%M:%S}", "legal hold")):
        assert f"not deleted: {key} (version {version}): under retention: {why}" in done.stderr, done.stderr
    assert done.stdout.endswith(f"deleted {2 * len(OURS) - 2} versions; 2 could not be deleted, "
                                "2 of them under retention\n")
    assert versions(storage) == sorted(locked), "the older versions of the two are gone"
