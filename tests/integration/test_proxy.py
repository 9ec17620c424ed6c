"""Backend proxy: the s3pool that a run starts, watches and ends. S3POOL_BINARY in the environment names a real one; else a
stand-in plays it."""
import os
import pathlib
import re
import signal

import pytest

from browser import chromium, console_errors, open_page
from harness import json_lines
from misbehaving import Peer, answering
import servers
from test_tls import https  # noqa: F401, a fixture


def processes_of(port):
    """pid to command line of everything that was started for this address."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if f"127.0.0.1:{port}" in words:
            found[int(entry.name)] = words
    return found


class Proxy:
    def __init__(self, folder):
        self.port, self.folder = servers.free_port(), folder

    def settings(self, **more):
        return {"S3LOADTEST_BACKEND": "proxy", "S3POOL_BINARY": servers.S3POOL, "S3LOADTEST_TEMP_DIR": str(self.folder),
                "S3LOADTEST_PROXY_ADDR": f"127.0.0.1:{self.port}", **more}

    def pid(self, word="proxy"):
        """Of the s3pool; of its keeper."""
        pids = [pid for pid, words in processes_of(self.port).items() if word in words]
        assert len(pids) == 1, processes_of(self.port)
        return pids[0]

    def keeper(self):
        return self.pid("keep-s3pool")

    def wait_until_gone(self, seconds=10):
        servers.wait_for("the end of s3pool", lambda: not processes_of(self.port), seconds)
        assert not servers.listening(self.port)
        assert list(self.folder.glob("s3loadtest-s3pool-*")) == [], "its working directory is left"


@pytest.fixture
def proxy(tmp_path):
    folder = tmp_path / "temp"
    folder.mkdir()
    mine = Proxy(folder)
    yield mine
    left = processes_of(mine.port)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes are left"


LOAD = ("run", "baseload", "--size", "1KB", "--concurrency", "4", "--json")


def running_load(loadtest, storage, proxy, *more, seconds="4s", settings=None):
    running = loadtest.start(storage, *LOAD, "--duration", seconds, *more, settings=proxy.settings(**(settings or {})))
    running.wait_until_loading(15)
    return running


def test_a_run_starts_it_reports_it_and_leaves_nothing(serve, loadtest, proxy):
    running = running_load(loadtest, serve, proxy, seconds="2s")
    pid = proxy.pid()
    for words in processes_of(proxy.port).values():
        assert not any(serve.secret_key in word for word in words)
    work = pathlib.Path(f"/proc/{pid}/cwd")
    assert (work / ".env").read_text() == "" and work.resolve().parent == proxy.folder
    result = running.wait()
    assert result.status == 0, result.stderr
    said = result.summary["proxy"]
    assert (said["address"], said["ours"], said["deaths"], said["own_answers"]) == (f"127.0.0.1:{proxy.port}", True, 0, 0)
    assert said["cpu_seconds"] > 0 and said["max_rss_bytes"] > 1 << 20
    assert result.summary["run"]["endpoints"] == [serve.endpoint] and result.summary["run"]["backend"] == "proxy"
    assert set(serve.keys("loadtest/")) and result.pattern()["verified"]["corrupt"] == 0
    log = pathlib.Path(said["log"]).read_text()
    assert f"started as process {pid}" in log and serve.secret_key not in log + result.stderr
    proxy.wait_until_gone(0.5)
    rendered = loadtest(None, "report", str(result.directory))
    assert f"proxy: s3pool at 127.0.0.1:{proxy.port}, " in rendered.stdout and "through s3pool" in rendered.stdout
    with chromium() as driver:
        open_page(driver, result.directory / "report.html")
        page = re.sub(r"\n+", "\n", driver.execute_script("return document.body.innerText"))
        assert console_errors(driver) == []
    assert re.search(rf"\ns3pool\n.*\naddress\n127\.0\.0\.1:{proxy.port}\nCPU\n[0-9.]+ s\nmemory\n", page), page


@pytest.mark.parametrize("server", ["rgw", "versitygw"])
def test_all_operations_pass_through_it(server, request, loadtest, proxy):
    storage = request.getfixturevalue(server)
    result = loadtest(storage.with_new_bucket(), "run", "all", "--duration", "5s", "--time-scale", "60", "--size", "1KB",
                      "--size", "100KB", "--concurrency", "2", "--create-bucket", "--json", settings=proxy.settings())
    assert result.status == 0, result.stderr
    patterns = result.summary["patterns"]
    assert all(figures["errors"] == 0 for pattern in patterns.values() for figures in pattern["operations"].values())
    done = {operation for pattern in patterns.values() for operation in pattern["operations"]}
    assert {"GET", "PUT", "LIST", "DELETE-BATCH"} <= done
    proxy.wait_until_gone()


def test_one_that_is_killed_is_started_again_and_counted(serve, loadtest, proxy):
    running = running_load(loadtest, serve, proxy)
    first = proxy.pid()
    os.kill(first, signal.SIGKILL)
    servers.wait_for("another s3pool", lambda: [p for p, words in processes_of(proxy.port).items()
                                                if "proxy" in words and p != first], 10)
    result = running.wait()
    said = result.summary["proxy"]
    assert (said["deaths"], said["restarts"], said["how_it_died"]) == (1, 1, ["was ended by signal 9"])
    assert 0.1 < said["down_seconds"] < 4
    assert any("s3pool died once and was started again once" in note for note in result.summary["notes"])
    assert "s3pool was ended by signal 9; it is started again" in result.stderr
    assert json_lines(result.directory / "series.jsonl")[-1]["patterns"], "the load went on"
    proxy.wait_until_gone()


@pytest.mark.parametrize("stopped", [False, True])
def test_a_keeper_that_is_killed_takes_nothing_with_it_but_s3pool(serve, loadtest, proxy, stopped):
    running = running_load(loadtest, serve, proxy)
    first = proxy.pid()
    if stopped:
        os.kill(first, signal.SIGSTOP)
    os.kill(proxy.keeper(), signal.SIGKILL)
    servers.wait_for("another s3pool", lambda: [p for p, words in processes_of(proxy.port).items()
                                                if "proxy" in words and p != first], 10)
    result = running.wait()
    assert (result.summary["proxy"]["deaths"], result.summary["proxy"]["restarts"]) == (1, 1)
    # Its working directory was the dead keeper's to remove.
    for left in proxy.folder.glob("s3loadtest-s3pool-*"):
        (left / ".env").unlink()
        left.rmdir()
    proxy.wait_until_gone()


@pytest.mark.parametrize("how", [signal.SIGKILL, "two interrupts"])
def test_a_run_that_does_not_end_in_order_leaves_no_orphan(serve, loadtest, proxy, how):
    running = running_load(loadtest, serve, proxy, "--grace", "30s", seconds="60s")
    if how == "two interrupts":
        running.signal()
        running.signal()
    else:
        running.signal(how)
    running.process.wait(10)
    proxy.wait_until_gone()


def test_two_runs_share_one_and_the_last_ends_it(serve, loadtest, another_loadtest, proxy):
    first = running_load(loadtest, serve, proxy, seconds="2s")
    pid = proxy.pid()
    second = running_load(another_loadtest, serve, proxy, "--worker-id", "1", seconds="3s")
    result = first.wait()
    assert result.status == 0 and result.summary["proxy"]["shared"] is True
    assert proxy.pid() == pid, "the other run uses it still"
    result = second.wait()
    assert result.status == 0 and result.summary["proxy"]["shared"] is True and result.summary["proxy"]["deaths"] == 0
    assert pathlib.Path(result.summary["proxy"]["log"]).parent == first.log_directory
    proxy.wait_until_gone()


@pytest.mark.parametrize("flags", [(), ("--force-restart-proxy",)])
def test_one_that_another_run_used_for_a_while_was_shared(serve, loadtest, another_loadtest, proxy, flags):
    running = running_load(loadtest, serve, proxy, seconds="60s")
    other = another_loadtest(serve, *LOAD, "--operations", "20", "--worker-id", "1", *flags, settings=proxy.settings())
    assert other.status == 0 and other.summary["proxy"]["shared"] is True, other.stderr
    running.signal()
    result = running.wait()
    assert result.summary["proxy"]["shared"] is True
    rendered = loadtest(None, "report", str(result.directory))
    assert f"proxy: s3pool at 127.0.0.1:{proxy.port} (other runs used it, too)" in re.sub(r"\s+", " ", rendered.stdout)
    proxy.wait_until_gone()


def test_one_with_other_settings_is_not_taken_from_another_run(serve, loadtest, another_loadtest, proxy):
    running = running_load(loadtest, serve, proxy, seconds="20s")
    other = another_loadtest(serve, *LOAD, "--duration", "1s", "--worker-id", "1", "--force-restart-proxy",
                             settings=proxy.settings(AWS_REGION="eu-west-1"))
    assert other.status == 3
    assert other.stderr.endswith(
        f"s3loadtest: another run uses the s3pool at 127.0.0.1:{proxy.port} with other settings (another key, region, "
        "verification of certificates, or LB_… or POOL_… variable); choose another address with S3LOADTEST_PROXY_ADDR, or wait until that run has ended\n")
    other = another_loadtest(serve, *LOAD, "--duration", "1s", "--worker-id", "1",
                             settings=proxy.settings(S3_ENDPOINTS=f"{serve.endpoint},http://127.0.0.1:9"))
    assert f"with other settings (it stands before {serve.endpoint}); " in other.stderr
    running.signal()
    said = running.wait().summary["proxy"]
    assert (said["deaths"], said["shared"]) == (0, False), "who is refused uses nothing"
    proxy.wait_until_gone()


def test_force_restart_proxy_restarts_ours(serve, loadtest, another_loadtest, proxy):
    running = running_load(loadtest, serve, proxy, seconds="3s")
    pid = proxy.pid()
    other = running_load(another_loadtest, serve, proxy, "--worker-id", "1", "--force-restart-proxy", seconds="1s")
    assert proxy.pid() != pid
    assert other.wait().status == 0
    assert running.wait().summary["proxy"]["how_it_died"] == ["was restarted by a run with --force-restart-proxy"]
    proxy.wait_until_gone()


@pytest.fixture
def start_foreign(serve, proxy, tmp_path):
    """Starts an s3pool that is no run of ours'."""
    work, processes = tmp_path / "foreign", []
    work.mkdir()
    (work / ".env").write_text("")

    def start():
        process = servers.start([servers.S3POOL, "--insecure", "--log-level", "error", "proxy", "--listen",
                                 f"127.0.0.1:{proxy.port}"], work / "log", cwd=work,
                                environment={"PATH": os.environ["PATH"], "S3_POOL": serve.endpoint,
                                             "AWS_ACCESS_KEY_ID": serve.access_key,
                                             "AWS_SECRET_ACCESS_KEY": serve.secret_key})
        processes.append(process)
        servers.wait_for("s3pool", lambda: servers.listening(proxy.port), 10, process)
        return process

    yield start
    for process in processes:
        servers.end(process)


