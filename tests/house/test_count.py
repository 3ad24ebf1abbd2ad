#!/usr/bin/env python3
"""The count at the end of scripts/test is right, whatever a program prints or dies of."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import tap

sys.path.insert(0, str(pathlib.Path(os.environ["STROWGER_SOURCE"]) / "scripts"))
sys.dont_write_bytecode = True
import count_cases  # noqa: E402 (found only now)

CMOCKA = """[==========] tests: Running 3 test(s).
[ RUN      ] test_a
[       OK ] test_a
[ RUN      ] test_b
[  SKIPPED ] test_b
"""
CMOCKA_ERRORS = """[  ERROR   ] --- 1 != 2
[  FAILED  ] test_c
[  FAILED  ] tests: 1 test(s), listed below:
[  FAILED  ] test_c
"""
TAP = "1..3\nok 1 - a\nok 2 - b # SKIP no clang\nnot ok 3 - c\n# AssertionError: ok\n"


class Count(unittest.TestCase):
    def counted(self, result, stdout="", stderr=""):
        counts = count_cases.count({"name": "x", "result": result, "stdout": stdout, "stderr": stderr})
        return counts["passed"], counts["failed"], counts["skipped"]

    def test_cmocka_cases_are_counted_once_each(self):
        self.assertEqual((1, 1, 1), self.counted("FAIL", CMOCKA, CMOCKA_ERRORS))

    def test_tap_cases_are_counted(self):
        self.assertEqual((1, 1, 1), self.counted("FAIL", TAP))

    def test_a_program_without_cases_is_one(self):
        self.assertEqual((1, 0, 0), self.counted("OK", "all well\n"))
        self.assertEqual((0, 1, 0), self.counted("FAIL"))
        self.assertEqual((0, 0, 1), self.counted("SKIP"))

    def test_a_crash_after_good_cases_is_a_failed_case(self):
        self.assertEqual((1, 1, 0), self.counted("FAIL", "[       OK ] test_a\n", "AddressSanitizer: heap-use"))

    def test_a_time_out_is_a_failed_case(self):
        self.assertEqual((1, 1, 0), self.counted("TIMEOUT", "ok 1 - a\n"))

    def run_on(self, tests, *options):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "meson-logs" / "testlog.json"
            log.parent.mkdir()
            log.write_text("".join(json.dumps(test) + "\n" for test in tests), encoding="utf-8")
            done = subprocess.run([sys.executable, count_cases.__file__, *options, folder], capture_output=True,
                                  text=True, check=False)
        return done.returncode, done.stdout.splitlines()[-1]

    def test_the_last_line_and_the_status_say_the_same(self):
        good = {"name": "strowger:sip / sip uri", "result": "OK", "stdout": "ok 1 - a\nok 2 - b\n"}
        bad = {"name": "strowger:sip / sip via", "result": "FAIL", "stdout": "not ok 1 - c\n"}
        self.assertEqual((0, "2 passed, 0 failed"), self.run_on([good]))
        self.assertEqual((1, "2 passed, 1 failed"), self.run_on([good, bad]))

    def test_a_failed_build_and_an_empty_run_are_failures(self):
        good = {"name": "a", "result": "OK", "stdout": ""}
        self.assertEqual((1, "1 passed, 1 failed"), self.run_on([good], "--failed-builds", "1"))
        self.assertEqual((1, "0 passed, 0 failed"), self.run_on([]))


if __name__ == "__main__":
    tap.main()
