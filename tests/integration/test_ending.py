"""How runs end: signals, exit statuses, and the sentences that go with them."""
import json
import signal
import time

import pytest

import servers
from harness import json_lines

SMALL = ("--size", "1KB")


def one_sentence(result, *words):
    """The last line of stderr, which must say all of words; nothing may look like a crash."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert lines, "nothing on stderr"
    assert len([line for line in lines if "ERROR" in line or line.startswith("s3loadtest:")]) <= 1, result.stderr
    for word in words:
        assert word in lines[-1], lines[-1]
    return lines[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_gracefully_with_its_summary(serve, loadtest, number):
    running = loadtest.start(serve, "run", "baseload", *SMALL, "--json")
    running.wait_until_loading()
    running.signal(number)
    result = running.wait(15)

    assert result.status == 0, result.stderr
    assert result.summary["run"]["interrupted"] is True
    assert result.operation("PUT")["count"] > 0
    assert result.total("errors") == 0
    assert (result.directory / "summary.json").exists()


def test_operations_in_flight_are_cut_when_the_grace_is_over(serve, loadtest):
    running = loadtest.start(serve, "run", "baseload", "--size", "10MB", "--bandwidth", "100KB/s", "--grace", "1s",
                             "--json")
    servers.wait_for("the first second", running.finished_seconds, 10, running.process)
    running.signal()
    result = running.wait(4)

    assert result.summary["run"]["interrupted"] is True
    assert result.total("cancelled") > 0


def test_what_ends_after_the_load_is_in_counts_and_percentiles_and_in_no_rate(serve_with, loadtest):
    """Four clients whose writes take 2 s, for 5 s: eight end in time and four more within the grace."""
    writes = loadtest.folder / "writes.toml"
    writes.write_text('name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n')
    result = loadtest(serve_with("--fault", "PUT:delay=2s"), "run", str(writes), "--duration", "5s", "--concurrency", "4")
    assert result.status == 0, result.stderr
    summary = json.loads((result.directory / "summary.json").read_text())
    put = summary["patterns"]["writes"]["operations"]["PUT"]
    assert (put["count"], put["late"], put["late_bytes"]) == (12, 4, 4 * 1024)
    assert put["response_us"]["p50"] > 1_900_000 and put["cancelled"] == 0
    seconds = summary["run"]["seconds"]
    assert seconds == pytest.approx(5, abs=.2)
    assert put["rate"] == pytest.approx(8 / seconds) and put["throughput"] == pytest.approx(8 * 1024 / seconds)
    row, = [line.split() for line in result.stdout.splitlines() if line.strip().startswith("PUT")][:1]
    assert row[1:3] == ["12", "1.6/s"] and row[-1] == "4", row
    assert "12 operations in 5s (1.6/s" in " ".join(result.stdout.split())
    series = json_lines(result.directory / "series.jsonl")
    puts = [second["patterns"]["writes"]["operations"].get("PUT", {}) for second in series]
    assert (sum(p.get("count", 0) for p in puts), sum(p.get("late", 0) for p in puts)) == (12, 4)
    assert sum(second.get("grace", 0) for second in series) == pytest.approx(1, abs=.2)


def test_a_second_signal_aborts_but_for_what_comes_at_once(serve, loadtest):
    running = loadtest.start(serve, "run", "baseload", "--size", "10MB", "--bandwidth", "100KB/s", "--grace", "60s")
    servers.wait_for("the first second", running.finished_seconds, 10, running.process)
    running.signal()
    running.signal()  # as timeout(1) does, which signals its child and then the group of it
    servers.wait_for("its word that it stops", lambda: "top" in (running.folder / "stderr").read_text(), 5,
                     running.process)
    assert running.process.poll() is None
    again = time.monotonic() + .5
    servers.wait_for("half a second", lambda: time.monotonic() > again, 5, running.process)
    running.signal()
    result = running.wait(5)

    assert result.status == 130


@pytest.mark.parametrize("arguments, words", [
    (["run", "basload"], ["basload"]),
    (["run", "baseload", "--concurency", "3"], ["--concurency"]),
    (["run", "baseload", "--duration", "5x"], ["--duration", "5x"]),
    (["run", "baseload", "--size", "1XB"], ["--size", "1XB"]),
    (["run", "baseload", "--backend", "curl"], ["curl", "boto3"]),
    (["run"], []),
    (["walk"], ["walk"]),
])
def test_bad_usage_is_status_2_and_names_the_culprit(serve, loadtest, arguments, words):
    result = loadtest(serve, *arguments, seconds=10)

    assert result.status == 2, result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("absent", ["S3_ENDPOINTS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "S3_BUCKET"])
def test_a_missing_setting_is_named(serve, loadtest, absent):
    result = loadtest(serve, "run", "baseload", settings={absent: ""}, seconds=10)

    assert result.status == 2, result.stderr
    one_sentence(result, absent)


def test_no_settings_at_all_is_status_2(loadtest):
    result = loadtest(None, "run", "baseload", environment={"HOME": str(loadtest.folder)}, seconds=10)

    assert result.status == 2, result.stderr
    assert "S3_ENDPOINTS" in result.stderr


def test_an_endpoint_without_scheme_shows_the_right_line(serve, loadtest):
    bare = serve.endpoint.removeprefix("http://")
    result = loadtest(serve, "run", "baseload", settings={"S3_ENDPOINTS": bare}, seconds=10)

    assert result.status == 2, result.stderr
    one_sentence(result, f"http://{bare}")


def test_a_refused_endpoint_is_status_3(serve, loadtest):
    nobody = f"http://127.0.0.1:{servers.free_port()}"
    result = loadtest(serve, "run", "baseload", settings={"S3_ENDPOINTS": nobody}, seconds=20)

    assert result.status == 3, result.stderr
    one_sentence(result, nobody, "refused")


def test_a_missing_bucket_is_status_3_and_names_the_remedy(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--bucket", "nowhere", seconds=20)

    assert result.status == 3, result.stderr
    one_sentence(result, "nowhere", "--create-bucket")


@pytest.mark.parametrize("server", ["serve", "rgw", "versitygw"])
@pytest.mark.parametrize("setting", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
def test_wrong_credentials_are_status_3_and_named(request, loadtest, server, setting):
    storage = request.getfixturevalue(server)
    if server != "serve":
        storage = storage.with_new_bucket()
        storage.boto3().create_bucket(Bucket=storage.bucket)
    result = loadtest(storage, "run", "baseload", settings={setting: "wrongwrongwrong"}, seconds=20)

    assert result.status == 3, result.stderr
    assert "wrongwrong" not in one_sentence(result, storage.endpoint, setting)


def test_a_server_that_goes_away_is_seen_and_the_run_still_ends(serve_with, loadtest):
    storage = serve_with()
    running = loadtest.start(storage, "run", "baseload", *SMALL, "--duration", "4s", "--json")
    running.wait_until_loading()
    servers.end(storage.process)
    result = running.wait(15)

    outcomes = {}
    for figures in result.pattern()["operations"].values():
        for outcome, n in figures["outcomes"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + n
    assert outcomes["connect"] > 0
    # Clients wait before they try to connect again: no storm of attempts.
    assert outcomes["connect"] < 40 * 16
    assert result.seconds < 7


def test_a_run_that_moved_its_bytes_ends_within_the_grace(serve, loadtest):
    # One object would take 50 s; the bytes asked for have moved after half a second.
    result = loadtest(serve, "run", "baseload", "--size", "100MB", "--bytes", "1MB", "--bandwidth", "2MB/s",
                      "--grace", "1s", "--concurrency", "2", "--json")

    assert result.seconds < 5
    assert result.total("cancelled") == 2
