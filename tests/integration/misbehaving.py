"""Things that stand where a storage should: each listens on a free loopback port until its `with` ends."""
import contextlib
import os
import pathlib
import socket
import threading


class Peer:
    """A listener whose every connection is played by `script(connection)` in a thread of its own."""

    def __init__(self, script):
        self._script, self._open, self._lock, self._threads = script, set(), threading.Lock(), []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(60)
            with self._lock:
                self._open.add(connection)
            thread = threading.Thread(target=self._play, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _play(self, connection):
        with contextlib.suppress(OSError):
            self._script(connection)
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


def read_head(connection):
    """The head of the next request; empty where the client ended the connection."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(65536)
        if not received:
            return b""
        head += received
    return head


def answering(*answers, then=None):
    """Gives each request the next of the answers (the last one for ever), whole; HEAD gets no body."""
    def script(connection):
        number = 0
        while head := read_head(connection):
            answer = answers[min(number, len(answers) - 1)]
            number += 1
            connection.sendall(answer.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if head.startswith(b"HEAD") else answer)
    return script


def http(status, body=b"", content_type="text/html", **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def s3_error(status, code, message="", more="", **headers):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>".encode()
    return http(status, body, "application/xml", x_amz_request_id="4711", **headers)


def saying(text):
    """Says this as soon as a request has come, and closes."""
    def script(connection):
        read_head(connection)
        connection.sendall(text)
    return script


def saying_nothing(connection):
    while connection.recv(65536):
        pass


def closing(connection):
    read_head(connection)


def endless(head, piece):
    """Begins an answer that never ends."""
    def script(connection):
        read_head(connection)
        connection.sendall(head)
        while True:
            connection.sendall(piece)
    return script


def dribbling(head, piece):
    """The same, a piece every tenth of a second: never silent for long. HEAD gets its head alone."""
    def script(connection):
        asked = read_head(connection)
        connection.sendall(head)
        if asked.startswith(b"HEAD"):
            return
        connection.settimeout(0.1)
        while True:
            connection.sendall(piece)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(65536):
                    return
    return script


@contextlib.contextmanager
def black_hole(address="127.0.0.1"):
    """A port that takes no more connections and refuses none: its backlog is full and nobody accepts."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((address, 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def is_connecting(process, port):
    """Whether a socket of that process waits for its connection to the port."""
    syn_sent = {row[9] for row in map(str.split, open("/proc/net/tcp"))
                if row[3] == "02" and row[2].endswith(f":{port:04X}")}
    sockets = set()
    for entry in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(os.readlink(entry)[8:-1])
    return bool(syn_sent & sockets)
