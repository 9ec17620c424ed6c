"""Disks that are full, at the start or in mid-run, two runs of one worker, and results that nobody can read."""
import json
import pathlib
import re
import subprocess

import pytest

from harness import Loadtest, json_lines
from test_error_table import Row, check, check_discretion, of_storage

RUN = ("run", "baseload", "--size", "1KB", "--retries", "0")


@pytest.fixture(scope="session")
def own_mounts():
    """A command that runs another where a mount of its own is nobody else's business."""
    for command in (["unshare", "-m"], ["unshare", "-Urm"]):
        if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0:
            return command
    pytest.skip("mounting is not allowed here, not even in a namespace")


def on_a_disk(own_mounts, options, script):
    """Runs `script` with a small disk in ./disk; "$@" is the run. What the disk held is kept in ./kept."""
    return (*own_mounts, "sh", "-c", f'mkdir disk && mount -t tmpfs -o {options} none disk && {{ {script}; }}; '
            'status=$?; cp -a disk kept; exit $status', "sh")


def test_a_disk_that_is_full_from_the_start(serve, loadtest, own_mounts):
    # Three inodes: the disk, the run directory and run.json.
    result = loadtest(serve, *RUN, "--operations", "20", "--out", "disk/run",
                      through=on_a_disk(own_mounts, "size=64k,nr_inodes=3", '"$@"'))

    assert result.status == 3, result.stderr
    assert result.stderr == ("s3loadtest: cannot create disk/run/series.jsonl: No space left on device; make room "
                             "there, or choose another place with --out\n")
    assert result.stdout == ""
    assert list((loadtest.folder / "kept").iterdir()) == [], "nothing half-made stays"


def test_a_disk_that_fills_up_costs_lines_and_neither_the_load_nor_the_summary(serve, loadtest, own_mounts):
    fill = ('"$@" & run=$!; n=0; until [ -s disk/run/series.jsonl ] || [ $n = 200 ]; do n=$((n+1)); sleep 0.05; done; '
            'cat /dev/zero > disk/zeros 2>/dev/null; wait $run')
    result = loadtest(serve, *RUN, "--duration", "6s", "--stats-interval", "1s", "--json", "--out", "disk/run",
                      through=on_a_disk(own_mounts, "size=1300k", fill))

    assert result.status == 0, result.stderr
    told = [line for line in result.stderr.splitlines() if " ERROR " in line]
    assert len(told) == 1, "once"
    assert re.search(r" cannot write disk/run/(series.jsonl|histograms.hlog|errors.jsonl): No space left on device; the "
                     "run directory lacks what does not fit, the load goes on$", told[0]), told[0]
    assert result.summary["run"]["seconds"] >= 6
    kept = loadtest.folder / "kept/run"
    assert json.loads((kept / "summary.json").read_text()) == result.summary
    json.loads((kept / "run.json").read_text())
    assert 1 <= len(json_lines(kept / "series.jsonl")) < 6, "whole lines, and not all of them"
    for line in (kept / "histograms.hlog").read_text().splitlines()[3:]:
        assert line.startswith(("Tag=", '"Start')), line
    check_discretion(loadtest.folder, result, serve.secret_key)


def test_a_disk_that_is_nearly_full_from_the_start_still_holds_the_summary(serve, loadtest, own_mounts):
    result = loadtest(serve, *RUN, "--duration", "2s", "--json", "--out", "disk/run",
                      through=on_a_disk(own_mounts, "size=24k", '"$@"'))

    assert result.status == 0, result.stderr
    assert " No space left on device; the run directory lacks what does not fit" in result.stderr
    assert json.loads((loadtest.folder / "kept/run/summary.json").read_text()) == result.summary


def test_a_log_file_that_takes_nothing_is_told_once(serve, loadtest):
    result = loadtest(serve, *RUN, "--operations", "50", environment={"LOADTEST_LOG_FILE": "/dev/full"})

    assert result.status == 0, result.stderr
    told = [line for line in result.stderr.splitlines() if " ERROR " in line]
    assert len(told) == 1
    assert told[0].endswith(" cannot write the log file /dev/full: No space left on device; it lacks what does not fit, "
                            "the load goes on")


