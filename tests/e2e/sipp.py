"""SIPp in the clients' namespace: scenarios that call, and scenarios that answer."""
import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import box

SCENARIOS = pathlib.Path(__file__).resolve().parent / "scenarios"
ADDRESS = "198.18.0.2"


def command(scenario, port, *arguments, address=ADDRESS):
    return ["ip", "netns", "exec", box.CLIENT, "sipp", "-sf", str(SCENARIOS / scenario), "-i", address, "-p", str(port),
            "-nostdin", *map(str, arguments)]


class Caller:
    """A SIPp that plays a scenario `calls` times and ends by itself."""

    def __init__(self, scenario, port, calls, rate=50, user="bob", domain="example.com", field2="5070", field3="600",
                 users=None, seconds=60, options=()):
        self.scenario = scenario
        self.seconds = seconds
        self.folder = tempfile.TemporaryDirectory()
        table = os.path.join(self.folder.name, "users.csv")
        with open(table, "w", encoding="ascii") as file:
            file.write("SEQUENTIAL\n" + "".join(f"{one};{domain};{field2};{field3}\n" for one in users or [user]))
        self.errors = os.path.join(self.folder.name, "errors")
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            command(scenario, port, f"{box.ADDRESS4}:{box.PORT}", "-inf", table, "-m", calls, "-r", rate, "-timeout", seconds,
                    "-timeout_error", "-trace_err", "-error_file", self.errors, *options),
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def said(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            text = file.read()[-2500:]
        with contextlib.suppress(OSError), open(self.errors, encoding="utf-8", errors="replace") as file:
            text += file.read()[:3000]
        return text

    def wait(self):
        """Every call was as the scenario says, or this fails."""
        try:
            status = self.process.wait(self.seconds + 30)
        finally:
            self.process.kill()
        if status != 0:
            raise AssertionError(f"{self.scenario}: sipp ended with {status}:\n{self.said()}")


def play(*arguments, **how):
    Caller(*arguments, **how).wait()


@contextlib.contextmanager
def answering(scenario, port, *options, address=ADDRESS):
    """A SIPp that answers at `port` as the scenario says, for as long as the block lasts."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command(scenario, port, *options, address=address), stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL)
        try:
            wait_bound(port, process, log)
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def wait_bound(port, process, log, seconds=10):
    end = time.monotonic() + seconds
    while not box.run_in(box.CLIENT, "ss", "-Hulpn", f"sport = :{port}").stdout:
        if process.poll() is not None or time.monotonic() > end:
            log.seek(0)
            raise AssertionError(f"sipp does not listen at {port}:\n{log.read()}")
        time.sleep(0.05)
