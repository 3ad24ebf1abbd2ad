#!/usr/bin/env python3
"""A hundred watch one user while messages are lost, late and out of order, and strowger is killed: all end up with his
newest state, no NOTIFY overtakes another (watcher.py looks), and nobody is told what is older than what he knew."""
import os
import re
import sys
import unittest

import box
import tap
from test_presence import CONFIG, Presence
from watcher import PIDF, pidf
from weather import Outdoors, Weather

SEED = int(os.environ.get("STROWGER_SOAK_SEED", "1"))
PARTIAL = "application/pidf-diff+xml"
# Timer F is longer than a restart on a busy machine.
TIMES = CONFIG.replace("t1 = 40ms\nt2 = 160ms\n", "t1 = 300ms\nt2 = 600ms\n")


class Crowd:
    """Watchers, some of whom take differences (RFC 5263), and what each may be told next."""

    def __init__(self, test, weather, target, n, expires=600):
        self.weather, self.told, self.versions = weather, [-1] * n, [None] * n
        self.subscriptions, self.differences = [], 0
        for number in range(n):
            phone = Outdoors(weather, f"watcher{number}")
            test.addCleanup(phone.close)
            accepts = f"{PARTIAL}, {PIDF}" if number % 4 == 0 else PIDF
            subscription = phone.subscribe(target, expires=expires, lines=[f"Accept: {accepts}"])
            assert subscription.answer.status == 200, subscription.answer.text
            self.subscriptions.append(subscription)

    def look(self):
        """What came since the last time: nothing of it may be older than what came before."""
        for at, subscription in enumerate(self.subscriptions):
            for notice in subscription.notices:
                assert notice.state == "active", notice.message.text
                self.look_at(at, notice)
            subscription.notices.clear()

    def look_at(self, at, notice):
        """Of what came before his first state nothing is known."""
        state = re.search(r"state (\d+)<", notice.body)
        if state:
            assert int(state.group(1)) >= self.told[at], f"watcher{at} knew {self.told[at]}:\n{notice.message.text}"
            self.told[at] = int(state.group(1))
        else:
            assert self.told[at] < 0, f"watcher{at} knew {self.told[at]}:\n{notice.message.text}"
        version = re.search(r'<p:pidf-(full|diff)[^>]* version="(\d+)"', notice.body)
        if version:
            kind, number, before = version.group(1), int(version.group(2)), self.versions[at]
            # RFC 5263 4.4: a difference is to the version before it
            assert before is None or number > before, f"version {number} behind {before}"
            assert kind == "full" or number == before + 1, f"a difference {number} to {before}"
            self.versions[at] = number
            self.differences += kind == "diff"

    def know(self, state):
        self.look()
        return all(told == state for told in self.told)


