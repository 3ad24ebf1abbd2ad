"""What was measured in rounds, a line of JSON each, made into figures or a table."""
import argparse
import json


def read(path, key_of):
    """{key: [result of each round]}"""
    runs = {}
    with open(path, encoding="ascii") as lines:
        for line in map(json.loads, lines):
            runs.setdefault(key_of(line), []).append(line["result"])
    return runs


def tell(description, key_of, figures, table):
    """Prints what the command line asks for, out of the file that it names. Returns what was read."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--format", choices=("table", "json"), default="table")
    arguments.add_argument("results")
    options = arguments.parse_args()
    runs = read(options.results, key_of)
    for line in map(json.dumps, figures(runs)) if options.format == "json" else table(runs):
        print(line)
    return runs
