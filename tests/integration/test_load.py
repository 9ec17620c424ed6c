"""What baseload does: sizes, mix, limits, keys. All against the embedded server."""
import re

import pytest

from harness import ask

pytestmark = pytest.mark.alone

SIZES = {"1KB": 1 << 10, "10KB": 10 << 10, "100KB": 100 << 10, "1MB": 1 << 20, "10MB": 10 << 20, "100MB": 100 << 20}


def test_all_six_sizes_are_written_and_read_without_an_error(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--duration", "15s", "--json")

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0, result.stderr
    for operation in ("GET", "PUT"):
        figures = result.operation(operation)
        assert list(figures["sizes"]) == list(SIZES)
        for label, of_size in figures["sizes"].items():
            assert of_size["count"] > 0, (operation, label)
            assert of_size["bytes"] == of_size["count"] * SIZES[label]
        assert figures["count"] == sum(of_size["count"] for of_size in figures["sizes"].values())
    # Equally often, not in proportion to their bytes. A clustered start may bend it: half and double.
    counts = [sum(result.operation(operation)["sizes"][label]["count"] for operation in ("GET", "PUT"))
              for label in SIZES]
    assert max(counts) < 2 * min(counts), counts


def test_seven_in_ten_operations_read(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "20000", "--seed", "7", "--json")

    assert result.status == 0, result.stderr
    reads = result.operation("GET")["count"]
    writes = result.operation("PUT")["count"] - result.operation("PUT")["seeded"]
    assert reads + writes >= 5000
    assert 0.67 <= reads / (reads + writes) <= 0.73


def test_operations_are_exactly_as_many_as_asked_for(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "5000", "--max-keys", "100", "--json")

    assert result.status == 0, result.stderr
    assert result.total("count", without=["TRIM"]) == 5000
    assert result.operation("TRIM")["count"] > 0


def test_a_run_ends_when_its_bytes_were_moved(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1MB", "--bytes", "200MB", "--json")

    assert result.status == 0, result.stderr
    moved = result.total("bytes_moved")
    # Operations in flight at that moment may end: one a client.
    in_flight = int(result.summary["client"]["connections"]) << 20
    assert 200 << 20 <= moved <= (200 << 20) + in_flight


def test_a_run_ends_at_its_duration_plus_grace_with_long_operations_in_flight(serve, loadtest):
    # 10 MiB at 1 MB/s for all clients together: nothing would end by itself in time.
    result = loadtest(serve, "run", "baseload", "--size", "10MB", "--bandwidth", "1MB/s", "--duration", "3s",
                      "--grace", "2s", "--json")

    assert result.seconds < 3 + 2 + 1.5, "within a second of duration and grace, and the process's own start"
    assert result.total("cancelled") > 0
    moved = result.total("bytes_moved")
    assert 2e6 < moved < 8e6, "bytes count as they move, at the bandwidth asked for"


def test_a_duration_is_kept(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--duration", "3s", "--json")

    assert result.status == 0, result.stderr
    assert 3.0 <= result.summary["run"]["seconds"] < 4
    assert result.seconds < 4.5


def test_no_more_keys_are_kept_than_allowed(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "5000", "--max-keys", "50", "--json")

    assert result.status == 0, result.stderr
    keys, listed = result.pattern()["keys"], serve.keys("loadtest/")
    assert keys["alive"] <= 50
    assert len(listed) == keys["alive"]
    assert keys["written"] == keys["alive"] + keys["trimmed"]
    assert keys["unknown"] == 0


def test_no_more_bytes_are_kept_than_allowed(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "100KB", "--size", "1MB", "--operations", "2000",
                      "--max-bytes", "20MB", "--json")

    assert result.status == 0, result.stderr
    assert 0 < sum(serve.keys("loadtest/").values()) <= 20 << 20


def test_keys_say_worker_size_pattern_and_time(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "20", "--worker-id", "3",
                      "--prefix", "mine/", "--json")

    assert result.status == 0, result.stderr
    keys = serve.keys()
    assert keys
    for key in keys:
        assert re.fullmatch(r"mine/3/1KB/baseload/\d{16}/\w+", key), key


def test_the_same_seed_asks_for_the_same_operations(serve, loadtest):
    def mix(keys):
        result = loadtest(serve, "run", "baseload", "--size", "1KB", "--size", "10KB", "--operations", "500",
                          "--concurrency", "1", "--threads", "1", "--seed", "42", "--json",
                          settings={"S3LOADTEST_KEY_DIR": str(loadtest.folder / keys)})
        assert result.status == 0, result.stderr
        return {(operation, label): figures["count"] for operation in ("GET", "PUT")
                for label, figures in result.operation(operation)["sizes"].items()}

    assert mix("first") == mix("second"), "both begin without keys"


def test_the_server_saw_the_operations_that_the_client_counts(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "3000", "--json")

    seen = ask(serve, "/-/stats")
    assert result.operation("GET")["status"] == {"200": seen["operations"]["GET"]["2xx"]}
    assert result.operation("PUT")["status"] == {"200": seen["operations"]["PUT"]["2xx"]}


def test_a_dead_endpoint_of_two_costs_little(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--duration", "3s", "--retries", "0", "--json",
                      "--endpoint", serve.endpoint, "--endpoint", "http://127.0.0.1:9")

    assert result.status == 0, result.stderr
    connect_failures = sum(figures["outcomes"].get("connect", 0)
                           for figures in result.summary["patterns"]["baseload"]["operations"].values())
    assert connect_failures > 0, "the dead one is tried again now and then"
    assert connect_failures < 100, "and otherwise gone round"
    assert result.total("count") > 1000


def test_the_seed_fixes_what_a_client_does(serve, loadtest):
    def reads_and_writes(keys):
        result = loadtest(serve, "run", "baseload", "--seed", "7", "--operations", "300", "--concurrency", "1",
                          "--size", "1KB", "--size", "10KB", "--json",
                          settings={"S3LOADTEST_KEY_DIR": str(loadtest.folder / keys)})
        assert result.status == 0, result.stderr
        return [(operation, label, result.operation(operation)["sizes"][label]["count"])
                for operation in ("GET", "PUT") for label in ("1KB", "10KB")]

    assert reads_and_writes("first") == reads_and_writes("second"), "both begin without keys"
