#!/usr/bin/env python3
"""A user of the server of scripts/demo is busy and free by turns, and others watch him.

  demo_presence.py SERVER CLIENT     says on a line how soon they were told; waits for SIGUSR1, which says that the server
                                     was killed and serves again; says what they were told then, and how soon of the next
                                     change. Exits 1 with a line that says what went wrong
"""
import select
import signal
import statistics
import sys
import time

from demo_phone import DOMAIN, SECONDS, UdpPhone, ms_since

WATCHERS = ["alice", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mike"]
CHANGES = 100
USER = f"sip:bob@{DOMAIN}"
RESTARTED = {signal.SIGUSR1}
SETTLED = 0.5  # seconds in which whoever is told something wrong has heard of it


def document(busy):
    """RFC 3863, 4480."""
    does = "<rpid:activities><rpid:busy/></rpid:activities>" if busy else ""
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" '
            f'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="{USER}">'
            f'<tuple id="phone"><status><basic>open</basic></status></tuple><dm:person id="bob">{does}</dm:person></presence>')


class Publisher(UdpPhone):
    """Bob; what he publishes replaces what he published before."""
    etag = None

    def say(self, busy):
        """Sends it; `confirm` is for afterwards, when the watchers have been heard."""
        lines = ["Event: presence", "Expires: 3600", "Content-Type: application/pidf+xml"]
        lines += [f"SIP-If-Match: {self.etag}"] if self.etag else []
        self.request("PUBLISH", USER, f"<{USER}>", lines, body=document(busy))

    def confirm(self):
        self.etag = self.expect("SIP/2.0 200").get("SIP-ETag")


class Watcher(UdpPhone):
    """One who is told of Bob, in one dialog."""
    heard = None

    def subscribe(self):
        self.call_id = self.request("SUBSCRIBE", USER, f"<{USER}>",
                                    ["Event: presence", "Expires: 3600", "Accept: application/pidf+xml"])
        self.remote = self.expect("SIP/2.0 200").get("To")
        self.hear(busy=False)

    def hear(self, busy):
        """Answers the NOTIFY that has come, which says this, in this dialog, and nothing else. False: it came again."""
        notify = self.expect("NOTIFY")
        self.answer(notify, "200 OK")
        if notify.get("CSeq") == self.heard:
            return False
        self.heard = notify.get("CSeq")
        if (notify.get("Call-ID"), notify.get("From")) != (self.call_id, self.remote):
            raise RuntimeError(f"{self.user} got a NOTIFY of another dialog")
        if not notify.get("Subscription-State").startswith("active") or ("<rpid:busy/>" in notify.body) != busy:
            raise RuntimeError(f"{self.user} was told wrong: {notify.get('Subscription-State')}, {notify.body}")
        return True


def listen(watchers, busy, seconds):
    """Who of them is told this, one after the other."""
    by_socket = {watcher.socket: watcher for watcher in watchers}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for ready in select.select(list(by_socket), [], [], left)[0]:
            if by_socket[ready].hear(busy):
                yield by_socket[ready]


def change(bob, watchers, busy):
    """Milliseconds from the PUBLISH to the NOTIFY of each watcher."""
    missing, times = set(watchers), []
    start = time.monotonic()
    bob.say(busy)
    for watcher in listen(watchers, busy, SECONDS):
        times.append(ms_since(start))
        missing.discard(watcher)
        if not missing:
            bob.confirm()
            return times
    raise RuntimeError(f"not told in {SECONDS} s that bob is {'busy' if busy else 'free'}: "
                       f"{', '.join(watcher.user for watcher in missing)}")


def took(times):
    return f"after {statistics.median(times):.1f} ms, at worst {max(times):.1f} ms"


def watch(bob, watchers):
    for watcher in watchers:
        watcher.subscribe()
    times = [ms for number in range(CHANGES) for ms in change(bob, watchers, busy=number % 2 == 0)]
    change(bob, watchers, busy=True)
    print(f"bob goes busy or free: {watchers[0].user} and {len(watchers) - 1} others are told {took(times)} "
          f"({len(times):,} times PUBLISH sent -> NOTIFY read)", flush=True)


def outlive(bob, watchers):
    """The server is killed and starts again; nobody is told anything but what holds."""
    heard = 0
    while signal.sigtimedwait(RESTARTED, 0) is None:
        heard += len(list(listen(watchers, True, 0.1)))
    heard += len(list(listen(watchers, True, SETTLED)))
    times = change(bob, watchers, busy=False)
    change(bob, watchers, busy=True)
    print(f"after kill -9 and restart: he is still watched and busy, and {heard} NOTIFYs say nothing else; "
          f"the next change is told {took(times)}", flush=True)


def main():
    server, client = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, RESTARTED)
    try:
        bob = Publisher("bob", server, client)
        watchers = [Watcher(name, server, client) for name in WATCHERS]
        bob.say(busy=False)
        bob.confirm()
        watch(bob, watchers)
        outlive(bob, watchers)
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
