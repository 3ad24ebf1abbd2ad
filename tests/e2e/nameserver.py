#!/usr/bin/env python3
"""A small name server for tests: a few records, and the faults that name servers have, on request.

    nameserver.py [--listen ADDRESS:PORT] [--file RECORDS.json] [--commands] [RECORD ...]

A record is one string, "NAME TYPE RDATA" or "NAME TYPE/TTL RDATA" (TTL 60 where none is given):

    gw.example.com A 192.0.2.1                    example.com SRV/300 10 60 5060 gw.example.com
    gw.example.com AAAA 2001:db8::1               www.example.com CNAME example.com
    example.com NAPTR 10 50 s SIP+D2U '' _sip._udp.example.com
    8.4.3.e164.arpa NAPTR 10 50 u E2U+sip '!^.*$!sip:info@example.com!' .

or a fault, "NAME ! FAULT" or "NAME !TYPE FAULT": silent, servfail, refused, truncated (over UDP; TCP has it all), forged
(a wrong id and a wrong address first), garbage, lying (counts records that are not there).
RECORDS.json is a list of such strings. CNAMEs are followed as a recursive server does. What is not there is NXDOMAIN, or an
empty answer where the name has other records.

Prints "listening ADDRESS:PORT", then "asked NAME TYPE udp|tcp" for each question. With --commands it reads from its
input "+RECORD" and "-NAME" (all that is known of it), says "done" after each, and ends with its input.
"""
import argparse
import ipaddress
import json
import selectors
import shlex
import socket
import struct
import sys

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28, "SRV": 33, "NAPTR": 35}
NAMES = {number: name for name, number in TYPES.items()}
FAULTS = ("silent", "servfail", "refused", "truncated", "forged", "garbage", "lying")
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
OPT = 41
CNAMES_MAX = 8


def wire_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def wire_text(text):
    return bytes([len(text)]) + text.encode("latin-1")


def wire_rdata(kind, fields):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(fields[0]).packed
    if kind == "CNAME":
        return wire_name(fields[0])
    if kind == "SRV":
        return struct.pack("!HHH", *map(int, fields[:3])) + wire_name(fields[3])
    order, preference, flags, service, regexp, replacement = fields
    texts = b"".join(map(wire_text, (flags, service, regexp)))
    return struct.pack("!HH", int(order), int(preference)) + texts + wire_name(replacement)


class Zone:
    def __init__(self):
        self.records = {}  # name -> [(type, ttl, rdata, target of a CNAME)]
        self.faults = {}   # (name, type or "") -> fault

    def add(self, text):
        name, kind, *fields = shlex.split(text)
        name = name.lower().rstrip(".")
        if kind.startswith("!"):
            if fields[0] not in FAULTS:
                raise ValueError(f"no such fault: {fields[0]}")
            self.faults[name, kind[1:]] = fields[0]
            return
        kind, _, ttl = kind.partition("/")
        target = fields[0].lower().rstrip(".") if kind == "CNAME" else ""
        self.records.setdefault(name, []).append((kind, int(ttl or 60), wire_rdata(kind, fields), target))

    def remove(self, name):
        self.records.pop(name, None)
        for key in [key for key in self.faults if key[0] == name]:
            del self.faults[key]

    def fault(self, name, kind):
        return self.faults.get((name, kind)) or self.faults.get((name, ""))

    def find(self, name, kind):
        """The answer section's records, and whether the last name of a chain of CNAMEs exists."""
        found = []
        for _ in range(CNAMES_MAX):
            own = self.records.get(name, [])
            found += [(name, *record[:3]) for record in own if record[0] == kind]
            aliases = [record for record in own if record[0] == "CNAME"]
            if kind == "CNAME" or not aliases:
                return found, name in self.records
            found += [(name, *record[:3]) for record in aliases]
            name = aliases[0][3]
        return found, True


def parse_question(message):
    """(id, name, type, question section, bytes that an answer may have)"""
    number, _, questions, _, _, additional = struct.unpack_from("!HHHHHH", message)
    if questions != 1:
        raise ValueError("not one question")
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    kind, = struct.unpack_from("!H", message, at + 1)
    end = at + 5
    room = 512
    if additional and message[end] == 0 and struct.unpack_from("!H", message, end + 1)[0] == OPT:
        room = max(room, struct.unpack_from("!H", message, end + 3)[0])  # RFC 6891 6.2.3
    return number, ".".join(labels), NAMES.get(kind, str(kind)), message[12:end], room


