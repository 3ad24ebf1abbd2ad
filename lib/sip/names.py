#!/usr/bin/env python3
"""Makes the look-up table of a list of names: names.py HEADER LIST TABLE nocase|case END OUTPUT

HEADER holds `#define LIST(X)` with rows X(ID, "Name", 'c') or X(NAME); END is the code of the byte behind a name.
The table is a perfect hash of the first eight bytes and the length (see name_table.h); the multiplier is searched
here, so that a new row in HEADER is all that a new name needs.
"""
import random
import re
import sys

SLOTS = 256
ONES = (1 << 64) - 1
NO_CASE = 0xDFDFDFDFDFDFDFDF


def rows_of(path, macro):
    text = open(path, encoding="utf-8").read()
    body = re.search(r"#define %s\(X\)((?:.*\\\n)*.*)" % macro, text).group(1)
    rows = []
    for number, args in enumerate(re.findall(r"X\(([^)]*)\)", body), start=1):
        args = [arg.strip() for arg in args.split(",")]
        rows.append((number, args[1].strip('"') if len(args) > 1 else args[0]))
        if len(args) > 2 and args[2] != "0":
            rows.append((number, args[2].strip("'")))
    return rows


def word(data):
    return int.from_bytes(data.ljust(8, b"\0"), "little")


def key_mask(length):
    return NO_CASE & ((1 << (8 * min(length, 8))) - 1)


def key(name):
    return (word(name.encode()[:8]) & key_mask(len(name))) + len(name) & ONES


def search(rows):
    keys = [key(name) for _, name in rows]
    if len(set(keys)) != len(keys):
        sys.exit("names.py: two names agree in their first eight bytes and their length")
    numbers = random.Random(1)
    while True:
        factor = numbers.getrandbits(64) | 1
        slots = [(k * factor & ONES) >> 56 for k in keys]
        if len(set(slots)) == len(slots):
            return factor, slots


def mask_of(name, nocase):
    return bytes(0xDF if nocase and c.isalpha() else 0xFF for c in name) + b"\xFF"


def quads(data):
    return ", ".join("0x%016x" % word(data[i:i + 8]) for i in (0, 8, 16, 24))


def line_of(number, name):
    """A struct sip_line less what depends on where the line is (at) and how long (feed); see plain_line() in head.c."""
    return (number << 56 | len(name) << 48 | (len(name) + 2) << 16) - ((len(name) + 3) << 32)


def main(path, macro, table, case, end, output):
    rows = rows_of(path, macro)
    factor, slots = search(rows)
    masks = ["0x%016x" % key_mask(length) for length in range(33)]
    out = ['#include "sip/name_table.h"', "", "const struct sip_name_table %s = {" % table,
           "    .factor = 0x%016x," % factor, "    .mask = {%s}," % ", ".join(masks), "    .slot = {"]
    out += ["        [%d] = %d," % (slot, i + 1) for i, slot in enumerate(slots)]
    out += ["    },", "    .row = {", "        [0] = {{1}, {0}, 0}, // equals nothing"]
    for i, (number, name) in enumerate(rows):
        mask = mask_of(name, case == "nocase")
        data = bytes(c & m for c, m in zip(name.encode() + bytes([int(end)]), mask))
        out.append("        [%d] = {{%s}, {%s}, 0x%016x}, // %s" %
                   (i + 1, quads(data), quads(mask), line_of(number, name), name))
    out += ["    },", "};", ""]
    open(output, "w", encoding="utf-8").write("\n".join(out))


main(*sys.argv[1:])
