"""A crowd that watches and publishes over UDP, TCP, TLS and WebSocket, well and badly, as a seed decides.

Its members subscribe, refresh, fetch, unsubscribe, repeat themselves, speak in dialogs that are none, and leave without a
word; they publish, change, prolong, remove, let expire, and name entity-tags of yesterday. To a NOTIFY they say 200, twice,
late, or something else, or nothing. Everything is asked for a few seconds only, so that all of it ends by itself.
"""
import collections
import random
import re
import selectors
import socket
import struct
import time

import box
from phone import COUNT, Message
from watcher import LISTS, PIDF, pidf

ADDRESS = "198.18.0.3"
EXPIRES = (1, 1, 2, 4, 8, 8)
PACKAGES = (("presence", PIDF), ("presence", f"application/pidf-diff+xml, {PIDF}"), ("presence", LISTS),
            ("presence.winfo", "application/watcherinfo+xml"), ("reg", "application/reginfo+xml"),
            ("dialog", "application/dialog-info+xml"), ("message-summary", "application/simple-message-summary"))
FAILURES = (403, 404, 481, 481, 489, 500, 503, 503, 600)
UPGRADE = ("GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
           "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n")


class Line:
    """What a member speaks over: a datagram socket or a connection."""

    def __init__(self, transport, port, secure=None):
        self.transport, self.heard = transport, b""
        with box.inside(box.CLIENT):
            self.socket = socket.socket(type=socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.bind((ADDRESS, 0))
        self.sent_by = "%s:%d" % self.socket.getsockname()
        try:
            self.socket.connect((box.ADDRESS4, port))
            if transport in ("TLS", "WSS"):
                self.socket = secure.wrap_socket(self.socket, server_hostname="example.com")
            if transport in ("WS", "WSS"):
                self.upgrade()
        except OSError:
            self.socket.close()
            raise
        self.socket.setblocking(False)

    def upgrade(self):
        self.socket.sendall(UPGRADE.encode())
        while b"\r\n\r\n" not in self.heard:
            more = self.socket.recv(4096)
            if not more:
                raise ConnectionResetError
            self.heard += more
        self.heard = self.heard.partition(b"\r\n\r\n")[2]

    def send(self, text):
        data = text.encode()
        if self.transport in ("WS", "WSS"):  # masked with nothing
            size = struct.pack("!BB", 0x81, 0x80 | len(data)) if len(data) < 126 else struct.pack("!BBH", 0x81, 0xfe, len(data))
            data = size + bytes(4) + data
        self.socket.send(data)

    def messages(self):
        """What has come."""
        try:
            while data := self.socket.recv(65536):
                if self.transport == "UDP":
                    yield Message(data.decode())
                    continue
                self.heard += data
                yield from self.framed()
        except OSError as error:
            if not isinstance(error, BlockingIOError) and "did not complete" not in str(error):
                raise
            return
        raise ConnectionResetError

    def framed(self):
        while self.heard:
            if self.transport in ("WS", "WSS"):
                size, at = self.heard[1:2] and self.heard[1], 2
                if size == 126:
                    size, at = int.from_bytes(self.heard[2:4], "big"), 4
                if len(self.heard) < at or len(self.heard) < at + size:
                    return
                frame, self.heard = self.heard[at:at + size], self.heard[at + size:]
                if frame.startswith((b"NOTIFY", b"SIP/2.0")):
                    yield Message(frame.decode())
                continue
            head, empty, rest = self.heard.lstrip(b"\r\n").partition(b"\r\n\r\n")
            if not empty:
                return
            length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
            if len(rest) < length:
                return
            yield Message((head + empty + rest[:length]).decode())
            self.heard = rest[length:]


class Member:
    """A user, with dialogs and entity-tags that may be good or not."""

    def __init__(self, user, transport):
        self.user, self.transport, self.line = user, transport, None
        self.dialogs, self.tags, self.last = {}, collections.deque(maxlen=6), ""

    @property
    def contact(self):
        kind = self.transport.lower()
        more = "" if kind == "udp" else f";transport={'ws' if kind == 'wss' else kind}"
        return f"<sip:{self.user}@{self.line.sent_by}{more}>"


class PresenceCrowd:
    def __init__(self, seed, members, ports, secure):
        """`ports`: of listeners by transport."""
        self.dice = random.Random(seed)
        self.ports, self.secure, self.calm = ports, secure, False
        transports = list(ports)
        self.members = [Member(f"m{n}", transports[n % len(transports)]) for n in range(members)]
        self.selector = selectors.DefaultSelector()
        self.later = []  # (when, member, line, text)
        self.asked, self.heard, self.left = collections.Counter(), collections.Counter(), 0
        self.acts = ((24, self.subscribe), (16, self.refresh), (8, self.fetch), (10, self.unsubscribe), (6, self.repeat), (6, self.stray),
                     (3, self.leave), (20, self.publish), (16, self.change), (10, self.prolong), (8, self.remove), (5, self.register))
        self.weights = [weight for weight, _ in self.acts]

    # What they say.

    def request(self, member, method, uri, to, lines, body="", call_id=None, cseq=1, tag="t", to_tag=""):
        self.asked[method] += 1
        number = next(COUNT)
        return "\r\n".join([f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/{member.transport} {member.line.sent_by};branch=z9hG4bK{number};rport",
                            "Max-Forwards: 70", f"From: <sip:{member.user}@example.com>;tag={tag}",
                            f"To: <{to}>" + (f";tag={to_tag}" if to_tag else ""), f"Call-ID: {call_id or f'c{number}'}", f"CSeq: {cseq} {method}",
                            f"Contact: {member.contact}", *lines, f"Content-Length: {len(body.encode())}"]) + "\r\n\r\n" + body

    def say(self, member, text):
        try:
            member.line.send(text)
        except BlockingIOError:
            pass
        except OSError:
            self.part(member)

    def anybody(self):
        return self.dice.choice(("friends", *(member.user for member in self.members), *(member.user for member in self.members[:4] * 5)))

    def subscribe(self, member, expires=None):
        event, accept = self.dice.choice(PACKAGES)
        private = event in ("presence.winfo", "reg", "dialog", "message-summary")
        user = member.user if private and self.dice.randrange(8) else self.anybody()
        number = next(COUNT)
        lines = [f"Event: {event}{self.dice.choice(('', '', ';id=7'))}", f"Accept: {accept}", "Supported: eventlist",
                 f"Expires: {expires if expires is not None else self.dice.choice(EXPIRES)}",
                 *self.dice.choice(((), (), (), ("Suppress-If-Match: *",), (f"Record-Route: <sip:{member.line.sent_by};lr>",)))]
        call_id, uri = f"d{number}", f"sip:{user}@example.com"
        member.last = self.request(member, "SUBSCRIBE", uri, uri, lines, call_id=call_id, tag=f"w{number}")
        member.dialogs[call_id] = {"to": uri, "tag": f"w{number}", "to_tag": "", "target": uri, "cseq": 1, "lines": lines[:3]}
        while len(member.dialogs) > 12:
            del member.dialogs[next(iter(member.dialogs))]
        self.say(member, member.last)

    def fetch(self, member):
        self.subscribe(member, 0)

    def within(self, member, expires):
        known = [call_id for call_id, dialog in member.dialogs.items() if dialog["to_tag"]]
        if not known:
            return
        call_id = self.dice.choice(known)
        dialog = member.dialogs[call_id]
        dialog["cseq"] += self.dice.choice((1, 1, 1, 1, 7, 0))
        etag = dialog.get("etag")
        lines = [*dialog["lines"], f"Expires: {expires}", *([f"Suppress-If-Match: {etag}"] if etag and self.dice.randrange(3) == 0 else [])]
        member.last = self.request(member, "SUBSCRIBE", dialog["target"], dialog["to"], lines, call_id=call_id, cseq=dialog["cseq"],
                                   tag=dialog["tag"], to_tag=dialog["to_tag"])
        self.say(member, member.last)

    def refresh(self, member):
        self.within(member, self.dice.choice(EXPIRES))

    def unsubscribe(self, member):
        self.within(member, 0)

    def repeat(self, member):
        if member.last:
            self.say(member, member.last)

    def stray(self, member):
        """In a dialog that nobody knows, or of one that another has."""
        other = self.dice.choice(self.members)
        dialog = self.dice.choice(list(other.dialogs.values()) or [{"to": "sip:m1@example.com", "to_tag": "nobodys"}])
        self.say(member, self.request(member, "SUBSCRIBE", f"sip:{box.ADDRESS4}", dialog["to"], ["Event: presence", "Expires: 4"], cseq=9,
                                      to_tag=dialog["to_tag"] or "nobodys"))

    def post(self, member, expires, etag="", body=None):
        document = body if body is not None else pidf(f"sip:{member.user}@example.com", self.dice.choice(("open", "closed")),
                                                      "n" * self.dice.choice((3, 30, 300, 3000)), tuple_id=f"t{self.dice.randrange(3)}")
        if self.dice.randrange(15) == 0:
            document = document[:self.dice.randrange(len(document) + 1)]
        lines = ["Event: presence", f"Expires: {expires}", *([f"SIP-If-Match: {etag}"] if etag else []),
                 *([f"Content-Type: {PIDF}"] if document else [])]
        uri = f"sip:{member.user if self.dice.randrange(20) else self.anybody()}@example.com"
        member.last = self.request(member, "PUBLISH", uri, uri, lines, document)
        self.say(member, member.last)

    def etag(self, member):
        return self.dice.choice(member.tags) if member.tags else "0123456789abcdef"

    def publish(self, member):
        self.post(member, self.dice.choice(EXPIRES))

    def change(self, member):
        self.post(member, self.dice.choice(EXPIRES), self.etag(member))

    def prolong(self, member):
        self.post(member, self.dice.choice(EXPIRES), self.etag(member), "")

    def remove(self, member):
        self.post(member, 0, self.etag(member), "")

    def register(self, member):
        self.say(member, self.request(member, "REGISTER", "sip:example.com", f"sip:{member.user}@example.com",
                                      [f"Expires: {self.dice.choice((0, 2, 5))}"]))

    # What they hear.

    def hear(self, member, message):
        if message.status == 0:
            self.heard["NOTIFY"] += 1
            self.answer(member, message)
            return
        method = message.get("CSeq").split()[-1]
        self.heard[f"{method} {message.status}"] += 1
        if method == "PUBLISH" and message.status == 200:
            member.tags.append(message.get("SIP-ETag"))
        dialog = member.dialogs.get(message.get("Call-ID"))
        if message.status == 481 and self.dice.randrange(2):
            member.dialogs.pop(message.get("Call-ID"), None)
        if method == "SUBSCRIBE" and dialog is not None and message.status // 100 == 2:
            dialog["to_tag"] = message.get("To").partition(";tag=")[2]
            dialog["target"] = re.search("<([^>]*)>", message.get("Contact")).group(1)

    def answer(self, member, message):
        way = 0 if self.calm else self.dice.randrange(100)
        dialog = member.dialogs.get(message.get("Call-ID"))
        if dialog is not None:
            dialog["etag"] = message.get("SIP-ETag")
        if way >= 94:
            return
        status = 200 if way < 80 else self.dice.choice(FAILURES)
        more = ["Retry-After: 1"] if status == 503 else []
        text = "\r\n".join([f"SIP/2.0 {status} Said", *(f"Via: {via}" for via in message.all("Via")), f"From: {message.get('From')}",
                            f"To: {message.get('To')}", f"Call-ID: {message.get('Call-ID')}", f"CSeq: {message.get('CSeq')}", *more,
                            "Content-Length: 0"]) + "\r\n\r\n"
        if 70 <= way < 80:
            self.later.append((time.monotonic() + self.dice.choice((0.05, 0.3, 1.5)), member, member.line, text))
        else:
            self.say(member, text)
        if 60 <= way < 70:
            self.say(member, text)

    # Coming and going.

    def join(self, member):
        member.line = Line(member.transport, self.ports[member.transport], self.secure)
        self.selector.register(member.line.socket, selectors.EVENT_READ, member)

    def part(self, member):
        self.selector.unregister(member.line.socket)
        member.line.socket.close()
        member.line = None

    def leave(self, member):
        """Without a word; whoever comes back under this name knows of nothing."""
        self.left += 1
        self.part(member)
        if self.dice.randrange(2):
            member.dialogs.clear()

    def turn(self, wait):
        for key, _ in self.selector.select(wait):
            member = key.data
            try:
                for message in member.line.messages():
                    self.hear(member, message)
                    if member.line is None:
                        break
            except OSError:
                if member.line is not None:
                    self.part(member)
        now = time.monotonic()
        for one in [one for one in self.later if one[0] <= now]:
            self.later.remove(one)
            if one[1].line is one[2]:
                self.say(one[1], one[3])

    def play(self, seconds, rate, between):
        """So many acts a second; `between` is called all the time."""
        now = time.monotonic()
        end, due = now + seconds, now
        while now < end:
            self.turn(min(0.01, max(0, due - now)))
            now = time.monotonic()
            if now >= due:
                member = self.dice.choice(self.members)
                if member.line is None:
                    self.join(member)
                self.dice.choices(self.acts, self.weights)[0][1](member)
                due = max(due + 1 / rate, now - 0.05)
            between()

    def settle(self, done):
        """They ask nothing any more and answer all that comes, until that is true."""
        self.calm = True
        while not done():
            self.turn(0.05)

    def close(self):
        for member in self.members:
            if member.line is not None:
                self.part(member)
