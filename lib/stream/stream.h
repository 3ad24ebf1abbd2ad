// stream: SIP over TCP, TLS and WebSocket, on the kernel's sockets (RFC 3261 18, RFC 7118, RFC 5626, RFC 5923).
//
// Listens, connects, shakes hands, frames. What it reads becomes an mbuf like any other message, indexed and with its
// arrival, and is given to `deliver`; what workers send comes by stream_send. It knows no roles: to a worker a
// connection is the endpoint that it came from, transport and flow included.
//
//   accept -> PROXY header -> TLS, on a thread of its own -> WebSocket upgrade -> messages
//
// Threads: everything here belongs to control's thread, but for handshakes: a connection is handed to one of a few
// threads, and comes back when its handshake has ended, so that a storm of them delays nobody.
//
// Bounded: connections in all and from one source, bytes that one holds back each way, the time in which a message that
// has begun must be whole and in which a peer must take what it gets, silence. What is over a bound is closed and
// counted under a name. Nothing is held for a connection that is idle but its sockets, its TLS session and a
// STREAM_BYTES record: bytes are read into one buffer that all share, and kept only where they are no whole message.
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <event2/event.h>
#include <rte_mempool.h>
#include <stdio.h>

#include "base/memory.h"
#include "conf/conf.h"
#include "worker/packet.h"

#define STREAM_BYTES 512 // of a connection's record with its share of the indices

struct stream;     // all connections
struct stream_tls; // certificates, authorities and ciphers of one configuration, loaded

// Why a connection ended. Names in stream_end_name.
enum stream_end {
    STREAM_END_PEER = 0,       // it closed
    STREAM_END_IDLE,           // nothing was said for [stream] idle
    STREAM_END_STOPPING,       // this server stops
    STREAM_END_RESET,          // an error of the socket
    STREAM_END_CROWDED,        // too many connections, in all
    STREAM_END_CROWDED_SOURCE, // too many from one address
    STREAM_END_PROXY_HEADER,   // none, or a bad one, or not from a balancer
    STREAM_END_HANDSHAKE,      // TLS failed
    STREAM_END_CERTIFICATE, // the peer's is missing, expired, or not signed by whom we trust, or of another name
    STREAM_END_UPGRADE,     // no HTTP request for the sip subprotocol
    STREAM_END_HANDSHAKE_SLOW, // none of these three came to its end in time
    STREAM_END_FRAME,          // a WebSocket frame against RFC 6455
    STREAM_END_NO_SIP,         // what came is no SIP message
    STREAM_END_NO_LENGTH,      // TCP, TLS: no Content-Length, or two, or no number (RFC 3261 18.3)
    STREAM_END_TOO_LARGE,      // header fields or body over [server] message_max
    STREAM_END_MESSAGE_SLOW,   // it was not whole in time
    STREAM_END_READER_SLOW,    // the peer did not take what it was sent, in time or in bytes
    STREAM_END_REFUSED,        // outgoing: nobody listens
    STREAM_END_UNREACHABLE,    // outgoing: no answer in time, or no route
    STREAM_ENDS
};
const char *stream_end_name(enum stream_end end);

struct stream_setup {
    struct event_base *base;
    const struct conf *conf;  // the one in force; stream_renew gives the next
    struct stream_tls *tls;   // taken over, also where stream_create fails; NULL: no TLS
    struct rte_mempool *pool; // of messages; private area is a struct packet
    struct rte_mempool *large;
    const struct memory *memory;
    // Takes a message: indexed (packet->message, parsed), arrival set, errand PACKET_SERVE. False: whoever serves that
    // source has no room now; the mbuf stays the caller's and is offered again, and its connection is not read until
    // then. Others go on.
    bool (*deliver)(void *owner, struct rte_mbuf *mbuf);
    // A message of worker `worker` that did not leave; the mbuf is the callee's. Where it had waited it is a copy: its
    // bytes, `to` and `listener`.
    void (*unsent)(void *owner, struct rte_mbuf *mbuf, uint16_t worker);
    // The gateway that a name in a verified certificate stands for: 1 + its slot, 0: none. `name` is a domain (RFC 5922
    // 7.1), asked for one after the other.
    uint16_t (*identify)(void *owner, struct slice name);
    // The name that whoever is at `to` must prove before this message is sent to it (RFC 5922 7.3). False: an address
    // is all that is known, and must then be in the certificate. `name` has room for 256 bytes.
    bool (*expect)(void *owner, const struct endpoint *to, const struct rte_mbuf *mbuf, char *name);
    void *owner;
};

