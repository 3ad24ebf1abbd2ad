#!/usr/bin/env python3
"""Too much of everything, and nonsense, for the presence server: each gets its answer and is counted, memory stays as it
is, and others do not notice. tests/e2e/run makes the network."""
import itertools
import signal
import sys
import time

import box
import tap
from flood import PIDF, Flood, Spoofed, statuses
from phone import Phone
from test_presence import Presence
from watcher import pidf

SUBSCRIPTIONS, PUBLICATIONS, PRESENTITIES, WATCHERS, FROM_ONE = 600, 200, 350, 50, 400
FLOOD = 20000
NUMBERS = itertools.count(1)


class Abused(Presence):
    workers = 1  # so that bounds are what they say, to the last one
    extra = f"""subscriptions_max = {SUBSCRIPTIONS}
publications_max = {PUBLICATIONS}
presentities_max = {PRESENTITIES}
watchers_max = {WATCHERS}
source_max = {FROM_ONE}
policy = open
"""

    def setUp(self):
        self.flood = Flood(address="198.18.0.3")
        self.addCleanup(self.flood.close)
        self.bob, self.ann = self.phone(), self.phone()
        self.publication, answer = self.bob.publish()
        self.assertEqual(200, answer.status)
        self.watching = self.ann.subscribe(self.bob.address)
        self.watching.notice()
        self.before = self.counts()

    def tearDown(self):
        """All that was begun here ends."""
        self.assertEqual(200, self.publication.publish(expires=0).status)
        self.assertEqual(200, self.watching.subscribe(0).status)
        self.watching.until(lambda one: one.state == "terminated")
        end = time.monotonic() + 40
        while (left := {name: self.counts()[name] for name in ("subscriptions", "publications", "presentities", "sources")}) and any(left.values()):
            self.assertLess(time.monotonic(), end, left)
            self.flood.listen(0.1)

    def counts(self):
        return self.box.ask("/strowger/presence")["0"]

    def more(self, name):
        return self.counts()[name] - self.before[name]

    def memory(self):
        """KiB that the process has."""
        with open(f"/proc/{self.box.process.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def others_do_not_notice(self):
        """Who has something goes on with it, and calls are made."""
        number = next(NUMBERS)
        started = time.monotonic()
        answer = self.publication.publish(pidf(self.bob.address, "open", f"change {number}"))
        self.assertEqual(200, answer.status, answer.text)
        self.watching.until(lambda one: f"change {number}<" in one.body)
        self.assertEqual(200, self.watching.subscribe().status)
        self.watching.notice()
        with Phone(f"callee{number}") as callee, Phone("caller") as caller:
            self.assertEqual(200, callee.register().status)
            caller.send(caller.request("INVITE", f"sip:callee{number}@example.com", lines=[f"Contact: {caller.contact}"]))
            callee.answer(callee.receive(), 486, "Busy Here")
            self.assertEqual(486, caller.receive().status)
        return time.monotonic() - started

    def is_told_to_come_again(self, answer, status=503):
        self.assertEqual(status, answer.status, answer.text)
        self.assertGreater(int(answer.get("Retry-After")), 0, answer.text)

    def refused(self, answers, how=503):
        """How many; each was told when to come again, nobody anything else."""
        self.assertLessEqual(set(statuses(answers)), {200, how})
        for status, fields in answers.values():
            self.assertTrue(status == 200 or int(fields[b"retry-after"]) > 0, fields)
        return statuses(answers)[how]

    def test_thousands_of_subscriptions_from_one_source(self):
        ask = lambda n: (self.flood.subscribe(f"watched{i % 300}", expires=60) for i in range(n))
        first = self.flood.run(ask(FLOOD // 10))
        self.assertEqual(FLOOD // 10 - FROM_ONE, self.refused(first, 480))
        memory, grown, slowest, asked = self.memory(), [], 0.0, 0
        started = time.monotonic()
        for _ in range(4):
            slowest = max(slowest, self.others_do_not_notice())
            answers = self.flood.run(ask(FLOOD // 4))
            self.assertEqual(FLOOD // 4, self.refused(answers, 480))
            asked += len(answers)
            grown.append(self.memory() - memory - sum(grown))
        print(f"# {asked / (time.monotonic() - started):.0f} refused a second, {grown} KiB more, others took {slowest:.2f} s", file=sys.stderr)
        # pages of what was taken at start are touched for the first time; what a refusal left behind would come each time
        self.assertLess(min(grown), 512)
        self.assertEqual(FROM_ONE + 1, self.counts()["subscriptions"])
        self.assertEqual(2, self.counts()["sources"])
        self.assertGreaterEqual(self.more("refused_source"), asked)
        self.assertEqual(self.more("refused_source"), self.more("crowded"))
        # it ends what it has, and may begin again
        self.end_all(first)
        self.assertEqual(0, self.refused(self.flood.run(self.flood.subscribe("again", expires=1) for _ in range(FROM_ONE // 10))))

    def end_all(self, answers):
        """Unsubscribes from all that was granted."""
        def again():
            for call_id, (status, fields) in answers.items():
                if status == 200:
                    to, _, tag = fields[b"to"].decode().partition(";tag=")
                    yield call_id, self.flood.request("SUBSCRIBE", f"sip:{box.ADDRESS4}", to.strip("<>"), call_id=call_id, cseq=2, to_tag=tag,
                                                      lines=["Event: presence", "Expires: 0", f"Contact: {self.flood.contact}"])
        self.assertEqual({200}, set(statuses(self.flood.run(again()))))

    def test_subscriptions_from_addresses_that_nobody_has(self):
        spoofed = Spoofed()
        self.addCleanup(spoofed.close)
        for number in range(3 * SUBSCRIPTIONS):
            address = f"198.18.0.{100 + number % 100}"
            text = self.flood.subscribe(f"watched{number % 300}", expires=3600)[1]
            spoofed.send(address, text.replace(self.flood.sent_by, f"{address}:5060"))
            if number % 50 == 49:
                time.sleep(0.005)
        end = time.monotonic() + 10
        while self.more("crowded") == 0:
            self.assertLess(time.monotonic(), end, self.counts())
            time.sleep(0.02)
        self.assertLessEqual(self.counts()["subscriptions"], SUBSCRIPTIONS)
        self.assertEqual(0, self.more("refused_source"))
        self.others_do_not_notice()
        # nobody answers their NOTIFYs, so there is room again after Timer F, and not after an hour
        end = time.monotonic() + 30
        while self.phone().subscribe(self.bob.address, expires=1).answer.status == 503:
            self.assertLess(time.monotonic(), end, self.counts())
            time.sleep(0.2)

    def test_one_user_has_so_many_watchers(self):
        answers = self.flood.run(self.flood.subscribe(self.bob.user, expires=5) for _ in range(2 * WATCHERS))
        self.assertEqual(WATCHERS + 1, self.refused(answers, 480))  # ann is one of them
        self.assertEqual(WATCHERS + 1, self.more("refused_watchers"))
        self.is_told_to_come_again(self.phone().subscribe(self.bob.address).answer, 480)
        self.others_do_not_notice()
        self.end_all(answers)

    def test_every_publication_is_taken(self):
        users = [f"publisher{number}" for number in range(PUBLICATIONS + 100)]
        answers = self.flood.run(self.flood.publish(user, expires=60) for user in users)
        self.assertEqual(101, self.refused(answers))  # bob's is one of them
        self.assertEqual(101, self.more("crowded"))
        self.is_told_to_come_again(self.phone().publish()[1])
        self.others_do_not_notice()
        self.assertEqual({200}, set(statuses(self.flood.run(self.own(answers)))))
        self.assertEqual(1, self.counts()["publications"])
        self.assertEqual(200, self.phone().publish(expires=1)[1].status)

    def own(self, answers):
        """Removes all that was published."""
        for status, fields in answers.values():
            if status == 200:
                user = fields[b"to"].decode().partition("sip:")[2].partition("@")[0]
                yield self.flood.publish(user, 0, fields[b"sip-etag"].decode())

    def test_one_user_has_so_many_publications(self):
        answers = self.flood.run(self.flood.publish("busy", expires=60) for _ in range(40))
        self.assertEqual(8, self.refused(answers))
        self.assertEqual({200}, set(statuses(self.flood.run(self.own(answers)))))

    def test_every_presentity_is_taken(self):
        answers = self.flood.run(self.flood.subscribe(f"watched{number}", expires=60) for number in range(PRESENTITIES + 40))
        self.assertEqual(41, self.refused(answers))  # bob is one of them
        self.assertEqual(41, self.more("crowded"))
        self.is_told_to_come_again(self.phone().publish()[1])
        self.others_do_not_notice()
        self.end_all(answers)
        # those who come and go leave room for others
        answers = self.flood.run(self.flood.subscribe(f"fetched{number}", expires=0) for number in range(4 * PRESENTITIES))
        self.refused(answers)
        self.assertGreater(statuses(answers)[200], PRESENTITIES)

    def test_oneself_is_watched_as_anybody(self):
        own = self.bob.subscribe(self.bob.address)
        self.assertEqual(200, own.answer.status)
        notice = own.notice()
        self.assertEqual(("active", True), (notice.state, notice.is_open()))
        self.assertEqual(1, self.more("subscribed"))
        self.assertEqual(self.before["subscriptions"] + 1, self.counts()["subscriptions"])
        self.others_do_not_notice()
        self.assertIn("change", own.until(lambda one: "change" in one.body).body)
        self.assertEqual(200, own.subscribe(0).status)
        own.until(lambda one: one.state == "terminated")

    def reload(self, config):
        said = self.box.output().count("reloaded")
        with open(self.box.config, "w", encoding="utf-8") as file:
            file.write(config)
        self.box.process.send_signal(signal.SIGHUP)
        self.box.wait_for_count("reloaded", said + 1)

    def test_bounds_are_others_once_they_are_read_again(self):
        first = self.flood.run(self.flood.subscribe(self.bob.user, expires=60) for _ in range(20))
        self.assertEqual(0, self.refused(first))
        self.addCleanup(self.reload, self.config)
        self.reload(self.config.replace(f"watchers_max = {WATCHERS}", "watchers_max = 10"))
        self.is_told_to_come_again(self.phone().subscribe(self.bob.address).answer, 480)
        self.reload(self.config.replace(f"source_max = {FROM_ONE}", "source_max = 25"))
        self.others_do_not_notice()  # who is over the bound by now
        second = self.flood.run(self.flood.subscribe(self.bob.user, expires=60) for _ in range(10))
        self.assertEqual(5, self.refused(second, 480))
        self.end_all({**first, **second})

    def test_nonsense_is_told_what_it_is(self):
        bomb = ('<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa">' + "".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(8)) + "]>")
        good = pidf(self.bob.address)
        deep = good.replace("<tuple", "<x>" * 200 + "<tuple", 1)
        event, kind = "Event: presence", PIDF
        cases = (("PUBLISH", [event, kind], good[:-9], 400), ("PUBLISH", [event, kind], bomb + good.partition("\n")[2], 400),
                 ("PUBLISH", [event, kind], pidf("sip:else@example.com"), 400), ("PUBLISH", [event, kind], deep, 413),
                 ("PUBLISH", [event, kind], pidf(self.bob.address, note="x" * 9000), 413), ("PUBLISH", [event], good, 415),
                 ("PUBLISH", [event, "Content-Type: text/plain"], good, 415), ("PUBLISH", [event, kind], "", 400),
                 ("PUBLISH", [event, kind, "SIP-If-Match: nobodys"], good, 412), ("PUBLISH", ["Event: weather", kind], good, 489),
                 ("PUBLISH", [kind], good, 489),
                 ("SUBSCRIBE", ["Event: weather"], "", 489), ("SUBSCRIBE", [], "", 489),
                 ("SUBSCRIBE", [event, "Accept: text/plain"], "", 406), ("SUBSCRIBE", [event, "Require: x"], "", 420))
        for method, lines, body, status in cases:
            with self.subTest(method, lines=lines, body=body[:60]):
                text = self.bob.request(method, self.bob.address, lines=[f"Contact: {self.bob.contact}", *lines], body=body)
                self.bob.send(text)
                answer = self.bob.answer_to(text.partition("Call-ID: ")[2].partition("\r\n")[0], f"1 {method}")
                self.assertEqual(status, answer.status, answer.text)
        self.assertEqual(self.before["publications"], self.counts()["publications"])
        self.others_do_not_notice()


if __name__ == "__main__":
    tap.main()
