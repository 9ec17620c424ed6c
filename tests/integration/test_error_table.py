"""Everything that can be wrong before a load, and the one sentence that says so (docs/errors.md).

Each row demands the exact sentence, the exit status, and nothing else: no second sentence, no secret, no
stack trace, no file. In a sentence, {word} is what the test knows and <word> what it cannot know:
"""
import contextlib
import dataclasses
import json
import os
import re
import socket
import subprocess

import pytest

import certificates
from harness import Loadtest, start_serve
from misbehaving import (Peer, answering, black_hole, closing, dribbling, endless, http, s3_error, saying,
                         saying_nothing)
import servers

VARIES = {
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "<about 20 minutes>": r"(20m(\ds)?|19m5\ds)",
    "<n>": r"[\d,]+",
    "<size>": r"[\d.]+ [KMGT]?i?B",
    "<hex>": r"[0-9a-f]{4}",
}
SECRET = "hunter2$ecret/With+Signs="
RUN = ("run", "baseload", "--size", "1KB", "--operations", "20", "--retries", "0")
SETTINGS = {"S3_ENDPOINTS": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "AKERRORTABLE", "AWS_SECRET_ACCESS_KEY": SECRET,
            "S3_BUCKET": "loadtest"}
TRACES = ("terminate called", "what():", "Assertion", "Traceback", "std::", "Aborted", "Segmentation", "    #0")


@dataclasses.dataclass
class Row:
    says: str
    status: int = 2
    arguments: tuple = RUN
    without: tuple = ()  # of SETTINGS
    settings: dict = dataclasses.field(default_factory=dict)
    environment: dict = dataclasses.field(default_factory=dict)
    warns: tuple = ()  # lines of the log before it
    through: tuple = ()

    def settings_in(self, **names):
        kept = {name: value for name, value in SETTINGS.items() if name not in self.without}
        return {**kept, **{name: value.format(**names) for name, value in self.settings.items()}}


def matches(sentence, text, **names):
    pattern = re.escape(sentence.format(**names))
    for word, varies in VARIES.items():
        pattern = pattern.replace(re.escape(word), varies)
    return re.fullmatch(pattern, text)


def every_text(folder, result):
    yield "stdout", result.stdout
    yield "stderr", result.stderr
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in (".env", "stdout", "stderr"):
            yield str(path), path.read_bytes().decode(errors="replace")


def check_discretion(folder, result, secret=SECRET):
    """What holds whatever went wrong."""
    for where, text in every_text(folder, result):
        assert secret not in text, f"the secret stands in {where}"
    for trace in TRACES:
        assert trace not in result.stdout + result.stderr
    assert [path for path in folder.rglob("*.lock")] == []
    assert [path for path in folder.rglob(".*") if path.name != ".env"] == [], "drafts are left"


def begin(row, loadtest, **names):
    environment = {name: value.format(**names) for name, value in row.environment.items()}
    return loadtest.start(None, *row.arguments, settings=row.settings_in(**names), through=row.through,
                          environment={"S3LOADTEST_KEY_DIR": str(loadtest.folder), "HOME": str(loadtest.folder),
                                       **environment})


def check(row, loadtest, running=None, **names):
    """Runs it, unless it runs already, and holds all that it says and leaves against the row."""
    before = {path for path in loadtest.folder.rglob("*")}
    result = (running or begin(row, loadtest, **names)).wait()
    # Indented lines go on with a sentence: an expression, and the caret under its mistake.
    lines = re.split(r"\n(?!  )", result.stderr.removesuffix("\n"))
    assert lines[0], f"status {result.status} and not a word"
    assert lines[-1].startswith("s3loadtest: "), result.stderr
    assert matches(row.says, lines[-1].removeprefix("s3loadtest: "), **names), lines[-1]
    assert result.status == row.status
    assert [line for line in lines[:-1] if not any(warning in line for warning in row.warns)] == []
    assert len(lines) == 1 + len(row.warns)
    assert result.stdout == ""
    left = {path.name for path in loadtest.folder.rglob("*")} - {path.name for path in before}
    assert left <= {".env", "stdout", "stderr"}, f"{left} is left"
    check_discretion(loadtest.folder, result, row.settings_in(**names).get("AWS_SECRET_ACCESS_KEY", SECRET))
    return result


def endpoint_row(url, says):
    return Row(says, settings={"S3_ENDPOINTS": url})


def flag_row(says, *flags):
    return Row(says, arguments=(*RUN, *flags))


