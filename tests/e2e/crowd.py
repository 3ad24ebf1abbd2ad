"""A crowd of phones and gateways on UDP sockets that do whatever can be done, right and wrong, as a seed decides.

Everything a peer can say to a proxy with transactions is in here once: requests of every method, new, repeated, taken
back, acknowledged, inside dialogs; answers of every status, late, doubled, from the wrong host, of a wrong tag; and all
of these damaged by byte, by line, by branch and by flow token; circles, floods of Via and Route, fragments, ICMP, STUN.
When it settles it answers what rings, hangs up what was answered, and says nothing more.
"""
import collections
import random
import re
import selectors
import socket
import struct
import time

import box
from phone import Message, Phone

METHODS = ("INVITE",) * 8 + ("MESSAGE", "OPTIONS", "SUBSCRIBE", "REFER", "PUBLISH", "NOTIFY", "BYE", "UPDATE", "PRACK", "FROB")
WITHIN = ("INVITE", "UPDATE", "PRACK", "BYE", "BYE", "INFO", "REFER", "NOTIFY", "MESSAGE", "ACK")
PROVISIONAL = (100, 101, 180, 183, 199)
FINAL = (200, 200, 200, 202, 301, 302, 302, 305, 380, 400, 401, 404, 407, 408, 415, 422, 480, 481, 482, 486, 487, 488,
         500, 502, 503, 503, 504, 513, 600, 603, 606, 699)
BRANCH = re.compile(r"z9hG4bKstg\.([0-9a-f]{4})([0-9a-f]{2})([0-9a-f]{8})([0-9a-f]{16})([0-9a-f]{8})")
TOKEN = re.compile(r"(?<=sip:)[A-P][A-Za-z0-9_-]{11,35}(?=@)")
OPEN_MAX, HEARD_MAX, DIALOGS_MAX = 300, 300, 4000


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def follow(text, method, to=None):
    """A CANCEL of, or an ACK to, the request that `text` is (RFC 3261 9.1, 17.1.1.3)."""
    request = Message(text)
    lines = [f"{method} {request.start.partition(' ')[2]}", f"Via: {request.get('Via')}"]
    for line in request.lines:
        name = line.partition(":")[0]
        if name == "To" and to is not None:
            line = f"To: {to}"
        if name == "CSeq":
            line = f"CSeq: {request.get('CSeq').split()[0]} {method}"
        if name in ("From", "To", "Call-ID", "CSeq", "Route", "Max-Forwards"):
            lines.append(line)
    return "\r\n".join([*lines, "Content-Length: 0"]) + "\r\n\r\n"


class Dialog:
    def __init__(self, phone, answer):
        self.phone, self.answer, self.cseq = phone, answer, 1
        self.routes = list(reversed(answer.all("Record-Route")))

    def request(self, method, routes=None):
        self.cseq += method != "ACK"
        answer = self.answer
        target = re.search(r"<([^>]*)>", answer.get("Contact") or "<sip:nobody@198.18.0.2>")
        lines = [f"Route: {route}" for route in (self.routes if routes is None else routes)]
        text = self.phone.request(method, target.group(1) if target else "sip:nobody@198.18.0.2", lines=lines,
                                  call_id=answer.get("Call-ID"), cseq=self.cseq)
        text = re.sub(r"(?m)^From:.*\r$", lambda _: f"From: {answer.get('From')}\r", text, count=1)
        return re.sub(r"(?m)^To:.*\r$", lambda _: f"To: {answer.get('To')}\r", text, count=1)


