"""`check --backend proxy`: what a run through s3pool needs of this machine, found out without starting one."""
import json
import os
import shlex

import pytest

from misbehaving import Peer, answering
import servers
from test_proxy import processes_of, proxy, running_load  # noqa: F401, proxy is a fixture


def checked(loadtest, storage, proxy, *more, **settings):  # noqa: F811
    result = loadtest(storage, "check", "--json", *more, settings=proxy.settings(**settings))
    assert not processes_of(proxy.port), "it starts nothing"
    return result.status, json.loads(result.stdout)


def test_check_finds_what_a_run_would_start(serve, loadtest, proxy):  # noqa: F811
    status, facts = checked(loadtest, serve, proxy)
    assert status == 0, facts
    assert facts["proxy"] == {"address": f"127.0.0.1:{proxy.port}", "program": servers.S3POOL, "shared": False,
                              "problems": []}
    running = running_load(loadtest, serve, proxy, seconds="20s")
    during = loadtest(serve, "check", "--json", settings=proxy.settings())
    assert during.status == 0 and json.loads(during.stdout)["proxy"]["shared"] is True
    running.signal()
    assert running.wait().summary["proxy"]["deaths"] == 0
    proxy.wait_until_gone()


@pytest.mark.parametrize("more, settings, problem", [
    ((), {"S3POOL_BINARY": "/nowhere/s3pool"}, "S3POOL_BINARY=/nowhere/s3pool: there is no /nowhere/s3pool; "),
    ((), {"S3POOL_BINARY": "/proc/self/status"}, "/proc/self/status is not executable; "),
    (("--prefix", "my tests/"), {}, '--prefix: "my tests/" cannot be sent through s3pool, ')])
def test_check_tells_what_keeps_it_from_starting(serve, loadtest, proxy, more, settings, problem):  # noqa: F811
    status, facts = checked(loadtest, serve, proxy, *more, **settings)
    assert status == 2 and not facts["works"]
    assert len(facts["proxy"]["problems"]) == 1 and problem in facts["proxy"]["problems"][0], facts["proxy"]
    run = loadtest(serve, "run", "baseload", *more, settings=proxy.settings(**settings))
    assert (run.status, run.stderr) == (2, f"s3loadtest: {facts['proxy']['problems'][0]}\n")
    words = shlex.split(facts["next"])
    assert words[:3] == ["s3loadtest", "run", "baseload"] and words[-2:] == ["--backend", "native"]
    works = loadtest(serve, *words[1:3], *words[5:], "--operations", "20", "--size", "1KB", settings=proxy.settings(**settings))
    assert works.status == 0, works.stderr


def test_check_refuses_a_session_token_for_it(serve, loadtest, proxy):  # noqa: F811
    status, facts = checked(loadtest, serve, proxy, AWS_SESSION_TOKEN="token")
    assert status == 2
    assert facts["proxy"]["problems"] == ["backend proxy: s3pool signs without a session token; unset AWS_SESSION_TOKEN and "
                                          "use permanent keys, or another backend"]


def test_check_tells_who_has_its_address(serve, loadtest, proxy):  # noqa: F811
    with Peer(answering(b"")) as stranger:
        address = f"127.0.0.1:{stranger.port}"
        result = loadtest(serve, "check", settings=proxy.settings(S3LOADTEST_PROXY_ADDR=address))
    assert result.status == 1, result.stdout
    text = " ".join(result.stdout.split())
    assert f"wrong: {address} is used by process {os.getpid()} (" in text and "which no run of ours started; " in text
    assert result.stdout.splitlines()[-1] == "next: s3loadtest run baseload --duration 1m --backend native"
