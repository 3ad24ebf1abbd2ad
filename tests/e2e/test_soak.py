#!/usr/bin/env python3
"""Anything at all, for a while: then nothing may be left of it. tests/e2e/run makes the network.

STROWGER_SOAK_SECONDS asks for more than the usual few, STROWGER_SOAK_SEED for another order, STROWGER_SOAK_RATE for more
or fewer acts a second.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import box
import tap
from crowd import Crowd
from phone import Phone

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = int(os.environ.get("STROWGER_SOAK_SECONDS", "8"))
SEED = int(os.environ.get("STROWGER_SOAK_SEED", "1"))
RATE = int(os.environ.get("STROWGER_SOAK_RATE", "600"))
NAMESERVER = "198.18.0.3:5353"
SILENCE = 90  # seconds at most until every timer of a box with these settings ran out; call_max is the longest

TIMES = box.CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 100ms\nt2 = 400ms\nt4 = 500ms\n") + f"""
[dns]
servers = {NAMESERVER}
timeout = 200ms
tries = 1
ttl_min = 1s
ttl_max = 2s
negative_ttl = 1s
enum_suffix = e164.example
"""
GATEWAYS = "".join(f"[gateway g{port}]\ngroup = trunk\naddress = 198.18.0.2:{port}\npriority = {n // 2}\n"
                   for n, port in enumerate((Crowd.DEAD, *Crowd.GATEWAYS))) + """
[gateway named]
group = trunk
address = partner.example
priority = 3
"""
ROUTES = """
[route numbers]
user = +4930*
action = numbers
[route trunk]
user = +4940*
action = gateways
gateways = trunk
[route enum]
user = +44*
action = enum
[route partner]
user = partner*
set_domain = partner.example
action = domain
[route stateless]
user = stateless
set_domain = partner.example
action = domain
mode = stateless
[route moved]
user = 00*
action = redirect
contact = sip:elsewhere@example.com
""" + "".join(f"[route faulty{n}]\nuser = faulty{n}\nset_domain = {fault}.example\naction = domain\n"
              for n, fault in enumerate(("silent", "servfail", "garbage", "lying", "forged", "truncated", "refused", "absent")))
RECORDS = ["_sip._udp.partner.example SRV/1 10 0 5079 a.partner.example", "_sip._udp.partner.example SRV/1 20 0 5071 b.partner.example",
           "a.partner.example A/1 198.18.0.2", "b.partner.example A/1 198.18.0.2", "phones.example A/1 198.18.0.2",
           "b.partner.example AAAA/1 2001:db8::2",
           "1.4.4.e164.example NAPTR/1 10 10 u E2U+sip '!^\\+44(.*)$!sip:u\\1@example.com!' .", "9.4.4.e164.example ! garbage",
           *(f"{fault}.example ! {fault}" for fault in ("silent", "servfail", "garbage", "lying", "forged", "truncated", "refused")),
           "lying.example A/1 198.18.0.2", "forged.example A/1 198.18.0.2", "truncated.example A/1 198.18.0.2"]
# What a reload may change, one after the other; None: what it must refuse.
CHANGES = (("recursion = no", "recursion = yes"), ("fork = by_q", "fork = parallel"), None, ("algorithm = priority", "algorithm = weighted"),
           ("user = +4940*", "user = +49*"), ("fork = by_q", "fork = serial"), ("[gateway named]", "[gateway other]"),
           ("nat = flow", "nat = repair"), None, ("networks = 198.18.0.2", "networks ="))


def configuration(folder):
    return TIMES + f"""
