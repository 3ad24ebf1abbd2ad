// parts: the room's inside: what struct stream is made of, and what its files ask of each other.
//
// What reads or writes a connection does not end it: it returns what the connection ends as, or CONNECTION_LIVES, and
// whoever had begun (an event, a message to send, a turn) ends it, once, by stream_connection_settle. So nobody holds
// a record that is no more.
#ifndef STREAM_PARTS_H
#define STREAM_PARTS_H

#include <event2/event.h>

#include "base/wheel.h"
#include "sip/edit.h"
#include "stream/connection.h"
#include "stream/table.h"

#define CONNECTION_LIVES (-1)
#define LINGER_MS        1000 // that a peer has to take the last word
#define TICK_MS          64   // of the wheel
#define SPOKES           4096 // of it: what is due in over four minutes is looked at once on the way

struct handshakes;

// A listening socket; of a UDP listener there is none.
struct stream_socket {
    struct event event;
    struct stream *stream;
    int fd; // -1: none
    uint8_t listener;
};

struct stream {
    struct stream_setup setup;
    const struct conf *conf; // the one in force
    struct stream_tls *tls;  // the same; NULL: none
    struct handshakes *handshakes;
    struct event *handshaken;
    struct stream_socket *sockets; // as many as listeners
    unsigned sockets_n;
    uint64_t paused_ms; // no file descriptor was left: nobody is accepted until then; 0: everybody is
    int reserve;        // a descriptor for that case
    uint64_t now_ms;
    struct table table;
    struct wheel wheel; // when to look at a connection: at or before the time that something of it is due
    uint32_t spokes[SPOKES];
    struct hash_key key;

    struct list waiting;                  // connections that are read later
    unsigned stalled_n;                   // of these, messages in hand
    struct rte_mbuf *fresh, *fresh_large; // for the next one

    // Of the connection in hand.
    char *scratch; // what was held of it, and behind that what it said now
    uint32_t scratch_n;
    char *outbox; // a message with what goes in front of it
    uint32_t outbox_n;
    struct sip_message message;
    struct sip_edits edits;

    uint64_t held_max; // bytes that all connections may hold back
    struct stream_counters counters;
    char name[256]; // stream_view.name
};

static inline const struct conf_listener *stream_listener(const struct connection *connection)
{
    return &connection->stream->conf->listeners[connection->listener];
}

static inline bool stream_connection_is_websocket(const struct connection *connection)
{
    return connection->peer.transport == ENDPOINT_WS || connection->peer.transport == ENDPOINT_WSS;
}

// --- listen.c
// 0 or -errno, which was logged; the sockets that are open then are closed by stream_unlisten.
int stream_listen(struct stream *stream);
void stream_unlisten(struct stream *stream);
void stream_listen_again(struct stream *stream); // after paused_ms
void stream_want_files(uint32_t connections);    // raises the bound of open files, or says that it cannot

// --- connection.c
// A connection of a socket that is open; `fd` is the callee's. `peer` without flow. NULL: counted, and the socket
// closed.
struct connection *stream_connection_create(struct stream *stream, int fd, const struct endpoint *peer,
                                            uint8_t listener, bool outgoing);
// Ends it, unless `end` is CONNECTION_LIVES; else sees to it that its event and its time are right. Nobody may look at
// it afterwards.
void stream_connection_settle(struct connection *connection, int end);
// The next state behind the one that it has done with: PROXY header, handshake, upgrade, open.
int stream_connection_advance(struct connection *connection);
// Says no more; when the peer has taken what was said, or a second later, it ends as `end`.
int stream_connection_finish(struct connection *connection, enum stream_end end);
void stream_connection_come_back(struct stream *stream);        // handshakes that ended
void stream_connection_look(struct connection *connection);     // what is due
void stream_connection_identify(struct connection *connection); // as which gateway its certificate proves it

// --- connect.c
// A connection to `to` from `listener`; `expected`: see struct connection, NULL: none. NULL: counted.
struct connection *stream_connect_begin(struct stream *stream, const struct endpoint *to, uint8_t listener,
                                        const char *expected);
int stream_connect_go_on(struct connection *connection); // the kernel has an answer

#endif