@pytest.fixture
def foreign(start_foreign):
    return start_foreign()


def test_no_proxy_uses_what_runs_and_leaves_it(serve, loadtest, proxy, foreign):
    result = loadtest(serve, *LOAD, "--duration", "1s", "--no-proxy", settings=proxy.settings(S3POOL_BINARY="/nowhere"))
    assert result.status == 0, result.stderr
    said = result.summary["proxy"]
    assert said["ours"] is False and said["log"] is None and said["max_rss_bytes"] > 0
    assert foreign.poll() is None
    # Not ours: neither taken nor restarted.
    for flags in ((), ("--force-restart-proxy",)):
        refused = loadtest(serve, *LOAD, "--duration", "1s", *flags, settings=proxy.settings())
        assert refused.status == 3
        assert re.fullmatch(
            rf"s3loadtest: 127\.0\.0\.1:{proxy.port} is used by process {foreign.pid} \([^)]+\), which no run of ours "
            r"started; end it, choose another address with S3LOADTEST_PROXY_ADDR, or use it with --no-proxy\n",
            refused.stderr), refused.stderr
    assert foreign.poll() is None


def test_no_proxy_without_one_says_so(serve, loadtest, proxy):
    result = loadtest(serve, *LOAD, "--no-proxy", settings=proxy.settings())
    assert result.status == 3
    assert result.stderr.startswith(f"s3loadtest: no s3pool listens on 127.0.0.1:{proxy.port} (")
    assert result.stderr.endswith("; start it, or leave --no-proxy out and one is started\n")


