"""The demo: its acts show what they promise, in figures that its runs recorded."""
import json
import os
import re
import signal

import pytest

import servers

pytestmark = pytest.mark.alone


def test_the_three_acts(loadtest):
    running = loadtest.start(None, "demo", "--out", "acts", settings={})
    out = running.wait(150)
    assert out.status == 0, out.stderr
    acts = loadtest.folder / "acts"
    summaries = {path.parent.name: json.loads(path.read_text()) for path in acts.glob("*/summary.json")}
    assert sorted(summaries) == ["closed-loop", "flipped-byte", "open-loop", "overloaded-client"]

    get = {name: s["patterns"]["baseload"]["operations"]["GET"]["response_us"] for name, s in summaries.items()}
    assert get["open-loop"]["p99"] > 1_500_000, "the users of an open loop met the freeze"
    assert get["closed-loop"]["p99"] < 200_000 and get["closed-loop"]["max"] > 1_500_000
    late = re.search(r"open loop +[\d,]+ .* (\d+)%\n", out.stdout)
    assert 15 <= int(late[1]) <= 30, out.stdout

    wrong = [e for e in map(json.loads, (acts / "flipped-byte" / "errors.jsonl").read_text().splitlines())
             if e["outcome"] == "corrupt" and "slowest" not in e]
    assert len(wrong) == 1
    for word in (wrong[0]["key"], wrong[0]["expected"], wrong[0]["found"], f"{wrong[0]['offset']:,}"):
        assert word in out.stdout
    assert not summaries["flipped-byte"]["verdict"]["passed"]

    verdict = summaries["overloaded-client"]["verdict"]
    assert verdict["bottleneck"] == "client-cpu", verdict
    assert "Do not trust these figures" in out.stdout
    for name in summaries:
        assert f"acts/{name}" in out.stdout


def test_ctrl_c_ends_it_and_what_it_started(loadtest):
    running = loadtest.start(None, "demo", "--out", "acts", settings={})
    pid = running.process.pid
    children = servers.wait_for("its server and its run", lambda: (c := children_of(pid)) and len(c) == 2 and c, 30,
                                running.process)
    running.process.send_signal(signal.SIGINT)
    ended = running.wait(30)
    assert ended.status == 130
    assert "interrupted" in ended.stderr
    assert [c for c in children if os.path.exists(f"/proc/{c}")] == []


def test_a_directory_that_is_there_is_left_alone(loadtest):
    (loadtest.folder / "mine").mkdir()
    ended = loadtest.start(None, "demo", "--out", "mine", settings={}).wait(30)
    assert ended.status == 2
    assert "mine is there already; name another directory with --out" in ended.stderr
    assert list((loadtest.folder / "mine").iterdir()) == []


def test_its_runs_go_where_env_says(loadtest):
    (loadtest.folder / "kept").write_text("not a directory")
    ended = loadtest.start(None, "demo", settings={"S3LOADTEST_LOG_DIR": "kept"}).wait(30)
    assert ended.status in (2, 3) and re.search(r"kept/\S+-demo|\bkept\b", ended.stderr), ended.stderr
    (loadtest.folder / "other.env").write_text("S3LOADTEST_LOG_DIR=kept/other\n")
    ended = loadtest.start(None, "demo", "--env", "other.env", settings={}).wait(30)
    assert ended.status in (2, 3) and "kept/other" in ended.stderr, ended.stderr


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
