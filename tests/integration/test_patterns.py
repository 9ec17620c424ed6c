"""What the seven patterns do, as the server sees it: shares, bursts and gaps, listings, deletes, ends.

S3LOADTEST_PATTERNS=long adds the long forms.
"""
import collections
import concurrent.futures
import os
import random
import re
import signal
import threading
import time

import pytest

import servers
from harness import ask

pytestmark = pytest.mark.alone

LONG = os.environ.get("S3LOADTEST_PATTERNS") == "long"
SEVEN = ("baseload", "checkpoint", "heavyread", "spiky", "elephant", "delete", "listops")
SMALL = ("--size", "1KB")
GRACE = ("--grace", "1s")


class Timeline:
    """Good answers of serve over time, by operation: sampled twenty times a second until it is left."""

    def __init__(self, storage):
        self.storage, self.samples, self.left = storage, [], threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._sample)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.left.set()
        self.thread.join(15)

    def _sample(self):
        while not self.left.is_set():
            operations = ask(self.storage, "/-/stats")["operations"]
            self.samples.append((time.monotonic(), {name: sum(n for status, n in answers.items() if status != "0xx")
                                                    for name, answers in operations.items()}))
            self.left.wait(0.05)

    def steps(self, *names):
        """(begin, end, {operation: answers}) from sample to sample."""
        return [(a[0], b[0], {name: b[1].get(name, 0) - a[1].get(name, 0) for name in names})
                for a, b in zip(self.samples, self.samples[1:])]

    def stretches(self, is_busy, *names):
        """[begin, end, {operation: answers}] of each row of steps for which is_busy(answers a second)."""
        found, open_one = [], False
        for begin, end, counts in self.steps(*names):
            busy = is_busy(sum(counts.values()) / (end - begin))
            if busy and open_one:
                found[-1][1] = end
                for name in names:
                    found[-1][2][name] += counts[name]
            elif busy:
                found.append([begin, end, counts])
            open_one = busy
        return found


def answers(storage, operation):
    return ask(storage, "/-/stats")["operations"].get(operation, {})


def put(storage, keys):
    """Objects of one byte under these keys."""
    client = storage.boto3(max_pool_connections=8)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=storage.bucket, Key=key, Body=b"x"), keys))


def keys_of(count, worker=0, pattern="baseload"):
    return [f"loadtest/{worker}/1KB/{pattern}/{1790000000000000 + i}/{i:08x}" for i in range(count)]