def test_a_script_that_waits_for_it_ends_with_it(serve, loadtest, proxy, tmp_path):
    script = tmp_path / "s3pool"
    script.write_text(f'#!/bin/sh\n"{servers.S3POOL}" "$@"\n')
    script.chmod(0o755)
    running = running_load(loadtest, serve, proxy, settings={"S3POOL_BINARY": str(script)}, seconds="60s")
    listener, = [pid for pid, words in processes_of(proxy.port).items()
                 if "proxy" in words and str(script) not in words]
    running.signal()
    result = running.wait()
    assert result.status == 0, result.stderr
    assert f"s3pool at 127.0.0.1:{proxy.port}: process {listener}, log " in result.stderr
    proxy.wait_until_gone()


def test_objects_that_are_there_may_be_too_large_for_it(serve, loadtest, proxy):
    native = {"S3LOADTEST_BACKEND": "native"}
    written = loadtest(serve, "run", "baseload", "--size", "1GB", "--operations", "1", "--concurrency", "1", "--prefix",
                       "large/", "--json", settings=native)
    assert written.status == 0, written.stderr
    result = loadtest(serve, "run", "heavyread", "--existing", "large/", "--concurrency", "3", "--operations", "3", "--json",
                      settings=proxy.settings(), through=("sh", "-c", 'ulimit -v 2500000; exec "$@"', "sh"))
    assert result.status == 2 and "s3pool keeps whole bodies in memory, and copies them: 3 clients" in result.stderr
    proxy.wait_until_gone()


