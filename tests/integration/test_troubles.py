"""A storage that answers, but not as it should: full, throttling, refusing, slower and slower, or not at all.
Scripted stand-ins play it where the embedded server cannot."""
import json
import time

import pytest

import servers
from harness import Loadtest, ask, faults_done, start_serve
from stand_ins import Silent, StandIn
from test_outages import check_counts
from watching import Answers, Vitals

RUN = ("run", "baseload", "--size", "1KB", "--concurrency", "8", "--grace", "3s")
BACK_WITHIN = 5.0


@pytest.fixture
def stand_in():
    made = StandIn()
    yield made
    made.close()


@pytest.fixture
def silent():
    running = []

    def make(**options):
        running.append(Silent(**options))
        return running[-1]

    yield make
    for server in running:
        server.close()


def wait(running, seconds):
    until = time.monotonic() + seconds
    servers.wait_for("the time to pass", lambda: time.monotonic() > until, seconds + 2, running.process)


def trouble_for(stand_in, loadtest, trouble, *flags, seconds=4):
    """A run that is well, meets the trouble for so long, and is well again; how long that took."""
    running = loadtest.start(stand_in.storage, *RUN, *flags)
    vitals, answers = Vitals(running.process), Answers(stand_in.samples)
    running.wait_until_loading()
    began = time.monotonic()
    wait(running, 2)
    usual = answers.usual_rate(began, began + 2)
    broken = time.monotonic()
    stand_in.trouble = trouble
    wait(running, seconds)
    during = stand_in.answered.copy()
    stand_in.trouble = lambda method: None
    took = answers.recovery(time.monotonic(), usual)
    print(f"back after {took:.1f} s")
    running.signal()
    result = running.wait(15)
    vitals.assert_flat(broken)
    assert took <= BACK_WITHIN
    assert result.status in (0, 1), result.stderr
    return result, during, vitals.cores_busy(broken, broken + seconds)


def summary_of(result):
    return json.loads((result.directory / "summary.json").read_text())


def status_counts(result):
    """By (method, status), as the stand-in counts them."""
    methods = {"GET": "GET", "PUT": "PUT", "TRIM": "DELETE"}
    found = {}
    for name, figures in summary_of(result)["patterns"]["baseload"]["operations"].items():
        for status, n in figures["status"].items():
            found[methods[name], int(status)] = n
    return found


@pytest.mark.parametrize("status, code", [(507, "InsufficientStorage"), (403, "QuotaExceeded"),
                                          (503, "XMinioStorageFull")])
def test_writes_back_off_from_a_full_stand_in_and_reads_go_on(stand_in, loadtest, status, code):
    result, during, _ = trouble_for(stand_in, loadtest,
                                    lambda method: (status, code) if method == "PUT" else None)

    # 8 clients at 0, 0.1, 0.3, 0.7, 1.5, 3.1 s, a bit earlier by their jitter.
    assert 8 * 3 <= during["PUT", status] <= 8 * 8
    assert during["GET", 200] > 20 * during["PUT", status]
    assert status_counts(result) == dict(stand_in.answered), "what the stand-in did is what the client saw"
    sentence = " ".join(result.stdout.split())
    assert f"the storage is full: {during['PUT', status]} writes were refused with {status} {code}" in sentence
    assert f"full {status} {code} from" in result.stderr, "and a warning, at once"


def test_a_stand_in_that_throttles_everything_is_named(stand_in, loadtest):
    result, during, busy = trouble_for(stand_in, loadtest, lambda method: (503, "SlowDown"))

    # 8 clients that retry after 0.1, 0.2, 0.4, 0.8, 1.6 s: at most nine attempts each in four seconds.
    throttled = during["GET", 503] + during["PUT", 503]
    assert 8 * 3 <= throttled <= 8 * 10
    assert busy < 0.15
    assert status_counts(result) == dict(stand_in.answered)


def test_a_server_that_throttles_everything_from_the_start_is_named(serve_with, loadtest):
    storage = serve_with("--fault", "*:status=503")
    result = loadtest(storage, *RUN, "--duration", "4s", "--retries", "2")

    assert result.status == 3
    done = faults_done(storage)["*:status=503"]
    sentence = " ".join(result.stdout.split())
    assert f"the storage throttled: {done} of {done} attempts were answered with 503 SlowDown" in sentence