USAGE = {
    # ---- settings
    "no .env": Row("missing settings: S3_ENDPOINTS, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, S3_BUCKET; there is no "
                   ".env; copy .env.example to it and fill it in, or name a file with --env", without=tuple(SETTINGS)),
    "an .env that is not there": Row("cannot read nowhere.env: No such file or directory; check the path and who may "
                                     "read it", arguments=(*RUN, "--env", "nowhere.env")),
    "a setting missing": Row("missing setting: AWS_ACCESS_KEY_ID; add NAME=value lines to .env or set them in the "
                             "environment", without=("AWS_ACCESS_KEY_ID",)),
    "a missing setting hidden": Row("missing setting: S3_BUCKET (empty in the environment, which hides the file's); "
                                    "unset it in the environment or give it a value there",
                                    environment={"S3_BUCKET": ""}),
    "a missing setting misspelt": Row("missing setting: S3_BUCKET (is it meant by S3_BUKET (.env:4)?); add NAME=value "
                                      "lines to .env or set them in the environment", without=("S3_BUCKET",),
                                      settings={"S3_BUKET": "loadtest"}),
    "no true or false": Row("S3_VERIFY_SSL (.env:5): \"maybe\" is neither true nor false; write true/false, 1/0 or "
                            "yes/no", settings={"S3_VERIFY_SSL": "maybe"}),
    "no backend": Row("S3LOADTEST_BACKEND (.env:5): \"minoi\" is not a backend; did you mean \"minio\"?",
                      settings={"S3LOADTEST_BACKEND": "minoi"}),
    # ---- backend proxy
    "no proxy address": Row("S3LOADTEST_PROXY_ADDR (.env:5): \"localhost\" is no address and port; write it like "
                            "127.0.0.1:18080", settings={"S3LOADTEST_PROXY_ADDR": "localhost"}),
    "no s3pool": Row("S3POOL_BINARY=no-s3pool-here: there is no no-s3pool-here in PATH; backend proxy starts s3pool: "
                     "name its file there, or use one that runs with --no-proxy",
                     arguments=(*RUN, "--backend", "proxy"), settings={"S3POOL_BINARY": "no-s3pool-here"}),
    "an s3pool that is no program": Row(
        "S3POOL_BINARY=/etc/passwd: /etc/passwd is not executable; backend proxy starts s3pool: name its file there, or "
        "use one that runs with --no-proxy", arguments=(*RUN, "--backend", "proxy"),
        settings={"S3POOL_BINARY": "/etc/passwd"}),
    "a session token through s3pool": Row(
        "backend proxy: s3pool signs without a session token; unset AWS_SESSION_TOKEN and use permanent keys, or another "
        "backend", arguments=(*RUN, "--backend", "proxy"), settings={"AWS_SESSION_TOKEN": "token"}),
    "a prefix that s3pool does not take": Row(
        "--prefix: \"my tests/\" cannot be sent through s3pool, which takes keys of visible ASCII without ? # < > and `; "
        "choose another prefix, or another backend", arguments=(*RUN, "--backend", "proxy", "--prefix", "my tests/")),
    "bodies that s3pool cannot hold": Row(
        "s3pool keeps whole bodies in memory, and copies them: <n> clients with objects of up to <size> need <size>, and "
        "<size> are left on this machine; use --concurrency <n>, or --force to run all the same",
        arguments=(*RUN[:2], "--size", "100MB", "--operations", "20", "--backend", "proxy", "--concurrency", "100000")),
    "descriptors that s3pool cannot have": Row(
        "s3pool needs 264 file descriptors for 100 clients, and at most 200 are allowed; raise the limit (ulimit -n 264 as "
        "root, or LimitNOFILE= of the service), or use 68 clients or fewer, or --force to run all the same",
        arguments=(*RUN, "--backend", "proxy", "--concurrency", "100"), through=("sh", "-c", 'ulimit -n 200; exec "$@"', "sh")),
    "an s3pool left alone and restarted": Row(
        "--no-proxy leaves s3pool alone, and --force-restart-proxy restarts it; give one of them",
        arguments=(*RUN, "--backend", "proxy", "--no-proxy", "--force-restart-proxy")),
    "retries of no SDK": Row("--retries sdk: backend native is no SDK's; give a number",
                             arguments=(*RUN, "--backend", "native", "--retries", "sdk")),
    "a payload that is the SDK's to choose": Row(
        "--payload crc32: backend boto3 has no choice of it; give --backend native",
        arguments=(*RUN, "--payload", "crc32")),
    "a payload that is none": Row('--payload: "md5" is none of unsigned, signed and crc32',
                                  arguments=(*RUN, "--payload", "md5")),
    "retries that are none": Row("--retries: \"few\" is neither a whole number, such as 3, nor sdk",
                                 arguments=(*RUN, "--retries", "few")),
    "too many parts": Row("--multipart-size 5 MiB: an object of 100 GiB would have 20,480 parts, and S3 has 10,000 at "
                          "most; use 11MB or more",
                          arguments=(*RUN, "--multipart-size", "5MiB", "--size", "100GiB")),
    "no log level": Row("LOADTEST_LOG_LEVEL (.env:5): \"loud\" is not a log level; use DEBUG, INFO, WARNING or ERROR",
                        settings={"LOADTEST_LOG_LEVEL": "loud"}),
    "no bucket name": Row("S3_BUCKET (.env:4): \"s3://loadtest\" is not a bucket's name; it has 3 to 63 letters, "
                          "digits, dots and hyphens, and no s3:// or path", settings={"S3_BUCKET": "s3://loadtest"}),
    "a CA bundle that is not there": Row("AWS_CA_BUNDLE=/nowhere/ca.pem: No such file or directory; it must be a PEM "
                                         "file of certificates",
                                         settings={"S3_ENDPOINTS": "https://127.0.0.1:9",
                                                   "AWS_CA_BUNDLE": "/nowhere/ca.pem"}),
    # ---- endpoints
    "no scheme": endpoint_row("127.0.0.1:9000", "S3_ENDPOINTS (.env:1): \"127.0.0.1:9000\" has no http:// or https://; "
                              "write S3_ENDPOINTS=http://127.0.0.1:9000"),
    "no scheme in the flag": flag_row("--endpoint: \"127.0.0.1:9000\" has no http:// or https://; write --endpoint "
                                      "http://127.0.0.1:9000", "--endpoint", "127.0.0.1:9000"),
    "no comma": endpoint_row("http://a:9000 http://b:9000", "S3_ENDPOINTS (.env:1): \"http://a:9000 http://b:9000\" is no "
                             "URL of one endpoint; write a comma between several"),
    "a path": endpoint_row("http://127.0.0.1:9000/loadtest", "S3_ENDPOINTS (.env:1): \"http://127.0.0.1:9000/loadtest\""
                           " has a path; an endpoint is only scheme, host and port: http://127.0.0.1:9000"),
    "port 99999": endpoint_row("http://127.0.0.1:99999", "S3_ENDPOINTS (.env:1): \"http://127.0.0.1:99999\" has no "
                               "valid port; it is a number from 1 to 65535"),
    "port abc": endpoint_row("http://127.0.0.1:abc", "S3_ENDPOINTS (.env:1): \"http://127.0.0.1:abc\" has no valid "
                             "port; it is a number from 1 to 65535"),
    "a password in the URL": endpoint_row("http://me:" + SECRET + "@127.0.0.1:9000", "S3_ENDPOINTS (.env:1): an "
                                          "endpoint URL holds a user or password before '@'; leave them out, the keys "
                                          "are settings of their own"),
    "a range that counts down": endpoint_row("http://10.0.0.{{9...2}}:9000", "S3_ENDPOINTS (.env:1): "
                                             "\"http://10.0.0.{{9...2}}:9000\" has a range that does not count up; "
                                             "write it like {{1...16}}"),
    # ---- words and flags
    "no such command": Row("there is no command \"rnu\": did you mean \"run\"?", arguments=("rnu", "baseload")),
    "no pattern": Row("run needs a pattern, as in `s3loadtest run baseload`; see `patterns list`", arguments=("run",)),
    "all in the wrong case": Row("there is no pattern \"ALL\" (a file of your own ends in .toml): did you mean \"all\"?",
                                 arguments=("run", "ALL")),
    "clients of no pattern of the run": Row(
        "--concurrency elefant=5: elefant is not among the patterns of this run; did you mean \"elephant\"?",
        arguments=("run", "all", "--concurrency", "elefant=5")),
    "a prefix that leaves no room": flag_row(f"--prefix: \"{'p' * 40}…\" has 900 bytes: a key has room for 800 of a "
                                             "prefix", "--prefix", "p" * 900),
    "two directories for report": Row("report takes one run directory, not 2: call it for each",
                                      arguments=("report", "a", "b")),
    "no run directory": Row("nowhere/run is no run directory: there is no such directory", arguments=("report", "nowhere/run")),
    "one directory for compare": Row("compare takes two run directories, not 1, as in `s3loadtest compare logs/A logs/B`",
                                     arguments=("compare", "a")),
    "no such pattern": Row("there is no pattern \"baselaod\" (a file of your own ends in .toml): did you mean "
                           "\"baseload\"?", arguments=("run", "baselaod")),
    "no such pattern file": Row("cannot read pattern file ./mine.toml: No such file or directory; `s3loadtest patterns "
                                "list` shows the built-in patterns", arguments=("run", "./mine.toml")),
    "an empty pattern file": Row("/dev/null:1: a pattern needs name", arguments=("run", "/dev/null")),
    "no such flag": flag_row("run has no flag --druation: did you mean \"--duration\"? (s3loadtest run --help shows "
                             "all)", "--druation", "5m"),
    "a flag like none": flag_row("run has no flag --zzz; s3loadtest run --help shows all", "--zzz"),
    "no such size": flag_row("--size: \"10XB\" is not a size; write it like 512, 1KB, 1.5MiB or 20GiB",
                             "--size", "10XB"),
    "a size of nothing": flag_row("--size: \"0\" is too small: at least 1 byte", "--size", "0"),
    "too large a size": flag_row("--size: 6TiB is more than S3 keeps in an object, 5TiB", "--size", "6TiB"),
    "too small a part": flag_row("--multipart-size: S3 has parts from 5MiB to 5GiB, and 1MiB is none",
                                 "--multipart-size", "1MiB"),
    "no duration": flag_row("--duration: \"5x\" is not a duration; write it like 30s, 5m, 1h30m, 2d or 1w (bare numbers"
                            " are seconds)", "--duration", "5x"),
    "a duration of nothing": flag_row("--duration: \"0m\" is no time at all; write it like 30s, 5m, 1h30m, 2d or 1w "
                                      "(bare numbers are seconds)", "--duration", "0m"),
    "a duration before now": flag_row("--duration: \"-5m\" is a negative duration; write it like 30s, 5m, 1h30m, 2d or "
                                      "1w (bare numbers are seconds)", "--duration", "-5m"),
    "a flag without its value": flag_row("--duration needs a value; see s3loadtest run --help", "--duration", "--json"),
    "a value that no flag takes": flag_row("--json takes no value; see s3loadtest run --help", "--json=5"),
    "no number": flag_row("--operations: \"many\" is not a whole number; write it like 1000 or 1,000",
                          "--operations", "many"),
    "no rate": flag_row("--bandwidth: \"fast\" is not a rate; write it like 40MB/s (bytes, 10^6), 40MiB/s (2^20), 1Mbps"
                        " (bits) or 125000 (bytes)", "--bandwidth", "fast"),
    "clients of another pattern": flag_row("--concurrency nosuch=5: nosuch is not among the patterns of this run; use one of baseload",
                                           "--concurrency", "nosuch=5"),
    "no rate of operations": flag_row("--rate: \"often\" is not a rate of operations; write it like 500/s, 30/min or "
                                      "3600/h", "--rate", "often"),
    "a rate of nothing": flag_row("--rate: \"0/s\" is not above 0 and at most 10,000,000/s", "--rate", "0/s"),
    "a warm-up of all": flag_row("--warmup 1m leaves nothing of --duration 30s to measure; it is the first part of it",
                                 "--warmup", "60s", "--duration", "30s"),
    "a rate that grows for ever": flag_row("a --rate that grows needs --duration: it gets there at its end",
                                           "--rate", "100..500/s"),
    "a rate of another pattern": flag_row("--rate nosuch=…: nosuch is not among the patterns of this run; use one of "
                                          "baseload", "--rate", "nosuch=5/s"),
    "a rate of delete": Row("--rate: delete goes through a listing once a cycle, at no rate",
                            arguments=("run", "delete", "--rate", "5/s")),
    "arrivals without a rate": flag_row("--arrival is for an open loop; give it a --rate, as in --rate 500/s",
                                        "--arrival", "poisson"),
    "no kind of arrivals": flag_row("--arrival: \"random\" is neither constant nor poisson", "--arrival", "random"),
    "no operation in an objective": flag_row("--slo: \"GTE\" is not an operation; did you mean \"GET\"?\n"
                                             "  GTE.p99 < 50ms\n  ^", "--slo", "GTE.p99 < 50ms"),
    "no figure in an objective": flag_row("--slo: \"p98x\" is not a figure; use one of p50, p90, p95, p99, p99.9, mean, "
                                          "max, ttfb, service, rate, throughput, error_rate\n"
                                          "  GET.p98x < 50ms\n      ^", "--slo", "GET.p98x < 50ms"),
    "an objective without a figure": flag_row("--slo: a figure of GET is missing; write it as in 'GET.p99 < 50ms' or "
                                              "'error_rate < 0.1%'\n  GET < 50ms\n     ^", "--slo", "GET < 50ms"),
    "an objective without a relation": flag_row("--slo: '<', '<=', '>' or '>=' is missing; write it as in 'GET.p99 < 50ms'"
                                                " or 'error_rate < 0.1%'\n  GET.p99 50ms\n          ^",
                                                "--slo", "GET.p99 50ms"),
    "an objective without a unit": flag_row("--slo: \"50\" has no unit; write it like 50ms\n  GET.p99 < 50\n            ^",
                                            "--slo", "GET.p99 < 50"),
    "an objective in another unit": flag_row("--slo: \"50MB/s\" is not a time above 0; write it like 850us, 50ms or 1.5s\n"
                                             "  GET.p99 < 50MB/s\n            ^", "--slo", "GET.p99 < 50MB/s"),
    "an objective that nothing can keep": flag_row("--slo: nothing is below 0; write <= where nothing at all is allowed\n"
                                                   "  error_rate < 0%\n               ^", "--slo", "error_rate < 0%"),
    "an objective of another pattern": flag_row(
        "--slo: baselaod is not among the patterns of this run; did you mean \"baseload\"?\n  baselaod.p99 < 50ms\n  ^",
        "--slo", "baselaod.p99 < 50ms"),
    "an objective of what no pattern does": flag_row("--slo: no pattern of this run does LIST; use one of GET, PUT, TRIM\n"
                                                     "  LIST.p99 < 50ms\n  ^", "--slo", "LIST.p99 < 50ms"),
    "an objective of another size": flag_row("--slo: there is no object of 2MB in this run; its sizes are 1KB\n"
                                             "  GET.2MB.p99 < 50ms\n      ^", "--slo", "GET.2MB.p99 < 50ms"),
    "ending early for nothing": flag_row("--slo-abort is for a run with an --slo; give it one, as in --slo 'GET.p99 < "
                                         "50ms'", "--slo-abort"),
    "no operation in a rule of compare": Row("--fail-if: \"GETT\" is not an operation; did you mean \"GET\"?\n"
                                             "  GETT.p99 > +10%\n  ^",
                                             arguments=("compare", "a", "b", "--fail-if", "GETT.p99 > +10%")),
    "a size in a rule of compare": Row("--fail-if: sizes are shown, but not compared: leave 1MB out\n"
                                       "  GET.1MB.p99 > +10%\n      ^",
                                       arguments=("compare", "a", "b", "--fail-if", "GET.1MB.p99 > +10%")),
    "a flag of serve": Row("--capacity: \"lots\" is not a size; write it like 512, 1KB, 1.5MiB or 20GiB",
                           arguments=("serve", "--capacity", "lots", "--env", "env")),
    "a thread count of serve": Row("--threads: \"x\" is not a whole number; write it like 1000 or 1,000",
                                   arguments=("serve", "--threads", "x", "--env", "env")),
    "a certificate of serve": Row("cannot serve TLS: /nowhere: No such file or directory",
                                  arguments=("serve", "--tls-cert", "/nowhere", "--tls-key", "/nowhere", "--env",
                                             "env")),
    "a record of serve in no directory": Row(
        "cannot write --record nowhere/record: No such file or directory; choose a file in a directory that you may "
        "write to", 3, arguments=("serve", "--record", "nowhere/record", "--env", "env")),
    # ---- places
    "a log file in no directory": Row("LOADTEST_LOG_FILE: cannot write the log file nowhere/log: No such file or "
                                      "directory; choose a place that can be written",
                                      settings={"LOADTEST_LOG_FILE": "nowhere/log"}),
    "a key directory below a file": Row("cannot make the lock file .env/keys/s3loadtest-<hex><hex><hex><hex>.lock: Not "
                                        "a directory; choose a place that can be written with S3LOADTEST_KEY_DIR",
                                        environment={"S3LOADTEST_KEY_DIR": ".env/keys"}),
    # ---- limits
    "too few descriptors": Row("500 clients need 572 file descriptors, and at most 200 are allowed; "
                               "raise the limit (ulimit -n 572 as root, or LimitNOFILE= of the service) or lower "
                               "--concurrency", arguments=(*RUN, "--concurrency", "500", "--threads", "2"),
                               through=("sh", "-c", 'ulimit -n 200; exec "$@"', "sh")),
    "too little memory": Row("1,000 clients with 1 endpoint(s) and 100 MiB of content need about 151.5 MiB of memory, "
                             "and <size> are left of ulimit -v; lower --concurrency or --size, or make more memory "
                             "available", arguments=("run", "baseload", "--concurrency", "1000"),
                             through=("sh", "-c", 'ulimit -v 150000; exec "$@"', "sh")),
    # ---- no storage to ask
    "a host that no name service knows": Row(
        "cannot find the host of http://" + "x" * 64 + ": Name or service not known; check its name, and this machine's "
        "name service (DNS, /etc/hosts)", 3, settings={"S3_ENDPOINTS": "http://" + "x" * 64}),
}


