#!/usr/bin/env python3
"""strowgerctl as an operator uses it, against a running strowger. tests/e2e/run makes the network."""
import hashlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest

import box
import tap
from phone import Phone, uri_of

CTL = os.environ.get("STROWGERCTL") or str(pathlib.Path(os.environ["STROWGER"]).parents[1] / "strowgerctl/strowgerctl")
SHOWN = ("status", "ports", "workers", "registrations", "connections", "gateways", "drops", "transactions", "calls",
         "names", "numbers", "policy", "policy routes")
# A transaction lingers for 64 * T1.
CONFIG = box.CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 40ms\nt2 = 160ms\n") + """
[cdr]
file = {folder}/calls.json
[control]
socket = {folder}/control
[gateways trunk]
probe_interval = 0
answer_timeout = 1s
[gateway west]
group = trunk
address = 198.18.0.2:5079
[route trunk]
user = +49*
action = gateways
gateways = trunk
"""


def ctl(*words):
    done = subprocess.run([CTL, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


class Controlled(unittest.TestCase):
    """Cases that share one strowger, which must end well."""
    workers = 2
    extra = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="strowger-ctl-")
        cls.socket = os.path.join(cls.folder.name, "control")
        cls.config = (CONFIG + cls.extra).format(folder=cls.folder.name)
        cls.box = box.Box(cls.config, workers=cls.workers).start()

    @classmethod
    def tearDownClass(cls):
        status = cls.box.stop()
        gone = not os.path.exists(cls.socket)
        cls.folder.cleanup()
        assert status == 0, f"exit status {status}:\n{cls.box.output()}"
        assert gone, "the socket was left behind"

    def ctl(self, *words):
        """Of a command that succeeds: what it printed."""
        status, out, err = ctl("--socket", self.socket, *words)
        self.assertEqual((0, ""), (status, err), words)
        return out

    def json(self, *words):
        return json.loads(self.ctl("--json", *words))

    def refused(self, *words):
        """Of one that does not: why."""
        status, out, err = ctl("--socket", self.socket, *words)
        self.assertEqual((1, ""), (status, out), words)
        return err


class Showing(Controlled):
    def test_everything_is_shown_as_a_table_and_as_json(self):
        for what in SHOWN:
            with self.subTest(what):
                self.assertGreater(len(self.ctl("show", *what.split())), 10)
                self.json("show", *what.split())

    def test_tables_are_aligned_and_say_what_telemetry_does(self):
        title, *rows = self.ctl("show", "workers").splitlines()
        self.assertEqual(self.workers, len(rows))
        self.assertEqual(["worker", "lcore", "node", "busy"], title.split()[:4])
        self.assertEqual(self.box.ask("/strowger/workers").keys(), self.json("show", "workers").keys())
        rows = self.ctl("show", "gateways").splitlines()
        self.assertEqual(["west", "trunk", "up"], rows[1].split()[:3])
        self.assertEqual(1, len({line.find("up") for line in rows[1:]}))

    def test_status_counts_what_is_there(self):
        with Phone("counted") as phone:
            before = self.json("show", "status")
            phone.register()
            after = self.json("show", "status")
        self.assertEqual("serving", after["state"])
        self.assertEqual(self.workers, after["workers"])
        self.assertEqual(before["bindings"] + 1, after["bindings"])
        self.assertGreater(after["requests"], before["requests"])
        self.assertEqual(1, after["gateways_up"])

    def test_drops_come_with_their_explanation(self):
        with Phone("noise") as phone:
            phone.send(b"NONSENSE\r\n\r\n")
            end = time.monotonic() + 5
            while self.box.ask("/strowger/drops")["parse"] == 0:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
        line = next(line for line in self.ctl("show", "drops").splitlines() if " parse " in line)
        self.assertIn("message so broken that no answer can be built", line)

    def test_a_registration_is_shown_with_all_that_is_known_of_it(self):
        with Phone("shown") as phone:
            phone.register(expires=600)
            row, = self.json("show", "registrations", "shown@example.com")
            line = self.ctl("show", "registrations", "sip:shown@example.com").splitlines()[1]
        self.assertEqual("shown@example.com", row["aor"])
        self.assertEqual(uri_of(phone.contact), row["contact"])
        self.assertEqual(f"198.18.0.2:{phone.port}", row["next_hop"])
        self.assertIn(row["expires_s"], range(500, 601))
        for word in ("shown@example.com", uri_of(phone.contact), row["next_hop"]):
            self.assertIn(word, line.split())
        self.assertEqual([], self.json("show", "registrations", "nobody@example.com"))
        self.assertIn("not registered", self.ctl("show", "registrations", "nobody@example.com"))
        self.assertIn("in no [domain]", self.refused("show", "registrations", "bob@elsewhere.example"))
        self.assertIn("no address of record", self.refused("show", "registrations", "<>"))

    def test_more_than_a_page_of_registrations_is_shown_whole(self):
        wanted = {f"many{i}@example.com" for i in range(300)}
        for aor in wanted:
            with Phone(aor.partition("@")[0]) as phone:
                self.assertEqual(200, phone.register(expires=600).status)
        rows = self.json("show", "registrations")
        self.assertLessEqual(wanted, {row["aor"] for row in rows})
        self.assertEqual(len(rows), len({(row["aor"], row["contact"]) for row in rows}))
        self.assertEqual(len(rows) + 1, len(self.ctl("show", "registrations").splitlines()))

    def test_the_rules_in_force_are_shown_in_order(self):
        rows = self.ctl("show", "policy", "routes").splitlines()
        self.assertRegex("\n".join(rows), r"1  trunk +user \+49\* +gateways trunk")
        self.assertIn("[gateway west]", self.ctl("show", "policy"))

    def test_counters_are_found_by_prefix(self):
        status, out, _ = ctl("--prefix", self.box.prefix, "--json", "show", "drops")
        self.assertEqual(0, status)
        self.assertIn("parse", json.loads(out))


class Commanding(Controlled):
    def test_unknown_commands_and_wrong_words_get_help_and_2(self):
        for words in ((), ("show",), ("show", "nothing"), ("dance",), ("log",), ("log", "a", "b"), ("binding", "add", "a"),
                      ("show", "drops", "x"), ("reload", "--expires", "5"), ("--nonsense",), ("log", "a b")):
            with self.subTest(words):
                status, out, err = ctl("--socket", self.socket, *words)
                self.assertEqual((2, ""), (status, out))
                self.assertIn("strowgerctl", err)

    def test_help_is_a_manual_page_for_the_whole_and_for_each(self):
        status, out, _ = ctl("--help")
        self.assertEqual(0, status)
        for part in ("NAME", "SYNOPSIS", "COMMANDS", "OPTIONS", "FILES", "EXIT STATUS"):
            self.assertIn(f"\n{part}\n", "\n" + out)
        for words in (("drain",), ("show", "drops"), ("binding", "add")):
            status, out, _ = ctl(*words, "--help")
            self.assertEqual(0, status)
            self.assertIn("strowgerctl " + " ".join(words) + " - ", out)

    def test_without_a_server_it_says_what_to_do_and_1(self):
        for words in (("reload",), ("show", "status"), ("show", "drops")):
            status, out, err = ctl("--socket", "/nowhere/control", *words)
            self.assertEqual((1, ""), (status, out))
            self.assertIn("--socket PATH", err)

    def test_the_socket_is_roots(self):
        mode = os.stat(self.socket)
        self.assertEqual((0o660, 0), (mode.st_mode & 0o777, mode.st_uid))

    def test_a_stranger_is_turned_away(self):
        os.chmod(self.folder.name, 0o755)
        os.chmod(self.socket, 0o666)  # as if an operator had been careless
        try:
            done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "python3", "-c",
                                   "import socket,sys;s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET);"
                                   "s.connect(sys.argv[1]);print(s.recv(4096).decode());"
                                   "s.send(b'undrain');print(s.recv(4096))", self.socket],
                                  capture_output=True, text=True, timeout=20)
        finally:
            os.chmod(self.socket, 0o660)
        self.assertIn("not permitted", done.stdout)
        self.assertNotIn("state", done.stdout)

    def test_a_binding_made_by_hand_is_rung_and_removed(self):
        with Phone("desk") as desk, Phone("asker") as asker:
            said = self.ctl("binding", "add", "desk@example.com", uri_of(desk.contact))
            self.assertIn("1 binding now", said)
            self.assertIn(uri_of(desk.contact), said)
            self.assertIn("for good", self.ctl("show", "registrations", "desk@example.com"))
            asker.send(asker.request("MESSAGE", "sip:desk@example.com"))
            desk.answer(desk.receive(), 200, "OK")
            self.assertEqual(200, asker.receive().status)
            other = "sip:desk@198.18.0.3:5999"
            self.ctl("binding", "add", "desk@example.com", other, "--expires", "100")
            rows = self.json("show", "registrations", "desk@example.com")
            self.assertIn(next(row for row in rows if row["contact"] == other)["expires_s"], range(90, 101))
            self.assertIn("1 binding now", self.ctl("binding", "del", "desk@example.com", other))
            self.assertIn("0 bindings now", self.ctl("binding", "del", "desk@example.com"))
            self.assertIn(asker.ask("MESSAGE", "sip:desk@example.com").status, (404, 480))

    def test_bindings_are_made_on_whichever_worker_owns_them(self):
        for i in range(16):
            self.ctl("binding", "add", f"spread{i}@example.com", f"sip:spread{i}@198.18.0.2:5998")
        for i in range(16):
            self.assertEqual(1, len(self.json("show", "registrations", f"spread{i}@example.com")))
        # one more than an address of record may have
        for i in range(64):
            status, _, err = ctl("--socket", self.socket, "binding", "add", "full@example.com", f"sip:f{i}@198.18.0.2")
            if status != 0:
                break
        self.assertIn("403", err)

    def test_bindings_that_make_no_sense_are_refused(self):
        self.assertIn("is no URI", self.refused("binding", "add", "desk@example.com", "nonsense"))
        self.assertIn("is no URI", self.refused("binding", "add", "desk@example.com", "sip:a@b>,<sip:c@d"))
        self.assertIn("in no [domain]", self.refused("binding", "add", "desk@elsewhere.example", "sip:a@192.0.2.1"))
        self.assertIn("no number", self.refused("binding", "add", "desk@example.com", "sip:a@192.0.2.1", "--expires", "0"))
        self.assertIn("too long", self.refused("binding", "add", "desk@example.com", "sip:" + "a" * 3000 + "@192.0.2.1"))

    def test_the_log_level_changes_at_once(self):
        self.ctl("log", "debug")
        self.assertEqual("debug", self.json("show", "status")["log"])
        self.ctl("log", "info")
        self.assertIn("is no level", self.refused("log", "loud"))
        self.assertEqual("info", self.json("show", "status")["log"])

    def test_a_reload_is_taken_or_refused_with_its_reasons(self):
        before = self.json("show", "status")
        path = pathlib.Path(self.box.config)
        good = path.read_text(encoding="utf-8")
        try:
            path.write_text(good.replace("[gateway west]", "[gateway wild]"), encoding="utf-8")
            self.assertIn("reloaded", self.ctl("reload"))
            self.assertIn("wild", self.ctl("show", "gateways"))
            path.write_text(good + "[route x]\naction = dance\n", encoding="utf-8")
            why = self.refused("reload")
            self.assertRegex(why, r"strowger\.ini:\d+: .*dance")
            self.assertIn("wild", self.ctl("show", "gateways"))
        finally:
            path.write_text(good, encoding="utf-8")
            self.ctl("reload")
        after = self.json("show", "status")
        self.assertEqual((before["reloaded"] + 2, before["reloads_refused"] + 1),
                         (after["reloaded"], after["reloads_refused"]))

    def test_a_client_of_bad_manners_harms_nobody(self):
        rude = []
        for request in (b"", b"\0", b"\xff" * 100, b"a" * 5000, b" ".join([b"x"] * 40), b"registrations " + b"\n", b"status status"):
            one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            one.connect(self.socket)
            self.assertEqual("strowger", json.loads(one.recv(4096))["server"])
            one.send(request)
            rude.append(one)
        self.assertEqual("serving", self.json("show", "status")["state"])
        for one in rude[1:]:
            one.settimeout(5)
            self.assertIn(b'"ok":', one.recv(65536))
        for one in rude:
            one.close()


class Admitting(Controlled):
    """Users, of a domain whose registrations want credentials."""
    extra = """
