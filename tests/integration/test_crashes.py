"""kill -9 of client or server at random moments: what is on disk stays readable, and the next run starts clean
and names what it found. S3LOADTEST_CRASHES=50 for the long form."""
import itertools
import json
import os
import random
import re
import subprocess
import time

import pytest

import servers
from harness import BINARY, Loadtest, json_lines, read_histograms, start_serve
from test_outages import KEYS, check_counts

CRASHES = int(os.environ.get("S3LOADTEST_CRASHES", "10"))
SEED = int(os.environ.get("S3LOADTEST_CRASH_SEED", "1"))
RUN = ("run", "baseload", "--size", "1KB", "--concurrency", "4", "--bandwidth", "1MB/s")

# Where a run is when it is killed: its flags, and between which seconds after its start.
MOMENTS = {
    "start": ((), 0.0, 0.15),
    "prefill": (("--prefill", "4000"), 0.05, 0.5),
    "load": ((), 0.3, 2.5),
    "end": (("--duration", "1s"), 1.0, 1.25),
}


def pause(seconds):
    until = time.monotonic() + seconds
    servers.wait_for("the moment", lambda: time.monotonic() >= until, seconds + 1)


def lines_but_a_torn_last(path):
    if not path.exists():
        return []
    whole = path.read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def check_directory(directory):
    """Everything in it is readable by others' tools; whether its summary is there."""
    if not (directory / "run.json").exists():
        # Killed while it was made: nothing but what was being written.
        assert all(path.name.startswith(".run.json.") for path in directory.iterdir()), list(directory.iterdir())
        return False
    run = json.loads((directory / "run.json").read_text())
    assert run["id"] == directory.name
    seconds = lines_but_a_torn_last(directory / "series.jsonl")
    for before, after in itertools.pairwise(seconds):
        # The threads end a second within a few milliseconds.
        assert abs(before["to"] - after["from"]) < 0.3, "no second is missing"
    lines_but_a_torn_last(directory / "errors.jsonl")
    ok = sum(o["outcomes"].get("ok", 0) for line in seconds
             for o in line["patterns"].get("baseload", {}).get("operations", {}).values())
    hlog = directory / "histograms.hlog"
    if hlog.exists() and hlog.read_text().count("\n") >= 4:
        recorded = sum(histogram.get_total_count() for tag, histogram in read_histograms(directory).items()
                       if not tag.startswith("total."))
        # Each second goes there first.
        assert recorded >= ok
    else:
        assert not seconds
    if not (directory / "summary.json").exists():
        return False
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["schema"] == "s3loadtest.summary/1" and summary["run"]["id"] == directory.name
    assert ok == sum(o["outcomes"].get("ok", 0) for o in summary["patterns"]["baseload"]["operations"].values())
    return True


class Machine:
    """A user's directory in which runs are killed, and the storage that they share."""

    def __init__(self, loadtest, storage):
        self.loadtest, self.storage = loadtest, storage
        self.logs, self.keys = loadtest.folder / "logs", loadtest.folder / "keys"

    def start(self, *flags):
        return self.loadtest.start(self.storage, *RUN, *flags, settings={"S3LOADTEST_KEY_DIR": str(self.keys)})

    def left(self):
        """The run directory that a killed run wrote into its lock file; None where it came less far."""
        locks = list(self.keys.glob("*.lock")) if self.keys.exists() else []
        lines = locks[0].read_text().splitlines() if locks else []
        return lines[2] if len(lines) > 2 and lines[2] else None

    def directories(self):
        return [path for path in self.logs.iterdir() if path.is_dir() and not path.is_symlink()] \
            if self.logs.exists() else []

    def check_links(self):
        for link in [path for path in self.logs.glob("*") if path.is_symlink()]:
            assert link.exists() or link.name.endswith(".log"), f"{link} points nowhere"


def unfinished(stderr):
    return re.findall(r"WARNING .*the run before this one \(process \d+, since \S+\) did not end: (\S+)", stderr)


