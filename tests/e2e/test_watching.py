#!/usr/bin/env python3
"""A hundred watch one user while messages are lost and strowger is killed: all end up with his newest state, and no NOTIFY
overtakes another (watcher.py looks)."""
import contextlib
import re
import select
import time
import unittest

import box
import tap
from test_presence import CONFIG, Presence
from watcher import Watcher, pidf

WATCHERS, STATES = 100, 30
T1, TRIES = 0.3, 60


class Crowd:
    """Watchers whose sockets are served by turns."""

    def __init__(self, target, n):
        self.phones = [Watcher(f"watcher{number}") for number in range(n)]
        self.subscriptions = []
        for phone in self.phones:
            subscription = phone.subscribe(target)
            assert subscription.answer.status == 200, subscription.answer.text
            subscription.notice()  # it must be answered while the others are still to come
            self.subscriptions.append(subscription)

    def close(self):
        for phone in self.phones:
            phone.close()

    def serve(self, seconds, done=lambda: False):
        """Whatever comes, for so long, or until that is true of all."""
        end = time.monotonic() + seconds
        by_socket = {phone.socket: phone for phone in self.phones}
        while time.monotonic() < end and not done():
            for ready in select.select(list(by_socket), [], [], 0.1)[0]:
                by_socket[ready].hear_until(lambda: False, 0.001)
        return done()

    def newest(self):
        """What each was told last; None: nothing."""
        for subscription in self.subscriptions:
            subscription.notices = subscription.notices[-1:]
        return [(one.notices[-1].notes() or [None])[0] if one.notices and one.notices[-1].body else None
                for one in self.subscriptions]


class Watching(Presence):
    @classmethod
    def setUpClass(cls):
        # dialogs are found again by tags that the secret makes
        cls.extra = ""
        super().setUpClass()
        assert cls.box.stop() == 0
        cls.config = CONFIG.replace("path = {folder}/store\n", "path = {folder}/store\nsecret_file = {folder}/secret\n")
        cls.config = cls.config.format(folder=cls.folder.name)
        cls.box = box.Box(cls.config, workers=cls.workers).start()

    @contextlib.contextmanager
    def loss(self, percent):
        """At the phones' end of the link. Not every kernel has netem; nftables loses packets just as well."""
        chain = "chain %s {{ type filter hook %s device outside priority 0; ip protocol udp numgen random mod 100 < {} drop; }}\n"
        rules = "".join((chain % hook).format(percent) for hook in (("in", "ingress"), ("out", "egress")))
        done = box.run_in(box.CLIENT, "nft", "-f", "-", input=f"table netdev loss {{ {rules} }}")
        self.assertEqual(0, done.returncode, done.stderr)
        try:
            yield
        finally:
            box.run_in(box.CLIENT, "nft", "delete", "table", "netdev", "loss")

    def publish(self, bob, crowd, note, etag):
        """A PUBLISH that is sent again until it is answered (RFC 3261 17.1.2); the new entity-tag."""
        bob.published += 1
        lines = ["Event: presence", "Expires: 3600", "Content-Type: application/pidf+xml"]
        lines += [f"SIP-If-Match: {etag}"] if etag else []
        text = bob.request("PUBLISH", bob.address, lines=lines, body=pidf(bob.address, "open", note),
                           call_id=f"p{bob.published}@{bob.sent_by}", cseq=bob.published)
        for _ in range(TRIES):
            bob.send(text)
            crowd.serve(T1)
            bob.hear_until(lambda: bob.answers, 0.05)
            for (call_id, _), answer in list(bob.answers.items()):
                bob.answers.clear()
                if call_id == f"p{bob.published}@{bob.sent_by}":
                    self.assertEqual(200, answer.status, answer.text)
                    return answer.get("SIP-ETag")
        self.fail(f"no answer to PUBLISH {note}")

    def test_all_end_up_with_the_newest_state(self):
        bob = self.phone("bob")
        crowd = Crowd(bob.address, WATCHERS)
        self.addCleanup(crowd.close)
        etag = ""
        with self.loss(1):
            for number in range(STATES):
                etag = self.publish(bob, crowd, f"state {number}", etag)
                if number == STATES // 2:
                    self.restart(kill=True)
            wanted = f"state {STATES - 1}"
            told = lambda: all(note == wanted for note in crowd.newest())
            self.assertTrue(crowd.serve(60, told), crowd.newest())
        loaded = re.search(r"(\d+) publications? and (\d+) subscriptions? loaded", self.box.output())
        self.assertEqual(("1", str(WATCHERS)), loaded.groups())
        # they go on in the dialogs that they have
        for subscription in crowd.subscriptions[:10]:
            self.assertEqual(200, subscription.subscribe(600).status)
            self.assertEqual("active", subscription.until(lambda one: wanted in one.body).state)


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
