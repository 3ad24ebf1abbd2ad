#!/usr/bin/env python3
"""Registrations that outlive strowger: what the client was promised is there after a kill -9, and what was removed is not.

DURABLE_KILLS: how often it is killed under load (50)."""
import os
import random
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

import box
import phone
import tap

KILLS = int(os.environ.get("DURABLE_KILLS", "50"))
USERS = 200


def config(path, extra=""):
    return box.CONFIG.replace("[registrar]\n", f"[store]\npath = {path}\n{extra}[registrar]\n")


class Folder(unittest.TestCase):
    """A folder for the store, on the disk."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="strowger-store-", dir="/var/tmp")
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "store")
        self.box = None
        self.addCleanup(self.end)

    def end(self):
        if self.box is not None and self.box.process is not None and self.box.process.poll() is None:
            self.box.process.kill()
            self.box.process.wait()
            self.box.clear()

    def start(self, workers=1, extra="", path=None):
        self.box = box.Box(config(path or self.path, extra), workers=workers).start()
        return self.box

    def kill(self):
        self.box.process.kill()
        self.box.process.wait()
        self.box.clear()

    def stop(self):
        self.assertEqual(0, self.box.stop(), self.box.output())


class Load:
    """One socket that registers and removes many users, several at a time, and knows what it was promised.

    Of each user: the contact of the last promise (None: none), and those that were asked for since. Whatever is found after
    a crash must be one of these."""

    def __init__(self, seed):
        self.phone = phone.Phone("load")
        self.random = random.Random(seed)
        self.promised = {user: None for user in range(USERS)}
        self.asked = {user: {} for user in range(USERS)}  # CSeq: contact that would be promised
        self.cseq = 0
        self.acknowledged = self.refused = 0

    def contact(self, user, number):
        return f"sip:u{user}@198.18.0.2:{20000 + number % 40000}"

    # One contact a user: the one before is removed in the same REGISTER, so that the set is one value.
    def send(self, user):
        self.cseq += 1
        before = [c for c in {self.promised[user], *self.asked[user].values()} if c is not None]
        removal = self.random.random() < 0.25
        new = None if removal else self.contact(user, self.cseq)
        lines = [f"Contact: <{contact}>;expires=0" for contact in before if contact != new]
        if new is not None:
            lines.append(f"Contact: <{new}>;expires=3600")
        if not lines:
            return False
        # What is not there any more, or not yet, is removed for nothing.
        self.asked[user][self.cseq] = new
        self.phone.send(self.phone.request("REGISTER", "sip:example.com", f"sip:u{user}@example.com", lines=lines,
                                           call_id=f"load-{user}", cseq=self.cseq))
        return True

    def hear(self, message):
        number = int(message.get("CSeq").split()[0])
        user = int(message.get("Call-ID").split("-")[1])
        if number not in self.asked[user]:
            return  # a retransmission's
        if message.status == 200:
            self.acknowledged += 1
            self.promised[user] = self.asked[user][number]
            # What was asked for before lost to this one.
            for old in [n for n in self.asked[user] if n <= number]:
                del self.asked[user][old]
        else:
            self.refused += 1
            del self.asked[user][number]

    def run(self, seconds):
        end = time.monotonic() + seconds
        free = list(range(USERS))
        while time.monotonic() < end:
            for user in self.random.sample(free, 16):
                if not self.asked[user]:
                    self.send(user)
            while select.select([self.phone.socket], [], [], 0.002)[0]:
                self.hear(phone.Message(self.phone.socket.recv(65536).decode()))

    def drain(self):
        """What had left before the end still counts."""
        while select.select([self.phone.socket], [], [], 0.05)[0]:
            self.hear(phone.Message(self.phone.socket.recv(65536).decode()))

    def check(self, test):
        """After a restart: asks for all users' contacts."""
        found = fetch(self.phone, [f"u{user}" for user in range(USERS)])
        for user in range(USERS):
            contacts = found[f"u{user}"]
            allowed = [self.promised[user], *self.asked[user].values()]
            test.assertLessEqual(len(contacts), 1, f"u{user}: {contacts}, allowed {allowed}")
            now = contacts[0] if contacts else None
            test.assertIn(now, allowed, f"u{user}: what was promised is not there, or what was removed is")
            self.promised[user] = now
            self.asked[user] = {}
        return sum(len(contacts) for contacts in found.values())


