"""Backend proxy: an s3pool that is stopped, does not reach the storage, gives up endpoints, or answers by itself."""
import os
import pathlib
import signal

from harness import json_lines
import servers
from test_proxy import LOAD, proxy, running_load  # noqa: F401, proxy is a fixture


def test_one_that_stands_still_to_the_end_is_named(serve, loadtest, proxy):  # noqa: F811
    running = running_load(loadtest, serve, proxy, "--grace", "0s")
    pid = proxy.pid()
    os.kill(pid, signal.SIGSTOP)  # for good: the run ends it by SIGKILL
    result = running.wait()
    url = f"http://127.0.0.1:{proxy.port}"
    endpoint, = [endpoint for endpoint in result.summary["endpoints"] if endpoint["url"] == url]
    assert endpoint["silent"]["attempts"] == 4 and endpoint["silent"]["seconds"] > 1
    notes = result.summary["notes"]
    assert any(note.startswith(f"silent: s3pool at {url}: ") for note in notes)
    said, stopped = result.summary["proxy"], f"s3pool (process {pid}) was stopped (state T: by SIGSTOP or a debugger) for "
    assert said["stopped_pid"] == pid and 1 < said["stopped_seconds"] < 5, said
    assert any(note.startswith(stopped) for note in notes)
    verdict = result.summary["verdict"]
    assert verdict["bottleneck"] == "unknown" and verdict["why"].startswith(stopped), verdict
    assert f"s3pool (process {pid}) is stopped (state T)" in result.stderr
    ending = " ".join(loadtest(None, "report", str(result.directory)).stdout.split("The storage, through s3pool,")[1].split())
    assert f"from s3pool at {url}; s3pool was stopped for {said['stopped_seconds']:.1f}s; " in ending
    assert ending.endswith("; so the rates say little of the storage's speed."), ending
    proxy.wait_until_gone()


def test_no_run_begins_at_one_that_is_stopped(serve, loadtest, another_loadtest, proxy):  # noqa: F811
    running = running_load(loadtest, serve, proxy, seconds="60s")
    pid = proxy.pid()
    os.kill(pid, signal.SIGSTOP)
    other = another_loadtest(serve, *LOAD, "--duration", "1s", "--worker-id", "1", settings=proxy.settings())
    os.kill(pid, signal.SIGCONT)
    assert other.status == 3 and other.stderr.endswith(
        f"s3loadtest: s3pool at 127.0.0.1:{proxy.port} (process {pid}) is stopped (state T: by SIGSTOP or a debugger); "
        "SIGCONT lets it go on\n"), other.stderr
    running.signal()
    assert running.wait().status == 0
    proxy.wait_until_gone()


def test_one_that_was_stopped_for_a_while_is_named(serve, loadtest, proxy):  # noqa: F811
    running = running_load(loadtest, serve, proxy, seconds="60s")
    pid = proxy.pid()
    for number, word in ((signal.SIGSTOP, "is stopped (state T)"), (signal.SIGCONT, "goes on")):
        os.kill(pid, number)
        running.wait_until_says(f"s3pool (process {pid}) {word}")
    running.signal()
    result = running.wait()
    assert 0 < result.summary["proxy"]["stopped_seconds"] < 10 and result.summary["proxy"]["deaths"] == 0
    assert any(note.startswith(f"s3pool (process {pid}) was stopped ") for note in result.summary["notes"])
    proxy.wait_until_gone()


def test_endpoints_that_it_cannot_reach_are_named(loadtest, proxy):  # noqa: F811
    nobody = servers.Storage(f"http://127.0.0.1:{servers.free_port()}", "key", "secret12345")
    result = loadtest(nobody, *LOAD, settings=proxy.settings())
    assert result.status == 3
    assert result.stderr.splitlines()[-1] == (
        f"s3loadtest: s3pool at 127.0.0.1:{proxy.port} reaches no endpoint of the storage (503: No healthy backends "
        f"available): {nobody.endpoint} (Connection refused); check that the storage runs, and S3_ENDPOINTS")
    proxy.wait_until_gone()


def test_an_endpoint_that_it_gives_up_is_told(serve, loadtest, proxy):  # noqa: F811
    dead = f"http://127.0.0.1:{servers.free_port()}"
    result = loadtest(serve, *LOAD, "--duration", "2s",
                      settings=proxy.settings(S3_ENDPOINTS=f"{dead},{serve.endpoint}"))
    assert result.status == 0, result.stderr
    assert result.summary["proxy"]["gave_up"] == [dead]
    assert any(f"s3pool took {dead} for unhealthy" in note for note in result.summary["notes"])


def misled(folder, always):
    """An s3pool that stands before a dead endpoint instead of the storage: the first of them, or always."""
    program, dead = folder / "misled", f"http://127.0.0.1:{servers.free_port()}"
    first = "true" if always else f"mkdir {folder}/was-there 2>/dev/null"
    program.write_text(f"#!/bin/sh\n{first} && export S3_POOL={dead}\nexec {servers.S3POOL} \"$@\"\n")
    program.chmod(0o755)
    return program, dead


