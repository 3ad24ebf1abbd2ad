#!/usr/bin/env python3
"""The load generator counts right: against a small server that answers, loses, delays and refuses as it is told."""
import json
import os
import re
import signal
import subprocess
import time
import unittest
from xml.etree import ElementTree

import tap
from small_server import SmallServer, header

GENERATOR = os.environ["GENERATOR"]


def generate(mode, server, *options, bind="127.0.0.1:0", t1=100):
    """(exit status, its JSON or None, stderr)"""
    bind = bind.replace(":0", f":{free_port()}")
    done = subprocess.run([GENERATOR, mode, "--server", server.name_port, "--bind", bind, "--users", "20",
                           "--window", "8", "--seconds", "0.3", "--warmup", "0.1", "--t1", str(t1), "--json", *options],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def free_port():
    # Pairs of ports outside the ephemeral range, each process its own.
    free_port.next += 2
    return 10000 + (os.getpid() * 40 + free_port.next) % 20000


free_port.next = 0


class Generator(unittest.TestCase):
    def assert_clean(self, outcome):
        status, result, errors = outcome
        self.assertEqual((0, ""), (status, errors), result)
        self.assertTrue(result["clean"])
        self.assertGreater(result["completed"], 0)
        self.assertGreater(result["rate"], 0)
        self.assertLessEqual(result["p50_us"], result["p99_us"])
        self.assertEqual((0, {}, 0), (result["timeouts"], result["unexpected"], result["unreadable"]))

    def test_register_fills_all_users_and_then_refreshes_them(self):
        with SmallServer() as server:
            self.assert_clean(generate("register", server))
        users = [re.search(r"sip:(u\d+)@", header(text, "To")).group(1) for text in server.requests("REGISTER")]
        self.assertEqual([f"u{n:08}" for n in range(20)], sorted(users[:20]))
        self.assertGreater(len(users), 40)
        self.assertNotEqual(sorted(users[20:40]), users[20:40], "refreshed in order, not at random")

    def test_refreshes_keep_the_call_id_and_raise_cseq(self):
        with SmallServer() as server:
            self.assert_clean(generate("register", server))
        last = {}
        for text in server.requests("REGISTER"):
            user, cseq = header(text, "To"), int(header(text, "CSeq").split()[0])
            call_id, before = last.get(user, (header(text, "Call-ID"), 0))
            self.assertEqual(call_id, header(text, "Call-ID"))
            self.assertGreater(cseq, before)
            last[user] = call_id, cseq
        self.assertEqual(20, len({call_id for call_id, _ in last.values()}))

    def test_a_call_has_all_its_messages(self):
        with SmallServer() as server:
            outcome = generate("call", server)
        self.assert_clean(outcome)
        invites, acks, byes = (server.requests(method) for method in ("INVITE", "ACK", "BYE"))
        self.assertEqual((len(invites), len(invites)), (len(acks), len(byes)))
        self.assertGreaterEqual(len(invites), outcome[1]["completed"])
        self.assertEqual({";tag=uas"}, {re.search(";tag=.*", header(text, "To")).group() for text in acks + byes})
        for ack, bye in zip(acks, byes):
            self.assertEqual(int(header(ack, "CSeq").split()[0]) + 1, int(header(bye, "CSeq").split()[0]))

    def test_the_rest_of_a_call_follows_the_route_set(self):
        with SmallServer(record_route=True) as server:
            self.assert_clean(generate("call", server))
        own = f"<sip:{server.name_port};lr"
        for text in server.requests("ACK") + server.requests("BYE"):
            # RFC 3261 12.1.2: the client's route set is the Record-Route in reverse.
            self.assertEqual(f"{own}>, {own};second>", header(text, "Route"))
            contact = header(server.requests("REGISTER")[0], "Contact").split("@")[1].strip(">")
            self.assertEqual(f"sip:{contact}", text.split(" ")[1])

    def test_without_a_route_set_it_goes_by_the_address_of_record(self):
        with SmallServer() as server:
            self.assert_clean(generate("call", server))
        for text in server.requests("BYE"):
            self.assertRegex(text, r"^BYE sip:u\d{8}@example\.com SIP/2\.0\r\n")
            self.assertIsNone(header(text, "Route"))

    def test_a_call_over_ipv6(self):
        with SmallServer(host="::1") as server:
            self.assert_clean(generate("call", server, bind="[::1]:0"))
        self.assertIn("c=IN IP6 ::1", server.requests("INVITE")[0])

    def test_content_length_is_that_of_the_body(self):
        with SmallServer() as server:
            self.assert_clean(generate("call", server))
        for text in server.seen:
            self.assertEqual(int(header(text, "Content-Length")), len(text.split("\r\n\r\n", 1)[1]))

    def test_a_redirected_call_is_acknowledged_in_its_transaction(self):
        with SmallServer("redirect") as server:
            self.assert_clean(generate("redirect", server))
        invites, acks = server.requests("INVITE"), server.requests("ACK")
        self.assertEqual([header(text, "Via") for text in invites], [header(text, "Via") for text in acks])
        self.assertEqual({";tag=small"}, {re.search(";tag=.*", header(text, "To")).group() for text in acks})

    def test_options_need_no_registration(self):
        with SmallServer() as server:
            self.assert_clean(generate("options", server))
        self.assertEqual([], server.requests("REGISTER"))

    def test_echo_counts_what_comes_back(self):
        with SmallServer("echo") as server:
            outcome = generate("echo", server)
        self.assert_clean(outcome)
        self.assertAlmostEqual(outcome[1]["sent"], outcome[1]["received"], delta=8)

    def test_publish_begins_with_all_users_and_then_says_something_new(self):
        with SmallServer() as server:
            self.assert_clean(generate("publish", server))
        published = server.requests("PUBLISH")
        self.assertEqual([f"u{n:08}" for n in range(20)],
                         sorted(re.search(r"sip:(u\d+)@", header(text, "To")).group(1) for text in published[:20]))
        # Those later have the tag that their users were given last, or this server refuses them.
        self.assertEqual([False] * 20 + [True] * (len(published) - 20),
                         [header(text, "SIP-If-Match") is not None for text in published])
        self.assertGreater(len(published), 40)
        bodies = [text.split("\r\n\r\n", 1)[1] for text in published]
        self.assertEqual(len(published), len(set(bodies)), "a document was published again")
        for text, body in zip(published, bodies):
            self.assertEqual(len(body), int(header(text, "Content-Length")))
            entity = ElementTree.fromstring(body.encode()).get("entity")
            self.assertIn(f"<{entity}>", header(text, "To"))

    def test_a_publication_that_is_not_found_is_unexpected(self):
        with SmallServer(forgets=True) as server:
            status, result, _ = generate("publish", server)
        self.assertEqual((1, ["412"]), (status, list(result["unexpected"])))

    def test_each_watcher_who_is_told_counts_once(self):
        for copies in (1, 2):
            with self.subTest(copies=copies), SmallServer(copies=copies) as server:
                outcome = generate("notify", server, "--watchers", "3")
                self.assert_clean(outcome)
                self.assertEqual(60, len({header(text, "Call-ID") for text in server.requests("SUBSCRIBE")}))
                told = sum("</presence>" in text for text in server.notified)
                self.assertEqual(told, 3 * (len(server.requests("PUBLISH")) - 20))
                self.assertLessEqual(outcome[1]["completed"], told)
                self.assertEqual(3, outcome[1]["watchers"])
            # The last copies may come when the generator has gone.
            self.assertGreaterEqual(server.answers, len(server.notified))
            if copies > 1:
                self.assertGreater(outcome[1]["stale"], 0)

    def test_a_watcher_who_is_told_nothing_is_waited_for(self):
        with SmallServer(deaf="w00000001") as server:
            status, result, _ = generate("notify", server, "--watchers", "2", t1=4)
        self.assertEqual((1, False), (status, result["clean"]))
        self.assertGreater(result["timeouts"], 0)

    def test_losses_are_made_good_and_counted(self):
        for mode in ("register", "call", "publish", "notify"):
            with self.subTest(mode), SmallServer(drop_every=9) as server:
                outcome = generate(mode, server, "--seconds", "1", t1=20)
                self.assert_clean(outcome)
                self.assertGreater(outcome[1]["retransmissions"], 0)

    def test_unexpected_answers_are_counted_by_status(self):
        with SmallServer(status_after=(20, "503 Service Unavailable")) as server:
            status, result, _ = generate("register", server)
        self.assertEqual((1, 0, False), (status, result["completed"], result["clean"]))
        self.assertEqual(["503"], list(result["unexpected"]))
        self.assertGreater(result["unexpected"]["503"], 0)

    def test_a_call_where_a_redirect_was_asked_for_is_unexpected(self):
        with SmallServer("redirect") as server:
            status, result, _ = generate("call", server)
        self.assertEqual((1, ["302"]), (status, list(result["unexpected"])))

    def test_users_that_cannot_be_registered_are_told(self):
        with SmallServer("silent") as server:
            status, result, errors = generate("register", server, t1=4)
        self.assertEqual((1, None), (status, result))
        self.assertIn("20 of 20 users could not be registered", errors)

    def test_what_is_never_answered_times_out(self):
        with SmallServer("silent") as server:
            status, result, _ = generate("options", server, t1=4)
        self.assertEqual((1, 0), (status, result["completed"]))
        self.assertGreater(result["timeouts"], 0)
        self.assertGreater(result["retransmissions"], 0)

    def test_garbage_is_counted(self):
        with SmallServer(garbage=True) as server:
            status, result, _ = generate("options", server)
        self.assertEqual(1, status)
        self.assertGreater(result["unreadable"], 0)

    def test_latency_is_what_the_client_waits(self):
        with SmallServer(delay=0.02) as server:
            outcome = generate("options", server, "--users", "1", "--window", "1", t1=1000)
        self.assert_clean(outcome)
        self.assertGreater(outcome[1]["p50_us"], 19000)
        self.assertLess(outcome[1]["p50_us"], 60000)

    def test_an_interrupt_ends_it(self):
        with SmallServer() as server:
            child = subprocess.Popen([GENERATOR, "options", "--server", server.name_port, "--bind",
                                      f"127.0.0.1:{free_port()}", "--seconds", "60"], stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + 10
            while not server.seen and time.monotonic() < deadline:
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            child.wait(timeout=10)
        self.assertIn(child.returncode, (0, 1))

    def test_wrong_options_are_refused(self):
        for options in ([], ["dance"], ["register"], ["register", "--server", "127.0.0.1:5060"],
                        ["register", "--server", "127.0.0.1", "--bind", "127.0.0.1"],
                        ["register", "--server", "127.0.0.1:5060", "--bind", "::1"],
                        ["register", "--server", "127.0.0.1:5060", "--bind", "127.0.0.1", "--users", "0"],
                        ["register", "--server", "127.0.0.1:5060", "--bind", "127.0.0.1", "--seconds", "soon"]):
            with self.subTest(options=options):
                done = subprocess.run([GENERATOR, *options], capture_output=True, text=True, timeout=10, check=False)
                self.assertEqual(2, done.returncode)
                self.assertIn("usage:", done.stderr)


if __name__ == "__main__":
    tap.main()
