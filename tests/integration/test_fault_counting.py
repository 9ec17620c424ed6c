"""Of every kind of fault, 20,000 operations at 1%: what the client counts is what the server did, attempt for
attempt, with retries and without.

Whatever the fault, each run must balance: the server saw as many requests as the client sent; of each operation
and class of status it answered as many as the client got; and it accepted as many connections as the client made.
"""
import dataclasses
import re
import signal

import pytest

import servers
from harness import ask

OPERATIONS, SHARE = 20_000, 0.01
PATTERN = """name = "counting"
sizes = ["1KB"]
[mix]
GET = {reads}
PUT = 30
HEAD = 10
DELETE = {deletes}
LIST = 5
[list]
of = "worker"
page = 10
[clients]
total = {clients}
"""
# Few who write, and many who delete that key by key.
BATCHES = """[[pattern]]
name = "counting"
sizes = ["1KB"]
[pattern.mix]
PUT = 100
[pattern.clients]
total = 2
[[pattern]]
name = "sweeping"
[pattern.mix]
DELETE-BATCH = 100
[pattern.list]
of = "worker"
page = 1
[pattern.clients]
total = 16
"""
# What the server calls the operations of the client; TRIM is a DELETE.
SERVER_NAMES = {"PUT": "PUT", "GET": "GET", "HEAD": "HEAD", "LIST": "LIST", "DELETE": "DELETE", "TRIM": "DELETE",
                "DELETE-BATCH": "DELETE-BATCH"}


@dataclasses.dataclass
class Fault:
    """A fault as `serve` is told it, and what it has to become on the client."""
    spec: str
    outcomes: tuple = ("ok",)  # of the attempts that met it
    status: str = ""  # of them, where the client gets a status
    retried: bool = False
    whole: bool = True  # the answer goes out whole
    unanswered: bool = False  # ends without a byte of answer: a reconnect where the connection was in use
    slower: float = 0  # such operations take at least so many seconds, others never
    ends: bool = False  # the connection ends with it
    clients: int = 64
    deletes: bool = True
    flags: tuple = ()
    lie: str = ""  # what the client calls it: an answer that is well-formed, and not the object

    @property
    def id(self):
        return re.sub(r"[^\w%+]+", "-", self.spec).strip("-")


def refusal(spec, outcome, status, retried=False, **more):
    return Fault(spec, (outcome,), status, retried, **more)


def lying(spec, kind, outcome="corrupt"):
    return Fault(spec, (outcome,), "200", lie=kind, flags=("--verify", "all"))


def late(spec):
    # Many clients, so that the run is over soon. Trims have no histogram, and a late read of a key that was
    # deleted meanwhile is not_found, which is in none either: no deletes.
    return Fault(spec, slower=0.95, clients=128, deletes=False, flags=("--max-keys", "100000"))


FAULTS = [
    refusal("*:status=503", "throttled", "503", retried=True),
    refusal("*:status=429,retry-after=1", "throttled", "429", retried=True),
    refusal("*:status=500", "server_error", "500", retried=True),
    refusal("*:status=502", "server_error", "502", retried=True),
    refusal("*:status=504", "server_error", "504", retried=True),
    refusal("*:status=507", "full", "507"),
    refusal("PUT:status=403,code=QuotaExceeded", "full", "403"),
    refusal("*:status=403", "auth", "403"),
    refusal("GET:status=400,code=RequestTimeout", "client_error", "400", retried=True),
    refusal("PUT:status=404", "client_error", "404"),
    refusal("*:status=405", "client_error", "405"),
    # Of two reads of one key at once the second would find it gone already: not_found. So: one client.
    refusal("*:missing", "missing", "404", clients=1),
    late("*:delay=1s"),
    late("*:delay=1s,to=1200ms"),
    late("*:delay=1s,grow=1ms"),
    late("*:silent=1s,then=answer"),
    late("GET:slow=1KB/s"),
    Fault("*:silent=50ms", ("reset",), whole=False, unanswered=True, ends=True),
    Fault("*:silent=50ms,then=reset", ("reset",), whole=False, unanswered=True, ends=True),
    Fault("*:reset", ("reset",), whole=False, unanswered=True, ends=True),
    Fault("*:reset-in-body", ("reset",), "200", whole=False, ends=True),
    Fault("*:reset-in-body,at=0", ("reset",), "200", whole=False, ends=True),
    Fault("*:reset-after", ends=True),
    Fault("*:truncate", ("truncated",), "200", whole=False, ends=True),
    Fault("*:truncate,at=0", ("truncated",), "200", whole=False, ends=True),
    Fault("*:close", ends=True),
    Fault("*:close-unsaid", ends=True),
    lying("GET:flip", "flipped"),
    lying("GET:flip=100", "flipped"),
    lying("GET:flip,at=50%", "flipped"),
    lying("GET:swap", "swapped"),
    lying("GET:length=-1", "length", "truncated"),
    lying("GET:length=+1", "length"),
    refusal("DELETE-BATCH:status=503", "throttled", "503", retried=True),
    Fault("DELETE-BATCH:reset", ("reset",), whole=False, unanswered=True, ends=True),
    Fault("DELETE-BATCH:truncate", ("truncated",), "200", whole=False, ends=True),
]


