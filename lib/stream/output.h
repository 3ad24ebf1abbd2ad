// output: what a peer is sent, and what it has not taken yet.
//
// Mostly the socket takes a message at once and nothing is kept. Of one that it does not, and of those that come before
// a connection is open, a copy waits here: not the mbuf, for peers that are slow must not hold what packets are
// received in. What waits is bounded in bytes, of one connection and of all, and in time.
#ifndef STREAM_OUTPUT_H
#define STREAM_OUTPUT_H

#include "stream/parts.h"

struct outgoing {
    struct outgoing *next;
    uint64_t since_ms;
    uint32_t len, at; // bytes; of these how many left
    uint32_t lead;    // bytes before the message: a WebSocket frame's
    uint16_t worker;  // whose message it is
    uint8_t listener;
    bool is_message; // or something of the room's own
    struct endpoint to;
    char bytes[];
};

// A worker's message. `taken` false: there is no room for it, and it is the caller's to say so. Returns what the
// connection ends as, or CONNECTION_LIVES.
int stream_output_message(struct connection *connection, struct rte_mbuf *mbuf, uint16_t worker, bool *taken);

// Bytes of the room's own: a pong, a last word.
int stream_output_bytes(struct connection *connection, const void *bytes, uint32_t len);

// The socket takes some again.
int stream_output_go_on(struct connection *connection);

// Takes all that waits off a connection that ends; stream_output_unsent gives the messages back.
struct outgoing *stream_output_take(struct connection *connection);
void stream_output_unsent(struct stream *stream, struct outgoing *first);

// A message that does not leave; the mbuf is taken.
void stream_unsent(struct stream *stream, struct rte_mbuf *mbuf, uint16_t worker);

#endif
