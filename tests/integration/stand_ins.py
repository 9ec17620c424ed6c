"""Storages that are none: small scripted servers that stand in for a real one in trouble.

They keep objects as they come and check no signature. What goes wrong is for the test to say.
"""
import collections
import http.server
import socket
import socketserver
import threading
import time

import servers


def s3_error(code):
    return f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>told by a test</Message></Error>".encode()


EMPTY_LISTING = (b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                 b"<Name>loadtest</Name><KeyCount>0</KeyCount><MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated>"
                 b"</ListBucketResult>")


class StandIn:
    """A storage whose `trouble(method)` may give an answer instead of the right one: (status, S3 code), or
    "close" to drop the connection without a byte. `delay(method)` seconds come before every answer. `closes`: it
    closes the connection behind each answer, and does not say so."""

    def __init__(self):
        self.trouble = lambda method: None
        self.delay = lambda method: 0
        self.closes = False
        self.objects, self.lock = {}, threading.Lock()
        self.answered = collections.Counter()  # (method, status) of answers that went out
        self.good = []  # (monotonic seconds, how many until then) of 2xx
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *arguments):
                pass

            def handle_expect_100(self):
                going_on = super().handle_expect_100()
                self.wfile.flush()
                return going_on

            def serve(self):
                stand_in.serve(self)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = serve

        class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
            allow_reuse_address = daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                pass  # the client's cut connections

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.storage = servers.Storage(f"http://127.0.0.1:{self.server.server_address[1]}", "key", "secret12345")

    def samples(self):
        with self.lock:
            return self.good[-20000:] + [(time.monotonic(), len(self.good))]

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        path, _, query = handler.path.partition("?")
        method = handler.command
        of_object = path.count("/") > 1
        time.sleep(self.delay(method) if of_object else 0)
        trouble = self.trouble(method) if of_object else None
        if trouble == "close":
            handler.close_connection = True
            return
        if trouble:
            status, content = trouble[0], s3_error(trouble[1])
        else:
            status, content = self.right_answer(method, path, body)
        handler.send_response(status)
        handler.send_header("x-amz-request-id", "STANDIN")  # as S3 does
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if method != "HEAD":
            handler.wfile.write(content)
        handler.wfile.flush()
        handler.close_connection = handler.close_connection or self.closes
        if not of_object:
            return
        with self.lock:
            self.answered[method, status] += 1
            if status < 300:
                self.good.append((time.monotonic(), len(self.good) + 1))

    def right_answer(self, method, path, body):
        if method == "PUT":
            self.objects[path] = body
            return 200, b""
        if method == "DELETE":
            self.objects.pop(path, None)
            return 204, b""
        if path.count("/") == 1:
            return 200, b"" if method == "HEAD" else EMPTY_LISTING
        found = self.objects.get(path)
        return (200, found) if found is not None else (404, s3_error("NoSuchKey"))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Silent:
    """Accepts connections and says nothing; or, told to `drop`, closes each at once."""

    def __init__(self, drop=False):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.drop, self.held, self.accepted = drop, [], 0
        self.storage = servers.Storage(f"http://127.0.0.1:{self.listener.getsockname()[1]}", "key", "secret12345")
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            connection.close() if self.drop else self.held.append(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.held:
            connection.close()
