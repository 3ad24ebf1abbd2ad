#!/usr/bin/env python3
"""Names and numbers that the server must ask the DNS for, through its own twin. tests/e2e/run makes the network."""
import os
import subprocess
import time
import unittest

import box
import tap
from phone import Phone

HERE = os.path.dirname(os.path.abspath(__file__))
NAMESERVER = "198.18.0.3:5353"
GATEWAY = 5071
FLOOD = 600
CONFIG = box.CONFIG + f"""
[dns]
servers = {NAMESERVER}
timeout = 200ms
tries = 1
ttl_min = 1s
negative_ttl = 1s
enum_suffix = e164.example
[gateways carrier]
probe_interval = 0
[gateway named]
group = carrier
address = gateway.example.net
[route number]
user = +44*
action = enum
[route trunk]
user = 00*
action = gateways
gateways = carrier
[route partner]
user = partner*
set_domain = partner.example
action = domain
[route silent]
user = silent*
set_domain = silent.example
action = domain
"""


def enum(number, rdata):
    return f"{'.'.join(reversed(number))}.e164.example NAPTR {rdata}"


RECORDS = ["_sip._udp.gateway.example.net SRV/1 0 0 5071 host.gateway.example.net",
           "host.gateway.example.net A/1 198.18.0.2",
           enum("441", "10 10 u E2U+sip '!^\\+44(.*)$!sip:desk\\1@example.com!' ."),
           "partner.example NAPTR 10 10 s SIP+D2U '' _sip._udp.elsewhere.example",
           "_sip._udp.elsewhere.example SRV 0 0 5071 a.elsewhere.example",
           "a.elsewhere.example CNAME host.gateway.example.net",
           "silent.example ! silent", enum("449", "! silent").replace("NAPTR ", "")]


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nameserver = subprocess.Popen(["ip", "netns", "exec", box.CLIENT, "python3", f"{HERE}/nameserver.py",
                                           "--listen", NAMESERVER, *RECORDS],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        cls.box = box.Box(config=CONFIG).start()
        cls.await_names(lambda names: names["found"] > 0)  # of the gateway: nobody else has asked for anything

    @classmethod
    def tearDownClass(cls):
        status = cls.box.stop()
        cls.nameserver.terminate()
        cls.nameserver.wait()
        assert status == 0, f"exit status {status}:\n{cls.box.output()}"

    @classmethod
    def await_names(cls, wanted, seconds=20):
        deadline = time.monotonic() + seconds
        while not wanted(names := cls.box.ask("/strowger/names")):
            assert time.monotonic() < deadline, names
            time.sleep(0.02)

    def answered(self, user, domain="example.com"):
        with Phone("alice") as alice:
            return alice.ask("OPTIONS", f"sip:{user}@{domain}").status

    def delivered(self, user, to="alice", port=GATEWAY):
        """What the phone at `port` gets of a request for `user`, and that its answer comes back."""
        with Phone(to, port=port) as callee, Phone("alice") as alice:
            alice.send(alice.request("OPTIONS", f"sip:{user}@example.com"))
            request = callee.receive()
            callee.answer(request, 200, "OK")
            self.assertEqual(200, alice.receive().status)
            return request

    def test_a_named_gateway_is_known_before_anybody_calls(self):
        parked = self.box.ask("/strowger/names")["parked_total"]
        self.delivered("0049301234")
        time.sleep(2.5)  # longer than its time to live: it was renewed
        self.delivered("0049301234")
        self.assertEqual(parked, self.box.ask("/strowger/names")["parked_total"])

    def test_a_message_waits_for_naptr_and_srv_and_goes_on(self):
        before = self.box.ask("/strowger/names")["parked_total"]
        request = self.delivered("partner1")
        self.assertTrue(request.start.startswith("OPTIONS sip:partner1@partner.example"), request.start)
        self.assertGreater(self.box.ask("/strowger/names")["parked_total"], before)

    def test_a_number_becomes_what_enum_says(self):
        with Phone("desk1", port=5075) as desk:
            self.assertEqual(200, desk.register().status)
            with Phone("alice") as alice:
                alice.send(alice.request("OPTIONS", "sip:+441@example.com"))
                request = desk.receive()
                desk.answer(request, 200, "OK")
                self.assertEqual(200, alice.receive().status)

    def test_a_number_that_nobody_has_is_not_found(self):
        self.assertEqual(404, self.answered("+445"))

    def test_servers_that_do_not_answer_are_no_404(self):
        for user in ("silent1", "+449"):
            self.assertEqual(503, self.answered(user), user)

    def test_a_flood_for_one_silent_name_ends_and_others_go_on(self):
        time.sleep(1.2)  # until a negative answer is over
        before = self.box.ask("/strowger/names")
        with Phone("alice") as alice:
            for _ in range(FLOOD):
                alice.send(alice.request("OPTIONS", "sip:silent2@example.com"))
        self.await_names(lambda names: names["parked_total"] > before["parked_total"])
        self.await_names(lambda names: names["parked"] == 0)
        self.assertLessEqual(self.box.ask("/strowger/names")["parked_high"], 256)  # a quarter of parked_max
        self.delivered("0049301234")


if __name__ == "__main__":
    tap.main()
