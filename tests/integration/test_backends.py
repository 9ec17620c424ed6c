"""What backends do beyond the form of their requests."""
from harness import ask


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