class Run:
    """One run against one server with one fault, and both sides' figures."""

    def __init__(self, storage, result, status=0):
        assert result.status == status, result.stderr[-2000:]
        self.summary, self.client, self.result = result.summary, result.summary["client"], result
        self.patterns = self.summary["patterns"].values()
        self.operations = [(name, figures) for pattern in self.patterns
                           for name, figures in pattern["operations"].items()]
        self.stats = ask(storage, "/-/stats")
        (self.fault,) = ask(storage, "/-/faults")["faults"]

    def total(self, *path):
        """The sum of a figure over the operations."""
        def value(figures):
            for part in path:
                figures = figures.get(part, {})
            return figures or 0
        return sum(value(figures) for _, figures in self.operations)

    def statuses(self):
        """Answers by operation and class of status, as the client counts them under the server's names."""
        out = {}
        for operation, figures in self.operations:
            for status, count in figures["status"].items():
                classes = out.setdefault(SERVER_NAMES[operation], {})
                classes[f"{status[0]}xx"] = classes.get(f"{status[0]}xx", 0) + count
        return out

    def server_statuses(self):
        return {name: classes for name, classes in self.stats["operations"].items()
                if name in SERVER_NAMES.values()}


@pytest.fixture
def run(serve_with, loadtest, tmp_path):
    def start(fault, *flags, backend="native"):
        file = tmp_path / "counting.toml"
        one = PATTERN.format(deletes=5 if fault.deletes else 0, reads=50 if fault.deletes else 55, clients=fault.clients)
        file.write_text(BATCHES if fault.spec.startswith("DELETE-BATCH") else one)
        by_clock = fault.spec.startswith("*:freeze")
        # Of these operations one in fifteen is a batch, on a busy machine fewer.
        share = 2 * SHARE if fault.spec.startswith("DELETE-BATCH") else SHARE
        storage = serve_with("--fault", fault.spec if by_clock else f"{fault.spec}:p={share}", "--fault-seed", "1")
        limit = ("--duration", "5s") if by_clock else ("--operations", str(OPERATIONS))
        result = loadtest(storage, "run", file, "--backend", backend, "--json", "--stats-interval", "0", *limit,
                          *fault.flags, *flags)
        return Run(storage, result, status=1 if fault.lie else 0)

    return start


# The SDK's way of asking first (100-continue) makes a difference where an exchange ends early.
WITH_EXPECT = ("*:status=503", "*:silent=50ms", "*:reset", "*:reset-after", "*:close", "*:close-unsaid")


@pytest.mark.parametrize("retries", ["5", "0"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_fault_is_counted_once(run, fault, retries):
    check(run(fault, "--retries", retries), fault, retries)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.spec in WITH_EXPECT], ids=lambda fault: fault.id)
def test_every_fault_is_counted_once_by_an_sdk(run, fault):
    check(run(fault, backend="boto3"), fault, "5")


def check(seen, fault, retries):
    done = seen.fault["done"]
    assert done > 15, seen.fault
    check_balance(seen, fault, done)
    check_outcomes(seen, fault, done, retries)
    if fault.slower:
        assert slower_than(seen, fault.slower) == done
    if fault.lie:
        check_verified(seen, fault, done)


def check_verified(seen, fault, done):
    (pattern,) = seen.patterns
    verified, get = pattern["verified"], pattern["operations"]["GET"]
    assert verified["kinds"] == {fault.lie: done}
    assert verified["corrupt"] == done
    assert verified["checked"] == get["outcomes"]["ok"] + done


def check_balance(seen, fault, done):
    reconnects = seen.client["reconnects"]
    assert seen.total("requests") == seen.total("attempts") + reconnects
    # Each request was answered, or met a fault that has no answer of its own, or a connection that had ended.
    answered = seen.server_statuses()
    answers = sum(count for classes in answered.values() for count in classes.values())
    assert seen.total("requests") == answers + (reconnects if fault.whole else done)
    # Of each operation the client got what the server gave. A body that is cut short came with a status.
    given = seen.statuses()
    if not fault.whole and not fault.unanswered:
        for operation, figures in seen.operations:
            cut = figures["outcomes"].get(fault.outcomes[0], 0)
            if cut:
                given[SERVER_NAMES[operation]]["2xx"] -= cut
    assert given == answered
    # And each connection that was accepted was one that the client made; preflight and our look made one each.
    assert seen.stats["accepted"] == seen.client["connections"] + seen.client["network"]["probes"] + 2
    # What is stored is what the client takes for alive, and at most what it is not sure of.
    alive, unknown = (sum(pattern["keys"][name] for pattern in seen.patterns) for name in ("alive", "unknown"))
    assert alive <= seen.stats["objects"] <= alive + unknown


