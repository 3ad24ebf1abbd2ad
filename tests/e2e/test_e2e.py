#!/usr/bin/env python3
"""What a phone, an operator and a neighbour on the link see of a running strowger. tests/e2e/run makes the network."""
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
import unittest

import box
import tap
from phone import Phone, uri_of
from sipp import answering, play


class Served(unittest.TestCase):
    """Cases that share one strowger; whatever they send it, it must end with 0 and leave nothing behind."""
    workers = 1

    @classmethod
    def setUpClass(cls):
        cls.box = box.Box(workers=cls.workers).start()

    @classmethod
    def tearDownClass(cls):
        status = cls.box.stop()
        assert status == 0, f"exit status {status}:\n{cls.box.output()}"

    def options(self, phone):
        """The server is alive and well."""
        self.assertEqual(200, phone.ask("OPTIONS", f"sip:{box.ADDRESS4}").status)

    def establish(self, caller, callee, uri, body="", lines=()):
        """INVITE, 180, 200, ACK between two phones. Returns what the callee and the caller got."""
        contact = [f"Contact: {caller.contact}", *lines]
        caller.send(caller.request("INVITE", uri, lines=contact, body=body))
        invite = callee.receive()
        self.assertEqual("INVITE", invite.start.split()[0])
        callee.answer(invite, 180, "Ringing")
        self.assertEqual(180, caller.receive().status)
        callee.answer(invite, 200, "OK")
        ok = caller.receive()
        self.assertEqual(200, ok.status)
        self.within(caller, ok, "ACK")
        ack = callee.receive()
        self.assertEqual("ACK", ack.start.split()[0])
        return invite, ok

    def within(self, caller, ok, method, cseq=1):
        """A request inside the dialog that `ok` made, by the caller (RFC 3261 12.2.1.1)."""
        routes = [f"Route: {route}" for route in reversed(ok.all("Record-Route"))]
        tag = ok.get("To").split(";tag=")[1]
        caller.send(caller.request(method, uri_of(ok.get("Contact")), to=uri_of(ok.get("To")), lines=routes,
                                   call_id=ok.get("Call-ID"), cseq=cseq, to_tag=tag))

    def hang_up(self, caller, callee, ok):
        self.within(caller, ok, "BYE", cseq=2)
        bye = callee.receive()
        self.assertEqual("BYE", bye.start.split()[0])
        callee.answer(bye, 200, "OK")
        self.assertEqual(200, caller.receive().status)


