"""The keys that a worker's processes share, and that outlive them."""
import os
import random
import re
import signal

import pytest

import servers
from harness import Loadtest

BASELOAD = ("run", "baseload", "--size", "1KB", "--size", "10KB", "--concurrency", "4", "--seed", "1", "--json")


@pytest.fixture
def second(loadtest, tmp_path):
    """Another process of the same machine: a directory of its own, the same place for keys."""
    folder = tmp_path / "second"
    folder.mkdir()
    other = Loadtest(folder)
    yield lambda *arguments, **more: other.start(
        *arguments, settings={"S3LOADTEST_KEY_DIR": str(loadtest.folder)}, **more)
    other.end_all()


def journal(loadtest):
    files = list(loadtest.folder.glob("s3loadtest-keys-*.journal"))
    assert len(files) == 1, files
    return files[0]


def test_the_next_run_goes_on_with_the_keys_of_the_last(serve, loadtest):
    first = loadtest(serve, *BASELOAD, "--operations", "3000", "--max-keys", "200")
    assert first.status == 0, first.stderr
    left = set(serve.keys("loadtest/"))
    assert len(left) == 200 == first.pattern()["keys"]["alive"]

    # It reads them, and trims them when it writes its own.
    second = loadtest(serve, *BASELOAD, "--operations", "100", "--max-keys", "200")
    assert second.status == 0 and second.total("errors") == 0, second.stderr
    assert "going on with 200 keys of earlier runs" in second.stderr
    assert second.operation("PUT")["seeded"] == 0
    keys = second.pattern()["keys"]
    assert keys["trimmed"] == keys["written"] > 0
    now = set(serve.keys("loadtest/"))
    assert len(now) == 200 and len(left - now) == keys["trimmed"]

    # Fewer keys, and none of these sizes: nothing is left behind.
    third = loadtest(serve, "run", "baseload", "--size", "2KB", "--operations", "100", "--max-keys", "10", "--json")
    assert third.status == 0, third.stderr
    assert len(serve.keys("loadtest/")) == 10
    assert not set(serve.keys("loadtest/")) & now


def test_a_reader_in_another_process_reads_what_was_written_a_second_ago(serve, loadtest, second):
    reader = second(serve, "run", "heavyread", "--size", "1KB", "--concurrency", "2", "--duration", "6s", "--json")
    reader.wait_until_loading()
    wrote = loadtest(serve, *BASELOAD, "--operations", "200")
    assert wrote.status == 0, wrote.stderr
    ended = len(reader.finished_seconds())
    result = reader.wait()
    assert result.status == 0 and result.total("errors", "heavyread") == 0, result.stderr
    get = result.operation("GET", "heavyread")
    assert get["outcomes"].get("ok", 0) > 1000 and get["sizes"].keys() == {"1KB"}
    seconds = [s["patterns"]["heavyread"].get("operations", {}).get("GET", {}).get("count", 0)
               for s in reader.finished_seconds()]
    assert seconds[ended + 1] > 0, f"a second after the writer ended: {seconds}"


def test_deletes_reach_the_other_processes_and_are_no_errors_there(serve, loadtest, second):
    """A reader and a writer whose keys are trimmed, deleted one by one and swept by three processes."""
    writer = loadtest.start(serve, *BASELOAD, "--duration", "6s", "--max-keys", "2000", "--bandwidth", "2MB/s")
    writer.wait_until_loading()
    reader = second(serve, "run", "heavyread", "--size", "1KB", "--size", "10KB", "--concurrency", "2", "--duration",
                    "4s", "--json")
    reader.wait_until_loading()
    sweeper_folder = loadtest.folder / "third"
    sweeper_folder.mkdir()
    third = Loadtest(sweeper_folder)
    sweeper = third(serve, "run", "delete", "--duration", "2s", "--time-scale", "600", "--json",
                    settings={"S3LOADTEST_KEY_DIR": str(loadtest.folder)})
    assert sweeper.status == 0, sweeper.stderr
    assert sweeper.pattern("delete")["keys"]["deleted"] > 100
    read, wrote = reader.wait(), writer.wait()
    assert read.status == 0 and read.total("errors", "heavyread") == 0, read.stderr
    assert wrote.status == 0 and wrote.total("errors") == 0, wrote.stderr
    assert read.operation("GET", "heavyread")["outcomes"]["ok"] > 100
    keys = wrote.pattern()["keys"]
    there = len(serve.keys("loadtest/"))
    assert there <= keys["alive"] + keys["unknown"] and there >= keys["alive"], (there, keys)


