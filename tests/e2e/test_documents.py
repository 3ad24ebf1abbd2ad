#!/usr/bin/env python3
"""Documents as strangers send them and as they leave: what is no use gets the answer that says why and changes nothing,
what is odd but right is passed on, and all that is told holds by the schema of its RFC. tests/e2e/run makes the network.
"""
import itertools
import pathlib
import re
import subprocess
import unittest.mock

import box
import tap
import test_presence
from test_presence import Presence, TcpWatcher
from watcher import LISTS, PIDF, Watcher, pidf

SCHEMAS = pathlib.Path(__file__).parents[1] / "document/schemas"
DIFFERENCES = "application/pidf-diff+xml"
DIALOGS, SUMMARY = "application/dialog-info+xml", "application/simple-message-summary"
TYPES = {PIDF: "presence", DIFFERENCES: "presence", DIALOGS: "dialog-info", "application/rlmi+xml": "rlmi",
         "application/watcherinfo+xml": "watcherinfo", "application/reginfo+xml": "reginfo"}
NUMBERS = itertools.count(1)
STRICT = test_presence.CONFIG.replace("publish_min = 1\n", "publish_min = 60\n")  # which can be undercut
LARGE = f"""
[listener tcp]
address = {box.ADDRESS4}:{box.PORT}
port = inside
transport = tcp
"""
FRAGMENTS_MAX = 11000  # bytes of a body, so that the datagram comes in the eight fragments that DPDK puts together
NS = 'xmlns="urn:ietf:params:xml:ns:pidf"'


def complaint(text, schema):
    """What xmllint has to say against a document; empty: nothing."""
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMAS / f"{schema}.xsd", "-"],
                          input=text.encode(), capture_output=True, check=False, timeout=60)
    return "" if done.returncode == 0 else done.stderr.decode() + text


def open_tuple(name):
    return f'<tuple id="{name}"><status><basic>open</basic></status></tuple>'


def document(inside, before="", root=""):
    """Of the user whose address is put in place of USER."""
    return f'{before}<presence {NS} entity="USER"{root}>{inside}</presence>'


def nested(deep):
    return '<x:a xmlns:x="urn:x">' * deep + "</x:a>" * deep


def typed(body, kind=PIDF, *lines):
    return [f"Content-Type: {kind}", *lines], body


BOMB = ('<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa">' +
        "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in itertools.pairwise("abcdefghi")) + "]>")
FINE = document(open_tuple("t"))