class Registering(Served):
    def test_register_returns_the_binding_and_a_date(self):
        with Phone("reg1") as phone:
            ok = phone.register(expires=60)
            self.assertEqual(200, ok.status)
            self.assertIn(phone.contact, ok.get("Contact"))
            self.assertIn("expires=60", ok.get("Contact"))
            self.assertRegex(ok.get("Date"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")

    def test_refresh_extends_the_same_binding(self):
        with Phone("reg2") as phone:
            phone.register(expires=10, call_id="refresh", cseq=1)
            ok = phone.register(expires=60, call_id="refresh", cseq=2)
            self.assertEqual(1, len(ok.all("Contact")))
            self.assertIn("expires=60", ok.get("Contact"))

    def test_query_lists_the_bindings_of_all_phones(self):
        with Phone("reg3") as one, Phone("reg3") as two:
            one.register()
            two.register()
            ok = one.register(expires=None, contact="")
            listed = ", ".join(ok.all("Contact"))
            self.assertIn(uri_of(one.contact), listed)
            self.assertIn(uri_of(two.contact), listed)

    def test_expires_0_removes_one_binding_and_star_all(self):
        with Phone("reg4") as one, Phone("reg4") as two:
            one.register()
            two.register()
            ok = one.register(expires=0)
            self.assertEqual(1, len(", ".join(ok.all("Contact")).split("<")) - 1)
            ok = two.register(expires=0, contact="*")
            self.assertEqual([], ok.all("Contact"))

    def test_binding_dies_on_time(self):
        with Phone("reg5") as phone, Phone("asker") as asker:
            phone.register(expires=1)
            start = time.monotonic()
            self.assertEqual(1, len(phone.register(expires=None, contact="").all("Contact")))
            while phone.register(expires=None, contact="").all("Contact"):
                self.assertLess(time.monotonic() - start, 5.0)
                time.sleep(0.02)
            self.assertGreater(time.monotonic() - start, 0.9)
            self.assertIn(asker.ask("MESSAGE", "sip:reg5@example.com").status, (404, 480))

    def test_foreign_domain_is_not_registered(self):
        with Phone("reg6", domain="elsewhere.example.net") as phone:
            self.assertIn(phone.register().status, (403, 404))

    def test_ip6_phone_registers(self):
        with Phone("reg7", address="2001:db8::2") as phone:
            self.assertEqual(200, phone.register().status)


class Calling(Served):
    def test_call_through_the_proxy_from_invite_to_bye(self):
        with Phone("alice") as alice, Phone("bob") as bob:
            bob.register()
            invite, ok = self.establish(alice, bob, "sip:bob@example.com", body="v=0\r\n")
            self.assertEqual("v=0\r\n", invite.body)
            self.assertEqual(2, len(invite.all("Via")))
            self.assertEqual("69", invite.get("Max-Forwards"))
            self.assertEqual(1, len(ok.all("Via")))
            self.assertEqual(1, len(ok.all("Record-Route")))
            self.hang_up(alice, bob, ok)

    def test_retransmissions_keep_their_branch_and_their_way(self):
        with Phone("alice") as alice, Phone("bob2") as bob:
            bob.register()
            invite = alice.request("INVITE", "sip:bob2@example.com", lines=[f"Contact: {alice.contact}"])
            alice.send(invite)
            alice.send(invite)
            self.assertEqual(bob.receive().get("Via"), bob.receive().get("Via"))

    def test_cancel_follows_its_invite(self):
        with Phone("alice") as alice, Phone("bob3") as bob:
            bob.register()
            alice.send(alice.request("INVITE", "sip:bob3@example.com", branch="z9hG4bKcancel", call_id="cancel",
                                     lines=[f"Contact: {alice.contact}"]))
            invite = bob.receive()
            bob.answer(invite, 180, "Ringing")
            self.assertEqual(180, alice.receive().status)
            alice.send(alice.request("CANCEL", "sip:bob3@example.com", branch="z9hG4bKcancel", call_id="cancel"))
            self.assertEqual(200, alice.receive().status)
            cancel = bob.receive()
            self.assertEqual("CANCEL", cancel.start.split()[0])
            self.assertEqual(invite.get("Via"), cancel.get("Via"))
            bob.answer(cancel, 200, "OK")
            bob.answer(invite, 487, "Request Terminated")
            self.assertEqual("ACK", bob.receive().start.split()[0])
            self.assertEqual(487, alice.receive().status)

    def test_redirect_names_the_contact_and_absorbs_the_ack(self):
        domain = "redirect.example.com"
        with Phone("alice") as alice, Phone("carol", domain=domain) as carol:
            carol.register()
            invite = alice.request("INVITE", f"sip:carol@{domain}", branch="z9hG4bKredirect", call_id="redirect",
                                   lines=[f"Contact: {alice.contact}"])
            alice.send(invite)
            moved = alice.receive()
            self.assertEqual(302, moved.status)
            self.assertEqual(uri_of(carol.contact), uri_of(moved.get("Contact")))
            tag = moved.get("To").split(";tag=")[1]
            alice.send(alice.request("ACK", f"sip:carol@{domain}", branch="z9hG4bKredirect", call_id="redirect",
                                     to_tag=tag))
            self.assertTrue(carol.silence())
            self.assertTrue(alice.silence())

    def test_unknown_user_404_no_user_484_foreign_relay_403(self):
        with Phone("alice") as alice, Phone("mallory", domain="evil.example.net") as mallory:
            self.assertEqual(404, alice.ask("INVITE", "sip:nobody@example.com").status)
            self.assertEqual(484, alice.ask("INVITE", "sip:example.com").status)
            self.assertEqual(403, mallory.ask("INVITE", "sip:x@other.example.org").status)

    def test_call_between_ip6_and_ip4_records_both_routes(self):
        with Phone("alice6", address="2001:db8::2") as alice, Phone("bob4") as bob:
            bob.register()
            invite, ok = self.establish(alice, bob, "sip:bob4@example.com")
            self.assertEqual(2, len(", ".join(invite.all("Record-Route")).split(",")))
            self.assertIn("198.18.0.1", invite.get("Via"))
            self.hang_up(alice, bob, ok)

    def test_call_between_two_ip6_phones(self):
        with Phone("alice66", address="2001:db8::2") as alice, Phone("bob66", address="2001:db8::2") as bob:
            bob.register()
            _, ok = self.establish(alice, bob, "sip:bob66@example.com")
            self.hang_up(alice, bob, ok)

    @unittest.skipIf("af_packet" in box.DEVICE, "the AF_PACKET driver lets the kernel join fragments, and cuts them")
    def test_fragmented_invite_arrives_whole(self):
        body = "v=0\r\n" + "a=candidate:1 1 UDP 2130706431 198.18.0.2 9 typ host\r\n" * 80
        with Phone("alice") as alice, Phone("bob5") as bob:
            bob.register()
            invite, ok = self.establish(alice, bob, "sip:bob5@example.com", body=body)
            self.assertEqual(body, invite.body)
            self.hang_up(alice, bob, ok)

    def test_phone_behind_a_nat_is_called_from_invite_to_bye(self):
        with Phone("alice") as alice, Phone("natted", sent_by="192.168.1.5:5060") as natted:
            natted.register()
            invite, ok = self.establish(alice, natted, "sip:natted@example.com")
            self.assertEqual("INVITE sip:natted@192.168.1.5:5060 SIP/2.0", invite.start)
            self.hang_up(alice, natted, ok)

    def test_caller_behind_a_nat_gets_its_answers(self):
        with Phone("natcaller", sent_by="10.0.0.7:5060") as caller, Phone("bob7") as bob:
            bob.register()
            caller.send(caller.request("INVITE", "sip:bob7@example.com", lines=[f"Contact: {caller.contact}"]))
            invite = bob.receive()
            self.assertIn("received=198.18.0.2", invite.all("Via")[1])
            self.assertIn(f"rport={caller.port}", invite.all("Via")[1])
            bob.answer(invite, 180, "Ringing")
            self.assertEqual(180, caller.receive().status)


class Attacked(Served):
    GARBAGE = [
        b"", b"\r\n\r\n", b"\0" * 100, b"\xff" * 1400, b"INVITE", b"INVITE sip:x SIP/2.0", b"SIP/2.0 200 OK\r\n\r\n",
        b"INVITE sip:bob@example.com SIP/2.0\r\n\r\n", b"A" * 9000,
        b"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=\r\nFrom: <\r\nTo: \"\r\nCall-ID:\r\nCSeq: -1\r\n\r\n",
        b"INVITE sip:bob@example.com SIP/2.0\r\n" + b"Via: SIP/2.0/UDP 1.2.3.4\r\n" * 300 + b"\r\n",
        b"INVITE sip:bob@example.com SIP/7.0\r\nVia: SIP/2.0/UDP 1.2.3.4\r\n\r\n",
    ]

    def test_malformed_input_between_good_calls_disturbs_nothing(self):
        with Phone("alice") as alice, Phone("bob") as bob, Phone("mallory") as mallory:
            bob.register()
            for garbage in self.GARBAGE:
                mallory.send(garbage)
                _, ok = self.establish(alice, bob, "sip:bob@example.com")
                mallory.send(garbage)
                self.hang_up(alice, bob, ok)

    def test_what_can_be_answered_is_told_why(self):
        with Phone("alice") as alice:
            text = alice.request("OPTIONS", f"sip:{box.ADDRESS4}").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE")
            alice.send(text)
            answer = alice.receive()
            self.assertEqual(400, answer.status)
            self.assertIn("CSeq", answer.start)
            alice.send(alice.request("OPTIONS", f"sip:{box.ADDRESS4}").replace("Content-Length: 0", "Content-Length: 10"))
            self.assertEqual(400, alice.receive().status)

    def test_drops_are_counted_under_a_name(self):
        with Phone("mallory") as mallory, Phone("alice") as alice:
            before = self.box.ask("/strowger/drops")
            mallory.send(b"\r\n")
            mallory.send(mallory.request("OPTIONS", f"sip:{box.ADDRESS4}", lines=["User-Agent: friendly-scanner"]))
            mallory.send(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
                         b"To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n")
            self.options(alice)
            after = self.box.ask("/strowger/drops")
            for name in ("keepalive", "scanner", "response_not_ours"):
                self.assertEqual(before.get(name, 0) + 1, after[name], name)
            self.assertTrue(mallory.silence())

    def test_oversized_request_uri_414(self):
        with Phone("alice") as alice:
            self.assertEqual(414, alice.ask("OPTIONS", "sip:" + "x" * 600 + "@example.com").status)


class Mutated(Served):
    """Messages that were good or are famous for being bad, broken a little more."""
    workers = 2
    COUNT = 30000
    TORTURE = pathlib.Path(__file__).resolve().parents[1] / "sip" / "torture"
    PIECES = (b"\r\n", b",", b";", b"<", b'"', b"\0", b"  ", b"Via: ", b"@", b"%00")

    def mutate(self, chance, message):
        message = bytearray(message)
        for _ in range(chance.randrange(6)):
            at = chance.randrange(len(message) + 1)
            kind = chance.randrange(4)
            if kind == 0 and at < len(message):
                message[at] = chance.randrange(256)
            elif kind == 1:
                del message[at:at + chance.randrange(20)]
            elif kind == 2:
                message[at:at] = chance.choice(self.PIECES)
            else:
                del message[at:]
        return bytes(message)

    def test_mutated_messages_leave_it_whole_and_serving(self):
        chance = random.Random(1)
        seeds = [file.read_bytes() for file in sorted(self.TORTURE.glob("*.dat"))]
        with Phone("alice") as alice, Phone("bob") as bob, Phone("mallory") as mallory, Phone("judge") as judge:
            seeds.append(alice.request("INVITE", "sip:bob@example.com", lines=[f"Contact: {alice.contact}"]).encode())
            seeds.append(bob.request("REGISTER", "sip:example.com", "sip:bob@example.com",
                                     lines=[f"Contact: {bob.contact}"]).encode())
            bob.register()
            for number in range(self.COUNT):
                message = self.mutate(chance, chance.choice(seeds))
                mallory.send(message)
                if number % 100 == 0:
                    self.options(judge)  # it shares the machine with us, and may be behind
            self.options(judge)
        self.assertGreater(sum(self.box.ask("/strowger/messages")["requests"].values()), self.COUNT // 3)


class TwoWorkers(Served):
    workers = 2

    def test_calls_and_registrations_spread_over_both(self):
        with Phone("alice") as alice:
            for number in range(24):
                with Phone(f"spread{number}") as bob:
                    self.assertEqual(200, bob.register().status)
                    _, ok = self.establish(alice, bob, f"sip:spread{number}@example.com")
                    self.hang_up(alice, bob, ok)
        workers = self.box.ask("/strowger/workers")
        self.assertEqual(2, len(workers))


class Kernel(Served):
    def test_ping_over_ip4_and_ip6(self):
        for address in (box.ADDRESS4, box.ADDRESS6):
            done = box.run_in(box.CLIENT, "ping", "-c", "3", "-i", "0.2", "-W", "2", address)
            self.assertIn(" 0% packet loss", done.stdout, done.stdout + done.stderr)

    def test_large_ping_is_fragmented_by_the_kernel_both_ways(self):
        done = box.run_in(box.CLIENT, "ping", "-c", "2", "-i", "0.2", "-W", "2", "-s", "4000", box.ADDRESS4)
        self.assertIn(" 0% packet loss", done.stdout, done.stdout + done.stderr)

    def test_tcp_connection_to_the_appliance(self):
        with box.inside(box.SERVER):
            listener = socket.create_server((box.ADDRESS4, 7000))
        with listener:
            listener.settimeout(5)
            with box.inside(box.CLIENT):
                client = socket.create_connection((box.ADDRESS4, 7000), timeout=5)
            with client:
                served, _ = listener.accept()
                with served:
                    payload = os.urandom(200000)
                    served.settimeout(10)
                    client.settimeout(10)
                    client.sendall(payload)
                    got = b""
                    while len(got) < len(payload):
                        got += served.recv(65536)
                    self.assertEqual(payload, got)

    def test_next_hop_is_resolved_by_the_kernel_while_the_answer_waits(self):
        box.run_in(box.SERVER, "ip", "neigh", "flush", "dev", "sip0")
        with Phone("late", address="198.18.0.3") as phone:
            box.run_in(box.SERVER, "ip", "neigh", "del", "198.18.0.3", "dev", "sip0")
            self.options(phone)

    def test_telemetry_answers_every_command(self):
        with Phone("alice") as alice:
            self.options(alice)
        for command in ("workers", "ports", "drops", "messages", "parse", "location", "stages", "hops", "conf"):
            self.assertTrue(self.box.ask(f"/strowger/{command}"), command)

    def test_stock_telemetry_script_reads_it(self):
        done = subprocess.run(["dpdk-telemetry.py", "-f", self.box.prefix], input="/strowger/workers\nquit\n",
                              capture_output=True, text=True, timeout=20)
        self.assertIn("busy", done.stdout, done.stdout + done.stderr)


class Sipp(Served):
    """The same over a real SIP client."""

    def test_registers_calls_and_is_redirected(self):
        users = [f"sipp{number}" for number in range(50)]
        play("register.xml", 5080, calls=50, users=users)
        play("register.xml", 5080, calls=50, users=users, domain="redirect.example.com")
        with answering("callee.xml", 5070):
            play("call.xml", 5081, calls=100, users=users)
        play("redirected.xml", 5082, calls=100, users=users, domain="redirect.example.com")


class Starting(unittest.TestCase):
    def refuses(self, config=box.CONFIG, expected=1, **how):
        status, said = box.Box(config=config, **how).fails_to_start()
        self.assertEqual(expected, status, said)
        return said

    def test_sigterm_and_sigint_end_it_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = box.Box().start()
            self.assertEqual(0, server.stop(number), server.output())
            self.assertNotIn("sip0", subprocess.run(["ip", "-n", box.SERVER, "link"], capture_output=True,
                                                    text=True).stdout)

    def test_unknown_port_is_named_and_nothing_is_left(self):
        said = self.refuses(box.CONFIG.replace(box.DEVICE.split(",")[0], "net_nothing7"))
        self.assertIn("net_nothing7", said)
        self.assertIn(box.DEVICE.split(",")[0], said, "the devices that are there are listed")

    def test_busy_twin_name_is_named(self):
        subprocess.run(["ip", "-n", box.SERVER, "link", "add", "sip0", "type", "veth", "peer", "sip0peer"], check=True)
        try:
            self.assertIn("sip0", self.refuses())
        finally:
            subprocess.run(["ip", "-n", box.SERVER, "link", "del", "sip0"], check=True)

    def test_too_little_memory_is_said(self):
        self.assertIn("mbufs", self.refuses(box.CONFIG.replace("mbufs = 8192", "mbufs = 4000000")))

    def test_wrong_configuration_starts_nothing(self):
        said = self.refuses(box.CONFIG + "[listener five]\naddres = 1.2.3.4\n", expected=2)
        self.assertIn("address", said)
        self.assertNotIn("EAL", said)

    def test_check_prints_what_is_in_force(self):
        server = box.Box()
        server.command.append("--check")
        status, said = server.fails_to_start()
        self.assertEqual(0, status, said)
        self.assertIn("contacts_max = 10", said)
        self.assertIn("# Rules as they are tried", said)

    def test_version_and_help_need_no_configuration(self):
        for option, word in (("--version", "strowger"), ("--help", "EAL options"), ("--keys", "contacts_max"),
                             ("--template", "#contacts_max")):
            done = subprocess.run([os.environ["STROWGER"], option], capture_output=True, text=True)
            self.assertEqual(0, done.returncode)
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    tap.main()
