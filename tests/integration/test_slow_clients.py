"""Slow clients, timed at the storage's end of the connection: bytes received of what they send, bytes that
their system acknowledged of what they are sent."""
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

import servers
from harness import ask
from stand_ins import StandIn

pytestmark = pytest.mark.alone

SPEED, SIZE, SLACK = 125_000, 1 << 20, 64 << 10


def bytes_acknowledged(connection):
    return struct.unpack_from("=Q", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), 120)[0]


def moved_by_connection(storage):
    """When, and the bytes received and acknowledged of each connection of the storage, by the client's address."""
    port = storage.endpoint.rsplit(":", 1)[1]
    shown = subprocess.run(["ss", "-tinOH", "state", "established", "sport", "=", f":{port}"], capture_output=True,
                           text=True, check=True, timeout=20).stdout
    moved = {}
    for line in shown.splitlines():
        counts = dict(re.findall(r"bytes_(acked|received):(\d+)", line))
        moved[line.split()[3]] = sum(map(int, counts.values()))
    return time.monotonic(), moved


class MeteringStandIn(StandIn):
    """Keeps (seconds, bytes) of every transfer of a whole object, from the moment when its body may begin."""

    def __init__(self):
        super().__init__()
        self.transfers = {"PUT": [], "GET": []}
        self.clients = set()

    def serve(self, handler):
        if handler.command == "PUT":
            length, body, samples = int(handler.headers["Content-Length"]), b"", [(time.monotonic(), 0)]
            while len(body) < length and (piece := handler.rfile.read1(1 << 20)):
                body += piece
                samples.append((time.monotonic(), len(body)))
            self.objects[handler.path] = body
            self.keep("PUT", handler, samples)
            self.answer(handler, b"")
        elif handler.command == "GET" and handler.path in self.objects:
            self.send_metered(handler, self.objects[handler.path])
        else:
            super().serve(handler)

    def keep(self, method, handler, samples):
        with self.lock:
            self.transfers[method].append(samples)
            self.clients.add(handler.client_address)

    def answer(self, handler, body):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.flush()

    def send_metered(self, handler, body):
        connection = handler.connection
        self.answer(handler, body)
        before, began = bytes_acknowledged(connection), time.monotonic()
        sender = threading.Thread(target=connection.sendall, args=(body,), daemon=True)
        sender.start()
        samples = [(began, 0)]
        while samples[-1][1] < len(body) and samples[-1][0] < began + 30:
            time.sleep(0.005)  # the sampling period
            samples.append((time.monotonic(), min(len(body), bytes_acknowledged(connection) - before)))
        sender.join(1)
        self.keep("GET", handler, samples)


@pytest.fixture
def metering_stand_in():
    stand_in = MeteringStandIn()
    yield stand_in
    stand_in.close()


@pytest.mark.parametrize("backend", ["boto3", "native"])
def test_an_elephant_moves_its_bytes_at_one_megabit_each_way_seen_by_a_metering_stand_in(
        loadtest, metering_stand_in, backend):
    result = loadtest(metering_stand_in.storage, "run", "elephant", "--backend", backend, "--size", "1MB",
                      "--concurrency", "8", "--duration", "17s", "--grace", "20s", "--retries", "0", "--json", seconds=60)
    assert result.status == 0, result.stderr
    assert len(metering_stand_in.clients) == 8, "a connection each, kept"
    for method, transfers in metering_stand_in.transfers.items():
        assert transfers, method
        for samples in transfers:
            began, total = samples[0][0], samples[-1][1]
            assert total == SIZE
            rate = total / (samples[-1][0] - began)
            assert rate == pytest.approx(SPEED, rel=0.01), f"{method}: {rate:.0f} bytes/s"
            ahead = max(moved - SPEED * (at - began) for at, moved in samples)
            assert ahead <= SLACK, f"{method}: {ahead:.0f} bytes ahead of the speed"
    operations = result.summary["patterns"]["elephant"]["operations"]
    assert sum(figures["count"] for figures in operations.values()) == sum(map(len, metering_stand_in.transfers.values()))
    assert all(figures["behind"] == 0 for figures in operations.values())


def test_the_figures_of_a_slow_transfer_move_while_it_lasts_and_a_cut_one_is_cancelled(loadtest, serve):
    result = loadtest(serve, "run", "elephant", "--size", "100MB", "--concurrency", "20", "--duration", "6s",
                      "--grace", "1s", "--stats-interval", "1s", "--backend", "native", "--json", seconds=30)
    put = result.summary["patterns"]["elephant"]["operations"]["PUT"]
    assert put["count"] == 0 and put["cancelled"] == 20
    # 20 clients, for 7 seconds but for their first delay of 0.1 to 0.5 s.
    assert 20 * SPEED * 6 < put["bytes_moved"] < 20 * SPEED * 7
    assert result.seconds < 9
    moved = [float(line.split("bytes=")[1].split("MB")[0]) for line in result.stderr.splitlines()
             if "STATS:" in line and "MB" in line.split("bytes=")[1].split(",")[0]]
    assert len(moved) >= 4 and moved == sorted(set(moved)), moved