# (what it is, its header lines and its body, the answer)
REFUSED = (
    ("broken", typed("<presence"), 400),
    ("cut off", typed(FINE[:-5]), 400),
    ("no XML", typed("I am here"), 400),
    ("nothing", ([], ""), 400),
    ("nothing of a type", typed(""), 400),
    ("of somebody else", typed(FINE.replace("USER", "sip:somebody.else@example.com")), 400),
    ("of nobody", typed(FINE.replace("USER", "")), 400),
    ("of no address", typed(FINE.replace("USER", "http://example.com/")), 400),
    ("another root", typed(f'<tuple {NS} id="t"><status/></tuple>'), 400),
    ("another namespace", typed(FINE.replace("ns:pidf", "ns:fidp")), 400),
    ("a bomb", typed(document("<note>&i;</note>", BOMB)), 400),
    ("a document type", typed(document("", "<!DOCTYPE presence>")), 400),
    ("an outer document type", typed(document("", '<!DOCTYPE presence SYSTEM "file:///etc/passwd">')), 400),
    ("an outer entity",
     typed(document("<note>&a;</note>", '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]>')), 400),
    ("an outer parameter entity",
     typed(document("", '<!DOCTYPE p [<!ENTITY % a SYSTEM "http://198.18.0.2/"> %a;]>')), 400),
    ("an entity of nobody", typed(document("<note>&a;</note>")), 400),
    ("an instruction", typed(document("", '<?xml-stylesheet href="http://198.18.0.2/"?>')), 400),
    ("an instruction within", typed(document("<?php exit ?>")), 400),
    ("UTF-16", typed(document(open_tuple("t")).encode("utf-16")), 400),
    ("UTF-16 without a mark", typed(document(open_tuple("t")).encode("utf-16-be")), 400),
    ("UTF-16 by name", typed(document("", '<?xml version="1.0" encoding="UTF-16"?>')), 400),
    ("latin-1", typed(document("<note>\u00e4</note>").encode("latin-1")), 400),
    ("latin-1 by name",
     typed(document("<note>\u00e4</note>", '<?xml version="1.0" encoding="ISO-8859-1"?>').encode("latin-1")), 400),
    ("latin-1 by its type",
     typed(document("<note>\u00e4</note>").encode("latin-1"), f"{PIDF};charset=ISO-8859-1"), 415),
    ("a NUL", typed(document("<note>a\0b</note>")), 400),
    ("an id twice", typed(document(open_tuple("t") * 2)), 400),
    ("no id", typed(document("<tuple><status/></tuple>")), 400),
    ("no status", typed(document('<tuple id="t"/>')), 400),
    ("half open", typed(FINE.replace("open", "ajar")), 400),
    ("too deep", typed(document(nested(30))), 413),
    ("much too deep", typed(document(nested(500))), 413),
    ("too many tuples", typed(document("".join(f'<tuple id="a{i}"><status/></tuple>' for i in range(100)))), 413),
    ("many more", typed(document("".join(f'<tuple id="a{i}"><status/></tuple>' for i in range(440)))), 413),
    ("too long", typed(document("<note>" + "x" * 8192 + "</note>")), 413),
    ("another type", typed("hello", "text/plain"), 415),
    ("no type", ([], FINE), 415),
    ("many parts", typed("--b\r\n\r\n--b--", "multipart/mixed;boundary=b"), 415),
    ("an encoding", typed(FINE, PIDF, "Content-Encoding: gzip"), 415),
    ("a tag that never was", typed(FINE, PIDF, "SIP-If-Match: 0123456789abcdef"), 412),
    ("a tag that is none of ours", typed(FINE, PIDF, "SIP-If-Match: *"), 412),
    ("two tags", typed(FINE, PIDF, "SIP-If-Match: a", "SIP-If-Match: b"), 400),
    ("a refresh of nothing", (["SIP-If-Match: 0123456789abcdef"], ""), 412),
    ("a removal of nothing", (["SIP-If-Match: 0123456789abcdef", "Expires: 0"], ""), 412),
    ("too brief", typed(FINE, PIDF, "Expires: 59"), 423),
)

# (what it is, its body, what stands in the document that watchers get)
ODD = (
    ("a byte order mark", "\ufeff" + FINE, open_tuple("t")),
    ("CDATA", document("<note><![CDATA[<&>]]></note>"), "<note>&lt;&amp;&gt;</note>"),
    ("a comment", document("<!-- a -->" + open_tuple("t") + "<!-- b -->"), open_tuple("t")),
    ("a language", document('<note xml:lang="de">\u00e4</note>'), '<note xml:lang="de">\u00e4</note>'),
    ("references", document("<note>&#228;&#x1F600;&amp;</note>"), "<note>\u00e4\U0001f600&amp;</note>"),
    ("a prefix for all", FINE.replace("xmlns=", "xmlns:q=").replace("</", "</q:").replace("<p", "<q:p").replace(
        "<tuple", "<q:tuple").replace("<status", "<q:status").replace("<basic", "<q:basic"), open_tuple("t")),
    ("namespaces declared again",
     document(f'<x:a xmlns:x="urn:one"><x:b xmlns:x="urn:two"><note {NS}>n</note></x:b></x:a>'),
     '<n1:a xmlns:n1="urn:one"><n2:b xmlns:n2="urn:two"><note>n</note></n2:b></n1:a>'),
    ("an order of its own",
     document('<tuple id="t"><contact>sip:a@b</contact><status><basic>open</basic></status></tuple>'),
     '<tuple id="t"><status><basic>open</basic></status><contact>sip:a@b</contact></tuple>'),
    ("deep, but not too deep", document(nested(20)), "<n1:a/>" + "</n1:a>" * 19),
    ("a pres URI", FINE.replace("USER", "pres:NAME"), open_tuple("t")),
    ("nothing known", document(""), f'<presence {NS} entity="USER"></presence>'),
)


