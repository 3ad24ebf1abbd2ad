#include "stream/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/input.h"
#include "stream/output.h"
#include "stream/secure.h"
#include "stream/websocket.h"

#define GOING_AWAY 1001 // RFC 6455 7.4.1

int stream_connection_read(struct connection *connection, void *to, size_t room)
{
    if (connection->tls != NULL)
        return stream_tls_read(connection, to, room);
    ssize_t n = recv(connection->fd, to, room, 0);
    return n >= 0 ? (int)n : errno == EINTR ? -EAGAIN : -errno;
}

int stream_connection_write(struct connection *connection, const void *from, size_t len)
{
    if (connection->tls != NULL)
        return stream_tls_write(connection, from, len);
    ssize_t n = send(connection->fd, from, len, MSG_NOSIGNAL);
    return n >= 0 ? (int)n : errno == EINTR ? -EAGAIN : -errno;
}

static void on_event(evutil_socket_t fd, short what, void *argument)
{
    struct connection *connection = argument;
    int end = CONNECTION_LIVES;

    (void)fd;
    if (what & EV_WRITE)
        end = connection->state == CONNECTION_CONNECTING ? stream_connect_go_on(connection)
                                                         : stream_output_go_on(connection);
    if (end == CONNECTION_LIVES && (what & EV_READ) && connection->fd >= 0)
        end = stream_input_read(connection);
    stream_connection_settle(connection, end);
}

// Its event is for what its state waits for. False: no memory.
static bool watch(struct connection *connection)
{
    short wanted = 0;

    if (connection->state == CONNECTION_CONNECTING)
        wanted = EV_WRITE;
    else if (connection->fd >= 0)
        wanted = (short)((connection->waits ? 0 : EV_READ) | (connection->first != NULL ? EV_WRITE : 0));
    if (wanted == connection->watched)
        return true;
    if (connection->watched != 0)
        event_del(&connection->event);
    connection->watched = 0;
    if (wanted == 0)
        return true;
    if (event_assign(&connection->event, connection->stream->setup.base, connection->fd,
                     (short)(wanted | EV_PERSIST), on_event, connection) != 0 ||
        event_add(&connection->event, NULL) != 0)
        return false;
    connection->watched = (uint8_t)wanted;
    return true;
}

static uint64_t earlier(uint64_t due, uint64_t than, enum stream_end end, enum stream_end *why)
{
    if (due >= than)
        return than;
    *why = end;
    return due;
}

// When it ends if nothing happens until then, and as what.
static uint64_t due(const struct connection *connection, enum stream_end *why)
{
    const struct conf *conf = connection->stream->conf;
    uint64_t message_ms = conf->stream_message_ms;
    uint64_t spoke = connection->heard_ms > connection->said_ms ? connection->heard_ms : connection->said_ms;

    if (connection->state == CONNECTION_CLOSING) {
        *why = connection->end;
        return connection->begun_ms + LINGER_MS;
    }
    if (connection->state != CONNECTION_OPEN) {
        *why = connection->outgoing ? STREAM_END_UNREACHABLE : STREAM_END_HANDSHAKE_SLOW;
        return connection->since_ms +
               (connection->outgoing ? conf->stream_connect_ms : conf->stream_handshake_ms);
    }
    *why = STREAM_END_IDLE;
    uint64_t first = spoke + 1000ull * conf->stream_idle_s;
    // Of what waits for room here it is not the peer who is late.
    if (connection->begun_ms != 0 && !connection->waits)
        first = earlier(connection->begun_ms + message_ms, first, STREAM_END_MESSAGE_SLOW, why);
    if (connection->first != NULL)
        first = earlier(connection->first->since_ms + message_ms, first, STREAM_END_READER_SLOW, why);
    return first;
}

static void destroy(struct connection *connection, enum stream_end end)
{
    struct stream *stream = connection->stream;
    struct outgoing *unsent = stream_output_take(connection);

    stream->counters.ends[end]++;
    stream->counters.connections[connection->peer.transport]--;
    stream_input_end(connection);
    if (connection->watched != 0)
        event_del(&connection->event);
    if (connection->handshake != NULL)
        stream_handshake_abandon(stream->handshakes, connection->handshake);
    if (stream_connection_is_websocket(connection) && connection->state == CONNECTION_OPEN &&
        unsent == NULL && (end == STREAM_END_IDLE || end == STREAM_END_STOPPING))
        stream_websocket_goodbye(connection, GOING_AWAY);
    stream_websocket_free(connection);
    if (connection->tls != NULL)
        stream_tls_end(connection);
    if (connection->fd >= 0)
        close(connection->fd);
    stream->counters.bytes_held -= connection->held_n;
    free(connection->held);
    free(connection->expected);
    stream_table_remove(&stream->table, connection);
    stream_table_uncount_source(&stream->table, connection);
    wheel_remove(&stream->wheel, stream_table_link(&stream->table, connection), &connection->wheel_at);
    stream_table_give(&stream->table, connection);
    stream_output_unsent(stream, unsent);
}