@pytest.mark.parametrize("name", USAGE)
def test_what_is_wrong_before_a_storage_is_asked(loadtest, name):
    check(USAGE[name], loadtest)


# What takes as long as our patience, and how long that is. All of them run beside the other tests.
SLOW = {
    "an endless body": (30, "{endpoint} did not come to the end of its answer within 30s; check that this is an S3 "
                            "endpoint"),
    "silence": (10, "{endpoint} accepts connections but said nothing for 10s; check that the storage is alive and that "
                    "this is its S3 port"),
    "a black hole": (10, "cannot reach {endpoint}: nothing answered a connection within 10s; check host and port, and "
                         "that no firewall drops the packets"),
    "several black holes": (10, "none of the 3 endpoints can be used; of the first: cannot reach {endpoint}: nothing "
                                "answered a connection within 10s; check host and port, and that no firewall drops the "
                                "packets; s3loadtest check says it of each"),
}


@pytest.fixture(scope="module", autouse=True)
def slow_ones(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        dribble = stack.enter_context(Peer(dribbling(b"HTTP/1.1 404 Not Found\r\n\r\n", b"x" * 1000)))
        silent = stack.enter_context(Peer(saying_nothing))
        holes = [f"http://127.0.0.1:{stack.enter_context(black_hole())}" for _ in range(3)]
        endpoints = dict(zip(SLOW, [[dribble.endpoint], [silent.endpoint], holes[:1], holes]))
        running = {}
        for name, (_, says) in SLOW.items():
            tool = Loadtest(tmp_path_factory.mktemp("slow"))
            stack.callback(tool.end_all)
            row = Row(says, 3, settings={"S3_ENDPOINTS": ",".join(endpoints[name])})
            running[name] = row, tool, begin(row, tool), endpoints[name][0]
        yield running


# ---- what answers where a storage should ------------------------------------------------------------------

HTML = b"<!DOCTYPE html><html><body>It works!</body></html>"
NOT_S3 = {
    "an HTML page": (answering(http("200 OK", HTML)),
                     "{endpoint} is no S3 endpoint: it answered 200 with text/html instead of S3's XML; check host and "
                     "port of the endpoint"),
    "an HTML page for what is not there": (answering(http("404 Not Found", HTML)),
                                           "{endpoint} is no S3 endpoint: it answered 404 with text/html instead of "
                                           "S3's XML; check host and port of the endpoint"),
    "a proxy's error": (answering(http("502 Bad Gateway", HTML)),
                        "{endpoint} answered 502 with text/html instead of S3's XML: what stands before the storage "
                        "does not reach it; check that the storage runs"),
    "a redirect": (answering(http("302 Found", Location="https://console.example/login")),
                   "{endpoint} redirects to https://console.example/login and is no S3 endpoint itself; set the "
                   "endpoint to where the S3 API is"),
    "garbage": (saying(bytes(range(256)) * 8),
                "{endpoint} is no S3 endpoint: its answer is no valid HTTP (not an HTTP/1.1 answer); check host and "
                "port of the endpoint"),
    "another protocol": (saying(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
                         "{endpoint} is no S3 endpoint: its answer is no valid HTTP (not an HTTP/1.1 answer); check "
                         "host and port of the endpoint"),
    "an endless header": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 10_000),
                          "{endpoint} is no S3 endpoint: its answer is no valid HTTP (a head of more than 64 KiB); "
                          "check host and port of the endpoint"),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n" * 100),
                        "{endpoint} is no S3 endpoint: its answer is no valid HTTP (more than 100 headers); check host "
                        "and port of the endpoint"),
    "a closed connection": (closing,
                            "{endpoint} ended the connection without an answer (the server closed the connection); "
                            "check that the storage runs and that this is its S3 port"),
    "an answer cut short": (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhtml"),
                            "{endpoint} ended the connection in the middle of its answer (the server closed the "
                            "connection); check that the storage runs and that this is its S3 port"),
    # Stand-ins for storages that are not at hand.
    "a stand-in for a bucket elsewhere": (
        answering(s3_error("301 Moved Permanently", "PermanentRedirect", x_amz_bucket_region="eu-central-1")),
        "{endpoint} expects requests signed for region eu-central-1, not us-east-1 (301 PermanentRedirect); set "
        "AWS_REGION=eu-central-1"),
    "a stand-in for an expired session": (
        answering(s3_error("400 Bad Request", "ExpiredToken", "The provided token has expired.")),
        "{endpoint} says that the session token has expired (400 ExpiredToken); get new temporary credentials"),
    "a stand-in for a key that may do nothing": (
        answering(s3_error("403 Forbidden", "AccessDenied", "Access Denied")),
        "{endpoint} lets this access key neither list bucket loadtest nor write to it (403 AccessDenied); check "
        "S3_BUCKET, or grant the key s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject there; s3loadtest "
        "check finds out more"),
    "a stand-in for an answer with escapes": (
        answering(s3_error("400 Bad Request", "Odd", "one&#10;two&#27;[31m")),
        "{endpoint} refused the LIST of bucket loadtest with 400 Odd: one\\x0atwo\\x1b[31m; the storage's log says more"),
}


