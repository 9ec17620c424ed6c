"""What backends do beyond the form of their requests."""
import collections

import pytest

from harness import ask
from recording import RecordingStandIn


def test_a_minio_client_keeps_to_one_endpoint_and_asks_it_for_the_region_first(serve_with, loadtest):
    keys = ("minioclientkey", "minioclientsecret1234")
    nodes = [serve_with(credentials=keys) for _ in range(2)]
    writes = loadtest.folder / "writes.toml"
    writes.write_text('name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n')
    result = loadtest(nodes[0], "run", str(writes), "--backend", "minio", "--operations", "600", "--concurrency", "3",
                      "--threads", "1", "--json", settings={"S3_ENDPOINTS": ",".join(n.endpoint for n in nodes)})
    assert result.status == 0, result.stderr
    put = result.operation("PUT", "writes")
    assert put["count"] == put["attempts"] == 600 and put["requests"] == 600 + 3
    answers = [ask(node, "/-/stats")["operations"] for node in nodes]
    # Of three clients two went to one of the nodes, each with its question.
    assert sorted(a["GET-BUCKET-LOCATION"]["2xx"] for a in answers) == [1, 2]
    assert all(a["PUT"]["2xx"] > 100 for a in answers)
    assert result.summary["client"]["connections"] == 3


PUTS = 'name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n'


@pytest.fixture
def writes(loadtest):
    file = loadtest.folder / "writes.toml"
    file.write_text(PUTS)
    return "run", str(file), "--retries", "sdk", "--concurrency", "1", "--threads", "1", "--json"


def attempts_of_each_key(stand_in):
    found = collections.defaultdict(list)
    for request in stand_in.of("PUT"):
        found[request.key].append(request)
    return list(found.values())


def test_boto3_signs_each_attempt_and_counts_them_as_the_sdk_does(loadtest, writes):
    stand_in = RecordingStandIn()
    seen = collections.Counter()

    def trouble(request):
        seen[request.key] += request.operation == "PUT"
        return (500, "InternalError") if request.operation == "PUT" and seen[request.key] <= 2 else None

    stand_in.trouble = trouble
    result = loadtest(stand_in.storage, *writes, "--operations", "5")
    assert result.status == 0, result.stderr
    put = result.operation("PUT", "writes")
    assert (put["count"], put["attempts"], put["errors"]) == (5, 15, 0)
    for first, second, third in attempts_of_each_key(stand_in):
        assert [r.status for r in (first, second, third)] == [500, 500, 200]
        assert first.headers["amz-sdk-request"] == "attempt=1; max=4"
        for number, request in ((2, second), (3, third)):
            ttl, rest = request.headers["amz-sdk-request"].split("; ", 1)
            assert ttl.startswith("ttl=2") and rest == f"attempt={number}; max=4"
            assert request.headers["amz-sdk-invocation-id"] == first.headers["amz-sdk-invocation-id"]
            # random * 0.05 s * 2^retry, by a clock of another process
            assert request.at - first.at < 0.05 + 0.1 + 0.1


def test_boto3_gives_up_after_four_attempts_and_then_for_want_of_quota(serve_with, loadtest, writes):
    """500 tokens, 14 a retry: 35 retries of one client, 3 an operation."""
    result = loadtest(serve_with("--fault", "PUT:status=500"), *writes, "--operations", "30")
    put = result.operation("PUT", "writes")
    assert (put["errors"], put["attempts"]) == (30, 30 + 500 // 14)


def test_minio_repeats_what_it_signed_and_takes_a_500_for_an_answer(loadtest, writes):
    stand_in = RecordingStandIn()
    seen = collections.Counter()

    def trouble(request):
        seen[request.key] += request.operation == "PUT"
        if request.operation != "PUT":
            return None
        return "close" if seen[request.key] <= 3 else (500, "InternalError")

    stand_in.trouble = trouble
    result = loadtest(stand_in.storage, *writes, "--operations", "4", "--backend", "minio")
    put = result.operation("PUT", "writes")
    assert put["errors"] == 4 and put["outcomes"]["server_error"] == 4 and put["outcomes"]["reset"] > 4
    for requests in attempts_of_each_key(stand_in):
        assert [r.status for r in requests] == [0, 0, 0, 500]
        assert len({(r.headers["Authorization"], r.headers["x-amz-date"]) for r in requests}) == 1
