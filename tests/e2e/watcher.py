"""Who watches and who publishes (RFC 6665, 3903), on top of a phone of whatever transport.

A Watching phone takes messages as they come: what answers a request of its own goes to whoever waits for it, a NOTIFY
to its subscription, which answers it and sees that none overtakes another.
"""
import email.parser
import email.policy
import itertools
import re
import time
import xml.etree.ElementTree as tree

from phone import Phone, uri_of

PIDF = "application/pidf+xml"
LISTS = "application/pidf+xml, application/rlmi+xml, multipart/related"
NAMES = {"p": "urn:ietf:params:xml:ns:pidf", "w": "urn:ietf:params:xml:ns:watcherinfo",
         "l": "urn:ietf:params:xml:ns:rlmi"}
NUMBERS = itertools.count(1)
AGAIN = 2  # seconds after which a request that is not answered is sent again


def pidf(entity, basic="open", note=None, tuple_id="t1", contact=None):
    """A document of one tuple (RFC 3863)."""
    more = f"<contact>{contact}</contact>" if contact else ""
    said = f"<note>{note}</note>" if note else ""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<presence xmlns="{NAMES["p"]}" entity="{entity}">'
            f'<tuple id="{tuple_id}"><status><basic>{basic}</basic></status>{more}{said}</tuple></presence>')


class Notice:
    """One NOTIFY, as its watcher reads it."""

    def __init__(self, message):
        self.message, self.body = message, message.body
        state, *parameters = [part.strip() for part in message.get("Subscription-State").split(";")]
        values = dict(part.partition("=")[::2] for part in parameters)
        self.state, self.reason = state, values.get("reason")
        self.expires = int(values["expires"]) if "expires" in values else None
        self.etag = message.get("SIP-ETag")
        self.type = message.get("Content-Type").partition(";")[0].strip()

    def _document(self):
        return tree.fromstring(self.body)

    def basics(self):
        """{tuple's id: "open" or "closed"} of a PIDF."""
        tuples = self._document().findall("p:tuple", NAMES)
        return {one.get("id"): one.findtext("p:status/p:basic", None, NAMES) for one in tuples}

    def is_open(self):
        return "open" in self.basics().values()

    def notes(self):
        return [note.text for note in self._document().iter(f"{{{NAMES['p']}}}note")]

    def watchers(self):
        """{URI: status} of a watcherinfo document (RFC 3858)."""
        return {one.text.strip(): one.get("status") for one in self._document().iter(f"{{{NAMES['w']}}}watcher")}

    def parts(self):
        """Those of a multipart body, the root first (RFC 2387): [(content id, type, text)]."""
        head = f"Content-Type: {self.message.get('Content-Type')}\r\n\r\n"
        whole = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes((head + self.body).encode())
        return [(part.get("Content-ID", "").strip("<>"), part.get_content_type(), part.get_payload(decode=True).decode())
                for part in whole.iter_parts()]

    def resources(self):
        """{URI: {"names", "state", "cid"}} of the list that a NOTIFY is for (RFC 4662 5)."""
        (_, kind, text), *_ = self.parts()
        assert kind == "application/rlmi+xml", kind
        found = {}
        for one in tree.fromstring(text).findall("l:resource", NAMES):
            instance = one.find("l:instance", NAMES)
            found[one.get("uri")] = {"names": [name.text for name in one.findall("l:name", NAMES)],
                                     "state": instance.get("state") if instance is not None else None,
                                     "cid": instance.get("cid") if instance is not None else None}
        return found


