"""A crowd of peers on TCP, TLS and WebSocket that do whatever can be done to a server of streams, as a seed decides.

Each connection is one of those that phones have, PROXY header, TLS and WebSocket included, and goes wrong somewhere: its
bytes are cut, spoiled, held back or never read; it is reset, half closed, or forgotten. What it says is SIP, whole and
damaged, framed well and badly; to what it is sent it answers anything. Some of the crowd register where they listen
themselves, and are no better there.
"""
import random
import selectors
import socket
import ssl
import struct

import box
from crowd import FINAL, Damage
from phone import COUNT, Message

ADDRESS = "198.18.0.3"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PEERS_MAX = 120
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a reset
METHODS = ("INVITE", "INVITE", "INVITE", "REGISTER", "REGISTER", "OPTIONS", "MESSAGE", "CANCEL", "ACK", "BYE", "SUBSCRIBE", "PUBLISH")


class Peer:
    """One connection, made by us or by the server."""

    def __init__(self, crowd, plain, transport, secure=None, first=b"", proxied=False):
        self.crowd, self.dice, self.socket, self.transport = crowd, crowd.dice, plain, transport
        self.user = f"rude{self.dice.randrange(4)}"
        self.tidy = self.dice.choice((0, 0, 5, 50))  # messages for one that is spoiled; 0: none is
        self.waits, self.heard, self.web = first, b"", transport in ("WS", "WSS")
        self.opened = not self.web
        self.into, self.out, self.session = ssl.MemoryBIO(), ssl.MemoryBIO(), None
        plain.setblocking(False)
        if proxied:
            self.waits += self.proxy_header()
        if secure:
            self.session = secure.wrap_bio(self.into, self.out, server_side=secure.protocol == ssl.PROTOCOL_TLS_SERVER,
                                           server_hostname=None if secure.protocol == ssl.PROTOCOL_TLS_SERVER else "example.com")
            self.shake()
        if self.web:
            self.upgrade()

    # What it says, from the message down to the wire.

    def proxy_header(self):
        body = socket.inet_aton(f"203.0.113.{self.dice.randrange(4)}") + socket.inet_aton(box.ADDRESS4) + struct.pack("!HH", 40000, 5064)
        body += self.dice.randbytes(self.dice.choice((0, 0, 0, 7, 300)))
        length = self.dice.choice((len(body),) * 8 + (0, 4, 65535))
        return SIGNATURE + bytes([self.dice.choice((0x21,) * 8 + (0x20, 0x22, 0x11)), self.dice.choice((0x11,) * 8 + (0, 0x21, 0x12))]) + \
            struct.pack("!H", length) + body

    def upgrade(self):
        lines = ["GET / HTTP/1.1", "Host: example.com", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: sip"]
        text = "\r\n".join(lines) + "\r\n\r\n"
        if self.spoils():
            text = self.crowd.damage(text)
        self.say(text.encode("latin-1", "replace"))

    def frame(self, payload):
        first, masked, length = self.dice.choice((0x81, 0x82)), 0x80, len(payload)
        if length < 126 and not self.dice.randrange(2):
            first = self.dice.choice((0x89, 0x8a))
        if self.spoils():
            first = self.dice.randrange(256)
            masked = self.dice.choice((0, 0x80, 0x80))
            length = self.dice.choice((length, length, 0, 125, 126, 65535, 1 << 40))
        if length < 126:
            head = struct.pack("!BB", first, masked | length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", first, masked | 126, length)
        else:
            head = struct.pack("!BBQ", first, masked | 127, length)
        if not masked:
            return head + payload
        mask = self.dice.randbytes(4)
        return head + mask + bytes(byte ^ mask[at & 3] for at, byte in enumerate(payload))

    def spoils(self):
        return self.tidy and not self.dice.randrange(self.tidy)

    def message(self):
        method, number = self.dice.choice(METHODS), next(COUNT)
        user = self.dice.choice(("rude0", "rude1", "rude2", "rude3", "+4950"))
        uri = "sip:example.com" if method == "REGISTER" else f"sip:{user}@example.com"
        to = f"sip:{self.user}@example.com" if method == "REGISTER" else uri
        contact = self.dice.choice((f"<sip:{self.user}@x.invalid;transport=ws>", f"<sip:{self.user}@{ADDRESS}:5090;transport=tcp>",
                                    f"<sip:{self.user}@{ADDRESS}:5091;transport=tls>", f"<sip:{self.user}@{ADDRESS}:5099;transport=tcp>",
                                    f"<sips:{self.user}@{ADDRESS}:5091>", f"<sip:{self.user}@{box.ADDRESS4};transport=tcp>"))
        body = "v" * self.dice.choice((0, 0, 0, 10, 900, 1400, 5000))
        lines = [f"{method} {uri} SIP/2.0",
                 f"Via: SIP/2.0/{self.transport} {ADDRESS}:{self.dice.choice((5090, 5091, 5099))};branch=z9hG4bK{number}"
                 f"{self.dice.choice(('', ';rport', ';alias', ';received=198.18.0.2'))}",
                 f"Max-Forwards: {self.dice.choice((70, 70, 1, 0))}", f"From: <sip:{self.user}@example.com>;tag=r{number}", f"To: <{to}>",
                 f"Call-ID: rude{number}", f"CSeq: {self.dice.randrange(1, 1 << 31)} {method}", f"Contact: {contact}", "Expires: 60",
                 f"Content-Length: {len(body) + (self.dice.choice((-1, 1, 100000)) if self.spoils() else 0)}"]
        text = "\r\n".join(lines) + "\r\n\r\n" + body
        return self.crowd.damage(text) if self.spoils() else text

    def speak(self, text):
        data = text.encode("latin-1", "replace")
        self.say(self.frame(data) if self.web else data)

    def say(self, data):
        if self.session is not None:
            try:
                self.session.write(data)
            except ssl.SSLError:  # its handshake has not ended, or never will
                return
            data = self.out.read()
            if self.spoils():
                data = bytes(byte ^ (not self.dice.randrange(40)) for byte in data)
        self.waits += data

    def shake(self):
        try:
            self.session.do_handshake()
        except ssl.SSLError:
            pass
        self.waits += self.out.read()

    def flush(self):
        """Some of what waits, perhaps a byte."""
        if not self.waits or len(self.waits) > 1 << 20:
            return
        n = len(self.waits) if self.dice.randrange(3) else self.dice.randrange(1, min(len(self.waits), 400) + 1)
        try:
            self.waits = self.waits[self.socket.send(self.waits[:n]):]
        except BlockingIOError:
            pass

    # What it does when it hears something.

    def hear(self):
        try:
            data = self.socket.recv(self.dice.choice((1, 700, 65536, 65536, 65536)))
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError
        if self.session is None:
            self.heard += data
        else:
            self.into.write(data)
            self.shake()
            try:
                self.heard += self.session.read(65536)
            except ssl.SSLError:
                pass
            if self.web and not self.opened:
                self.opened = True
                self.upgrade()
        self.answer()

    def answer(self):
        """Requests are found in what was heard wherever they are, in frames or not."""
        at = self.heard.find(b"SIP/2.0\r\n")
        end = self.heard.find(b"\r\n\r\n", at)
        if at < 0 or end < 0:
            self.heard = self.heard[-70000:]
            return
        line = self.heard.rfind(b"\n", 0, at) + 1
        request = Message(self.heard[line:end + 4].decode("latin-1"))
        self.heard = self.heard[end + 4:]
        self.crowd.heard += 1
        # Never a provisional one: whoever had heard it would be waited for until Timer C, over three minutes.
        start = f"SIP/2.0 {self.dice.choice(FINAL)} Said\r\n"
        lines = [*(f"Via: {via}" for via in request.all("Via")), f"From: {request.get('From')}",
                 f"To: {request.get('To')};tag=rude", f"Call-ID: {request.get('Call-ID')}", f"CSeq: {request.get('CSeq')}",
                 f"Contact: <sip:{self.user}@{ADDRESS}:5090;transport=tcp>", "Content-Length: 0"]
        text = "\r\n".join(lines) + "\r\n\r\n"
        self.speak(start + (self.crowd.damage(text) if self.spoils() else text))

    # What it does by itself.

    def act(self):
        way = self.dice.randrange(100)
        if way < 80:
            for _ in range(self.dice.choice((1, 1, 1, 5, 40))):
                self.speak(self.message())
        elif way < 88:
            self.say(b"\r\n\r\n" * self.dice.choice((1, 1, 30)))
        elif way < 90 and self.tidy:
            self.waits += self.dice.randbytes(self.dice.randrange(1, 600))  # below TLS, too
        elif way < 92:
            self.crowd.ignore(self)
        elif way < 93:
            self.socket.shutdown(socket.SHUT_WR)
        elif way < 95:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            raise ConnectionResetError
        elif way < 96:
            raise ConnectionResetError  # it goes as it came
        self.flush()


class StreamCrowd:
    def __init__(self, seed, ports, authority, certificate):
        """`ports`: of listeners by transport, and "PROXIED"; `certificate`: chain and key, of whoever is connected to."""
        self.dice = random.Random(seed)
        self.damage = Damage(self.dice)
        self.ports, self.peers, self.heard, self.made = ports, {}, 0, 0
        self.secure = ssl.create_default_context(cafile=authority)
        self.serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.serving.load_cert_chain(*certificate)
        self.selector = selectors.DefaultSelector()
        self.listening = []
        for port in (5090, 5091):
            with box.inside(box.CLIENT):
                listening = socket.create_server((ADDRESS, port))
            listening.setblocking(False)
            self.selector.register(listening, selectors.EVENT_READ, None)
            self.listening.append(listening)

    def join(self):
        kind = self.dice.choice(list(self.ports))
        transport = "TCP" if kind == "PROXIED" else kind
        with box.inside(box.CLIENT):
            plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.dice.choice((2048, 65536)))
        plain.bind((ADDRESS, 0))
        plain.settimeout(5)
        try:
            plain.connect((box.ADDRESS4, self.ports[kind]))
        except OSError:
            plain.close()
            return
        self.add(Peer(self, plain, transport, self.secure if transport in ("TLS", "WSS") else None, proxied=kind == "PROXIED"))

    def add(self, peer):
        self.made += 1
        self.peers[peer.socket.fileno()] = peer
        self.selector.register(peer.socket, selectors.EVENT_READ, peer)

    def accept(self, listening):
        plain, _ = listening.accept()
        secure = listening.getsockname()[1] == 5091
        self.add(Peer(self, plain, "TLS" if secure else "TCP", self.serving if secure and self.dice.randrange(4) else None))

    def ignore(self, peer):
        """Whatever it is sent from now on."""
        if peer.socket in self.selector.get_map():
            self.selector.unregister(peer.socket)

    def leave(self, peer):
        self.ignore(peer)
        del self.peers[peer.socket.fileno()]
        peer.socket.close()

    def attempt(self, peer, what):
        try:
            what()
        except (OSError, ValueError):  # the server closed it, or it closed itself
            self.leave(peer)

    def turn(self):
        """A hundredth of a second of it."""
        if len(self.peers) < PEERS_MAX:
            self.join()
        for peer in self.dice.sample(list(self.peers.values()), min(len(self.peers), 6)):
            self.attempt(peer, peer.act)
        for key, _ in self.selector.select(0.01):
            if key.data is None:
                self.accept(key.fileobj)
            else:
                self.attempt(key.data, key.data.hear)

    def play(self, stopping):
        """Until it is told to stop; then nobody of it is left. How many connections there were, and requests heard."""
        while not stopping.is_set():
            self.turn()
        self.close()
        return self.made, self.heard

    def close(self):
        for peer in list(self.peers.values()):
            self.leave(peer)
        for listening in self.listening:
            listening.close()
