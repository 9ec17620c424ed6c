"""Backend proxy: what befalls s3pool counts in what is measured, neither before (the warm-up) nor after (the grace)."""
import os
import signal
import sys
import time

import servers
from test_proxy import LOAD, proxy, running_load, start_foreign  # noqa: F401, two are fixtures


def in_the_grace(loadtest, storage, proxy, program):  # noqa: F811
    """A run whose load is stopped, while operations are under way."""
    running = loadtest.start(storage, *LOAD, "--duration", "3s", "--grace", "20s",
                             settings=proxy.settings(S3POOL_BINARY=str(program)))
    running.wait_until_says("stopping: operations in flight")
    return running


def test_its_cpu_time_and_stops_in_the_grace_are_left_out(serve_with, loadtest, proxy, tmp_path):  # noqa: F811
    stand_in, program = servers.REPOSITORY / "tests/integration/s3pool_stand_in.py", tmp_path / "s3pool"
    # SIGUSR1: uses a CPU for a second, and stops.
    program.write_text(f"""#!{sys.executable}
import os, runpy, signal, sys, time
def work_and_stop(*_):
    until = time.thread_time() + 1
    while time.thread_time() < until:
        pass
    os.kill(os.getpid(), signal.SIGSTOP)
signal.signal(signal.SIGUSR1, work_and_stop)
runpy.run_path({str(stand_in)!r}, run_name="__main__")
""")
    program.chmod(0o755)
    running = in_the_grace(loadtest, serve_with("--fault", "*:delay=2800ms"), proxy, program)
    pid = proxy.pid()
    os.kill(pid, signal.SIGUSR1)
    running.wait_until_says(f"s3pool (process {pid}) is stopped (state T)")
    os.kill(pid, signal.SIGCONT)
    result = running.wait()
    said = result.summary["proxy"]
    assert (said["stopped_seconds"], said["stopped_pid"]) == (0, None)
    assert 0 <= said["cpu_seconds"] < 0.8, "a second was used in the grace"
    assert "was stopped" not in str(result.summary["notes"]) + result.summary["verdict"]["why"]
    proxy.wait_until_gone()


def test_a_death_in_the_grace_is_for_the_log(serve_with, loadtest, proxy):  # noqa: F811
    running = in_the_grace(loadtest, serve_with("--fault", "*:delay=2800ms"), proxy, servers.S3POOL)
    os.kill(proxy.pid(), signal.SIGKILL)
    result = running.wait()
    said = result.summary["proxy"]
    assert (said["deaths"], said["restarts"], said["down_seconds"], said["how_it_died"]) == (0, 0, 0, [])
    assert "s3pool was ended by signal 9; it is started again" in result.stderr
    assert "s3pool died" not in str(result.summary["notes"])
    proxy.wait_until_gone()


def test_a_death_in_the_warm_up_that_lasts_over_its_end_is_told(serve, loadtest, proxy, tmp_path):  # noqa: F811
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\nmkdir {tmp_path}/was-there 2>/dev/null || sleep 4\nexec {servers.S3POOL} \"$@\"\n")
    slow.chmod(0o755)
    running = running_load(loadtest, serve, proxy, "--warmup", "3s", seconds="8s", settings={"S3POOL_BINARY": str(slow)})
    os.kill(proxy.pid(), signal.SIGKILL)
    result = running.wait()
    said = result.summary["proxy"]
    assert (said["deaths"], said["restarts"], said["how_it_died"]) == (0, 1, ["was ended by signal 9"])
    assert 0.5 < said["down_seconds"] < 3.8, "it was away for 4.2 s, some of it in the warm-up"
    assert any(note.startswith("s3pool had died before what was measured began (it was ended by signal 9) and was started "
                               "again once; for ") for note in result.summary["notes"]), result.summary["notes"]
    rendered = " ".join(loadtest(None, "report", str(result.directory)).stdout.split())
    assert f"; s3pool was not there for the first {said['down_seconds']:.1f}s; " in rendered
    proxy.wait_until_gone()


def test_one_of_others_that_ends_is_stopped_no_more(serve, loadtest, proxy, start_foreign):  # noqa: F811
    foreign = start_foreign()
    running = running_load(loadtest, serve, proxy, "--no-proxy", seconds="60s")
    stopped_at = time.monotonic()
    os.kill(foreign.pid, signal.SIGSTOP)
    running.wait_until_says(f"s3pool (process {foreign.pid}) is stopped (state T)")
    os.kill(foreign.pid, signal.SIGKILL)
    running.wait_until_says(f"s3pool (process {foreign.pid}) has ended")
    most = time.monotonic() - stopped_at
    another = start_foreign()
    running.wait_until_says(f"s3pool is there again: process {another.pid}")
    running.signal()
    result = running.wait()
    said = result.summary["proxy"]
    assert 0 < said["stopped_seconds"] <= most and said["stopped_pid"] == foreign.pid
    assert another.poll() is None
