#!/usr/bin/env python3
"""A phone that others wrote, baresip, over TLS and over UDP. tests/e2e/run makes the network."""
import os
import signal
import subprocess
import tempfile
import time

import box
import tap
from stream_box import TLS, Streamed

MODULES = ("uuid", "g711", "aubridge")
CONFIG = """
sip_listen 198.18.0.2:{port}
sip_cafile {authority}
sip_verify_server yes
audio_player aubridge,nowhere
audio_source aubridge,nowhere
audio_alert aubridge,nowhere
module_path /usr/lib/baresip/modules
"""


class Baresip:
    """One that runs; what is typed at it, and what it says."""

    def __init__(self, user, transport, port, authority, first=()):
        server = f"198.18.0.1:{TLS if transport == 'tls' else box.PORT};transport={transport}"
        self.folder = tempfile.TemporaryDirectory(prefix="strowger-baresip-")
        self.write("config", CONFIG.format(port=port, authority=authority) +
                   "".join(f"module {name}.so\n" for name in MODULES) + "module_app account.so\nmodule_app menu.so\n")
        self.write("accounts", f'<sip:{user}@example.com;transport={transport}>;outbound="sip:{server}";regint=60;'
                               "answermode=auto;audio_codecs=PCMU/8000/1\n")
        self.write("contacts", "")
        self.log = open(self.path("log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", box.CLIENT, "baresip", "-f", self.folder.name, "-4",
             *(word for command in first for word in ("-e", command))],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def said(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.said():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"waited for {text!r}; baresip said:\n{self.said()}")
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Softphones(Streamed):
    def phone(self, user, transport, port, *first):
        return Baresip(user, transport, port, self.authority.file, first)

    def test_a_phone_over_tls_and_one_over_udp_call_each_other(self):
        with self.phone("secure", "tls", 5090) as secure:
            secure.wait_for("200 OK")
            with self.phone("plain", "udp", 5092, "/dial sip:secure@example.com") as plain:
                plain.wait_for("Call established")
                secure.wait_for("Call established")
            secure.wait_for("session closed")
            with self.phone("other", "udp", 5094) as other:
                other.wait_for("200 OK")
                with self.phone("another", "tls", 5096, "/dial sip:other@example.com") as another:
                    another.wait_for("Call established")
                    other.wait_for("Call established")
                other.wait_for("session closed")


if __name__ == "__main__":
    tap.main()
