#!/usr/bin/env python3
"""Medians, ratios and a table out of the lines that bench/versus collects."""
import statistics
import sys

import rounds

# Messages that the server forwards for one call: INVITE 180 200 ACK BYE 200. One in and one out each, as the echo's.
MESSAGES_PER_CALL = 6

# case, the generator's mode (with its watchers), the two programs that are compared in it, and what a second has of it.
CASES = (
    ("register", "register", "strowger", "kamailio", "registers/s"),
    ("call", "call", "strowger", "kamailio-tm", "calls/s"),
    ("call-stateless", "call", "strowger-stateless", "kamailio", "calls/s"),
    ("publish", "publish", "strowger-presence", "kamailio-presence", "publishes/s"),
    ("notify", "notify-100", "strowger-presence", "kamailio-presence", "notifies/s"),
    ("notify-10", "notify-10", "strowger-presence", "kamailio-presence", "notifies/s"),
)


def key_of(line):
    result = line["result"]
    return line["program"], f"notify-{result['watchers']}" if result["mode"] == "notify" else result["mode"]


def median(runs, key, field="rate"):
    return statistics.median(run[field] for run in runs[key]) if key in runs else None


def figures(runs):
    """The lines of JSON, as the README names them."""
    some = next(iter(runs.values()))
    echo = median(runs, ("echo", "echo"))
    for case, mode, mine, theirs, unit in CASES:
        own, peer = median(runs, (mine, mode)), median(runs, (theirs, mode))
        if own is None:
            continue
        rates = {"strowger": own, "kamailio": peer, "echo": echo, "rate_unit": unit}
        run = runs[(mine, mode)][0]
        common = {"rounds": len(some), "window": run["window"], "users": run["users"]}
        base = {"bench": "versus", "case": case}
        share = own * (MESSAGES_PER_CALL if mode == "call" else 1) / echo if echo else 0
        yield {**base, "unit": "ratio", "value": round(own / peer, 2), **rates, **common}
        yield {**base, "unit": "echo-share", "value": round(share, 3), **rates, **common}


def table(runs):
    row = "{:<18} {:<10} {:>12} {:>10} {:>10} {:>10} {:>22}"
    yield row.format("program", "mode", "per second", "p50 us", "p99 us", "resent", "lowest..highest")
    for (program, mode), results in runs.items():
        rates = [run["rate"] for run in results]
        yield row.format(program, mode, f"{statistics.median(rates):,.0f}",
                         f"{median(runs, (program, mode), 'p50_us'):,.0f}",
                         f"{median(runs, (program, mode), 'p99_us'):,.0f}",
                         sum(run["retransmissions"] for run in results),
                         f"{min(rates):,.0f}..{max(rates):,.0f}")
    for line in figures(runs):
        yield f"{line['case']:<14} {line['unit']:<11} {line['value']}"


def unclean(runs):
    for (program, mode), results in runs.items():
        for run in results:
            if not run["clean"]:
                yield (f"{program} {mode}: timeouts {run['timeouts']}, unreadable {run['unreadable']}, "
                       f"unexpected answers {run['unexpected']}")


def main():
    runs = rounds.tell(__doc__, key_of, figures, table)
    faults = list(unclean(runs))
    for fault in faults:
        print("bench/versus: not clean: " + fault, file=sys.stderr)
    return 1 if faults or ("strowger", "register") not in runs else 0


if __name__ == "__main__":
    sys.exit(main())