def test_errors_at_once_keep_the_servers_rate_and_cost_no_more_than_answers(serve_with, loadtest):
    # 400 on every write, and nothing to read: the storage answers, so it gets its load; only who does not
    # answer is asked less often.
    storage = serve_with("--fault", "PUT:status=400")
    running = loadtest.start(storage, *RUN, "--duration", "6s", "--retries", "0", "--json")
    vitals = Vitals(running.process)
    result = running.wait(20)

    assert result.status == 3
    figures = result.operation("PUT")
    assert figures["status"] == {"400": figures["attempts"]}
    assert figures["errors"] == figures["count"] == figures["attempts"] == faults_done(storage)["PUT:status=400"]
    vitals.assert_flat(vitals.samples[0][0] + 3)
    assert result.summary["client"]["cpu_seconds"] / result.total("attempts") < 200e-6
    assert result.stderr.count("\n") < 20, "a warning at the first error of a kind, not at each"
    assert len((result.directory / "errors.jsonl").read_text().splitlines()) <= 20 + 10, "two kinds, and the slowest"


def test_a_stand_in_that_refuses_and_closes_each_time_is_asked_at_its_own_rate(stand_in, loadtest):
    stand_in.trouble = lambda method: (400, "InvalidRequest")
    stand_in.delay = lambda method: 0.05
    real_answer = stand_in.serve

    def and_close(handler):
        real_answer(handler)
        handler.close_connection = True

    stand_in.serve = and_close
    running = loadtest.start(stand_in.storage, *RUN, "--duration", "4s", "--retries", "0", "--json",
                             "--backend", "native")
    vitals = Vitals(running.process)
    result = running.wait(20)

    assert result.status == 3, result.stderr
    # It closes without saying so. Whether the client finds out before or after it sends its next request, it
    # makes a new connection, and no error.
    answered = stand_in.answered["PUT", 400]
    assert 8 * 30 <= answered <= 8 * 81
    assert result.operation("PUT")["status"] == {"400": answered}
    assert result.operation("PUT")["errors"] == answered
    assert vitals.cores_busy(vitals.samples[5][0], vitals.samples[-5][0]) < 0.3
    vitals.assert_flat(vitals.samples[0][0] + 2, most_descriptors=1)


def test_a_stand_in_that_answers_slower_and_slower_is_slow_and_no_error(stand_in, loadtest):
    began = time.monotonic()
    stand_in.delay = lambda method: min(0.01 * 1.6 ** (time.monotonic() - began), 1.5)
    running = loadtest.start(stand_in.storage, *RUN, "--duration", "10s", "--json")
    vitals = Vitals(running.process)
    result = running.wait(30)

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0
    assert status_counts(result) == dict(stand_in.answered)
    rates = [sum(o["count"] for o in line["patterns"]["baseload"]["operations"].values())
             for line in map(json.loads, (result.directory / "series.jsonl").read_text().splitlines())]
    assert rates[1] > 4 * rates[8] > 0, rates
    slowest = max(figures["response_us"]["max"] for figures in result.pattern()["operations"].values())
    assert slowest > 600_000
    vitals.assert_flat(began + 4)


@pytest.mark.parametrize("end", ["duration", "signal"])
def test_a_stand_in_that_falls_silent_leaves_operations_that_are_cancelled(stand_in, loadtest, end):
    hushed = []

    def hush(method):
        if hushed:
            servers.wait_for("the end of the test", lambda: not hushed, 60)
        return None

    stand_in.trouble = hush
    flags = ("--duration", "4s") if end == "duration" else ()
    running = loadtest.start(stand_in.storage, *RUN, *flags, "--grace", "2s", "--json")
    vitals = Vitals(running.process)
    running.wait_until_loading()
    hushed.append(True)
    silent_from = time.monotonic()
    if end == "signal":
        wait(running, 2)
        running.signal()
    result = running.wait(12)
    ended = time.monotonic()
    hushed.clear()

    assert result.seconds < 4 + 2 + 2
    assert result.total("cancelled") == 8, "each client had one operation in flight"
    assert result.total("errors") == 0
    check_counts(result)
    assert vitals.cores_busy(silent_from + 0.5, ended - 0.3) < 0.1
    keys = result.pattern()["keys"]
    assert keys["unknown"] == result.operation("PUT")["cancelled"]


