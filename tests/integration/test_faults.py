"""The client counts exactly the faults that the server did."""
import pytest

from harness import faults_done

RUN = ("run", "baseload", "--size", "1KB", "--operations", "3000", "--json")


@pytest.mark.parametrize("backend", ["boto3", "native"])
@pytest.mark.parametrize("retries", ["0", "3"])
def test_every_503_is_counted_once(serve_with, loadtest, retries, backend):
    fault = "GET:status=503:p=0.01"
    storage = serve_with("--fault", fault, "--fault-seed", "1")
    result = loadtest(storage, *RUN, "--retries", retries, "--backend", backend)

    assert result.status == 0, result.stderr
    get = result.operation("GET")
    done = faults_done(storage)[fault]
    assert done > 5
    assert get["status"]["503"] == get["outcomes"]["throttled"] == done
    assert result.total("status.503") == done
    if retries == "0":
        assert get["errors"] == done
        assert get["attempts"] == get["count"]
    else:
        assert get["errors"] == 0, "four faults in a row are as good as impossible"
        assert get["attempts"] == get["count"] + done
        # A retry waits at least 70 ms, and that is response time, not service time.
        assert get["response_us"]["max"] > 70_000 > get["service_us"]["p50"]


def test_faults_of_several_kinds_are_told_apart(serve_with, loadtest):
    faults = ["GET:status=500:every=50", "PUT:status=503:every=40", "PUT:status=507:every=70", "GET:status=404:every=90"]
    storage = serve_with(*(word for fault in faults for word in ("--fault", fault)))
    result = loadtest(storage, *RUN, "--retries", "0")

    done = faults_done(storage)
    assert all(done.values()), done
    get, put = result.operation("GET"), result.operation("PUT")
    assert get["status"]["500"] == get["outcomes"]["server_error"] == done[faults[0]]
    assert put["status"]["503"] == put["outcomes"]["throttled"] == done[faults[1]]
    assert put["status"]["507"] == put["outcomes"]["full"] == done[faults[2]]
    # Nothing deletes in this run (no trim), so a 404 on a key of ours is an error.
    assert get["status"]["404"] == get["outcomes"]["missing"] == done[faults[3]]
    assert get["errors"] == done[faults[0]] + done[faults[3]]
    assert put["errors"] == done[faults[1]] + done[faults[2]]
    for kind in ("server_error 500", "throttled 503", "full 507", "missing 404"):
        assert result.stderr.count(kind) == 1, "a warning at the first of each kind, and no more"


def test_every_delay_is_in_the_histogram(serve_with, loadtest):
    fault = "PUT:delay=900ms:every=20"
    storage = serve_with("--fault", fault)
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "1000", "--json")

    assert result.status == 0, result.stderr
    done = faults_done(storage)[fault]
    assert done > 5
    assert slower_than(result.histograms()["total.baseload.PUT"], 900_000) == done
    assert result.operation("PUT")["response_us"]["max"] < 1_500_000
    assert result.operation("GET")["response_us"]["max"] < 900_000
    assert result.total("errors") == 0


def slower_than(histogram, microseconds):
    return sum(step.count_added_in_this_iter_step for step in histogram.get_recorded_iterator()
               if step.value_iterated_to >= microseconds)


@pytest.mark.parametrize("backend", ["boto3", "native"])
def test_every_reset_is_a_reconnect_or_an_outcome(serve_with, loadtest, backend):
    # A reset on a kept connection before a byte of answer may be the server's idle timeout: the request
    # is sent again once, a reconnect. On a new connection, or past a 100 Continue, it is a failed attempt.
    fault = "*:reset:p=0.02"
    storage = serve_with("--fault", fault, "--fault-seed", "3")
    result = loadtest(storage, *RUN, "--max-keys", "100", "--backend", backend)

    done = faults_done(storage)[fault]
    reconnects, resets = result.summary["client"]["reconnects"], result.total("outcomes.reset")
    assert done > 20
    assert reconnects > 0
    assert reconnects + resets == done
    assert result.total("errors") == resets, "a reset is not retried"
    assert result.total("requests") == result.total("attempts") + reconnects


def test_a_storage_that_refuses_everything_is_status_3(serve_with, loadtest):
    storage = serve_with("--fault", "*:status=500")
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "50", "--retries", "0", "--json")

    assert result.status == 3
    assert result.total("errors") == 50


def test_more_errors_than_answers_is_status_1(serve_with, loadtest):
    storage = serve_with("--fault", "*:status=500:p=0.7")
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "500", "--retries", "0", "--json")

    assert result.status == 1
    assert result.summary["verdict"]["passed"] is False


def test_few_errors_are_status_0(serve_with, loadtest):
    storage = serve_with("--fault", "*:status=500:p=0.2")
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "500", "--retries", "0", "--json")

    assert result.status == 0
    assert result.total("errors") > 20


def test_a_put_that_failed_may_exist_and_is_told(serve_with, loadtest):
    storage = serve_with("--fault", "PUT:status=500:p=0.2")
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "500", "--retries", "0", "--json")

    keys, put = result.pattern()["keys"], result.operation("PUT")
    assert keys["unknown"] == put["errors"] > 10
    assert keys["alive"] <= len(storage.keys("loadtest/")) <= keys["alive"] + keys["unknown"]