def test_a_summary_that_cannot_be_printed_is_in_the_run_directory(serve, loadtest):
    result = loadtest(serve, *RUN, "--operations", "50", "--json",
                      through=("sh", "-c", 'exec "$@" >/dev/full', "sh"))

    assert result.status == 0, result.stderr
    assert result.stderr.splitlines()[-1] == (
        "s3loadtest: cannot write to stdout: No space left on device; send it to a place that has room; summary.json in "
        "the run directory has the figures")
    json.loads((result.directory / "summary.json").read_text())


def test_a_reader_that_goes_away_is_no_error(serve, loadtest):
    result = loadtest(serve, *RUN, "--operations", "50", "--json",
                      through=("sh", "-c", '{ "$@"; echo $? > status; } | head -c 1', "sh"))

    assert result.stdout == "{"
    assert (loadtest.folder / "status").read_text() == "0\n", result.stderr
    assert "s3loadtest:" not in result.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("patterns", "list"), ("run", "--help")])
def test_help_that_cannot_be_printed_is_an_error(loadtest, arguments):
    result = loadtest(None, *arguments, through=("sh", "-c", 'exec "$@" >/dev/full', "sh"))

    assert result.status == 3
    assert result.stderr == ("s3loadtest: cannot write to stdout: No space left on device; send it to a place that has "
                             "room\n")


def test_a_run_directory_that_holds_a_run(serve, loadtest):
    first = loadtest(serve, *RUN, "--operations", "5", "--out", "out")
    assert first.status == 0, first.stderr
    before = {path.name: path.read_bytes() for path in (loadtest.folder / "out").iterdir()}
    row = of_storage(serve, "out holds a run already (run.json); name another directory with --out, or remove it")
    row.status, row.arguments = 2, (*RUN, "--operations", "5", "--out", "out")
    check(row, loadtest)
    assert {path.name: path.read_bytes() for path in (loadtest.folder / "out").iterdir()} == before


# ---- two runs of one worker -----------------------------------------------------------------------------------

@pytest.fixture
def other(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    tool = Loadtest(folder)
    yield tool
    tool.end_all()


def locks(folder):
    return list(pathlib.Path(folder).glob("s3loadtest-*.lock"))


def test_two_runs_of_a_worker_are_told_apart_by_worker_prefix_and_pattern(serve, loadtest, other, tmp_path):
    environment = {"S3LOADTEST_KEY_DIR": str(tmp_path / "keys")}
    running = other.start(serve, *RUN, "--duration", "60s", environment=environment)
    running.wait_until_loading()
    quick = (*RUN, "--operations", "5")

    row = of_storage(serve, "worker 0 runs baseload under loadtest/ of bucket loadtest already (process {pid}, since "
                     "<time>, run directory {directory}); give this run another --worker-id, or wait until that one "
                     "has ended", environment=environment)
    row.status, row.arguments = 2, quick
    directory = (running.log_directory / "latest").resolve()
    result = check(row, loadtest, pid=running.process.pid, directory=directory)
    assert result.seconds < 5
    assert running.process.poll() is None, "the first goes on"

    for remedy in (("--worker-id", "1"), ("--prefix", "mine/")):
        ended = loadtest(serve, *quick, *remedy, environment=environment)
        assert ended.status == 0, ended.stderr
    pattern = loadtest.folder / "other.toml"
    loadtest(None, "patterns", "show", "baseload")
    text = (loadtest.folder / "stdout").read_text()
    pattern.write_text(text.replace('name = "baseload"', 'name = "other"'))
    ended = loadtest(serve, "run", "./other.toml", *quick[2:], environment=environment)
    assert ended.status == 0, "another pattern of the same worker is no conflict: " + ended.stderr

    # A crash frees the worker, and a regular end leaves nothing.
    running.process.kill()
    running.process.wait(10)
    ended = loadtest(serve, *quick, environment=environment)
    assert ended.status == 0, ended.stderr
    assert locks(tmp_path / "keys") == []
