"""A SIP server that is just enough to be loaded by the generator, and misbehaves as it is told."""
import re
import socket
import threading
import time

BRANCH = ";branch=z9hG4bKsmall"


def header(text, name):
    found = re.search(rf"^{name}:[ \t]*(.*?)\r$", text, re.MULTILINE | re.IGNORECASE)
    return found.group(1) if found else None


def address(host_port):
    host, port = host_port.rsplit(":", 1)
    return host.strip("[]"), int(port)


class SmallServer(threading.Thread):
    """Registrar, stateless proxy by location, redirect server and echo on a port of its own."""

    def __init__(self, mode="proxy", host="127.0.0.1", drop_every=0, delay=0.0, status_after=None, garbage=False,
                 record_route=False):
        super().__init__(daemon=True)
        self.mode = mode
        self.drop_every = drop_every  # each n-th datagram is lost
        self.delay = delay            # seconds before an answer
        self.status_after = status_after  # (n, status line): what REGISTERs after the n-th are told
        self.garbage = garbage        # sends something unreadable before each answer
        self.record_route = record_route
        self.seen = []                # requests, in order
        self.contacts = {}            # user -> (host, port)
        self.arrived = 0
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((host, 0))
        port = self.socket.getsockname()[1]
        self.name_port = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.stopped = False

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.join()
        self.socket.close()

    def run(self):
        self.socket.settimeout(0.05)
        while True:
            try:
                datagram, source = self.socket.recvfrom(65535)
            except OSError:
                if self.stopped:
                    return  # and nothing more is waiting
                continue
            self.arrived += 1
            if self.mode == "silent" or (self.drop_every and self.arrived % self.drop_every == 0):
                continue
            if self.delay:
                time.sleep(self.delay)
            if self.mode == "echo":
                self.socket.sendto(datagram, source)
            else:
                self.serve(datagram.decode("ascii"), source)

    def serve(self, text, source):
        if text.startswith("SIP/2.0 "):
            own, rest = re.search(r"Via: [^\r]*\r\n", text), text
            rest = text[:own.start()] + text[own.end():]
            self.socket.sendto(rest.encode(), address(header(rest, "Via").split()[1].split(";")[0]))
            return
        self.seen.append(text)
        method = text.split(" ", 1)[0]
        if self.garbage:
            self.socket.sendto(b"SIP/2.0 200 OK\r\n\r\n", source)
        user = re.search(r"sip:(u\d+)@", header(text, "To"))
        if method == "REGISTER":
            self.contacts[user.group(1)] = address(re.search(r"@([^>]+)>", header(text, "Contact")).group(1))
            limit, status = self.status_after or (len(self.seen), "")
            self.answer(text, source, status if len(self.seen) > limit else "200 OK")
        elif method == "OPTIONS":
            self.answer(text, source, "200 OK")
        elif self.mode == "redirect":
            if method != "ACK":
                self.answer(text, source, "302 Moved Temporarily")
        else:
            self.forward(text, method, user.group(1))

    def forward(self, text, method, user):
        line, rest = text.split("\r\n", 1)
        via = f"Via: SIP/2.0/UDP {self.name_port}{BRANCH}{len(self.seen)}\r\n"
        target = self.contacts[user]
        if self.record_route and method == "INVITE":
            # Two hops' worth, so that their order shows.
            via += f"Record-Route: <sip:{self.name_port};lr;second>\r\nRecord-Route: <sip:{self.name_port};lr>\r\n"
        elif self.record_route:
            rest = re.sub(r"Route: [^\r]*\r\n", "", rest)
            target = address(re.search(r"sip:([^ ]*)", line).group(1).split("@")[-1])
        self.socket.sendto(f"{line}\r\n{via}{rest}".encode(), target)

    def answer(self, request, source, status):
        lines = [f"{name}: {header(request, name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        lines[2] += ";tag=small"
        self.socket.sendto("\r\n".join([f"SIP/2.0 {status}", *lines, "Content-Length: 0", "", ""]).encode(), source)

    def requests(self, method):
        return [text for text in self.seen if text.startswith(method + " ")]
