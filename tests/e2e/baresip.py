"""baresip, a phone that others wrote, in the clients' namespace."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

import box

ADDRESS = "198.18.0.2"
MODULES = ("uuid", "g711", "aubridge")
APPLICATIONS = ("account", "contact", "menu", "ctrl_tcp", "presence")   # in this order: who comes later looks at the earlier
CONFIG = """
sip_listen {address}:{port}
sip_cafile {authority}
sip_verify_server yes
ctrl_tcp_listen 127.0.0.1:{port}
audio_player aubridge,nowhere
audio_source aubridge,nowhere
audio_alert aubridge,nowhere
module_path /usr/lib/baresip/modules
"""
COLOUR = re.compile("\x1b\\[[0-9;]*m")


class Baresip:
    """One that runs: what is typed at it, and what it says. It publishes where `publish` is not 0, and watches `friends`."""

    def __init__(self, user, server, port, authority, first=(), friends=(), publish=0):
        self.folder = tempfile.TemporaryDirectory(prefix="strowger-baresip-")
        self.write("config", CONFIG.format(address=ADDRESS, port=port, authority=authority) +
                   "".join(f"module {name}.so\n" for name in MODULES) +
                   "".join(f"module_app {name}.so\n" for name in APPLICATIONS))
        transport = server.partition("transport=")[2]
        self.write("accounts", f'<sip:{user}@example.com;transport={transport}>;outbound="{server}";regint=60;pubint={publish};'
                               "answermode=auto;audio_codecs=PCMU/8000/1\n")
        self.write("contacts", "".join(f'"{friend}" <sip:{friend}@example.com>;presence=p2p\n' for friend in friends))
        self.log = open(self.path("log"), "w+", encoding="utf-8", errors="replace")
        self.port = port
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", box.CLIENT, "baresip", "-f", self.folder.name, "-4",
             *(word for command in first for word in ("-e", command))],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def said(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return COLOUR.sub("", file.read())

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.said():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"waited for {text!r}; baresip said:\n{self.said()}")
            time.sleep(0.05)

    def type(self, command):
        """What it answers to a command: a netstring of JSON, amid others that tell of events."""
        self.wait_for("baresip is ready")
        with box.inside(box.CLIENT):
            control = socket.create_connection(("127.0.0.1", self.port), 10)
        with control:
            words = json.dumps({"command": command, "token": command})
            control.sendall(f"{len(words)}:{words},".encode())
            stream = control.makefile("rb")
            while True:
                length = b"".join(iter(lambda: stream.read(1), b":"))
                answer = json.loads(stream.read(int(length)))
                assert stream.read(1) == b","
                if answer.get("token") == command:
                    assert answer["ok"], answer
                    return COLOUR.sub("", answer["data"])

    def friends(self):
        """{who: "Online", "Offline", "Busy" or "Unknown"} of those that it watches."""
        return {user: state for state, user in re.findall(r"(\w+) \S+ <sip:([^@]+)@", self.type("contacts"))}

    def wait_until(self, friend, state, seconds=20):
        """It shows this state of a friend."""
        end = time.monotonic() + seconds
        while self.friends().get(friend) != state:
            if time.monotonic() > end:
                raise AssertionError(f"{friend} is not {state} but {self.friends()}; baresip said:\n{self.said()}")
            time.sleep(0.05)

    def leave(self, seconds=20):
        """It ends as its user ends it, and says goodbye to the server first. The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.leave(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()