def check_outcomes(seen, fault, done, retries):
    reconnects = seen.client["reconnects"]
    (outcome,) = fault.outcomes
    others = seen.total("attempts") - seen.total("outcomes", "ok") - seen.total("outcomes", "not_found")
    if outcome == "ok":
        assert others == 0
        assert seen.total("errors") == 0
    elif fault.unanswered:
        assert seen.total("outcomes", "reset") + reconnects == done
        assert others == seen.total("errors") == seen.total("outcomes", "reset"), "a reset is not retried"
    else:
        assert seen.total("outcomes", outcome) == others == done
        assert seen.total("status", fault.status) >= done
    if fault.retried and retries != "0":
        assert seen.total("attempts") == seen.total("count") + done, "each was tried once more"
        assert seen.total("errors") == 0
    else:
        assert seen.total("attempts") == seen.total("count")
        assert seen.total("errors") == others
    check_connections(seen, fault, done)


def check_connections(seen, fault, done):
    made, reconnects = seen.client["connections"], seen.client["reconnects"]
    clients = 18 if len(seen.patterns) == 2 else fault.clients
    if not fault.ends:
        assert (made, reconnects) == (clients, 0)
        return
    # The last operation of a client may have ended its connection, and nobody needed another.
    assert done - clients <= made - clients <= done
    if fault.spec.endswith((":reset-after", ":close-unsaid")):
        assert reconnects == made - clients, "the next request finds the connection ended"
    elif not fault.unanswered:
        assert reconnects == 0, "the client knew that it had ended"


def slower_than(seen, seconds):
    histograms = seen.result.histograms()
    return sum(step.count_added_in_this_iter_step
               for tag, histogram in histograms.items() if tag.startswith("total.") and tag.count(".") == 2
               for step in histogram.get_recorded_iterator() if step.value_iterated_to >= seconds * 1e6)


def test_every_client_meets_a_freeze_once(run):
    fault = Fault("*:freeze=1s,after=3s", flags=("--max-keys", "1000000"))
    seen = run(fault)
    assert seen.fault["done"] == 1
    assert slower_than(seen, 0.8) == fault.clients, "each had one operation in flight"
    assert seen.total("attempts") == seen.total("outcomes", "ok") + seen.total("outcomes", "not_found")
    assert seen.total("requests") == seen.total("attempts")
    assert seen.client["reconnects"] == 0
    assert seen.statuses() == seen.server_statuses()


def test_every_stale_object_is_counted_once(serve_with, loadtest, tmp_path):
    """The client overwrites nothing. So, while it is stopped, somebody else does, twice: the second time with what
    was there, so that all is well but for the former version."""
    file = tmp_path / "reads.toml"
    file.write_text('name = "reads"\nsizes = ["1KB"]\n[mix]\nGET = 100\n')
    storage = serve_with("--fault", f"GET:stale:p={SHARE}")
    running = loadtest.start(storage, "run", file, "--prefill", "16", "--concurrency", "8", "--duration", "8s",
                             "--backend", "native", "--verify", "all", "--json", "--stats-interval", "0")
    running.wait_until_loading()
    running.signal(signal.SIGSTOP)
    try:
        overwrite_twice(storage)
    finally:
        running.signal(signal.SIGCONT)
    result = running.wait()

    assert result.status == 1, result.stderr[-2000:]
    (fault,) = ask(storage, "/-/faults")["faults"]
    (get,) = result.pattern("reads")["operations"].values()
    done = fault["done"]
    assert done > 30
    assert get["outcomes"]["corrupt"] == get["errors"] == done
    assert result.pattern("reads")["verified"]["corrupt"] == done
    assert get["outcomes"]["ok"] + done == get["attempts"] == get["count"]
    # The reads of our own were before.
    assert ask(storage, "/-/stats")["operations"]["GET"] == {"2xx": get["attempts"] + 16}


def overwrite_twice(storage):
    def reads():
        return ask(storage, "/-/stats")["operations"]["GET"]

    seen = [None]

    def over():
        seen.append(reads())
        return seen[-1] == seen[-2]

    servers.wait_for("the reads under way", over, 10)
    s3 = storage.boto3()
    for key in storage.keys("loadtest/"):
        body = s3.get_object(Bucket=storage.bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=storage.bucket, Key=key, Body=b"x" * len(body))
        s3.put_object(Bucket=storage.bucket, Key=key, Body=body)
