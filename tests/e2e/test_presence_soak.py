#!/usr/bin/env python3
"""A crowd that watches and publishes over every transport does its worst, while the operator changes his mind: others go on
being told the truth, and then nothing may be left. tests/e2e/run makes the network.

STROWGER_SOAK_SECONDS asks for more than the usual few, STROWGER_SOAK_SEED for another order, STROWGER_SOAK_RATE for more or
fewer acts a second.
"""
import os
import signal
import subprocess
import sys
import time

import box
import tap
from presence_crowd import PresenceCrowd
from stream_box import CONFIG, CTL, TLS, WS, WSS, Streamed
from watcher import Watcher, pidf

SECONDS = int(os.environ.get("STROWGER_SOAK_SECONDS", "20"))
SEED = int(os.environ.get("STROWGER_SOAK_SEED", "1"))
RATE = int(os.environ.get("STROWGER_SOAK_RATE", "300"))
SILENCE = 60  # seconds at most until all that was asked for, and every timer, ran out
MEMBERS = 48
PORTS = {"UDP": box.PORT, "TCP": box.PORT, "TLS": TLS, "WS": WS, "WSS": WSS}
# What a reload may change, one after the other; None: what it must refuse.
CHANGES = (("policy = domain", "policy = list"), ("polite = yes", "polite = no"), ("notify_interval = 100ms", "notify_interval = 0"),
           None, ("registered = yes", "registered = no"), ("source_max = 5000", "source_max = 20"), ("policy = domain", "policy = open"))
RULES = ("allow", "block", "polite", "confirm", "forget")
LEFT = ("presentities", "publications", "subscriptions", "pending", "sources", "bytes", "deferred")


