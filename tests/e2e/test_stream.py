#!/usr/bin/env python3
"""TCP, TLS and WebSocket as phones, gateways and an operator see them. tests/e2e/run makes the network."""
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import unittest

import box
import tap
from certificates import Authority
from phone import COUNT, Phone, uri_of
from stream_phone import StreamPhone, WebPhone, context

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

    def await_end(self, reason, count):
        self.await_counter(lambda: self.ends(reason), count)

    def ctl(self, *words):
        done = subprocess.run([CTL, "--socket", f"{self.folder.name}/control", *words], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr), words)
        return done.stdout


class Registering(Streamed):
    def phones(self):
        yield "tcp", lambda user: StreamPhone(user)
        yield "tcp6", lambda user: StreamPhone(user, address="2001:db8::2")
        yield "tls", self.tls
        yield "ws", lambda user: WebPhone(user, f"ws://198.18.0.1:{WS}")
        yield "wss", lambda user: WebPhone(user, f"wss://198.18.0.1:{WSS}", self.authority.file)

    def test_phones_register_over_every_transport(self):
        for name, make in self.phones():
            with self.subTest(name), make("r" + name) as phone:
                self.assertEqual(200, phone.register().status)
                ok = phone.ask("OPTIONS", f"sip:{box.ADDRESS4}")
                self.assertEqual(200, ok.status)
                self.assertIn(f"SIP/2.0/{phone.transport} ", ok.get("Via"))
                rows = json.loads(self.ctl("--json", "show", "registrations", f"r{name}@example.com"))
                self.assertEqual([uri_of(phone.contact)], [row["contact"] for row in rows])

    def test_messages_come_in_pieces_and_several_at_once(self):
        with StreamPhone("pieces") as phone:
            text = phone.request("OPTIONS", f"sip:{box.ADDRESS4}", body="x" * 700)
            for at in range(0, len(text), 61):
                phone.send(text[at:at + 61])
                time.sleep(0.002)
            self.assertEqual(200, phone.receive().status)
            phone.send("".join(phone.request("OPTIONS", f"sip:{box.ADDRESS4}", cseq=n) for n in range(1, 21)))
            self.assertEqual(list(range(1, 21)), sorted(int(phone.receive().get("CSeq").split()[0]) for _ in range(20)))

    def test_pings_are_answered(self):
        before = self.streams()["pings"]
        with self.tls("pinging") as phone:
            phone.send("\r\n\r\n")
            phone.socket.settimeout(10)
            self.assertEqual(b"\r\n", phone.socket.recv(100))
            self.assertEqual(200, phone.register().status)
        self.assertEqual(before + 1, self.streams()["pings"])

    def test_the_certificate_is_the_one_that_is_asked_for(self):
        for name in ("example.com", "sip.example.net"):
            with self.tls("named", name=name) as phone:
                names = {value for _, value in phone.socket.getpeercert()["subjectAltName"]}
                self.assertIn(name, names)

    def test_sessions_are_resumed(self):
        secure = self.secure()
        secure.maximum_version = ssl.TLSVersion.TLSv1_2
        before = self.streams()["resumed"]
        with StreamPhone("once", port=TLS, secure=secure) as phone:
            self.assertEqual(200, phone.register().status)
            session = phone.socket.session
        with box.inside(box.CLIENT):
            plain = socket.create_connection((box.ADDRESS4, TLS), 10)
        with secure.wrap_socket(plain, server_hostname="example.com", session=session) as again:
            self.assertTrue(again.session_reused)
        self.await_counter(lambda: self.streams()["resumed"], before + 1)

    def test_openssl_registers(self):
        with Phone("openssl") as phone:  # for its words
            phone.transport = "TLS"
            text = phone.request("REGISTER", "sip:example.com", "sip:openssl@example.com",
                                 lines=["Contact: <sip:openssl@198.18.0.2:5061;transport=tls>"])
        client = subprocess.Popen(["ip", "netns", "exec", box.CLIENT, "openssl", "s_client", "-quiet", "-connect",
                                   f"{box.ADDRESS4}:{TLS}", "-servername", "example.com", "-verify_return_error",
                                   "-CAfile", self.authority.file, "-tls1_3"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        client.stdin.write(text.encode())
        client.stdin.flush()
        self.assertEqual(b"SIP/2.0 200 OK\r\n", client.stdout.readline())
        client.kill()
        client.communicate()

    def test_an_operator_sees_connections(self):
        with self.tls("seen") as phone:
            self.assertEqual(200, phone.register().status)
            rows = json.loads(self.ctl("--json", "show", "connections"))
            row, = (row for row in rows if row["peer"] == f"198.18.0.2:{phone.port}")
            self.assertEqual(("tls", "tls", "in", "open", 1, 1), tuple(row[key] for key in (
                "transport", "listener", "direction", "state", "received", "sent")))
            lines = self.ctl("show", "connections").splitlines()
            self.assertEqual(["peer", "over", "listener", "made"], lines[0].split()[:4])
            self.assertTrue(any(f"198.18.0.2:{phone.port} " in line for line in lines[1:]))
            self.assertRegex(self.ctl("show", "status"), r"connections +[1-9][0-9]* of 300")
            self.assertGreater(self.streams()["tls"]["connections"], 0)

    def test_more_than_a_page_of_connections_is_shown_whole(self):
        phones = [StreamPhone(f"many{n}") for n in range(120)]
        try:
            for phone in phones:
                self.assertEqual(200, phone.ask("OPTIONS", f"sip:{box.ADDRESS4}").status)
            peers = {row["peer"] for row in json.loads(self.ctl("--json", "show", "connections"))}
            self.assertLessEqual({f"198.18.0.2:{phone.port}" for phone in phones}, peers)
        finally:
            for phone in phones:
                phone.close()

    def test_a_balancer_says_from_where_a_connection_is(self):
        header = b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH4s4sHH", 0x21, 0x11, 12, socket.inet_aton("203.0.113.7"),
                                                       socket.inet_aton(box.ADDRESS4), 4321, PROXIED)
        with StreamPhone("balanced", port=PROXIED, first=header) as phone:
            ok = phone.ask("OPTIONS", f"sip:{box.ADDRESS4}")
            self.assertEqual(200, ok.status)
            self.assertIn("received=203.0.113.7", ok.get("Via"))
        before = self.ends("proxy_header")
        with StreamPhone("direct", port=PROXIED) as phone:
            phone.send(phone.request("OPTIONS", f"sip:{box.ADDRESS4}"))
            self.assertTrue(phone.closed())
        self.await_end("proxy_header", before + 1)


class Trusted(Streamed):
    """Who proves by certificate to be a gateway is believed as one (RFC 5922)."""

    def status_of(self, certificate):
        with self.tls("trunk", certificate) as phone:
            return phone.ask("OPTIONS", "sip:trunk1@example.com").status

    def test_a_gateway_is_known_by_its_certificate(self):
        west = self.authority.sign("west", f"DNS:{GATEWAY}")
        other = self.authority.sign("east", "DNS:east.example")
        self.assertEqual(488, self.status_of(west))
        self.assertNotEqual(488, self.status_of(other))
        self.assertNotEqual(488, self.status_of(None))
        with self.tls("trunk", west) as phone:
            self.assertEqual(488, phone.ask("OPTIONS", "sip:trunk1@example.com").status)
            rows = json.loads(self.ctl("--json", "show", "connections"))
            row, = (row for row in rows if row["peer"] == f"198.18.0.2:{phone.port}")
            self.assertEqual(GATEWAY, row["name"])

    def test_certificates_that_are_no_good_end_the_handshake(self):
        stranger = Authority(self.folder.name, "stranger").sign("impostor", f"DNS:{GATEWAY}")
        expired = self.authority.sign("expired", f"DNS:{GATEWAY}", days=-1)
        for certificate in (stranger, expired):
            before = self.ends("certificate")
            with self.assertRaises((ssl.SSLError, ConnectionError)):  # TLS 1.3 says so with the first answer
                with self.tls("trunk", certificate) as phone:
                    phone.ask("OPTIONS", "sip:trunk1@example.com")
            self.await_end("certificate", before + 1)


class Starting(unittest.TestCase):
    """Certificates that are no good are told by file, and nothing starts."""

    def test_bad_certificates_end_the_start_with_clear_lines(self):
        with tempfile.TemporaryDirectory(prefix="strowger-stream-") as folder:
            authority = Authority(folder)
            for name in ("main", "other"):
                authority.sign(name, "DNS:example.com")
            authority.sign("expired", "DNS:example.com", days=-1)
            for file, instead in (("main.pem", None), ("main.pem", "expired.pem"), ("main.key", "other.key"),
                                  ("main.key", "main.csr"), ("authority.pem", None), ("authority.pem", "main.key")):
                with self.subTest(file, instead=instead):
                    path = pathlib.Path(folder, file)
                    good = path.read_text(encoding="utf-8")
                    path.unlink()
                    if instead is not None:
                        path.write_text(pathlib.Path(folder, instead).read_text(encoding="utf-8"), encoding="utf-8")
                    status, said = box.Box(CONFIG.format(folder=folder)).fails_to_start()
                    path.write_text(good, encoding="utf-8")
                    self.assertEqual(2, status, said)
                    self.assertIn(str(path), said)


class Renewed(Streamed):
    def serial(self):
        with self.tls("serial") as phone:
            return phone.socket.getpeercert()["serialNumber"]

    def test_a_certificate_is_renewed_under_an_open_connection(self):
        with self.tls("stays") as phone:
            self.assertEqual(200, phone.register().status)
            before = self.serial()
            self.authority.sign("main", "DNS:example.com", "IP:198.18.0.1")
            self.box.process.send_signal(signal.SIGHUP)
            self.box.wait_for_count("reloaded", 1)
            self.assertNotEqual(before, self.serial())
            self.assertEqual(200, phone.register().status)

            # One that does not fit its key is refused, with its file, and nothing changes.
            fits = self.serial()
            path = pathlib.Path(self.folder.name, "main.key")
            good = path.read_text(encoding="utf-8")
            path.write_text(pathlib.Path(self.folder.name, "other.key").read_text(encoding="utf-8"), encoding="utf-8")
            self.box.process.send_signal(signal.SIGHUP)
            self.box.wait_for_count("refused", 1)
            path.write_text(good, encoding="utf-8")
            self.assertIn("main.key", self.box.output())
            self.assertEqual(fits, self.serial())
            self.assertEqual(200, phone.register().status)


class Hostile(Streamed):
    """What is no use is closed and counted; others do not notice."""

    def setUp(self):
        self.bystander = StreamPhone("bystander")
        self.assertEqual(200, self.bystander.register().status)

    def tearDown(self):
        self.assertEqual(200, self.bystander.ask("OPTIONS", f"sip:{box.ADDRESS4}").status)
        self.bystander.close()

    def ended(self, reason, phone, sent):
        before = self.ends(reason)
        with phone:
            phone.send(sent)
            self.assertTrue(phone.closed(), reason)
        self.await_end(reason, before + 1)

    def test_what_is_no_message_ends_its_connection(self):
        options = f"OPTIONS sip:{box.ADDRESS4} SIP/2.0\r\nVia: SIP/2.0/TCP 198.18.0.2;branch=z9hG4bKx\r\n"
        cases = (("no_sip", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                 ("no_sip", b"\xff\xfe\0\1" * 64 + b"\r\n\r\n"),
                 ("no_length", options + "\r\n"),
                 ("no_length", options + "Content-Length: -1\r\n\r\n"),
                 ("no_length", options + "Content-Length: 1\r\nl: 2\r\n\r\nxx"),
                 ("too_large", options + "Content-Length: 99999999\r\n\r\n"),
                 ("too_large", options + "X: " + "x" * 60000),
                 ("message_slow", options + "Content-Length: 10\r\n\r\nhalf"),
                 ("message_slow", options))
        for reason, sent in cases:
            with self.subTest(reason, sent=sent[-30:]):
                self.ended(reason, StreamPhone("rude"), sent)

    def test_dribbling_does_not_keep_a_message_open(self):
        before = self.ends("message_slow")
        with StreamPhone("slow") as phone:
            phone.send("OPTIONS")
            end = time.monotonic() + 10
            try:
                while time.monotonic() < end and self.ends("message_slow") == before:
                    phone.send("x")
                    time.sleep(0.1)
            except ConnectionError:
                pass
        self.await_end("message_slow", before + 1)

    def test_who_says_nothing_at_the_handshake_is_closed(self):
        before = self.ends("handshake_slow")
        quiet = [StreamPhone("quiet", port=port) for port in (TLS, WS, WSS, PROXIED)]
        for phone in quiet:
            self.assertTrue(phone.closed())
            phone.close()
        self.await_end("handshake_slow", before + len(quiet))

    def test_what_is_no_tls_ends_the_handshake(self):
        self.ended("handshake", StreamPhone("plain", port=TLS), "REGISTER sip:example.com SIP/2.0\r\n\r\n")

    def upgraded(self, port=WS, protocol="sip"):
        phone = StreamPhone("frames", port=port)
        phone.send(f"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                   f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n")
        return phone

    def test_frames_without_a_mask_end_their_connection(self):
        phone = self.upgraded()
        phone.socket.settimeout(10)
        answer = phone.socket.recv(4096)
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer)  # RFC 6455 1.3
        self.ended("frame", phone, b"\x81\x05hello")

    def test_an_upgrade_to_something_else_is_refused(self):
        before = self.ends("upgrade")
        for phone in (self.upgraded(protocol="chat"), StreamPhone("http", port=WS)):
            with phone:
                if phone.user == "http":
                    phone.send("GET /index.html HTTP/1.1\r\nHost: example.com\r\n\r\n")
                self.assertTrue(phone.closed())
        self.await_end("upgrade", before + 2)

    def test_one_address_has_its_bound(self):
        before = self.ends("crowded_source")
        phones = [StreamPhone("crowd") for _ in range(205)]
        self.await_end("crowded_source", before + 1)
        for phone in phones:
            phone.close()
        end = time.monotonic() + 10  # until the server heard of it
        while self.streams()["tcp"]["connections"] > 1:
            self.assertLess(time.monotonic(), end, self.streams())
            time.sleep(0.02)


class Calling(Streamed):
    """From one transport to another and back again."""

    def phones(self, kinds):
        make = {"udp": Phone, "tcp": StreamPhone, "tls": self.tls, "ws": lambda user: WebPhone(user, f"ws://198.18.0.1:{WS}"),
                "wss": lambda user: WebPhone(user, f"wss://198.18.0.1:{WSS}", self.authority.file)}
        number = next(COUNT)
        return [make[kind](f"{user}{number}") for kind, user in zip(kinds, ("caller", "callee"))]

    def within(self, phone, routes, target, method, call, tags, cseq):
        """A request inside the dialog (RFC 3261 12.2.1.1)."""
        here, there, peer = tags
        phone.send(phone.request(method, target, to=peer, lines=[f"Route: {route}" for route in routes], call_id=call,
                                 cseq=cseq, from_tag=here, to_tag=there))

    def call(self, caller, callee, ended_by_callee):
        """INVITE, 180, 200, ACK, BYE, as both see it. What the callee got, and what the caller did."""
        self.assertEqual(200, callee.register().status)
        caller.send(caller.request("INVITE", f"sip:{callee.user}@example.com", lines=[f"Contact: {caller.contact}"],
                                   from_tag="one"))
        invite = callee.receive(10)
        self.assertTrue(invite.start.startswith("INVITE "), invite.start)
        callee.answer(invite, 180, "Ringing", tag="two")
        self.assertEqual(180, caller.receive(10).status)
        callee.answer(invite, 200, "OK", tag="two")
        ok = caller.receive(10)
        self.assertEqual(200, ok.status)
        call = ok.get("Call-ID")
        forward, backward = ("one", "two", f"sip:{callee.user}@example.com"), ("two", "one", f"sip:{caller.user}@example.com")
        forth, back = list(reversed(ok.all("Record-Route"))), invite.all("Record-Route")
        self.within(caller, forth, uri_of(ok.get("Contact")), "ACK", call, forward, 1)
        self.assertTrue(callee.receive(10).start.startswith("ACK "))
        if ended_by_callee:
            self.within(callee, back, uri_of(invite.get("Contact")), "BYE", call, backward, 1)
        else:
            self.within(caller, forth, uri_of(ok.get("Contact")), "BYE", call, forward, 2)
        hears, says = (caller, callee) if ended_by_callee else (callee, caller)
        bye = hears.receive(10)
        self.assertTrue(bye.start.startswith("BYE "), bye.start)
        hears.answer(bye, 200, "OK", tag="one" if ended_by_callee else "two")
        self.assertEqual(200, says.receive(10).status)
        return invite, ok

    def test_calls_cross_transports_both_ways(self):
        kinds = ("udp", "tcp", "tls", "ws", "wss")
        pairs = [(a, b) for a in kinds for b in kinds if (a == "udp") != (b == "udp")]
        for kinds in pairs + [("tls", "tls"), ("ws", "tcp")]:
            for ended_by_callee in (False, True):
                with self.subTest(kinds, ended_by_callee=ended_by_callee):
                    caller, callee = self.phones(kinds)
                    with caller, callee:
                        invite, _ = self.call(caller, callee, ended_by_callee)
                    self.assertIn(f"SIP/2.0/{callee.transport} ", invite.all("Via")[0])
                    self.assertIn(f"SIP/2.0/{caller.transport} ", invite.all("Via")[1])
                    self.assertEqual(2, len(invite.all("Record-Route")), invite.text)  # one for each side (RFC 5658)

    def test_a_call_to_a_connection_that_has_gone_is_told_at_once(self):
        with StreamPhone("gone") as phone:
            self.assertEqual(200, phone.register().status)
        with Phone("caller") as caller:
            began = time.monotonic()
            caller.send(caller.request("OPTIONS", "sip:gone@example.com"))
            self.assertEqual(480, caller.receive(20).status)
            self.assertLess(time.monotonic() - began, 20)  # timer F is 32 seconds


class Connecting(Streamed):
    """What this server connects to: gateways, and whatever a long request is for."""

    def serve(self, port, certificate=None):
        """A listening socket in the clients' namespace, where one connection is taken."""
        with box.inside(box.CLIENT):
            listening = socket.create_server(("198.18.0.2", port))
        listening.settimeout(10)
        self.addCleanup(listening.close)
        if certificate is not None:
            secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            secure.load_cert_chain(*certificate)
            listening = secure.wrap_socket(listening, server_side=True)
        return listening

    def taken(self, listening):
        """The phone at the other end of the connection that comes."""
        phone = StreamPhone.__new__(StreamPhone)
        phone.socket, _ = listening.accept()
        phone.user, phone.domain, phone.heard, phone.transport = "gateway", "west.example", b"", "TLS"
        phone.contact = "<sip:gateway@198.18.0.2:5071;transport=tls>"
        return phone

    def test_a_gateway_is_connected_to_and_must_prove_its_name(self):
        listening = self.serve(5071, self.authority.sign("gateway", f"DNS:{GATEWAY}"))
        with Phone("caller") as caller:
            caller.send(caller.request("OPTIONS", "sip:+4930@example.com"))
            with self.taken(listening) as gateway:
                for _ in range(2):  # the second by the same connection
                    request = gateway.receive(10)
                    self.assertTrue(request.start.startswith("OPTIONS sip:+4930@example.com"), request.start)
                    self.assertIn("SIP/2.0/TLS 198.18.0.1:5061", request.get("Via"))
                    gateway.answer(request, 200, "OK")
                    self.assertEqual(200, caller.receive(10).status)
                    caller.send(caller.request("OPTIONS", "sip:+4930@example.com"))
                gateway.answer(gateway.receive(10), 200, "OK")
                self.assertEqual(200, caller.receive(10).status)

    def test_a_gateway_of_another_name_gets_nothing(self):
        before = self.ends("certificate")
        listening = self.serve(5072, self.authority.sign("impostor", "DNS:east.example"))
        with Phone("caller") as caller:
            caller.send(caller.request("OPTIONS", "sip:+4940@example.com"))
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with self.taken(listening) as gateway:
                    gateway.receive(10)
            self.assertEqual(500, caller.receive(10).status)  # RFC 3261 16.7 step 6: not 503
        self.await_end("certificate", before + 1)

    def test_a_gateway_that_is_not_there_is_told_at_once(self):
        before = self.ends("refused")
        with Phone("caller") as caller:
            self.assertEqual(500, caller.ask("OPTIONS", "sip:+4950@example.com").status)
        self.await_end("refused", before + 1)

    def test_a_long_request_goes_by_tcp_and_else_by_udp(self):
        body = "x" * 1400
        with Phone("callee", port=5074) as callee, Phone("caller") as caller:
            self.assertEqual(200, callee.register(contact="<sip:callee@198.18.0.2:5074>").status)
            caller.send(caller.request("OPTIONS", "sip:+4960@example.com", body=body))
            request = callee.receive(10)  # nobody takes TCP there: RFC 3261 18.1.1
            self.assertIn("SIP/2.0/UDP ", request.get("Via"))
            callee.answer(request, 200, "OK")
            self.assertEqual(200, caller.receive(10).status)
            listening = self.serve(5074)
            caller.send(caller.request("OPTIONS", "sip:+4960@example.com", body=body))
            with self.taken(listening) as phone:
                request = phone.receive(10)
                self.assertEqual(body, request.body)
                self.assertIn("SIP/2.0/TCP ", request.get("Via"))
                phone.answer(request, 200, "OK")
            self.assertEqual(200, caller.receive(10).status)


if __name__ == "__main__":
    tap.main()
