#include "stream/output.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "stream/secure.h"
#include "stream/websocket.h"

// Bytes from outbox on, or wherever the message lies, as they go out.
struct wire {
    const char *bytes;
    uint32_t len;
    uint32_t lead;
};

// False: it is longer than any message.
static bool dress(const struct connection *connection, const struct rte_mbuf *mbuf, struct wire *wire)
{
    struct stream *stream = connection->stream;
    char lead[WEBSOCKET_LEAD_MAX], *at = stream->outbox + WEBSOCKET_LEAD_MAX;
    uint32_t len = mbuf->pkt_len;

    if (len == 0 || len > stream->outbox_n - WEBSOCKET_LEAD_MAX)
        return false;
    const char *bytes = rte_pktmbuf_read(mbuf, 0, len, at);
    *wire = (struct wire){bytes, len, 0};
    if (!stream_connection_is_websocket(connection))
        return true;
    // One record of TLS, one packet: the header goes with the message.
    wire->lead = stream_websocket_lead(slice_of(bytes, len), lead);
    if (bytes != at)
        memcpy(at, bytes, len);
    memcpy(at - wire->lead, lead, wire->lead);
    wire->bytes = at - wire->lead;
    wire->len = len + wire->lead;
    return true;
}

static struct outgoing *keep(struct connection *connection, const char *bytes, uint32_t len, uint32_t sent)
{
    struct stream *stream = connection->stream;

    if (connection->outgoing_n + len > stream->conf->stream_buffer_max ||
        stream->counters.bytes_held + len > stream->held_max)
        return NULL;
    struct outgoing *outgoing = malloc(sizeof(*outgoing) + len);
    if (outgoing == NULL)
        return NULL;
    *outgoing = (struct outgoing){.since_ms = stream->now_ms, .len = len, .at = sent};
    memcpy(outgoing->bytes, bytes, len);
    *connection->last = outgoing;
    connection->last = &outgoing->next;
    connection->outgoing_n += len;
    stream->counters.bytes_held += len;
    return outgoing;
}

// What the socket takes of them now; 0 where others wait already. -errno: it is broken.
static int try_now(struct connection *connection, const char *bytes, uint32_t len)
{
    // What ends still says its last word, and so does an upgrade.
    if (connection->first != NULL || connection->fd < 0 || connection->state < CONNECTION_UPGRADE)
        return 0;
    int n = stream_connection_write(connection, bytes, len);
    if (n > 0)
        connection->said_ms = connection->stream->now_ms;
    return n == -EAGAIN ? 0 : n;
}

static void count_message(struct connection *connection)
{
    connection->sent++;
    connection->stream->counters.sent[connection->peer.transport]++;
}

int stream_output_message(struct connection *connection, struct rte_mbuf *mbuf, uint16_t worker, bool *taken)
{
    const struct packet *packet = packet_of(mbuf);
    struct outgoing *outgoing;
    struct wire wire;

    *taken = false;
    if (!dress(connection, mbuf, &wire))
        return CONNECTION_LIVES;
    int n = try_now(connection, wire.bytes, wire.len);
    if (n < 0)
        return STREAM_END_RESET;
    if ((uint32_t)n == wire.len) {
        count_message(connection);
    } else {
        outgoing = keep(connection, wire.bytes, wire.len, (uint32_t)n);
        if (outgoing == NULL) // before it is open it is nobody's fault
            return connection->state == CONNECTION_OPEN ? STREAM_END_READER_SLOW : CONNECTION_LIVES;
        outgoing->lead = wire.lead;
        outgoing->worker = worker;
        outgoing->listener = packet->listener;
        outgoing->is_message = true;
        outgoing->to = packet->to;
    }
    *taken = true;
    rte_pktmbuf_free(mbuf);
    return CONNECTION_LIVES;
}

int stream_output_bytes(struct connection *connection, const void *bytes, uint32_t len)
{
    int n = try_now(connection, bytes, len);

    if (n < 0)
        return STREAM_END_RESET;
    if ((uint32_t)n < len && keep(connection, bytes, len, (uint32_t)n) == NULL)
        return STREAM_END_READER_SLOW;
    return CONNECTION_LIVES;
}

static void drop_first(struct connection *connection)
{
    struct outgoing *first = connection->first;

    connection->first = first->next;
    if (connection->first == NULL)
        connection->last = &connection->first;
    connection->outgoing_n -= first->len;
    connection->stream->counters.bytes_held -= first->len;
    free(first);
}

// All is said: the peer sees the end, and may still take what is under way to it. Closed at once the socket would take
// that back (RFC 9112 9.6 has the same).
static int hang_up(struct connection *connection)
{
    if (connection->tls != NULL)
        stream_tls_end(connection);
    return shutdown(connection->fd, SHUT_WR) == 0 ? CONNECTION_LIVES : connection->end;
}

int stream_output_go_on(struct connection *connection)
{
    struct outgoing *first;

    while ((first = connection->first) != NULL) {
        int n = stream_connection_write(connection, first->bytes + first->at, first->len - first->at);
        if (n == -EAGAIN)
            return CONNECTION_LIVES;
        if (n <= 0)
            return STREAM_END_RESET;
        connection->said_ms = connection->stream->now_ms;
        first->at += (uint32_t)n;
        if (first->at < first->len)
            continue;
        if (first->is_message)
            count_message(connection);
        drop_first(connection);
    }
    return connection->state == CONNECTION_CLOSING ? hang_up(connection) : CONNECTION_LIVES;
}

struct outgoing *stream_output_take(struct connection *connection)
{
    struct outgoing *first = connection->first;

    connection->stream->counters.bytes_held -= connection->outgoing_n;
    connection->first = NULL;
    connection->last = &connection->first;
    connection->outgoing_n = 0;
    return first;
}

void stream_unsent(struct stream *stream, struct rte_mbuf *mbuf, uint16_t worker)
{
    stream->counters.unsent++;
    stream->setup.unsent(stream->setup.owner, mbuf, worker);
}

// As it was when its worker sent it; of what is longer than any peer may send, a request of our own, the front: its Via
// says enough. NULL: no buffer is free, and its timers must find out.
static struct rte_mbuf *message_again(struct stream *stream, const struct outgoing *outgoing)
{
    uint32_t most = rte_pktmbuf_data_room_size(stream->setup.large) - RTE_PKTMBUF_HEADROOM;
    uint32_t len = RTE_MIN(outgoing->len - outgoing->lead, most);
    bool fits = len + RTE_PKTMBUF_HEADROOM <= rte_pktmbuf_data_room_size(stream->setup.pool);
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(fits ? stream->setup.pool : stream->setup.large);

    if (mbuf == NULL)
        return NULL;
    char *to = rte_pktmbuf_append(mbuf, (uint16_t)len);
    if (to == NULL) {
        rte_pktmbuf_free(mbuf);
        return NULL;
    }
    memcpy(to, outgoing->bytes + outgoing->lead, len);
    struct packet *packet = packet_of(mbuf);
    memset(packet, 0, offsetof(struct packet, steered));
    packet->errand = PACKET_STREAM;
    packet->to = outgoing->to;
    packet->listener = outgoing->listener;
    return mbuf;
}

void stream_output_unsent(struct stream *stream, struct outgoing *first)
{
    while (first != NULL) {
        struct outgoing *next = first->next;
        struct rte_mbuf *mbuf = first->is_message ? message_again(stream, first) : NULL;
        if (mbuf != NULL)
            stream_unsent(stream, mbuf, first->worker);
        else if (first->is_message)
            stream->counters.unsent++;
        free(first);
        first = next;
    }
}