class Watching(Presence):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert cls.box.stop() == 0
        # dialogs are found again by tags that the secret makes
        cls.config = TIMES.replace("path = {folder}/store\n", "path = {folder}/store\nsecret_file = {folder}/secret\n")
        cls.config = cls.config.format(folder=cls.folder.name)
        cls.box = box.Box(cls.config, workers=cls.workers).start()

    def begin(self, watchers, **weather):
        """(publication, crowd) of a user of this case alone."""
        sky = Weather(SEED, **weather)
        bob = Outdoors(sky, self.id().rpartition(".")[2].replace("_", "-"))
        self.addCleanup(bob.close)
        crowd = Crowd(self, sky, bob.address, watchers)
        # a second device, which stays as it is: a difference is sent where it is shorter than the whole
        self.assertEqual(200, bob.publish(pidf(bob.address, "open", "at his desk " * 40, tuple_id="t2"), expires=3600)[1].status)
        publication, answer = bob.publish(pidf(bob.address, "open", "state 0"), expires=3600)
        self.assertEqual(200, answer.status)
        return publication, crowd

    def change(self, publication, state):
        self.assertEqual(200, publication.publish(pidf(publication.target, "open", f"state {state}"), 3600).status)

    def await_all(self, crowd, state):
        self.assertTrue(crowd.weather.serve(60, lambda: crowd.know(state)), f"state {state}: {crowd.told}")

    def goes_on(self, crowd, state):
        """In the dialog that each has."""
        for at, subscription in enumerate(crowd.subscriptions):
            self.assertEqual(200, subscription.subscribe(600).status)
            self.assertTrue(crowd.weather.serve(30, lambda: any(f"state {state}<" in one.body for one in subscription.notices)), at)
            self.assertEqual("active", subscription.notices[-1].state)
        crowd.look()

    def test_all_end_up_with_the_newest_state(self):
        publication, crowd = self.begin(100, loss=0.01)
        for state in range(1, 30):
            self.change(publication, state)
            crowd.look()
            if state == 15:
                self.restart(kill=True)
        self.await_all(crowd, 29)
        loaded = re.search(r"(\d+) publications? and (\d+) subscriptions? loaded", self.box.output())
        self.assertEqual(("2", "100"), loaded.groups())
        self.goes_on(crowd, 29)

    def test_none_overtakes_another_in_bad_weather(self):
        publication, crowd = self.begin(30, loss=0.05, delay=0.01, jitter=0.005, stragglers=0.1)
        for state in range(1, 25):
            self.change(publication, state)
            crowd.look()
            crowd.weather.serve(0.1)  # the interval between NOTIFYs
        self.await_all(crowd, 24)
        print(f"# {crowd.weather.carried} datagrams, {crowd.weather.lost} lost", file=sys.stderr)
        self.assertGreater(crowd.differences, 10)
        self.goes_on(crowd, 24)

    def test_nobody_is_told_what_the_disk_did_not_have(self):
        """Killed between the change of a state and its answer, as often as it is changed."""
        publication, crowd = self.begin(10, loss=0)
        state = 0
        for _ in range(4):
            self.await_all(crowd, state)
            state += 1
            phone = publication.phone
            phone.published += 1
            lines = ["Event: presence", "Expires: 3600", f"Content-Type: {PIDF}", f"SIP-If-Match: {publication.etag}"]
            cseq, call_id = phone.published, f"killed{state}@{phone.sent_by}"
            phone.send(phone.request("PUBLISH", publication.target, lines=lines, call_id=call_id, cseq=cseq,
                                     body=pidf(publication.target, "open", f"state {state}")))
            # the first that says anything of it
            crowd.weather.serve(10, lambda: phone.answers or any(one.notices for one in crowd.subscriptions))
            self.restart(kill=True)
            crowd.weather.serve(1)
            crowd.look()
            answer = phone.answer_to(call_id, f"{cseq} PUBLISH")
            self.assertEqual(200, answer.status, answer.text)
            publication.etag = answer.get("SIP-ETag")
        self.await_all(crowd, state)


    def test_watchers_hear_soon_after_a_restart(self):
        """It speaks before its twin has an address, so nothing of that leaves."""
        publication, crowd = self.begin(5, loss=0)
        self.change(publication, 1)
        self.await_all(crowd, 1)
        self.restart(kill=True)
        self.assertTrue(crowd.weather.serve(15, lambda: all(one.notices for one in crowd.subscriptions)))  # 64 times T1 is 19 s

    def test_nobody_is_told_of_a_contact_that_the_disk_did_not_have(self):
        """As above, by the package "reg"."""
        sky = Weather(SEED, loss=0)
        bob, desk = Outdoors(sky, "registers"), Outdoors(sky, "registers")
        self.addCleanup(bob.close)
        self.addCleanup(desk.close)
        subscription = bob.subscribe(bob.address, "reg", lines=["Accept: application/reginfo+xml"])
        self.assertEqual(200, subscription.answer.status)
        told = set()

        def hear():
            for notice in subscription.notices:
                contacts = set(re.findall("<uri>([^<]*)</uri>", notice.body))
                self.assertLessEqual(told, contacts)
                told.update(contacts)
            subscription.notices.clear()

        for number in range(4):
            wanted = f"sip:registers@198.18.0.2:{9000 + number}"
            sky.serve(0.3)
            hear()
            for other in range(100):  # so that the disk has something to do
                desk.put(desk.request("REGISTER", "sip:example.com", f"sip:other{other}@example.com", lines=[
                    f"Contact: <sip:other@198.18.0.2:{9000 + number}>", "Expires: 600"]))
            desk.send(desk.request("REGISTER", "sip:example.com", desk.address, cseq=number + 1, call_id="registers",
                                   lines=[f"Contact: <{wanted}>", "Expires: 600"]))
            sky.serve(10, lambda: subscription.notices or ("registers", f"{number + 1} REGISTER") in desk.answers)
            self.restart(kill=True)
            sky.serve(1)
            hear()
            self.assertEqual(200, desk.answer_to("registers", f"{number + 1} REGISTER").status)
            self.assertTrue(sky.serve(20, lambda: hear() or wanted in told), told)


class Shown(Presence):
    def test_who_watches_whom_is_shown(self):
        bob, ann = self.phone(), self.phone()
        bob.publish(pidf(bob.address, "open", note="at my desk"))
        subscription = ann.subscribe(bob.address)
        subscription.notice()
        user = bob.address.removeprefix("sip:")
        row, = self.json("show", "subscriptions", user)
        self.assertEqual(("presence", ann.address, "active", user),
                         (row["package"], row["watcher"], row["state"], row["presentity"]))
        self.assertLessEqual(row["expires_s"], 600)
        row, = self.json("show", "presentity", user)
        self.assertEqual((1, 1), (row["publications"], row["subscriptions"]))
        self.assertIn("at my desk", row["document"])
        self.assertIn(ann.address, self.ctl("show", "subscriptions"))
        self.assertIn("at my desk", self.ctl("show", "presentity", user))
        self.assertIn("neither watched", self.ctl("show", "presentity", "nobody@example.com"))
        counts = self.box.ask("/strowger/presence")
        self.assertEqual(1, sum(worker["publications"] for worker in counts.values()))
        self.assertEqual(1, sum(worker["subscribed"] for worker in counts.values()))


if __name__ == "__main__":
    tap.main()
