"""Phones on streams: TCP and TLS by Python's sockets, WebSocket by node's ws."""
import json
import os
import select
import socket
import ssl
import subprocess
import time

import box
from phone import Message, Phone

HERE = os.path.dirname(os.path.abspath(__file__))
LENGTH = "content-length"


def context(authority, certificate=None):
    """Of a client that believes this authority."""
    made = ssl.create_default_context(cafile=authority)
    made.check_hostname = True
    if certificate is not None:
        made.load_cert_chain(*certificate)
    return made


class StreamPhone(Phone):
    """Over TCP, or over TLS where it is given a context. One connection."""

    def __init__(self, user, port=box.PORT, secure=None, name="example.com", address="198.18.0.2", domain="example.com",
                 first=b""):
        server = (box.ADDRESS6 if ":" in address else box.ADDRESS4, port)
        with box.inside(box.CLIENT):
            self.socket = socket.create_connection(server, 10, (address, 0))
        self.port = self.socket.getsockname()[1]
        self.user, self.domain, self.server, self.heard = user, domain, server, b""
        self.transport = "TLS" if secure else "TCP"
        host = f"[{address}]" if ":" in address else address
        self.sent_by = f"{host}:{self.port}"
        self.contact = f"<sip:{user}@{self.sent_by};transport={self.transport.lower()}>"
        self.socket.sendall(first)
        if secure:
            self.socket = secure.wrap_socket(self.socket, server_hostname=name)

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def _take(self):
        """A whole message of what was heard, or None."""
        while self.heard.startswith(b"\r\n"):  # a pong
            self.heard = self.heard[2:]
        head, empty, rest = self.heard.partition(b"\r\n\r\n")
        if not empty:
            return None
        lines = [line.partition(b":") for line in head.split(b"\r\n")]
        length = next((int(value) for name, _, value in lines if name.strip().lower() == LENGTH.encode()), 0)
        if len(rest) < length:
            return None
        self.heard = rest[length:]
        return Message((head + empty + rest[:length]).decode())

    def receive(self, seconds=10, trying=False):
        end = time.monotonic() + seconds
        while True:
            message = self._take()
            if message is None:
                self.socket.settimeout(max(end - time.monotonic(), 0.001))
                more = self.socket.recv(65536)
                if not more:
                    raise ConnectionResetError("the server closed the connection")
                self.heard += more
            elif trying or message.status != 100:
                return message

    def closed(self, seconds=10):
        """True when the server closes the connection; what it says before is thrown away."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                if not self.socket.recv(65536):
                    return True
            except (ConnectionError, ssl.SSLError):
                return True
            except TimeoutError:
                return False
        return False


class WebPhone(Phone):
    """A WebSocket client as a browser is one: it cannot be reached but by its connection (RFC 7118 5)."""

    def __init__(self, user, url, authority=None, domain="example.com"):
        self.user, self.domain = user, domain
        self.transport = url.partition(":")[0].upper()
        self.sent_by = f"{user}browser.invalid"
        self.contact = f"<sip:{user}@{self.sent_by};transport=ws>"
        environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        if authority is not None:
            environment["NODE_EXTRA_CA_CERTS"] = authority
        self.process = subprocess.Popen(["ip", "netns", "exec", box.CLIENT, "node", f"{HERE}/websocket.js", url],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.heard = b""
        opened = self._line(20)
        if opened != {"open": "sip"}:
            self.close()
            raise AssertionError(f"{url}: {opened}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def send(self, text):
        self.process.stdin.write(json.dumps(text if isinstance(text, str) else text.decode()).encode() + b"\n")
        self.process.stdin.flush()

    def _line(self, seconds):
        """What the client prints next: {"open": subprotocol}, {"message": text} or {"closed": why}."""
        end = time.monotonic() + seconds
        while b"\n" not in self.heard:
            if not select.select([self.process.stdout], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                raise ConnectionResetError("the WebSocket client ended")
            self.heard += more
        line, _, self.heard = self.heard.partition(b"\n")
        return json.loads(line)

    def receive(self, seconds=10, trying=False):
        end = time.monotonic() + seconds
        while True:
            line = self._line(max(end - time.monotonic(), 0))
            if "message" not in line:
                raise ConnectionResetError(str(line))
            message = Message(line["message"])
            if trying or message.status != 100:
                return message
