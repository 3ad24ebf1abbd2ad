#!/usr/bin/env python3
"""The stateful proxy as callers, phones, gateways and an operator meet it. tests/e2e/run makes the network."""
import contextlib
import os
import signal
import subprocess
import tempfile
import time
import unittest

import box
import tap
from box import inside, run_in
from phone import Phone, uri_of
from sipp import Caller, answering, play

CALLEE = 5070
GATEWAYS = (5071, 5072, 5073)
DEAD = 5079  # nobody is bound to it
NAMESERVER = "198.18.0.3:5353"

PROXY = box.CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 200ms\nt2 = 1s\n") + """
[proxy]
ring_timeout = 1s
"""

ROUTES = f"""
[dns]
servers = {NAMESERVER}
negative_ttl = 1s
ttl_min = 1s
[gateways trunk]
algorithm = priority
answer_timeout = 400ms
probe_interval = 0
probe_down = 3
[gateway first]
group = trunk
address = 198.18.0.2:{DEAD}
[gateway second]
group = trunk
address = 198.18.0.2:{GATEWAYS[0]}
priority = 1
[gateway third]
group = trunk
address = 198.18.0.2:{GATEWAYS[1]}
priority = 2
[gateways probed]
probe_interval = 1s
probe_down = 2
probe_up = 1
[gateway pulse]
group = probed
address = 198.18.0.2:{GATEWAYS[2]}
[route trunk]
user = +49*
action = gateways
gateways = trunk
[route named]
user = srv*
set_domain = partner.example
action = domain
[route shut]
user = /^0900/
action = reject
code = 603
reason = No Premium Numbers
"""


def registered(user, *ports):
    """Bindings of a user at SIPps of this host."""
    with Phone(user) as phone:
        for port in ports:
            answer = phone.register(expires=600, contact=f"<sip:{user}@198.18.0.2:{port}>", call_id=f"{user}{port}")
            assert answer.status == 200, answer.text


class Proxied(unittest.TestCase):
    """Cases that share one strowger; at its end it must be whole and leave nothing behind."""
    config = PROXY

    @classmethod
    def setUpClass(cls):
        cls.box = box.Box(config=cls.config).start()
        registered("bob", CALLEE)

    @classmethod
    def tearDownClass(cls):
        status = cls.box.stop()
        assert status == 0, f"exit status {status}:\n{cls.box.output()}"


    def gateway(self, name):
        rows = self.box.ask(f"/strowger/gateways,{name}")
        return next(iter(rows.values()))


class Calls(Proxied):
    def test_call(self):
        with answering("callee.xml", CALLEE):
            play("call.xml", 5081, calls=100)

    def test_cancel_after_it_rang(self):
        with answering("ringing.xml", CALLEE, "-d", 1):
            play("cancel_ringing.xml", 5081, calls=50)

    def test_cancel_before_it_rang_goes_on_when_it_does(self):
        with answering("ringing.xml", CALLEE, "-d", 600):
            play("cancel_early.xml", 5081, calls=50)

    def test_busy(self):
        with answering("busy.xml", CALLEE):
            play("refused.xml", 5081, calls=50)

    def test_nobody_answers_408(self):
        with Phone("silent") as silent:
            silent.register()
            play("unanswered.xml", 5081, calls=5, user="silent")

    def test_no_socket_is_known_from_icmp_at_once(self):
        registered("gone", DEAD)
        with Phone("alice") as alice:
            began = time.monotonic()
            alice.send(alice.request("INVITE", "sip:gone@example.com", lines=[f"Contact: {alice.contact}"]))
            self.assertEqual(100, alice.receive(trying=True).status)
            self.assertIn(alice.receive(5).status, (500, 503, 408))
            self.assertLess(time.monotonic() - began, 2)

    def test_transactions_end(self):
        with answering("callee.xml", CALLEE):
            play("call.xml", 5081, calls=20)
        end = time.monotonic() + 40
        while any(worker["records"] for worker in self.box.ask("/strowger/transactions").values()):
            self.assertLess(time.monotonic(), end, self.box.ask("/strowger/transactions"))
            time.sleep(0.5)


class Forks(Proxied):
    def fork(self, user, phones):
        for phone in phones:
            phone.register()

    def test_two_answers_both_reach_the_caller(self):
        with Phone("alice") as alice, Phone("fork") as one, Phone("fork") as two:
            self.fork("fork", (one, two))
            alice.send(alice.request("INVITE", "sip:fork@example.com", lines=[f"Contact: {alice.contact}"]))
            invites = [phone.receive() for phone in (one, two)]
            for phone, invite, tag in zip((one, two), invites, ("one", "two")):
                phone.answer(invite, 200, "OK", tag=tag)
            tags = {alice.receive().get("To").split(";tag=")[1] for _ in range(2)}
            self.assertEqual({"one", "two"}, tags)

    def test_first_answer_cancels_the_other(self):
        with Phone("alice") as alice, Phone("race") as one, Phone("race") as two:
            self.fork("race", (one, two))
            alice.send(alice.request("INVITE", "sip:race@example.com", lines=[f"Contact: {alice.contact}"]))
            first, second = one.receive(), two.receive()
            two.answer(second, 180, "Ringing")
            self.assertEqual(180, alice.receive().status)
            one.answer(first, 200, "OK")
            self.assertEqual(200, alice.receive().status)
            cancel = two.receive()
            self.assertEqual("CANCEL", cancel.start.split()[0])
            self.assertEqual(second.get("Via"), cancel.get("Via"))
            two.answer(cancel, 200, "OK")
            two.answer(second, 487, "Request Terminated")
            self.assertEqual("ACK", two.receive().start.split()[0])
            self.assertTrue(alice.silence())

    def test_lower_q_rings_when_the_higher_does_not_answer(self):
        with Phone("alice") as alice, Phone("serial") as one, Phone("serial") as two:
            one.register(contact=f"{one.contact};q=1.0")
            two.register(contact=f"{two.contact};q=0.5")
            alice.send(alice.request("INVITE", "sip:serial@example.com", lines=[f"Contact: {alice.contact}"]))
            first = one.receive()
            one.answer(first, 180, "Ringing")
            self.assertEqual(180, alice.receive().status)
            cancel = one.receive(4)
            self.assertEqual("CANCEL", cancel.start.split()[0])
            one.answer(cancel, 200, "OK")
            one.answer(first, 487, "Request Terminated")
            self.assertEqual("ACK", one.receive().start.split()[0])
            self.assertEqual("INVITE", two.receive(4).start.split()[0])

    def test_best_of_two_refusals_is_chosen(self):
        with Phone("alice") as alice, Phone("best") as one, Phone("best") as two:
            self.fork("best", (one, two))
            alice.send(alice.request("INVITE", "sip:best@example.com", lines=[f"Contact: {alice.contact}"]))
            one.answer(one.receive(), 503, "Service Unavailable")
            two.answer(two.receive(), 486, "Busy Here")
            self.assertEqual("ACK", one.receive().start.split()[0])
            self.assertEqual("ACK", two.receive().start.split()[0])
            self.assertEqual(486, alice.receive().status)


class Routed(Proxied):
    config = PROXY + ROUTES

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        here = os.path.dirname(os.path.abspath(__file__))
        records = [f"_sip._udp.partner.example SRV 10 0 {DEAD} a.partner.example",
                   f"_sip._udp.partner.example SRV 20 0 {GATEWAYS[0]} b.partner.example",
                   "a.partner.example A 198.18.0.2", "b.partner.example A 198.18.0.2"]
        cls.nameserver = subprocess.Popen(["ip", "netns", "exec", box.CLIENT, "python3", f"{here}/nameserver.py",
                                           "--listen", NAMESERVER, *records],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.nameserver.terminate()
        cls.nameserver.wait()
        super().tearDownClass()

    def test_failover_before_the_caller_notices(self):
        """The first gateway is dead, the second has no circuit, the third takes every call."""
        with answering("unavailable.xml", GATEWAYS[0]), answering("callee.xml", GATEWAYS[1]):
            play("call.xml", 5081, calls=60, user="+493012345")
        self.assertEqual("down", self.gateway("first")["health"])
        self.assertGreaterEqual(self.gateway("third")["good"], 60)

    def test_failover_over_srv(self):
        with answering("callee.xml", GATEWAYS[0]):
            play("call.xml", 5081, calls=20, user="srv1")

    def test_rule_rejects_with_its_code_and_reason(self):
        with Phone("alice") as alice:
            alice.send(alice.request("INVITE", "sip:0900123@example.com", lines=[f"Contact: {alice.contact}"]))
            answer = alice.receive()
            self.assertEqual("SIP/2.0 603 No Premium Numbers", answer.start)

    def test_probes_find_out_who_is_down_and_who_came_back(self):
        def health(wanted):
            end = time.monotonic() + 15
            while self.gateway("pulse")["health"] not in wanted:
                self.assertLess(time.monotonic(), end, self.gateway("pulse"))
                time.sleep(0.2)

        health(("down",))
        with Phone("pulse", port=GATEWAYS[2]) as gateway:
            for _ in range(2):
                probe = gateway.receive(15)
                self.assertEqual("OPTIONS", probe.start.split()[0])
                gateway.answer(probe, 200, "OK")
            health(("easing in", "up"))

    def test_reload_under_load_loses_no_call(self):
        with answering("callee.xml", GATEWAYS[0]), answering("callee.xml", GATEWAYS[1]):
            caller = Caller("call.xml", 5081, calls=600, rate=100, user="+4940123")
            for number in range(8):
                time.sleep(0.6)
                first, second = (1, 2) if number % 2 == 0 else (2, 1)
                config = self.config.replace("priority = 1", "priority = X").replace("priority = 2", f"priority = {second}")
                with open(self.box.config, "w", encoding="utf-8") as file:
                    file.write(config.replace("priority = X", f"priority = {first}"))
                self.box.process.send_signal(signal.SIGHUP)
                self.box.wait_for_count("reloaded", number + 1)
            caller.wait()

    def test_reload_refuses_a_wrong_file_and_runs_on(self):
        before = self.box.ask("/strowger/conf")
        try:
            for config, word in ((self.config + "[route x]\nuser = /(/\n", "user = /(/"),
                                 (self.config.replace("mbufs = 8192", "mbufs = 9000"), "mbufs")):
                refused = self.box.output().count("refused")
                with open(self.box.config, "w", encoding="utf-8") as file:
                    file.write(config)
                self.box.process.send_signal(signal.SIGHUP)
                self.box.wait_for_count("refused", refused + 1)
                self.assertIn(word, self.box.output())
                self.assertEqual(before, self.box.ask("/strowger/conf"))
        finally:
            with open(self.box.config, "w", encoding="utf-8") as file:
                file.write(self.config)


class Restarted(unittest.TestCase):
    """Registrations are gone after it; a dialog needs no more than the key that signed its Record-Route."""

    def started(self, more):
        """A box that answers: what comes before it has read the kernel's routes is lost, and these phones ask once."""
        one = box.Box(config=PROXY + more).start()
        with Phone("knock") as knock:
            for _ in range(50):
                knock.send(knock.request("OPTIONS", f"sip:{box.ADDRESS4}"))
                with contextlib.suppress(TimeoutError):
                    knock.receive(0.3)
                    return one
        raise AssertionError(f"no answer: {one.stop()}\n{one.output()}")

    def call(self, alice, bob):
        """A call that stands: what alice asks for next, and bob's."""
        bob.register()
        alice.send(alice.request("INVITE", "sip:bob@example.com", call_id="stands", lines=[f"Contact: {alice.contact}"]))
        invite = bob.receive()
        bob.answer(invite, 200, "OK")
        answer = alice.receive()
        self.assertEqual(200, answer.status)
        routes = answer.all("Record-Route")
        alice.send(alice.request("ACK", uri_of(bob.contact), "sip:bob@example.com", call_id="stands", to_tag="callee",
                                 lines=[f"Route: {', '.join(reversed(routes))}"]))
        self.assertEqual("ACK", bob.receive().start.split()[0])
        from_alice = alice.request("BYE", uri_of(bob.contact), "sip:bob@example.com", call_id="stands", cseq=2, to_tag="callee",
                                   lines=[f"Route: {', '.join(reversed(routes))}"])
        from_bob = bob.request("BYE", uri_of(alice.contact), "sip:alice@example.com", call_id="stands", from_tag="callee",
                               to_tag="f", lines=[f"Route: {', '.join(invite.all('Record-Route'))}"])
        return from_alice, from_bob

    def over_a_restart(self, before, after):
        """The phones, with what they hang up by, at a box that knows them no more."""
        stack = contextlib.ExitStack()
        alice, bob = stack.enter_context(Phone("alice")), stack.enter_context(Phone("bob"))
        first = self.started(before)
        try:
            byes = self.call(alice, bob)
        finally:
            self.assertEqual(0, first.stop())
        second = self.started(after)
        stack.callback(lambda: self.assertEqual(0, second.stop(), second.output()))
        return stack, alice, bob, byes

    def test_bye_of_an_older_call_goes_through(self):
        with tempfile.TemporaryDirectory() as folder:
            config = f"[store]\nsecret_file = {folder}/secret\n"
            stack, alice, bob, (from_alice, from_bob) = self.over_a_restart(config, config)
            with stack:
                for one, other, bye in ((alice, bob, from_alice), (bob, alice, from_bob)):
                    one.send(bye)
                    received = other.receive()
                    self.assertEqual("BYE", received.start.split()[0], received.text)
                    other.answer(received, 200, "OK")
                    self.assertEqual(200, one.receive().status)

    def test_another_key_signed_nothing_that_it_believes(self):
        stack, alice, bob, (from_alice, _) = self.over_a_restart("", "")
        with stack:
            alice.send(from_alice)
            self.assertEqual(403, alice.receive().status)
            self.assertTrue(bob.silence())


