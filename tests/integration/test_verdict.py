"""Is it us? Each verdict is caused, demanded, and gone when its cause is taken away."""
import contextlib
import json
import os
import shutil
import subprocess
import sys

import pytest

import servers
from harness import json_lines, start_serve
from network import Link

pytestmark = pytest.mark.alone

KEYS = ("verdictkey", "verdictsecret12345")
# What a link of 100 Mbit/s does, with the queue of a cheap switch in front of it.
NARROW = "tbf rate 100mbit burst 32kb latency 50ms".split()
READS, WRITES = ("mix = {GET = 100}", "mix = {PUT = 100}")


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


@pytest.fixture
def core():
    """taskset to the last core that this process may use."""
    if not shutil.which("taskset"):
        pytest.fail("taskset is missing (Debian: util-linux)")
    return ("taskset", "-c", str(max(os.sched_getaffinity(0))))


@contextlib.contextmanager
def competitors(core, count):
    """Processes that compute without end on that core."""
    busy = [subprocess.Popen([*core, sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def start(loadtest, storage, mix, size, *flags, clients=8, seconds=3, through=(), as_text=False):
    pattern = loadtest.folder / "load.toml"
    pattern.write_text(f'name = "load"\n{mix}\nsizes = ["{size}"]\n')
    return loadtest.start(storage, "run", str(pattern), "--backend", "native", "--prefill", "8", "--concurrency",
                          str(clients), "--duration", f"{seconds}s", *(() if as_text else ("--json",)), *flags,
                          through=through)


def ended(running):
    result = running.wait()
    assert result.status == 0, result.stderr
    return result


def run(*arguments, **options):
    return ended(start(*arguments, **options))


def verdict(result):
    client = result.summary["client"]
    return result.summary["verdict"]["bottleneck"], f'{result.summary["verdict"]["why"]}; {client}'


def demand(result, *wanted):
    found, why = verdict(result)
    assert found in wanted, why


# ---- the client's CPU


def test_one_thread_with_more_than_a_core_can_do_is_the_clients_cpu(loadtest, serve_with, core):
    """A quick storage, a hundred clients, and one core that other programs want as well."""
    storage = serve_with()
    with competitors(core, 2):
        result = run(loadtest, storage, READS, "1KB", "--threads", "1", clients=128, through=core, as_text=True)
    summary = json.loads((result.directory / "summary.json").read_text())
    assert summary["verdict"]["bottleneck"] == "client-cpu", summary["verdict"]["why"]
    client = summary["client"]
    assert client["saturated"] >= 0.5 and client["busy"] >= 0.85
    assert client["run_queue_wait"] > 0.2, "the others had two thirds of the core"
    assert client["run_queue_seconds"] > 0.5
    assert any(line["client"]["busy"] > 0.85 for line in json_lines(result.directory / "series.jsonl"))
    # And whoever reads the table meets it before any figure.
    lines = result.stdout.splitlines()
    assert lines[0].startswith("DO NOT TRUST THESE FIGURES AS THE STORAGE'S: this client's CPU was the limit"), lines[0]
    assert "this client's CPU was the limit, so the storage may be faster" in " ".join(result.stdout.split())
    assert "limit: client-cpu" in lines


def test_the_same_client_without_that_load_is_not_the_limit(loadtest, serve_with, core):
    """The storage now takes its time, and nobody else wants the core."""
    storage = serve_with("--fault", "GET:delay=50ms")
    result = run(loadtest, storage, READS, "1KB", "--threads", "1", clients=16, through=core)
    demand(result, "storage")
    assert result.summary["client"]["busy"] < 0.85


# ---- the network


@pytest.fixture
def across(link, tmp_path):
    """across(*flags) starts a server at the far end of a link; the client's command goes through link.near."""
    started = []

    def start(*flags):
        folder = tmp_path / f"far-{len(started)}"
        folder.mkdir()
        started.append(start_serve(folder, "--listen", f"{Link.FAR}:0", *flags, credentials=KEYS,
                                   prefix=link.far))
        return started[-1]
    yield start
    for storage in started:
        servers.end(storage.process)


@pytest.mark.parametrize("mix", [READS, WRITES], ids=["reads", "writes"])
@pytest.mark.parametrize("congestion", ["cubic", "bbr"])
def test_a_narrow_link_is_the_clients_network(loadtest, link, across, mix, congestion):
    """Whether TCP fills the queue until it loses packets, or keeps it short."""
    try:
        link.control_congestion(congestion)
    except servers.Missing as missing:
        pytest.skip(str(missing))
    # Whoever sends the bodies has them queue at its end.
    link.narrow("far" if mix == READS else "near", *NARROW)
    result = run(loadtest, across(), mix, "1MB", through=link.near)
    demand(result, "client-network")
    figures = result.operation("GET" if mix == READS else "PUT", "load")
    assert 0 < figures["rate"] * 2**20 < 12.5e6
    network = result.summary["client"]["network"]
    assert network["queue_us"]["p50"] > 2000 and network["rtt_us"] < network["queue_us"]["p50"]


@pytest.mark.parametrize("mix", [READS, WRITES], ids=["reads", "writes"])
def test_the_same_link_at_full_width_is_not_the_limit(loadtest, link, across, mix):
    """What moved 12 MB a second before, now slowed down by the storage to about as much."""
    storage = across("--fault", "*:delay=300ms")
    result = run(loadtest, storage, mix, "1MB", clients=4, through=link.near)
    demand(result, "storage")
    assert result.summary["client"]["network"]["queue_us"]["p50"] < 2000


# ---- the storage, and none


def test_a_storage_that_lets_clients_wait_is_the_limit_until_it_keeps_up(loadtest, another_loadtest, serve_with):
    """The same load both times, at the same time, since it is little; a closed loop would ask a quicker storage for more,
    up to the limit of this machine."""
    load = (READS, "1KB", "--rate", "150/s")
    slow = start(loadtest, serve_with("--fault", "GET:delay=250ms"), *load, clients=16)
    quick = run(another_loadtest, serve_with("--fault", "GET:delay=50ms"), *load, clients=16)
    slow = ended(slow)
    demand(slow, "storage")
    assert slow.summary["client"]["waiting"] > 0.9
    assert "waited for the storage" in slow.summary["verdict"]["why"]
    demand(quick, "unknown")
    assert "nothing was at its limit" in quick.summary["verdict"]["why"]


def test_a_storage_that_dribbles_bodies_is_no_narrow_link(loadtest, link, across):
    storage = across("--fault", "GET:slow=700KB/s")
    result = run(loadtest, storage, READS, "1MB", clients=2, seconds=4, through=link.near)
    assert verdict(result)[0] != "client-network", verdict(result)[1]
    network = result.summary["client"]["network"]
    assert network["probes"] > 0 and network["queue_us"]["p50"] < 2000


def test_a_rate_that_is_kept_has_no_limit_until_it_is_too_much(loadtest, another_loadtest, serve_with):
    storage = serve_with("--fault", "GET:delay=50ms")
    kept = start(loadtest, storage, READS, "1KB", "--rate", "100/s", clients=16)
    too_much = run(another_loadtest, storage, READS, "1KB", "--rate", "1000/s", "--worker-id", "1", clients=16)
    kept = ended(kept)
    demand(kept, "unknown")
    assert "kept up with the rate" in kept.summary["verdict"]["why"]
    demand(too_much, "storage")


def test_a_moment_of_load_is_too_little_to_tell(loadtest, serve_with):
    storage = serve_with()
    result = run(loadtest, storage, READS, "1KB", "--operations", "10", clients=2)
    demand(result, "unknown")
    assert "too little to tell" in result.summary["verdict"]["why"]
