"""A storage that goes away in mid-run and comes back: every client survives it, costs next to nothing
meanwhile, tells the truth, and is back within five seconds."""
import json
import os
import re
import signal
import socket
import time

import pytest

import servers
from harness import start_serve
from network import Link
from watching import Vitals, answers_of

pytestmark = pytest.mark.alone

RUN = ("run", "baseload", "--size", "1KB", "--json", "--concurrency", "16", "--grace", "5s")
BACK_WITHIN = 5.0  # seconds
KEYS = ("outagekey", "outagesecret12345")


@pytest.fixture
def link():
    try:
        made = Link()
    except servers.Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield made
    made.close()


def repeats_often():
    """Whether the system lets a program say how long TCP waits at most before it repeats what was lost."""
    tcp_rto_max_ms = 44  # Linux 6.15
    with socket.socket() as probe:
        try:
            return probe.getsockopt(socket.IPPROTO_TCP, tcp_rto_max_ms) > 0
        except OSError:
            return False


class Outage:
    """A run against an embedded server, through an outage; `prefix`es put client and server elsewhere."""

    def __init__(self, loadtest, folder, *flags, near=(), far=(), host="127.0.0.1", environment=None):
        self.folder, self.far = folder, far
        self.processes, self.starts = [], 0
        self.storage = self.serve("--listen", f"{host}:0", *(environment or ()))
        self.running = loadtest.start(self.storage, *RUN, *flags, through=near)
        self.vitals = Vitals(self.running.process)
        self.answers, poller = answers_of(self.storage.endpoint, folder, far)
        self.processes.append(poller)
        self.running.wait_until_loading()
        began = time.monotonic()
        servers.wait_for("two seconds of load", lambda: time.monotonic() > began + 2, 4, self.running.process)
        self.usual = self.answers.usual_rate(began, began + 2)
        assert self.usual > 50

    def serve(self, *flags):
        folder = self.folder / f"serve-{self.starts}"
        self.starts += 1
        folder.mkdir()
        storage = start_serve(folder, *flags, credentials=KEYS, prefix=self.far)
        self.processes.append(storage.process)
        return storage

    def lasts(self, seconds):
        """The outage, in which the client must not spin."""
        begin = self.broken = time.monotonic()
        servers.wait_for("the outage", lambda: time.monotonic() > begin + seconds, seconds + 2, self.running.process)
        # What was under way may take a moment to fail.
        assert self.vitals.cores_busy(begin + 0.5, begin + seconds) < 0.15, "it spins"

    def is_over(self, within=BACK_WITHIN):
        healed = time.monotonic()
        took = self.answers.recovery(healed, self.usual)
        print(f"back after {took:.1f} s")
        assert took <= within
        return took

    def ends(self, look=lambda: None):
        self.running.signal()
        result = self.running.wait(20)
        self.vitals.assert_flat(self.broken)
        self.found = look()
        for process in self.processes:
            servers.end(process)
        check_counts(result)
        return result


def check_counts(result):
    """The figures agree with each other, whatever happened."""
    for name, figures in result.pattern()["operations"].items():
        outcomes, status = figures["outcomes"], figures["status"]
        assert sum(outcomes.values()) == figures["attempts"], name
        good = outcomes.get("ok", 0) + outcomes.get("not_found", 0)
        assert figures["count"] == good + figures["errors"], name
        assert sum(status.values()) <= figures["attempts"], name
        assert figures["attempts"] - outcomes.get("connect", 0) <= figures["requests"], name
        # An operation may also be cut in the pause before its next attempt.
        assert figures["cancelled"] >= outcomes.get("cancelled", 0), name
    keys = result.pattern()["keys"]
    assert keys["written"] == result.operation("PUT")["outcomes"].get("ok", 0)
    assert "terminate" not in result.stderr and "Sanitizer" not in result.stderr


def test_a_server_that_is_killed_and_started_again(loadtest, tmp_path):
    outage = Outage(loadtest, tmp_path, "--retries", "0")
    port = outage.storage.endpoint.rsplit(":", 1)[1]
    servers.end(outage.storage.process, graceful_seconds=0)
    outage.lasts(4)
    again = outage.serve("--listen", f"127.0.0.1:{port}")
    outage.is_over()
    result = outage.ends(lambda: again.keys("loadtest/"))

    assert result.total("outcomes.connect") > 0
    # Clients wait longer and longer: 0.1, 0.2, 0.4, 0.8, 1.6 s… (a suspect endpoint is all there is).
    assert result.total("outcomes.connect") <= 16 * 8
    # Its memory is gone, and with it what it held: each key is missed once, at most.
    assert 0 < result.total("outcomes.missing") <= result.pattern()["keys"]["written"]
    keys = result.pattern()["keys"]
    # What was lost and not read since is still counted as alive: nobody can know. What is there is known.
    assert 0 < len(outage.found) <= keys["alive"] + keys["unknown"]
    names = result.stderr
    assert "connect from" in names and "missing 404 NoSuchKey" in names


def test_a_server_that_is_killed_for_good_is_named_as_the_reason(loadtest, tmp_path):
    storage = start_serve(tmp_path, credentials=KEYS)
    running = loadtest.start(storage, "run", "baseload", "--size", "1KB", "--rate", "200/s", "--duration", "10s",
                             "--concurrency", "8", "--retries", "0", "--max-backlog", "50", "--grace", "1s")
    servers.wait_for("the load", lambda: len(running.finished_seconds()) >= 4, 20, running.process)
    servers.end(storage.process, graceful_seconds=0)
    result = running.wait(40)
    text = " ".join(result.stdout.split())
    summary = json.loads((result.directory / "summary.json").read_text())
    verdict = summary["verdict"]
    assert verdict["bottleneck"] == "unknown"
    assert re.match(r"the storage, or the way to it, was away: for [567]\.\ds of 1[01]\.\ds no endpoint answered "
                    r"\(operations that failed: connect ", verdict["why"]), verdict["why"]
    assert "most often: connect)" in text
    assert "more intended operations were not sent in time, as clients pause where no endpoint answers" in text
    assert "so the rates say little of the storage's speed." in text
    steady = summary["patterns"]["baseload"]["steady"]
    assert steady["steady"] is False and "stood still from" in steady["why"], steady


def test_a_server_that_freezes_and_thaws(loadtest, tmp_path):
    outage = Outage(loadtest, tmp_path)
    outage.storage.process.send_signal(signal.SIGSTOP)
    outage.lasts(3)
    outage.storage.process.send_signal(signal.SIGCONT)
    assert outage.is_over() < 1.5
    result = outage.ends()

    assert result.total("errors") == 0, "slow is no error"
    slowest = max(figures["response_us"]["max"] for figures in result.pattern()["operations"].values())
    assert 2_900_000 < slowest < 4_500_000


def test_a_link_that_is_unplugged_and_plugged_in_again(link, loadtest, tmp_path):
    outage = Outage(loadtest, tmp_path, near=link.near, far=link.far, host=link.FAR)
    link.unplug()
    outage.lasts(6)
    link.plug()
    outage.is_over()
    outage.ends()


@pytest.mark.parametrize("seconds", [3, 7])
def test_a_link_that_drops_everything_for_a_while(link, loadtest, tmp_path, seconds):
    outage = Outage(loadtest, tmp_path, near=link.near, far=link.far, host=link.FAR)
    link.drop()
    outage.lasts(seconds)
    link.pass_again()
    outage.is_over(BACK_WITHIN if repeats_often() else 2 * seconds)
    result = outage.ends()

    assert result.total("errors") == 0, "TCP brings everything in the end"