class Lossy(Proxied):
    """One message in a hundred is lost, in either direction."""
    RATE, SECONDS = 100, 60
    config = box.CONFIG  # the timers of RFC 3261

    @contextlib.contextmanager
    def loss(self, percent):
        """At the phones' end of the link. Not every kernel has netem; nftables loses packets just as well."""
        chain = "chain %s {{ type filter hook %s device outside priority 0; ip protocol udp numgen random mod 100 < {} drop; }}\n"
        rules = "".join((chain % hook).format(percent) for hook in (("in", "ingress"), ("out", "egress")))
        done = run_in(box.CLIENT, "nft", "-f", "-", input=f"table netdev loss {{ {rules} }}")
        self.assertEqual(0, done.returncode, done.stderr)
        try:
            yield
        finally:
            run_in(box.CLIENT, "nft", "delete", "table", "netdev", "loss")

    def test_no_call_fails_at_one_per_cent_loss(self):
        # What SIPp does by default takes the retransmission of an INVITE whose every answer was lost for a failure. Without
        # that it ignores what it does not expect, and a call that failed never ends.
        patient = ("-default_behaviors", "none")
        with answering("patient_callee.xml", CALLEE, *patient), self.loss(1):
            play("patient_call.xml", 5081, calls=self.RATE * self.SECONDS, rate=self.RATE, seconds=self.SECONDS + 60,
                 options=patient)


if __name__ == "__main__":
    tap.main()
