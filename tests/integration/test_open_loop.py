"""Open loop: intended starts never slip, whatever the storage does, and each is accounted for."""
import json
import math
import os
import signal
import time

import pytest

import servers
from harness import ask

pytestmark = pytest.mark.alone

SMALL = ("--size", "1KB")
BASE = ("run", "baseload", *SMALL, "--prefill", "50", "--json")


def arrivals(result, pattern="baseload"):
    return result.pattern(pattern)["arrivals"]


def begun(result, pattern="baseload"):
    return (result.total("count", pattern, without=("TRIM",)), result.total("cancelled", pattern, without=("TRIM",)))


def answered(storage):
    operations = ask(storage, "/-/stats")["operations"]
    return sum(operations.get(name, {}).get("2xx", 0) for name in ("GET", "PUT"))


def check_identity(result, pattern="baseload"):
    count, cancelled = begun(result, pattern)
    a = arrivals(result, pattern)
    assert a["intended"] == count + cancelled + a["not_sent"] and a["waiting"] == 0, (a, count, cancelled)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_rate_is_kept_to_the_operation(serve, loadtest, threads):
    result = loadtest(serve, *BASE, "--rate", "500/s", "--duration", "3s", "--threads", threads)
    assert result.status == 0, result.stderr
    check_identity(result)
    assert abs(arrivals(result)["intended"] - 1500) <= 3 and arrivals(result)["not_sent"] == 0
    answered = ask(serve, "/-/stats")["operations"]
    assert answered["GET"]["2xx"] + answered["PUT"]["2xx"] - 50 == begun(result)[0]
    for name in ("GET", "PUT"):
        lag = result.operation(name)["lag_us"]
        assert 0 < lag["p50"] < 5_000 and lag["max"] < 1_000_000
    text = loadtest(None, "report", str(result.directory), settings={}).stdout
    assert f"open loop: {arrivals(result)['intended']:,} intended, 0 not sent" in text


def test_the_closed_loop_says_what_it_hides(serve, loadtest):
    result = loadtest(serve, "run", "baseload", *SMALL, "--operations", "100")
    assert "closed loop: a client that waits begins nothing" in result.stdout
    summary = json.loads((result.directory / "summary.json").read_text())
    assert "arrivals" not in summary["patterns"]["baseload"]


def test_a_frozen_storage_shows_as_its_users_see_it(serve, loadtest):
    rate, length = 500, 12
    running = loadtest.start(serve, *BASE, "--rate", f"{rate}/s", "--duration", f"{length}s", "--concurrency", "16")
    servers.wait_for("the load", lambda: len(running.finished_seconds()) >= 5, 20, running.process)
    before = answered(serve)
    began = time.monotonic()
    os.kill(serve.process.pid, signal.SIGSTOP)
    servers.wait_for("2 s of standstill", lambda: time.monotonic() >= began + 2, 10, running.process)
    os.kill(serve.process.pid, signal.SIGCONT)
    ended = time.monotonic()
    curve = [(ended, 0)]  # when the storage had answered how many, from the stall's beginning
    while time.monotonic() < ended + 2:
        asked = time.monotonic()
        answers = answered(serve) - before
        curve.append(((asked + time.monotonic()) / 2, answers))
    result = running.wait(60)
    assert result.status == 0, result.stderr
    check_identity(result)
    assert arrivals(result)["not_sent"] == 0

    steady = result.pattern()["steady"]
    assert steady["steady"] is False and steady["why"].startswith("stood still from "), steady
    assert steady["why"] in " ".join(result.summary["notes"])
    [(stood, went_on)] = steady["stops"]
    assert 1 <= went_on - stood <= 2.5

    # On paper: the operation n of the stall is due at n / rate, and answered in its turn.
    late = []
    for n in range(2 * rate * 2):
        due, done = began + n / rate, answered_at(curve, n + 1)
        if done <= due:
            break
        late.append(done - due)
    assert len(late) > 2 * rate, "those due in the stall, and those due while it was worked off"
    late.sort(reverse=True)
    for percentile in (95, 99, 99.9):
        rank = math.ceil((100 - percentile) / 100 * arrivals(result)["intended"])
        expected = late[rank] * 1e6
        found = merged(result, percentile)
        print(f"p{percentile}: {found} us found, {expected:.0f} us on paper")
        assert found == pytest.approx(expected, rel=0.01), (percentile, found, expected)


