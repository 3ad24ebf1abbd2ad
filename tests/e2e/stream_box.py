"""A strowger that listens on every transport, for the cases of a class."""
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

import box
from certificates import Authority
from stream_phone import StreamPhone, context

CTL = os.environ.get("STROWGERCTL") or str(pathlib.Path(os.environ["STROWGER"]).parents[1] / "strowgerctl/strowgerctl")
TLS, WS, WSS, SLOW, PROXIED = 5061, 8080, 8443, 5063, 5064
GATEWAY = "west.example"
CONFIG = box.CONFIG + """
[control]
socket = {folder}/control
[stream]
connections_max = 300
connections_source_max = 200
message_timeout = 3s
handshake_timeout = 5s
connect_timeout = 5s
[tls]
authorities = {folder}/authority.pem
[certificate main]
chain = {folder}/main.pem
key = {folder}/main.key
[certificate other]
chain = {folder}/other.pem
key = {folder}/other.key
[listener tcp]
address = 198.18.0.1:5060
transport = tcp
[listener tcp6]
address = [2001:db8::1]:5060
transport = tcp
[listener tls]
address = 198.18.0.1
transport = tls
client_certificate = asked
[listener ws]
address = 198.18.0.1:8080
transport = ws
[listener wss]
address = 198.18.0.1:8443
transport = wss
[listener proxied]
address = 198.18.0.1:5064
transport = tcp
proxy_protocol = yes
[gateways trunk]
probe_interval = 0
[gateway west]
group = trunk
address = 198.18.0.99;transport=tls
identity = west.example
trusted = yes
[gateways east]
probe_interval = 0
[gateway east]
group = east
address = 198.18.0.2:5071;transport=tls
identity = west.example
[gateways impostor]
probe_interval = 0
[gateway impostor]
group = impostor
address = 198.18.0.2:5072;transport=tls
identity = west.example
[gateways absent]
probe_interval = 0
[gateway absent]
group = absent
address = 198.18.0.2:5073;transport=tcp
[route east]
user = +4930*
action = gateways
gateways = east
[route impostor]
user = +4940*
action = gateways
gateways = impostor
[route absent]
user = +4950*
action = gateways
gateways = absent
[route long]
user = +4960*
action = hop
hop = 198.18.0.2:5074
[route stateless]
user = +4970*
action = hop
hop = 198.18.0.2:5075
mode = stateless
[route from-trunk]
who = trusted
user = trunk*
action = reject
code = 488
"""


class Streamed(unittest.TestCase):
    """Cases that share one strowger, which must end well."""
    config = CONFIG
    workers = 2

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="strowger-stream-")
        cls.authority = Authority(cls.folder.name)
        cls.authority.sign("main", "DNS:example.com", "IP:198.18.0.1")
        cls.authority.sign("other", "DNS:sip.example.net")
        cls.box = box.Box(cls.config.format(folder=cls.folder.name), workers=cls.workers).start()
        cls.await_streams()

    @classmethod
    def tearDownClass(cls):
        # Whoever is still connected, or about to be, holds nothing up and leaves nothing behind.
        left = [StreamPhone("left", port=port) for port in (box.PORT, TLS, WS, PROXIED)]
        left[0].send("OPTIONS")
        status = cls.box.stop()
        for phone in left:
            phone.close()
        cls.folder.cleanup()
        assert status == 0, f"exit status {status}:\n{cls.box.output()}"

    @classmethod
    def await_streams(cls):
        """The kernel has its addresses only after the start."""
        end = time.monotonic() + 20
        while True:
            try:
                StreamPhone("first").close()
                return
            except OSError:
                assert time.monotonic() < end, cls.box.output()
                time.sleep(0.05)

    def secure(self, certificate=None):
        return context(self.authority.file, certificate)

    def tls(self, user, certificate=None, **how):
        return StreamPhone(user, port=TLS, secure=self.secure(certificate), **how)

    def streams(self):
        return self.box.ask("/strowger/streams")

    def ends(self, reason):
        return self.streams()["ends"][reason]

    def await_counter(self, read, count):
        end = time.monotonic() + 10
        while read() < count:
            self.assertLess(time.monotonic(), end, self.streams())
            time.sleep(0.02)

    def await_nobody(self, transport):
        end = time.monotonic() + 10
        while self.streams()[transport]["connections"] > 0:
            self.assertLess(time.monotonic(), end, self.streams())
            time.sleep(0.02)

    def await_end(self, reason, count):
        self.await_counter(lambda: self.ends(reason), count)

    def ctl(self, *words):
        done = subprocess.run([CTL, "--socket", f"{self.folder.name}/control", *words], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr), words)
        return done.stdout
