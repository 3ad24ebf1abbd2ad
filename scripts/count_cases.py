#!/usr/bin/env python3
"""Counts test cases, not programs, in the logs that `meson test` leaves in build folders.

A cmocka program says "[       OK ] name", a TAP program "ok 1 - name"; a program that says neither is one case. A
program that ends badly (a sanitizer, a signal, a time-out) without naming a failed case is a failed case.
"""
import argparse
import collections
import json
import pathlib
import re
import sys

CMOCKA_OK = re.compile(r"^\[\s+OK \] \w", re.MULTILINE)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] (\w+)$", re.MULTILINE)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (\w+)$", re.MULTILINE)
TAP = re.compile(r"^(not )?ok\b(?:(?!# SKIP).)*(# SKIP.*)?$", re.MULTILINE | re.IGNORECASE)

GOOD = ("OK", "EXPECTEDFAIL")


def count(test):
    """(passed, failed, skipped) of one program."""
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    passed = len(CMOCKA_OK.findall(text))
    # The summary names the same cases again.
    failed = len(set(CMOCKA_FAILED.findall(text)))
    skipped = len(set(CMOCKA_SKIPPED.findall(text)))
    for wrong, skip in TAP.findall(test.get("stdout", "")):
        if wrong:
            failed += 1
        elif skip:
            skipped += 1
        else:
            passed += 1
    if test["result"] == "SKIP" and passed + failed + skipped == 0:
        skipped = 1
    elif test["result"] in GOOD and passed + failed + skipped == 0:
        passed = 1
    elif test["result"] not in GOOD + ("SKIP",) and failed == 0:
        failed = 1
    return collections.Counter(passed=passed, failed=failed, skipped=skipped)


def read(folder):
    """[(program, its counts)]; no log where the build failed."""
    path = pathlib.Path(folder) / "meson-logs" / "testlog.json"
    if not path.exists():
        return []
    with open(path, encoding="utf-8") as lines:
        return [(test, count(test)) for test in map(json.loads, lines)]


def summary(folder, tests):
    suites = collections.defaultdict(collections.Counter)
    for test, counts in tests:
        suites[test["name"].split(" / ")[-1].split(" ")[0]] += counts
    parts = [f"{suite} {counts['passed']}" + (f" ({counts['failed']} FAILED)" if counts["failed"] else "")
             for suite, counts in suites.items()]
    return f"{folder}: {len(tests)} programs; cases passed: " + ", ".join(parts)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--failed-builds", type=int, default=0)
    arguments.add_argument("folders", nargs="+")
    options = arguments.parse_args()
    total = collections.Counter(failed=options.failed_builds)
    for folder in options.folders:
        tests = read(folder)
        print(summary(folder, tests))
        for test, counts in tests:
            total += counts
            if counts["failed"]:
                print(f"  failed in {folder}: {test['name']} ({test['result']})")
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
    return 0 if total["failed"] == 0 and total["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