class Strange(Presence):
    extra = LARGE

    @classmethod
    def setUpClass(cls):
        with unittest.mock.patch("test_presence.CONFIG", STRICT):
            super().setUpClass()

    def phone(self, user=None, kind=TcpWatcher, **how):
        phone = kind(user or f"strange{next(NUMBERS)}", **how)
        self.addCleanup(phone.close)
        return phone

    def publish(self, phone, lines, body, event="presence", to=None):
        """The answer to a PUBLISH of these lines and bytes."""
        if isinstance(body, str):
            body = body.replace("USER", phone.address).replace("NAME", phone.address[4:]).encode()
        elif b"USER" not in body and b"\0" in body:  # of two bytes a letter
            name = "utf-16-be" if body.startswith(b"\0") else "utf-16"
            body = body.decode(name).replace("USER", phone.address).encode(name)
        body = body.replace(b"USER", phone.address.encode())
        call_id = f"strange{next(NUMBERS)}"
        lines = [*([f"Event: {event}"] if event else []), *lines]
        head = phone.request("PUBLISH", to or phone.address, lines=lines, call_id=call_id)
        head = head.replace("Content-Length: 0\r\n", f"Content-Length: {len(body)}\r\n")
        phone.send(head.encode() + body)
        return phone.answer_to(call_id, "1 PUBLISH")

    def told(self, subscription):
        """The next NOTIFY's body, which is valid."""
        notice = subscription.notice()
        self.assertEqual("", complaint(notice.body, TYPES[notice.type]))
        return notice.body

    def test_what_is_no_use_is_refused_and_changes_nothing(self):
        bob, ann = self.phone(), self.phone()
        self.assertEqual(200, bob.publish(pidf(bob.address, note="still here"))[1].status)
        subscription = ann.subscribe(bob.address)
        before = self.told(subscription)
        self.assertIn("still here", before)
        for what, (lines, body), status in REFUSED:
            with self.subTest(what):
                answer = self.publish(bob, lines, body)
                self.assertEqual(status, answer.status, answer.text)
                self.assertEqual("", answer.get("SIP-ETag"))
                if status == 415:
                    self.assertTrue(answer.get("Accept") or answer.get("Accept-Encoding"), answer.text)
                if status == 423:
                    self.assertEqual("60", answer.get("Min-Expires"))
        for what, event, to, status in (("no event", "", None, 489), ("an unknown event", "weather", None, 489),
                                        ("an event that nobody publishes", "reg", None, 489),
                                        ("in another's name", "presence", ann.address, 403)):
            with self.subTest(what):
                answer = self.publish(bob, *typed(FINE), event=event, to=to)
                self.assertEqual(status, answer.status, answer.text)
                self.assertEqual(status == 489, bool(answer.get("Allow-Events")))
        self.assertTrue(subscription.silence())
        self.assertEqual(200, bob.publish(pidf(bob.address, note="more of it", tuple_id="t2"))[1].status)
        after = self.told(subscription)
        self.assertIn("still here", after)
        self.assertIn("more of it", after)

    def test_over_udp_they_are_refused_as_well(self):
        bob = self.phone(kind=Watcher)
        for what, (lines, body), status in REFUSED:
            if len(body) < FRAGMENTS_MAX:
                with self.subTest(what):
                    self.assertEqual(status, self.publish(bob, lines, body).status)

    def test_what_is_odd_is_passed_on(self):
        for what, body, wanted in ODD:
            with self.subTest(what):
                bob, ann = self.phone(), self.phone()
                self.assertEqual(200, self.publish(bob, *typed(body)).status)
                said = self.told(ann.subscribe(bob.address))
                self.assertIn(wanted.replace("USER", bob.address), said)

    def test_ids_of_several_devices_do_not_meet(self):
        bob, ann = self.phone(), self.phone()
        for _ in range(3):
            self.assertEqual(200, self.publish(bob, *typed(FINE)).status)
        said = self.told(ann.subscribe(bob.address))
        self.assertEqual({"t", "t.2", "t.3"}, set(re.findall(r'tuple id="([^"]*)"', said)))

    def test_time_is_granted_within_its_bounds(self):
        bob = self.phone()
        publication, answer = bob.publish(expires=99999999)
        self.assertEqual((200, "7200"), (answer.status, answer.get("Expires")))
        answer = publication.publish(expires=1)
        self.assertEqual((423, "60"), (answer.status, answer.get("Min-Expires")))
        answer = publication.publish(expires=60)
        self.assertEqual((200, "60"), (answer.status, answer.get("Expires")))
        answer = publication.publish(pidf(bob.address, "closed"), expires=61)  # with a body it is another state
        self.assertEqual((200, "61"), (answer.status, answer.get("Expires")))
        self.assertEqual(412, publication.publish(etag=answer.get("SIP-ETag")[::-1]).status)
        self.assertEqual("0", publication.publish(expires=0).get("Expires"))


