"""What a process costs while it runs, and how the answers of a server come: sampled from outside."""
import json
import os
import statistics
import sys
import threading
import time

import servers

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Vitals:
    """CPU seconds, resident memory and descriptors of a process, ten times a second until it ends."""

    def __init__(self, process):
        self.process, self.samples = process, []
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()

    def _sample(self):
        folder = f"/proc/{self.process.pid}"
        try:
            while self.process.poll() is None:
                with open(f"{folder}/stat") as stat, open(f"{folder}/statm") as statm:
                    fields = stat.read().rsplit(")", 1)[1].split()
                    resident = int(statm.read().split()[1]) * PAGE
                cpu = (int(fields[11]) + int(fields[12])) / TICKS
                self.samples.append((time.monotonic(), cpu, resident, len(os.listdir(f"{folder}/fd"))))
                time.sleep(0.1)
        except (OSError, IndexError):  # it has ended
            pass

    def between(self, begin, end):
        return [sample for sample in self.samples if begin <= sample[0] <= end]

    def cores_busy(self, begin, end):
        """CPU seconds a second, in that time."""
        first, *_, last = self.between(begin, end)
        return (last[1] - first[1]) / (last[0] - first[0])

    def assert_flat(self, settled, most_growth=16 << 20, most_descriptors=0):
        """After the time `settled`, memory and descriptors are no more than just before, and a little."""
        before, after = self.between(0, settled), self.between(settled, time.monotonic())
        assert before and after
        grown = max(s[2] for s in after) - max(s[2] for s in before)
        assert grown <= most_growth, f"memory grew by {grown / 2**20:.0f} MiB"
        # The key journal opens one for a moment, four times a second: what stays open counts.
        stayed = max(min(s[3] for s in three) for three in zip(after, after[1:], after[2:]))
        opened = stayed - max(s[3] for s in before)
        assert opened <= most_descriptors, f"{opened} descriptors more than before"


class Answers:
    """How many good answers there were at which time: (monotonic seconds, total) pairs."""

    def __init__(self, samples):
        self.samples = samples

    def rate(self, begin, end):
        """Answers a second in that time; a total that falls is a new server's, which began at nothing."""
        inside = [s for s in self.samples() if begin <= s[0] <= end]
        if len(inside) < 2:
            return 0.0
        gained = sum(max(0, b[1] - a[1]) for a, b in zip(inside, inside[1:]))
        return gained / (end - begin)

    def usual_rate(self, begin, end, window=0.5):
        steps = int((end - begin) / window)
        return statistics.median(self.rate(begin + i * window, begin + (i + 1) * window) for i in range(steps))

    def recovery(self, healed, usual, seconds=12, window=0.4):
        """Seconds from `healed` until half of the usual rate is there again; at most `seconds`."""
        for step in range(int(seconds / 0.1)):
            end = healed + window + step * 0.1
            servers.wait_for("the next sample", lambda: time.monotonic() > end + 0.2, 5)
            if self.rate(end - window, end) >= usual / 2:
                return end - healed
        return float("inf")


POLLER = """
import json, sys, time, urllib.request
open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
while True:
    try:
        with open_url(sys.argv[1] + "/-/stats", timeout=1) as answer:
            operations = json.load(answer)["operations"]
        print(json.dumps([time.monotonic(), sum(o.get("2xx", 0) for o in operations.values())]), flush=True)
    except OSError:
        pass
    time.sleep(0.05)
"""


def answers_of(endpoint, folder, prefix=()):
    """Answers of an embedded server, from a process of its own (where `prefix` puts it); (Answers, process)."""
    lines = folder / "answers"
    with open(lines, "w") as out:
        process = servers.start([*prefix, sys.executable, "-c", POLLER, endpoint], folder / "answers.err", stdout=out)

    def samples():
        text = lines.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    return Answers(samples), process