class Soaked(Streamed):
    config = CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 100ms\nt2 = 400ms\nt4 = 500ms\n").replace(
        "mbufs = 8192", "mbufs = 16384") + """
[store]
path = {folder}/store
[presence]
serve = yes
policy = domain
polite = yes
registered = yes
notify_interval = 100ms
expires_min = 1
publish_min = 1
source_max = 5000
"""

    def setUp(self):
        self.reloads = self.commands = self.changes = 0
        self.bob, self.ann = Watcher("bob"), Watcher("ann")
        self.addCleanup(self.bob.close)
        self.addCleanup(self.ann.close)
        self.ctl("presence", "allow", "bob@example.com", "ann@example.com")
        self.ctl("list", "add", "friends@example.com", *(f"m{n}@example.com" for n in range(8)))

    def ctl(self, *words):
        """Of a command that may make no sense any more."""
        self.commands += 1
        done = subprocess.run([CTL, "--socket", f"{self.folder.name}/control", *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        self.assertIn(done.returncode, (0, 1), done.stderr)

    def reload(self):
        change = CHANGES[self.reloads % len(CHANGES)]
        self.reloads += 1
        config = self.config.format(folder=self.folder.name)
        with open(self.box.config, "w", encoding="utf-8") as file:
            file.write(config.replace(*change) if change else config + "[route x]\nuser = /(/\n")
        self.box.process.send_signal(signal.SIGHUP)

    def command(self, crowd):
        who, whom = (crowd.dice.choice(crowd.members[:8]).user for _ in range(2))
        if crowd.dice.randrange(4):
            self.ctl("presence", crowd.dice.choice(RULES), f"{who}@example.com", crowd.dice.choice((f"{whom}@example.com", "*@example.com", "*")))
        else:
            self.ctl("list", crowd.dice.choice(("add", "del")), "friends@example.com", f"m{crowd.dice.randrange(20)}@example.com")

    def tell_the_truth(self):
        """Bob changes, and ann, whom he allowed, hears of it, whatever else goes on."""
        self.changes += 1
        body = pidf(self.bob.address, note=f"change {self.changes}")
        if self.changes % 5 == 1:
            self.publication, answer = self.bob.publish(body, expires=30)
            self.watching = self.ann.subscribe(self.bob.address, expires=30)
            self.assertEqual(200, self.watching.answer.status, self.watching.answer.text)
        else:
            answer = self.publication.publish(body, expires=30)
        self.assertEqual(200, answer.status, answer.text)
        self.watching.until(lambda one: one.body and f"change {self.changes}" in one.notes())
        if self.changes % 5 == 0:
            self.assertEqual(200, self.publication.publish(expires=0).status)
            self.assertEqual(200, self.watching.subscribe(0).status)
            self.watching.until(lambda one: one.state == "terminated")

    def left(self):
        rows = self.box.ask("/strowger/presence").values()
        counts = {name: sum(row[name] for row in rows) for name in LEFT}
        rows = self.box.ask("/strowger/transactions").values()
        counts |= {name: sum(row[name] for row in rows) for name in ("records", "branches", "kept")}
        counts["waiting"] = self.box.ask("/strowger/store")["waiting"]
        return {name: count for name, count in counts.items() if count}

    def buffers(self):
        """That are in use, of each pool."""
        return {pool: row["size"] - row["free"] for pool, row in self.box.ask("/strowger/buffers").items()}

    def await_nothing(self, what, left, crowd=None):
        end = time.monotonic() + SILENCE
        while found := left():
            self.assertLess(time.monotonic(), end, f"{what}: {found}")
            crowd.turn(0.2) if crowd else time.sleep(0.2)

    def connections(self):
        counts = {name: row["connections"] for name, row in self.streams().items() if isinstance(row, dict) and "connections" in row}
        counts |= {name: self.streams()[name] for name in ("handshaking", "bytes_held")}
        return {name: count for name, count in counts.items() if count}

    def test_nothing_is_left_of_a_crowd(self):
        print(f"# seed {SEED}, {RATE} acts a second", file=sys.stderr)
        crowd = PresenceCrowd(SEED, MEMBERS, PORTS, self.secure())
        self.addCleanup(crowd.close)
        for _ in range(5):
            self.tell_the_truth()
        held = self.buffers()
        due = {self.reload: time.monotonic() + 1, self.tell_the_truth: time.monotonic() + 0.5}

        def between():
            if self.box.process.poll() is not None:
                raise AssertionError(f"exit status {self.box.process.poll()}:\n{self.box.output()[-20000:]}")
            now = time.monotonic()
            for act, at in due.items():
                if now > at:
                    act()
                    due[act] = time.monotonic() + 1.3
                    self.command(crowd)

        crowd.play(SECONDS, RATE, between)
        while self.changes % 5:
            self.tell_the_truth()
        crowd.settle(lambda: not crowd.later)
        self.await_nothing("is left", self.left, crowd)
        crowd.close()
        self.await_nothing("is left", lambda: self.connections() or self.left())
        self.report(crowd)
        # but for what rings of the driver hold, more or less
        self.await_nothing("buffers", lambda: {pool: count for pool, count in self.buffers().items() if count > held[pool] + 256})

    def report(self, crowd):
        rows = self.box.ask("/strowger/presence").values()
        counts = {name: sum(row[name] for row in rows) for name in next(iter(rows))}
        print(f"# asked {dict(crowd.asked)}, heard {dict(crowd.heard)}, left {crowd.left} times; {self.reloads} reloads, "
              f"{self.commands} commands, {self.changes} changes told", file=sys.stderr)
        print(f"# {({name: count for name, count in counts.items() if count})}", file=sys.stderr)
        for name in ("subscribed", "refreshed", "fetched", "ended", "published", "changed", "prolonged", "removed", "repeated", "unmatched",
                     "bad_body", "notified", "composed", "answered", "failed", "resent"):
            self.assertGreater(counts[name], 0, name)
        self.assertIn("refused", self.box.output())
        self.assertIn("reloaded", self.box.output())


if __name__ == "__main__":
    tap.main()
