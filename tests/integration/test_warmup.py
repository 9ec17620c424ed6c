"""What --warmup leaves out of the figures, and what it keeps."""
import pytest

import servers
from harness import json_lines

pytestmark = pytest.mark.alone

SMALL = ("run", "baseload", "--size", "1KB", "--prefill", "50", "--json")


def longest(figures):
    return max(o["response_us"]["max"] for o in figures.values() if o["count"])


def test_a_bad_start_shows_in_the_series_and_not_in_the_figures(serve_with, loadtest):
    # Two clients cannot catch up with what waited for them within the warm-up: some of it is measured.
    storage = serve_with("--fault", "*:freeze=700ms,after=1500ms")
    result = loadtest(storage, *SMALL, "--rate", "200/s", "--warmup", "4s", "--duration", "8s")
    assert result.status == 0, result.stderr
    assert result.summary["run"]["warmup_seconds"] == 4 and abs(result.summary["run"]["seconds"] - 4) < 0.2
    series = json_lines(result.directory / "series.jsonl")
    parts = {True: [], False: []}
    for second in series:
        parts[second.get("warmup", False)].append(second["patterns"]["baseload"]["operations"])
    assert max(map(longest, parts[True])) > 400_000, "the freeze fell into the warm-up"
    measured = result.pattern()["operations"]
    assert longest(measured) < 400_000
    for name in ("GET", "PUT"):
        for field in ("count", "bytes", "errors", "attempts", "requests"):
            assert sum(o[name][field] for o in parts[False] if name in o) == measured[name][field], (name, field)
        assert result.histograms()[f"total.baseload.{name}"].get_total_count() == measured[name]["outcomes"]["ok"]
    assert 780 <= result.total("count", without=("TRIM",)) <= 820
    # Nor are the slowest operations those of the freeze.
    slowest = [line["seconds"] for line in json_lines(result.directory / "errors.jsonl") if line.get("slowest")]
    assert len(slowest) == 10 and max(slowest) == pytest.approx(longest(measured) / 1e6, abs=1e-6)


def test_what_waited_as_the_warm_up_ended_is_of_the_measured_part(serve_with, loadtest):
    storage = serve_with("--fault", "*:delay=100ms")
    result = loadtest(storage, *SMALL, "--rate", "100/s", "--warmup", "2s", "--duration", "4s", "--concurrency", "5",
                      "--max-backlog", "60", "--grace", "3s")
    assert result.status == 0, result.stderr
    arrivals = result.pattern()["arrivals"]
    ended = result.total("count", without=("TRIM",)) + result.total("cancelled", without=("TRIM",))
    assert arrivals["waiting"] == 0 and arrivals["not_sent"] > 0
    assert arrivals["intended"] == ended + arrivals["not_sent"]
    # 200 were meant to begin in the measured part; about 60 more waited for it.
    assert 230 <= arrivals["intended"] <= 275, arrivals


def test_a_run_that_ends_within_its_warm_up_says_that_nothing_was_measured(serve, loadtest):
    running = loadtest.start(serve, *SMALL, "--warmup", "30s", "--duration", "60s")
    servers.wait_for("the load", lambda: len(running.finished_seconds()) >= 1, 20, running.process)
    running.process.terminate()
    result = running.wait(30)
    assert "the run ended within its --warmup of 30s: nothing was measured" in result.stderr
    assert result.summary["patterns"] == {}


def test_a_run_says_whether_it_was_steady_and_how_sure_its_figures_are(serve_with, loadtest, another_loadtest):
    same = loadtest.start(serve_with("--fault", "*:delay=5ms"), *SMALL, "--duration", "24s", "--concurrency", "2")
    slower = another_loadtest.start(serve_with("--fault", "*:delay=2ms,grow=20us,to=1s"), *SMALL, "--rate", "200/s",
                                    "--duration", "24s", "--concurrency", "32")
    same, slower = same.wait(60), slower.wait(60)
    assert same.pattern()["steady"]["steady"] is True, same.pattern()["steady"]
    steady = slower.pattern()["steady"]
    assert steady["steady"] is False and steady["p_value"] < 0.01 and abs(steady["change"]) > 0.05, steady
    for name in ("GET", "PUT"):
        figures = same.pattern()["operations"][name]
        intervals = figures["intervals"]
        rate = figures["rate"]
        low, high = intervals["rate"]
        assert intervals["confidence"] == 0.95 and low < rate < high < 1.2 * low, (intervals, rate)
        for p in ("p50", "p99"):
            low, high = intervals[p]
            assert low <= figures["response_us"][p] <= high, (name, p, intervals)
        assert "p999" in intervals["few_samples"]