def answered_at(curve, n):
    """When the storage had answered n operations, between two counts of it."""
    for (t0, n0), (t1, n1) in zip(curve, curve[1:]):
        if n1 >= n:
            return t0 + (t1 - t0) * (n - n0) / (n1 - n0)
    raise AssertionError(f"the storage never answered {n}")


def merged(result, percentile):
    """Of GET and PUT together, by another library."""
    tags = result.histograms()
    both = tags["baseload.GET"]
    both.add(tags["baseload.PUT"])
    return both.get_value_at_percentile(percentile)


def test_a_stall_at_the_end_of_the_load_shows(serve_with, loadtest):
    """What was meant to begin before the end is still done in the grace."""
    storage = serve_with("--fault", "*:freeze=2s,after=2s")
    result = loadtest(storage, *BASE, "--rate", "200/s", "--duration", "3s")
    check_identity(result)
    assert arrivals(result) == {"intended": 600, "not_sent": 0, "waiting": 0}
    assert result.operation("GET")["response_us"]["p99"] > 1_500_000


def test_what_finds_no_client_waits_and_then_is_not_sent(serve_with, loadtest, another_loadtest):
    storage = serve_with("--fault", "*:delay=100ms")
    running = loadtest.start(storage, *BASE, "--rate", "500/s", "--duration", "4s", "--concurrency", "4", "--max-backlog",
                             "100", "--grace", "1s")
    plain = another_loadtest(storage, "run", "baseload", *SMALL, "--rate", "500/s", "--duration", "2s", "--concurrency",
                             "4", "--grace", "1s", "--worker-id", "1")
    result = running.wait(30)
    check_identity(result)
    a = arrivals(result)
    assert abs(a["intended"] - 2000) <= 3
    assert 4 * 50 - 12 <= begun(result)[0] <= 4 * 50 + 8, "four clients, ten operations a second each, and a second of grace"
    # The last ones that began had waited for the hundred before them.
    assert result.operation("GET")["lag_us"]["max"] == pytest.approx(100 / 40 * 1e6, rel=0.2)
    assert "more intended operations were not sent in time, for want of a free client" in " ".join(plain.stdout.split())
    assert " | backlog=0, not_sent=" in plain.stderr


def test_a_ramp_and_steps(serve, loadtest, another_loadtest):
    (another_loadtest.folder / "steps.toml").write_text("""
name = "steps"
sizes = ["1KB"]
mix = { GET = 50, PUT = 50 }
[arrivals]
steps = [{ rate = "100/s", for = "1m" }, { rate = "600/s", for = "1m" }, { rate = "50/s", for = "1s" }]
kind = "poisson"
""")
    steps = another_loadtest.start(serve, "run", "./steps.toml", "--time-scale", "30", "--duration", "6s", "--json",
                                   "--worker-id", "1")
    running = loadtest.start(serve, *BASE, "--rate", "100..1000/s", "--duration", "5s")
    result = running.wait()
    assert result.status == 0, result.stderr
    counts = [sum(o["count"] for o in s["patterns"]["baseload"]["operations"].values()) for s in running.finished_seconds()]
    for second, n in enumerate(counts[:5]):
        assert abs(n - (190 + 180 * second)) < 30, counts
    check_identity(result)
    steady = result.pattern()["steady"]
    assert steady["steady"] is None and steady["why"] == "its rate changes by design"

    result = steps.wait()
    assert result.status == 0, result.stderr
    check_identity(result, "steps")
    counts = [sum(o["count"] for o in s["patterns"]["steps"]["operations"].values()) for s in steps.finished_seconds()]
    for from_, mean in ((0, 200), (2, 1200), (4, 100)):
        n = sum(counts[from_:from_ + 2])
        assert abs(n - mean) < 5 * mean ** 0.5 + 10, counts


def test_in_all_every_pattern_has_the_rate_but_delete(serve, loadtest):
    result = loadtest(serve, "run", "all", *SMALL, "--rate", "50/s", "--rate", "spiky=200/s", "--duration", "6s",
                      "--time-scale", "60", "--concurrency", "elephant=100", "--json")
    assert result.status == 0, result.stderr
    for name, rate in (("baseload", 50), ("spiky", 200), ("elephant", 50), ("listops", 50), ("checkpoint", 50)):
        assert abs(arrivals(result, name)["intended"] - 6 * rate) <= 3, name
        check_identity(result, name)
    assert "arrivals" not in result.pattern("delete") and result.total("count", "delete") > 0