def test_the_first_bytes_of_signed_bodies_do_not_wait_for_the_hashes_of_all(loadtest, serve):
    # 40 GB to hash: one after another, so that those at the front begin.
    result = loadtest(serve, "run", "elephant", "--size", "100MB", "--concurrency", "400", "--duration", "4s",
                      "--grace", "1s", "--json", seconds=30)
    put = result.summary["patterns"]["elephant"]["operations"]["PUT"]
    assert put["bytes_moved"] > 2 * SPEED, "more than one client"
    assert result.seconds < 7


def test_a_storage_slower_than_the_slow_clients_is_told(loadtest, serve_with):
    serve = serve_with("--fault", "GET:slow=30KB/s")
    result = loadtest(serve, "run", "elephant", "--size", "100KB", "--concurrency", "4", "--prefill", "4",
                      "--duration", "8s", "--grace", "10s", "--seed", "3", seconds=40)
    summary = json.loads((result.directory / "summary.json").read_text())
    get = summary["patterns"]["elephant"]["operations"]["GET"]
    assert get["count"] > 0 and get["behind"] == get["count"]
    assert "transfers of slow clients were slower than the clients" in " ".join(result.stdout.split())


@pytest.mark.skipif("S3LOADTEST_PATTERNS" not in os.environ, reason="long: S3LOADTEST_PATTERNS=long")
def test_two_thousand_slow_clients_on_one_core_keep_their_speed(loadtest, serve_with):
    serve = serve_with("--sndbuf", "64KiB")
    running = loadtest.start(serve, "run", "elephant", "--backend", "native", "--size", "1MB", "--concurrency", "2000",
                             "--threads", "1", "--duration", "30s", "--grace", "20s", "--json")
    servers.wait_for("the load", lambda: len(running.finished_seconds()) > 10, 30, running.process)
    before = moved_by_connection(serve)
    servers.wait_for("10 s of it", lambda: time.monotonic() - before[0] > 10, 20, running.process)
    after = moved_by_connection(serve)
    result = running.wait(60)
    # Each rests 0.1 to 0.5 s between its objects; what the storage's system acknowledged and received.
    busy = SIZE / SPEED / (SIZE / SPEED + 0.3)
    moved = [after[1][client] - n for client, n in before[1].items()]
    assert len(moved) == 2000
    assert sum(moved) / (after[0] - before[0]) == pytest.approx(2000 * SPEED * busy, rel=0.02)
    assert max(moved) <= SPEED * (after[0] - before[0]) * 1.01 + SLACK
    operations = result.summary["patterns"]["elephant"]["operations"]
    transfers = {name: figures for name, figures in operations.items() if name in ("GET", "PUT")}
    assert sum(figures["behind"] for figures in transfers.values()) == 0
    for name, figures in transfers.items():
        assert figures["response_us"]["p50"] == pytest.approx(SIZE / SPEED * 1e6, rel=0.02), name
        # The time that the bytes took is the service's: without the added delay and the waits for a key.
        for quantile in ("p50", "p90"):
            assert figures["service_us"][quantile] == pytest.approx(SIZE / SPEED * 1e6, rel=0.01), (name, quantile)


@pytest.mark.skipif("S3LOADTEST_PATTERNS" not in os.environ, reason="long: S3LOADTEST_PATTERNS=long")
def test_ten_thousand_slow_clients_stay_connected_and_move(loadtest, serve_with):
    serve = serve_with("--sndbuf", "32KiB")
    running = loadtest.start(serve, "run", "elephant", "--backend", "native", "--size", "100MB", "--concurrency",
                             "10000", "--duration", "30s", "--grace", "1s", "--json")
    servers.wait_for("all of them", lambda: ask(serve, "/-/stats")["connections"] >= 10_000, 30, running.process)
    result = running.wait(60)
    assert result.summary["client"]["reconnects"] == 0
    assert ask(serve, "/-/stats")["accepted"] < 10_100, "each has kept its connection"
    assert result.total("errors", "elephant") == 0
    assert result.total("cancelled", "elephant") == 10_000
    # Together they ask for 1.25 GB/s, more than two cores move: then a thread's seconds come late, several at once
    # (up to 4 s were seen). That every second has its bytes is held for 20 clients above, and not claimed here.
    moved = [(second["to"], sum(o["bytes_moved"] for o in second["patterns"]["elephant"]["operations"].values()))
             for second in running.finished_seconds() if second["patterns"]]
    for begin in range(0, 30, 6):
        assert sum(n for to, n in moved if begin < to <= begin + 6) > 10_000 * SPEED // 4, moved
