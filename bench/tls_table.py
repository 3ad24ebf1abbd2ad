#!/usr/bin/env python3
"""Figures and a table out of the lines that bench/tls collects."""
import statistics
import sys

import rounds

PROGRAMS = ("strowger", "kamailio")


def key_of(line):
    return line["case"], line["program"]


def median(runs, case, field, program="strowger"):
    return statistics.median(run[field] for run in runs[case, program])


def figures(runs):
    """The lines of JSON, as the README names them."""
    idle = {program: runs["idle", program][0] for program in PROGRAMS}
    total = {program: run["user"] + run["kernel"] for program, run in idle.items()}
    yield {"bench": "tls", "case": "idle", "unit": "bytes/connection", "value": total["strowger"],
           "user": idle["strowger"]["user"], "kernel": idle["strowger"]["kernel"],
           "connections": idle["strowger"]["connections"], "kamailio": total["kamailio"],
           "kamailio_user": idle["kamailio"]["user"]}
    for case, unit in (("handshake", "handshakes/s"), ("resume", "handshakes/s"), ("message", "msgs/s")):
        yield {"bench": "tls", "case": case, "unit": unit, "value": median(runs, case, "rate"),
               "p99_us": median(runs, case, "p99_us"), "kamailio": median(runs, case, "rate", "kamailio"),
               "kamailio_p99_us": median(runs, case, "p99_us", "kamailio")}
    calm, storm = median(runs, "calm", "p99_us"), median(runs, "storm", "p99_us")
    yield {"bench": "tls", "case": "storm", "unit": "ratio", "value": round(storm / calm, 2), "calm_p99_us": calm,
           "storm_p99_us": storm, "handshakes_per_second": median(runs, "storming", "rate")}


def table(runs):
    row = "{:<12} {:<18} {:>12} {:>12}   {}"
    yield row.format("case", "unit", "strowger", "kamailio", "")
    for line in figures(runs):
        rest = {key: value for key, value in line.items() if key not in ("bench", "case", "unit", "value", "kamailio")}
        yield row.format(line["case"], line["unit"], f"{line['value']:,}", f"{line.get('kamailio', '-'):,}"
                         if "kamailio" in line else "-", ", ".join(f"{key} {value:,}" for key, value in rest.items()))


def main():
    runs = rounds.tell(__doc__, key_of, figures, table)
    failed = [(case, run["failed"]) for (case, _), results in runs.items() for run in results if run.get("failed")]
    for case, number in failed:
        print(f"bench/tls: {case}: {number} connections failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