class Leaving(Presence):
    """Each package, on the wire."""
    extra = "policy = open\n"

    def told(self, subscription, *wanted):
        """What xmllint says of all that comes until one has these words."""
        while True:
            notice = subscription.notice()
            parts = notice.parts() if notice.type.startswith("multipart/") else [("", notice.type, notice.body)]
            for _, kind, text in parts:
                self.assertEqual("", complaint(text, TYPES[kind]) if kind != SUMMARY else "")
            if all(word in notice.body for word in wanted):
                return notice

    def test_presence_whole_and_in_differences(self):
        bob, ann, eve = self.phone(), self.phone(), self.phone()
        publication, _ = bob.publish()
        whole = ann.subscribe(bob.address)
        partial = eve.subscribe(bob.address, lines=[f"Accept: {PIDF}, {DIFFERENCES}"])
        self.told(whole, "open")
        self.assertIn("pidf-full", self.told(partial, "open").body)
        for note in ("a &lt; b", "\u00e4 &amp; \u00f6", "none"):
            publication.publish(pidf(bob.address, note=note, contact="sip:bob@a.example.com;long=" + "x" * 200))
            self.told(whole, note)
            self.told(partial, note)

    def test_watchers_registrations_dialogs_and_messages(self):
        bob, ann = self.phone(), self.phone()
        watched = bob.subscribe(bob.address, "presence.winfo", lines=[])
        ann.subscribe(bob.address)
        self.told(watched, ann.address)
        registered = bob.subscribe(bob.address, "reg", lines=[])
        self.told(registered, "init")
        bob.register(contact=f"<sip:{bob.user}&'@{bob.sent_by};a=%3C>")
        self.told(registered, "active", "&amp;")
        bob.register(0, contact="*")
        self.told(registered, "terminated", 'event="unregistered"')
        calls = ann.subscribe(bob.address, "dialog", lines=[f"Accept: {DIALOGS}"])
        self.told(calls)
        bob.publish('<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="4" state="full" '
                    f'entity="{bob.address}"><dialog id="&lt;1&gt;"><state>early</state></dialog></dialog-info>',
                    event="dialog", kind=DIALOGS)
        self.told(calls, "early", 'version="1"')
        mailbox = bob.subscribe(bob.address, "message-summary", lines=[])
        self.assertEqual(f"Messages-Waiting: no\r\nMessage-Account: {bob.address}\r\n", self.told(mailbox).body)
        bob.publish("Messages-Waiting: yes\r\nVoice-Message: 1/2\r\n\r\nSubject: secret\r\n", event="message-summary",
                    kind=SUMMARY)
        self.assertEqual("Messages-Waiting: yes\r\nVoice-Message: 1/2\r\n", self.told(mailbox, "yes").body)

    def test_a_list_and_its_parts(self):
        bob, ann, cy = self.phone(), self.phone(), self.phone()
        name = f"valid-{ann.user}@example.com"
        self.ctl("list", "add", name, bob.address, cy.address, "sip:else&where@example.net")
        self.ctl("presence", "polite", cy.address, ann.address)
        bob.publish()
        subscription = ann.subscribe(f"sip:{name}", lines=["Supported: eventlist", f"Accept: {LISTS}"])
        notice = self.told(subscription, "open")
        cids = [cid for cid, kind, _ in notice.parts() if kind == PIDF]
        self.assertEqual(sorted(cids), sorted(one["cid"] for one in notice.resources().values() if one["cid"]))


if __name__ == "__main__":
    tap.main()