[proxy]
ring_timeout = 1s
recursion = no
fork = by_q
nat = flow
[trust]
networks = 198.18.0.2
[cdr]
file = {folder}/cdr.json
calls_max = 20000
call_max = 60s
[numbers]
file = {folder}/numbers.csv
[gateways trunk]
algorithm = priority
answer_timeout = 300ms
probe_interval = 1s
probe_down = 3
probe_up = 1
ease_in = 1s
{GATEWAYS}{ROUTES}"""


class Soaked(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="strowger-soak-")
        self.addCleanup(self.folder.cleanup)
        self.write_numbers(0)
        self.nameserver = subprocess.Popen(["ip", "netns", "exec", box.CLIENT, "python3", f"{HERE}/nameserver.py", "--listen",
                                            NAMESERVER, *RECORDS], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(self.nameserver.wait)
        self.addCleanup(self.nameserver.terminate)
        self.reloads = 0

    def write_numbers(self, version):
        with open(f"{self.folder.name}/numbers.csv", "w", encoding="utf-8") as file:
            file.writelines(f"+4930{prefix},trunk\n" for prefix in range(10 + version, 99))

    def reload(self):
        """The next change, or something that must be refused."""
        change = CHANGES[self.reloads % len(CHANGES)]
        self.reloads += 1
        self.write_numbers(self.reloads % 7)
        config = self.config.replace(*change) if change else self.config + "[route x]\nuser = /(/\n"
        with open(self.box.config, "w", encoding="utf-8") as file:
            file.write(config)
        self.box.process.send_signal(signal.SIGHUP)

    def total(self, command, key):
        return sum(row[key] for row in self.box.ask(command).values() if isinstance(row, dict))

    def await_zero(self, what, of, seconds=SILENCE):
        end = time.monotonic() + seconds
        while (left := of()) > 0:
            self.assertLess(time.monotonic(), end, f"{left} {what} left: {self.box.ask('/strowger/transactions')}")
            time.sleep(0.2)

    def soak(self, workers):
        self.config = configuration(self.folder.name)
        self.box = box.Box(config=self.config, workers=workers)
        self.addCleanup(self.box.log.close)
        self.box.start()
        crowd = Crowd(SEED + workers)
        self.addCleanup(crowd.close)
        try:
            self.play(crowd)
            self.settled()
            self.serves()
        finally:
            status = self.box.stop()
        self.assertEqual(0, status, self.box.output()[-20000:])
        self.assertIn("refused", self.box.output())
        self.assertIn("reloaded", self.box.output())
        with open(f"{self.folder.name}/cdr.json", encoding="utf-8") as file:
            self.assertGreater(len([json.loads(line) for line in file]), SECONDS)

    def play(self, crowd):
        changed = time.monotonic() + 1

        def between():
            nonlocal changed
            if self.box.process.poll() is not None:
                raise AssertionError(f"exit status {self.box.process.poll()}:\n{self.box.output()[-20000:]}")
            if time.monotonic() > changed:
                self.reload()
                changed += 1.3

        crowd.play(SECONDS, RATE, between)
        crowd.settle()
        print(f"# sent {crowd.sent}, received {crowd.received}, reloads {self.reloads}", file=sys.stderr)
        drops = {name: count for name, count in self.box.ask("/strowger/drops").items() if count}
        print(f"# drops {drops}", file=sys.stderr)
        self.assertGreater(crowd.received, crowd.sent // 4)  # it is served, not only thrown away
        for drop in ("response_forged", "response_unknown", "retransmission", "ack_absorbed"):
            self.assertIn(drop, drops)

    def settled(self):
        self.await_zero("records", lambda: self.total("/strowger/transactions", "records"))
        self.await_zero("branches", lambda: self.total("/strowger/transactions", "branches"))
        self.await_zero("kept", lambda: self.total("/strowger/transactions", "kept"))
        self.await_zero("parked", lambda: self.box.ask("/strowger/names")["parked"])
        self.await_zero("calls", lambda: self.total("/strowger/calls", "calls"))
        for gateway, row in self.box.ask("/strowger/gateways").items():
            if isinstance(row, dict):
                self.assertEqual(0, row["calls"], gateway)

    def serves(self):
        with Phone("alice") as alice:
            self.assertEqual(200, alice.ask("OPTIONS", f"sip:{box.ADDRESS4}").status)

    def test_one_worker(self):
        self.soak(1)

    def test_two_workers(self):
        self.soak(2)


if __name__ == "__main__":
    tap.main()
