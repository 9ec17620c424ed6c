"""Nodes that are away: one that refuses, one that swallows, one that resets, and addresses of a name."""
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

from harness import ask, json_lines
from misbehaving import Peer, black_hole, saying_nothing
import servers

pytestmark = pytest.mark.alone

KEYS = ("endpointskey", "endpointssecret12345")
DELAY = ("--fault", "*:delay=5ms")  # so that what a node is asked does not hang on which the machine lets compute
WRITES = 'name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n'


@contextlib.contextmanager
def swallowing():
    """A port whose queue of connections is full: what comes is dropped, as by a node that lost its network."""
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                waiting.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def resetting():
    """Accepts, and resets as soon as something is asked; the list has a monotonic count of it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    reset = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(5)
                    connection.recv(1)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    reset.append(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", reset
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def run(tool, storage, endpoints, *flags, through=()):
    pattern = tool.folder / "writes.toml"
    pattern.write_text(WRITES)
    return tool(storage, "run", str(pattern), "--backend", "native", "--max-keys", "1000000", "--json", *flags,
                settings={"S3_ENDPOINTS": ",".join(endpoints)}, through=through)


def test_three_sick_nodes_of_thirty_cost_their_share_and_no_stall(serve_with, loadtest):
    good = serve_with(*["--listen=127.0.0.1:0"] * 27, "--fault", "*:delay=2ms", credentials=KEYS)
    refused = f"http://127.0.0.1:{servers.free_port()}"
    with swallowing() as swallowed, resetting() as (reset, resets):
        nodes = [refused, swallowed, reset, *good.endpoints]
        assert len(nodes) == 30
        result = run(loadtest, good, nodes, "--concurrency", "32", "--threads", "2", "--duration", "6s", "--grace", "1s")
        seen_resets = len(resets)
    assert result.status == 0, result.stderr
    by_url = {endpoint["url"]: endpoint for endpoint in result.summary["endpoints"]}
    put = result.operation("PUT", "writes")
    # No stall: of 32 clients two hang in the node that swallows, one of each thread.
    lines = json_lines(result.directory / "series.jsonl")[:6]
    seconds = [line["patterns"]["writes"]["operations"]["PUT"]["count"] for line in lines]
    assert len(seconds) == 6 and min(seconds) > 0.4 * sorted(seconds)[3], seconds
    assert put["response_us"]["p99"] < 1_000_000
    assert put["errors"] < 0.01 * put["count"]
    for url in (refused, reset):
        suspect = by_url[url]["suspect"]
        assert suspect["times"] >= 2 and suspect["seconds"] > 4.5, (url, suspect)
        # After 0.1, 0.2, 0.4 … s: five probes a thread in 6 s, unless a thread came late.
        assert 6 <= suspect["probes"] <= 12, (url, suspect)
        assert 8 <= by_url[url]["attempts"] <= 60, (url, by_url[url])
        assert "gone round for" in by_url[url]["outlier"], url
    assert by_url[refused]["outcomes"] == {"connect": by_url[refused]["attempts"]}
    assert by_url[reset]["outcomes"] == {"reset": by_url[reset]["attempts"]}
    assert seen_resets >= by_url[reset]["attempts"]
    # Its clients' connects hang until the end cuts them.
    assert by_url.get(swallowed, {"attempts": 0})["attempts"] == 0
    assert put["cancelled"] <= 32
    others = [by_url[url] for url in nodes[3:]]
    assert all(endpoint["suspect"] == {"times": 0, "seconds": 0, "probes": 0} for endpoint in others)
    counts = [endpoint["attempts"] for endpoint in others]
    assert max(counts) - min(counts) <= 0.05 * max(counts) + 40, "in turn"


def test_a_node_that_comes_back_gets_its_share_again(serve_with, loadtest, tmp_path):
    stays = serve_with(credentials=KEYS)
    port = servers.free_port()
    pattern = loadtest.folder / "writes.toml"
    pattern.write_text(WRITES)
    running = loadtest.start(stays, "run", str(pattern), "--backend", "native", "--max-keys", "1000000", "--json",
                             "--concurrency", "8", "--duration", "7s",
                             settings={"S3_ENDPOINTS": f"{stays.endpoint},http://127.0.0.1:{port}"})
    running.wait_until_loading()
    comes = serve_with("--listen", f"127.0.0.1:{port}", credentials=KEYS)
    result = running.wait()
    assert result.status == 0, result.stderr
    away, = [endpoint for endpoint in result.summary["endpoints"] if endpoint["url"] == comes.endpoint]
    assert away["suspect"]["times"] >= 1 and away["suspect"]["probes"] >= 1
    assert 0.2 < away["suspect"]["seconds"] < 6.5
    assert away["outcomes"]["ok"] > 200


def through_hosts(folder, lines):
    """A command that runs another where those lines are /etc/hosts."""
    if not shutil.which("unshare"):
        pytest.skip("needs unshare (Debian: util-linux)")
    hosts = folder / "hosts"
    hosts.write_text(lines)
    through = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
               'mount --bind "$1" /etc/hosts && shift && exec "$@"', "sh", str(hosts))
    if subprocess.run([*through, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace may be made here")
    return through


def test_all_addresses_of_a_name_are_used_and_a_dead_one_costs_no_operation(serve_with, loadtest, tmp_path):
    one = serve_with("--listen", "127.0.0.2:0", *DELAY, credentials=KEYS)
    port = one.endpoint.rsplit(":", 1)[1]
    other = serve_with("--listen", f"127.0.0.3:{port}", *DELAY, credentials=KEYS)
    through = through_hosts(tmp_path, "127.0.0.2 cluster\n127.0.0.3 cluster\n127.0.0.4 cluster\n127.0.0.1 localhost\n")
    result = run(loadtest, one, [f"http://cluster:{port}"], "--operations", "3000", "--concurrency", "12",
                 through=through)
    assert result.status == 0, result.stderr
    put = result.operation("PUT", "writes")
    assert put["errors"] == 0 and put["count"] == put["attempts"] == 3000
    endpoint, = result.summary["endpoints"]
    assert endpoint["attempts"] == 3000 and endpoint["suspect"]["times"] == 0
    shares = [ask(node, "/-/stats")["operations"]["PUT"]["2xx"] for node in (one, other)]
    # Of twelve clients four met the dead address, and go on to the next one together.
    assert sum(shares) == 3000 and min(shares) > 500


def test_a_hanging_address_of_a_name_holds_one_client_of_a_thread_and_is_named(serve_with, loadtest, tmp_path):
    """Its connect deadline is that of the address: the client that met it goes on to one that answers."""
    with black_hole("127.0.0.4") as port:
        nodes = [serve_with("--listen", f"127.0.0.{i}:{port}", *DELAY, credentials=KEYS) for i in (2, 3)]
        through = through_hosts(tmp_path, "".join(f"127.0.0.{i} cluster\n" for i in (2, 3, 4)) + "127.0.0.1 localhost\n")
        result = run(loadtest, nodes[0], [f"http://cluster:{port}"], "--duration", "12s", "--concurrency", "12",
                     "--threads", "1", through=through)
    assert result.status == 0, result.stderr
    put = result.operation("PUT", "writes")
    assert put["errors"] == 0 and put["count"] == put["attempts"]
    # One client waited for the deadline, and the others for nothing.
    assert put["response_us"]["max"] > 9_900_000 and put["response_us"]["p999"] < 1_000_000
    endpoint, = result.summary["endpoints"]
    away, = endpoint["suspect"]["addresses"]
    assert away == f"127.0.0.4:{port}"
    assert any(note.startswith(f"away: address {away} of http://cluster:{port}: ") for note in result.summary["notes"])


def test_ipv6_and_a_mixed_list_are_used(serve_with, loadtest):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    six = serve_with("--listen", "[::1]:0", *DELAY, credentials=KEYS)
    four = serve_with(*DELAY, credentials=KEYS)
    result = run(loadtest, four, [six.endpoint, four.endpoint], "--operations", "500", "--concurrency", "4", "--threads",
                 "1")
    assert result.status == 0, result.stderr
    shares = [endpoint["outcomes"] for endpoint in result.summary["endpoints"]]
    assert sum(share.pop("ok") for share in shares) == 500 and shares == [{}, {}]
    assert all(endpoint["attempts"] > 240 for endpoint in result.summary["endpoints"]), "in turn, once they were met"


def silent_in(result):
    """By URL: how many attempts waited to the end, of the endpoints of which that is said."""
    return {endpoint["url"]: endpoint["silent"]["attempts"] for endpoint in result.summary["endpoints"]
            if endpoint["silent"]["attempts"]}


def test_a_node_that_accepts_and_says_nothing_is_named(serve_with, loadtest):
    good = serve_with(*["--listen=127.0.0.1:0"] * 3, *DELAY, credentials=KEYS)
    with Peer(saying_nothing) as mute:
        result = run(loadtest, good, [*good.endpoints, mute.endpoint], "--concurrency", "8", "--threads", "2",
                     "--duration", "3s", "--grace", "0s")
    assert result.status == 0, result.stderr
    assert silent_in(result) == {mute.endpoint: 2}, "one client of each thread; the others are merely under way"
    note, = result.summary["notes"]
    assert note.startswith(f"silent: {mute.endpoint}: clients waited for an answer until the end of the run (2 attempts, ")
    warnings = [line for line in result.stderr.splitlines() if "WARNING" in line and "waited for an answer" in line]
    assert len(warnings) == 1 and mute.endpoint in warnings[0], result.stderr
    page = (result.directory / "report.html").read_text()
    assert "2 more attempts got no answer until the end of the run" in page and "silent: " in page


def test_a_storage_that_stops_answering_is_named_though_it_is_the_only_one(serve_with, loadtest):
    only = serve_with(*DELAY, credentials=KEYS)
    pattern = loadtest.folder / "writes.toml"
    pattern.write_text(WRITES)
    running = loadtest.start(only, "run", str(pattern), "--backend", "native", "--json", "--concurrency", "4", "--duration",
                             "4s", "--grace", "0s")
    running.wait_until_loading()
    os.kill(only.process.pid, signal.SIGSTOP)
    try:
        result = running.wait()
    finally:
        os.kill(only.process.pid, signal.SIGCONT)
    assert silent_in(result) == {only.endpoint: 4}
    assert any(note.startswith(f"silent: {only.endpoint}: ") for note in result.summary["notes"])


def test_slow_answers_and_transfers_that_the_end_cuts_are_no_silence(serve_with, loadtest):
    slow = serve_with("--fault", "*:delay=700ms", credentials=KEYS)
    result = run(loadtest, slow, [slow.endpoint], "--concurrency", "16", "--duration", "4s", "--grace", "0s")
    assert result.operation("PUT", "writes")["cancelled"] == 16
    assert silent_in(result) == {} and result.summary["notes"] == []
    fast = serve_with(credentials=KEYS)
    result = loadtest(fast, "run", "elephant", "--size", "100MB", "--concurrency", "4", "--duration", "4s", "--grace", "0s",
                      "--json")
    assert silent_in(result) == {} and not any(note.startswith("silent") for note in result.summary["notes"])
