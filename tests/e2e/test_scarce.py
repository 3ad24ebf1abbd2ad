#!/usr/bin/env python3
"""Every table full: what is new is told when to come again, what goes on goes on, and it ends. tests/e2e/run makes the network."""
import collections
import os
import subprocess
import time
import unittest

import box
import tap
from phone import Phone, uri_of

HERE = os.path.dirname(os.path.abspath(__file__))
NAMESERVER = "198.18.0.3:5353"
FLOOD = 200
BASE = box.CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 100ms\nt2 = 400ms\nt4 = 500ms\n")


class Scarce(unittest.TestCase):
    def begin(self, config):
        self.box = box.Box(config=config).start()
        self.addCleanup(self.end)
        self.alice, self.bob = Phone("alice"), Phone("bob")
        self.addCleanup(self.alice.close)
        self.addCleanup(self.bob.close)
        self.assertEqual(200, self.bob.register().status)

    def end(self):
        self.assertEqual(0, self.box.stop(), self.box.output()[-20000:])

    def worker(self, command):
        return self.box.ask(command)["0"]

    def establish(self):
        """A call of alice's with bob: the answer that she got."""
        self.alice.send(self.alice.request("INVITE", "sip:bob@example.com", call_id="stands", lines=[f"Contact: {self.alice.contact}"]))
        self.bob.answer(self.bob.receive(), 200, "OK")
        answer = self.alice.receive()
        self.assertEqual(200, answer.status)
        self.alice.send(self.within(answer, "ACK", 1))
        self.assertEqual("ACK", self.bob.receive().start.split()[0])
        return answer

    def within(self, answer, method, cseq):
        return self.alice.request(method, uri_of(answer.get("Contact")), "sip:bob@example.com", call_id="stands", cseq=cseq,
                                  to_tag="callee", lines=[f"Route: {route}" for route in reversed(answer.all("Record-Route"))])

    def flood(self, uri, n=FLOOD, method="INVITE", pause=0.002):
        """So many new requests of somebody else's."""
        phone = Phone("flood")
        self.addCleanup(phone.close)
        for number in range(n):
            phone.send(phone.request(method, uri, call_id=f"flood{number}", lines=[f"Contact: {phone.contact}"]))
            time.sleep(pause)
        return phone

    def heard(self, phone, seconds=0.5):
        """All that came, once nothing comes any more."""
        messages = []
        try:
            while True:
                messages.append(phone.receive(seconds))
        except TimeoutError:
            return messages

    def ring(self):
        """Bob has not answered any of the INVITEs that came to him, but said that it rings."""
        waiting = {}
        for message in self.heard(self.bob):
            if message.start.startswith("INVITE"):
                waiting[message.get("Via")] = message
        for message in waiting.values():
            self.bob.answer(message, 180, "Ringing")
        return waiting.values()

    def refused(self, phone):
        """Those of the flood that were told to come again; nobody was told anything else but that it rings."""
        counts = collections.Counter()
        for message in self.heard(phone):
            counts[message.status] += 1
            if message.status == 503:
                self.assertEqual("10", message.get("Retry-After"), message.text)
        self.assertLessEqual(set(counts), {180, 503})
        return counts[503]

    def goes_on(self, answer):
        """What belongs to a call is served, whatever is full."""
        self.alice.send(self.within(answer, "INFO", 2))
        info = self.awaited(self.bob, "INFO")
        self.bob.answer(info, 200, "OK")
        self.awaited(self.alice, "SIP/2.0 200")
        self.alice.send(self.within(answer, "BYE", 3))
        self.bob.answer(self.awaited(self.bob, "BYE"), 200, "OK")
        self.awaited(self.alice, "SIP/2.0 200")

    def awaited(self, phone, start, call="stands"):
        """The next of this call that begins so."""
        while True:
            message = phone.receive()
            if message.start.startswith(start) and message.get("Call-ID") == call:
                return message

    def recovers(self, ringing):
        """Once what rang is over there is room for the next, though RFC 3261 lets what has ended linger for 32 s. Nobody
        acknowledges the answers: those are over after 64 times T1."""
        for message in ringing:
            self.bob.answer(message, 486, "Busy Here")
        end = time.monotonic() + 15
        while (row := self.worker("/strowger/transactions"))["records"] > row["lingering"]:
            self.assertLess(time.monotonic(), end, row)
            self.heard(self.bob, 0.2)
        for number in range(5):
            call = f"again{number}"
            self.alice.send(self.alice.request("INVITE", "sip:bob@example.com", call_id=call, lines=[f"Contact: {self.alice.contact}"]))
            self.bob.answer(self.awaited(self.bob, "INVITE", call), 486, "Busy Here")
            self.awaited(self.alice, "SIP/2.0 486", call)

    def fill(self, counter):
        answer = self.establish()
        flood = self.flood("sip:bob@example.com")
        ringing = self.ring()
        self.assertGreater(self.refused(flood), FLOOD // 4)
        self.assertGreater(self.worker("/strowger/transactions")[counter], 0)
        self.goes_on(answer)
        self.recovers(ringing)

    def test_no_record_is_free(self):
        self.begin(BASE.replace("transactions_max = 65536", "transactions_max = 64"))
        self.fill("refused")

    def test_no_message_may_be_kept(self):
        self.begin(BASE.replace("kept_max = 4096", "kept_max = 64"))
        self.fill("kept_refused")

    def test_few_buffers_and_messages_of_two_kinds(self):
        self.begin(BASE.replace("mbufs = 8192", "mbufs = 4096").replace("kept_max = 4096", "kept_max = 128"))
        self.fill("kept_refused")

    def test_no_call_can_be_followed_and_all_are_served(self):
        self.begin(BASE + "[cdr]\nfile = /dev/null\ncalls_max = 16\n")
        flood = self.flood("sip:bob@example.com", n=40)
        ringing = self.ring()
        self.assertEqual(40, len(ringing))
        self.assertEqual(0, self.refused(flood))
        self.assertGreaterEqual(self.worker("/strowger/calls")["unfollowed"], 24)
        self.recovers(ringing)
        self.assertEqual(0, self.worker("/strowger/calls")["calls"])

    def test_no_message_may_wait_for_a_name(self):
        nameserver = subprocess.Popen(["ip", "netns", "exec", box.CLIENT, "python3", f"{HERE}/nameserver.py", "--listen", NAMESERVER,
                                       "silent.example ! silent"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(nameserver.wait)
        self.addCleanup(nameserver.terminate)
        self.begin(BASE + f"[dns]\nservers = {NAMESERVER}\ntimeout = 500ms\ntries = 1\nnegative_ttl = 1s\nparked_max = 4\n"
                   "[route silent]\nuser = silent\nset_domain = silent.example\naction = domain\n")
        answer = self.establish()
        flood = self.flood("sip:silent@example.com", n=50)
        self.goes_on(answer)
        statuses = collections.Counter(message.status for message in self.heard(flood, 3))
        self.assertEqual({503}, set(statuses))
        names = self.box.ask("/strowger/names")
        self.assertGreater(names["refused"], 0)
        self.assertLessEqual(names["parked_high"], 4)
        self.assertEqual(0, names["parked"])
        self.recovers(())


if __name__ == "__main__":
    tap.main()
