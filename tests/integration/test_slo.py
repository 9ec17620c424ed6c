"""--slo: objectives that a run keeps or misses, where that shows, and a run that is ended because it is hopeless."""
import json
import re
import socket
import subprocess
import xml.etree.ElementTree

import pytest

from browser import chromium, console_errors, open_page
from harness import BINARY, Loadtest, json_lines, start_serve
import servers

pytestmark = pytest.mark.alone

RUN = ("run", "baseload", "--size", "1KB", "--size", "64KB", "--concurrency", "4", "--threads", "1",
       "--stats-interval", "0")
SLOS = {
    "GET.p99 < 10s": True,
    "error_rate <= 0%": True,
    "PUT.throughput > 100GB/s": False,
    "baseload.GET.64KB.ttfb.p99.9 < 10s": True,
    "baseload.PUT.service.mean < 2ms": False,  # the storage takes 5 ms
    "rate >= 1/s": True,
    "TRIM.max < 1us": False,
}


def slo_flags(*expressions):
    return [word for expression in expressions for word in ("--slo", expression)]


def report(directory, *flags):
    return subprocess.run([BINARY, "report", directory, *flags], capture_output=True, text=True, timeout=60, cwd="/")


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A run with objectives that it keeps, misses, and has no data for, as its user sees it."""
    storage = start_serve(tmp_path_factory.mktemp("serve"), "--fault", "*:delay=5ms")
    tool = Loadtest(tmp_path_factory.mktemp("judged"))
    result = tool(storage, *RUN, "--duration", "3s", *slo_flags(*SLOS))
    assert servers.end(storage.process) == 0
    return result


@pytest.fixture(scope="module")
def summary(judged):
    return json.loads((judged.directory / "summary.json").read_text())


def test_a_missed_objective_makes_the_status_1_and_all_are_told_with_their_values(judged, summary):
    assert judged.status == 1, judged.stderr
    assert summary["verdict"]["passed"] is False and summary["verdict"]["ended_early"] is None
    slos = {slo["expression"]: slo for slo in summary["verdict"]["slo"]}
    assert {expression: slo["passed"] for expression, slo in slos.items()} == SLOS
    operations = summary["patterns"]["baseload"]["operations"]
    value = {expression: slo["value"] for expression, slo in slos.items()}
    assert value["GET.p99 < 10s"] == operations["GET"]["response_us"]["p99"]
    assert value["PUT.throughput > 100GB/s"] == pytest.approx(operations["PUT"]["throughput"])
    assert value["baseload.GET.64KB.ttfb.p99.9 < 10s"] == operations["GET"]["sizes"]["64KB"]["ttfb_us"]["p999"]
    assert value["baseload.PUT.service.mean < 2ms"] == pytest.approx(operations["PUT"]["service_us"]["mean"], abs=.1)
    assert value["rate >= 1/s"] == pytest.approx(operations["GET"]["rate"] + operations["PUT"]["rate"])
    assert value["error_rate <= 0%"] == 0
    assert value["TRIM.max < 1us"] is None and slos["TRIM.max < 1us"]["why"] == "no TRIM succeeded"
    assert {slo["unit"] for slo in slos.values()} == {"us", "ratio", "bytes/s", "/s"}
    settings = json.loads((judged.directory / "run.json").read_text())["settings"]
    assert settings["slo"] == ",".join(SLOS)


def test_the_table_lists_them_first(judged):
    lines = judged.stdout.splitlines()
    assert lines[0].split() == ["SLO", "result", "measured"]
    shown = [re.fullmatch(r"  (.+?)  +(pass|FAIL)  +(\S.*)", line).groups() for line in lines[1:1 + len(SLOS)]]
    assert {expression: result == "pass" for expression, result, _ in shown} == SLOS
    assert dict((expression, value) for expression, _, value in shown)["TRIM.max < 1us"] == "no TRIM succeeded"
    assert "3 of 7 SLOs were missed" in re.sub(r"\s+", " ", judged.stdout)


def test_junit_xml_has_a_test_case_for_each(judged, summary):
    suites = xml.etree.ElementTree.parse(judged.directory / "junit.xml").getroot()
    suite, = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == \
        {"tests": "7", "failures": "3", "errors": "0", "skipped": "0"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
    properties = {one.get("name"): one.get("value") for one in suite.find("properties")}
    assert properties["run"] == summary["run"]["id"] and properties["endpoints"] == summary["run"]["endpoints"][0]
    cases = suite.findall("testcase")
    assert {case.get("name"): case.find("failure") is None for case in cases} == SLOS
    failure = next(case for case in cases if case.get("name").startswith("TRIM")).find("failure")
    assert failure.get("message") == "TRIM.max < 1us: no TRIM succeeded"


def test_report_shows_them_again(judged):
    again = report(judged.directory)
    assert again.returncode == 0, again.stderr
    assert again.stdout == judged.stdout


def test_the_page_has_them_on_top_in_either_theme(judged, summary):
    with chromium() as browser:
        open_page(browser, judged.directory / "report.html")
        rows = browser.execute_script("return [...document.querySelectorAll('#slo tbody tr')].map("
                                      "row => [...row.children].map(cell => cell.textContent))")
        assert {row[0]: row[1] == "pass" for row in rows} == SLOS
        value = {row[0]: row[2] for row in rows}
        assert value["TRIM.max < 1us"] == "no TRIM succeeded" and value["error_rate <= 0%"] == "0%"
        p99 = summary["patterns"]["baseload"]["operations"]["GET"]["response_us"]["p99"]
        assert value["GET.p99 < 10s"] == browser.execute_script("return latency(arguments[0])", p99)
        assert browser.execute_script("return document.querySelector('#slo').getBoundingClientRect().bottom < "
                                      "document.querySelector('#tiles').getBoundingClientRect().top")
        # In both themes a word can be told from what is behind it (WCAG: 4.5 to 1).
        contrasts = browser.execute_script("""
          const parts = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
          const light = c => { const [r, g, b] = parts(c); return .2126 * r + .7152 * g + .0722 * b; };
          return ["light", "dark"].flatMap(theme => { setTheme(theme);
            return ["good", "bad"].map(kind => { const s = getComputedStyle(document.querySelector(`#slo .badge.${kind}`));
              const [a, b] = [light(s.color), light(s.backgroundColor)].sort((x, y) => y - x);
              return (a + .05) / (b + .05); }); });""")
        assert len(contrasts) == 4 and min(contrasts) >= 4.5, contrasts
        assert console_errors(browser) == []


def test_kept_objectives_leave_the_status_0(loadtest, serve):
    result = loadtest(serve, *RUN, "--operations", "500", "--json", *slo_flags("GET.p99 < 10s", "error_rate < 0.1%"))
    assert result.status == 0, result.stderr
    assert result.summary["verdict"]["passed"] is True
    assert [slo["passed"] for slo in result.summary["verdict"]["slo"]] == [True, True]
    assert (result.directory / "junit.xml").exists()


def test_without_objectives_there_is_no_junit_xml(loadtest, serve):
    result = loadtest(serve, *RUN, "--operations", "50", "--json")
    assert result.status == 0 and result.summary["verdict"]["slo"] == []
    assert not (result.directory / "junit.xml").exists()


@pytest.mark.parametrize("slo, status", [
    (None, 1),                      # more than half failed
    ("error_rate < 99%", 0),        # takes the place of that
    ("error_rate < 20%", 1),
    ("GET.error_rate <= 100%", 0),  # of the GETs alone: the PUTs are good
    ("PUT.error_rate <= 0%", 1),    # what it does not speak of is judged as ever
    ("GET.p99 < 10s", 1),           # no GET succeeded
])
def test_an_objective_about_errors_takes_the_place_of_half_of_the_operations(loadtest, serve_with, slo, status):
    storage = serve_with("--fault", "GET:status=500")
    result = loadtest(storage, *RUN, "--operations", "400", "--retries", "0", "--json", "--prefill", "10",
                      *(slo_flags(slo) if slo else []))
    assert result.status == status, result.stderr
    assert result.operation("GET")["errors"] > 200


@pytest.mark.parametrize("expression, message, caret", [
    ("GTE.p99 < 50ms", '"GTE" is not an operation; did you mean "GET"?', 0),
    ("GET.p98x < 50ms", '"p98x" is not a figure', 4),
    ("GET.p99 < 50", '"50" has no unit; write it like 50ms', 10),
    ("GET.p99 =< 50ms", "'=' is no relation here", 8),
    ("baselaod.GET.p99 < 50ms", 'baselaod is not among the patterns of this run; did you mean "baseload"?', 0),
    ("LIST.p99 < 50ms", "no pattern of this run does LIST; use one of GET, PUT, TRIM", 0),
    ("PART.p99 < 50ms", "no pattern of this run does PART; use one of GET, PUT, TRIM", 0),
    ("GET.2MB.p99 < 50ms", "there is no object of 2MB in this run; its sizes are 1KB, 64KB", 4),
])
def test_a_wrong_expression_is_refused_before_anything_is_sent(loadtest, expression, message, caret):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        storage = servers.Storage(f"http://127.0.0.1:{listener.getsockname()[1]}", "key", "secret", process=None)
        result = loadtest(storage, *RUN, "--duration", "1s", *slo_flags("GET.p50 < 1s", expression))
        assert result.status == 2
        first, second, third = result.stderr.rstrip("\n").split("\n")
        assert first.startswith("s3loadtest: --slo: ") and message in first
        assert second == "  " + expression
        assert third == "  " + " " * caret + "^"
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert not result.log_directory.exists()


def test_a_hopeless_run_is_ended_early_and_says_why_and_another_goes_to_its_end(loadtest, another_loadtest, serve_with):
    storage = serve_with("--fault", "*:delay=20ms")
    hopeless = loadtest.start(storage, *RUN, "--duration", "5m", "--slo-abort",
                              *slo_flags("rate > 0.1/s", "GET.p99 < 5ms"))
    kept_on = another_loadtest(serve_with("--fault", "*:delay=20ms"), *RUN, "--duration", "3s", "--slo-abort", "--json",
                               *slo_flags("GET.p99 < 10s", "PUT.throughput > 100GB/s"))
    assert kept_on.status == 1, "the throughput is missed, but three seconds are too few to say so early"
    assert kept_on.summary["verdict"]["ended_early"] is None
    assert kept_on.summary["run"]["seconds"] >= 2.9

    result = hopeless.wait()
    assert result.status == 1, result.stderr
    assert 10 <= result.seconds < 40
    summary = json.loads((result.directory / "summary.json").read_text())
    why = summary["verdict"]["ended_early"]
    assert re.fullmatch(r"GET\.p99 < 5ms can no longer be met: ([\d,]+) of \1 took no less than 5ms, and at most "
                        r"[\d,]+ can follow", why)
    assert summary["run"]["interrupted"] is False
    assert [slo["passed"] for slo in summary["verdict"]["slo"]] == [True, False]
    assert "ending the run early: " + why in result.stderr
    assert f"The run was ended early: {why}." in re.sub(r"\s+", " ", result.stdout)
    assert "before its time" not in result.stdout
    assert report(result.directory).stdout == result.stdout
    properties = xml.etree.ElementTree.parse(result.directory / "junit.xml").findall(".//property")
    assert {one.get("name"): one.get("value") for one in properties}["ended_early"] == why
    assert sum(operation["cancelled"] for operation in summary["patterns"]["baseload"]["operations"].values()) == 0


def test_the_warm_up_ends_no_run(loadtest, serve):
    """One GET beyond `max` is enough, and there are thousands in the warm-up."""
    result = loadtest(serve, *RUN, "--duration", "5m", "--warmup", "3s", "--slo-abort", "--json",
                      *slo_flags("GET.max < 1us"))
    assert result.status == 1
    assert sum(line.get("warmup", False) for line in json_lines(result.directory / "series.jsonl")) == 3
    assert 0 < result.summary["run"]["seconds"] < 5
    assert result.summary["verdict"]["ended_early"].startswith("GET.max < 1us can no longer be met: the longest took ")