def test_keys_survive_a_kill_and_none_is_invented(serve, loadtest):
    chance = random.Random(7)
    flags = (*BASELOAD, "--max-keys", "500")
    for number in range(4):
        # Slow enough that a key lives for some seconds before it is trimmed.
        running = loadtest.start(serve, *flags, "--prefill", "0" if number else "500", "--bandwidth", "1MB/s",
                                 "--duration", "30s")
        running.wait_until_loading()
        after = len(running.finished_seconds()) + 1 + chance.randrange(2)
        servers.wait_for("some seconds", lambda: len(running.finished_seconds()) >= after, 10, running.process)
        os.kill(running.process.pid, signal.SIGKILL)
        running.wait(10)
    assert len(serve.keys("loadtest/")) >= 500
    last = loadtest(serve, *flags, "--operations", "2000")
    assert last.status == 0 and last.total("errors") == 0, last.stderr
    assert int(re.search(r"going on with (\d+) keys", last.stderr)[1]) > 300
    keys, there = last.pattern()["keys"], set(serve.keys("loadtest/"))
    assert keys["alive"] == 500
    # What each kill cost: the last second's keys, and no more than a client each that was in flight.
    orphans = len(there) - keys["alive"] - keys["unknown"]
    rate = max(s["patterns"]["baseload"]["operations"]["PUT"]["count"] for s in running.finished_seconds())
    assert 0 <= orphans <= 4 * rate, (orphans, rate)


def test_a_key_that_is_gone_without_a_delete_is_missing(serve, loadtest):
    assert loadtest(serve, *BASELOAD, "--operations", "300").status == 0
    s3, gone = serve.boto3(), sorted(serve.keys("loadtest/"))[::2]
    s3.delete_objects(Bucket=serve.bucket, Delete={"Objects": [{"Key": key} for key in gone]})
    result = loadtest(serve, "run", "heavyread", "--duration", "2s", "--json")
    outcomes = result.operation("GET", "heavyread")["outcomes"]
    # Each is asked for once; whoever asks together with the first learns that it is known by then.
    assert outcomes["missing"] == len(gone) and outcomes["ok"] > 0
    assert outcomes.get("not_found", 0) <= len(gone)


def test_workers_share_no_keys(serve, loadtest):
    """Worker 1 and worker 10 of one machine and bucket: no read, trim or sweep of one touches the other's."""
    of_ten = loadtest(serve, *BASELOAD, "--operations", "300", "--worker-id", "10")
    assert of_ten.status == 0
    theirs = set(serve.keys("loadtest/10/"))
    of_one = loadtest(serve, *BASELOAD, "--operations", "300", "--worker-id", "1", "--max-keys", "20")
    assert of_one.status == 0 and "going on with" not in of_one.stderr
    alive = of_one.pattern("baseload")["keys"]["alive"]
    assert 0 < alive <= 20
    swept = loadtest(serve, "run", "delete", "--duration", "1s", "--worker-id", "1", "--json")
    assert swept.status == 0 and swept.pattern("delete")["keys"]["deleted"] == alive
    read = loadtest(serve, "run", "heavyread", "--duration", "1s", "--worker-id", "1")
    assert read.status == 3, "there is nothing to read"
    assert set(serve.keys("loadtest/")) == theirs


def test_the_journal_stays_small_and_one_that_is_taken_away_is_written_again(serve, loadtest):
    running = loadtest.start(serve, *BASELOAD, "--duration", "5s", "--max-keys", "500")
    running.wait_until_loading()
    largest, taken = 0, False
    while running.process.poll() is None:
        files = list(loadtest.folder.glob("s3loadtest-keys-*.journal"))
        for file in files:
            try:
                largest = max(largest, file.stat().st_size)
                if not taken and len(running.finished_seconds()) >= 2:
                    file.unlink()
                    taken = True
            except FileNotFoundError:
                continue
    result = running.wait()
    assert result.status == 0 and taken, result.stderr
    written = result.operation("PUT")["count"]
    # 26 bytes a key; what is written and deleted between two looks comes on top.
    a_look = written / 5 * 2 * 26
    assert largest < 64 * 1024 + 10 * 26 * 500 + a_look, (largest, written)
    assert journal(loadtest).stat().st_size < written * 26
    again = loadtest(serve, *BASELOAD, "--operations", "50", "--max-keys", "500")
    assert "going on with 500 keys" in again.stderr and again.total("errors") == 0


