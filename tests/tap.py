"""unittest with TAP on stdout, so that every case is counted by itself: call tap.main() instead of unittest.main()."""
import sys
import unittest


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.lines = 0

    def line(self, ok, test, directive="", detail=""):
        self.lines += 1
        print(f"{'ok' if ok else 'not ok'} {self.lines} - {test.id().split('.', 1)[-1]}{directive}")
        for text in detail.splitlines():
            print("# " + text)
        sys.stdout.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line(True, test)

    def addError(self, test, err):
        super().addError(test, err)
        self.line(False, test, detail=self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line(False, test, detail=self.failures[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, directive=" # SKIP " + reason)

    def addSubTest(self, test, subtest, err):
        # A sub-test that fails makes its test fail: unittest reports that test no other way.
        super().addSubTest(test, subtest, err)
        if err is not None:
            kept = self.failures if issubclass(err[0], test.failureException) else self.errors
            self.line(False, subtest, detail=kept[-1][1])


def main(argv=None):
    """Runs the cases of the calling module; `argv` chooses some by name."""
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    names = argv if argv is not None else sys.argv[1:]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    print(f"1..{suite.countTestCases()}")
    result = Result()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
