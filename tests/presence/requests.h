// requests: what the flows here begin with: alice, the watcher at 192.0.2.4, and bob's phone at 192.0.2.9.
#ifndef TESTS_PRESENCE_REQUESTS_H
#define TESTS_PRESENCE_REQUESTS_H

#define SUBSCRIBE                                          \
    "SUBSCRIBE sip:bob@example.com\n"                      \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n" \
    "Call-ID: s{n}\n"                                      \
    "Contact: <sip:alice@192.0.2.4:5060>\n"
// In the dialog that {tag}, {target} and {call} name.
#define AGAIN                                              \
    "SUBSCRIBE {target}\n"                                 \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n" \
    "To: Bob <sip:bob@example.com>;tag={tag}\n"            \
    "Call-ID: {call}\n"
// Bob himself, of another package; and eve, of another domain.
#define BOB_SUBSCRIBES                                     \
    "SUBSCRIBE sip:bob@example.com\n"                      \
    "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKb{n}\n" \
    "From: <sip:bob@example.com>;tag=b\n"                  \
    "Call-ID: b{n}\n"                                      \
    "Contact: <sip:bob@192.0.2.9:5060>\n"
#define STRANGER                                           \
    "SUBSCRIBE sip:bob@example.com\n"                      \
    "Via: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bKx{n}\n" \
    "From: <sip:eve@example.org>;tag=e\n"                  \
    "Call-ID: x{n}\n"                                      \
    "Contact: <sip:eve@192.0.2.5:5060>\n"                  \
    "Event: presence\n"
#define PUBLISH                                            \
    "PUBLISH sip:bob@example.com\n"                        \
    "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKp{n}\n" \
    "From: <sip:bob@example.com>;tag=b\n"                  \
    "To: <sip:bob@example.com>\n"                          \
    "Call-ID: p{n}\n"
#define PIDF(entity, tuple, more)                                            \
    "Content-Type: application/pidf+xml\n\n"                                 \
    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"" entity "\">" \
    "<tuple id=\"" tuple "\"><status><basic>open</basic></status>" more "</tuple></presence>"
#define OPEN_BODY PIDF("sip:bob@example.com", "t", "")
#define BUSY_BODY PIDF("pres:bob@example.com", "t", "<note>busy</note>")

#define BOB "192.0.2.9:5060"

#endif
