#!/usr/bin/env python3
"""As many TLS connections as this process may have files, held at the same time. tests/e2e/run makes the network."""
import os
import pathlib
import resource
import subprocess
import tempfile
import time
import unittest

import box
import tap
from certificates import Authority

CLIENT = os.environ["BENCH_STREAM"]
WANTED = 20000
SPARE = 1000          # descriptors that are no connection's: EAL has one for each huge page
BYTES_MAX = 24 << 10  # of the process, for a connection that says nothing
CONFIG = box.CONFIG + """
[stream]
connections_max = 20100
connections_source_max = 20100
handshake_timeout = 60s
[certificate main]
chain = {folder}/main.pem
key = {folder}/main.key
[listener tls]
address = 127.0.0.1
transport = tls
"""


def is_sanitized():
    """Shadow memory and red zones are not what a connection costs."""
    return b"__asan_init" in pathlib.Path(os.environ["STROWGER"]).read_bytes()


class Many(unittest.TestCase):
    def resident(self):
        with open(f"/proc/{self.server()}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("Rss:"))

    def server(self):
        """The process itself: `ip netns exec` became it."""
        return self.box.process.pid

    def connections(self):
        return self.box.ask("/strowger/streams")["tls"]["connections"]

    def test_twenty_thousand_connections_are_held_and_served(self):
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        count = 2000 if is_sanitized() else min(WANTED, files - SPARE)
        with tempfile.TemporaryDirectory(prefix="strowger-many-") as folder:
            authority = Authority(folder)
            authority.sign("main", "DNS:example.com", "IP:127.0.0.1")
            self.box = box.Box(CONFIG.format(folder=folder)).start()
            before = self.resident()
            clients = subprocess.Popen(["ip", "netns", "exec", box.SERVER, CLIENT, "idle", "--server", "127.0.0.1:5061",
                                        "--connections", str(count), "--sources", "4"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
            try:
                self.assertEqual(f"open {count}\n", clients.stdout.readline(), self.box.output())
                self.assertEqual(count, self.connections())
                if not is_sanitized():
                    self.assertLess((self.resident() - before) / count, BYTES_MAX)
                # Among all of them a phone is served as if it were alone.
                done = subprocess.run(["ip", "netns", "exec", box.SERVER, CLIENT, "message", "--server", "127.0.0.1:5061",
                                       "--connections", "4", "--seconds", "1", "--warmup", "0"], capture_output=True,
                                      text=True, timeout=60, check=False)
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            finally:
                clients.stdin.close()
                clients.wait(60)
            end = time.monotonic() + 30
            while self.connections() > 0:
                self.assertLess(time.monotonic(), end, self.connections())
                time.sleep(0.1)
            self.assertEqual(0, self.box.stop(), self.box.output())


if __name__ == "__main__":
    tap.main()
