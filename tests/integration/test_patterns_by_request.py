"""What the patterns ask of a storage, request by request: every key listed, read, deleted, and when.

S3LOADTEST_PATTERNS=long adds the long forms.
"""
import collections
import os
import re
import time

import pytest

from recording import RecordingStandIn

pytestmark = pytest.mark.alone

LONG = os.environ.get("S3LOADTEST_PATTERNS") == "long"
SMALL = ("--size", "1KB")


@pytest.fixture
def storage():
    stand_in = RecordingStandIn()
    yield stand_in
    stand_in.close()


def keys_of(count, worker=0, pattern="baseload", size="1KB"):
    return [f"loadtest/{worker}/{size}/{pattern}/{1790000000000000 + i}/{i:08x}" for i in range(count)]


def patterns_file(loadtest, *tables):
    """A file of several patterns in the folder where the binary runs."""
    path = loadtest.folder / "mine.toml"
    path.write_text("\n".join(f"[[pattern]]\n{table}\n" for table in tables))
    return str(path)


def builtin(loadtest, name):
    """A pattern of the binary, as one of several in a file."""
    shown = loadtest(None, "patterns", "show", name).stdout
    shown = re.sub(r"^\[\[(\w+)\]\]", r"[[pattern.\1]]", shown, flags=re.M)
    return re.sub(r"^\[(\w+)\]", r"[pattern.\1]", shown, flags=re.M)


# ---- listops ------------------------------------------------------------------------------------------

def test_listops_brings_every_key_to_every_client_once_a_pass(storage, loadtest):
    keys = sorted([*keys_of(10_050), *keys_of(3, worker=10), "loadtest/1/notes.txt"])
    storage.objects = dict.fromkeys([*keys, "elsewhere/key"], b"x")
    result = loadtest(storage.storage, "run", "listops", "--concurrency", "listops=3", "--operations", "99", "--json")

    assert result.status == 0, result.stderr
    assert result.total("errors", "listops") == 0
    listing = {client: [r for r in requests if r.key == "loadtest/"]
               for client, requests in storage.by_client("LIST").items()}
    clients = {client: requests for client, requests in listing.items() if len(requests) > 2}
    assert len(clients) == 3
    assert sum(map(len, clients.values())) == 99
    passes = 0
    for requests in clients.values():
        seen = []
        for request in requests:
            if not request.token:
                assert seen in ([], keys), "a pass was left before its end"
                passes, seen = passes + (seen == keys), []
            seen += request.keys
            assert len(request.keys) <= 1000
        assert seen == keys[:len(seen)], "keys missed, or twice"
        passes += seen == keys
    assert passes >= 7


# ---- delete -------------------------------------------------------------------------------------------

def test_delete_counts_what_the_storage_refuses_and_goes_on(storage, loadtest):
    mine, other = keys_of(3_300, worker=1), keys_of(50, worker=10)
    kept = {key for i, key in enumerate(mine) if i % 11 == 0}
    storage.objects = dict.fromkeys([*mine, *other], b"x")
    storage.refuse = kept.__contains__
    result = loadtest(storage.storage, "run", "delete", "--worker-id", "1", "--concurrency", "delete=4",
                      "--duration", "2s", "--json")

    assert result.status == 0, result.stderr
    keys = result.pattern("delete")["keys"]
    assert (keys["deleted"], keys["refused"]) == (len(mine) - len(kept), len(kept))
    assert set(storage.objects) == kept | set(other)
    asked = [key for request in storage.of("DELETE-BATCH") for key in request.keys]
    assert sorted(asked) == sorted(mine), "each once, none of worker 10"
    assert not [r for r in storage.of("LIST") if r.key.startswith("loadtest/10")]
    assert "refused" in result.stderr + result.stdout


