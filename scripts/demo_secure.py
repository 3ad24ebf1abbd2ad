#!/usr/bin/env python3
"""A phone over TLS and one over UDP call each other through the server of scripts/demo.

  demo_secure.py SERVER AUTHORITY CLIENT     one line: how long it took; exits 1 with a line that says what went wrong

Phones of few words: every message is waited for, nothing is sent twice, and what comes is what they expect or the end.
"""
import itertools
import re
import socket
import ssl
import sys
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

    def request(self, method, uri, to, lines=(), call_id=None, cseq=1):
        call_id = call_id or f"{next(COUNT)}-{self.user}@{self.sent_by}"
        self.send("\r\n".join([
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {self.sent_by};branch=z9hG4bK{next(COUNT)}{self.user};rport",
            "Max-Forwards: 70", f"From: <sip:{self.user}@{DOMAIN}>;tag={self.user}", f"To: {to}", f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}", f"Contact: {self.contact}", *lines, "Content-Length: 0", "", ""]))
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


def call(caller, callee):
    """From INVITE to the 200 for the BYE, and the callee hangs up. Milliseconds until it rings at the caller."""
    start = time.monotonic()
    call_id = caller.request("INVITE", f"sip:{callee.user}@{DOMAIN}", f"<sip:{callee.user}@{DOMAIN}>")
    invite = callee.expect("INVITE")
    callee.answer(invite, "180 Ringing")
    caller.expect("SIP/2.0 180")
    rang = ms_since(start)
    callee.answer(invite, "200 OK")
    answer = caller.expect("SIP/2.0 200")
    routes = [f"Route: {value}" for value in reversed(answer.all("Record-Route"))]
    contact = re.search("<(.*)>", answer.get("Contact")).group(1)
    caller.request("ACK", contact, answer.get("To"), routes, call_id)
    callee.expect("ACK")
    routes = [f"Route: {value}" for value in invite.all("Record-Route")]
    contact = re.search("<(.*)>", invite.get("Contact")).group(1)
    # In the dialog as the callee sees it: From and To change places.
    callee.send("\r\n".join([
        f"BYE {contact} SIP/2.0", f"Via: SIP/2.0/{callee.transport} {callee.sent_by};branch=z9hG4bK{next(COUNT)}bye;rport",
        "Max-Forwards: 70", *routes, f"From: {answer.get('To')}", f"To: {invite.get('From')}", f"Call-ID: {call_id}",
        "CSeq: 1 BYE", "Content-Length: 0", "", ""]))
    caller.answer(caller.expect("BYE"), "200 OK")
    callee.expect("SIP/2.0 200")
    return rang


def main():
    server, authority, client = sys.argv[1:]
    try:
        start = time.monotonic()
        secure = TlsPhone("secure", server, authority)
        shook = ms_since(start)
        start = time.monotonic()
        secure.register()
        registered = ms_since(start)
        plain = UdpPhone("plain", server, client)
        plain.register()
        rang = [call(plain, secure), call(secure, plain)]
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{secure.socket.version()}, {secure.socket.cipher()[0]}: handshake {shook:.1f} ms, registered in {registered:.1f} ms; "
          f"a call from UDP rang after {rang[0]:.1f} ms, one to UDP after {rang[1]:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
