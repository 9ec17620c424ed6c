"""Runs the real binary as a user would: a directory of its own with an .env, arguments, exit status."""
import dataclasses
import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.request

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

import servers

BINARY = pathlib.Path(os.environ.get("S3LOADTEST_BINARY", servers.REPOSITORY / "build/release/s3loadtest"))


def env_text(settings):
    """Lines of an .env; a value that holds quotes or blanks stands in quotes, as it is."""
    def quoted(value):
        if not re.search(r"[\s#'\"]", value):
            return value
        quote = "'" if '"' in value else '"'
        return quote + value + quote
    return "".join(f"{name}={quoted(value)}\n" for name, value in settings.items())


@dataclasses.dataclass
class Result:
    """What a finished run left."""
    status: int
    stdout: str
    stderr: str
    seconds: float
    log_directory: pathlib.Path

    @functools.cached_property
    def summary(self):
        assert self.stdout.strip(), f"status {self.status}, nothing on stdout; stderr:\n{self.stderr[-3000:]}"
        return json.loads(self.stdout)

    @property
    def directory(self):
        return (self.log_directory / "latest").resolve(strict=True)

    def pattern(self, name="baseload"):
        return self.summary["patterns"][name]

    def operation(self, name, pattern="baseload"):
        return self.pattern(pattern)["operations"][name]

    def total(self, field, pattern="baseload", without=()):
        """The sum of a field over the operations; of outcomes and status by "outcomes.reset"."""
        def value(figures):
            for part in field.split("."):
                figures = figures.get(part, 0)
            return figures
        operations = self.pattern(pattern)["operations"]
        return sum(value(figures) for name, figures in operations.items() if name not in without)

    def histograms(self):
        return read_histograms(self.directory)


def read_histograms(directory):
    """The totals and the merged seconds of histograms.hlog, by tag, as the PyPI reader sees them."""
    merged = {}
    reader = HistogramLogReader(str(directory / "histograms.hlog"), HdrHistogram(1, 3_600_000_000, 3))
    while (interval := reader.get_next_interval_histogram()) is not None:
        merged.setdefault(interval.get_tag(), HdrHistogram(1, 3_600_000_000, 3)).add(interval)
    return merged


def json_lines(path):
    """The objects of a file of JSON lines, each of which must be whole."""
    text = path.read_text()
    assert text == "" or text.endswith("\n"), f"{path.name} ends within a line"
    return [json.loads(line) for line in text.splitlines()]


class Running:
    def __init__(self, process, folder, began):
        self.process, self.folder, self.began = process, folder, began

    @property
    def log_directory(self):
        return self.folder / "logs"

    def finished_seconds(self):
        """The lines of series.jsonl that are there by now: a line may be on its way."""
        series = self.log_directory / "latest" / "series.jsonl"
        text = series.read_text() if series.exists() else ""
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def wait_until_loading(self, seconds=10):
        """Until a second with operations is over."""
        servers.wait_for("the load", lambda: any(line["patterns"] for line in self.finished_seconds()), seconds,
                         self.process)

    def wait_until_says(self, words, seconds=15):
        """On stderr, while it runs."""
        servers.wait_for(words, lambda: words in (self.folder / "stderr").read_text(), seconds, self.process)

    def signal(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def wait(self, seconds=90):
        self.process.wait(seconds)
        return Result(self.process.returncode, (self.folder / "stdout").read_text(),
                      (self.folder / "stderr").read_text(), time.monotonic() - self.began, self.log_directory)


class Loadtest:
    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, storage, *arguments, settings=None, environment=None, through=()):
        """`through` is a command that runs another: prlimit, unshare, sh -c '… exec "$@"' sh."""
        values = {**(storage.settings() if storage else {}), **(settings or {})}
        if values:
            values.setdefault("S3LOADTEST_KEY_DIR", str(self.folder))
            (self.folder / ".env").write_text(env_text(values))
        began = time.monotonic()
        with open(self.folder / "stdout", "w") as out, open(self.folder / "stderr", "w") as err:
            process = servers.start([*through, BINARY, *arguments], os.devnull, {**os.environ, **(environment or {})},
                                    stdout=out, stderr=err, cwd=self.folder)
        self.running.append(process)
        return Running(process, self.folder, began)

    def __call__(self, storage, *arguments, settings=None, environment=None, seconds=90, through=()):
        return self.start(storage, *arguments, settings=settings, environment=environment,
                          through=through).wait(seconds)

    def end_all(self):
        for process in self.running:
            servers.end(process, graceful_seconds=0)


def start_serve(folder, *flags, credentials=None, scheme="http", prefix=()):
    """An embedded server as a Storage; credentials (access key, secret key) go in by its environment. `prefix`
    is a command that starts it elsewhere."""
    environment = dict(os.environ)
    if credentials:
        environment |= {"AWS_ACCESS_KEY_ID": credentials[0], "AWS_SECRET_ACCESS_KEY": credentials[1]}
    ready, errors = folder / "ready", folder / "stderr"
    with open(ready, "w") as out:
        process = servers.start([*prefix, BINARY, "serve", "--env", folder / "env", *flags], errors, environment, stdout=out)
    try:
        line = servers.wait_for("serve", lambda: ready.read_text().endswith("\n") and ready.read_text(), 10, process)
    except servers.DidNotStart as problem:
        servers.end(process)
        raise servers.DidNotStart(f"{problem}: {errors.read_text()}") from None
    assert re.fullmatch(rf"READY {scheme}://\S+:\d+\n", line), line
    endpoints = line.split()[1].split(",")
    if not credentials:
        written = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines() if "=" in line)
        credentials = written["AWS_ACCESS_KEY_ID"], written["AWS_SECRET_ACCESS_KEY"]
    return servers.Storage(endpoints[0], *credentials, endpoints=endpoints, process=process)


def ask(storage, path):
    """An unsigned look inside an embedded server, such as /-/faults."""
    with urllib.request.urlopen(storage.endpoint + path, timeout=10) as answer:
        return json.load(answer)


def faults_done(storage):
    return {fault["spec"]: fault["done"] for fault in ask(storage, "/-/faults")["faults"]}