def fetch(asking, users):
    """The contacts of each user, as the registrar lists them."""
    found, waiting = {}, {}
    numbers = iter(range(10**6))
    end = time.monotonic() + 20
    missing = list(users)
    while missing:
        if time.monotonic() > end:
            raise AssertionError(f"no answer about {missing[:5]}…")
        for user in missing[:50]:
            call_id = f"fetch-{user}-{next(numbers)}-{time.monotonic_ns()}"
            waiting[call_id] = user
            asking.send(asking.request("REGISTER", "sip:example.com", f"sip:{user}@example.com", call_id=call_id))
        while select.select([asking.socket], [], [], 0.1)[0]:
            answer = phone.Message(asking.socket.recv(65536).decode())
            user = waiting.get(answer.get("Call-ID"))
            if user is not None and answer.status == 200:
                found[user] = [re.search(r"<([^>]*)>", contact).group(1) for contact in answer.all("Contact")]
        missing = [user for user in missing if user not in found]
    return found


class Killing(Folder):
    def test_every_promise_outlives_a_kill(self):
        load = Load(seed=4)
        promised = 0
        self.start()
        for round_number in range(KILLS):
            load.run(0.1 + load.random.random() * 0.4)
            self.kill()
            load.drain()
            # Another number of workers each time.
            self.start(workers=1 + round_number % 2)
            load.check(self)
            promised = load.acknowledged
        self.stop()
        print(f"# {KILLS} kills, {promised} registrations promised, {load.refused} refused")
        self.assertGreater(promised, KILLS * 20)

    def test_workers_change_and_bindings_stay(self):
        users = [f"w{number}" for number in range(100)]
        self.start(workers=1)
        for user in users:
            with phone.Phone(user, port=0) as one:
                self.assertEqual(200, one.register(expires=600, contact=f"<sip:{user}@198.18.0.2:7000>").status)
        for workers in (2, 3, 1):
            self.kill()
            self.start(workers=workers)
            with phone.Phone("asking") as asking:
                found = fetch(asking, users)
            self.assertEqual({user: [f"sip:{user}@198.18.0.2:7000"] for user in users}, found)
            shards = self.box.ask("/strowger/location")
            self.assertEqual(workers, len(shards))
            self.assertEqual(100, sum(shard["bindings"] for shard in shards.values()))

    def test_call_reaches_who_registered_before_the_kill(self):
        with phone.Phone("bob") as bob, phone.Phone("alice", address="198.18.0.3") as alice:
            self.start()
            self.assertEqual(200, bob.register().status)
            self.kill()
            self.start()
            alice.send(alice.request("OPTIONS", "sip:bob@example.com"))
            asked = bob.receive()
            self.assertTrue(asked.start.startswith("OPTIONS sip:bob@"), asked.start)

    def test_expiry_goes_on_while_nobody_runs(self):
        with phone.Phone("brief") as brief, phone.Phone("long") as long:
            self.start()
            self.assertEqual(200, brief.register(expires=2).status)
            self.assertEqual(200, long.register(expires=600).status)
            self.kill()
            time.sleep(3)
            self.start()
            found = fetch(long, ["brief", "long"])
            self.assertEqual(([], 1), (found["brief"], len(found["long"])))

    def test_ending_in_order_keeps_what_was_promised_by_relaxed(self):
        with phone.Phone("r") as one:
            self.start(extra="durability = relaxed\n")
            self.assertEqual(200, one.register().status)
            self.stop()
            self.start()
            self.assertEqual(1, len(fetch(one, ["r"])["r"]))


