#!/usr/bin/env python3
"""The table of scripts/demo: from SIPp's statistics and message traces, and from strowger's counters.

  demo_report.py FOLDER PHASE=CALLS...     exits 1 if anything was tried that did not work
"""
import csv
import json
import math
import pathlib
import re
import sys

# phase: what it is, and which answer to which request makes a latency.
PHASES = {
    "register": ("registrations", [("REGISTER", "200", "REGISTER -> 200")]),
    "call": ("calls, proxied", [("INVITE", "180", "INVITE -> 180"), ("BYE", "200", "BYE -> 200")]),
    "follow": ("calls, redirected", [("INVITE", "302", "INVITE -> 302")]),
    "forked": ("calls, forked in two", [("INVITE", "180", "INVITE -> 180"), ("INVITE", "200", "INVITE -> 200")]),
    "again": ("calls after kill -9", [("INVITE", "180", "INVITE -> 180"), ("BYE", "200", "BYE -> 200")]),
    "trunk": ("calls, failed over", [("INVITE", "100", "INVITE -> 100"), ("INVITE", "200", "INVITE -> 200")]),
}
# What the demo's own traffic makes.
EXPECTED_DROPS = {
    "ack_absorbed": "the ACKs to its 302s end here",
    "response_kept": "final answers of phones that lost a fork",
    "response_to_cancel": "what those phones said to its CANCEL",
    "response_late": "what rang when the other had answered",
    "trying": "a 100 goes one hop",
    "retransmission": "absorbed",
}
PORT_LOSSES = ("missed", "rx_errors", "rx_no_mbuf", "tx_errors", "twin_refused", "twin_no_mbuf", "twin_truncated")
ROW = "  {:<22}{:>7}{:>7}{:>8}{:>9}{:>9}{:>9}{:>9}"


def statistics(path):
    """SIPp's totals: the last line of its -trace_stat; zeros where it did not even start."""
    if not path.exists():
        return {"SuccessfulCall(C)": 0, "Retransmissions(C)": 0}
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=";"))[-1]


def trace(path):
    """The messages of SIPp's -trace_shortmsg: date, time, seconds, S or R, Call-ID, CSeq, start line."""
    if not path.exists():
        return
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = line.rstrip("\n").split("\t", 6)
            if len(row) == 7:
                yield row


def latencies(path, method, status):
    """Seconds from the first sending of each request to its first such answer, as SIPp saw them."""
    sent, got = {}, {}
    for _, _, stamp, way, call, cseq, start in trace(path):
        if cseq.rpartition(" ")[2] != method:
            continue
        if way == "S" and start.startswith(method + " "):
            sent.setdefault((call, cseq), float(stamp))
        elif way == "R" and start.startswith(f"SIP/2.0 {status} "):
            got.setdefault((call, cseq), float(stamp))
    return [stamp - sent[key] for key, stamp in got.items() if key in sent]


def percentile(samples, share):
    """The smallest sample that is not below `share` of them all."""
    return sorted(samples)[math.ceil(share * len(samples)) - 1]


def milliseconds(samples, share):
    return f"{percentile(samples, share) * 1e3:.2f}" if samples else "-"


def counters(path):
    """{"drops": {...}, ...}: what dpdk-telemetry.py printed."""
    answers = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        for name, answer in json.loads(line).items():
            answers[name.rpartition("/")[2]] = answer
    return answers


def total(counted, kind):
    return sum(counted["messages"][kind].values())


def received(counted):
    return total(counted, "requests") + total(counted, "responses")


