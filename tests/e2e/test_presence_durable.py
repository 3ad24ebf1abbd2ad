#!/usr/bin/env python3
"""Publications and subscriptions that outlive strowger, killed under load or with no room on its disk: what was answered
200 is there afterwards, and nothing else. tests/e2e/run makes the network."""
import json
import os
import random
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

import box
import tap
from flood import WINDOW, Flood, statuses
from test_presence import CTL
from watcher import Watcher, pidf

SECONDS = int(os.environ.get("STROWGER_SOAK_SECONDS", "2"))
SEED = int(os.environ.get("STROWGER_SOAK_SEED", "1"))
ROUNDS = 4
USERS = 400  # users that are published of and watched; each has one publication at a time


def config(folder, extra=""):
    return box.CONFIG + f"""
[control]
socket = {folder}/control
[store]
path = {folder}/store
secret_file = {folder}/secret
{extra}
[presence]
serve = yes
policy = open
notify_interval = 1s
expires_min = 1
publish_min = 1
source_max = 200000
watchers_max = 10000
"""


class Kept(unittest.TestCase):
    """A folder for the store, on the disk."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="strowger-kept-", dir="/var/tmp")
        self.addCleanup(self.folder.cleanup)
        self.where = self.folder.name
        self.box = None
        self.addCleanup(self.end)

    def end(self):
        if self.box is not None and self.box.process.poll() is None:
            self.kill()

    def start(self, workers=1, **how):
        started = time.monotonic()
        self.box = box.Box(config(self.where, **how), workers=workers).start()
        return time.monotonic() - started

    def kill(self):
        self.box.process.kill()
        self.box.process.wait()
        self.box.clear()
        if os.path.exists(f"{self.where}/control"):
            os.unlink(f"{self.where}/control")

    def rows(self, *words):
        done = subprocess.run([CTL, "--socket", f"{self.where}/control", "--json", *words], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual((0, ""), (done.returncode, done.stderr), words)
        return json.loads(done.stdout)

    def total(self, name):
        return sum(row[name] for row in self.box.ask("/strowger/presence").values())


class Load:
    """Publishes, changes and removes, subscribes and unsubscribes, and knows what it was promised.

    Of each user: the entity-tag of the last promise ("": none), and what an answer under way may have made of it. Of each
    subscription: whether it was promised, and what may have become of it."""

    def __init__(self):
        self.flood = Flood()
        self.dice = random.Random(SEED)
        self.tags = {f"kept{number}": "" for number in range(USERS)}
        self.watched = {}  # Call-ID: user, To tag, CSeq
        self.waiting = {}  # Call-ID: (what, user or Call-ID)
        self.unsure_users, self.unsure_calls = set(), set()
        self.answered = 0

    def requests(self):
        """No user and no subscription is spoken of twice at a time."""
        while True:
            act = self.dice.randrange(10)
            if act < 6:
                user = self.dice.choice(list(self.tags))
                if any(name == user for _, name in self.waiting.values()):
                    continue
                removes = self.tags[user] and self.dice.randrange(4) == 0
                call_id, text = self.flood.publish(user, 0 if removes else 600, self.tags[user], note=str(self.dice.random()))
                self.waiting[call_id] = ("removal" if removes else "user", user)
            elif act < 9 or not self.watched:
                call_id, text = self.flood.subscribe(self.dice.choice(list(self.tags)), expires=600)
                self.waiting[call_id] = ("new", call_id)
            else:
                call_id = self.dice.choice(list(self.watched))
                user, tag, cseq = self.watched.pop(call_id)
                text = self.flood.request("SUBSCRIBE", f"sip:{box.ADDRESS4}", f"sip:{user}@example.com", call_id=call_id, cseq=cseq + 1,
                                          to_tag=tag, lines=["Event: presence", "Expires: 0", f"Contact: {self.flood.contact}"])
                self.waiting[call_id] = ("end", call_id)
            yield call_id, text

    def note(self, test, answers):
        for call_id, (status, fields) in answers.items():
            what, name = self.waiting.pop(call_id)
            # what has ended, and is asked for again since its answer was late, may be forgotten
            test.assertIn(status, {"end": (200, 481), "removal": (200, 412)}.get(what, (200,)), (what, fields))
            self.answered += 1
            if what == "user":
                self.tags[name] = fields[b"sip-etag"].decode()
            elif what == "removal":
                self.tags[name] = ""
            elif what == "new":
                to, _, tag = fields[b"to"].decode().partition(";tag=")
                self.watched[call_id] = (to.partition("sip:")[2].partition("@")[0], tag, 1)

    def run(self, test, seconds):
        """Until it is to be killed soon."""
        end = time.monotonic() + seconds
        self.flood.run(self.requests(), until=lambda: time.monotonic() > end, heard=lambda answers: self.note(test, answers))

    def burst(self):
        """Much at once, up to its first answer: whoever is killed then must have it on the disk."""
        for _, (_, text) in zip(range(WINDOW), self.requests()):
            self.flood.send(text)
        select.select([self.flood.socket], [], [], 1)

    def drain(self, test):
        """What had left before the end still counts."""
        while self.flood.listen(0.3):
            pass
        self.note(test, {call_id: answer for call_id, answer in self.flood.answers.items() if call_id in self.waiting})
        self.flood.answers.clear()
        for what, name in self.waiting.values():
            (self.unsure_users if what in ("user", "removal") else self.unsure_calls).add(name)
        self.waiting.clear()

    def settle(self):
        """Whom nothing is known of is spoken of no more."""
        for user in self.unsure_users:
            self.tags.pop(user, None)


class Killed(Kept):
    def test_all_that_was_answered_is_there(self):
        load = Load()
        self.addCleanup(load.flood.close)
        self.start()
        for number in range(ROUNDS):
            before, began = load.answered, time.monotonic()
            load.run(self, SECONDS)
            took = time.monotonic() - began
            load.burst()
            self.kill()
            load.drain(self)
            started = self.start(workers=1 + (number + 1) % 2)
            said = re.search(r"\d+ publications? and \d+ subscriptions? loaded in \d+ ms", self.box.output())
            print(f"# {(load.answered - before) / took:.0f} answered a second; {said.group()}, {started:.1f} s to start", file=sys.stderr)
            self.compare(load)
            load.settle()
        self.speaks_on(load)
        self.assertEqual(0, self.box.stop(), self.box.output())

    def compare(self, load):
        found = {row["presentity"].partition("@")[0]: row["publications"] for row in self.rows("show", "presentity")}
        for user, tag in load.tags.items():
            if user not in load.unsure_users:
                self.assertEqual(int(tag != ""), found.get(user, 0), user)
        calls = {row["call_id"] for row in self.rows("show", "subscriptions")}
        promised = set(load.watched)
        self.assertEqual(set(), promised - calls)
        self.assertLessEqual(calls - promised, load.unsure_calls)
        self.assertEqual(len(calls), self.total("subscriptions"))
        self.assertEqual(sum(found.values()), self.total("publications"))

    def speaks_on(self, load):
        """By the entity-tags, and in the dialogs, that were promised."""
        users = [user for user, tag in load.tags.items() if tag]
        answers = load.flood.run([load.flood.publish(user, 0, load.tags[user]) for user in users])
        self.assertEqual({200: len(users)}, dict(statuses(answers)))
        self.assertTrue(users)
        calls = self.dialogs(load)
        answers = load.flood.run(calls)
        self.assertEqual({200: len(calls)}, dict(statuses(answers)))

    def dialogs(self, load):
        some = load.dice.sample(sorted(load.watched), min(500, len(load.watched)))
        return [(call_id, load.flood.request("SUBSCRIBE", f"sip:{box.ADDRESS4}", f"sip:{user}@example.com", call_id=call_id, cseq=cseq + 1,
                                             to_tag=tag, lines=["Event: presence", "Expires: 600", f"Contact: {load.flood.contact}"]))
                for call_id, (user, tag, cseq) in ((one, load.watched[one]) for one in some)]


class Full(Kept):
    def mount(self, size):
        path = os.path.join(self.where, "small")
        os.mkdir(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        self.addCleanup(self.end)
        return path

    def phone(self, user):
        phone = Watcher(user)
        self.addCleanup(phone.close)
        return phone

    def await_refusal(self, ask):
        end = time.monotonic() + 30
        while (answer := ask()).status != 503:
            self.assertEqual(200, answer.status, answer.text)
            self.assertLess(time.monotonic(), end)
        self.assertGreater(int(answer.get("Retry-After")), 0, answer.text)
        for name in ("SIP-ETag", "Expires", "Contact"):
            self.assertEqual("", answer.get(name), answer.text)

    def changes(self):
        return self.box.ask("/strowger/store")["changes"]

    def test_full_disk_promises_nothing(self):
        path = self.mount("4m")
        self.where = path
        how = {"extra": "size_max = 1G"}
        self.start(**how)
        bob, ann, eve, later = (self.phone(user) for user in ("bob", "ann", "eve", "later"))
        kept, answer = bob.publish(pidf(bob.address, note="before"))
        brief, _ = bob.publish(pidf(bob.address, note="brief", tuple_id="t2"), expires=8)
        watching = ann.subscribe(bob.address)
        watching.until(lambda one: "brief" in one.body)
        with self.assertRaises(OSError), open(f"{path}/filler", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        # The store has some space of its own to use up.
        numbers = iter(range(10**6))
        self.await_refusal(lambda: later.publish(pidf(later.address, note=f"{next(numbers)} " + "x" * 4000))[1])
        self.box.wait_for("is full: REGISTER, PUBLISH and SUBSCRIBE are answered 503")
        state, answer = kept.etag, kept.publish(pidf(bob.address, note="never"))
        self.assertEqual((503, state), (answer.status, kept.etag), answer.text)
        self.assertEqual(503, kept.publish(expires=0).status)
        self.await_refusal(lambda: eve.subscribe(bob.address).answer)
        self.assertEqual(503, watching.subscribe(300).status)
        # who only looks is told, and of the old state alone
        fetched = eve.subscribe(bob.address, expires=0)
        self.assertEqual(200, fetched.answer.status)
        self.assertIn("before", fetched.notice().body)
        # what runs out meanwhile has run out, and is not struggled for
        watching.until(lambda one: "brief" not in one.body)
        changes = self.changes()
        time.sleep(2)
        self.assertLess(self.changes() - changes, 100)
        self.assertFalse([one for one in watching.notices if "never" in one.body or "brief" in one.body])
        os.unlink(f"{path}/filler")
        self.box.wait_for("is written again")
        self.assertEqual(200, kept.publish(pidf(bob.address, note="after")).status)
        watching.until(lambda one: "after" in one.body)
        self.assertEqual(200, watching.subscribe(300).status)
        before = {row["call_id"] for row in self.rows("show", "subscriptions", "bob@example.com")}
        self.assertIn(watching.call_id, before)
        self.kill()
        self.start(**how)
        self.assertEqual(before, {row["call_id"] for row in self.rows("show", "subscriptions", "bob@example.com")})
        row, = self.rows("show", "presentity", "bob@example.com")
        self.assertEqual(1, row["publications"])
        self.assertIn("after", row["document"])
        self.assertEqual(200, kept.publish().status)
        self.assertEqual(0, self.box.stop(), self.box.output())


if __name__ == "__main__":
    tap.main()
