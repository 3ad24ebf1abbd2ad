// socket: TCP sockets as this server wants them, listening and connecting.
//
// Control's thread: system calls.
#ifndef STREAM_SOCKET_H
#define STREAM_SOCKET_H

#include "stream/parts.h"

// A non-blocking socket bound to a listener's address; `ephemeral`: to any port of it. An address that the kernel does
// not have (yet) will do. -errno.
int stream_socket_open(const struct stream *stream, uint8_t listener, bool ephemeral);

#endif