@pytest.mark.parametrize("name", NOT_S3)
def test_what_answers_where_a_storage_should(loadtest, name):
    script, says = NOT_S3[name]
    with Peer(script) as peer:
        check(Row(says, 3, settings={"S3_ENDPOINTS": "{endpoint}"}), loadtest, endpoint=peer.endpoint)


def test_a_port_where_nobody_listens(loadtest):
    with socket.socket() as taken:  # bound, so that nobody else gets it, and not listening
        taken.bind(("127.0.0.1", 0))
        check(Row("cannot reach {endpoint}: Connection refused; check host and port, and that the storage runs", 3,
                  settings={"S3_ENDPOINTS": "{endpoint}"}), loadtest,
              endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")


# ---- TLS ---------------------------------------------------------------------------------------------------

@pytest.fixture
def https(tmp_path):
    """https(name, days, issued) starts an embedded server with such a certificate: endpoint and certificate."""
    running = []

    def start(**how):
        folder = tmp_path / f"https-{len(running)}"
        folder.mkdir()
        if how.pop("issued", False):
            how["issuer"] = certificates.make(folder, name=None, title="Test Authority")
        made = certificates.make(folder, **how)
        storage = start_serve(folder, "--tls-cert", made.certificate, "--tls-key", made.key, scheme="https")
        running.append(storage.process)
        return storage.endpoint, str(made.certificate)

    yield start
    for process in running:
        servers.end(process)


def test_tls_to_a_plain_port(serve, loadtest):
    check(Row("{https} speaks plain http, not TLS; write {http}", 3, settings={"S3_ENDPOINTS": "{https}"},
              warns=("the server's certificate is not verified",)), loadtest,
          https=serve.endpoint.replace("http", "https"), http=serve.endpoint)


def test_plain_http_to_a_tls_port(https, loadtest):
    endpoint, _ = https()
    check(Row("{http} speaks TLS, not plain http; write {https}", 3, settings={"S3_ENDPOINTS": "{http}"}), loadtest,
          https=endpoint, http=endpoint.replace("https", "http"))


UNVERIFIED = "or set S3_VERIFY_SSL=false to test without verifying it"


def certificate_row(says, **settings):
    return Row(f"the certificate of {{endpoint}} {says}, {UNVERIFIED}", 3,
               settings={"S3_ENDPOINTS": "{endpoint}", **settings})


def test_a_certificate_that_nobody_trusts(https, loadtest):
    endpoint, _ = https()
    check(certificate_row("is signed by itself and not among the certificates that this system trusts; name a file that "
                          "holds it in AWS_CA_BUNDLE", S3_VERIFY_SSL="true"), loadtest, endpoint=endpoint)


def test_a_certificate_of_an_unknown_issuer(https, loadtest):
    endpoint, _ = https(issued=True)
    check(certificate_row("was issued by CN=Test Authority, who is not among the certificates that this system trusts; "
                          "name a file that holds its issuer's certificate in AWS_CA_BUNDLE", S3_VERIFY_SSL="true"),
          loadtest, endpoint=endpoint)


@pytest.mark.parametrize("issued", [False, True])
def test_a_bundle_of_somebody_else(https, loadtest, tmp_path, issued):
    endpoint, _ = https(issued=issued)
    other = certificates.make(tmp_path, title="Somebody Else").certificate
    who = "was issued by CN=Test Authority, who is" if issued else "is signed by itself and"
    what = "its issuer's certificate" if issued else "it"
    check(certificate_row(f"{who} not in AWS_CA_BUNDLE={other}; add {what} to that file", AWS_CA_BUNDLE=str(other)),
          loadtest, endpoint=endpoint)


def test_a_certificate_that_has_expired(https, loadtest, clock_shift):
    endpoint, bundle = https(environment=clock_shift(-3 * 86400))
    check(certificate_row("expired on <time>; renew it on the storage", AWS_CA_BUNDLE=bundle), loadtest,
          endpoint=endpoint)


def test_a_certificate_from_the_future(https, loadtest, clock_shift):
    endpoint, bundle = https()
    row = certificate_row("is not valid before <time>, and this machine's clock says <time>; set the clock",
                          AWS_CA_BUNDLE=bundle)
    check(dataclasses.replace(row, environment=clock_shift(-3 * 86400)), loadtest, endpoint=endpoint)


@pytest.mark.parametrize("name, said", [("DNS:elsewhere.example,DNS:*.there.example",
                                         "elsewhere.example, *.there.example"), ("IP:127.0.0.9", "127.0.0.9")])
def test_a_certificate_for_another_name(https, loadtest, name, said):
    endpoint, bundle = https(name=name)
    check(certificate_row(f"is made out to {said}, not to 127.0.0.1; use a name that it is made out to in the URL",
                          AWS_CA_BUNDLE=bundle), loadtest, endpoint=endpoint)


def test_a_server_of_old_tls(tmp_path, loadtest):
    made, port = certificates.make(tmp_path), servers.free_port()
    old = servers.start(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", made.certificate, "-key", made.key,
                         "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-quiet"], tmp_path / "log")
    try:
        servers.wait_for("s_server", lambda: servers.listening(port), 10, old)
        check(Row("the TLS handshake with {endpoint} failed: it speaks neither TLS 1.2 nor TLS 1.3; turn one of them on "
                  "there", 3, settings={"S3_ENDPOINTS": "{endpoint}"},
                  warns=("the server's certificate is not verified",)), loadtest, endpoint=f"https://127.0.0.1:{port}")
    finally:
        servers.end(old)


