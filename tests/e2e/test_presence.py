#!/usr/bin/env python3
"""Presence as its users and its operator see it, against a running strowger. tests/e2e/run makes the network."""
import itertools
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import box
import flows
import tap
from stream_phone import StreamPhone
from watcher import LISTS, PIDF, Watcher, Watching, pidf

CTL = os.environ.get("STROWGERCTL") or str(pathlib.Path(os.environ["STROWGER"]).parents[1] / "strowgerctl/strowgerctl")
CONFIG = box.CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 40ms\nt2 = 160ms\n") + """
[control]
socket = {folder}/control
[store]
path = {folder}/store
[presence]
serve = yes
notify_interval = 100ms
expires_min = 1
publish_min = 1
"""
USERS = itertools.count(1)


class Presence(unittest.TestCase):
    """A strowger of its own for each class, with what it keeps in a folder."""
    workers = 2
    extra = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="strowger-presence-")
        cls.socket = os.path.join(cls.folder.name, "control")
        cls.config = (CONFIG + cls.extra).format(folder=cls.folder.name)
        cls.box = box.Box(cls.config, workers=cls.workers).start()

    @classmethod
    def tearDownClass(cls):
        status = cls.box.stop()
        cls.folder.cleanup()
        assert status == 0, f"exit status {status}:\n{cls.box.output()}"

    @classmethod
    def restart(cls, kill=False):
        if kill:
            cls.box.process.kill()
            cls.box.process.wait()
            cls.box.clear()
            os.unlink(cls.socket)
        else:
            assert cls.box.stop() == 0, cls.box.output()
        cls.box = box.Box(cls.config, workers=cls.workers).start()

    def phone(self, user=None, **how):
        phone = Watcher(user or f"user{next(USERS)}", **how)
        self.addCleanup(phone.close)
        return phone

    def run_ctl(self, *words):
        return subprocess.run([CTL, "--socket", self.socket, *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def ctl(self, *words):
        """Of a command that succeeds: what it printed."""
        done = self.run_ctl(*words)
        self.assertEqual((0, ""), (done.returncode, done.stderr), words)
        return done.stdout

    def json(self, *words):
        return json.loads(self.ctl("--json", *words))

    def refused(self, *words):
        """Of one that does not: why."""
        done = self.run_ctl(*words)
        self.assertEqual((1, ""), (done.returncode, done.stdout), words)
        return done.stderr

    def file(self, text):
        path = os.path.join(self.folder.name, "lists.csv")
        pathlib.Path(path).write_text(text, encoding="utf-8")
        return path


class Commanded(Presence):
    def rules(self, user):
        return {row["watcher"]: row["rule"] for row in self.json("presence", "list", user)}

    def members(self, name):
        return [(row["member"], row["name"]) for row in self.json("list", "show", name)]

    def test_rules_outlive_a_restart_and_a_kill(self):
        for verb, watcher in (("allow", "carol@example.com"), ("block", "*@else.example"), ("polite", "tel:+4930123"),
                              ("confirm", "*")):
            self.ctl("presence", verb, "kept@example.com", watcher)
        self.ctl("presence", "allow", "kept@example.com", "gone@example.com")
        self.ctl("presence", "forget", "kept@example.com", "gone@example.com")
        wanted = {"carol@example.com": "allow", "*@else.example": "block", "+4930123": "polite", "*": "confirm"}
        self.assertEqual(wanted, self.rules("kept@example.com"))
        self.restart()
        self.assertEqual(wanted, self.rules("kept@example.com"))
        self.ctl("presence", "block", "kept@example.com", "carol@example.com")
        self.restart(kill=True)
        self.assertEqual(wanted | {"carol@example.com": "block"}, self.rules("kept@example.com"))

    def test_lists_outlive_a_restart_and_a_kill(self):
        self.ctl("list", "add", "team@example.com", "ann@example.com", "sip:ben@else.example")
        self.ctl("list", "import", self.file("crew@example.com,ann@example.com,Ann, of the crew\n"
                                             "crew@example.com,cy@example.com\n"))
        team = [("sip:ann@example.com", ""), ("sip:ben@else.example", "")]
        crew = [("sip:ann@example.com", "Ann, of the crew"), ("sip:cy@example.com", "")]
        for kill in (False, True):
            self.restart(kill)
            self.assertEqual(team, self.members("team@example.com"))
            self.assertEqual(crew, self.members("crew@example.com"))
        self.ctl("list", "del", "team@example.com", "ann@example.com")
        self.assertEqual(team[1:], self.members("team@example.com"))
        self.ctl("list", "del", "team@example.com")
        self.assertIn("is no list", self.refused("list", "show", "team@example.com"))
        self.restart(kill=True)
        self.assertNotIn("team@example.com", [row["list"] for row in self.json("list", "show")])

    def test_tables_are_for_people(self):
        self.ctl("presence", "polite", "table@example.com", "carol@example.com")
        rows = [line.split() for line in self.ctl("presence", "list", "table@example.com").splitlines()]
        self.assertEqual([["presentity", "watcher", "rule"], ["table@example.com", "carol@example.com", "polite"]],
                         rows)
        self.ctl("list", "import", self.file("printed@example.com,sip:dan@example.com,Dan the Man\n"))
        self.assertIn(["printed@example.com", "1"], [line.split() for line in self.ctl("list", "show").splitlines()])
        rows = [line.split() for line in self.ctl("list", "show", "printed@example.com").splitlines()]
        self.assertEqual([["member", "name"], ["sip:dan@example.com", "Dan", "the", "Man"]], rows)
        self.assertIn("no rules", self.ctl("presence", "list", "nobody@example.com"))

    def test_what_makes_no_sense_is_refused(self):
        self.assertIn('"carol" is no watcher', self.refused("presence", "allow", "bob@example.com", "carol"))
        self.assertIn("in no [domain]", self.refused("presence", "allow", "bob@else.example", "*"))
        self.assertIn("has no rule", self.refused("presence", "forget", "bob@example.com", "*"))
        self.assertIn("the list itself", self.refused("list", "add", "own@example.com", "own@example.com"))
        for words in (("presence",), ("presence", "allow", "a"), ("list", "add", "a"), ("presence", "dance", "a", "b")):
            self.assertEqual(2, self.run_ctl(*words).returncode, words)

    def test_what_is_mistyped_is_answered_with_what_is_alike(self):
        for words in (("presence", "dance", "a", "b"), ("presence",)):
            done = self.run_ctl(*words)
            self.assertEqual(2, done.returncode)
            self.assertIn(f'no such command: "{" ".join(words[:2])}"', done.stderr)
            self.assertIn("presence allow PRESENTITY WATCHER", done.stderr)
            self.assertLess(done.stderr.count("\n"), 24)  # a screen
        self.assertNotIn("presence allow", self.run_ctl("dance").stderr)
        self.assertIn("presence allow", self.ctl("presence", "--help"))
        self.assertNotIn("show drops", self.ctl("presence", "--help"))

    def test_a_file_with_a_bad_line_changes_nothing(self):
        path = self.file("half@example.com,ann@example.com\n\nhalf@example.com,nonsense\n"
                         "half@else.example,ann@example.com\n")
        why = self.refused("list", "import", path)
        self.assertIn('lists.csv:3: "nonsense" is no address of record', why)
        self.assertIn('lists.csv:4: "half@else.example" is in no [domain]', why)
        self.assertIn("is no list", self.refused("list", "show", "half@example.com"))

    def test_thousands_of_rules_and_members_are_shown_whole(self):
        lines = [f"long@example.com,m{i}@example.com,Member number {i} of this list" for i in range(500)]
        self.assertEqual({"lists": 1, "members": 500, "untold": 0}, json.loads(
            self.ctl("--json", "list", "import", self.file("\n".join(lines)))))
        self.assertEqual([f"sip:m{i}@example.com" for i in range(500)],
                         [uri for uri, _ in self.members("long@example.com")])
        self.assertIn("list_max", self.refused("list", "add", "long@example.com", "more@example.com"))


class Deciding(Presence):
    """What an operator says reaches subscriptions that stand."""
    extra = "policy = list\npolite = no\nregistered = no\n"

    def watch(self):
        bob, ann = self.phone(), self.phone()
        bob.publish(pidf(bob.address, "open", note="at my desk"))
        subscription = ann.subscribe(bob.address)
        self.assertEqual(200, subscription.answer.status)
        self.assertEqual("pending", subscription.notice().state)
        return bob, ann, subscription

    def test_a_pending_watcher_is_let_in(self):
        bob, ann, subscription = self.watch()
        self.ctl("presence", "allow", bob.address, ann.address)
        notice = subscription.until(lambda one: one.state == "active")
        self.assertTrue(notice.is_open())
        self.assertEqual(["at my desk"], notice.notes())

    def test_a_watcher_who_is_blocked_is_sent_away(self):
        bob, ann, subscription = self.watch()
        self.ctl("presence", "allow", bob.address, "*@example.com")
        subscription.until(lambda one: one.state == "active")
        self.ctl("presence", "block", bob.address, ann.address)
        notice = subscription.until(lambda one: one.state == "terminated")
        self.assertEqual("rejected", notice.reason)
        self.assertNotIn("at my desk", notice.body)
        again = ann.subscribe(bob.address)
        self.assertTrue(again.answer.status == 403 or again.notice().reason == "rejected", again.answer.text)

    def test_a_watcher_who_is_blocked_politely_is_told_nothing_true(self):
        bob, ann, subscription = self.watch()
        self.ctl("presence", "allow", bob.address, ann.address)
        self.assertTrue(subscription.until(lambda one: one.state == "active").is_open())
        self.ctl("presence", "polite", bob.address, ann.address)
        notice = subscription.notice()
        self.assertEqual("active", notice.state)
        self.assertFalse(notice.is_open())
        self.assertNotIn("at my desk", notice.body)
        bob.publish(pidf(bob.address, "open", note="still here", tuple_id="t2"))
        self.assertTrue(subscription.silence())

    def test_the_nearest_rule_decides_and_forgetting_brings_back_the_next(self):
        bob, ann, subscription = self.watch()
        self.ctl("presence", "polite", bob.address, "*")
        self.assertFalse(subscription.until(lambda one: one.state == "active").is_open())
        self.ctl("presence", "allow", bob.address, ann.address)
        self.assertTrue(subscription.until(lambda one: one.state == "active").is_open())
        self.ctl("presence", "forget", bob.address, ann.address)
        self.assertFalse(subscription.until(lambda one: one.state == "active").is_open())
        self.ctl("presence", "forget", bob.address, "*")
        self.assertEqual("pending", subscription.notice().state)

    def test_who_is_watched_sees_who_waits_and_who_was_let_in(self):
        bob, ann = self.phone(), self.phone()
        watched = bob.subscribe(bob.address, "presence.winfo", lines=["Accept: application/watcherinfo+xml"])
        self.assertEqual(200, watched.answer.status)
        self.assertEqual({}, watched.notice().watchers())
        subscription = ann.subscribe(bob.address)
        subscription.notice()  # who answers no NOTIFY is forgotten after 64 times T1
        watched.until(lambda one: one.watchers().get(ann.address) == "pending")
        self.ctl("presence", "allow", bob.address, ann.address)
        subscription.until(lambda one: one.state == "active")
        watched.until(lambda one: one.watchers().get(ann.address) == "active")
        self.ctl("presence", "block", bob.address, ann.address)
        watched.until(lambda one: one.watchers().get(ann.address) == "terminated")

    def test_what_was_decided_holds_behind_a_restart(self):
        bob, ann, subscription = self.watch()
        self.ctl("presence", "allow", bob.address, ann.address)
        subscription.until(lambda one: one.state == "active")
        self.restart(kill=True)
        again = ann.subscribe(bob.address)
        self.assertEqual("active", again.notice().state)


class Listing(Presence):
    def subscribe(self, phone, target):
        return phone.subscribe(target, lines=["Supported: eventlist", f"Accept: {LISTS}"])

    def test_many_are_shown_and_one_is_found(self):
        """More than a page of what control says at a time."""
        ann = self.phone()
        for number in range(150):
            self.assertEqual(200, ann.subscribe(f"sip:shown{number}@example.com", expires=60).answer.status)
        rows = self.json("show", "subscriptions")
        self.assertEqual({f"shown{number}@example.com" for number in range(150)},
                         {row["presentity"] for row in rows if row["watcher"] == ann.address})
        self.assertEqual(len(rows), len({row["call_id"] for row in rows}))
        self.assertLessEqual({f"shown{number}@example.com" for number in range(150)},
                             {row["presentity"] for row in self.json("show", "presentity")})
        lines = self.ctl("show", "subscriptions", "sip:shown7@example.com").splitlines()
        self.assertEqual(["watched", "package", "watcher", "state", "expires", "in", "next", "hop"], lines[0].split())
        self.assertEqual(["shown7@example.com", "presence", ann.address, "active"], lines[1].split()[:4])
        self.assertEqual(2, len(lines))
        self.assertIn("nobody watches this user", self.ctl("show", "subscriptions", "nobody@example.com"))
        for what in ("subscriptions", "presentity"):
            self.assertIn("is no address of record", self.refused("show", what, "bob"))
            self.assertIn("is in no [domain]", self.refused("show", what, "bob@else.example"))
            self.assertEqual(2, self.run_ctl("show", what, "bob@example.com", "more").returncode)

    def test_what_is_published_does_not_steer_the_terminal(self):
        bob = self.phone()
        self.assertEqual(200, bob.publish(pidf(bob.address, note="\u009b31mred \u00e4\ttab"))[1].status)
        user = bob.address.removeprefix("sip:")
        for _ in range(100):
            shown = self.ctl("show", "presentity", user)
            if "31mred" in shown:
                break
        self.assertIn("?31mred \u00e4?tab", shown)
        self.assertNotIn("\u009b", shown)

    def test_a_list_changes_under_its_watchers(self):
        ann, bob, cy = self.phone(), self.phone(), self.phone()
        name = f"friends-of-{ann.user}@example.com"
        self.ctl("list", "add", name, bob.address)
        bob.publish()
        subscription = self.subscribe(ann, f"sip:{name}")
        self.assertEqual(200, subscription.answer.status)
        subscription.until(lambda one: one.body and set(one.resources()) == {bob.address})
        self.ctl("list", "add", name, cy.address)
        subscription.until(lambda one: one.body and set(one.resources()) == {bob.address, cy.address})
        self.ctl("list", "del", name, bob.address)
        subscription.until(lambda one: one.body and set(one.resources()) == {cy.address})

    def test_names_of_members_are_said(self):
        ann, bob = self.phone(), self.phone()
        name = f"named-by-{ann.user}@example.com"
        self.ctl("list", "import", self.file(f'{name},{bob.address},Bob "the" <Builder> & sons, \u00e4\n'))
        subscription = self.subscribe(ann, f"sip:{name}")
        resources = subscription.until(lambda one: bool(one.body)).resources()
        self.assertEqual(['Bob "the" <Builder> & sons, \u00e4'], resources[bob.address]["names"])

    def test_who_does_not_know_lists_gets_none(self):
        ann, bob = self.phone(), self.phone()
        name = f"plain-{ann.user}@example.com"
        self.ctl("list", "add", name, bob.address)
        answer = ann.subscribe(f"sip:{name}", lines=[f"Accept: {PIDF}"]).answer
        self.assertEqual(421, answer.status)  # RFC 4662 4.5
        self.assertEqual("eventlist", answer.get("Require"))


class Player:
    """Plays one flow; users have a number behind their name, so that flows do not meet."""

    def __init__(self, test, number):
        self.test, self.number = test, number
        self.phones, self.subscriptions, self.publications, self.last = {}, {}, {}, {}

    def user(self, name):
        return f"{name}{self.number}"

    def address(self, name):
        return f"sip:{self.user(name)}@example.com"

    def phone(self, who):
        if who not in self.phones:
            self.phones[who] = self.test.phone(self.user(who))
        return self.phones[who]

    def play(self, who, verb, how, wanted):
        answer = getattr(self, verb.replace(" ", "_"))(who, **how) if not verb.startswith("hears") else None
        if verb.startswith("hears"):
            getattr(self, verb.replace(" ", "_"))(who, wanted)
        else:
            self.test.assertEqual(wanted["status"], answer.status, answer.text)
            self.fields(answer, wanted)

    def fields(self, message, wanted):
        for name in wanted.get("has", ()):
            self.test.assertTrue(message.get(name), f"no {name} in\n{message.text}")
        for name in wanted.get("lacks", ()):
            self.test.assertFalse(message.get(name), f"{name} in\n{message.text}")

    def condition(self, who, if_match):
        if if_match is None:
            return []
        return [f"Suppress-If-Match: {self.last[who].etag if if_match == 'last' else if_match}"]

    def subscribe(self, who, to, expires=600, if_match=None, list=False):  # "list" is the data's word
        lines = ["Supported: eventlist", f"Accept: {LISTS}"] if list else [f"Accept: {PIDF}"]
        self.subscriptions[who] = self.phone(who).subscribe(self.address(to), expires=expires, lines=lines,
                                                            more=self.condition(who, if_match))
        return self.subscriptions[who].answer

    def resubscribe(self, who, expires=600, if_match=None):
        return self.subscriptions[who].subscribe(expires, self.condition(who, if_match))

    def registers(self, who):
        return self.phone(who).register()

    def publishes(self, who, basic, note=None):
        self.publications[who], answer = self.phone(who).publish(pidf(self.address(who), basic, note))
        return answer

    def modifies(self, who, basic, if_match=None):
        return self.publications[who].publish(pidf(self.address(who), basic), etag=if_match)

    def prolongs(self, who):
        return self.publications[who].publish()

    def removes(self, who):
        return self.publications[who].publish(expires=0)

    def hears(self, who, wanted):
        notice, before = self.subscriptions[who].notice(), self.last.get(who)
        test = self.test
        self.fields(notice.message, wanted)
        test.assertEqual(wanted["state"], notice.state)
        if "reason" in wanted:
            test.assertEqual(wanted["reason"], notice.reason)
        if "open" in wanted:
            test.assertEqual(wanted["open"], notice.is_open() if notice.body else None, notice.body)
        if "notes" in wanted:
            test.assertEqual(wanted["notes"], notice.notes())
        if "same" in wanted or "other" in wanted:
            test.assertEqual("same" in wanted, before.etag == notice.etag, (before.etag, notice.etag))
        if "members" in wanted:
            test.assertEqual({self.address(user): state for user, state in wanted["members"].items()}, members(notice))
        self.last[who] = notice

    def hears_at_last(self, who, wanted):
        """Where there may be others before."""
        goal = {self.address(user): state for user, state in wanted["members"].items()}
        self.last[who] = self.subscriptions[who].until(lambda one: one.body and members(one) == goal)

    def hears_nothing(self, who, _):
        self.test.assertTrue(self.subscriptions[who].silence(), self.subscriptions[who].notices)


def members(notice):
    """{URI: whether his document says open, None: there is none that says anything} of a list."""
    documents = {cid: text for cid, kind, text in notice.parts() if kind == PIDF}
    return {uri: "<basic>open</basic>" in documents[one["cid"]] if "<basic>" in documents.get(one["cid"], "") else None
            for uri, one in notice.resources().items()}


class Flowing(Presence):
    def test_flows_of_the_rfcs(self):
        for number, (name, steps) in enumerate(flows.FLOWS.items(), 1000):
            with self.subTest(name):
                player = Player(self, number)
                if "4662" in name:
                    self.ctl("list", "add", *(player.address(user) for user in ("adam-buddies", "bill", "joe", "ed")))
                for step in steps:
                    player.play(*step)


class TcpWatcher(Watching, StreamPhone):
    pass


class FlowingOverTcp(Flowing):
    """RFC 3856 8 as it is written: nothing is sent again, and NOTIFYs come back by the connection."""
    extra = f"""
[listener tcp]
address = {box.ADDRESS4}:{box.PORT}
port = inside
transport = tcp
"""

    def phone(self, user=None, **how):
        phone = TcpWatcher(user or f"user{next(USERS)}", **how)
        self.addCleanup(phone.close)
        return phone


if __name__ == "__main__":
    tap.main()