class Report:
    def __init__(self, folder, wanted):
        self.folder, self.wanted, self.failures = folder, wanted, []

    def expect(self, true, text):
        if not true:
            self.failures.append(text)

    def read_counters(self, name):
        return counters(self.folder / f"{name}.counters")

    def phase(self, name, before):
        """Prints the rows of a phase; its counters, which the next one begins with."""
        title, answers = PHASES[name]
        wanted, after = self.wanted[name], self.read_counters(name)
        totals = statistics(self.folder / f"{name}.stat")
        good = int(totals["SuccessfulCall(C)"])
        self.expect(good == wanted, f"{title}: {good} of {wanted}")
        again = int(totals["Retransmissions(C)"])
        rate = (received(after) - received(before)) / self.duration(name)
        print(ROW.format(title, f"{wanted:,}", f"{good:,}", f"{wanted - good:,}", f"{again:,}", f"{rate:,.0f}", "", ""))
        for method, status, label in answers:
            samples = latencies(self.folder / f"{name}.messages", method, status)
            print(ROW.format("   " + label, *[""] * 5, milliseconds(samples, 0.5), milliseconds(samples, 0.99)))
            self.expect(len(samples) >= wanted, f"{title}: {label} was seen {len(samples)} times, not {wanted}")
        return after

    def duration(self, name):
        """Seconds from the first message of a phase to its last; infinite where there were none."""
        stamps = [float(row[2]) for row in trace(self.folder / f"{name}.messages")]
        return max(stamps) - min(stamps) if len(stamps) > 1 else math.inf

    def kernel(self):
        """What the kernel answered through the twin."""
        log = (self.folder / "ping.log").read_text(encoding="utf-8")
        count = re.search(r"(\d+) packets transmitted, (\d+) received", log)
        tried, good = map(int, count.groups()) if count else (0, 0)
        times = [float(ms) / 1e3 for ms in re.findall(r"time=([\d.]+) ms", log)]
        self.expect(0 < tried == good, f"ping: {good} of {tried}")
        p50, p99 = milliseconds(times, 0.5), milliseconds(times, 0.99)
        print(ROW.format("ping", tried, good, tried - good, "", "", p50, p99))
        try:
            took = float((self.folder / "tcp.log").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            took = None
        self.expect(took is not None, "TCP: not fetched")
        good = int(took is not None)
        print(ROW.format("TCP, 1 MiB", 1, good, 1 - good, "", "", f"{took:.2f}" if good else "-", ""))

    def server(self, first, last):
        """What strowger itself counted, and whether that agrees with what the client says."""
        bindings = sum(shard["bindings"] for shard in last["location"].values())
        forwarded = total(last, "forwarded_requests") - total(first, "forwarded_requests")
        moved = last["messages"]["replies"]["3xx"] - first["messages"]["replies"]["3xx"]
        self.expect(bindings == self.wanted["register"], f"{bindings} bindings in the location table")
        self.expect(forwarded >= 3 * self.wanted["call"], f"only {forwarded} requests were forwarded")
        self.expect(moved >= self.wanted["follow"], f"only {moved} requests were redirected")
        gateways = {row["name"]: row for row in last["gateways"].values()}
        dead, alive = gateways["dead"], gateways["alive"]
        self.expect(dead["health"] == "down", "the dead gateway is not known to be down")
        self.expect(alive["good"] >= self.wanted["trunk"], f"the other gateway took only {alive['good']} calls")
        print(f"  strowger counted: {received(last) - received(first):,} messages received, {forwarded:,} requests "
              f"forwarded, {moved:,} redirected, {bindings:,} bindings")
        print(f"  gateways: dead is {dead['health']} after {dead['bad']:,} failed calls and {dead['probe_failures']:,} failed "
              f"probes; alive answered {alive['good']:,}")
        self.drops(last)

    def restart(self):
        """What the process that was started after the kill had before its first packet."""
        found = self.read_counters("restart")
        bindings = sum(shard["bindings"] for shard in found["location"].values())
        self.expect(bindings == self.wanted["register"], f"{bindings} bindings after kill -9 and restart")
        print(f"  after kill -9 and restart: {bindings:,} bindings, loaded before the first packet")

    def drops(self, last):
        """Every counter of something lost that is not 0."""
        counts = dict(last["drops"])
        for port, row in last["ports"].items():
            counts |= {f"{port} {name}": row.get(name, 0) for name in PORT_LOSSES}
        lost = [f"{name} {count:,}" for name, count in counts.items() if count and name not in EXPECTED_DROPS]
        expected = [f"; {name} {counts[name]:,}: {why}" for name, why in EXPECTED_DROPS.items() if counts[name]]
        print(f"  drops: {', '.join(lost) or 'none'}", *expected, sep="")


def main():
    folder = pathlib.Path(sys.argv[1])
    wanted = {name: int(number) for name, _, number in (argument.partition("=") for argument in sys.argv[2:])}
    report = Report(folder, wanted)
    print()
    print(ROW.format("", "tried", "ok", "failed", "retrans", "msgs/s", "p50 ms", "p99 ms"))
    first = last = report.read_counters("start")
    for name in wanted:
        if name == "again":
            report.phase(name, report.read_counters("restart"))
        else:
            last = report.phase(name, last)
    report.kernel()
    print()
    report.server(first, last)
    report.restart()
    print("  msgs/s: received by strowger. Times and retransmissions: as SIPp saw them, on the same machine's cores and")
    print("  at a rate that one SIPp keeps up with. What strowger can do is measured by bench/run.")
    for failure in report.failures:
        print(f"  FAILED: {failure}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
