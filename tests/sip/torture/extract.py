#!/usr/bin/env python3
"""Takes the torture messages out of the texts of RFC 4475 and RFC 5118, and holds the files here to them.

    extract.py DIRECTORY            holds the files here to rfc4475.txt and rfc5118.txt in DIRECTORY
    extract.py DIRECTORY --write    writes the files

The archives in the RFCs' appendices are the authority; what is printed in the RFCs is read as well and held to them.
Three messages in the archives lack the empty line behind their header fields, which is no part of their torture, and
get it.
Exit 0: all is as it should be; 1: it is not; 77 (skipped): the RFCs are not there.
"""
import base64
import io
import pathlib
import re
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
TITLE = re.compile(r"^ +Message Details ?: (\S+)$", re.M)

# Archive and print are not of one mind about these, for reasons that do not matter here.
DIFFERENT = {
    "test": "is in the archive only",
    "trws": "has host1.examle.com in the archive, host1.example.com in print",
}


def read_archive(text):
    """The appendix: name -> bytes."""
    begin, end = (text.rindex(f"-- {word} MESSAGE ARCHIVE --") for word in ("BEGIN", "END"))
    lines = text[begin:end].splitlines()[1:]
    packed = base64.b64decode("".join(line.strip() for line in lines if re.fullmatch(r"\s*\S+\s*", line)))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return {pathlib.PurePath(member.name).name.removesuffix(".dat"): tar.extractfile(member).read()
                for member in tar.getmembers() if member.isfile()}


def with_sip_line_ends(messages):
    """RFC 5118's archive was made where a line ends with LF."""
    return {name: message.replace(b"\n", b"\r\n") for name, message in messages.items()}


def unmark(message):
    """Undoes the markup of RFC 4475 2.1 to 2.3, from the inside out."""
    message = re.sub(rb"<hex>([0-9A-Fa-f\s]*)</hex>", lambda m: bytes.fromhex(m[1].decode()), message)
    return re.sub(rb"<repeat count=(\d+)>(.*?)</repeat>", lambda m: m[2] * int(m[1]), message)


def read_print(text):
    """The messages as printed, name -> bytes. They are indented by six spaces, the words around them by three."""
    messages = {}
    text = re.sub(r"\n+[^\n]*\[Page \d+\]\n\f\n?RFC [^\n]*\n+", "\n", text)
    for title in TITLE.finditer(text):
        lines = []
        for line in text[title.end():].lstrip("\n").splitlines():
            if line and not line.startswith(" " * 6):
                break
            lines.append(line[6:])
        message = "\n".join(lines).rstrip("\n") + "\n"
        message = re.sub(r"<allOneLine>\n(.*?)\n</allOneLine>", lambda m: m[1].replace("\n", ""), message, flags=re.S)
        messages[title[1]] = unmark(message.replace("\n", "\r\n").encode())
    return messages


def without_empty_lines(message):
    """Print cannot tell a message's empty lines, at its end and where pages meet, from the page's own."""
    return re.sub(rb"(\r\n)+", b"\r\n", message)


def main():
    write = "--write" in sys.argv
    texts = [pathlib.Path(path) / f"{rfc}.txt" for path in sys.argv[1:2] for rfc in ("rfc4475", "rfc5118")]
    if not texts or not all(path.exists() for path in texts):
        print("skipped: give the directory that has rfc4475.txt and rfc5118.txt")
        return 77
    rfc4475, rfc5118 = (path.read_text(encoding="ascii") for path in texts)
    messages = read_archive(rfc4475) | with_sip_line_ends(read_archive(rfc5118))
    printed = read_print(rfc4475) | read_print(rfc5118)
    faults = [f"{name}: printed, but not in the archive" for name in printed.keys() - messages.keys()]
    for name, message in sorted(messages.items()):
        if b"\r\n\r\n" not in message:
            message += b"\r\n"
        path = HERE / f"{name}.dat"
        if write:
            path.write_bytes(message)
        if not path.exists() or path.read_bytes() != message:
            faults.append(f"{path.name}: is not what the archive has")
        if name not in DIFFERENT and without_empty_lines(printed.get(name, b"")) != without_empty_lines(message):
            faults.append(f"{name}: archive and print differ")
    faults += [f"{path.name}: is in no RFC" for path in HERE.glob("*.dat") if path.stem not in messages]
    print("\n".join(faults) if faults else f"{len(messages)} messages are what the RFCs have")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
