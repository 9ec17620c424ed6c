#!/usr/bin/env python3
"""Stands in for s3pool where the real one is not at hand: what its source says that it does, and its mistakes.

Started as it is: `s3pool_stand_in.py [--insecure] --log-level error proxy --listen IP:PORT`, settings in the
environment or the first `.env` of its working directory and those above. Of the standard library alone: it runs with
an environment that holds nothing of the tests'.
"""
import datetime
import hashlib
import hmac
import http.client
import http.server
import os
import pathlib
import random
import socket
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse

ATTEMPTS = 7
SENDABLE = "-_.~/"


def fail(text, cause):
    sys.exit(f"Error: {text}\n\nCaused by:\n    {cause}")


def read_dotenv():
    folder = pathlib.Path.cwd()
    for place in (folder, *folder.parents):
        if (place / ".env").is_file():
            for line in (place / ".env").read_text().splitlines():
                name, equals, value = line.partition("=")
                if equals:
                    os.environ.setdefault(name.strip(), value.strip())
            return


def say(level, module, text):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    print(f"{now} {level:>5} s3pool::{module}: {text}", file=sys.stderr, flush=True)


class Backend:
    """One connect that fails takes it down to 30 of 100, and only one above 30 is asked."""

    def __init__(self, url):
        self.url, self.score = url, 100
        self.scheme, self.authority = urllib.parse.urlsplit(url)[:2]

    def connection(self):
        if self.scheme == "http":
            return http.client.HTTPConnection(self.authority, timeout=60)
        trust = ssl._create_unverified_context() if "--insecure" in sys.argv else ssl.create_default_context()
        return http.client.HTTPSConnection(self.authority, timeout=60, context=trust)

    def failed(self, points):
        healthy = self.score > 30
        self.score = max(0, self.score - points)
        if healthy and self.score <= 30:
            words = "backend marked unhealthy after connect failure" if points == 70 else "backend unhealthy"
            say("WARN", "core", f"{words} backend={self.url} health={self.score}")

    def succeeded(self):
        self.score = min(100, self.score + 10)


class Balancer:
    def __init__(self, urls):
        self.backends, self.turn, self.lock = [Backend(url) for url in urls], 0, threading.Lock()

    def next(self):
        with self.lock:
            self.turn += 1
            order = [self.backends[(self.turn + i) % len(self.backends)] for i in range(len(self.backends))]
        return next((b for b in order if b.score > 30), max(order, key=lambda b: b.score))

    def untried(self, tried):
        for _ in self.backends:
            backend = self.next()
            if backend not in tried:
                return backend
        return None


def signed_headers(method, authority, target, headers, body):
    path, _, query = target.partition("?")
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    payload = "UNSIGNED-PAYLOAD" if body else hashlib.sha256(b"").hexdigest()
    headers = {**headers, "host": authority, "x-amz-date": date, "x-amz-content-sha256": payload}
    parameters = sorted(p if "=" in p else p + "=" for p in query.split("&") if p)
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, path, "&".join(parameters),
                           "".join(f"{name}:{headers[name]}\n" for name in sorted(headers)), names, payload])
    region = os.environ.get("AWS_REGION", "us-east-1")
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                                f"SignedHeaders={names}, Signature={signature}")
    return headers


def target_of(path):
    """Keys are encoded, whatever they look like; what belongs to a bucket or to an upload in parts stays as it is."""
    raw, question, query = path.partition("?")
    bucket, _, key = raw[1:].partition("/")
    if not key or any(p.partition("=")[0] in ("uploads", "uploadId") for p in query.split("&")):
        return path
    return f"/{bucket}/{urllib.parse.quote(key, safe=SENDABLE)}" + (f"%3F{urllib.parse.quote(query)}" if question else "")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    connections = threading.local()

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers) and status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def own_answer(self, status, text):
        self.answer(status, [("content-type", "text/plain"), ("connection", "keep-alive")], text.encode())

    def ask(self, backend, target, headers, body):
        """On a kept connection; one that the storage has closed meanwhile is opened again."""
        kept = self.connections.__dict__.setdefault("kept", {})
        for reused in (backend.url in kept, False):
            connection = kept.setdefault(backend.url, backend.connection())
            try:
                if connection.sock is None:
                    connection.connect()
                    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
                for name, value in signed_headers(self.command, backend.authority, target, headers, body).items():
                    connection.putheader(name, value)
                connection.endheaders(body or None)
                response = connection.getresponse()
                return response.status, response.getheaders(), response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                kept.pop(backend.url, None)
                if not reused:
                    raise

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: self.headers[name] for name in ("content-type", "content-md5") if name in self.headers}
        if body:
            headers["content-length"] = str(len(body))
        target, tried = target_of(self.path), set()
        for attempt in range(ATTEMPTS):
            backend = balancer.untried(tried)
            if backend is None:
                say("ERROR", "proxy::server", "no_healthy_backend_after_retries")
                return self.own_answer(503, "No healthy backends available")
            tried.add(backend)
            try:
                status, answered, content = self.ask(backend, target, headers, body)
            except (OSError, http.client.HTTPException) as problem:
                backend.failed(70 if isinstance(problem, OSError) else 20)
                if attempt == ATTEMPTS - 1:
                    return self.own_answer(502, f"Backend request failed: {problem}")
            else:
                if status not in (429, 503) or attempt == ATTEMPTS - 1:
                    break
                backend.failed(20)
            time.sleep(min(0.2 * 2 ** attempt, 5) * random.uniform(0.75, 1.25))
        if status < 300:
            backend.succeeded()
        elif status >= 500:
            backend.failed(20)
        passed = [(name, value) for name, value in answered
                  if name.lower().startswith("x-amz-") or name.lower() in
                  ("content-type", "content-length", "etag", "last-modified", "accept-ranges", "content-range")]
        self.answer(status, [("x-s3pool-proxy", "v2"), ("connection", "keep-alive"), *passed], content)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = serve


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        pass


if __name__ == "__main__":
    assert sys.argv[-3:-1] == ["proxy", "--listen"], sys.argv
    read_dotenv()
    if "S3_POOL" not in os.environ:
        fail("S3_POOL environment variable not set", "environment variable not found")
    balancer = Balancer([url.strip().rstrip("/") for url in os.environ["S3_POOL"].split(",")])
    ip, _, port = sys.argv[-1].rpartition(":")
    try:
        server = Server((ip, int(port)), Handler)
    except OSError as problem:
        fail(f"Failed to bind to {sys.argv[-1]}", problem)
    server.serve_forever()