def test_one_that_dies_at_once_says_why(serve, loadtest, proxy, tmp_path):
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\necho \"Error: bad key $AWS_SECRET_ACCESS_KEY\" >&2\nexit 3\n")
    dying.chmod(0o755)
    result = loadtest(serve, *LOAD, settings=proxy.settings(S3POOL_BINARY=str(dying)))
    assert result.status == 3
    log = loadtest.folder / "logs" / f"s3pool-{proxy.port}.log"
    assert result.stderr == (f"s3loadtest: {dying} ended with status 3: Error: bad key ***; its log {log} says more\n")
    assert serve.secret_key not in log.read_text()
    proxy.wait_until_gone()


def test_one_that_dies_without_a_word_has_no_log_to_read(serve, loadtest, proxy, tmp_path):
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\nexit 3\n")
    dying.chmod(0o755)
    result = loadtest(serve, *LOAD, settings=proxy.settings(S3POOL_BINARY=str(dying)))
    assert (result.status, result.stderr) == (
        3, f"s3loadtest: {dying} ended with status 3 without a word; is it an s3pool?\n")
    proxy.wait_until_gone()


@pytest.mark.parametrize("what", ["storage", "stranger"])
def test_no_proxy_at_something_else_says_that_it_is_none(serve, loadtest, proxy, what):
    text = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno"
    with Peer(answering(text)) as stranger:
        address = (serve if what == "storage" else stranger).endpoint.removeprefix("http://")
        result = loadtest(serve, *LOAD, "--no-proxy", settings=proxy.settings(S3LOADTEST_PROXY_ADDR=address))
    assert result.status == 3
    assert result.stderr.splitlines()[-1] == (
        f"s3loadtest: {address} is no s3pool: its answers lack the header x-s3pool-proxy; set S3LOADTEST_PROXY_ADDR to where "
        "one listens, or to a free address and leave --no-proxy out, and one is started")
    assert serve.keys() == {}