// Certificates and authorities of a configuration. NULL after a line on `errors` for each fault (file, what is wrong,
// what to do: unreadable, expired, key that does not fit, no name in it). A line that begins with "warning: " is no
// fault (expires soon, key that all may read): they are to be shown, too. Any thread: a reload does it beside the loop.
// Where no listener has TLS or WSS and there is nothing to load it still succeeds: it is needed to connect.
struct stream_tls *stream_tls_create(const struct conf *conf, FILE *errors);
void stream_tls_destroy(struct stream_tls *tls); // NULL is allowed; handshakes under way keep what they need

// Listens on every listener that is no UDP one; an address that the kernel does not have yet will do (IP_FREEBIND).
// Logs what is wrong. 0, or -errno and then nothing is left.
int stream_create(struct stream **stream, const struct stream_setup *setup);

// Everything is closed. NULL is allowed. Messages that wait go to `unsent`.
void stream_destroy(struct stream *stream);

// Another configuration is in force (the listeners are the same, see conf_fixed_differences): new handshakes use `tls`,
// which is taken over; who proved to be a gateway is looked up anew; nobody is closed. From now on nothing reads the
// one before.
void stream_renew(struct stream *stream, const struct conf *conf, struct stream_tls *tls);

// Sends a message of worker `worker` to packet->to from packet->listener, by the connection that its flow names;
// without a flow by any that leads there (one that the peer made and offered for that, too: RFC 5923), else by a new
// one. The mbuf is taken; its bytes are not changed and it may be somebody else's as well.
void stream_send(struct stream *stream, struct rte_mbuf *mbuf, uint16_t worker, uint64_t now_ms);

// Timeouts, connections that wait for room, handshakes that came back. Once a turn of control's loop; cheap when there
// is nothing. Returns how much was done.
unsigned stream_turn(struct stream *stream, uint64_t now_ms);

// control: wo, telemetry: ro
struct stream_counters {
    uint64_t connections[ENDPOINT_TRANSPORTS]; // there now
    uint64_t accepted[ENDPOINT_TRANSPORTS], connected[ENDPOINT_TRANSPORTS];
    uint64_t received[ENDPOINT_TRANSPORTS], sent[ENDPOINT_TRANSPORTS]; // messages
    uint64_t unsent;                                                   // messages
    uint64_t pings;                                                    // CRLF and WebSocket pings answered
    uint64_t handshaking;                                              // now
    uint64_t handshakes, resumed;                                      // ended well, of these with a ticket
    uint64_t bytes_held;                                               // now, both ways
    uint64_t waited; // times that a connection was not read because workers had no room
    uint64_t ends[STREAM_ENDS];
};
const struct stream_counters *stream_counters(const struct stream *stream);

// One connection, for an operator. Slices are valid until the next call of anything here.
struct stream_view {
    struct endpoint peer; // with transport and flow
    unsigned listener;
    bool outgoing;
    uint64_t since_ms, heard_ms; // clock.ms
    uint64_t received, sent;     // messages
    uint32_t held;               // bytes
    struct slice name;           // that its certificate proved; empty: none
    const char *state;           // "handshake", "open", "connecting"
};
// *position starts at 0; false at the end. What comes and goes between calls may be missed or not.
bool stream_next(const struct stream *stream, uint64_t *position, struct stream_view *view);

#endif