class Failing(Folder):
    def mount(self, size):
        path = os.path.join(self.folder.name, "small")
        os.mkdir(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        self.addCleanup(self.end)
        return path

    def until_status(self, one, status, seconds=10):
        end = time.monotonic() + seconds
        for number in range(1, 10**6):
            answer = one.register(contact=f"<sip:{one.user}@198.18.0.2:{10000 + number}>", cseq=number)
            if answer.status == status:
                return answer
            self.assertIn(answer.status, (200, 503))
            self.assertLess(time.monotonic(), end, f"no {status}, but {answer.start}")
            time.sleep(0.02)

    def test_full_disk_is_answered_503_until_there_is_room(self):
        path = self.mount("2m")
        with phone.Phone("kept") as kept, phone.Phone("later") as later, \
                phone.Phone("alice", address="198.18.0.3") as alice:
            self.start(path=os.path.join(path, "store"), extra="size_max = 1G\n")
            self.assertEqual(200, kept.register().status)
            filler = os.path.join(path, "filler")
            with open(filler, "wb", buffering=0) as file:
                with self.assertRaises(OSError):
                    while True:
                        file.write(bytes(4096))
            # The store has some space of its own to use up.
            refused = self.until_status(later, 503)
            self.assertGreaterEqual(int(refused.get("Retry-After")), 30)
            self.assertEqual([], refused.all("Contact"))
            self.box.wait_for("is full: REGISTER, PUBLISH and SUBSCRIBE are answered 503")
            self.assertEqual("failing", self.box.ask("/strowger/store")["state"])
            # calls go on
            alice.send(alice.request("OPTIONS", "sip:kept@example.com"))
            self.assertTrue(kept.receive().start.startswith("OPTIONS "))
            os.unlink(filler)
            self.box.wait_for("is written again")
            self.assertEqual(200, later.register(contact="<sip:later@198.18.0.2:9999>", cseq=10**6).status)
            before = fetch(later, ["kept", "later"])
            self.kill()
            self.start(path=os.path.join(path, "store"), extra="size_max = 1G\n")
            self.assertEqual({user: sorted(contacts) for user, contacts in before.items()},
                             {user: sorted(contacts) for user, contacts in fetch(later, ["kept", "later"]).items()})
            self.assertIn("sip:later@198.18.0.2:9999", before["later"])
            self.stop()


class Refusing(Folder):
    def refuse(self, wanted):
        data = os.path.join(self.path, "data.mdb")
        with open(data, "rb") as file:
            before = file.read()
        status, said = box.Box(config(self.path)).fails_to_start()
        self.assertNotIn(status, (0, -6, -11), said)
        self.assertIn(wanted, said)
        self.assertNotIn("serving", said)
        with open(data, "rb") as file:
            self.assertEqual(before, file.read(), "the file was changed")

    def register_one(self):
        self.start()
        with phone.Phone("bob") as bob:
            self.assertEqual(200, bob.register().status)
        self.kill()

    def test_foreign_file(self):
        os.mkdir(self.path)
        shutil.copy("/bin/ls", os.path.join(self.path, "data.mdb"))
        self.refuse("not a store of strowger's")

    def test_damaged_file(self):
        self.register_one()
        data = os.path.join(self.path, "data.mdb")
        with open(data, "rb") as file:
            whole = file.read()
        self.assertIn(b"sip:bob@198.18.0.2", whole)
        with open(data, "wb") as file:
            file.write(whole.replace(b"sip:bob@198.18.0.2", b"sip:bob@198.18.0.3"))
        self.refuse('the bindings of "bob@example.com" cannot be read')
        with open(data, "wb") as file:
            file.write(whole[:12288])
        self.refuse("damaged")

    def test_second_strowger(self):
        self.start()
        status, said = box.Box(config(self.path), device=box.DEVICE).fails_to_start()
        self.assertEqual(1, status, said)
        self.assertIn("another process has the store", said)


if __name__ == "__main__":
    tap.main()
