// input: from a connection's bytes to messages in workers' rings.
//
// Everything is read into one buffer; what is no whole message stays with its connection. When workers have no room, or
// no buffer is free, reading stops: the one message in hand waits in `stalled`, and every connection that has something to
// say waits in a list, in the order in which they came, and is read later. What they say waits in the kernel, which makes
// the peers wait: nothing is lost and nothing overtakes.
#ifndef STREAM_INPUT_H
#define STREAM_INPUT_H

#include "stream/parts.h"

// Reads what is there, as its state asks. Returns what the connection ends as, or CONNECTION_LIVES.
int input_read(struct connection *connection);

// What is held of it is looked at first: a handshake or an upgrade has ended, or it had waited.
int input_go_on(struct connection *connection);

// Those that wait, as far as there is room. Returns how much was done.
unsigned input_resume(struct stream *stream);
void input_forget(struct connection *connection); // it waits no more; it need not have

// One message, indexed in stream->message: into an mbuf and to its worker. input_ready said yes.
void input_give(struct connection *connection, const char *bytes, uint32_t len, enum sip_error error);
bool input_ready(struct stream *stream); // there are buffers, and nothing is stalled

#endif
