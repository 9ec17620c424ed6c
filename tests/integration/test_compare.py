"""compare: runs that did the same are told apart only where they differ by more than chance.

S3LOADTEST_COMPARE=long does the trials in full: 20 of the same load, and 10 with a delay that is a tenth longer.
"""
import json
import os
import subprocess

import pytest

from harness import BINARY, Loadtest, start_serve
import servers

pytestmark = pytest.mark.alone

LONG = os.environ.get("S3LOADTEST_COMPARE") == "long"
SAME_TRIALS, SLOWER_TRIALS, SECONDS = (20, 10, 30) if LONG else (3, 3, 12)


def compare(*arguments):
    return subprocess.run([BINARY, "compare", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "HOME": "/nonexistent"}, cwd="/")


class Trials:
    """Paced runs, each on a server of its own, with a log directory of its own."""

    def __init__(self, folder, serve_with):
        self.folder, self.number, self.tools = folder, 0, []
        self.base, self.slower = (serve_with("--fault", f"*:delay={delay}") for delay in ("5ms", "5500us"))

    def start(self, storage, *flags, seconds=SECONDS):
        self.number += 1
        folder = self.folder / f"run-{self.number}"
        folder.mkdir()
        tool = Loadtest(folder)
        self.tools.append(tool)
        return tool.start(storage, "run", "baseload", "--json", "--rate", "100/s", "--size", "1KB", "--concurrency", "16",
                          "--duration", f"{seconds}s", "--worker-id", str(self.number), "--threads", "1",
                          "--stats-interval", "0", *flags)

    def wait(self, *running):
        results = [run.wait(SECONDS + 60) for run in running]
        assert all(result.status == 0 for result in results), results[0].stderr[-2000:]
        return [result.directory for result in results]


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trials")
    storages = []

    def serve_with(*flags):
        storages.append(start_serve(tmp_path_factory.mktemp("serve"), *flags))
        return storages[-1]
    made = Trials(folder, serve_with)
    yield made
    for tool in made.tools:
        tool.end_all()
    for storage in storages:
        servers.end(storage.process)


@pytest.fixture(scope="module")
def rounds(trials):
    """The directories of each trial: two of the same load, and one that takes a tenth longer. In CI all of them go side
    by side, so that whatever else the machine does meets them alike; in the long form one after the other."""
    loads = [[trials.base, trials.base] + [trials.slower] * (number < SLOWER_TRIALS) for number in range(SAME_TRIALS)]
    if LONG:
        return [[trials.wait(trials.start(storage))[0] for storage in of_trial] for of_trial in loads]
    running = [[trials.start(storage) for storage in of_trial] for of_trial in loads]
    return [trials.wait(*of_trial) for of_trial in running]


def test_the_same_load_shows_no_difference_and_a_tenth_of_delay_does(rounds):
    """At most one in twenty of the first, and one in ten of the second may go wrong."""
    same, found, answers = 0, 0, []
    for directories in rounds:
        answer = compare(*directories[:2], "--json")
        assert answer.returncode == 0, answer.stderr
        result = json.loads(answer.stdout)
        same += not result["different"]
        answers.append(result["verdict"])
        for slower in directories[2:]:
            answer = compare(directories[0], slower, "--json", "--fail-if", "GET.p50 > +4%")
            result = json.loads(answer.stdout)
            p50 = next(f for f in result["figures"] if f["figure"] == "p50" and f["operation"] == "GET")
            found += p50["different"] and p50["change"] > 0 and answer.returncode == 1
            answers.append(result["verdict"])
    print(f"\nno difference in {same} of {SAME_TRIALS}, the longer delay found in {found} of {SLOWER_TRIALS}")
    print("\n".join(answers))
    assert same >= (19 if LONG else 2), answers
    assert found >= (9 if LONG else 2), answers


def test_apples_and_pears_are_refused_unless_told(trials):
    seconds = 2
    base, other = trials.wait(trials.start(trials.base, seconds=seconds),
                              trials.start(trials.base, "--size", "2KB", "--backend", "native", "--verify", "off",
                                           seconds=seconds))
    answer = compare(base, other)
    assert answer.returncode == 2
    assert answer.stdout == ""
    for difference in ("backend: boto3 and native", "sizes: 1KB and 1KB,2KB", "--verify: sample and off", "--force"):
        assert difference in answer.stderr, answer.stderr
    answer = compare(base, other, "--force", "--json")
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    assert result["schema"] == "s3loadtest.comparison/1"
    assert any(text.startswith("backend") for text in result["forced_past"])
    text = " ".join(compare(base, other, "--force").stdout.split())
    assert "compared by --force, though these runs did not do the same: backend: boto3 and native" in text
    for expression, message in (("basload.GET.p99 > +10%", 'no pattern "basload" in common; did you mean "baseload"?'),
                                ("HEAD.p99 > +10%", "the runs have no HEAD in common, but GET, PUT")):
        answer = compare(base, other, "--force", "--fail-if", expression)
        assert answer.returncode == 2 and answer.stdout == "", answer.stdout
        assert message in answer.stderr and answer.stderr.endswith("\n  ^\n"), answer.stderr
    # Two seconds are too few to tell anything by.
    assert not any(f["different"] for f in result["figures"] if f["figure"] != "errors")
    assert result["verdict"].startswith("Nothing can be said")


def test_a_run_beside_itself_differs_in_nothing(rounds):
    directory = rounds[0][0]
    answer = compare(directory, directory, "--json", "--fail-if", "GET.p99 > +0%", "--fail-if", "PUT.rate < -1%")
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    assert all(f["a"] == f["b"] and f["change"] == 0 and not f["different"] for f in result["figures"])
    assert [rule["passed"] for rule in result["fail_if"]] == [True, True]
    # Its figures are those of its own summary.
    summary = json.loads((directory / "summary.json").read_text())
    get = summary["patterns"]["baseload"]["operations"]["GET"]
    figures = {f["figure"]: f["a"] for f in result["figures"] if f["operation"] == "GET"}
    assert figures["p50"] == pytest.approx(get["response_us"]["p50"], rel=.001)
    assert figures["p99.9"] == pytest.approx(get["response_us"]["p999"], rel=.001)
    assert figures["rate"] == pytest.approx(get["rate"], rel=.01)
    text = compare(directory, directory)
    assert text.returncode == 0
    assert "No difference: every change is below 3%, or no more than chance" in " ".join(text.stdout.split())


@pytest.mark.parametrize("expression, message, caret", [
    ("GETT.p99 > +10%", '"GETT" is not an operation; did you mean "GET"?', 0),
    ("GET.p98 > +10%", '"p98" is not a figure that is compared', 4),
    ("baseload.PUTT.rate < -5%", '"PUTT" is not an operation', 9),
    ("GET.p99 +10%", "'>' or '<' is missing", 8),
    ("GET.p99 > fast", "a change in percent is missing", 10),
    ("GET.p99 > +10", "'%' is missing", 13),
    ("GET.p99 > +10% or so", "nothing may follow", 15),
    ("GET", "a figure of GET is missing", 3),
])
def test_a_wrong_expression_is_refused_with_a_caret_under_the_mistake(expression, message, caret):
    answer = compare("a", "b", "--fail-if", expression)
    assert answer.returncode == 2
    first, second, third = answer.stderr.rstrip("\n").split("\n")
    assert message in first
    assert second == "  " + expression
    assert third == "  " + " " * caret + "^"
