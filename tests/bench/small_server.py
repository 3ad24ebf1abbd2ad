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
    """Registrar, stateless proxy by location, redirect, presence and echo server on a port of its own."""

    def __init__(self, mode="proxy", host="127.0.0.1", drop_every=0, delay=0.0, status_after=None, garbage=False,
                 record_route=False, copies=1, deaf=None, forgets=False):
        super().__init__(daemon=True)
        self.mode = mode
        self.drop_every = drop_every  # each n-th datagram is lost
        self.delay = delay            # seconds before an answer
        self.status_after = status_after  # (n, status line): what REGISTERs after the n-th are told
        self.garbage = garbage        # sends something unreadable before each answer
        self.record_route = record_route
        self.copies = copies          # of each NOTIFY
        self.deaf = deaf              # the watcher ("w00000001") who is told nothing after his first NOTIFY
        self.forgets = forgets        # no tag that a PUBLISH was given holds
        self.tags = {}                # user -> what was published last
        self.watchers = {}            # user -> [his SUBSCRIBEs, as (text, source)]
        self.notified = []            # NOTIFYs that left, copies aside
        self.answers = 0              # to NOTIFYs
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
        if text.startswith("SIP/2.0 200") and header(text, "CSeq").endswith("NOTIFY"):
            self.answers += 1
            return
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
        elif method == "PUBLISH":
            self.publish(text, source, user.group(1))
        elif method == "SUBSCRIBE":
            self.answer(text, source, "200 OK")
            self.watchers.setdefault(user.group(1), []).append((text, source))
            self.notify(text, source, "")
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

    def publish(self, text, source, user):
        match = header(text, "SIP-If-Match")
        if match and (self.forgets or match != self.tags[user]):
            self.answer(text, source, "412 Conditional Request Failed")
            return
        self.tags[user] = f"tag{len(self.seen)}"
        self.answer(text, source, "200 OK", f"SIP-ETag: {self.tags[user]}")
        for subscribe, watcher in self.watchers.get(user, []):
            if self.deaf is None or self.deaf not in header(subscribe, "From"):
                self.notify(subscribe, watcher, text.split("\r\n\r\n", 1)[1])

    def notify(self, subscribe, source, body):
        target = re.search(r"<(.*)>", header(subscribe, "Contact")).group(1)
        self.notified.append("\r\n".join([
            f"NOTIFY {target} SIP/2.0", f"Via: SIP/2.0/UDP {self.name_port}{BRANCH}{len(self.notified)}",
            f"From: {header(subscribe, 'To')};tag=small", f"To: {header(subscribe, 'From')}",
            f"Call-ID: {header(subscribe, 'Call-ID')}", f"CSeq: {len(self.notified) + 1} NOTIFY", "Event: presence",
            "Subscription-State: active", f"Content-Length: {len(body)}", "", body]))
        for _ in range(self.copies):
            self.socket.sendto(self.notified[-1].encode(), source)

    def answer(self, request, source, status, *more):
        lines = [f"{name}: {header(request, name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        lines[2] += ";tag=small"
        self.socket.sendto("\r\n".join([f"SIP/2.0 {status}", *lines, *more, "Content-Length: 0", "", ""]).encode(), source)

    def requests(self, method):
        return [text for text in self.seen if text.startswith(method + " ")]