# ---- storages that know better -------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def clock_shift(tmp_path_factory):
    """clock_shift(seconds): the environment of a program that lives so much later."""
    library = tmp_path_factory.mktemp("clock") / "clock_shift.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, servers.REPOSITORY / "tests/data/clock_shift.c", "-ldl"],
                   check=True, capture_output=True)
    return lambda seconds: {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(seconds)}


# How the storages' codes differ; what they mean to the user does not.
WORDS = {
    "serve": {"key": "403 InvalidAccessKeyId", "secret": "403 SignatureDoesNotMatch",
              "clock": "403 RequestTimeTooSkewed", "region": "400 AuthorizationHeaderMalformed",
              "token": "400 InvalidToken"},
    "versitygw": {"key": "404 XAdminUserNotFound", "secret": "403 SignatureDoesNotMatch",
                  "clock": "403 RequestTimeTooSkewed", "region": "400 AuthorizationHeaderMalformed",
                  "token": "400 InvalidToken"},
    # Takes any region and any token.
    "rgw": {"key": "403 InvalidAccessKeyId", "secret": "403 SignatureDoesNotMatch",
            "clock": "403 RequestTimeTooSkewed"},
}


@pytest.fixture(params=WORDS)
def storage(request):
    storage = request.getfixturevalue(request.param)
    if request.param != "serve":
        storage = storage.with_new_bucket()
        storage.boto3().create_bucket(Bucket=storage.bucket)
    storage.words = WORDS[request.param]
    return storage


