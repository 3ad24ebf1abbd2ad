// websocket: a WebSocket's frames (RFC 6455 5), by wslay, in and out; each message is one SIP message (RFC 7118 4.2).
//
// wslay's state of a connection is 9 KiB, so it is there only while a message is: a connection that is idle has none.
#ifndef STREAM_WEBSOCKET_H
#define STREAM_WEBSOCKET_H

#include "stream/parts.h"

#define WEBSOCKET_LEAD_MAX 4 // bytes of a frame's header as servers send it, for what has less than 64 KiB

// Takes messages out of `len` bytes. `*taken`: how many bytes are done with; fewer than all where workers have no room.
int stream_websocket_read(struct connection *connection, const char *bytes, uint32_t len, uint32_t *taken);
void stream_websocket_free(struct connection *connection); // it need not be there

// Writes the header of the frame that a message goes in, and returns its length.
unsigned stream_websocket_lead(struct slice message, char lead[WEBSOCKET_LEAD_MAX]);

// Says why it ends (RFC 6455 7.4.1), as far as the socket takes it now.
void stream_websocket_goodbye(struct connection *connection, uint16_t code);

#endif
