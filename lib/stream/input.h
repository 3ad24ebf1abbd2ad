// input: from a connection's bytes to messages in workers' rings.
//
// Everything is read into one buffer; what is no whole message stays with its connection. When the worker of a
// connection has no room, the message in hand waits in `stalled`, and the connection in a list, to be read later;
// others go on. So it is with all of them when no buffer is free, or too many hold one. What they say meanwhile waits
// in the kernel, which makes the peers wait: nothing is lost and nothing overtakes.
#ifndef STREAM_INPUT_H
#define STREAM_INPUT_H

#include "stream/parts.h"

// Reads what is there, as its state asks. Returns what the connection ends as, or CONNECTION_LIVES.
int stream_input_read(struct connection *connection);

// What is held of it is looked at first: a handshake or an upgrade has ended, or it had waited.
int stream_input_go_on(struct connection *connection);

// --- give.c
// One message, indexed in stream->message: into an mbuf and to its worker. stream_input_ready said yes.
void stream_input_give(struct connection *connection, const char *bytes, uint32_t len, enum sip_error error);
bool stream_input_ready(struct connection *connection); // there are buffers, and it has nothing stalled

void stream_input_wait(struct connection *connection);   // it is read later, for there is no room; counted
void stream_input_later(struct connection *connection);  // it is read later, for it had its share
void stream_input_forget(struct connection *connection); // it waits no more; it need not have
void stream_input_end(struct connection *connection);    // the same for good
// Those that wait, as far as there is room. Returns how much was done.
unsigned stream_input_resume(struct stream *stream);

#endif