def of_storage(storage, says, warns=(), environment=None, **changed):
    settings = {name: value.replace("{", "{{").replace("}", "}}") for name, value in storage.settings().items()}
    return Row(says, 3, settings={**settings, **changed}, warns=warns, environment=environment or {})


def said_of(storage, what):
    if what not in storage.words:
        pytest.skip("this storage takes any")
    return {"endpoint": storage.endpoint, "said": storage.words[what], "bucket": storage.bucket}


def test_a_wrong_access_key(storage, loadtest):
    row = of_storage(storage, "{endpoint} does not know this access key ({said}); check AWS_ACCESS_KEY_ID",
                     AWS_ACCESS_KEY_ID="AKNOBODY")
    check(row, loadtest, **said_of(storage, "key"))


def test_a_wrong_secret(storage, loadtest):
    row = of_storage(storage, "{endpoint} knows this access key by another secret ({said}); check "
                     "AWS_SECRET_ACCESS_KEY, and that nothing in between changes requests",
                     AWS_SECRET_ACCESS_KEY="anothersecret#4711")
    check(row, loadtest, **said_of(storage, "secret"))


def test_a_wrong_session_token(storage, loadtest):
    names = said_of(storage, "token")
    row = of_storage(storage, "{endpoint} refused the session token ({said}); unset AWS_SESSION_TOKEN where the keys "
                     "are permanent ones, or get new temporary credentials", AWS_SESSION_TOKEN="leftover")
    check(row, loadtest, **names)


