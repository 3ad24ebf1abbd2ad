// drop: every reason for which a packet is not served, once.
//
// A drop is never anonymous: the data path carries a reason, counts it per worker, and telemetry prints the
// explanation. Constant data: any thread.
#ifndef WORKER_DROP_H
#define WORKER_DROP_H

#include <stdint.h>

// name (the counter's label is the same in lower case), explanation for operators
#define DROPS(X)                                                                                        \
    X(ETH_SHORT, "frame shorter than its Ethernet header")                                              \
    X(IP_SHORT, "packet shorter than its IP header")                                                    \
    X(IP_VERSION, "IP version field does not match the EtherType")                                      \
    X(IP_HEADER_LENGTH, "IP header length is lying")                                                    \
    X(IP_TOTAL_LENGTH, "IP total length is larger than the frame")                                      \
    X(IP_CHECKSUM, "wrong IPv4 header checksum")                                                        \
    X(IP_EXTENSION, "IPv6 extension headers are broken or too many")                                    \
    X(UDP_SHORT, "datagram shorter than its UDP header")                                                \
    X(UDP_LENGTH, "UDP length does not match the IP packet")                                            \
    X(UDP_CHECKSUM, "wrong UDP checksum, or none on IPv6")                                              \
    X(SOURCE, "source address or port that nobody can answer to (multicast, broadcast, port 0)")        \
    X(FRAGMENT, "IP fragment that overlaps, is malformed, or found the reassembly table full")          \
    X(FRAGMENT_TIMEOUT, "IP fragments whose datagram never became whole in time")                       \
    X(LINEARISE, "message in several segments and no large buffer free to join them in")                \
    X(NO_TWIN, "not SIP, and its port has no TAP twin")                                                 \
    X(PUNT_FULL, "not SIP, and the ring to the control core is full")                                   \
    X(KEEPALIVE, "CRLF, empty or STUN keep-alive that wants no answer")                                 \
    X(STUN, "STUN that is broken, or no request of RFC 5626 3.5.2")                                     \
    X(PARSE, "message so broken that no answer can be built (by kind: /strowger/parse)")                \
    X(RESPONSE_MALFORMED, "malformed response")                                                         \
    X(RESPONSE_NOT_OURS, "response whose top Via is not ours (RFC 3261 16.7 step 3)")                   \
    X(RESPONSE_NO_VIA, "response with no Via left below ours, so meant for us, who sent nothing")       \
    X(RESPONSE_UNREACHABLE, "response whose next Via names a host and no address")                      \
    X(RESPONSE_UNKNOWN, "response whose request is not known: too late, or made up (RFC 6026 8.2)")     \
    X(RESPONSE_FORGED, "response to a branch that its request does not have")                           \
    X(RESPONSE_REPEATED, "final response that came before")                                             \
    X(RESPONSE_KEPT, "final response of one of several branches; one of them is forwarded")             \
    X(RESPONSE_LATE, "response behind the final one (RFC 3261 16.7 step 5)")                            \
    X(RESPONSE_TO_CANCEL, "response to a CANCEL of this server, which goes no further")                 \
    X(RESPONSE_TO_PROBE, "response to an OPTIONS by which this server asks whether a gateway is there") \
    X(RESPONSE_TO_NOTIFY, "response to a NOTIFY of this server")                                        \
    X(TRYING, "100 Trying, or a provisional response to what is no INVITE (RFC 3261 16.7, RFC 4320)")   \
    X(RETRANSMISSION, "request that came before; its last response was sent again")                     \
    X(ACK_ABSORBED, "ACK to an answer that this server gave itself (RFC 3261 17.2.1)")                  \
    X(ACK_UNROUTABLE, "ACK that leads nowhere; an ACK is never answered (RFC 3261 17.1.1.3)")           \
    X(SCANNER, "User-Agent on the scanners' list")                                                      \
    X(MAILBOX_FULL, "hand-over to another worker, and its mailbox is full")                             \
    X(EDIT_ROOM, "edited message does not fit its buffer")                                              \
    X(TOO_LONG, "message longer than any buffer")                                                       \
    X(STREAM_FULL, "message for a connection, and the ring to the control core is full")                \
    X(STREAM_UNSENT, "message for a connection that has gone or could not be made (/strowger/streams)") \
    X(NO_ROUTE, "no route to the next hop in the kernel's table")                                       \
    X(RESOLVE_FULL, "next hop not yet resolved, and too many packets wait for it")                      \
    X(RESOLVE_FAILED, "next hop did not answer ARP or neighbour discovery")                             \
    X(NO_MBUF, "no buffer free")                                                                        \
    X(FRAGMENT_OUT, "output larger than the MTU could not be fragmented")                               \
    X(TX_FULL, "transmit queue full")                                                                   \
    X(STOPPING, "in flight when the server was stopped")

enum drop {
    DROP_NONE = 0,
#define DROP_ENUM(name, explanation) DROP_##name,
    DROPS(DROP_ENUM)
#undef DROP_ENUM
        DROP_COUNT
};

// "UDP_CHECKSUM" as in the table; "none" for DROP_NONE. Telemetry writes it in lower case.
const char *drop_name(enum drop drop);
const char *drop_explanation(enum drop drop);

#endif
