#!/usr/bin/env python3
"""Users with passwords, as phones and an operator meet them. tests/e2e/run makes the network."""
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import box
import tap
from phone import Phone
from sipp import answering, play

CTL = os.environ.get("STROWGERCTL") or str(pathlib.Path(os.environ["STROWGER"]).parents[1] / "strowgerctl/strowgerctl")
CALLEE = 5070
CONFIG = box.CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 100ms\nt2 = 400ms\n") + """
[store]
path = {folder}/store
users_max = 1000
secret_file = {folder}/secret
[control]
socket = {folder}/control
[auth phones]
domain = example.com
algorithms = {algorithms}
nonce_count = {counted}
failures = 8
"""


def digest(algorithm, text):
    name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[algorithm]
    return hashlib.new(name, text.encode()).hexdigest()


def credentials(answer, user, password, method, uri, nc=1, pick=0):
    """The header line that answers the `pick`th challenge of a 401 or 407."""
    name = "WWW-Authenticate" if answer.status == 401 else "Proxy-Authenticate"
    challenge = answer.all(name)[pick]
    realm, nonce = (re.search(f'{what}="([^"]*)"', challenge).group(1) for what in ("realm", "nonce"))
    algorithm = re.search(r"algorithm=([\w-]+)", challenge).group(1)
    ha1, ha2 = digest(algorithm, f"{user}:{realm}:{password}"), digest(algorithm, f"{method}:{uri}")
    response = digest(algorithm, f"{ha1}:{nonce}:{nc:08x}:c0ffee:auth:{ha2}")
    return (f'{"Authorization" if answer.status == 401 else "Proxy-Authorization"}: Digest username="{user}", '
            f'realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", algorithm={algorithm}, '
            f'cnonce="c0ffee", qop=auth, nc={nc:08x}')


class Asked(unittest.TestCase):
    """Cases that share one strowger and its users."""
    algorithms, counted = "MD5", "no"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="strowger-auth-")
        cls.config = CONFIG.format(folder=cls.folder.name, algorithms=cls.algorithms, counted=cls.counted)
        cls.box = box.Box(cls.config, workers=2).start()
        table = os.path.join(cls.folder.name, "users.csv")
        with open(table, "w", encoding="ascii") as file:
            file.write("alice,example.com,secret\nbob,example.com,secret\n")
        cls.ctl("user", "import", table)

    @classmethod
    def tearDownClass(cls):
        status = cls.box.stop()
        said = cls.box.output()
        cls.folder.cleanup()
        assert status == 0, f"exit status {status}:\n{said}"

    @classmethod
    def ctl(cls, *words, text=None):
        done = subprocess.run([CTL, "--socket", os.path.join(cls.folder.name, "control"), *words], capture_output=True,
                              text=True, timeout=60, input=text or "")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def register(self, phone, password="secret", pick=0, user=None):
        """The answer to a REGISTER that answered its challenge."""
        asked = phone.register()
        self.assertEqual(401, asked.status, asked.text)
        line = credentials(asked, user or phone.user, password, "REGISTER", f"sip:{phone.domain}", pick=pick)
        return phone.register(lines=[line], cseq=2)


class ByMd5(Asked):
    def test_sipp_registers(self):
        play("register_auth.xml", 5090, calls=60, user="alice", options=("-au", "alice", "-ap", "secret"))

    def test_sipp_is_not_let_in_with_a_wrong_password(self):
        play("register_denied.xml", 5091, calls=2, user="alice", options=("-au", "alice", "-ap", "guess"))

    def test_sipp_calls(self):
        with Phone("bob", port=0) as bob:
            asked = bob.register(contact=f"<sip:bob@198.18.0.2:{CALLEE}>")
            line = credentials(asked, "bob", "secret", "REGISTER", "sip:example.com")
            answer = bob.register(contact=f"<sip:bob@198.18.0.2:{CALLEE}>", lines=[line], cseq=2)
            self.assertEqual(200, answer.status, answer.text)
        with answering("callee.xml", CALLEE):
            play("call_auth.xml", 5092, calls=60, user="alice", options=("-au", "alice", "-ap", "secret"))

    def test_callee_does_not_see_the_credentials(self):
        with Phone("bob") as bob, Phone("alice") as alice:
            self.assertEqual(200, self.register(bob).status)
            asked = alice.ask("INVITE", "sip:bob@example.com", call_id="seen")
            self.assertEqual(407, asked.status)
            line = credentials(asked, "alice", "secret", "INVITE", "sip:bob@example.com")
            other = line.replace('realm="example.com"', 'realm="further"')
            alice.send(alice.request("INVITE", "sip:bob@example.com", lines=[line, other], call_id="seen", cseq=2))
            invite = bob.receive()
            self.assertEqual([other.partition(": ")[2]], invite.all("Proxy-Authorization"))
            bob.answer(invite, 486, "Busy Here")
            self.assertEqual(486, alice.receive().status)

    def test_user_comes_and_goes_while_the_server_runs(self):
        with Phone("newcomer") as phone:
            self.assertEqual(401, self.register(phone).status)
            self.ctl("user", "add", "newcomer", "example.com", "--password-stdin", text="secret\n")
            self.assertEqual(200, self.register(phone).status)
            self.ctl("user", "del", "newcomer", "example.com")
            self.assertEqual(401, self.register(phone).status)

    def test_nobody_registers_somebody_else(self):
        before = self.box.ask("/strowger/auth")
        with Phone("alice") as phone:
            self.assertEqual(403, self.register(phone, user="bob").status)
        after = self.box.ask("/strowger/auth")
        self.assertEqual((1, 1), tuple(after[name] - before[name] for name in ("challenged", "foreign")))
        self.assertEqual(1000, after["users_max"])

    def test_too_many_failures_are_not_heard(self):
        with Phone("alice", address="198.18.0.3") as phone:
            # Each worker counts for itself; a registration is always the same one's.
            for _ in range(8):
                self.assertEqual(401, self.register(phone, password="guess").status)
            answer = phone.register()
            self.assertEqual(403, answer.status, answer.text)


class InOrderOfPreference(Asked):
    algorithms, counted = "SHA-512-256, SHA-256, MD5", "yes"

    def test_every_challenge_can_be_answered(self):
        with Phone("alice") as phone:
            asked = phone.register()
            names = [re.search(r"algorithm=([\w-]+)", line).group(1) for line in asked.all("WWW-Authenticate")]
            self.assertEqual(["SHA-512-256", "SHA-256", "MD5"], names)
            for pick in range(3):
                answer = self.register(phone, pick=pick)
                self.assertEqual(200, answer.status, answer.text)
                self.assertIn("rspauth=", answer.get("Authentication-Info"))

    def test_replay_is_stale(self):
        with Phone("alice") as phone, Phone("alice") as thief:
            asked = phone.register()
            line = credentials(asked, "alice", "secret", "REGISTER", "sip:example.com")
            self.assertEqual(200, phone.register(lines=[line], cseq=2).status)
            answer = thief.register(lines=[line], cseq=3)
            self.assertEqual(401, answer.status)
            self.assertIn("stale=true", answer.get("WWW-Authenticate"))

    def test_users_outlive_a_kill(self):
        with Phone("alice") as phone:
            self.assertEqual(200, self.register(phone).status)
            self.box.process.send_signal(signal.SIGKILL)
            self.box.process.wait()
            type(self).box = box.Box(self.config, workers=2).start()
            asked = phone.register()
            self.assertEqual(401, asked.status)
            line = credentials(asked, "alice", "secret", "REGISTER", "sip:example.com")
            self.assertEqual(200, phone.register(lines=[line], cseq=2).status)


if __name__ == "__main__":
    tap.main()