def test_a_client_that_is_killed_at_any_moment_leaves_what_it_measured(serve, loadtest):
    chance, machine = random.Random(SEED), Machine(loadtest, serve)
    left, summaries, found = None, 0, []
    for number in range(CRASHES):
        kind = list(MOMENTS)[number % len(MOMENTS)]
        flags, earliest, latest = MOMENTS[kind]
        running = machine.start(*flags)
        pause(chance.uniform(earliest, latest))
        running.process.kill()
        stderr = running.wait(10).stderr
        named = unfinished(stderr)
        assert "did not end" not in stderr or named
        if left and "clients of baseload" in stderr:
            assert named == [left], f"crash {number} ({kind})"
            found.append(left)
        before, left = left, machine.left()
        # One that was killed before it had a directory took the place of the one before: nothing else is lost.
        assert left or not before or before in "".join(stderr) or "clients of baseload" not in stderr
        if machine.logs.exists():
            machine.check_links()
            summaries += sum(check_directory(directory) for directory in machine.directories()[-1:])
    for directory in machine.directories():
        check_directory(directory)

    result = loadtest(serve, *RUN, "--operations", "300", "--json", settings={"S3LOADTEST_KEY_DIR": str(machine.keys)})
    assert result.status == 0, result.stderr
    assert unfinished(result.stderr) == ([left] if left else [])
    assert result.total("errors") == 0
    assert (machine.logs / "latest").resolve() == result.directory and check_directory(result.directory)
    again = loadtest(serve, *RUN, "--operations", "300", "--json", settings={"S3LOADTEST_KEY_DIR": str(machine.keys)})
    assert again.status == 0 and "did not end" not in again.stderr, "said once, by the run after it"
    assert found, "no run was killed while it was under way"
    print(f"{CRASHES} crashes, {len(machine.directories())} run directories, {len(found)} named")


def test_a_killed_run_is_named_with_what_it_left(serve, loadtest):
    machine = Machine(loadtest, serve)
    running = machine.start()
    servers.wait_for("two seconds", lambda: len(running.finished_seconds()) >= 2, 10, running.process)
    latest = running.log_directory / "latest"

    def first_line():
        command = [BINARY, "report", latest]
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.split("\n")[0]

    assert first_line() == "The run is still going: these are the figures up to now."
    running.process.kill()
    running.wait(10)
    assert first_line() == "The run did not end: these are the figures up to its last recorded second."
    last = json_lines(running.log_directory / "latest" / "series.jsonl")[-1]
    keys = last["patterns"]["baseload"]["keys"]
    directory = machine.left()
    result = loadtest(serve, *RUN, "--operations", "50", settings={"S3LOADTEST_KEY_DIR": str(machine.keys)})

    assert result.status == 0
    objects = f"{int(keys['alive'] + keys['unknown']):,}"
    assert (f"did not end: {directory} holds its first {round(last['to'])}s; it left about {objects} objects under "
            "loadtest/0/ in bucket loadtest: this run goes on with those that the key journal names") in result.stderr
    assert "did not end" in (result.directory / "run.log").read_text()


def test_a_server_that_is_killed_at_any_moment_leaves_a_client_that_goes_on(loadtest, tmp_path):
    chance, started = random.Random(SEED + 1000), []

    def serve(listen):
        folder = tmp_path / f"serve-{len(started)}"
        folder.mkdir()
        started.append(start_serve(folder, "--listen", listen, credentials=KEYS))
        return started[-1]

    try:
        storage = serve("127.0.0.1:0")
        address = storage.endpoint.removeprefix("http://")
        running = loadtest.start(storage, *RUN, "--json", "--retries", "1")
        running.wait_until_loading()
        for _ in range(CRASHES // 2):
            pause(chance.uniform(0.1, 1.2))
            servers.end(started[-1].process, graceful_seconds=0)
            pause(chance.uniform(0, 0.5))
            serve(address)
        # Back for good: clients wait for five seconds at most.
        pause(5)
        running.signal()
        result = running.wait(15)
    finally:
        for storage in started:
            servers.end(storage.process, graceful_seconds=0)

    assert result.status in (0, 1), result.stderr
    check_counts(result)
    assert result.total("outcomes.connect") + result.total("outcomes.reset") + result.summary["client"]["reconnects"] > 0
    assert check_directory(result.directory)
    assert json_lines(result.directory / "series.jsonl")[-1]["patterns"]["baseload"]["operations"]["GET"]["outcomes"]["ok"]


def test_a_server_that_is_killed_while_a_run_prefills_ends_it_with_one_sentence(serve_with, loadtest, tmp_path):
    folder = tmp_path / "doomed"
    folder.mkdir()
    storage = start_serve(folder)
    running = loadtest.start(storage, *RUN, "--prefill", "100000")
    servers.wait_for("the prefill", lambda: "clients of baseload" in (running.folder / "stderr").read_text(), 10,
                     running.process)
    pause(0.3)
    servers.end(storage.process, graceful_seconds=0)
    result = running.wait(20)

    assert result.status == 3
    assert "the prefill could not write all of its objects" in result.stderr.splitlines()[-1]
    assert not check_directory(result.directory)
