#!/usr/bin/env python3
"""TCP, TLS and WebSocket as phones, gateways and an operator see them. tests/e2e/run makes the network."""
import json
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
from stream_box import CONFIG, GATEWAY, PROXIED, TLS, WS, WSS, Streamed
from stream_phone import StreamPhone, WebPhone


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

    def test_a_body_is_never_read_as_a_message(self):
        """Without Content-Length, which UDP and WebSocket need not have (RFC 3261 16.6 step 10, 18.3)."""
        body = "OPTIONS sip:smuggled@example.com SIP/2.0\r\nl: 0\r\n\r\n"
        for kinds in (("udp", "tcp"), ("ws", "tls"), ("tcp", "ws")):
            caller, callee = self.phones(kinds)
            with self.subTest(kinds), caller, callee:
                self.assertEqual(200, callee.register().status)
                lacks = {phone: phone.transport in ("UDP", "WS") for phone in (caller, callee)}
                text = caller.request("MESSAGE", f"sip:{callee.user}@example.com", body=body)
                caller.send(text.replace("Content-Length", "X-Length") if lacks[caller] else text)
                message = callee.receive()
                self.assertEqual(body, message.body)
                answer = callee.response(message, 200, "OK", body=body)
                callee.send(answer.replace("Content-Length", "X-Length") if lacks[callee] else answer)
                self.assertEqual(body, caller.receive().body)

    def test_an_answer_finds_its_connection_where_nobody_remembers_the_request(self):
        with Phone("callee", port=5075) as callee:
            for kind in ("tcp", "tls", "ws", "wss"):
                caller, unused = self.phones((kind, "udp"))
                with self.subTest(kind), caller, unused:
                    caller.send(caller.request("OPTIONS", "sip:+4970@example.com"))
                    callee.answer(callee.receive(), 200, "OK")  # RFC 3261 16.11, 18.2.2
                    self.assertEqual(200, caller.receive().status)

    def test_a_call_to_a_connection_that_has_gone_is_told_at_once(self):
        with StreamPhone("gone") as phone:
            self.assertEqual(200, phone.register().status)
        # What is sent before the server has heard of it is lost; phones of other cases may still be leaving, too.
        self.await_nobody("tcp")
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
