"""report: a run shown again from its directory, as text, as JSON, and as a page in a real browser."""
import json
import os
import re
import shutil
import subprocess

import pytest
from selenium.webdriver.common.keys import Keys

from browser import chromium, console_errors, open_page, requested
from harness import BINARY, Loadtest, json_lines, start_serve
import servers

# Of all canvases on the page: how many pixels are not as empty ones are.
DRAWN = """return [...document.querySelectorAll("canvas")].map(canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let drawn = 0;
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] > 0) drawn += 1;
  return drawn; })"""
# A pointer on the chart over time with this label, at shares of its width.
POINT = """const [label, type, share] = arguments;
const chart = charts.find(c => c.canvas.getAttribute("aria-label") === label), box = chart.canvas.getBoundingClientRect();
const x = box.left + chart.chartArea.left + share * chart.chartArea.width, y = box.top + (chart.chartArea.top + chart.chartArea.bottom) / 2;
const Kind = type.startsWith("pointer") ? PointerEvent : MouseEvent;
chart.canvas.dispatchEvent(new Kind(type, {clientX: x, clientY: y, button: 0, pointerId: 1, bubbles: true, view: window}));"""


def report(*arguments, folder="/"):
    return subprocess.run([BINARY, "report", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=folder,
                          env={**os.environ, "HOME": "/nonexistent"})


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def all_run(tmp_path_factory):
    """A short `run all` with errors of several kinds, as its user sees it."""
    storage = start_serve(tmp_path_factory.mktemp("serve"), "--fault", "GET:status=503:p=0.02", "--fault",
                          "PUT:status=500:every=50", "--fault", "*:delay=40ms:p=0.05")
    tool = Loadtest(tmp_path_factory.mktemp("all"))
    result = tool(storage, "run", "all", "--duration", "8s", "--time-scale", "120", "--size", "1KB", "--size", "64KB",
                  "--concurrency", "4", "--stats-interval", "0", "--retries", "2")
    servers.end(storage.process)
    assert result.status == 0, result.stderr
    return result


def without_page(directory, to):
    """A copy of a run directory to change."""
    shutil.copytree(directory, to, ignore=shutil.ignore_patterns("report.html"))
    return to


def test_it_prints_what_the_run_printed(all_run, tmp_path):
    again = report(folder=all_run.log_directory.parent)
    assert again.returncode == 0, again.stderr
    assert again.stdout == all_run.stdout
    directory = without_page(all_run.directory, tmp_path / "copy")
    as_json = report(directory, "--json")
    assert json.loads(as_json.stdout) == json.loads((directory / "summary.json").read_text())
    assert (directory / "report.html").stat().st_size > 200_000


def test_the_page_shows_the_summary_and_asks_for_nothing(all_run, browser):
    page = all_run.directory / "report.html"
    requested(browser)
    open_page(browser, page)
    assert requested(browser) == [page.as_uri()]
    summary = json.loads((all_run.directory / "summary.json").read_text())
    assert browser.execute_script("return document.querySelector('#sentence').textContent") == \
        re.sub(r"\s+", " ", all_run.stdout.strip().split("\n\n")[-1]).strip()
    for pattern, figures in summary["patterns"].items():
        browser.execute_script(f"document.querySelector('[data-pattern={pattern}]').click()")
        rows = browser.execute_script("return [...document.querySelectorAll('#operations tbody tr')].map("
                                      "row => [...row.children].map(cell => cell.textContent))")
        shown = {row[0]: row for row in rows if not re.match(r"\d", row[0])}
        assert set(shown) == set(figures["operations"]), pattern
        for operation, of in figures["operations"].items():
            assert shown[operation][1] == f"{of['count']:,}"
            assert shown[operation][4] == f"{of['errors']:,}"
            if of["response_us"]["max"]:
                expected = browser.execute_script("return ['p50', 'p99', 'max'].map(p => latency(arguments[0][p]))",
                                                  of["response_us"])
                assert [shown[operation][5], shown[operation][8], shown[operation][10]] == expected
        drawn = browser.execute_script(DRAWN)
        assert len(drawn) >= 3 and min(drawn) > 500, (pattern, drawn)
    assert console_errors(browser) == []
    assert requested(browser) == []
    # The course adds up to the total, bursts are where the schedule had them.
    data = browser.execute_script("return data")
    for pattern in data["patterns"]:
        for operation in pattern["operations"]:
            of = summary["patterns"][pattern["name"]]["operations"][operation["name"]]
            assert sum(operation["course"]["count"]) == of["count"]
            heat = sum(sum(column[1::2]) for column in operation["course"]["heat"])
            assert heat == of["outcomes"].get("ok", 0)
    bursts = next(p for p in data["patterns"] if p["name"] == "checkpoint")["phases"]
    assert bursts[0][:2] == [0, pytest.approx(5, abs=.01)] and bursts[0][2] == "burst"
    assert data["stopped_seconds"] == pytest.approx(8, abs=.5)
    # Of all patterns the slowest of each, of one its ten.
    shown = lambda: browser.execute_script("return [...document.querySelectorAll('#slowest tbody tr')].map(row => row.cells[0].textContent)")
    browser.execute_script("document.querySelector('[data-pattern=baseload]').click()")
    assert len(shown()) == 10 and all(text.startswith("baseload ") for text in shown())
    browser.execute_script("document.querySelector('[data-pattern=\"\"]').click()")
    assert sorted(text.split()[0] for text in shown()) == sorted(summary["patterns"])
    schedules = browser.execute_script("return charts.find(c => c.canvas.getAttribute('aria-label') === 'Schedules').data.labels")
    assert schedules == list(summary["patterns"])
    assert "AWS_SECRET" not in page.read_text() and "secret" not in json.dumps(data["run"]).lower()


def test_the_page_says_how_sure_its_figures_are_and_what_its_loop_hides(all_run, browser):
    summary = json.loads((all_run.directory / "summary.json").read_text())
    open_page(browser, all_run.directory / "report.html")
    of_all = browser.execute_script("const card = document.querySelector('#patterns').closest('section'); return [card.innerText, "
                                    "[...card.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))]")
    assert ("in a closed loop a stall of the storage" in of_all[0]) == any("arrivals" not in p for p in summary["patterns"].values())
    words = {True: "yes", False: "no", None: "not known"}
    assert {row[0]: (row[1], row[-1]) for row in of_all[1]} == {
        name: ("open" if "arrivals" in p else "closed", words[p["steady"]["steady"]]) for name, p in summary["patterns"].items()}
    for name, pattern in summary["patterns"].items():
        browser.find_element("css selector", f'[data-pattern="{name}"]').click()
        card = browser.execute_script("return document.querySelector('#certainty').closest('section').innerText")
        assert pattern["steady"]["why"] in card
        assert ("Closed loop: a client that waits begins nothing" in card) == ("arrivals" not in pattern)
        rows = browser.execute_script("return [...document.querySelectorAll('#certainty tbody tr')].map("
                                      "row => [...row.cells].map(cell => cell.textContent))")
        shown = {row[0]: row for row in rows}
        assert set(shown) == {o for o, of in pattern["operations"].items() if "intervals" in of}
        for operation, row in shown.items():
            intervals = pattern["operations"][operation]["intervals"]
            assert [cell == "too few samples" for cell in row[2:]] == \
                [p in intervals["few_samples"] for p in ("p50", "p95", "p99", "p999")], row


def test_hover_zoom_and_reset(all_run, browser):
    open_page(browser, all_run.directory / "report.html")
    browser.execute_script("document.querySelector('[data-pattern=baseload]').click()")
    whole = browser.execute_script("return [time.min, time.max]")

    def point(kind, share, label="Operations"):
        browser.execute_script(POINT, label, kind, share)

    point("mousemove", .4)
    # Chart.js follows the pointer with the next frame.
    tooltip = servers.wait_for("a tooltip", lambda: browser.execute_script(
        "const t = charts.find(c => c.canvas.getAttribute('aria-label') === 'Operations').tooltip;"
        "return t.opacity > 0 && [t.opacity, t.title.join(), t.body.map(b => b.lines.join())]"), 10)
    assert tooltip[0] > 0 and "to" in tooltip[1] and any("GET" in line and "/s" in line for line in tooltip[2])
    point("pointerdown", .25)
    point("pointermove", .5)
    point("pointermove", .75)
    point("pointerup", .75)
    low, high = browser.execute_script("return [time.min, time.max]")
    length = whole[1] - whole[0]
    assert low == pytest.approx(whole[0] + .25 * length, abs=.02 * length)
    assert high == pytest.approx(whole[0] + .75 * length, abs=.02 * length)
    shown = browser.execute_script("return charts.filter(c => c.timed).map(c => [c.scales.x.min, c.scales.x.max])")
    assert len(shown) >= 4 and all(ends == [low, high] for ends in shown)
    point("dblclick", .5)
    assert browser.execute_script("return [time.min, time.max]") == whole
    chart = browser.find_element("css selector", "canvas[aria-label=Operations]")
    chart.send_keys("+")
    low, high = browser.execute_script("return [time.min, time.max]")
    assert high - low == pytest.approx(length / 2) and low == pytest.approx(whole[0] + length / 4)
    chart.send_keys(Keys.ARROW_LEFT)
    assert browser.execute_script("return time.min") == pytest.approx(low - length / 8)
    chart.send_keys("0")
    assert browser.execute_script("return [time.min, time.max]") == whole
    assert console_errors(browser) == []


@pytest.mark.parametrize("width", [360, 900, 1600])
def test_it_fits_screens_dark_and_light(all_run, browser, width):
    open_page(browser, all_run.directory / "report.html", width)
    for pattern in ("", "spiky"):
        browser.execute_script(f"document.querySelector('[data-pattern=\"{pattern}\"]').click()")
        colours = []
        for _ in range(2):
            colours.append(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
            wide = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1], (pattern, wide)
            assert min(browser.execute_script(DRAWN)) > 200
            browser.execute_script("document.querySelector('#theme').click()")
        assert colours[0] != colours[1]
    assert console_errors(browser) == []


def test_paper_is_wide_enough_for_all_of_it(all_run, browser):
    open_page(browser, all_run.directory / "report.html", 680)
    browser.execute_script("document.querySelector('[data-pattern=baseload]').click()")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        wide = browser.execute_script("return [...document.querySelectorAll('table, canvas')].map(e => [e.id, e.getBoundingClientRect().right])")
        assert {"slowest", "errors", "operations"} <= {name for name, _ in wide}
        assert all(right <= 681 for _, right in wide), wide
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def stretched(directory, to, copies):
    """The seconds of a run over and over, as if it had gone on."""
    without_page(directory, to)
    lines = json_lines(directory / "series.jsonl")
    period = lines[-1]["to"]
    histograms = (directory / "histograms.hlog").read_text().splitlines()
    seconds = [line.split(",", 2) for line in histograms if re.match(r"Tag=[\w-]+\.[A-Z-]+,", line)]
    others = [line for line in histograms if not re.match(r"Tag=[\w-]+\.[A-Z-]+,", line)]
    with open(to / "series.jsonl", "w") as series, open(to / "histograms.hlog", "w") as log:
        log.write("".join(line + "\n" for line in others if line[0] in '#"'))
        for copy in range(copies):
            for line in lines:
                series.write(json.dumps({**line, "from": line["from"] + copy * period, "to": line["to"] + copy * period}) + "\n")
            for tag, start, rest in seconds:
                log.write(f"{tag},{float(start) + copy * period:.3f},{rest}\n")
        log.write("".join(line + "\n" for line in others if line[0] == "T"))
    return to, period * copies


def test_an_hour_of_all_patterns_stays_below_two_megabytes(all_run, browser, tmp_path):
    directory, length = stretched(all_run.directory, tmp_path / "hour", 440)
    assert length > 3500
    answer = report(directory)
    assert answer.returncode == 0, answer.stderr
    page = directory / "report.html"
    print(f"\n{length:.0f} s of {len(json_lines(directory / 'series.jsonl'))} lines: {page.stat().st_size:,} bytes")
    assert page.stat().st_size < 2_000_000
    open_page(browser, page)
    browser.execute_script("document.querySelector('[data-pattern=baseload]').click()")
    assert browser.execute_script("return data.covered.length") <= 600
    assert min(browser.execute_script(DRAWN)) > 500
    assert console_errors(browser) == []


def test_a_run_that_was_killed_is_shown_up_to_its_last_second(all_run, browser, tmp_path):
    directory = without_page(all_run.directory, tmp_path / "killed")
    (directory / "summary.json").unlink()
    series = (directory / "series.jsonl").read_text().splitlines(keepends=True)
    (directory / "series.jsonl").write_text("".join(series[:5]) + series[5][:100])
    log = (directory / "histograms.hlog").read_text()
    kept = [line for line in log.splitlines(keepends=True) if not line.startswith(("Tag=total", "Tag=minute"))]
    (directory / "histograms.hlog").write_text("".join(kept) + "Tag=baseload.GET,9.00")
    answer = report(directory)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("The run did not end: these are the figures up to its last recorded second.\n")
    summary = json.loads(report(directory, "--json").stdout)
    lines = [json.loads(line) for line in series[:5]]
    for pattern, figures in summary["patterns"].items():
        for operation, of in figures["operations"].items():
            of_seconds = [line["patterns"][pattern]["operations"].get(operation) for line in lines]
            assert of["count"] == sum(second["count"] for second in of_seconds if second)
            assert of["response_us"]["max"] == pytest.approx(
                max(second.get("response_us", {}).get("max", 0) for second in of_seconds if second), rel=.001)
    assert summary["unfinished"] is True and summary["run"]["seconds"] == pytest.approx(5, abs=.5)
    open_page(browser, directory / "report.html")
    assert "The run did not end" in browser.execute_script("return document.body.textContent")
    facts = browser.execute_script("return [...document.querySelectorAll('dt')].map(name => name.textContent)")
    assert "CPU" in facts and not {"busiest thread", "memory", "timers late by"} & set(facts), "what was not measured"
    assert min(browser.execute_script(DRAWN)) > 200
    assert console_errors(browser) == []


def test_names_that_look_like_html_stay_text(all_run, browser, tmp_path):
    directory = without_page(all_run.directory, tmp_path / "hostile")
    hostile = "</script><script>document.title='taken'</script><!-- & \u2028"
    lines = json_lines(directory / "errors.jsonl")
    lines[0] |= {"key": hostile, "message": hostile}
    (directory / "errors.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with open(directory / "errors.jsonl", "ab") as file:
        file.write(json.dumps({**lines[0], "code": "X"}).encode().replace(b'"X"', b'"\xff\xfe"') + b"\n")
    assert report(directory).returncode == 0
    open_page(browser, directory / "report.html")
    assert browser.title != "taken"
    assert hostile in browser.execute_script("return [...document.querySelectorAll('td')].map(c => c.textContent)")
    assert console_errors(browser) == []


@pytest.mark.parametrize("name, content, message", [
    ("run.json", "{", "run.json:1: it is no JSON"),
    ("run.json", '{"schema":"other/1"}', 'its schema is "other/1"'),
    ("series.jsonl", '{"from":0,"to":1,"patterns":{}}\n{"from"\n{"from":2,"to":3,"patterns":{}}\n', "series.jsonl:2: no JSON"),
    ("histograms.hlog", "#[x]\nTag=total.baseload.GET,0,1,1,HISTxx\n", "histograms.hlog:2: not a histogram"),
    ("errors.jsonl", "[]\n", "errors.jsonl:1: no JSON object"),
    ("summary.json", "[]", "summary.json:1: it is no JSON object"),
])
def test_a_damaged_file_is_named_with_its_line(all_run, tmp_path, name, content, message):
    directory = without_page(all_run.directory, tmp_path / "damaged")
    (directory / name).write_text(content)
    answer = report(directory)
    assert answer.returncode == 2
    assert message in answer.stderr and answer.stderr.count("\n") == 1, answer.stderr
    assert "--html" not in answer.stderr


@pytest.mark.parametrize("missing", [True, False])
def test_without_a_series_there_is_no_page_but_text_and_json(all_run, tmp_path, missing):
    directory = without_page(all_run.directory, tmp_path / "no-series")
    (directory / "series.jsonl").unlink()
    if not missing:
        (directory / "series.jsonl").touch()
    sentence = f"no page was written: {directory}/series.jsonl is missing or empty"
    for arguments, expected in (((), all_run.stdout), (("--json",), (directory / "summary.json").read_text())):
        answer = report(directory, *arguments)
        assert answer.returncode == 0 and answer.stdout == expected
        assert sentence in answer.stderr and answer.stderr.count("\n") == 1, answer.stderr
    answer = report(directory, "--html", tmp_path / "page.html")
    assert answer.returncode == 2 and answer.stderr.startswith("s3loadtest: " + sentence), answer.stderr
    assert not (tmp_path / "page.html").exists() and not (directory / "report.html").exists()


def test_files_that_were_cut_are_refused(all_run, tmp_path):
    directory = without_page(all_run.directory, tmp_path / "cut")
    lines = (directory / "series.jsonl").read_text().splitlines(keepends=True)
    (directory / "series.jsonl").write_text("".join(lines[:3]))
    answer = report(directory)
    assert answer.returncode == 2 and answer.stdout == all_run.stdout
    assert f"no page was written: {directory}/series.jsonl holds " in answer.stderr and "--html" not in answer.stderr, answer.stderr
    shutil.copy(all_run.directory / "series.jsonl", directory)
    log = (directory / "histograms.hlog").read_text()
    (directory / "histograms.hlog").write_text("Tag=baseload.GET,0,1,1,HISTxx\n" + log)
    answer = report(directory)
    assert answer.returncode == 2 and answer.stdout == all_run.stdout
    assert f"no page was written: {directory}/histograms.hlog:1: " in answer.stderr and "--html" not in answer.stderr, answer.stderr
    os.truncate(directory / "histograms.hlog", 3000)
    answer = report(directory)
    assert answer.returncode == 2 and answer.stdout == ""
    assert f"s3loadtest: {directory}/histograms.hlog holds 0 of the " in answer.stderr, answer.stderr


def test_a_page_goes_to_a_file(all_run, tmp_path):
    answer = report(all_run.directory, "--html", "-", folder=tmp_path)
    assert answer.returncode == 2 and "--html" in answer.stderr and "stdout" in answer.stderr, answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run_directory_is_said(tmp_path):
    for arguments, message in (([tmp_path / "none"], "there is no such directory"), ([tmp_path], "it has no run.json"),
                               ([BINARY], "it is a file"), (["a", "b"], "report takes one run directory")):
        answer = report(*arguments)
        assert answer.returncode == 2 and message in answer.stderr, answer.stderr