def test_a_stand_in_that_accepts_and_never_answers_is_named_before_the_load(silent, loadtest):
    result = loadtest(silent().storage, *RUN, "--duration", "2s", seconds=25)

    assert result.status == 3
    assert "said nothing for 10s" in result.stderr.splitlines()[-1]
    assert result.seconds < 13


def test_a_stand_in_that_drops_every_connection_is_asked_less_and_less(stand_in, loadtest):
    result, _, busy = trouble_for(stand_in, loadtest, lambda method: "close", "--retries", "0")

    assert busy < 0.15
    outcomes = summary_of(result)["patterns"]["baseload"]["operations"]
    resets = sum(figures["outcomes"].get("reset", 0) for figures in outcomes.values())
    assert 8 * 3 <= resets <= 8 * 8
    answered = status_counts(result)
    assert answered == dict(stand_in.answered)


def test_a_server_that_refuses_deletes_is_not_filled_beyond_the_limit(serve_with, loadtest):
    storage = serve_with("--fault", "DELETE:status=403")
    result = loadtest(storage, *RUN, "--duration", "4s", "--max-keys", "100", "--json")

    keys = result.pattern()["keys"]
    stored = ask(storage, "/-/stats")["objects"]
    # Eight clients may each be refused four times before they hold their writes.
    assert 100 < stored <= 100 + 8 * 4
    assert stored == keys["alive"] + keys["unknown"]
    assert result.operation("GET")["count"] > 1000, "reads go on"


# Each kind but `stale`: no pattern of today overwrites.
FAULTS = ["*:status=500:p=0.3", "*:status=503,retry-after=1:p=0.3", "PUT:status=403,code=QuotaExceeded:p=0.3",
          "*:delay=50ms,to=300ms:p=0.3", "*:silent=500ms,then=close:p=0.3", "*:silent=500ms,then=answer:p=0.3",
          "*:reset:p=0.3", "GET:reset-in-body:p=0.3", "*:reset-after:p=0.3", "GET:truncate:p=0.3", "GET:slow=4KB/s:p=0.3",
          "GET:flip:p=0.3", "GET:swap:p=0.3", "GET:missing:p=0.3", "GET:length=+10:p=0.3", "GET:length=-10:p=0.3",
          "*:close:p=0.3", "*:close-unsaid:p=0.3", "*:freeze=1s,after=2s,every=3s"]


@pytest.fixture(scope="module")
def faulty_runs(tmp_path_factory):
    """A run through each fault of serve, all at once; each at a rate that leaves the machine room."""
    started, found = [], {}
    try:
        for number, fault in enumerate(FAULTS):
            folder = tmp_path_factory.mktemp(f"fault-{number}")
            storage = start_serve(folder, "--fault", fault, "--fault-seed", "5", "--threads", "1")
            started.append(storage.process)
            running = Loadtest(folder).start(storage, *RUN, "--duration", "5s", "--threads", "1", "--bandwidth",
                                             "300KB/s", "--json")
            started.append(running.process)
            found[fault] = storage, running, Vitals(running.process)
        yield {fault: (storage, running.wait(30), vitals) for fault, (storage, running, vitals) in found.items()}
    finally:
        for process in started:
            servers.end(process)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_serve_leaves_a_client_that_is_whole(faulty_runs, fault):
    storage, result, vitals = faulty_runs[fault]

    assert storage.process.poll() is None
    assert result.status in (0, 1), result.stderr
    assert faults_done(storage)[fault] > (0 if "freeze" in fault else 10)
    assert result.total("outcomes.ok") > 0
    check_counts(result)
    vitals.assert_flat(vitals.samples[0][0] + 2.5, most_descriptors=1)
    assert vitals.cores_busy(vitals.samples[0][0] + 0.5, vitals.samples[-1][0]) < 0.5
    seconds = [json.loads(line) for line in (result.directory / "series.jsonl").read_text().splitlines()]
    assert result.summary["run"]["seconds"] < 5 + 3 + 0.5
    assert all(line["patterns"] for line in seconds[4:5]), "the load goes on"
