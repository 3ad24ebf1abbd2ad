#!/usr/bin/env python3
"""Lists of five hundred (RFC 4662): all are named at first, over UDP in fragments, over a connection, and over one
that is made because the NOTIFY is too large for UDP (RFC 3261 18.1.1)."""
import re
import select
import socket
import time

import box
import tap
from stream_phone import StreamPhone
from test_presence import Presence
from watcher import LISTS, Watcher, Watching, pidf

MEMBERS = 500
URI = 80
TCP = """
[listener tcp]
address = 198.18.0.1:5060
transport = tcp
"""


class Connected(Watching, StreamPhone):
    """Over a connection of its own."""


class Listening(Watcher):
    """Over UDP, and takes connections at the same port; answers what came by one there."""

    def __init__(self, user, **how):
        super().__init__(user, **how)
        with box.inside(box.CLIENT):
            self.listener = socket.create_server(self.socket.getsockname())
        self.connection, self.by_tcp, self.came = None, False, []

    def close(self):
        for one in (self.connection, self.listener):
            if one is not None:
                one.close()
        super().close()

    def send(self, text):
        if self.by_tcp and text.startswith("SIP/2.0 "):
            self.connection.send(text)
        else:
            super().send(text)

    def receive(self, seconds=10, trying=False):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sockets = [self.socket, self.listener] + ([self.connection.socket] if self.connection else [])
            ready = select.select(sockets, [], [], max(0, end - time.monotonic()))[0]
            if self.listener in ready:
                self.connection = Accepted(self.listener.accept()[0])
            elif ready:
                self.by_tcp = self.socket not in ready
                message = self.connection.receive(10) if self.by_tcp else super().receive(1)
                if message.start.startswith("NOTIFY "):
                    self.came.append((self.by_tcp, message))
                return message
        raise TimeoutError


class Accepted(StreamPhone):
    def __init__(self, connection):
        self.socket, self.heard = connection, b""


def long_uri(number):
    return f"sip:member{number:03}".ljust(URI - len("@example.com"), "x") + "@example.com"


class Listed(Presence):
    """With a list of five hundred, of whom a few are there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.members = [long_uri(number) for number in range(MEMBERS)]
        cls.import_list("all@example.com", cls.members)

    @classmethod
    def import_list(cls, name, members):
        self = cls("run_ctl")
        self.ctl("list", "import", self.file("".join(f"{name},{uri}\n" for uri in members)))

    def watch(self, phone):
        self.addCleanup(phone.close)
        subscription = phone.subscribe("sip:all@example.com", lines=(f"Accept: {LISTS}", "Supported: eventlist"))
        self.assertEqual(200, subscription.answer.status, subscription.answer.text)
        return subscription

    def document(self, notice):
        return re.search(r'version="(\d+)"[^>]* fullState="(true|false)"', notice.body).groups()

    def hear(self, subscription, version):
        """All that is said of the list: [(bytes, URIs with a document)], the first of full state."""
        told, said = {}, []
        while len(told) < MEMBERS:
            notice = subscription.notice(20)
            number, full = self.document(notice)
            self.assertEqual((str(version + len(said)), "false" if said else "true"), (number, full))
            resources, parts = notice.resources(), {cid: text for cid, _, text in notice.parts()}
            if not said:
                self.assertEqual(set(self.members), set(resources))
            for uri, one in resources.items():
                if one["cid"] is not None:
                    self.assertNotIn(uri, told)
                    self.assertIn(f'entity="{uri}"', parts[one["cid"]])
                    told[uri] = parts[one["cid"]]
            said.append(len(notice.message.text))
        self.assertEqual(set(self.members), set(told))
        return said, told

    def follow(self, phone):
        """A whole subscription: all at first, then what changes, all again when it is asked for; its NOTIFYs' sizes."""
        ann = self.phone(self.members[77].removeprefix("sip:").partition("@")[0])
        publication, answer = ann.publish(pidf(ann.address, "open", "before"))
        self.assertEqual(200, answer.status, answer.text)
        subscription = self.watch(phone)
        said, told = self.hear(subscription, 0)
        self.assertIn("before", told[ann.address])
        publication.publish(pidf(ann.address, "open", "behind"))
        notice = subscription.notice()
        self.assertEqual([ann.address], list(notice.resources()))
        self.assertIn("behind", notice.body)
        subscription.subscribe(600)
        again, told = self.hear(subscription, len(said) + 1)
        self.assertIn("behind", told[ann.address])
        subscription.subscribe(0)
        subscription.until(lambda one: one.state == "terminated")
        publication.publish(expires=0)
        return said + again


class Fragmented(Listed):
    def test_five_hundred_over_udp(self):
        sizes = self.follow(self.phone())
        self.assertGreater(max(sizes), 40000)
        # only for the names' sake
        self.assertEqual(2, sum(size > 16384 for size in sizes))

    def test_five_hundred_over_ipv6(self):
        self.assertGreater(max(self.follow(self.phone(address="2001:db8::2"))), 40000)


class Carried(Listed):
    extra = TCP

    def counted(self):
        workers = self.box.ask("/strowger/transactions").values()
        return sum(one["large_by_tcp"] for one in workers), sum(one["large_by_udp"] for one in workers)

    def test_five_hundred_over_a_connection(self):
        sizes = self.follow(Connected("connected"))
        self.assertGreater(max(sizes), 40000)

    def test_what_is_too_large_comes_by_tcp(self):
        before = self.counted()
        phone = Listening("listening")
        self.follow(phone)
        phone.subscribe("sip:nobody@example.com").notice()  # says little
        for by_tcp, notify in phone.came:
            self.assertEqual(len(notify.text) > 1300, by_tcp, notify.text[:1000])
            self.assertTrue(notify.get("Via").startswith(f"SIP/2.0/{'TCP' if by_tcp else 'UDP'} "), notify.get("Via"))
            # where the watcher's own requests go, as ever
            self.assertEqual("<sip:198.18.0.1:5060", notify.get("Contact").partition(";")[0].rstrip(">"))
        by_tcp = sum(one for one, _ in phone.came)
        self.assertLess(0, by_tcp)
        self.assertLess(by_tcp, len(phone.came))
        self.assertEqual((before[0] + by_tcp, before[1]), self.counted())

    def test_who_takes_no_connection_gets_it_by_udp(self):
        before = self.counted()
        sizes = self.follow(self.phone())
        self.assertGreater(max(sizes), 40000)
        self.assertEqual((before[0] + 1, before[1] + 1), self.counted())


if __name__ == "__main__":
    tap.main()
