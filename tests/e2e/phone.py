"""A SIP phone of few words: a UDP socket in the clients' namespace, and messages as text."""
import itertools
import re
import socket

import box

COUNT = itertools.count(1)


class Message:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.start, *self.lines = head.split("\r\n")
        self.text = text

    @property
    def status(self):
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    def all(self, name):
        return [line.partition(":")[2].strip() for line in self.lines
                if line.partition(":")[0].strip().lower() == name.lower()]

    def get(self, name):
        return (self.all(name) or [""])[0]


class Phone:
    transport = "UDP"

    def __init__(self, user, address="198.18.0.2", port=0, domain="example.com", server=None, sent_by=None):
        self.user, self.domain = user, domain
        six = ":" in address
        with box.inside(box.CLIENT):
            self.socket = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((address, port))
        self.socket.settimeout(10)
        self.port = self.socket.getsockname()[1]
        self.server = server or ((box.ADDRESS6 if six else box.ADDRESS4), box.PORT)
        host = f"[{address}]" if six else address
        self.sent_by = sent_by or f"{host}:{self.port}"
        self.contact = f"<sip:{user}@{self.sent_by}>"

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, text):
        self.socket.sendto(text if isinstance(text, bytes) else text.encode(), self.server)

    def receive(self, seconds=10, trying=False):
        """The next message; a 100 only when it is waited for, since a proxy with transactions gives one to every INVITE."""
        self.socket.settimeout(seconds)
        while True:
            message = Message(self.socket.recv(65536).decode())
            if trying or message.status != 100:
                return message

    def silence(self, seconds=0.3):
        """True when nothing comes."""
        try:
            self.receive(seconds)
        except TimeoutError:
            return True
        return False

    def request(self, method, uri, to=None, lines=(), body="", call_id=None, cseq=1, branch=None, from_tag="f", to_tag=""):
        number = next(COUNT)
        to = to or uri
        tag = f";tag={to_tag}" if to_tag else ""
        head = [f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/{self.transport} {self.sent_by};branch={branch or f'z9hG4bK{number}'};rport",
                "Max-Forwards: 70",
                f"From: <sip:{self.user}@{self.domain}>;tag={from_tag}",
                f"To: <{to}>{tag}",
                f"Call-ID: {call_id or f'{number}@{self.sent_by}'}",
                f"CSeq: {cseq} {method}", *lines,
                f"Content-Length: {len(body.encode())}"]
        return "\r\n".join(head) + "\r\n\r\n" + body

    def ask(self, *arguments, **how):
        self.send(self.request(*arguments, **how))
        return self.receive()

    def register(self, expires=60, contact=None, lines=(), **how):
        contacts = [f"Contact: {contact or self.contact}"] if contact != "" else []
        if expires is not None:
            contacts.append(f"Expires: {expires}")
        return self.ask("REGISTER", f"sip:{self.domain}", f"sip:{self.user}@{self.domain}",
                        lines=[*contacts, *lines], **how)

    def response(self, request, status, reason, tag="callee", body="", extra=()):
        """The text of an answer, as RFC 3261 8.2.6 builds it."""
        to = request.get("To")
        lines = [f"SIP/2.0 {status} {reason}"]
        lines += [f"Via: {via}" for via in request.all("Via")]
        lines += [f"Record-Route: {route}" for route in request.all("Record-Route")]
        lines += [f"From: {request.get('From')}", f"To: {to}" + ("" if ";tag=" in to else f";tag={tag}"),
                  f"Call-ID: {request.get('Call-ID')}", f"CSeq: {request.get('CSeq')}", f"Contact: {self.contact}",
                  *extra, f"Content-Length: {len(body)}"]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def answer(self, request, status, reason, tag="callee", body=""):
        """Answers a request where it came from."""
        self.send(self.response(request, status, reason, tag, body))


def uri_of(contact):
    return re.search(r"<([^>]*)>", contact).group(1)