[store]
path = {folder}/store
[auth phones]
domain = example.com
methods = REGISTER
"""

    def add(self, user, password, domain="example.com"):
        done = subprocess.run([CTL, "--socket", self.socket, "user", "add", user, domain, "--password-stdin"],
                              input=password + "\n", capture_output=True, text=True, timeout=20)
        return done.returncode, done.stderr

    def admitted(self, user, password):
        """The status of a REGISTER that answers its challenge (RFC 7616 3.4)."""
        def h(*parts):
            return hashlib.sha256(":".join(parts).encode()).hexdigest()

        with Phone(user) as phone:
            challenge = phone.register()
            self.assertEqual(401, challenge.status)
            want = next(line for line in challenge.all("WWW-Authenticate") if "SHA-256" in line)
            realm, nonce = (re.search(name + '="([^"]*)"', want).group(1) for name in ("realm", "nonce"))
            uri, nc, cnonce = "sip:example.com", "00000001", "c"
            proof = h(h(user, realm, password), nonce, nc, cnonce, "auth", h("REGISTER", uri))
            return phone.register(cseq=2, lines=[
                f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
                f'response="{proof}", algorithm=SHA-256, qop=auth, nc={nc}, cnonce="{cnonce}"']).status

    def test_a_user_is_let_in_from_when_he_is_added_until_he_is_removed(self):
        self.assertNotEqual(200, self.admitted("alice", "a pass word, with: all"))
        self.assertEqual((0, ""), self.add("alice", "a pass word, with: all"))
        self.assertEqual(200, self.admitted("alice", "a pass word, with: all"))
        self.assertNotEqual(200, self.admitted("alice", "another"))
        status = self.json("show", "status")
        self.assertEqual("well", status["store"])
        self.assertGreaterEqual(status["users"], 1)
        row, = (row for row in self.json("user", "list") if row["user"] == "alice")
        self.assertEqual(("example.com", {"MD5", "SHA-256", "SHA-512-256"}), (row["realm"], set(row["algorithms"])))
        self.assertIn("alice", self.ctl("user", "list", "example.com"))
        self.ctl("user", "del", "alice", "example.com")
        self.assertNotEqual(200, self.admitted("alice", "a pass word, with: all"))
        self.assertNotIn("alice", self.ctl("user", "list"))
        self.assertIn("no such user", self.refused("user", "del", "alice", "example.com"))

    def test_users_that_make_no_sense_are_refused(self):
        self.assertEqual(1, self.add("bob", "secret", "elsewhere.example")[0])
        self.assertEqual(1, self.add("bo,b", "secret")[0])
        self.assertEqual(1, self.add("bob", "")[0])
        self.assertEqual(1, self.add("bob", "x" * 5000)[0])
        self.assertIn("--password-stdin", subprocess.run(
            [CTL, "--socket", self.socket, "user", "add", "bob", "example.com"], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, start_new_session=True, timeout=20).stderr)

    def test_a_file_is_imported_whole_or_not_at_all(self):
        path = pathlib.Path(self.folder.name, "users.csv")
        path.write_text("# many\n\n" + "".join(f"u{i},example.com,p{i}\n" for i in range(500)), encoding="utf-8")
        self.assertIn("500 users", self.ctl("user", "import", str(path)))
        listed = {row["user"] for row in self.json("user", "list", "example.com")}
        self.assertLessEqual({f"u{i}" for i in range(500)}, listed)
        self.assertEqual(200, self.admitted("u499", "p499"))
        path.write_text("good,example.com,x\nbad,example.com\nworse,nowhere.example,y\n", encoding="utf-8")
        why = self.refused("user", "import", str(path))
        self.assertIn("users.csv:2: ", why)
        self.assertIn("users.csv:3: ", why)
        self.assertNotIn("good", {row["user"] for row in self.json("user", "list")})
        self.assertIn("No such file", self.refused("user", "import", "/nowhere/users.csv"))
        self.assertIn("expected an open file", self.refused("user", "import", "/dev/null"))

    def test_no_password_is_kept_or_logged(self):
        self.add("keeper", "unmistakable-secret")
        self.ctl("user", "list")
        self.assertNotIn("unmistakable-secret", self.box.output())
        for path in pathlib.Path(self.folder.name, "store").iterdir():
            self.assertNotIn(b"unmistakable-secret", path.read_bytes())

    def test_a_binding_by_hand_needs_no_credentials(self):
        self.assertIn("1 binding now", self.ctl("binding", "add", "desk@example.com", "sip:desk@198.18.0.2:5997"))
        self.assertIn("0 bindings now", self.ctl("binding", "del", "desk@example.com"))


class Draining(unittest.TestCase):
    """Each with a strowger of its own, which ends by itself."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="strowger-ctl-")
        self.socket = os.path.join(self.folder.name, "control")
        self.box = box.Box(CONFIG.format(folder=self.folder.name)).start()

    def tearDown(self):
        if self.box.process.poll() is None:
            self.box.stop()
        self.box.clear()
        self.folder.cleanup()

    def ctl(self, *words):
        status, out, err = ctl("--socket", self.socket, *words)
        self.assertEqual((0, ""), (status, err), words)
        return out

    def call(self, caller, callee):
        """A call that stands. Returns its 200."""
        callee.register()
        caller.send(caller.request("INVITE", f"sip:{callee.user}@example.com", lines=[f"Contact: {caller.contact}"]))
        callee.answer(self.heard(callee, "INVITE"), 200, "OK")
        ok = self.heard(caller, "SIP/2.0 200")
        self.within(caller, ok, "ACK", 1)
        self.heard(callee, "ACK")
        return ok

    def heard(self, phone, start):
        """The first that begins so; what else comes, retransmissions mostly, is passed over."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            message = phone.receive()
            if message.start.startswith(start):
                return message
        raise AssertionError(f"no {start}")

    def within(self, caller, ok, method, cseq):
        routes = [f"Route: {route}" for route in reversed(ok.all("Record-Route"))]
        caller.send(caller.request(method, uri_of(ok.get("Contact")), to=uri_of(ok.get("To")), lines=routes,
                                   call_id=ok.get("Call-ID"), cseq=cseq, to_tag=ok.get("To").split(";tag=")[1]))

    def ends(self, seconds):
        self.assertEqual(0, self.box.process.wait(seconds), self.box.output())

    def test_it_refuses_what_is_new_carries_what_it_knows_and_ends_when_idle(self):
        with Phone("caller") as caller, Phone("callee") as callee, Phone("late") as late:
            ok = self.call(caller, callee)
            self.ctl("drain")
            shown = json.loads(self.ctl("--json", "show", "status"))
            self.assertEqual(("draining", 1), (shown["state"], shown["calls"]))
            for answer in (late.register(), late.ask("MESSAGE", "sip:callee@example.com"),
                           late.ask("OPTIONS", f"sip:{box.ADDRESS4}"),
                           late.ask("INVITE", "sip:callee@example.com", lines=[f"Contact: {late.contact}"])):
                self.assertEqual(503, answer.status)
                self.assertTrue(answer.get("Retry-After"))
            self.assertTrue(callee.silence())
            time.sleep(3)  # more than any transaction lingers: the call alone is waited for
            self.assertIsNone(self.box.process.poll(), self.box.output())
            self.within(caller, ok, "BYE", 2)
            callee.answer(self.heard(callee, "BYE"), 200, "OK")
            self.heard(caller, "SIP/2.0 200")
        self.ends(10)
        self.assertIn("drained", self.box.output())
        self.assertFalse(os.path.exists(self.socket))
        lines = pathlib.Path(self.folder.name, "calls.json").read_text(encoding="utf-8").splitlines()
        self.assertEqual(["completed"], [json.loads(line)["reason"] for line in lines])

    def test_the_deadline_ends_it_whatever_is_left(self):
        with Phone("caller") as caller, Phone("callee") as callee:
            self.call(caller, callee)
            began = time.monotonic()
            self.ctl("drain", "--deadline", "2")
            self.assertIn("deadline in", self.ctl("show", "status"))
            self.ends(10)
            self.assertGreater(time.monotonic() - began, 1.5)

    def test_it_redirects_to_a_peer_and_can_be_taken_back(self):
        with Phone("caller") as caller, Phone("callee") as callee:
            ok = self.call(caller, callee)
            self.ctl("drain", "--redirect", "198.18.0.9:5070")
            answer = caller.ask("MESSAGE", "sip:callee@example.com")
            self.assertEqual((302, "<sip:callee@198.18.0.9:5070>"), (answer.status, answer.get("Contact")))
            status, _, err = ctl("--socket", self.socket, "drain", "--redirect", "not_a..peer:x")
            self.assertEqual(1, status)
            self.assertIn("is no HOST", err)
            self.ctl("undrain")
            self.assertEqual(200, callee.register().status)
            self.within(caller, ok, "BYE", 2)
            callee.answer(self.heard(callee, "BYE"), 200, "OK")
            self.heard(caller, "SIP/2.0 200")
            time.sleep(3)
            self.assertIsNone(self.box.process.poll(), self.box.output())
        self.assertEqual(0, self.box.stop())

    def test_idle_it_ends_at_once(self):
        self.ctl("drain")
        self.ends(5)


if __name__ == "__main__":
    tap.main()
