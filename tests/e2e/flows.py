"""The message flows of the RFCs of presence, as data. test_presence.py plays them.

A step is (who, does what, how, what comes of it). Requests expect of their answer:
    status                a number
    has, lacks            names of header fields
and a NOTIFY:
    state, reason         of its Subscription-State
    open                  whether any tuple is; None: there is no body at all
    notes                 of the document
    same, other           the SIP-ETag is, or is not, that of the NOTIFY before
    members               of a list: {user: whether his document is open; None: there is none}
"if_match" is Suppress-If-Match with "last", the SIP-ETag heard last, or with a text; of a PUBLISH it is SIP-If-Match.
"""
WANTED = {"status": 200, "has": ("Expires", "Contact"), "lacks": ()}

FLOWS = {
    # F5 is caused "through some non-SIP means": here, by a registration.
    "RFC 3856 8": [
        ("watcher", "subscribe", {"to": "resource", "expires": 600}, WANTED),
        ("watcher", "hears", {}, {"state": "active", "open": False}),
        ("resource", "registers", {}, {"status": 200}),
        ("watcher", "hears", {}, {"state": "active", "open": True}),
    ],
    "RFC 3903 15": [
        ("watcher", "subscribe", {"to": "presentity", "expires": 3600}, WANTED),  # M1, M2
        ("watcher", "hears", {}, {"state": "active"}),  # M3, M4
        ("presentity", "publishes", {"basic": "closed", "note": "in a meeting"},
         {"status": 200, "has": ("SIP-ETag", "Expires")}),  # M5, M6
        ("watcher", "hears", {}, {"state": "active", "open": False, "notes": ["in a meeting"]}),  # M7, M8
        ("presentity", "prolongs", {}, {"status": 200, "has": ("SIP-ETag", "Expires")}),  # M9, M10: nobody is told
        ("watcher", "hears nothing", {}, {}),
        ("presentity", "modifies", {"basic": "open"}, {"status": 200, "has": ("SIP-ETag",)}),  # M11, M12
        ("watcher", "hears", {}, {"state": "active", "open": True, "notes": []}),  # M13, M14
    ],
    "RFC 3903 4.5 and 6 step 3": [
        ("presentity", "publishes", {"basic": "open"}, {"status": 200}),
        ("presentity", "modifies", {"basic": "closed", "if_match": "nonsense"}, {"status": 412}),
        ("presentity", "removes", {}, {"status": 200}),
        ("presentity", "modifies", {"basic": "closed"}, {"status": 412}),
    ],
    "RFC 5839 figure 1": [
        ("presentity", "publishes", {"basic": "closed"}, {"status": 200}),
        ("watcher", "subscribe", {"to": "presentity"}, WANTED),
        ("watcher", "hears", {}, {"state": "active", "open": False, "has": ("SIP-ETag",)}),
        ("watcher", "resubscribe", {"if_match": "last"}, {"status": 204, "has": ("Expires",)}),
        ("watcher", "hears nothing", {}, {}),
        ("presentity", "modifies", {"basic": "open"}, {"status": 200}),
        ("watcher", "hears", {}, {"state": "active", "open": True, "other": True}),
        ("watcher", "resubscribe", {"if_match": "last", "expires": 0}, {"status": 204}),
        ("watcher", "hears nothing", {}, {}),
    ],
    "RFC 5839 figure 3": [
        ("presentity", "publishes", {"basic": "open"}, {"status": 200}),
        ("watcher", "subscribe", {"to": "presentity", "expires": 0}, {"status": 200}),
        ("watcher", "hears", {}, {"state": "terminated", "open": True, "has": ("SIP-ETag",)}),
        ("watcher", "subscribe", {"to": "presentity", "expires": 0, "if_match": "last"}, {"status": 200}),
        ("watcher", "hears", {}, {"state": "terminated", "open": None, "same": True}),
        ("presentity", "modifies", {"basic": "closed"}, {"status": 200}),
        ("watcher", "subscribe", {"to": "presentity", "expires": 0, "if_match": "last"}, {"status": 200}),
        ("watcher", "hears", {}, {"state": "terminated", "open": False, "other": True}),
    ],
    "RFC 5839 figure 4": [
        ("presentity", "publishes", {"basic": "open"}, {"status": 200}),
        ("watcher", "subscribe", {"to": "presentity"}, WANTED),
        ("watcher", "hears", {}, {"state": "active", "open": True}),
        ("watcher", "resubscribe", {"expires": 0}, {"status": 200}),
        ("watcher", "hears", {}, {"state": "terminated"}),
        ("watcher", "subscribe", {"to": "presentity", "if_match": "last"}, WANTED),
        ("watcher", "hears", {}, {"state": "active", "open": None, "same": True}),
    ],
    "RFC 5839 figure 4, the state has changed": [
        ("presentity", "publishes", {"basic": "open"}, {"status": 200}),
        ("watcher", "subscribe", {"to": "presentity", "if_match": "ega23"}, WANTED),
        ("watcher", "hears", {}, {"state": "active", "open": True, "has": ("SIP-ETag",)}),
    ],
    # The terminal's part of it; the members are the server's own.
    "RFC 4662 6": [
        ("bill", "publishes", {"basic": "open"}, {"status": 200}),
        ("adam", "subscribe", {"to": "adam-buddies", "expires": 7200, "list": True},
         {"status": 200, "has": ("Expires", "Contact", "Require")}),
        ("adam", "hears", {}, {"state": "active", "has": ("Require",),
                               "members": {"bill": True, "joe": None, "ed": None}}),
        ("joe", "publishes", {"basic": "closed"}, {"status": 200}),
        ("adam", "hears at last", {}, {"state": "active", "members": {"bill": True, "joe": False, "ed": None}}),
    ],
}
