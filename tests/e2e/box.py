"""strowger as a process on a DPDK port in a namespace, and what an operator can ask it."""
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SERVER, CLIENT = os.environ["NETNS_SERVER"], os.environ["NETNS_CLIENT"]
DEVICE = os.environ["NETNS_VDEV"]
ADDRESS4, ADDRESS6, PORT = "198.18.0.1", "2001:db8::1", 5060
CONFIG = f"""
[network]
mbufs = 8192
[transaction]
transactions_max = 65536
kept_max = 4096
[registrar]
expires_min = 1
[port inside]
device = {DEVICE.split(",")[0]}
twin = sip0
[listener four]
address = {ADDRESS4}:{PORT}
port = inside
[listener six]
address = [{ADDRESS6}]:{PORT}
port = inside
[domain example.com]
role = proxy
[domain redirect.example.com]
role = redirect
"""
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(namespace):
    """Sockets that are made here live in the namespace for good."""
    with open("/proc/self/ns/net") as home, open(f"/var/run/netns/{namespace}") as away:
        if LIBC.setns(away.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)


def run_in(namespace, *command, **how):
    return subprocess.run(["ip", "netns", "exec", namespace, *command], capture_output=True, text=True,
                          timeout=how.pop("timeout", 60), **how)


class Box:
    """One run of strowger. `workers` lcores share core 1 when there are more than the machine has."""

    def __init__(self, config=CONFIG, workers=1, eal=(), device=DEVICE):
        self.directory = tempfile.TemporaryDirectory(prefix="strowger-e2e-")
        self.config = os.path.join(self.directory.name, "strowger.ini")
        with open(self.config, "w") as file:
            file.write(config)
        self.prefix = f"e2e{os.getpid()}_{time.monotonic_ns()}"
        lcores = f"--lcores=0@0,(1-{workers})@{1 % os.cpu_count()}" if workers > 1 else "--lcores=0@0,1@1"
        if os.cpu_count() < 2:
            lcores = f"--lcores=(0-{workers})@0"
        self.command = ["ip", "netns", "exec", SERVER, os.environ["STROWGER"], lcores, "--no-huge", "-m", "1024",
                        "--no-pci", f"--file-prefix={self.prefix}", "--vdev", device, *eal, "--",
                        "--config", self.config]
        self.log = open(os.path.join(self.directory.name, "log"), "w+")
        self.process = None

    def start(self, twin="sip0"):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.wait_for("serving")
        for family, address in (("-4", f"{ADDRESS4}/24"), ("-6", f"{ADDRESS6}/64")):
            nodad = ["nodad"] if family == "-6" else []
            subprocess.run(["ip", family, "-n", SERVER, "addr", "add", address, "dev", twin, *nodad], check=True)
        return self

    def output(self):
        self.log.flush()
        with open(self.log.name) as file:
            return file.read()

    def wait_for(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text not in self.output():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"strowger did not say {text!r}:\n{self.output()}")
            time.sleep(0.05)

    def wait_for_count(self, text, count, seconds=15):
        """It has said this so many times."""
        end = time.monotonic() + seconds
        while self.output().count(text) < count:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"strowger did not say {text!r} {count} times:\n{self.output()}")
            time.sleep(0.05)

    def fails_to_start(self):
        """Runs it to its own end: (exit status, what it said)."""
        done = subprocess.run(self.command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.clear()
        return done.returncode, done.stdout + done.stderr

    def stop(self, number=signal.SIGTERM):
        """The exit status. What a sanitizer found is in it."""
        self.process.send_signal(number)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.clear()

    def clear(self):
        """EAL leaves its runtime directory behind."""
        shutil.rmtree(f"/var/run/dpdk/{self.prefix}", ignore_errors=True)

    def ask(self, command):
        """One telemetry command, as dpdk-telemetry.py asks it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as telemetry:
            telemetry.connect(f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2")
            telemetry.recv(16384)
            telemetry.send(command.encode())
            return json.loads(telemetry.recv(1 << 20))[command.split(",")[0]]