@pytest.mark.parametrize("backend", ["proxy", "boto3"])
def test_flags_that_do_not_go_together_are_refused(serve, loadtest, proxy, backend):
    result = loadtest(serve, *LOAD, "--backend", backend, "--force-restart-proxy", "--no-proxy", settings=proxy.settings())
    assert (result.status, result.stderr) == (
        2, "s3loadtest: --no-proxy leaves s3pool alone, and --force-restart-proxy restarts it; give one of them\n")
    result = loadtest(serve, *LOAD, "--backend", backend, "--payload", "crc32", settings=proxy.settings())
    assert (result.status, result.stderr) == (
        2, f"s3loadtest: --payload crc32: backend {backend} has no choice of it; give --backend native\n")


def test_cleanup_goes_straight_to_the_storage(serve, loadtest, proxy):
    assert loadtest(serve, *LOAD, "--operations", "50", settings=proxy.settings()).status == 0
    cleaned = loadtest(serve, "cleanup", settings=proxy.settings(S3POOL_BINARY="/nowhere"))
    assert cleaned.status == 0, cleaned.stderr
    assert serve.keys() == {}

@pytest.mark.parametrize("server", ["rgw", "versitygw"])
def test_objects_in_parts_pass_through_it(server, request, loadtest, proxy):
    storage = request.getfixturevalue(server).with_new_bucket()
    large = loadtest.folder / "large.toml"
    large.write_text('name = "large"\nmix = {GET = 40, PUT = 60}\nsizes = ["11MB"]\n')
    result = loadtest(storage, "run", str(large), "--multipart-size", "5MiB", "--json", "--threads", "1", "--seed", "7",
                      "--create-bucket", "--operations", "8", "--concurrency", "2", "--verify", "all",
                      settings=proxy.settings())
    assert result.status == 0, result.stderr
    put, get, part = (result.operation(name, "large") for name in ("PUT", "GET", "PART"))
    assert put["count"] + get["count"] == 8 and part["count"] == 3 * put["count"] > 0
    assert put["errors"] == get["errors"] == part["errors"] == 0
    assert result.pattern("large")["verified"]["checked"] == get["count"] > 0
    assert set(storage.keys("loadtest/").values()) == {11 * 2**20}
    assert storage.boto3().list_multipart_uploads(Bucket=storage.bucket).get("Uploads", []) == []
    proxy.wait_until_gone()


@pytest.mark.parametrize("verified", [False, True])
def test_storage_behind_it_may_speak_https(https, loadtest, proxy, verified):  # noqa: F811
    settings = {"AWS_CA_BUNDLE": https.ca_bundle} if verified else {"S3_VERIFY_SSL": "false"}
    result = loadtest(https, *LOAD, "--duration", "1s", settings=proxy.settings(**settings))
    assert result.status == 0, result.stderr
    assert result.total("errors") == 0 and result.total("count") > 20
    proxy.wait_until_gone()


def test_a_certificate_that_it_does_not_believe_is_told(https, loadtest, proxy):  # noqa: F811
    result = loadtest(https, *LOAD, "--duration", "1s", settings=proxy.settings(S3_VERIFY_SSL="true"))
    assert result.status == 3
    assert result.stderr.splitlines()[-1] == (
        f"s3loadtest: s3pool at 127.0.0.1:{proxy.port} reaches no endpoint of the storage (503: No healthy backends "
        f"available): {https.endpoint} (the certificate is signed by itself and not among the certificates that this system "
        "trusts); check that the storage runs, and S3_ENDPOINTS")
    proxy.wait_until_gone()


def test_one_that_never_listens_says_so(serve, loadtest, proxy, tmp_path):
    sleeping = tmp_path / "sleeping"
    sleeping.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeping.chmod(0o755)
    result = loadtest(serve, *LOAD, settings=proxy.settings(S3POOL_BINARY=str(sleeping)))
    assert result.status == 3
    # It wrote nothing that a log could say more of.
    assert result.stderr == (f"s3loadtest: {sleeping} does not listen on 127.0.0.1:{proxy.port} after 15 s; is it an "
                             "s3pool?\n")
    proxy.wait_until_gone()