def test_one_that_gives_up_all_endpoints_before_the_load_is_started_anew(serve, loadtest, proxy, tmp_path):  # noqa: F811
    program, dead = misled(tmp_path, always=False)
    result = loadtest(serve, *LOAD, "--operations", "50", settings=proxy.settings(S3POOL_BINARY=str(program)))
    assert result.status == 0, result.stderr
    assert "s3pool gave up every endpoint of the storage at the first questions; it is started anew" in result.stderr
    said = result.summary["proxy"]
    assert (said["deaths"], said["restarts"], said["gave_up"], said["gave_up_all"]) == (0, 0, [], False)
    assert pathlib.Path(said["log"]).read_text().count("started as process") == 2
    assert result.total("errors") == 0 and dead not in str(result.summary["notes"])
    proxy.wait_until_gone()


def test_one_that_gives_up_all_endpoints_again_is_refused(serve, loadtest, proxy, tmp_path):  # noqa: F811
    program, dead = misled(tmp_path, always=True)
    result = loadtest(serve, *LOAD, "--operations", "50", settings=proxy.settings(S3POOL_BINARY=str(program)))
    assert result.status == 3
    assert result.stderr.splitlines()[-1] == (
        f"s3loadtest: s3pool at 127.0.0.1:{proxy.port} reaches no endpoint of the storage (it gave up every one, and did so "
        f"again when it was started anew): {dead}; check that the storage runs, and S3_ENDPOINTS")
    proxy.wait_until_gone()


def test_all_endpoints_given_up_in_the_load_stand_in_the_closing_sentence(serve_with, loadtest, proxy):  # noqa: F811
    storage = serve_with()
    running = running_load(loadtest, storage, proxy, "--grace", "1s", seconds="60s")
    servers.end(storage.process)
    running.wait_until_says(f"s3pool takes {storage.endpoint} for unhealthy")
    running.signal()
    result = running.wait()
    assert result.summary["proxy"]["gave_up_all"] is True and result.summary["proxy"]["gave_up"] == [storage.endpoint]
    rendered = " ".join(loadtest(None, "report", str(result.directory)).stdout.split())
    assert "; s3pool took the only endpoint for unhealthy; " in rendered
    proxy.wait_until_gone()


def test_a_run_is_told_what_an_s3pool_of_others_gave_up_before_it(serve, loadtest, another_loadtest, proxy):  # noqa: F811
    dead = f"http://127.0.0.1:{servers.free_port()}"
    settings = {"S3_ENDPOINTS": f"{dead},{serve.endpoint}"}
    running = running_load(loadtest, serve, proxy, seconds="60s", settings=settings)
    running.wait_until_says(f"s3pool takes {dead}")
    other = another_loadtest(serve, *LOAD, "--operations", "20", "--worker-id", "1", settings=proxy.settings(**settings))
    assert other.summary["proxy"]["gave_up"] == [dead]
    running.signal()
    running.wait()
    proxy.wait_until_gone()


def test_its_own_answers_are_not_the_storages(serve_with, loadtest, proxy):  # noqa: F811
    """Before one endpoint it makes a 503 of its own of the storage's, and tries nothing again."""
    storage = serve_with("--fault", "PUT:status=503")
    writes = loadtest.folder / "writes.toml"
    writes.write_text('name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n')
    result = loadtest(storage, "run", str(writes), "--operations", "8", "--concurrency", "4", "--retries", "0", "--json",
                      settings=proxy.settings())
    put = result.operation("PUT", "writes")
    assert put["outcomes"] == {"server_error": 8} and put["status"] == {"503": 8}
    assert result.summary["proxy"]["own_answers"] == 8
    assert any("8 attempts got an answer of s3pool's own" in note for note in result.summary["notes"])
    samples = [e for e in json_lines(result.directory / "errors.jsonl") if not e.get("slowest")]
    assert {e["code"] for e in samples} == {"s3pool"}
    assert samples[0]["message"] == "s3pool's own answer: No healthy backends available"
    proxy.wait_until_gone()


def test_what_the_storage_refuses_stays_its_own(serve_with, loadtest, proxy):  # noqa: F811
    storage = serve_with("--fault", "PUT:status=507")
    writes = loadtest.folder / "writes.toml"
    writes.write_text('name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n')
    result = loadtest(storage, "run", str(writes), "--operations", "8", "--json", settings=proxy.settings())
    assert result.operation("PUT", "writes")["outcomes"] == {"full": 8}
    assert result.summary["proxy"]["own_answers"] == 0


def test_a_wrong_secret_is_the_storages_word(serve, loadtest, proxy):  # noqa: F811
    result = loadtest(serve, *LOAD, settings=proxy.settings(AWS_SECRET_ACCESS_KEY="hunter2wrong"))
    assert result.status == 3 and "hunter2wrong" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith(
        f"s3loadtest: {serve.endpoint} knows this access key by another secret (403 SignatureDoesNotMatch)")
    proxy.wait_until_gone()