def test_keys_of_a_storage_that_was_emptied_are_forgotten(serve, loadtest):
    assert loadtest(serve, *BASELOAD, "--operations", "300").status == 0
    s3 = serve.boto3()
    for key in serve.keys("loadtest/"):
        s3.delete_object(Bucket=serve.bucket, Key=key)
    s3.put_object(Bucket=serve.bucket, Key="loadtest/0/1KB/baseload/1/00000001", Body=b"x")
    result = loadtest(serve, *BASELOAD, "--operations", "300")
    assert result.status == 0 and result.total("errors") == 0, result.stderr
    assert "that earlier runs left under loadtest/0/ is in bucket loadtest any more: they are forgotten" in result.stderr
    again = loadtest(serve, *BASELOAD, "--operations", "50")
    assert again.total("errors") == 0 and "forgotten" not in again.stderr and "going on with" in again.stderr


def test_keys_of_the_earlier_tool_are_read_and_never_called_corrupt(serve, loadtest):
    s3, old = serve.boto3(), [f"loadtest/0/1KB/{i}/x" for i in range(20)]
    for key in old:
        s3.put_object(Bucket=serve.bucket, Key=key, Body=b"x" * 1024)
    lines = old[:10] + [key.removeprefix("loadtest/") for key in old[10:]] + ["loadtest/0/1KB/gone", "nonsense",
                                                                              "loadtest/1/1KB/of another worker", ""]
    (loadtest.folder / "loadtest-keys-baseload-0.txt").write_text("\n".join(lines))
    (loadtest.folder / "loadtest-keys-baseload-0-1KB.txt").write_text(old[0] + "\n")
    (loadtest.folder / "loadtest-keys-baseload-01.txt").write_text("loadtest/0/1KB/no/file/of/ours\n")
    result = loadtest(serve, "run", "heavyread", "--duration", "2s", "--verify", "all", "--json")
    assert result.status == 0, result.stderr
    assert "21 keys of the earlier tool's baseload are read too, unverified; 2 lines are no keys" in result.stderr
    get = result.operation("GET", "heavyread")
    assert get["outcomes"] == {"ok": get["count"] - get["not_found"], "not_found": get["not_found"]}
    assert 1 <= get["not_found"] <= 16 and get["outcomes"]["ok"] > 100
    assert result.pattern("heavyread")["verified"]["checked"] == 0
    # Nothing but reading happens to them.
    mixed = loadtest(serve, *BASELOAD, "--operations", "2000", "--max-keys", "50")
    assert mixed.status == 0 and mixed.total("errors") == 0, mixed.stderr
    assert set(old) <= set(serve.keys("loadtest/"))
    done = loadtest(serve, "cleanup")
    assert done.status == 0 and not list(serve.keys("loadtest/"))


def test_a_heavyread_reads_what_others_left_in_the_bucket(serve, loadtest):
    """--existing: objects of any key and size, listed first, read and never judged."""
    s3 = serve.boto3()
    bodies = {f"photos/{i}/ä b+{i}.jpg": bytes(1000 + i % 3) for i in range(30)}
    for key, body in bodies.items():
        s3.put_object(Bucket=serve.bucket, Key=key, Body=body)
    s3.put_object(Bucket=serve.bucket, Key="photos/", Body=b"")
    read = loadtest(serve, "run", "heavyread", "--existing", "photos/", "--operations", "600", "--verify", "all", "--json")
    assert read.status == 0, read.stderr
    assert "reading 30 objects that are there under 'photos/', unverified" in read.stderr
    got = read.operation("GET", "heavyread")
    assert got["outcomes"] == {"ok": 600} and got["bytes"] == sum(
        size["count"] * length for size, length in zip((got["sizes"][label] for label in ("1000B", "1001B", "1002B")),
                                                       (1000, 1001, 1002)))
    assert min(size["count"] for size in got["sizes"].values()) > 150, "each size equally often"
    assert read.pattern("heavyread")["verified"]["checked"] == 0
    assert len(serve.keys("photos/")) == 31

    one = loadtest(serve, "run", "heavyread", "--existing", "photos/", "--size", "1001", "--operations", "50", "--json")
    assert one.status == 0 and set(one.operation("GET", "heavyread")["sizes"]) == {"1001B"}, one.stderr
    none = loadtest(serve, "run", "heavyread", "--existing", "nothing/", "--duration", "5s")
    assert none.status == 3
    assert f"no object under 'nothing/' in bucket {serve.bucket}: --existing has nothing to read" in none.stderr
    wrong = loadtest(serve, "run", "baseload", "--existing", "photos/", "--duration", "5s")
    assert wrong.status == 2 and "--existing is for a pattern that only reads the keys of others" in wrong.stderr
