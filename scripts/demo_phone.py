"""Phones of few words for scripts/demo: every message is waited for, nothing is sent twice, and what comes is what they
expect or the end."""
import itertools
import re
import socket
import ssl
import time

DOMAIN = "example.com"
SECONDS = 5
COUNT = itertools.count(1)


class Message:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def all(self, name):
        return [value for field, value in self.fields if field == name.lower()]

    def get(self, name):
        return self.all(name)[0]


class Phone:
    """What both have in common; how bytes come and go is the children's."""

    def __init__(self, user, transport, host):
        self.user, self.transport = user, transport
        self.sent_by = host
        self.contact = f"<sip:{user}@{host};transport={transport.lower()}>"

    def request(self, method, uri, to, lines=(), call_id=None, cseq=1, body=""):
        call_id = call_id or f"{next(COUNT)}-{self.user}@{self.sent_by}"
        self.send("\r\n".join([
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {self.sent_by};branch=z9hG4bK{next(COUNT)}{self.user};rport",
            "Max-Forwards: 70", f"From: <sip:{self.user}@{DOMAIN}>;tag={self.user}", f"To: {to}", f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}", f"Contact: {self.contact}", *lines, f"Content-Length: {len(body)}", "", body]))
        return call_id

    def answer(self, request, status):
        lines = [f"{name}: {value}" for field in ("Via", "Record-Route", "From", "Call-ID", "CSeq")
                 for name, value in ((field, value) for value in request.all(field))]
        to = request.get("To")
        self.send("\r\n".join([f"SIP/2.0 {status}", *lines, f"To: {to if ';tag=' in to else to + ';tag=' + self.user}",
                               f"Contact: {self.contact}", "Content-Length: 0", "", ""]))

    def expect(self, start):
        while True:
            message = self.receive()
            if message.start.startswith(start):
                return message
            if not message.start.startswith("SIP/2.0 1"):
                raise RuntimeError(f"{self.user} waited for {start!r} and got {message.start!r}")

    def register(self):
        self.request("REGISTER", f"sip:{DOMAIN}", f"<sip:{self.user}@{DOMAIN}>", ["Expires: 600"])
        return self.expect("SIP/2.0 200")


class UdpPhone(Phone):
    def __init__(self, user, server, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(SECONDS)
        self.server = (server, 5060)
        super().__init__(user, "UDP", f"{address}:{self.socket.getsockname()[1]}")

    def send(self, text):
        self.socket.sendto(text.encode(), self.server)

    def receive(self):
        return Message(self.socket.recv(65536).decode())


class TlsPhone(Phone):
    def __init__(self, user, server, authority):
        trust = ssl.create_default_context(cafile=authority)
        self.socket = trust.wrap_socket(socket.create_connection((server, 5061), SECONDS), server_hostname=DOMAIN)
        self.held = b""
        # No address of its own that could be connected to: everything comes back over this connection.
        super().__init__(user, "TLS", f"{user}.invalid")

    def send(self, text):
        self.socket.sendall(text.encode())

    def receive(self):
        while (end := self.held.find(b"\r\n\r\n")) < 0:
            self.hold()
        length = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", self.held[:end]).group(1))
        while len(self.held) < end + 4 + length:
            self.hold()
        text, self.held = self.held[:end + 4 + length], self.held[end + 4 + length:]
        return Message(text.decode())

    def hold(self):
        more = self.socket.recv(65536)
        if not more:
            raise RuntimeError(f"the server closed {self.user}'s connection")
        self.held += more


def ms_since(start):
    return (time.monotonic() - start) * 1e3
