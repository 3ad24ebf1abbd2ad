"""One socket that asks as fast as it is answered: thousands of SUBSCRIBEs and PUBLISHes, each by its Call-ID."""
import collections
import itertools
import select
import socket
import struct
import time

import box
from phone import Phone
from watcher import pidf

WINDOW = 100  # that are not answered yet
RCVBUFFORCE = 33  # SO_RCVBUFFORCE, whatever the system's bound is
NUMBERS = itertools.count(1)
COPIED = (b"via", b"from", b"to", b"call-id", b"cseq")
PIDF = "Content-Type: application/pidf+xml"


def head_of(data):
    """(first line, {name: value}) of a message that is what the server wrote: one line each but for Via."""
    first, *lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    fields = (line.partition(b": ") for line in lines)
    return first, {name.lower(): value for name, _, value in fields}


class Flood(Phone):
    def __init__(self, user="flood", **how):
        super().__init__(user, **how)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 1 << 23)
        self.answers, self.notified, self.silent = {}, collections.Counter(), False

    def asked(self, method, user, lines=(), body="", sender=None, **how):
        """(Call-ID, request) of something new about this user."""
        call_id = how.pop("call_id", None) or f"flood{next(NUMBERS)}"
        uri = f"sip:{user}@example.com"
        text = self.request(method, uri, lines=[f"Contact: {self.contact}", *lines], body=body, call_id=call_id, **how)
        if sender:
            text = text.replace(f"From: <sip:{self.user}@", f"From: <sip:{sender}@", 1)
        return call_id, text

    def subscribe(self, user, expires=600, **how):
        return self.asked("SUBSCRIBE", user, ["Event: presence", f"Expires: {expires}"], **how)

    def publish(self, user, expires=600, etag="", note="", **how):
        lines = ["Event: presence", f"Expires: {expires}", PIDF, *([f"SIP-If-Match: {etag}"] if etag else [])]
        return self.asked("PUBLISH", user, lines, pidf(f"sip:{user}@example.com", note=note), sender=user, **how)

    def hear(self, data):
        first, fields = head_of(data)
        if first.startswith(b"SIP/2.0 "):
            self.answers[fields[b"call-id"].decode()] = (int(first.split()[1]), fields)
        elif first.startswith(b"NOTIFY "):
            self.notified[fields[b"call-id"].decode()] += 1
            if not self.silent:
                lines = [b"SIP/2.0 200 OK", *(name + b": " + fields[name] for name in COPIED), b"Content-Length: 0\r\n\r\n"]
                self.send(b"\r\n".join(lines))

    def listen(self, seconds=0.0):
        """All that is there, or that comes first in so many seconds."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            while True:
                self.hear(self.socket.recv(65536))
        except BlockingIOError:
            return True

    def run(self, requests, seconds=60, until=lambda: False, heard=lambda answers: None):
        """Asks all that, again what is not answered for a second; {Call-ID: (status, fields)} of these, which `heard` is
        told of as they come."""
        requests, end = iter(requests), time.monotonic() + seconds
        waiting, done, more = {}, {}, True
        while (more or waiting) and not until():
            assert time.monotonic() < end, f"{len(waiting)} of {len(done)} are not answered"
            while more and len(waiting) < WINDOW:
                call_id, text = next(requests, (None, None))
                more = call_id is not None
                if more:
                    waiting[call_id] = (text, time.monotonic())
                    self.send(text)
            self.listen(0.05)
            news = {call_id: answer for call_id, answer in self.answers.items() if call_id in waiting}
            self.answers.clear()
            for call_id in news:
                del waiting[call_id]
            done.update(news)
            heard(news)
            for call_id, (text, at) in list(waiting.items()):
                if time.monotonic() > at + 1:
                    waiting[call_id] = (text, time.monotonic())
                    self.send(text)
        return done


def statuses(answers):
    return collections.Counter(status for status, _ in answers.values())


class Spoofed:
    """Datagrams from addresses that nobody has."""

    def __init__(self):
        with box.inside(box.CLIENT):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def close(self):
        self.socket.close()

    def send(self, address, text):
        payload = text.encode()
        datagram = struct.pack("!HHHH", box.PORT, box.PORT, 8 + len(payload), 0) + payload  # no checksum (RFC 768)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0, socket.inet_aton(address),
                           socket.inet_aton(box.ADDRESS4))
        self.socket.sendto(head + datagram, (box.ADDRESS4, 0))
