#!/usr/bin/env python3
"""What no peer should say over a stream. tests/e2e/run makes the network."""
import time

import box
import tap
from stream_box import PROXIED, TLS, WS, WSS, Streamed
from stream_phone import StreamPhone


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


if __name__ == "__main__":
    tap.main()
