"""What a run leaves: summary, log lines, run directory, also after a kill -9."""
import json
import re
import signal

from harness import json_lines, read_histograms

RUN = {"id", "version", "started", "seconds", "pattern", "worker", "backend", "endpoints", "tls_verify", "seed",
       "time_scale", "interrupted"}
CLIENT = {"threads", "cpu_seconds", "operations_per_cpu_second", "busiest_thread", "max_rss_bytes", "connections",
          "reconnects", "idle_closed", "run_queue_seconds", "busy", "run_queue_wait", "saturated", "steal", "loop_lag_us", "waiting", "network"}
COUNTS = {"count", "bytes", "bytes_moved", "errors", "not_found", "cancelled", "attempts", "requests", "seeded", "behind",
          "outcomes", "status"}
TIMES = {"response_us", "service_us", "ttfb_us", "lag_us", "failed_us"}
PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p999": 99.9}
KEYS = {"written", "deleted", "trimmed", "alive", "unknown"}


def has_every_figure(figures):
    assert COUNTS | TIMES <= set(figures)
    for name in TIMES:
        assert {"min", "mean", "max", *PERCENTILES} <= set(figures[name]), name


def test_the_summary_has_every_field_of_its_schema(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--size", "10KB", "--operations", "1000",
                      "--seed", "99", "--json")

    assert result.status == 0, result.stderr
    summary = result.summary
    assert summary["schema"] == "s3loadtest.summary/1"
    assert RUN <= set(summary["run"])
    assert {"passed", "slo", "bottleneck", "why"} <= set(summary["verdict"])
    assert summary["verdict"]["bottleneck"] in {"storage", "client-cpu", "client-network", "unknown"}
    assert CLIENT <= set(summary["client"])
    pattern = result.pattern()
    assert {"operations", "keys", "verified"} <= set(pattern)
    assert KEYS <= set(pattern["keys"])
    assert {"checked", "corrupt"} <= set(pattern["verified"])
    for figures in pattern["operations"].values():
        has_every_figure(figures)
        assert set(figures["sizes"]) == {"1KB", "10KB"}
        for of_size in figures["sizes"].values():
            has_every_figure(of_size)
    run = summary["run"]
    assert (run["pattern"], run["worker"], run["backend"], run["seed"], run["interrupted"]) == (
        "baseload", 0, "boto3", 99, False)
    assert run["endpoints"] == [serve.endpoint]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", run["started"])


def test_the_run_directory_holds_the_same_summary(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "500", "--json")

    assert result.status == 0, result.stderr
    assert json.loads((result.directory / "summary.json").read_text()) == result.summary
    run = json.loads((result.directory / "run.json").read_text())
    assert run["id"] == result.summary["run"]["id"] == result.directory.name
    assert re.fullmatch(r"\d{8}T\d{6}Z-baseload-W0-[0-9a-f]{4}", result.directory.name)
    assert run["host"]["boot_id"] == open("/proc/sys/kernel/random/boot_id").read().strip()
    log = result.log_directory / "loadtest_baseload_0.log"
    assert log.is_symlink()
    assert "FINAL: ops=500 " in log.read_text()


def test_out_names_the_run_directory(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "10", "--out", "here", "--json")

    assert result.status == 0, result.stderr
    assert json.loads((loadtest.folder / "here/summary.json").read_text()) == result.summary