class Subscription:
    """A dialog that a SUBSCRIBE makes, from its first request on. `answer` is the last response to one."""

    def __init__(self, phone, target, event, lines):
        self.phone, self.target, self.event, self.lines = phone, target, event, lines
        self.remote, self.routes, self.to_tag, self.answer = target, [], "", None
        self.call_id = f"watch{next(NUMBERS)}@{phone.sent_by}"
        self.tag = f"w{next(NUMBERS)}"
        self.cseq, self.heard = 0, 0  # the last of ours, and of theirs
        self.notices, self.branches = [], {}
        phone.subscriptions[self.call_id] = self

    def subscribe(self, expires=600, more=()):
        """The final answer to a SUBSCRIBE: the first, a refresh, or with 0 the end of it."""
        self.cseq += 1
        lines = [f"Event: {self.event}", f"Expires: {expires}", f"Contact: {self.phone.contact}",
                 *(f"Route: {route}" for route in self.routes), *self.lines, *more]
        text = self.phone.request("SUBSCRIBE", self.remote, self.target, lines=lines, call_id=self.call_id,
                                  cseq=self.cseq, from_tag=self.tag, to_tag=self.to_tag)
        self.phone.send(text)
        self.answer = self.phone.answer_to(self.call_id, f"{self.cseq} SUBSCRIBE", text=text)
        if self.answer.status // 100 == 2:
            self._learn(self.answer, self.answer.get("To"))
        return self.answer

    def _learn(self, message, theirs):
        if message.get("Contact"):
            self.remote = uri_of(message.get("Contact"))
        if not self.to_tag:
            self.to_tag = re.search(r";tag=([^;>\s]+)", theirs).group(1)
            # RFC 3261 12.1.2 of a response, 12.1.1 of a request, which may be sooner here (RFC 6665 4.4.1)
            routes = message.all("Record-Route")
            self.routes = routes if message.status == 0 else routes[::-1]

    def hear(self, message):
        """A NOTIFY came. What is sent again is answered again, and said once."""
        branch = re.search(r";branch=([^;,\s]+)", message.get("Via")).group(1)
        if branch in self.branches:
            self.phone.send(self.branches[branch])
            return
        number = int(message.get("CSeq").split()[0])
        assert number > self.heard, f"NOTIFY {number} behind {self.heard}"
        assert message.get("Event").partition(";")[0].strip() == self.event.partition(";")[0].strip(), message.text
        assert f";tag={self.tag}" in message.get("To"), message.text
        self.heard = number
        self._learn(message, message.get("From"))
        self.branches[branch] = self.phone.response(message, 200, "OK")
        self.phone.send(self.branches[branch])
        self.notices.append(Notice(message))

    def notice(self, seconds=10):
        """The next NOTIFY."""
        self.phone.hear_until(lambda: self.notices, seconds)
        assert self.notices, f"no NOTIFY in {seconds} s"
        return self.notices.pop(0)

    def until(self, holds, seconds=15):
        """The first of those that come for which this is true."""
        end = time.monotonic() + seconds
        while True:
            notice = self.notice(max(0.1, end - time.monotonic()))
            if holds(notice):
                return notice

    def silence(self, seconds=0.5):
        """True when no NOTIFY comes."""
        self.phone.hear_until(lambda: self.notices, seconds)
        return not self.notices


class Publication:
    """What a PUBLISH made; `etag` is how it is spoken of (RFC 3903)."""

    def __init__(self, phone, target, event, kind):
        self.phone, self.target, self.event, self.kind, self.etag = phone, target, event, kind, ""

    def publish(self, body="", expires=600, etag=None):
        """The answer to a PUBLISH: initial without an etag, a refresh without a body, with 0 its end."""
        self.phone.published += 1
        etag = self.etag if etag is None else etag
        lines = [f"Event: {self.event}", f"Expires: {expires}"]
        lines += [f"SIP-If-Match: {etag}"] if etag else []
        lines += [f"Content-Type: {self.kind}"] if body else []
        call_id = f"publish{next(NUMBERS)}@{self.phone.sent_by}"
        text = self.phone.request("PUBLISH", self.target, lines=lines, body=body, call_id=call_id,
                                  cseq=self.phone.published)
        self.phone.send(text)
        answer = self.phone.answer_to(call_id, f"{self.phone.published} PUBLISH", text=text)
        if answer.status == 200:
            self.etag = answer.get("SIP-ETag")
        return answer


class Watching:
    """In front of a Phone in a class's bases."""

    def __init__(self, *arguments, **how):
        super().__init__(*arguments, **how)
        self.subscriptions, self.answers, self.published = {}, {}, 0

    @property
    def address(self):
        return f"sip:{self.user}@{self.domain}"

    def subscribe(self, target, event="presence", expires=600, lines=(f"Accept: {PIDF}",), more=()):
        """A subscription whose first SUBSCRIBE is answered, well or not."""
        subscription = Subscription(self, target, event, list(lines))
        subscription.subscribe(expires, more)
        return subscription

    def publish(self, body=None, event="presence", kind=PIDF, **how):
        """(publication, answer) of this user's own state."""
        publication = Publication(self, self.address, event, kind)
        return publication, publication.publish(pidf(self.address) if body is None else body, **how)

    def hear_until(self, done, seconds):
        """Takes what comes until this is true, or for so long."""
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            try:
                message = self.receive(max(0.01, end - time.monotonic()))
            except TimeoutError:
                return
            self._sort(message)

    def _sort(self, message):
        call_id = message.get("Call-ID")
        if message.status >= 200:
            self.answers[call_id, message.get("CSeq")] = message
        elif message.start.startswith("NOTIFY "):
            subscription = self.subscriptions.get(call_id)
            if subscription is None:
                self.answer(message, 481, "No Such Subscription")
            else:
                subscription.hear(message)

    def answer_to(self, call_id, cseq, seconds=10, text=""):
        """The final answer to what was sent. Over UDP `text`, the request, is sent again where none comes: a flood may drown
        what is said once (RFC 3261 17.1.2.2)."""
        end, asked = time.monotonic() + seconds, (call_id, cseq)
        while asked not in self.answers:
            left = end - time.monotonic()
            assert left > 0, f"no answer to {cseq} in {seconds} s"
            self.hear_until(lambda: asked in self.answers, min(AGAIN, left))
            if text and asked not in self.answers and self.transport == "UDP":
                self.send(text)
        return self.answers.pop(asked)


class Watcher(Watching, Phone):
    """Over UDP."""