def test_a_wrong_region(storage, loadtest):
    names = said_of(storage, "region")
    row = of_storage(storage, "{endpoint} expects requests signed for region us-east-1, not eu-west-7 ({said}); set "
                     "AWS_REGION=us-east-1", AWS_REGION="eu-west-7")
    check(row, loadtest, **names)


@pytest.mark.parametrize("seconds, side", [(1200, "ahead of"), (-1200, "behind")])
def test_a_clock_that_is_wrong(storage, loadtest, clock_shift, seconds, side):
    row = of_storage(storage, "{endpoint} refused the request's time ({said}): this machine's clock is "
                     "<about 20 minutes> {side} the server's (here <time>, there <time>); set it, best by NTP",
                     environment=clock_shift(seconds))
    check(row, loadtest, side=side, **said_of(storage, "clock"))


def test_a_bucket_that_is_not_there(storage, loadtest):
    row = of_storage(storage, "bucket not-there does not exist on {endpoint}; check S3_BUCKET, or make it with run --create-bucket",
                     S3_BUCKET="not-there")
    check(row, loadtest, endpoint=storage.endpoint)


def test_a_run_directory_that_cannot_be_made(serve, loadtest):
    for environment, place in (({"S3LOADTEST_LOG_DIR": ".env/logs"}, ".env/logs"), ({}, ".env/out")):
        row = of_storage(serve, "cannot create the directory {place}: Not a directory; choose a place that can be "
                         "written with --out or S3LOADTEST_LOG_DIR", environment=environment)
        row.status = 2
        row.arguments = RUN if environment else (*RUN, "--out", ".env/out")
        check(row, loadtest, place=place)