def test_a_page_that_cannot_be_listed_is_asked_for_again_within_the_pass(storage, loadtest):
    mine = keys_of(3_300)
    storage.objects = dict.fromkeys(mine, b"x")
    failed_once = set()

    def once_a_token(request):
        if request.operation != "LIST" or not request.token or request.token in failed_once:
            return None
        failed_once.add(request.token)
        return 500, "InternalError"

    storage.trouble = once_a_token
    result = loadtest(storage.storage, "run", "delete", "--concurrency", "delete=3", "--retries", "0", "--duration",
                      "3s", "--json")

    assert not storage.objects, "the next cycle would come after three minutes"
    assert result.pattern("delete")["keys"]["deleted"] == len(mine)
    failed = [r for r in storage.of("LIST") if r.status == 500]
    assert result.operation("LIST", "delete")["errors"] == len(failed) == 3
    batches = [key for request in storage.of("DELETE-BATCH") for key in request.keys]
    assert sorted(batches) == sorted(mine), "each once"


def test_a_token_that_the_storage_forgot_begins_the_listing_anew(storage, loadtest):
    mine = keys_of(3_300)
    storage.objects = dict.fromkeys(mine, b"x")
    forgotten = []

    def forgets(request):
        if request.operation != "LIST" or not request.token or (forgotten and forgotten[0] != request.token):
            return None
        forgotten.append(request.token)
        return 400, "InvalidArgument"

    storage.trouble = forgets
    result = loadtest(storage.storage, "run", "delete", "--duration", "3s", "--json")

    assert not storage.objects
    assert result.operation("LIST", "delete")["errors"] == len(forgotten) >= 1


# ---- heavyread ----------------------------------------------------------------------------------------

# Writes after three seconds, and then small ones much oftener than large ones.
WRITER = """name = "baseload"
sizes = { "1KB" = 90, "10KB" = 9, "100KB" = 1 }
mix = { PUT = 100 }
client = { delay = ["3s", "3s"] }
clients = { total = 300 }
"""


def test_heavyread_waits_for_keys_of_others_and_reads_their_sizes_equally_often(storage, loadtest):
    own, others = keys_of(50, pattern="heavyread"), keys_of(50, worker=1)
    storage.objects = dict.fromkeys([*own, *others], b"x")
    file = patterns_file(loadtest, WRITER, builtin(loadtest, "heavyread"))
    result = loadtest(storage.storage, "run", file, "--concurrency", "heavyread=8", "--duration", "8s", "--backend",
                      "native", "--seed", "1", "--json")

    assert result.status == 0, result.stderr
    assert result.total("errors", "heavyread") == 0
    assert result.operation("GET", "heavyread")["count"] == len(storage.of("GET"))
    writes, reads = storage.of("PUT"), storage.of("GET")
    assert reads[0].at - writes[0].at < 2, "picked up within a second or so"
    written = {request.key for request in writes}
    assert {request.key for request in reads} <= written, "only what the others wrote"
    # From when every size has a key.
    complete = max(min(r.at for r in writes if r.size == size) for size in ("1KB", "10KB", "100KB"))
    sizes = collections.Counter(r.size for r in reads if r.at > complete + 0.3)
    total = sum(sizes.values())
    assert total > 1000, sizes
    chi_squared = sum((n - total / 3) ** 2 / (total / 3) for n in sizes.values())
    assert len(sizes) == 3 and chi_squared < 13.8, sizes  # 2 degrees of freedom, one in 1000


# ---- Schedules ----------------------------------------------------------------------------------------

def pattern_of(requests):
    """Whose a connection is, by what it was used for."""
    for request in requests:
        if request.operation == "PUT":
            return request.pattern
        if request.operation == "DELETE-BATCH":
            return "delete"
    return "heavyread" if any(request.operation == "GET" for request in requests) else None


def within(times, begin, end):
    return [at for at in times if begin <= at < end]