class Damage:
    """Ways to spoil a message."""

    def __init__(self, dice):
        self.dice = dice
        self.ways = (self.bytes, self.cut, self.lines, self.lines, self.run, self.number, self.branch, self.branch, self.branch,
                     self.token, self.token, self.via, self.vias, self.routes, self.fold, self.tag)

    def __call__(self, text):
        for _ in range(self.dice.choice((1, 1, 1, 2, 3))):
            text = self.dice.choice(self.ways)(text)
        return text

    def bytes(self, text):
        text = list(text)
        for _ in range(self.dice.randrange(1, 8) if text else 0):
            text[self.dice.randrange(len(text))] = chr(self.dice.choice((0, 10, 13, 32, 34, 58, 59, 60, 62, 64, 127, 255,
                                                                         self.dice.randrange(256))))
        return "".join(text)

    def cut(self, text):
        return text[:self.dice.randrange(len(text) + 1)]

    def lines(self, text):
        lines = text.split("\r\n")
        at, other = self.dice.randrange(len(lines)), self.dice.randrange(len(lines))
        way = self.dice.randrange(4)
        if way == 0:
            del lines[at]
        elif way == 1:
            lines[at:at] = [lines[at]] * self.dice.choice((1, 2, 40, 200))
        elif way == 2:
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines.insert(at, f"X-{self.dice.randrange(99)}: {'y' * self.dice.randrange(90)}")
        return "\r\n".join(lines)

    def run(self, text):
        at = self.dice.randrange(len(text) + 1)
        return text[:at] + self.dice.choice("x;,<\"( ") * self.dice.choice((1, 20, 300, 3000)) + text[at:]

    def number(self, text):
        found = list(re.finditer(r"\d+", text))
        if not found:
            return text
        one = self.dice.choice(found)
        wrong = self.dice.choice(("", "0", "-1", "65536", "4294967296", "99999999999999999999", str(self.dice.randrange(9999))))
        return text[:one.start()] + wrong + text[one.end():]

    def branch(self, text):
        """Another worker, listener, slot, branch number, check or loop part."""
        def forge(match):
            parts = list(match.groups())
            at = self.dice.randrange(5)
            if self.dice.randrange(2):
                number = self.dice.choice((0, 1, 2, 0xffffffff, 0xfffffffe, self.dice.getrandbits(64)))
                parts[at] = f"{number:016x}"[-len(parts[at]):]
            else:
                digit = self.dice.randrange(len(parts[at]))
                parts[at] = parts[at][:digit] + self.dice.choice("0123456789abcdef") + parts[at][digit + 1:]
            return "z9hG4bKstg." + "".join(parts)
        return BRANCH.sub(forge, text, count=self.dice.choice((1, 1, 0)))

    def token(self, text):
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

        def forge(match):
            token = list(match.group())
            token[self.dice.randrange(len(token))] = self.dice.choice(letters)
            return "".join(token[:self.dice.choice((12, 20, 36))])
        return TOKEN.sub(forge, text, count=1)

    def via(self, text):
        at = text.find("Via:")
        end = text.find("\r\n", at)
        return text if at < 0 or end < at else text[:self.dice.randrange(at, end + 1)] + text[end:]

    def insert(self, text, lines):
        start, _, rest = text.partition("\r\n")
        return "\r\n".join([start, *lines, rest])

    def vias(self, text):
        top = BRANCH.search(text)
        branch = top.group() if top and self.dice.randrange(2) else "z9hG4bKx"
        return self.insert(text, [f"Via: SIP/2.0/UDP {self.dice.choice(('198.18.0.2:5099', '198.18.0.1:5060', 'a.b'))}"
                                  f";branch={branch}"] * self.dice.choice((1, 2, 30, 69, 150)))

    def routes(self, text):
        name = self.dice.choice(("Route", "Route", "Record-Route"))
        value = self.dice.choice((f"<sip:{box.ADDRESS4};lr>", f"<sip:{box.ADDRESS4}>", "<sip:198.18.0.2:5071;lr>", "<sip:x", "",
                                  f"<sip:[{box.ADDRESS6}]:5060;lr>", "<sip:AAAAAAAAAAAA@198.18.0.1;lr>", "<tel:+1>"))
        n = self.dice.choice((1, 1, 3, 70, 71, 120))
        return self.insert(text, [f"{name}: {', '.join([value] * n)}"] if self.dice.randrange(2) else [f"{name}: {value}"] * n)

    def fold(self, text):
        return text.replace(self.dice.choice((" ", ";", ":")), self.dice.choice(("\r\n ", "\r\n\t;", "\n", " : ")),
                            self.dice.randrange(1, 6))

    def tag(self, text):
        return re.sub(r"tag=[^;>\s]*", lambda _: f"tag={self.dice.choice(('', 'f', 'other', 'z' * 300))}", text,
                      count=self.dice.choice((1, 0)))