# ---- keys that may do only some of it ---------------------------------------------------------------------------

@pytest.fixture
def guarded(rgw):
    """A bucket of Ceph's, which lets a policy deny its owner."""
    storage = rgw.with_new_bucket()
    storage.boto3().create_bucket(Bucket=storage.bucket)
    return storage


@pytest.mark.parametrize("operation", ["PUT", "GET"])
def test_an_operation_that_is_denied_ends_the_run_with_its_name(guarded, loadtest, operation):
    action = {"PUT": "s3:PutObject", "GET": "s3:GetObject"}[operation]
    servers.deny(guarded, action)
    result = loadtest(guarded, "run", "baseload", "--size", "1KB", "--duration", "60s")

    assert result.status == 3, result.stderr
    says = ("s3loadtest: this access key may do no {operation} under loadtest/0/ in bucket {bucket} (403 AccessDenied "
            "from {endpoint}, <n> of <n> refused); grant it {action} there, or use a key that may")
    assert matches(says, result.stderr.splitlines()[-1], operation=operation, bucket=guarded.bucket,
                   endpoint=guarded.endpoint, action=action), result.stderr
    assert result.seconds < 10
    assert json.loads((result.directory / "summary.json").read_text())["verdict"]["passed"] is False
    check_discretion(loadtest.folder, result, guarded.secret_key)


def test_a_delete_that_is_denied_is_told_and_the_load_goes_on(guarded, loadtest):
    servers.deny(guarded, "s3:DeleteObject")
    result = loadtest(guarded, "run", "baseload", "--size", "1KB", "--operations", "300", "--max-keys", "20")

    assert result.status == 0, result.stderr
    told = [line for line in result.stderr.splitlines() if "s3:DeleteObject" in line]
    assert len(told) == 1
    assert told[0].endswith(f"WARNING  this access key may do no DELETE under loadtest/0/ in bucket {guarded.bucket}: "
                            "objects beyond --max-keys and --max-bytes stay; grant it s3:DeleteObject there")


def test_a_key_that_may_not_list_may_still_run(guarded, loadtest):
    servers.deny(guarded, "s3:ListBucket")
    result = loadtest(guarded, "run", "baseload", "--size", "1KB", "--operations", "50", "--json")

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0
    assert (f"WARNING  {guarded.endpoint} does not let this access key list bucket {guarded.bucket} (403 AccessDenied);"
            " going on all the same") in result.stderr


def test_a_key_that_may_neither_list_nor_write(guarded, loadtest):
    servers.deny(guarded, "s3:ListBucket", "s3:PutObject")
    row = of_storage(guarded, "{endpoint} lets this access key neither list bucket {bucket} nor write to it (403 "
                     "AccessDenied); check S3_BUCKET, or grant the key s3:ListBucket, s3:GetObject, s3:PutObject and "
                     "s3:DeleteObject there; s3loadtest check finds out more")
    check(row, loadtest, endpoint=guarded.endpoint, bucket=guarded.bucket)


# ---- last: by now they have had their time ----------------------------------------------------------------------

@pytest.mark.parametrize("name", SLOW)
def test_what_takes_its_time(slow_ones, name):
    row, tool, running, endpoint = slow_ones[name]
    patience, _ = SLOW[name]
    check(row, tool, running, endpoint=endpoint)
    took = (tool.folder / "stderr").stat().st_mtime - (tool.folder / ".env").stat().st_mtime
    assert patience - 1 < took < patience + 4
