"""The slowest operations and the errors of a run: found again in the storage, with where their time went."""
import subprocess

import pytest

import harness
from harness import json_lines

# That run goes on for a while before it is looked at.
pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("minute_on_six_nodes")]
SMALL = ("run", "baseload", "--size", "1KB", "--prefill", "20", "--json")


def samples(result):
    lines = json_lines(result.directory / "errors.jsonl")
    for line in lines:
        whole = round(line["seconds"] * 1e6)
        assert sum(line["phases_us"].values()) == whole, line
    return [l for l in lines if l.get("slowest")], [l for l in lines if not l.get("slowest")]


def test_the_slowest_are_those_that_waited_and_say_where(serve_with, loadtest):
    storage = serve_with("--fault", "GET:delay=300ms:every=50")
    result = loadtest(storage, *SMALL, "--operations", "1000", "--concurrency", "4")
    assert result.status == 0, result.stderr
    slow, failed = samples(result)
    assert len(slow) == 10 and not failed
    assert [s["seconds"] for s in slow] == sorted((s["seconds"] for s in slow), reverse=True)
    assert round(slow[0]["seconds"] * 1e6) == max(result.operation(o)["response_us"]["max"] for o in ("GET", "PUT"))
    for s in slow:
        assert s["operation"] == "GET" and s["outcome"] == "ok" and s["status"] == 200 and s["size"] == "1KB", s
        assert s["phases_us"]["wait"] >= 290_000 and s["request_id"] and "/1KB/baseload/" in s["key"], s
        assert s["connection"]["remote"] == storage.endpoint.split("//")[1], s
        assert s["connection"]["local"].startswith("127.0.0.1:") and s["connection"]["request"] >= 1, s
    assert len({s["request_id"] for s in slow}) == 10
    text = subprocess.run([harness.BINARY, "report", str(result.directory)], capture_output=True, text=True).stdout
    words = " ".join(text.split())
    assert f"slowest: GET of {slow[0]['key']} at {storage.endpoint}" in words, text
    assert "waiting for the answer's first byte; errors.jsonl" in words, text


def test_what_comes_before_the_request_is_told_apart(serve_with, loadtest):
    storage = serve_with("--fault", "GET:status=503:every=5")
    result = loadtest(storage, *SMALL, "--operations", "300", "--concurrency", "4")
    slow, failed = samples(result)
    assert len(failed) == 10 and all(f["status"] == 503 and f["request_id"] and f["connection"] for f in failed)
    assert all("retry" not in f["phases_us"] for f in failed), "a sample of an error is of the attempt alone"
    for s in slow:
        assert s["attempt"] >= 2 and s["phases_us"]["retry"] > s["seconds"] * 1e6 / 2, s

    queued = loadtest(serve_with("--fault", "*:delay=50ms"), *SMALL, "--rate", "200/s", "--duration", "3s",
                      "--concurrency", "2")
    slow, _ = samples(queued)
    assert len(slow) == 10 and all(s["phases_us"]["queue"] > 100_000 for s in slow), slow


def test_a_request_that_is_sent_again_says_so_and_on_which_connection(serve_with, loadtest):
    storage = serve_with("--fault", "*:reset:every=7")
    result = loadtest(storage, *SMALL, "--operations", "200", "--concurrency", "2")
    assert result.summary["client"]["reconnects"] > 20
    slow, _ = samples(result)
    # The server reset a connection that was in use: the request goes out again on a new one.
    again = [s for s in slow if s["connection"]["request"] == 1]
    assert again and all(s["phases_us"].get("connect", 0) > 0 for s in again), slow
    first = [s for s in again if "retry" not in s["phases_us"]]
    assert len(first) <= 2 < len(again), "each client connects once without having lost a connection"
    assert all("connect" not in s["phases_us"] for s in slow if s["connection"]["request"] > 1), slow
