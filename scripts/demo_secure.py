#!/usr/bin/env python3
"""A phone over TLS and one over UDP call each other through the server of scripts/demo.

  demo_secure.py SERVER AUTHORITY CLIENT     one line: how long it took; exits 1 with a line that says what went wrong
"""
import re
import sys
import time

from demo_phone import COUNT, DOMAIN, TlsPhone, UdpPhone, ms_since


def call(caller, callee):
    """From INVITE to the 200 for the BYE, and the callee hangs up. Milliseconds until it rings at the caller."""
    start = time.monotonic()
    call_id = caller.request("INVITE", f"sip:{callee.user}@{DOMAIN}", f"<sip:{callee.user}@{DOMAIN}>")
    invite = callee.expect("INVITE")
    callee.answer(invite, "180 Ringing")
    caller.expect("SIP/2.0 180")
    rang = ms_since(start)
    callee.answer(invite, "200 OK")
    answer = caller.expect("SIP/2.0 200")
    routes = [f"Route: {value}" for value in reversed(answer.all("Record-Route"))]
    contact = re.search("<(.*)>", answer.get("Contact")).group(1)
    caller.request("ACK", contact, answer.get("To"), routes, call_id)
    callee.expect("ACK")
    routes = [f"Route: {value}" for value in invite.all("Record-Route")]
    contact = re.search("<(.*)>", invite.get("Contact")).group(1)
    # In the dialog as the callee sees it: From and To change places.
    callee.send("\r\n".join([
        f"BYE {contact} SIP/2.0", f"Via: SIP/2.0/{callee.transport} {callee.sent_by};branch=z9hG4bK{next(COUNT)}bye;rport",
        "Max-Forwards: 70", *routes, f"From: {answer.get('To')}", f"To: {invite.get('From')}", f"Call-ID: {call_id}",
        "CSeq: 1 BYE", "Content-Length: 0", "", ""]))
    caller.answer(caller.expect("BYE"), "200 OK")
    callee.expect("SIP/2.0 200")
    return rang


def main():
    server, authority, client = sys.argv[1:]
    try:
        start = time.monotonic()
        secure = TlsPhone("secure", server, authority)
        shook = ms_since(start)
        start = time.monotonic()
        secure.register()
        registered = ms_since(start)
        plain = UdpPhone("plain", server, client)
        plain.register()
        rang = [call(plain, secure), call(secure, plain)]
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{secure.socket.version()}, {secure.socket.cipher()[0]}: handshake {shook:.1f} ms, registered in {registered:.1f} ms; "
          f"a call from UDP rang after {rang[0]:.1f} ms, one to UDP after {rang[1]:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