def test_hdrhistogram_reads_the_same_percentiles_as_the_summary_says(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--size", "100KB", "--duration", "4s", "--json")

    assert result.status == 0, result.stderr
    histograms = result.histograms()
    checked = 0
    for operation, figures in result.pattern()["operations"].items():
        rows = {"": figures} | {f".{label}": of_size for label, of_size in figures["sizes"].items()}
        for suffix, row in rows.items():
            histogram, said = histograms[f"total.baseload.{operation}{suffix}"], row["response_us"]
            assert histogram.get_total_count() == row["outcomes"]["ok"]
            for name, percentile in PERCENTILES.items():
                witness = histogram.get_value_at_percentile(percentile)
                assert said[name] == min(witness, said["max"]), (operation, suffix, name)
            assert histogram.get_max_value() == histogram.get_highest_equivalent_value(said["max"])
            checked += 1
        # The seconds add up to the total without loss.
        seconds, total = histograms[f"baseload.{operation}"], histograms[f"total.baseload.{operation}"]
        assert seconds.get_total_count() == total.get_total_count()
        for percentile in PERCENTILES.values():
            assert seconds.get_value_at_percentile(percentile) == total.get_value_at_percentile(percentile)
    assert checked >= 6


def test_the_seconds_of_the_series_add_up_to_the_summary(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--duration", "3s", "--json")

    assert result.status == 0, result.stderr
    series = json_lines(result.directory / "series.jsonl")
    assert len(series) >= 3
    for operation, figures in result.pattern()["operations"].items():
        for field in ("count", "bytes", "bytes_moved", "attempts", "requests"):
            assert figures[field] == sum(second["patterns"]["baseload"]["operations"].get(operation, {}).get(field, 0)
                                         for second in series if "baseload" in second["patterns"]), field


def test_a_killed_run_can_be_read_up_to_its_last_finished_second(serve_with, loadtest):
    storage = serve_with("--fault", "GET:status=500:p=0.05")
    running = loadtest.start(storage, "run", "baseload", "--size", "1KB", "--retries", "0")
    running.wait_until_loading()
    seen = len(running.finished_seconds())
    while len(running.finished_seconds()) < seen + 2:
        assert running.process.poll() is None
    running.signal(signal.SIGKILL)
    result = running.wait()

    assert result.status == -signal.SIGKILL
    run = json.loads((result.directory / "run.json").read_text())
    assert run["id"] == result.directory.name
    series = json_lines(result.directory / "series.jsonl")
    assert len(series) >= seen + 2
    # No second is left out. The threads end theirs independently, so they may overlap a little.
    assert all(abs(later["from"] - second["to"]) < 0.5 for second, later in zip(series, series[1:]))
    errors = json_lines(result.directory / "errors.jsonl")
    assert 1 <= len(errors) <= 10, "the first ten of the one kind"
    assert {(error["operation"], error["status"], error["code"]) for error in errors} == {("GET", 500, "InternalError")}
    histograms = read_histograms(result.directory)
    ok = sum(second["patterns"]["baseload"]["operations"]["PUT"]["outcomes"]["ok"] for second in series)
    assert histograms["baseload.PUT"].get_total_count() >= ok
    assert not (result.directory / "summary.json").exists()


COUNT, SIZE, TIME = r"\d{1,3}(,\d{3})*", r"\d+(\.\d+)?[KMGT]?B", r"\d+(\.\d+)?(us|ms|s)"
PER_OPERATION = rf"( \| (GET|PUT|TRIM) p50={TIME} p95={TIME} p99={TIME})*"
PREFIX = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO     \[baseload:W0\]        "
STATS = re.compile(PREFIX + rf"\[STATS\] STATS: ops={COUNT} \(\d+\.\d/s\), bytes={SIZE} \({SIZE}/s\), "
                   rf"errors={COUNT}, elapsed=\d+s{PER_OPERATION}")
FINAL = re.compile(PREFIX + rf"\[FINAL\] FINAL: ops={COUNT} \(\d+\.\d/s\), bytes={SIZE}, errors={COUNT}, "
                   rf"worker_failures=0, elapsed=\d+s{PER_OPERATION}")


def test_stats_and_final_lines_look_as_scripts_know_them(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--duration", "3s", "--stats-interval", "1s")

    assert result.status == 0, result.stderr
    lines = result.stderr.splitlines()
    stats = [line for line in lines if "STATS" in line]
    final = [line for line in lines if "FINAL" in line]
    assert len(stats) >= 2
    for line in stats:
        assert STATS.fullmatch(line), line
    assert len(final) == 1
    assert FINAL.fullmatch(final[0]), final[0]
    assert " | GET p50=" in final[0] and " | PUT p50=" in final[0]
    assert "\x1b" not in result.stderr + result.stdout, "colours only on a terminal"


def test_no_stats_lines_where_none_are_wanted(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--duration", "2s", "--stats-interval", "0")

    assert result.status == 0, result.stderr
    assert "STATS" not in result.stderr
    assert "FINAL" in result.stderr


def test_log_lines_as_json(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--duration", "2s", "--stats-interval", "1s",
                      settings={"LOADTEST_LOG_JSON": "1"})

    assert result.status == 0, result.stderr
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    final = [line for line in lines if line["op"] == "FINAL"]
    assert len(final) == 1
    assert {"ts", "level", "msg", "test", "worker", "op"} <= set(final[0])
    assert (final[0]["test"], final[0]["worker"], final[0]["level"]) == ("baseload", 0, "INFO")


def test_the_table_for_people_ends_in_a_sentence(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "200")

    assert result.status == 0, result.stderr
    assert "GET" in result.stdout and "PUT" in result.stdout
    assert result.stdout.rstrip().endswith(".")
    assert "200 operations" in " ".join(result.stdout.split())
