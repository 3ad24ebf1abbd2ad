#!/usr/bin/env python3
"""Phones that others wrote: baresip, over TLS and over UDP, and SIPp for what it cannot. tests/e2e/run makes the network."""
import os
import time

import box
import sipp
import stream_box
import tap
from baresip import Baresip
from stream_box import TLS, Streamed

SERVERS = {"udp": f"sip:{box.ADDRESS4}:{box.PORT};transport=udp", "tls": f"sip:{box.ADDRESS4}:{TLS};transport=tls"}
PUBLISHED = 20  # seconds that a publication of baresip's lasts
PRESENCE = """
[store]
path = {folder}/store
secret_file = {folder}/secret
[presence]
serve = yes
notify_interval = 100ms
publish_min = 1
"""


class Phones(Streamed):
    def phone(self, user, transport, port, first=(), **how):
        return Baresip(user, SERVERS[transport], port, self.authority.file, first, **how)


class Calls(Phones):
    def test_a_phone_over_tls_and_one_over_udp_call_each_other(self):
        with self.phone("secure", "tls", 5090) as secure:
            secure.wait_for("200 OK")
            with self.phone("plain", "udp", 5092, ["/dial sip:secure@example.com"]) as plain:
                plain.wait_for("Call established")
                secure.wait_for("Call established")
            secure.wait_for("session closed")
            with self.phone("other", "udp", 5094) as other:
                other.wait_for("200 OK")
                with self.phone("another", "tls", 5096, ["/dial sip:other@example.com"]) as another:
                    another.wait_for("Call established")
                    other.wait_for("Call established")
                other.wait_for("session closed")


class Friends(Phones):
    """Who watch each other. A baresip that starts publishes when it is registered and after 10 ms; when it does both at
    once it forgets the first of two publications, which is gone when it expires. So every wait is longer than that."""
    config = stream_box.CONFIG + PRESENCE
    patience = PUBLISHED + 20

    def friend(self, user, transport, port, *friends):
        return self.phone(user, transport, port, friends=friends, publish=PUBLISHED)

    def await_words(self, wanted, *words):
        """strowgerctl says this to those words."""
        end = time.monotonic() + self.patience
        while wanted not in (said := self.ctl(*words)):
            self.assertLess(time.monotonic(), end, said)
            time.sleep(0.1)

    def await_nobody(self, *users):
        self.await_words("nobody watches", "show", "subscriptions")
        for user in users:
            self.await_words("neither watched nor published", "show", "presentity", f"{user}@example.com")

    def restart(self):
        """As after a power cut."""
        command, config = self.box.process, self.box.config
        command.kill()
        command.wait()
        self.box.clear()
        with open(config, encoding="utf-8") as file:
            type(self).box = box.Box(file.read(), workers=self.workers)
        os.unlink(f"{self.folder.name}/control")
        self.box.start()

    def test_two_see_when_the_other_comes_changes_and_goes(self):
        with self.friend("ann", "udp", 5100, "ben") as ann:
            with self.friend("ben", "tls", 5102, "ann") as ben:
                ann.wait_until("ben", "Online")
                ben.wait_until("ann", "Online")
                ann.type("presence_offline")
                ben.wait_until("ann", "Offline")
                self.assertEqual({"ben": "Online"}, ann.friends())
                self.await_words("<basic>closed</basic>", "show", "presentity", "ann@example.com")
                ann.type("presence_online")
                ben.wait_until("ann", "Online")
                ben.type("presence_offline")
                ann.wait_until("ben", "Offline")
                watching = self.ctl("show", "subscriptions")
                self.assertEqual(2, watching.count(" active "), watching)
                ben.type("presence_online")
                ann.wait_until("ben", "Online")
                self.assertEqual(0, ben.leave(), ben.said())
            ann.wait_until("ben", "Offline", self.patience)
            watching = self.ctl("show", "subscriptions")
            self.assertEqual((1, 0), (watching.count("ben@example.com"), watching.count("sip:ben@")), watching)
            self.assertEqual(0, ann.leave(), ann.said())
        self.await_nobody("ann", "ben")

    def test_a_friend_is_seen_to_be_busy(self):
        """baresip shows that somebody is busy, and has no word to say it itself: SIPp says it."""
        with self.friend("cid", "udp", 5104, "dot") as cid:
            cid.wait_until("dot", "Offline")
            etag = self.publish("dot", "unknown")
            cid.wait_until("dot", "Online")
            etag = self.publish("dot", "busy", etag)
            cid.wait_until("dot", "Busy")
            self.publish("dot", "away", etag)
            cid.wait_until("dot", "Offline")

    def test_friends_go_on_after_a_kill_and_a_restart(self):
        with self.friend("eve", "udp", 5106, "fay") as eve, self.friend("fay", "udp", 5108, "eve") as fay:
            eve.wait_until("fay", "Online")
            fay.wait_until("eve", "Online")
            eve.type("presence_offline")
            fay.wait_until("eve", "Offline")
            told = fay.said().count("changed status")
            self.restart()
            watching = self.ctl("show", "subscriptions")
            self.assertEqual(2, watching.count(" active "), watching)
            self.await_words("<basic>closed</basic>", "show", "presentity", "eve@example.com")
            fay.type("presence_offline")
            eve.wait_until("fay", "Offline")
            self.assertEqual({"eve": "Offline"}, fay.friends())
            self.assertEqual(told, fay.said().count("changed status"), fay.said())
            eve.type("presence_online")
            fay.wait_until("eve", "Online")

    # SIPp.

    def publish(self, user, activity, etag=None):
        """The entity-tag of what SIPp published."""
        log = f"{self.folder.name}/{user}.{activity}"
        sipp.play("publish_again.xml" if etag else "publish.xml", 5110, 1, user=user, field2=activity, field3=etag or "",
                  options=["-trace_logs", "-log_file", log])
        with open(log, encoding="ascii") as file:
            return file.read().strip()

    def test_a_crowd_of_sipp_is_told_that_a_sipp_is_busy(self):
        crowd, log = 20, f"{self.folder.name}/watched"

        def told():
            with open(log, encoding="ascii") as file:
                return file.read().split()

        etag = self.publish("gus", "meeting")
        # room for what comes for all of them at once: SIPp takes a packet that its socket lost for a fault
        watchers = sipp.Caller("watch.xml", 5112, crowd, user="gus",
                               options=["-trace_logs", "-log_file", log, "-buff_size", 1 << 20])
        end = time.monotonic() + 20
        while not os.path.exists(log) or told().count("meeting") < crowd:
            self.assertLess(time.monotonic(), end, watchers.said())
            time.sleep(0.1)
        self.assertEqual(crowd, self.ctl("show", "subscriptions", "gus@example.com").count(" active "))
        self.publish("gus", "busy", etag)
        watchers.wait()
        self.assertEqual(["meeting"] * crowd + ["busy"] * crowd, told())
        self.await_words("nobody watches", "show", "subscriptions", "gus@example.com")


if __name__ == "__main__":
    tap.main()