def build(number, question, records, code=0, cut=False, count=None):
    flags = 0x8180 | code | (0x0200 if cut else 0)  # response, recursion desired and available
    body = b"".join(wire_name(owner) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(rdata)) + rdata
                    for owner, kind, ttl, rdata in records)
    head = struct.pack("!HHHHHH", number, flags, 1, len(records) if count is None else count, 0, 0)
    return head + question + body


def answers(zone, message, udp):
    """What to send back, in order."""
    number, name, kind, question, room = parse_question(message)
    print("asked", name, kind, "udp" if udp else "tcp", flush=True)
    records, exists = zone.find(name, kind)
    fault = zone.fault(name, kind)
    if fault == "silent":
        return []
    if fault in ("servfail", "refused"):
        return [build(number, question, [], SERVFAIL if fault == "servfail" else REFUSED)]
    if fault == "garbage":
        return [build(number, question, records)[:12] + b"\xc0\x0c" * 40]
    if fault == "lying":
        return [build(number, question, records, count=60000)]
    if not records:
        return [build(number, question, [], 0 if exists else NXDOMAIN)]
    whole = build(number, question, records)
    if udp and (fault == "truncated" or len(whole) > room):
        return [build(number, question, [], cut=True)]
    if fault == "forged":
        lie = [(name, "A", 60, bytes([203, 0, 113, 66]))]
        return [build(number ^ 0x5555, question, lie), whole]
    return [whole]


class Server:
    def __init__(self, zone, address, commands):
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.zone = zone
        self.tcp = socket.socket(family, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((host, int(port)))
        self.tcp.listen(8)
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.bind(self.tcp.getsockname())
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.udp, selectors.EVENT_READ, self.on_udp)
        self.selector.register(self.tcp, selectors.EVENT_READ, self.on_tcp)
        if commands:
            self.selector.register(sys.stdin, selectors.EVENT_READ, self.on_command)
        self.streams = {}
        self.open = True
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        print(f"listening {shown}:{self.tcp.getsockname()[1]}", flush=True)

    def on_udp(self, sock):
        message, source = sock.recvfrom(65535)
        try:
            for answer in answers(self.zone, message, udp=True):
                sock.sendto(answer, source)
        except (ValueError, IndexError, struct.error) as error:
            print("ignored", error, flush=True)

    def on_tcp(self, sock):
        stream, _ = sock.accept()
        self.streams[stream] = b""
        self.selector.register(stream, selectors.EVENT_READ, self.on_stream)

    def on_stream(self, stream):
        chunk = stream.recv(65535)
        self.streams[stream] += chunk
        if not chunk:
            self.selector.unregister(stream)
            del self.streams[stream]
            stream.close()
            return
        while len(self.streams[stream]) >= 2:
            length, = struct.unpack_from("!H", self.streams[stream])
            if len(self.streams[stream]) < 2 + length:
                return
            message = self.streams[stream][2:2 + length]
            self.streams[stream] = self.streams[stream][2 + length:]
            for answer in answers(self.zone, message, udp=False):
                stream.sendall(struct.pack("!H", len(answer)) + answer)

    def on_command(self, stream):
        line = stream.readline()
        if not line:
            self.open = False
        elif line.startswith("+"):
            self.zone.add(line[1:].strip())
        elif line.startswith("-"):
            self.zone.remove(line[1:].strip().lower())
        if line:
            print("done", flush=True)

    def run(self):
        while self.open:
            for key, _ in self.selector.select():
                key.data(key.fileobj)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDRESS:PORT")
    parser.add_argument("--file", metavar="RECORDS.json")
    parser.add_argument("--commands", action="store_true", help="read commands from standard input, end with it")
    parser.add_argument("records", nargs="*", metavar="RECORD")
    options = parser.parse_args()
    zone = Zone()
    listed = []
    if options.file:
        with open(options.file, encoding="utf-8") as file:
            listed = json.load(file)
    for record in listed + options.records:
        zone.add(record)
    try:
        Server(zone, options.listen, options.commands).run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
