// connection: one TCP connection, from the moment that it is accepted or begun until its record is free again.
//
// Private to the room. A record lies in the table that stream_create took; it is small, and all that grows (bytes that
// are no whole message yet, messages that the peer has not taken) hangs from it only while it is there.
//
// Bytes go in and out by connection_read and connection_write, which know whether TLS is between (secure.h): everything
// above them sees plain bytes.
//
// Its socket belongs to control's loop, but in CONNECTION_HANDSHAKE: then `fd` is -1 here, a handshake thread has it,
// and nothing of the record is read or written by that thread (secure.h says how it goes and comes).
#ifndef STREAM_CONNECTION_H
#define STREAM_CONNECTION_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/slice.h"
#include "stream/stream.h"

#define CONNECTION_NONE UINT32_MAX // no record

enum connection_state {
    CONNECTION_FREE = 0,
    CONNECTION_CONNECTING,   // outgoing: the kernel is at it
    CONNECTION_PROXY_HEADER, // who it is for is read
    CONNECTION_HANDSHAKE,    // TLS: a handshake thread has the socket
    CONNECTION_UPGRADE,      // its HTTP request is read
    CONNECTION_OPEN,         // messages
    CONNECTION_CLOSING,      // the last word is said, and whatever still comes is thrown away
};

struct outgoing;  // messages that wait, see output.h
struct websocket; // a message of which not all frames are here, see websocket.h
struct ssl_st;    // OpenSSL's SSL
struct handshake; // secure.h

struct connection {
    struct event event; // readable, and writable while something waits
    struct stream *stream;
    struct endpoint peer; // with transport and flow; who a PROXY header says
    int fd;               // -1: none, or a handshake thread has it
    uint8_t state;        // enum connection_state
    uint8_t listener;     // index into conf->listeners
    bool outgoing;        // we made it
    uint8_t end;          // CONNECTION_CLOSING: enum stream_end it will be counted under

    struct ssl_st *tls;          // NULL: plain
    struct handshake *handshake; // CONNECTION_HANDSHAKE
    char *expected;              // outgoing TLS: the name or the address that the peer must prove; owned
    uint16_t gateway;            // 1 + slot that its certificate proves it to be; 0: none
    uint16_t alias;              // port under which it may be found, too (RFC 5923); 0: none
    bool verified;               // its certificate was given and is good
    bool counted;                // in `sources`
    bool waits;                  // in the list of those that are read later
    bool wants_write;            // the event is for writable, too

    uint8_t crlf;                  // of CRLF CRLF how many bytes are here
    uint32_t scanned;              // bytes of `held` in which no head ends
    uint32_t wanted;               // bytes of the message that `held` begins; 0: not known
    uint32_t held_n;               // bytes
    char *held;                    // what came and is no whole message, or waits for room; NULL: nothing
    struct websocket *websocket;   // NULL: no message is under way
    struct outgoing *first, *last; // messages that the peer has not taken
    uint32_t outgoing_n;           // bytes of them

    uint64_t since_ms, heard_ms, said_ms; // begun; bytes last came; bytes last left
    uint64_t begun_ms;                    // the message that is not whole; 0: none
    uint64_t received, sent;              // messages

    // Records by number: chains of the indices, the slot of the wheel, the list of those that wait.
    uint32_t next_peer, next_alias;
    uint32_t next_timer, previous_timer, timer;
    uint32_t next_waiting;
};

_Static_assert(sizeof(struct connection) <= STREAM_BYTES - 96, "a record and its share of the indices");

// Reads what is there. Bytes; 0: the peer closed; -EAGAIN: nothing now; else -errno, and the connection is broken.
int connection_read(struct connection *connection, void *to, size_t room);

// Writes as much as the socket takes now. Bytes; -EAGAIN: none now; else -errno, and the connection is broken.
int connection_write(struct connection *connection, const void *from, size_t len);

#endif
