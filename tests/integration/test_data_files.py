"""init-data, and runs that take their content from its files."""
import fcntl
import hashlib
import os
import pty
import signal
import struct
import subprocess
import time

import pytest

import servers
from harness import BINARY
from test_full_places import on_a_disk, own_mounts  # noqa: F401 (a fixture)

SIZES = {"1kb": 1 << 10, "10kb": 10 << 10, "100kb": 100 << 10, "1mb": 1 << 20, "10mb": 10 << 20, "100mb": 100 << 20}
M, GAMMA = (1 << 64) - 1, 0x9E3779B97F4A7C15


def data_name(label, size):
    return f"data-{label}-{hashlib.md5(b'loadtest-data-%d' % size).hexdigest()[:8]}.bin"


NAMES = {data_name(label, size): size for label, size in SIZES.items()}
POOL = data_name("100mb", SIZES["100mb"])


def mix64(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & M
    z = (z ^ z >> 27) * 0x94D049BB133111EB & M
    return z ^ z >> 31


def stream(begin, length):
    """Of docs/content.md, for multiples of 8."""
    first = begin % (100 << 20) // 8
    return struct.pack(f"<{length // 8}Q", *(mix64((first + i + 1) * GAMMA & M) for i in range(length // 8)))


def identity(path):
    return {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in path.iterdir()}


@pytest.fixture(scope="session")
def good_files(tmp_path_factory):
    """A directory with the data files, for tests that leave them alone."""
    folder = tmp_path_factory.mktemp("data")
    subprocess.run([BINARY, "init-data"], check=True, capture_output=True, cwd=folder,
                   env={**os.environ, "S3LOADTEST_DATA_DIR": str(folder)})
    return folder


def test_the_files_have_their_names_their_bytes_and_stay(loadtest):
    first = loadtest(None, "init-data")  # no settings at all

    assert (first.status, first.stderr) == (0, "")
    assert first.stdout == "6 data files, 111.1 MiB, in ./data: 6 written, 0 replaced, 0 good already\n"
    data = loadtest.folder / "data"
    assert {file.name: file.stat().st_size for file in data.iterdir()} == NAMES
    assert {"data-1kb-54fc67b7.bin", "data-100mb-b667e812.bin"} < set(NAMES)
    pool = (data / POOL).read_bytes()
    assert pool[:65536] == stream(0, 65536) and pool[-4096:] == stream((100 << 20) - 4096, 4096)
    assert hashlib.md5(pool).hexdigest() == "fc31888bf55737570682d593756f7fcb"
    for name, size in NAMES.items():
        assert (data / name).read_bytes() == pool[:size], name

    before = identity(data)
    again = loadtest(None, "init-data")
    assert again.stdout == "6 data files, 111.1 MiB, in ./data: 0 written, 0 replaced, 6 good already\n"
    assert again.seconds < 1 and identity(data) == before


def test_other_sizes_go_on_behind_the_end_of_the_stream(loadtest):
    result = loadtest(None, "init-data", "--size", "101MB,3000", "--size", "5KB")
    assert (result.status, result.stdout.split(":")[0]) == (0, "3 data files, 101 MiB, in ./data"), result.stderr
    large = (loadtest.folder / "data" / data_name("101mb", 101 << 20)).read_bytes()
    assert len(large) == 101 << 20 and large[:1 << 20] == large[100 << 20:]
    assert (loadtest.folder / "data" / data_name("5kb", 5120)).read_bytes() == large[:5120]
    assert (loadtest.folder / "data" / data_name("3000b", 3000)).read_bytes() == large[:3000]


def test_wrong_files_are_replaced_and_said_and_leftovers_removed(loadtest):
    assert loadtest(None, "init-data").status == 0
    data = loadtest.folder / "data"
    good = {name: (data / name).read_bytes() for name in NAMES}
    names = list(NAMES)
    (data / names[0]).write_bytes(b"\xa5" * 1024)  # as of the earlier tool
    os.truncate(data / names[3], 1000)
    with open(data / POOL, "r+b") as file:
        file.seek(77_777_777)
        file.write(b"x")
    (data / "data-5kb-00000000.bin.tmp-abcdef").write_bytes(b"left over")
    (data / "data-5kb.bin.tmp-mine").write_bytes(b"somebody else's")
    written_now = data / "data-6kb-00000000.bin.tmp-abcdef"
    with open(written_now, "wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as by another init-data
        before = identity(data)
        result = loadtest(None, "init-data")
        after = identity(data)

    assert result.status == 0
    assert result.stdout.endswith(": 0 written, 3 replaced, 3 good already\n")
    told = [line.split(" WARNING  ")[1].split()[0] for line in result.stderr.splitlines()]
    assert sorted(told) == sorted(f"./data/{name}" for name in (names[0], names[3], POOL))
    assert {name: (data / name).read_bytes() for name in NAMES} == good
    assert set(after) == set(before) - {"data-5kb-00000000.bin.tmp-abcdef"}
    assert all(after[name] == before[name] for name in (names[1], names[2], names[4]))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_call_that_is_ended_leaves_nothing_half_written_and_the_next_goes_on(loadtest, number):
    data = loadtest.folder / "data"
    arguments = ("init-data", "--size", "1KB", "--size", "3GB")
    running = loadtest.start(None, *arguments)
    # The small file is in its place while the large one is being written.
    servers.wait_for("the first file", lambda: data.exists() and (data / data_name("1kb", 1024)).exists(), 20,
                     running.process)
    running.signal(number)
    ended = running.wait()
    names = {file.name for file in data.iterdir()}
    if number == signal.SIGINT:
        assert ended.status == 130 and names == {data_name("1kb", 1024)}
        assert ended.stderr == "s3loadtest: interrupted; call init-data again to go on\n"
    else:
        assert len(names) == 2 and data_name("3gb", 3 << 30) not in names, names
    kept = identity(data)[data_name("1kb", 1024)]

    again = loadtest(None, "init-data", "--size", "1KB,10KB")
    assert again.stdout == "2 data files, 11 KiB, in ./data: 1 written, 0 replaced, 1 good already\n"
    assert {file.name for file in data.iterdir()} == {data_name("1kb", 1024), data_name("10kb", 10240)}
    assert identity(data)[data_name("1kb", 1024)] == kept


def test_a_full_disk_and_places_that_cannot_be(loadtest, own_mounts):  # noqa: F811
    full = loadtest(None, "init-data", settings={"S3LOADTEST_DATA_DIR": "disk/data"},
                    through=on_a_disk(own_mounts, "size=64m", '"$@"'))
    assert full.status == 3
    assert full.stderr == (f"s3loadtest: cannot write disk/data/{POOL}: No space left on device; make room for 100 MiB "
                           "in disk/data, or name another directory with S3LOADTEST_DATA_DIR\n")
    left = {file.name: file.stat().st_size for file in (loadtest.folder / "kept/data").iterdir()}
    assert all(NAMES.get(name) == size for name, size in left.items()), left

    limited = loadtest(None, "init-data", settings={"S3LOADTEST_DATA_DIR": "limited"},
                       through=("prlimit", "--fsize=1000000"))
    assert limited.status == 2 and "File too large" in limited.stderr and limited.stderr.count("\n") == 1
    assert all(NAMES[file.name] == file.stat().st_size for file in (loadtest.folder / "limited").iterdir())

    (loadtest.folder / "file").write_text("")
    nowhere = loadtest(None, "init-data", settings={"S3LOADTEST_DATA_DIR": "file/data"})
    assert nowhere.status == 2
    assert nowhere.stderr == ("s3loadtest: cannot create the directory file/data: Not a directory; name a directory "
                              "that can be written with S3LOADTEST_DATA_DIR\n")


@pytest.mark.parametrize("arguments, says", [
    (("--size", "0"), '--size: "0" is too small: at least 1 byte'),
    (("--size", "many"), '--size: "many"'),
    (("--size", "2000000GB"), "is too large: a data file has at most 1 TiB"),
    (("--size",), "--size needs a value"),
    (("now",), 'init-data does not know what to do with "now"'),
])
def test_wrong_arguments(loadtest, arguments, says):
    result = loadtest(None, "init-data", *arguments)
    assert result.status == 2 and says in result.stderr and result.stderr.count("\n") == 1, result.stderr
    assert not (loadtest.folder / "data").exists()


def test_a_bar_on_a_terminal(loadtest):
    master, slave = pty.openpty()
    process = subprocess.Popen([BINARY, "init-data"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave,
                               cwd=loadtest.folder)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # its end
            break
        shown += piece
    os.close(master)
    assert process.wait(20) == 0
    assert b"[########################################] 100% of 111.1 MiB" in shown
    assert shown.endswith(b"\r\x1b[K"), "nothing of it stays"


def mapped_files(process):
    with open(f"/proc/{process.pid}/maps") as maps:
        return {os.path.basename(line.split()[5]) for line in maps if len(line.split()) > 5 and ".bin" in line}


RUN = ("run", "baseload", "--size", "4KB", "--size", "100MB", "--verify", "all", "--concurrency", "4", "--json")


def data_settings(folder):
    return {"S3LOADTEST_DATA_DIR": str(folder)}


def test_a_run_maps_the_file_and_stays_right_whatever_becomes_of_it(serve, loadtest, good_files, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    path = data / POOL
    path.write_bytes((good_files / POOL).read_bytes())
    running = loadtest.start(serve, *RUN, "--duration", "60s", "--log-level", "DEBUG", settings=data_settings(data))
    running.wait_until_loading()
    assert mapped_files(running.process) == {POOL}

    began = time.monotonic()
    with open(path, "r+b") as file:  # held up until the run has left the file
        file.write(b"\0" * 4096)
    os.truncate(path, 1)
    assert time.monotonic() - began < 10
    assert mapped_files(running.process) == set()
    seen = len(running.finished_seconds())
    servers.wait_for("more load", lambda: len(running.finished_seconds()) > seen + 1, 20, running.process)
    running.signal()
    result = running.wait()
    assert result.status == 0, result.stderr
    assert f"content: 100 MiB from {path}" in result.stderr
    assert result.stderr.count(f"{path} is about to be changed: the content comes from memory from here on") == 1
    verified = result.pattern()["verified"]
    assert verified["checked"] > 0 and verified["corrupt"] == 0


@pytest.mark.parametrize("spoil, says", [
    (lambda path: None, None),
    (lambda path: path.unlink(), "there is no data file for it in "),
    (lambda path: os.truncate(path, 1 << 20), "has another length than its name says; init-data replaces it"),
    (lambda path: path.write_bytes(b"\xa5" * (100 << 20)), "holds other bytes than it should; init-data replaces it"),
    (lambda path: (path.unlink(), path.mkdir()), "cannot be kept from changes"),
], ids=["good", "none", "cut", "other", "directory"])
def test_only_good_files_are_taken(serve, loadtest, good_files, tmp_path, spoil, says):
    path = tmp_path / POOL
    path.write_bytes((good_files / POOL).read_bytes())
    spoil(path)
    result = loadtest(serve, *RUN, "--operations", "40", "--log-level", "DEBUG", settings=data_settings(tmp_path))
    assert result.status == 0, result.stderr
    lines = [line for line in result.stderr.splitlines() if "content: 100 MiB" in line]
    assert len(lines) == 1, result.stderr
    if says:
        assert "built in memory: " in lines[0] and says in lines[0]
        assert (" WARNING " in lines[0]) == (says[0] != "t")
    else:
        assert lines[0].endswith(f"content: 100 MiB from {path}")
    assert result.pattern()["verified"]["corrupt"] == 0


def test_a_file_that_is_open_for_writing_is_not_mapped(serve, loadtest, good_files, tmp_path):
    path = tmp_path / POOL
    path.write_bytes((good_files / POOL).read_bytes())
    with open(path, "r+b"):
        result = loadtest(serve, *RUN, "--operations", "10", settings=data_settings(tmp_path))
    assert result.status == 0 and f"{path} is open for writing" in result.stderr


def test_memory_of_all_sizes(serve, loadtest, good_files):
    result = loadtest(serve, "run", "baseload", "--operations", "400", "--verify", "all", "--json",
                      settings=data_settings(good_files))
    assert result.status == 0, result.stderr
    assert set(result.operation("PUT")["sizes"]) == {"1KB", "10KB", "100KB", "1MB", "10MB", "100MB"}
    assert result.summary["client"]["max_rss_bytes"] < (100 << 20) + 200_000_000