def check_bursts(times, bursts, end, slack=0.3):
    """That something happened all through these bursts and nothing between them; one that was under way at the
    end of a burst may come a little later. Clients that find no key look again within a second or so."""
    for index, (begin, stop) in enumerate(bursts):
        busy = [begin, *sorted(within(times, begin, stop)), stop]
        assert max(b - a for a, b in zip(busy, busy[1:])) < 2.5, f"silent between {begin} and {stop} s"
        following = bursts[index + 1][0] if index + 1 < len(bursts) else end
        assert not within(times, stop + slack, following - 0.05), f"not silent after {stop} s"


def stretches(times, busy, end, step=0.1, hole=0.25):
    """[begin, end] of each stretch in which more than `busy` a second came; a stall within one is no end of it."""
    counts = collections.Counter(int(at / step) for at in times)
    found = []
    for index in range(int(end / step)):
        if counts[index] <= busy * step:
            continue
        if found and index * step - found[-1][1] < hole:
            found[-1][1] = (index + 1) * step
        else:
            found.append([index * step, (index + 1) * step])
    return found


def check_random_bursts(times, calm_rate, end):
    """One to three bursts of a second in each five, and this rate between them."""
    bursts = stretches(times, 3 * calm_rate, end)
    for window in range(0, int(end) - 4, 5):
        busy = sum(max(0, min(stop, window + 5) - max(begin, window)) for begin, stop in bursts)
        assert 0.8 <= busy <= 3.7, (window, bursts)
    alone = [stop - begin for (_, before), (begin, stop), (after, _) in zip(bursts, bursts[1:], bursts[2:])
             if begin - before > 0.4 and after - stop > 0.4]
    single = [length for length in alone if length < 1.5]
    # A busy machine may cut one in two.
    right = [length for length in single if 0.8 <= length <= 1.3]
    assert len(right) >= 5 and len(right) >= 0.8 * len(single), bursts
    calm = [at for at in times if all(at < begin - 0.1 or at > stop + 0.1 for begin, stop in bursts) and at < end]
    seconds = end - sum(stop - begin + 0.2 for begin, stop in bursts)
    assert len(calm) / seconds == pytest.approx(calm_rate, rel=0.15), bursts


def test_an_hour_and_more_of_four_schedules_in_a_minute(storage, loadtest):
    # checkpoint: 10 s and a gap of 60 s; heavyread: 20 s and 40 s; spiky: bursts of 1 s in windows of 5 s; delete:
    # a pass every 3 s.
    names = ("checkpoint", "heavyread", "spiky", "delete")
    file = patterns_file(loadtest, *(builtin(loadtest, name) for name in names))
    seconds = 72
    result = loadtest(storage.storage, "run", file, *SMALL, "--time-scale", "60", "--duration", f"{seconds}s",
                      "--concurrency", "checkpoint=2", "--concurrency", "heavyread=2", "--concurrency", "spiky=5",
                      "--backend", "native", "--seed", "2", "--json", seconds=100)

    assert result.status == 0, result.stderr
    assert seconds <= result.seconds < seconds + 2
    assert list(result.summary["patterns"]) == list(names)
    times, passes = collections.defaultdict(list), []
    began = min(r.at for r in storage.of("PUT"))
    for requests in storage.by_client("PUT", "GET", "LIST", "DELETE-BATCH").values():
        owner = pattern_of(requests)
        if owner == "delete":
            passes += [r.at - began for r in requests if r.operation == "LIST" and not r.token]
        elif owner:
            times[owner] += [r.at - began for r in requests]

    check_bursts(times["checkpoint"], [(0, 10), (70, 72)], seconds)
    check_bursts(times["heavyread"], [(0, 20), (60, 72)], seconds)
    # A client of delete that has not met a key yet has no batch by which to know it: the first may be missing.
    for cycle in range(1, seconds // 3):
        assert within(passes, 3 * cycle - 0.1, 3 * cycle + 1), f"no pass in cycle {cycle}"
    assert len(passes) <= seconds // 3 + 1
    check_random_bursts(times["spiky"], 20, 70)  # 5 clients at 4 a second
