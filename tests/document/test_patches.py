#!/usr/bin/env python3
"""A patch makes of the document before the one after (RFC 5261 4), and both it and the documents hold by their schema.

test_patches.py PATCHES DIRECTORY: runs each case of the directory, and others by chance, through the program PATCHES.
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

PIDF = "urn:ietf:params:xml:ns:pidf"
DIFF = "urn:ietf:params:xml:ns:pidf-diff"
PREFIXES = {"": PIDF, "dm": "urn:ietf:params:xml:ns:pidf:data-model"}
STEP = re.compile(r"\*(?:/(?:(\w+):)?(\w+)\[(?:@id='([^']+)'|(\d+))\])?$")
PATCHES, CASES = sys.argv[1], pathlib.Path(sys.argv[2])


def select(root, path):
    """The place of the element among the root's children; None for the root itself (RFC 5261 4.1)."""
    prefix, name, wanted, place = STEP.match(path).groups()
    if name is None:
        return None
    named = [i for i, child in enumerate(root) if child.tag == f"{{{PREFIXES[prefix or '']}}}{name}"]
    found = [i for i in named if root[i].get("id") == wanted] if wanted else named[int(place) - 1:int(place)]
    if len(found) != 1:
        raise AssertionError(f"{path} selects {len(found)} elements")
    return found[0]


def add(root, place, pos, new):
    """RFC 5261 4.3"""
    if place is None:
        at = 0 if pos == "prepend" else len(root)
    else:
        at = place + 1 if pos == "after" else place
    for offset, child in enumerate(new):
        root.insert(at + offset, child)


def applied(root, patch):
    for operation in patch:
        place = select(root, operation.get("sel"))
        if operation.tag == f"{{{DIFF}}}add":
            add(root, place, operation.get("pos"), list(operation))
        elif operation.tag == f"{{{DIFF}}}replace":
            (root[place],) = list(operation)
        elif operation.tag == f"{{{DIFF}}}remove":
            del root[place]
        else:
            raise AssertionError(f"no such operation: {operation.tag}")
    return root


def children(root):
    """What the order says nothing about is sorted: only notes stand in an order."""
    texts = [ElementTree.canonicalize(ElementTree.tostring(child), rewrite_prefixes=True) for child in root]
    notes = [text for text, child in zip(texts, root) if child.tag == f"{{{PIDF}}}note"]
    return notes, sorted(texts)


class Patches(unittest.TestCase):
    def holds(self, text):
        done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", CASES.parent / "schemas/presence.xsd", "-"],
                              input=text, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr + text)

    def run_case(self, path):
        """The root of what a watcher gets, and its text."""
        done = subprocess.run([PATCHES, path], capture_output=True, text=True, check=False, errors="strict")
        self.assertEqual(done.returncode, 0, done.stderr + path.read_text())
        before, patch, after, _ = done.stdout.split("\f")
        root, wanted = ElementTree.fromstring(patch), ElementTree.fromstring(after)
        self.assertEqual(root.get("version"), "2")
        self.assertEqual(root.get("entity"), "sip:alice@example.com")
        if root.tag == f"{{{DIFF}}}pidf-full":
            self.assertEqual(patch, after)
            return "full", patch
        self.assertEqual(root.tag, f"{{{DIFF}}}pidf-diff")
        result = applied(ElementTree.fromstring(before), root)
        self.assertEqual(children(result), children(wanted), patch)
        return "diff", patch, ElementTree.tostring(result, encoding="unicode")

    def test_cases(self):
        paths = sorted(CASES.glob("*.case"))
        self.assertGreater(len(paths), 5)
        for path in paths:
            with self.subTest(path.name):
                kind, patch, *result = self.run_case(path)
                expected = re.search(r"^== expect (\w+)\n(.*)\Z", path.read_text(), re.MULTILINE | re.DOTALL)
                self.assertEqual(kind, expected.group(1), patch)
                if expected.group(2).strip():
                    self.assertIn("".join(line.strip() for line in expected.group(2).splitlines()), patch)
                for text in (patch, *result):
                    self.holds(text)

    def test_patches_by_chance_give_the_document_after(self):
        dice = random.Random(5262)
        kinds = []
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "chance.case"
            for turn in range(120):
                path.write_text("".join(publications(dice)) + "== after\n" + "".join(publications(dice)))
                kind, *texts = self.run_case(path)
                kinds.append(kind)
                if turn % 20 == 0:
                    self.holds(texts[-1])
        self.assertIn("full", kinds)
        self.assertIn("diff", kinds)


def publications(dice):
    for _ in range(dice.randrange(3)):
        tuples = "".join(f'<tuple id="t{i}"><status><basic>{dice.choice(["open", "closed"])}</basic></status>'
                         f'<note>A tuple, which says nothing that changes</note></tuple>'
                         for i in dice.sample(range(6), dice.randrange(6)))
        notes = "".join(f"<note>{i}</note>" for i in dice.sample(range(2), dice.randrange(3)))
        persons = "".join(f'<dm:person id="p{i}"><dm:note>{dice.randrange(2)}</dm:note></dm:person>'
                          for i in range(dice.randrange(2)))
        devices = "".join(f'<dm:device id="d{i}"><dm:deviceID>urn:x:{dice.randrange(2)}</dm:deviceID></dm:device>'
                          for i in range(dice.randrange(2)))
        yield (f'== publication\n<presence xmlns="{PIDF}" xmlns:dm="{PREFIXES["dm"]}" entity="sip:alice@example.com">'
               f"{notes}{persons}{tuples}{devices}</presence>\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
