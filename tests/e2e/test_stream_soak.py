#!/usr/bin/env python3
"""Calls between transports while a crowd does its worst on them, and then nothing may be left. tests/e2e/run makes the network.

STROWGER_SOAK_SECONDS asks for more than the usual few, STROWGER_SOAK_SEED for another order.
"""
import contextlib
import multiprocessing
import os
import signal
import sys
import time

import box
import tap
import test_stream
from phone import Phone
from stream_box import CONFIG, PROXIED, TLS, WS, WSS, Streamed
from stream_crowd import StreamCrowd
from stream_phone import StreamPhone, WebPhone

SECONDS = int(os.environ.get("STROWGER_SOAK_SECONDS", "8"))
SEED = int(os.environ.get("STROWGER_SOAK_SEED", "1"))
SILENCE = 60  # seconds at most until every timer of a box with these settings ran out
PORTS = {"TCP": box.PORT, "TLS": TLS, "WS": WS, "WSS": WSS, "PROXIED": PROXIED}
KINDS = (("udp", "tls"), ("tls", "ws"), ("ws", "udp"), ("tcp", "wss"), ("tls", "udp"))


class Patient(Phone):
    """Hears nothing twice: T1 is short here, and whoever speaks slow."""
    heard = ""

    def receive(self, *how, **ways):
        while (message := super().receive(*how, **ways)).text == self.heard:
            pass
        self.heard = message.text
        return message


class Soaked(Streamed):
    # Room for what the crowd starts, or calls are told to come later.
    config = CONFIG.replace("[transaction]\n", "[transaction]\nt1 = 100ms\nt2 = 400ms\nt4 = 500ms\n").replace(
        "mbufs = 8192", "mbufs = 32768").replace("kept_max = 4096", "kept_max = 24576") + """
[proxy]
fork = parallel
"""
    within, call = test_stream.Calling.within, test_stream.Calling.call

    def phone(self, kind, user):
        if kind in ("ws", "wss"):
            return WebPhone(user, f"{kind}://198.18.0.1:{WS if kind == 'ws' else WSS}", self.authority.file)
        return {"udp": Patient, "tcp": StreamPhone, "tls": self.tls}[kind](user)

    def riot(self, stopping, told):
        """A process of its own, so that it holds nobody up here."""
        crowd = StreamCrowd(SEED, PORTS, self.authority.file, self.authority.sign("rude", "DNS:rude.example"))
        told.send(crowd.play(stopping))

    def await_nothing(self):
        end = time.monotonic() + SILENCE
        while left := self.left():
            self.assertLess(time.monotonic(), end, f"{left} is left: {self.streams()}")
            time.sleep(0.2)

    def total(self, command, key):
        return sum(row[key] for row in self.box.ask(command).values() if isinstance(row, dict))

    def left(self):
        streams = self.streams()
        counts = {name: row["connections"] for name, row in streams.items() if isinstance(row, dict) and "connections" in row}
        counts |= {name: streams[name] for name in ("handshaking", "bytes_held")}
        counts |= {name: self.total("/strowger/transactions", name) for name in ("records", "branches", "kept")}
        return {name: count for name, count in counts.items() if count}

    def called(self, number):
        """These phones say nothing twice, so what the riot's packets push out of a queue ends their call."""
        try:
            with contextlib.ExitStack() as phones:
                caller, callee = [phones.enter_context(self.phone(kind, f"{kind}{number}"))
                                  for kind in KINDS[number % len(KINDS)]]
                self.call(caller, callee, bool(number % 2))
            return True
        except (AssertionError, OSError) as error:
            print(f"# call {number}: {error}", file=sys.stderr)
            return False

    def test_calls_go_on_amid_a_riot_and_nothing_is_left(self):
        calls, failed, stopping, (told, tells) = 0, 0, multiprocessing.Event(), multiprocessing.Pipe()
        riot = multiprocessing.Process(target=self.riot, args=(stopping, tells))
        riot.start()
        try:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end or calls < len(KINDS):
                failed += not self.called(calls)
                calls += 1
                if calls % 5 == 0:
                    self.box.process.send_signal(signal.SIGHUP)
        finally:
            stopping.set()
            riot.join()
        self.assertEqual(0, riot.exitcode)
        connections, requests = told.recv()
        self.await_nothing()
        ends = {name: count for name, count in self.streams()["ends"].items() if count}
        print(f"# {calls} calls, {failed} of them failed, {connections} rude connections, {requests} requests heard by them", file=sys.stderr)
        print(f"# ends {ends}", file=sys.stderr)
        self.assertGreater(len(ends), 5)  # which ones, the crowd decides
        self.assertLess(2 * failed, calls)


if __name__ == "__main__":
    tap.main()