def write(storage, loadtest, count, *more):
    """That many objects of 1 KiB, by baseload, which boto3 would take a minute for."""
    result = loadtest(storage, "run", "baseload", *SMALL, "--operations", "1", "--prefill", str(count - 1),
                      "--max-keys", "50000", "--concurrency", "16", "--json", *more)
    assert result.status == 0, result.stderr
    return len(storage.keys("loadtest/"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- Shares -------------------------------------------------------------------------------------------

# So many objects are there before, of every size, so that no read has to write its key first.
PREFILL = 100


@pytest.mark.parametrize("pattern, shares, more", [
    ("baseload", {"GET": 0.7, "PUT": 0.3}, ()),
    ("checkpoint", {"GET": 0.1, "PUT": 0.9}, ()),
    # Calm: a window is drawn by the seed, and with this one its first burst comes later.
    ("spiky", {"GET": 0.7, "PUT": 0.3}, ("--concurrency", "1000")),
    ("elephant", {"GET": 0.5, "PUT": 0.5}, ("--concurrency", "1000")),
    ("firehose", {"GET": 0.5, "PUT": 0.5}, ()),
    ("metastorm", {"PUT": 0.3, "HEAD": 0.25, "LIST": 0.25, "DELETE": 0.2}, ("--max-keys", "100000")),
])
def test_operations_are_shared_as_the_table_says(serve, loadtest, pattern, shares, more):
    operations = 20_000
    result = loadtest(serve, "run", pattern, *SMALL, "--operations", str(operations), "--seed", "5", "--prefill",
                      str(PREFILL), "--max-keys", "50000", "--json", *more)

    assert result.status == 0, result.stderr
    check_shares(serve, shares, operations, result, pattern)


def check_shares(storage, shares, operations, result, pattern):
    """As the storage counted them."""
    # Not found is what another client deleted a moment before: an operation all the same.
    done = {name: sum(answers(storage, name).get(status, 0) for status in ("2xx", "4xx")) for name in shares}
    done["PUT"] -= PREFILL
    assert sum(done.values()) == operations and result.operation("PUT", pattern)["seeded"] == 0, done
    assert result.total("errors", pattern) == 0
    for name, share in shares.items():
        assert abs(done[name] / operations - share) <= 0.01, done


@pytest.mark.skipif(not LONG, reason="S3LOADTEST_PATTERNS=long asks for it")
@pytest.mark.parametrize("pattern, reads, operations, seed, more", [
    ("baseload", 0.7, 2_000, 5, ()),
    ("checkpoint", 0.1, 2_000, 5, ()),
    ("spiky", 0.7, 2_000, 5, ("--concurrency", "50")),
    ("elephant", 0.5, 200, 12, ("--concurrency", "1")),
])
def test_all_sizes_are_shared_as_the_table_says(serve, loadtest, pattern, reads, operations, seed, more):
    # The pattern as it ships, but for the speed and delay of slow clients, with which this would take hours.
    file = loadtest.folder / f"{pattern}.toml"
    text = loadtest(serve, "patterns", "show", pattern).stdout
    for field, value in (("speed", "1GB/s"), ("delay", "1ms")):
        text = re.sub(rf'^{field} = .*$', f'{field} = "{value}"', text, flags=re.MULTILINE)
    file.write_text(text)
    result = loadtest(serve, "run", f"./{file.name}", "--operations", str(operations), "--seed", str(seed), "--prefill",
                      str(PREFILL), "--max-bytes", "100GiB", "--backend", "native", "--json", *more, seconds=600)

    assert result.status == 0, result.stderr
    # So few draws may be further off: the seed fixes them to those that are not.
    check_shares(serve, {"GET": reads, "PUT": 1 - reads}, operations, result, pattern)
    by_size = collections.Counter()
    for name in ("GET", "PUT"):
        for size, figures in result.operation(name, pattern)["sizes"].items():
            by_size[size] += figures["count"]
    mean = operations / len(by_size)
    assert len(by_size) == (2 if pattern == "checkpoint" else 6)
    assert sum((n - mean) ** 2 / mean for n in by_size.values()) < 20.5, by_size


# ---- Schedules ----------------------------------------------------------------------------------------

def test_spiky_bursts_one_to_three_times_a_window_one_way_and_is_calm_between(serve, loadtest):
    # 5 minutes and one, 60 times faster: bursts of 1 s in windows of 5 s.
    with Timeline(serve) as seen:
        result = loadtest(serve, "run", "spiky", *SMALL, "--concurrency", "20", "--time-scale", "60",
                          "--duration", "20s", "--seed", "3", "--max-keys", "100000", "--backend", "native", "--json")

    assert result.status == 0, result.stderr
    bursts = [burst for burst in seen.stretches(lambda rate: rate > 800, "GET", "PUT") if burst[1] - burst[0] > 0.5]
    # Two that touch are one to the eye.
    number = sum(round(end - begin) for begin, end, _ in bursts)
    assert 4 <= number <= 12, [end - begin for begin, end, _ in bursts]
    stormed = [counts for begin, end, counts in bursts if round(end - begin) == 1]
    for begin, end, counts in bursts:
        assert abs(end - begin - round(end - begin)) < 0.3, end - begin
    for counts in stormed:
        assert 0.92 <= max(counts.values()) / sum(counts.values()) <= 0.98, counts
    number = sum(sum(counts.values()) for counts in stormed)
    one_way = sum(max(counts.values()) for counts in stormed) / number
    # Within 1% from 20,000 on, which a slow machine may not do in so few seconds.
    assert abs(one_way - 0.95) < max(0.01, 5 * (0.95 * 0.05 / number) ** 0.5), (one_way, number)
    calm_seconds = calm_answers = 0
    for begin, end, counts in seen.steps("GET", "PUT"):
        inside = bursts[0][0] - 0.5 < begin or begin > seen.samples[0][0] + 1
        if inside and all(end < b[0] - 0.1 or begin > b[1] + 0.1 for b in bursts) and end < seen.samples[-1][0] - 0.5:
            calm_seconds += end - begin
            calm_answers += sum(counts.values())
    assert abs(calm_answers / calm_seconds - 80) < 8, "20 clients at 4 operations/s"


# ---- heavyread ----------------------------------------------------------------------------------------

def test_heavyread_without_keys_costs_nothing_and_says_so(serve, loadtest):
    seconds = 65 if LONG else 8
    running = loadtest.start(serve, "run", "heavyread", *SMALL, "--duration", f"{seconds}s", "--json")
    running_since = time.monotonic()
    servers.wait_for("its start", lambda: time.monotonic() - running_since > 1.5, 5, running.process)
    before = cpu_seconds(running.process.pid)
    servers.wait_for("five seconds", lambda: time.monotonic() - running_since > 6.5, 10, running.process)
    used = cpu_seconds(running.process.pid) - before
    result = running.wait(seconds + 7)

    assert result.status == 3, "not one operation succeeded"
    assert used < 0.1, f"{used} CPU seconds in 5 s of waiting"
    assert "GET" not in ask(serve, "/-/stats")["operations"]
    said = [line for line in result.stderr.splitlines() if "clients wait: there is no key" in line]
    assert len(said) == (2 if LONG else 1), "at once, and then once a minute"
    assert "writes nothing" in result.stderr
    assert result.seconds < seconds + 1.5


# ---- delete -------------------------------------------------------------------------------------------

def test_delete_takes_all_of_its_worker_and_nothing_else(serve, loadtest):
    mine = write(serve, loadtest, 3_300, "--worker-id", "1")
    other = keys_of(20, worker=10)
    foreign = ["loadtest/1/notes.txt", "loadtest/1/mine/readme", "loadtest/1/1XB/baseload/abc/def"]
    put(serve, [*other, *foreign])
    result = loadtest(serve, "run", "delete", "--worker-id", "1", "--concurrency", "delete=4", "--duration", "3s",
                      "--json")

    assert result.status == 0, result.stderr
    assert sorted(serve.keys("loadtest/")) == sorted([*other, *foreign])
    keys = result.pattern("delete")["keys"]
    assert (keys["deleted"], keys["refused"], keys["foreign"]) == (mine, 0, 3), "no key twice"
    assert answers(serve, "LIST")["2xx"] >= 4
    assert answers(serve, "DELETE-BATCH")["2xx"] == 4


# ---- listops ------------------------------------------------------------------------------------------

def test_listops_pages_to_the_end_with_every_client(serve, loadtest):
    # The one operation after the prefill may be a read.
    assert 10_049 <= write(serve, loadtest, 10_050) <= 10_050
    before = answers(serve, "LIST").get("2xx", 0)
    # 11 pages a pass and client.
    result = loadtest(serve, "run", "listops", "--concurrency", "listops=3", "--operations", "99", "--json")

    assert result.status == 0, result.stderr
    # And one look whether the keys of the run before are still there.
    assert answers(serve, "LIST")["2xx"] - before == 99 + 1
    assert result.total("errors", "listops") == 0


# ---- All at once --------------------------------------------------------------------------------------

def check_all(result, least_seconds, most_seconds):
    assert result.status == 0, result.stderr
    finals = [line for line in result.stderr.splitlines() if "[FINAL] FINAL:" in line]
    assert len(finals) == 7, finals
    assert sorted(result.summary["patterns"]) == sorted(SEVEN)
    for name in SEVEN:
        assert result.total("count", name) > 0, name
        assert result.total("errors", name) == 0, (name, result.stderr)
        assert sum(f"[{name}:W0]" in line for line in finals) == 1
    assert least_seconds <= result.seconds < most_seconds


def test_all_seven_run_at_once_without_an_error(serve_with, loadtest):
    storage = serve_with("--capacity", "3GiB")
    seconds = 60 if LONG else 25
    result = loadtest(storage, "run", "all", "--duration", f"{seconds}s", "--time-scale", "60", *SMALL, "--size",
                      "10KB", "--concurrency", "elephant=50", "--json")

    check_all(result, seconds, seconds + 11)


def test_the_trouble_of_one_pattern_stalls_no_other(serve_with, loadtest):
    storage = serve_with("--fault", "LIST:status=403")
    result = loadtest(storage, "run", "all", "--duration", "6s", "--time-scale", "60", *SMALL, "--concurrency",
                      "elephant=50", "--json")

    assert result.seconds < 6 + 2
    listing = result.operation("LIST", "listops")
    assert 0 < listing["errors"] == listing["count"]
    for name in ("baseload", "checkpoint", "heavyread", "spiky", "elephant"):
        assert result.total("count", name) > 50, name
        assert result.total("errors", name) == 0, name
    # Nor is the run a failure: what is denied is said.
    assert result.status == 0, result.stderr
    assert "ERROR    this access key may do no LIST under loadtest/0/ in bucket loadtest (403 AccessDenied" in result.stderr
    assert "LIST p50=" not in result.stderr, "none ended well"


# ---- Ends ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("operations", [50, 2000])
def test_all_ends_with_its_operations_whoever_sleeps(serve, loadtest, operations):
    # checkpoint is in its gap, delete has passed, spiky is paced, heavyread may wait for keys.
    result = loadtest(serve, "run", "all", *SMALL, "--operations", str(operations), "--concurrency", "elephant=20",
                      "--json", seconds=30)
    assert result.status == 0 and result.seconds < 15, result.stderr
    names = ("baseload", "checkpoint", "heavyread", "spiky", "elephant", "delete", "listops")
    done = sum(result.total("count", name, without=("TRIM",)) for name in names)
    assert operations - 20 <= done <= operations


@pytest.mark.parametrize("pattern, more", [
    ("baseload", SMALL), ("checkpoint", (*SMALL, "--time-scale", "600")), ("spiky", SMALL), ("delete", ()),
    ("heavyread", (*SMALL, "--time-scale", "2400")), ("listops", ()), ("all", (*SMALL, "--concurrency", "elephant=20")),
])
def test_every_pattern_ends_at_its_duration(serve, loadtest, pattern, more):
    # checkpoint ends in its gap after one second, heavyread after half of one.
    result = loadtest(serve, "run", pattern, *more, "--duration", "2s", *GRACE, "--json")

    # heavyread alone finds nothing to read.
    assert result.status == (3 if pattern == "heavyread" else 0), result.stderr
    assert 2 <= result.seconds < 2 + 1.5


@pytest.mark.parametrize("pattern, more, latest", [
    ("baseload", SMALL, 1), ("spiky", (*SMALL, "--time-scale", "120"), 3), ("delete", ("--time-scale", "180"), 1),
    ("listops", (), 1),
    # Bursts of half a second, gaps of 3 s and 1 s.
    ("checkpoint", (*SMALL, "--time-scale", "1200"), 3), ("heavyread", ("--time-scale", "2400"), 2),
])
def test_sigterm_at_any_time_ends_every_pattern(serve, loadtest, pattern, more, latest):
    draw = random.Random(7)
    for _ in range(5 if LONG else 1):
        running = loadtest.start(serve, "run", pattern, *more, *GRACE, "--json")
        servers.wait_for("the load", lambda: "STATS" in (loadtest.folder / "stderr").read_text() or
                         running.finished_seconds(), 10, running.process)
        moment = time.monotonic() + draw.uniform(0, latest)
        servers.wait_for("the moment", lambda: time.monotonic() >= moment, 10, running.process)
        running.signal(signal.SIGTERM)
        began = time.monotonic()
        result = running.wait(10)
        assert time.monotonic() - began < 1 + 1
        assert result.status == 0, result.stderr
        assert result.summary["run"]["interrupted"] is True


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_elephants_in_the_middle_of_an_object_are_cut_and_their_bytes_counted(serve, loadtest, number):
    # native sends no hash of the body, which takes boto3 a second for so many large ones before the first byte.
    running = loadtest.start(serve, "run", "elephant", "--size", "100MB", "--concurrency", "20", "--backend",
                             "native", "--duration", "4s" if number is None else "1h", *GRACE, "--json")
    if number:
        servers.wait_for("bytes that move", lambda: len(running.finished_seconds()) >= 3, 10, running.process)
        stopped = time.monotonic()
        running.signal(number)
    result = running.wait(20)

    assert result.total("cancelled", "elephant") == 20
    seconds = result.summary["run"]["seconds"]
    in_time = result.total("bytes_moved", "elephant") - result.total("late_bytes", "elephant")
    assert in_time == pytest.approx(20 * 125_000 * (seconds - 0.3), rel=0.15)
    if number:
        assert time.monotonic() - stopped < 2
    else:
        assert result.seconds < 4 + 1 + 1


def test_sigterm_at_any_time_ends_all(serve, loadtest):
    rounds = 10 if LONG else 3
    draw = random.Random(4)
    for _ in range(rounds):
        running = loadtest.start(serve, "run", "all", *SMALL, "--time-scale", "120", "--concurrency", "elephant=20",
                                 *GRACE, "--json")
        running.wait_until_loading()
        moment = time.monotonic() + draw.uniform(0, 2)
        servers.wait_for("the moment", lambda: time.monotonic() >= moment, 5, running.process)
        running.signal(signal.SIGTERM)
        began = time.monotonic()
        result = running.wait(10)
        assert time.monotonic() - began < 1 + 1
        assert result.status == 0, result.stderr
        assert result.summary["run"]["interrupted"] is True


@pytest.mark.skipif(not LONG, reason="S3LOADTEST_PATTERNS=long asks for it")
def test_all_seven_run_with_all_sizes(serve_with, loadtest):
    storage = serve_with("--sndbuf", "64KiB")
    result = loadtest(storage, "run", "all", "--duration", "2m", "--time-scale", "30", "--json", seconds=170)

    check_all(result, 120, 135)
    operations = [result.operation(name, pattern) for pattern in SEVEN for name in result.pattern(pattern)["operations"]]
    cut = [figures for figures in operations if figures["cancelled"]]
    assert cut, "nothing of 100MB was under way at the end"
    assert all(figures["bytes_moved"] > figures["bytes"] for figures in cut), "what was cut has moved bytes"


# ---- Servers of others --------------------------------------------------------------------------------

@pytest.mark.skipif(not LONG, reason="S3LOADTEST_PATTERNS=long asks for it")
@pytest.mark.parametrize("server", ["rgw", "versitygw"])
def test_all_seven_run_on_the_servers_of_others(request, loadtest, server):
    storage = request.getfixturevalue(server).with_new_bucket()
    result = loadtest(storage, "run", "all", "--create-bucket", "--duration", "2m", "--time-scale", "30", *SMALL,
                      "--size", "100KB", "--size", "1MB", "--concurrency", "elephant=100", "--json", seconds=160)

    check_all(result, 120, 132)