void stream_connection_settle(struct connection *connection, int end)
{
    struct stream *stream = connection->stream;
    enum stream_end why;

    if (end == CONNECTION_LIVES && !watch(connection))
        end = STREAM_END_CROWDED;
    if (end != CONNECTION_LIVES)
        destroy(connection, (enum stream_end)end);
    else
        wheel_expect(&stream->wheel, stream_table_link(&stream->table, connection), &connection->wheel_at,
                     wheel_tick(due(connection, &why), TICK_MS));
}

void stream_connection_look(struct connection *connection)
{
    enum stream_end why;
    bool late = due(connection, &why) <= connection->stream->now_ms;

    stream_connection_settle(connection, late ? (int)why : CONNECTION_LIVES);
}

struct connection *stream_connection_create(struct stream *stream, int fd, const struct endpoint *peer,
                                            uint8_t listener, bool outgoing)
{
    struct connection *connection = stream_table_take(&stream->table);

    if (connection == NULL) {
        stream->counters.ends[STREAM_END_CROWDED]++;
        close(fd);
        return NULL;
    }
    connection->stream = stream;
    connection->fd = fd;
    connection->peer = *peer;
    connection->peer.transport = stream->conf->listeners[listener].transport;
    connection->peer.flow = 0;
    connection->listener = listener;
    connection->outgoing = outgoing;
    connection->since_ms = connection->heard_ms = connection->said_ms = stream->now_ms;
    stream->counters.connections[connection->peer.transport]++;
    return connection;
}

// It is known now who it is for.
static int admit(struct connection *connection)
{
    struct stream *stream = connection->stream;

    if (!stream_table_count_source(&stream->table, connection, stream->conf->connections_source_max) ||
        !stream_table_put(&stream->table, connection))
        return STREAM_END_CROWDED_SOURCE;
    return CONNECTION_LIVES;
}

static int begin_handshake(struct connection *connection)
{
    struct stream *stream = connection->stream;

    if (stream->tls == NULL || stream->handshakes == NULL)
        return STREAM_END_HANDSHAKE;
    if (connection->watched != 0)
        event_del(&connection->event);
    connection->watched = 0;
    connection->state = CONNECTION_HANDSHAKE;
    connection->handshake = stream_handshake_begin(stream->handshakes, stream->tls, connection);
    if (connection->handshake == NULL)
        return STREAM_END_CROWDED;
    connection->fd = -1;
    return CONNECTION_LIVES;
}

int stream_connection_advance(struct connection *connection)
{
    int end = CONNECTION_LIVES;

    if (connection->state == CONNECTION_FREE && stream_listener(connection)->proxy_protocol) {
        connection->state = CONNECTION_PROXY_HEADER;
        return CONNECTION_LIVES;
    }
    if (connection->state < CONNECTION_HANDSHAKE && !connection->outgoing)
        end = admit(connection);
    if (end != CONNECTION_LIVES)
        return end;
    if (connection->state < CONNECTION_HANDSHAKE && endpoint_is_secure(&connection->peer))
        return begin_handshake(connection);
    if (connection->state < CONNECTION_UPGRADE && stream_connection_is_websocket(connection)) {
        connection->state = CONNECTION_UPGRADE;
        return CONNECTION_LIVES;
    }
    connection->state = CONNECTION_OPEN;
    if (connection->outgoing)
        connection->stream->counters.connected[connection->peer.transport]++;
    // From now on it is the peer's to take what waits.
    for (struct outgoing *waits = connection->first; waits != NULL; waits = waits->next)
        waits->since_ms = connection->stream->now_ms;
    return stream_output_go_on(connection);
}

int stream_connection_finish(struct connection *connection, enum stream_end end)
{
    struct stream *stream = connection->stream;

    if (connection->state == CONNECTION_CLOSING)
        return CONNECTION_LIVES;
    stream_input_forget(connection);
    stream_websocket_free(connection);
    stream_table_remove(&stream->table, connection);
    stream->counters.bytes_held -= connection->held_n;
    free(connection->held);
    connection->held = NULL;
    connection->held_n = connection->wanted = 0;
    connection->state = CONNECTION_CLOSING;
    connection->end = (uint8_t)end;
    connection->begun_ms = stream->now_ms;
    return stream_output_go_on(connection);
}

void stream_connection_identify(struct connection *connection)
{
    const struct stream_setup *setup = &connection->stream->setup;
    char name[256];

    connection->gateway = 0;
    for (unsigned i = 0; connection->verified && stream_tls_name(connection, i, name); i++) {
        connection->gateway = setup->identify(setup->owner, slice_text(name));
        if (connection->gateway != 0)
            return;
    }
}

static int come_back(struct connection *connection, const struct handshake_end *handshake)
{
    struct stream_counters *counters = &connection->stream->counters;

    connection->handshake = NULL;
    connection->fd = handshake->fd;
    if (handshake->session == NULL)
        return handshake->end;
    connection->tls = handshake->session;
    connection->verified = handshake->verified;
    counters->handshakes++;
    counters->resumed += handshake->resumed;
    stream_connection_identify(connection);
    int end = stream_connection_advance(connection);
    // What came behind the handshake is in the session, and no event tells of it.
    return end == CONNECTION_LIVES ? stream_input_read(connection) : end;
}

void stream_connection_come_back(struct stream *stream)
{
    struct handshake_end handshake;

    while (stream_handshakes_next(stream->handshakes, &handshake))
        stream_connection_settle(handshake.connection, come_back(handshake.connection, &handshake));
}