class Crowd:
    GATEWAYS = (5071, 5072, 5073)
    DEAD = 5079

    def __init__(self, seed, phones=10):
        self.dice = random.Random(seed)
        self.damage = Damage(self.dice)
        self.phones = [Phone(f"u{n}", address="2001:db8::2" if n % 5 == 4 else "198.18.0.2") for n in range(phones)]
        self.phones += [Phone(f"g{port}", port=port) for port in self.GATEWAYS]
        self.selector = selectors.DefaultSelector()
        for phone in self.phones:
            phone.socket.setblocking(False)
            phone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.selector.register(phone.socket, selectors.EVENT_READ, phone)
        with box.inside(box.CLIENT):
            self.icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            self.icmp.bind(("198.18.0.2", 0))
            self.icmp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # nobody reads it
            self.ip = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.open = collections.deque(maxlen=OPEN_MAX)      # (phone, text): sent, to be repeated, cancelled
        self.heard = collections.deque(maxlen=HEARD_MAX)    # (phone, message): to be answered again
        self.answered = collections.deque(maxlen=HEARD_MAX)  # (phone, text): to be replayed
        self.dialogs = collections.deque(maxlen=DIALOGS_MAX)
        self.ringing = {}                                   # branch -> (phone, INVITE): told that it rings
        self.calm = False
        self.sent = self.received = self.calls = 0
        self.acts = ((30, self.ask), (6, self.register), (6, self.repeat), (8, self.cancel), (6, self.acknowledge), (14, self.within),
                     (18, self.respond_again), (8, self.replay), (4, self.circle), (3, self.unreachable), (2, self.fragment),
                     (3, self.noise))
        self.weights = [weight for weight, _ in self.acts]

    def close(self):
        for phone in self.phones:
            phone.close()
        self.icmp.close()
        self.ip.close()

    def send(self, phone, text, spoil=0):
        """Spoils so many in a hundred."""
        if not self.calm and self.dice.randrange(100) < spoil:
            text = self.damage(text)
        try:
            phone.send(text if isinstance(text, bytes) else text.encode("latin-1", "replace")[:60000])
            self.sent += 1
        except OSError:  # a full queue of the kernel's
            pass

    def somebody(self):
        return self.dice.choice(self.phones)

    # What it does by itself.

    def register(self):
        user, at = self.dice.choice(self.phones[:-3]), self.somebody()
        contact = self.dice.choice((at.contact, at.contact, at.contact, f"<sip:{user.user}@198.18.0.2:{self.DEAD}>",
                                    f"<sip:{user.user}@{box.ADDRESS4}>", f"<sip:{user.user}@phones.example>", "*"))
        q = "" if contact == "*" else f";q={self.dice.choice(('1', '0.5', '0.7', '0'))}"
        lines = [f"Contact: {contact}{q}", f"Expires: {self.dice.choice((60, 60, 60, 1, 0))}"]
        self.send(at, user.request("REGISTER", "sip:example.com", f"sip:{user.user}@example.com", lines=lines,
                                   cseq=self.dice.randrange(1, 1 << 31)), spoil=10)

    def target(self):
        return self.dice.choice((f"sip:{self.dice.choice(self.phones[:-3]).user}@example.com",) * 8 + (
            "sip:+4930123@example.com", "sip:+4930124@example.com", "sip:+4940@example.com", "sip:+441@example.com",
            "sip:+449@example.com", "sip:00491@example.com", f"sip:{box.ADDRESS4}", "sip:nobody@example.com", "tel:+49",
            f"sip:partner{self.dice.randrange(5)}@example.com", "sip:u1@redirect.example.com", "sip:x@elsewhere.example",
            f"sip:faulty{self.dice.randrange(8)}@example.com", "sips:u1@example.com", "sip:stateless@example.com"))

    def ask(self):
        phone = self.somebody()
        lines = [f"Contact: {phone.contact}"]
        lines += self.dice.choice(((), (), (), ("Max-Breadth: 1",), ("Max-Breadth: 3",), ("Supported: path, 100rel, outbound",),
                                   ("Proxy-Require: x",), (f"Route: <sip:{box.ADDRESS4};lr>",), ("Route: <sip:198.18.0.2:5071;lr>",),
                                   ("P-Asserted-Identity: <sip:a@b>",), ("Timestamp: 1",), ("Max-Breadth: 0",)))
        call = f"soak{self.calls}" if self.dice.randrange(20) else f"soak{max(0, self.calls - 3)}"
        self.calls += 1
        body = "v" * self.dice.choice((0, 0, 0, 100, 1300, 4000))
        method = self.dice.choice(METHODS)
        text = phone.request(method, self.target(), lines=lines, call_id=call, body=body, from_tag=f"f{self.dice.randrange(3)}")
        if not self.dice.randrange(20):
            text = text.replace("Max-Forwards: 70", f"Max-Forwards: {self.dice.randrange(3)}")
        self.open.append((phone, text))
        self.send(phone, text, spoil=12)

    def an_open(self):
        return self.dice.choice(self.open) if self.open else (None, None)

    def repeat(self):
        phone, text = self.an_open()
        if phone:
            self.send(phone if self.dice.randrange(10) else self.somebody(), text, spoil=15)

    def cancel(self):
        phone, text = self.an_open()
        if phone and text.startswith("INVITE"):
            self.send(phone, follow(text, "CANCEL"), spoil=10)

    def acknowledge(self):
        phone, text = self.an_open()
        if phone and text.startswith("INVITE"):
            self.send(phone, follow(text, "ACK", self.dice.choice((None, "<sip:u@example.com>;tag=1"))), spoil=10)

    def within(self):
        if not self.dialogs:
            return
        dialog = self.dice.choice(self.dialogs)
        routes = self.dice.choice((None,) * 8 + ([], dialog.routes * 2, dialog.routes[:1], list(reversed(dialog.routes))))
        text = dialog.request(self.dice.choice(WITHIN), routes)
        self.open.append((dialog.phone, text))
        self.send(dialog.phone, text, spoil=15)

    def respond_again(self):
        if self.heard:
            self.respond(*self.dice.choice(self.heard))

    def replay(self):
        """An older answer, or one to a branch that was not asked."""
        if self.answered:
            phone, text = self.dice.choice(self.answered)
            self.send(phone, self.damage.branch(text) if self.dice.randrange(2) else text, spoil=20)

    def circle(self):
        """What came is sent back to where it came from, as a proxy does whose routes lead back."""
        if self.heard:
            phone, message = self.dice.choice(self.heard)
            via = f"Via: SIP/2.0/UDP {phone.sent_by};branch=z9hG4bK{self.dice.randrange(50)}"
            self.send(phone, self.damage.insert(message.text, [via]), spoil=10)

    def unreachable(self):
        if not self.heard:
            return
        phone, message = self.dice.choice(self.heard)
        text = self.damage(message.text) if self.dice.randrange(2) else message.text
        payload = text.encode("latin-1", "replace")
        total = 28 + len(payload) + self.dice.choice((0, 0, 0, -30, 3000))
        source, destination = socket.inet_aton(box.ADDRESS4), socket.inet_aton("198.18.0.2")
        quote = struct.pack("!BBHHHBBH4s4s", self.dice.choice((0x45,) * 6 + (0x4f, 0x60, 0x41)), 0, max(0, total) & 0xffff, 1, 0, 64,
                            17, 0, source, destination)
        quote += struct.pack("!HHHH", box.PORT, phone.port, max(0, total - 20) & 0xffff, 0) + payload
        quote = quote[:self.dice.choice((8, 28, 40, 300, 548, 1400))]
        head = bytes([self.dice.choice((3, 3, 3, 12, 11, 4)), self.dice.randrange(16)])
        rest = struct.pack("!HH", 0, self.dice.choice((0, 0, 0x2000, 0xffff))) + quote
        self.icmp.sendto(head + struct.pack("!H", checksum(head + b"\0\0" + rest)) + rest, (box.ADDRESS4, 0))
        self.sent += 1

    def fragment(self):
        """Pieces of a datagram, of which some are missing, twice there, or overlap."""
        text = self.open[-1][1].encode("latin-1", "replace")[:3000] if self.open else b"x" * 100
        datagram = struct.pack("!HHHH", self.somebody().port, box.PORT, 8 + len(text), 0) + text
        number = self.dice.getrandbits(16)
        for at in range(0, len(datagram), 512):
            if not self.dice.randrange(8):
                continue
            offset = at // 8 + self.dice.choice((0,) * 8 + (1, 8191))
            more = 0x2000 if at + 512 < len(datagram) or not self.dice.randrange(6) else 0
            piece = datagram[at:at + 512 + self.dice.choice((0, 0, 0, 8))]
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(piece), number, offset & 0x1fff | more, 64, 17, 0,
                               socket.inet_aton("198.18.0.2"), socket.inet_aton(box.ADDRESS4))
            self.ip.sendto(head + piece, (box.ADDRESS4, 0))
            self.sent += 1

    def noise(self):
        stun = struct.pack("!HHI", self.dice.choice((1, 1, 0x11, 0x101, 3)), self.dice.choice((0, 0, 8, 4, 65532)), 0x2112a442)
        stun += self.dice.randbytes(12 + self.dice.choice((0, 0, 4, 8, 40)))
        self.send(self.somebody(), self.dice.choice((b"\r\n\r\n", b"\r\n", b"", b"\0", stun, stun, self.dice.randbytes(40),
                                                     b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:x SIP/2.0\r\n\r\n")))

    # What it does when it hears something.

    def hear(self, phone):
        for _ in range(50):
            try:
                message = Message(phone.socket.recv(65536).decode("latin-1"))
            except OSError:
                return
            self.received += 1
            if message.status:
                self.hear_response(phone, message)
            elif " SIP/2.0" in message.start:
                self.hear_request(phone, message)

    def hear_request(self, phone, message):
        method = message.start.split()[0]
        if method == "ACK":
            return
        self.heard.append((phone, message))
        if self.calm:
            self.respond(phone, message, 480 if method == "INVITE" else 200)
            return
        for _ in range(self.dice.choice((0, 1, 1, 1, 2))):
            self.respond(phone, message)

    def respond(self, phone, message, status=0):
        invite = message.start.startswith("INVITE")
        status = status or self.dice.choice(PROVISIONAL if invite and self.dice.randrange(2) else FINAL)
        extra = []
        if status // 100 == 3:
            extra = [f"Contact: {self.dice.choice((self.somebody().contact, f'<sip:u2@{box.ADDRESS4}>', '<sip:u3@example.com>'))}"
                     f";q=0.{n}" for n in range(self.dice.choice((1, 2, 12)))]
        if status in (401, 407):
            extra = [f"{'WWW' if status == 401 else 'Proxy'}-Authenticate: Digest realm=\"{self.dice.randrange(9)}\", nonce=\"x\""]
        if status in (200, 202) and not invite:
            extra = ["Expires: 60"]
        text = phone.response(message, status, "Said", tag=self.dice.choice(("a", "b", str(phone.port))), extra=extra)
        if invite and status < 200:
            self.ringing[message.get("Via")] = phone, message
        self.answered.append((phone, text))
        self.send(phone if self.calm or self.dice.randrange(20) else self.somebody(), text, spoil=20)

    def hear_response(self, phone, message):
        if not message.get("CSeq").endswith("INVITE") or message.status < 200:
            return
        if message.status < 300:
            dialog = Dialog(phone, message)
            self.dialogs.append(dialog)
            self.send(phone, dialog.request("ACK"), spoil=5)
        elif self.dice.randrange(5):
            via = message.get("Via").partition(";received")[0].partition(";rport")[0]
            for _, text in reversed(self.open):
                if via and via in text:
                    self.send(phone, follow(text, "ACK", message.get("To")), spoil=5)
                    return

    # What a test calls.

    def play(self, seconds, rate, between=lambda: None):
        """Acts so many times a second and answers all that comes; `between` is called a hundred times a second."""
        now = time.monotonic()
        end, due, called = now + seconds, now, now
        while now < end:
            for key, _ in self.selector.select(min(0.01, max(0, due - now))):
                self.hear(key.data)
            now = time.monotonic()
            if now >= due and rate:
                self.dice.choices(self.acts, self.weights)[0][1]()
                due = max(due + 1 / rate, now - 0.05)
            if now >= called:
                between()
                called = now + 0.01

    def settle(self, seconds=3):
        self.calm = True
        self.play(0.5, 0)
        for waiting in (list(self.ringing.values()), list(self.dialogs)):
            for at, one in enumerate(waiting):
                if isinstance(one, Dialog):
                    self.send(one.phone, one.request("BYE"))
                else:
                    self.respond(*one, 480)
                if at % 20 == 19:
                    self.play(0.01, 0)
        self.play(seconds, 0)
