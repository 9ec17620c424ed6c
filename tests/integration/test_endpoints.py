"""One node of thirty that is slow, fails or is away: named by its address, and nobody else is."""
import json
import signal

import pytest

from browser import chromium, console_errors, open_page
from harness import json_lines
import servers

pytestmark = pytest.mark.alone

KEYS = ("endpointskey", "endpointssecret12345")
EVERYBODY = ("--fault", "*:delay=2ms")  # what the machine adds to it is little beside that
NODES = 30


@pytest.fixture
def cluster(serve_with):
    """cluster(*faults of the first nodes): thirty endpoints; those with faults are servers of their own, the others
    one that listens on many addresses."""
    def start(*special):
        nodes = [serve_with(*faults, credentials=KEYS).endpoint for faults in special]
        good = serve_with(*["--listen=127.0.0.1:0"] * (NODES - len(nodes)), *EVERYBODY, credentials=KEYS)
        return good, nodes + good.endpoints

    return start


def load(tool, good, nodes, *flags, seconds=5, start=False):
    pattern = tool.folder / "writes.toml"
    # Each server has objects of its own: what one was sent, another cannot be asked for.
    pattern.write_text('name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n')
    call = tool.start if start else tool
    return call(good, "run", str(pattern), "--backend", "native", "--concurrency", "32", "--threads", "1",
                "--max-keys", "1000000", "--duration", f"{seconds}s", *flags, settings={"S3_ENDPOINTS": ",".join(nodes)})


def outliers(summary):
    return {e["url"]: e["outlier"] for e in summary["endpoints"] if e["outlier"]}


def test_a_slow_and_a_failing_node_of_thirty_are_named_and_no_other(loadtest, cluster):
    good, nodes = cluster(("--fault", "*:delay=8ms"), ("--fault", "PUT:status=500:p=0.12", *EVERYBODY))
    slow, failing, *fine = nodes
    result = load(loadtest, good, nodes)
    assert result.status == 0, result.stderr
    summary = json.loads((result.directory / "summary.json").read_text())
    assert set(outliers(summary)) == {slow, failing}, outliers(summary)
    slow_note, = [note for note in summary["notes"] if note.startswith("slow: ")]
    failing_note, = [note for note in summary["notes"] if note.startswith("failing: ")]
    assert slow_note.startswith(f"slow: {slow} PUT p50 ") and slow_note.endswith("(median of 29)")
    assert failing_note.startswith(f"failing: {failing}: ") and "(server_error " in failing_note
    assert not any(node + " " in note or node + ":" in note for node in fine for note in summary["notes"])
    text = " ".join(result.stdout.split())
    assert f"note: {slow_note}" in text and f"note: {failing_note}" in text
    assert slow_note in (result.directory / "report.html").read_text()

    assert [e["url"] for e in summary["endpoints"]] == nodes
    for endpoint in summary["endpoints"]:
        puts = endpoint["operations"]["PUT"]
        assert puts["attempts"] == sum(puts["outcomes"].values()) > 100
        assert puts["errors"] == puts["outcomes"].get("server_error", 0)
    total = summary["patterns"]["writes"]["operations"]["PUT"]
    assert sum(e["attempts"] for e in summary["endpoints"]) == total["attempts"] - total["outcomes"].get("cancelled", 0)
    by_url = {e["url"]: e["operations"]["PUT"]["service_us"] for e in summary["endpoints"]}
    assert by_url[slow]["p50"] >= 8000
    assert all(2000 <= by_url[node]["p50"] < 8000 for node in fine)
    # What a reader of HdrHistogram finds under the endpoint's tag is what the summary says.
    log = result.histograms()
    assert abs(log[f"total.endpoints.{slow}.PUT"].get_value_at_percentile(50) / by_url[slow]["p50"] - 1) < .002
    assert log[f"total.endpoints.{slow}.PUT"].get_total_count() == \
        summary["endpoints"][0]["operations"]["PUT"]["outcomes"]["ok"]

    again = loadtest(None, "report", str(result.directory), "--json", settings={"S3LOADTEST_LOG_DIR": "logs"})
    assert again.summary["endpoints"] == summary["endpoints"] and again.summary["notes"] == summary["notes"]
    text_again = loadtest(None, "report", str(result.directory), settings={"S3LOADTEST_LOG_DIR": "logs"}).stdout
    assert f"note: {slow_note}" in " ".join(text_again.split())

    with chromium() as driver:
        open_page(driver, result.directory / "report.html", width=390)
        rows = driver.execute_script("return [...document.querySelectorAll('#endpoints tbody tr')].map("
                                     "row => [row.className, ...[...row.children].map(cell => cell.textContent)])")
        assert {row[1] for row in rows[:2]} == {slow, failing} and [row[0] for row in rows] == ["outlier"] * 2 + [""] * 28
        widths = driver.execute_script("return [...document.querySelectorAll('#endpoints .bar')].map("
                                       "bar => bar.getBoundingClientRect().width)")
        assert len(widths) == NODES and sorted(widths)[-1] > 2 * sorted(widths)[-2] > 0, widths
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
        assert console_errors(driver) == []


def test_of_thirty_nodes_that_are_alike_none_is_named(loadtest, cluster):
    good, nodes = cluster(EVERYBODY, EVERYBODY)
    result = load(loadtest, good, nodes, "--json")
    assert result.status == 0, result.stderr
    assert len(result.summary["endpoints"]) == NODES
    assert outliers(result.summary) == {} and result.summary["notes"] == []


def test_a_node_that_refuses_connections_is_unreachable(loadtest, cluster, serve_with):
    good, nodes = cluster(EVERYBODY)
    away = f"http://127.0.0.1:{servers.free_port()}"
    result = load(loadtest, good, [*nodes[:9], away], "--json", seconds=4)
    assert set(outliers(result.summary)) == {away}, result.stderr
    assert outliers(result.summary)[away].startswith(f"unreachable: {away}: none of ")
    assert "(connect " in outliers(result.summary)[away]


def test_one_endpoint_alone_is_no_outlier_and_takes_no_room(loadtest, serve):
    result = load(loadtest, serve, [serve.endpoint], "--json", seconds=1)
    endpoint, = result.summary["endpoints"]
    assert endpoint["url"] == serve.endpoint and endpoint["outlier"] is None and result.summary["notes"] == []
    assert not any(tag.startswith("minute.endpoints.") for tag in result.histograms())
    assert not any("endpoints" in line for line in json_lines(result.directory / "series.jsonl"))


def test_a_killed_run_is_told_of_its_slow_node_up_to_its_last_whole_minute(loadtest, minute_on_six_nodes):
    nodes, running = minute_on_six_nodes
    servers.wait_for("a minute", lambda: any("endpoints" in line for line in running.finished_seconds()), 80,
                     running.process)
    running.signal(signal.SIGKILL)
    killed = running.wait()
    told = loadtest(None, "report", str(killed.directory), "--json", settings={"S3LOADTEST_LOG_DIR": "logs"})
    assert told.summary["unfinished"] is True
    assert set(outliers(told.summary)) == {nodes[0]}
    assert told.summary["notes"] == [outliers(told.summary)[nodes[0]]]
    assert all(e["operations"]["PUT"]["outcomes"]["ok"] > 550 for e in told.summary["endpoints"]), told.summary
