// From a message in the shared buffer to a worker's ring, and who waits for that.
#include <rte_mbuf.h>

#include "sip/params.h"
#include "sip/via.h"
#include "stream/input.h"

#define STALLED_MAX  64   // messages in hand: so many buffers the packets' pools can spare
#define RESUMES_MAX  256  // connections a turn
#define EDITS_ROOM   512  // bytes of headroom for the edits of a message, where its buffer has them
#define DEFAULT_PORT 5061 // RFC 3261 18.2.1: of a sent-by without one, over TLS

void stream_input_later(struct connection *connection)
{
    struct stream *stream = connection->stream;

    if (connection->waits)
        return;
    connection->waits = true;
    list_append(&stream->waiting, stream->table.waiting, stream_table_link(&stream->table, connection));
}

void stream_input_wait(struct connection *connection)
{
    connection->stream->counters.waited += !connection->waits;
    stream_input_later(connection);
}

void stream_input_forget(struct connection *connection)
{
    struct stream *stream = connection->stream;

    if (!connection->waits)
        return;
    connection->waits = false;
    list_remove(&stream->waiting, stream->table.waiting, stream_table_link(&stream->table, connection));
}

static bool has_buffers(struct stream *stream)
{
    if (stream->fresh == NULL)
        stream->fresh = rte_pktmbuf_alloc(stream->setup.pool);
    if (stream->fresh_large == NULL)
        stream->fresh_large = rte_pktmbuf_alloc(stream->setup.large);
    return stream->fresh != NULL && stream->fresh_large != NULL;
}

bool stream_input_ready(struct connection *connection)
{
    struct stream *stream = connection->stream;

    return connection->stalled == NULL && stream->stalled_n < STALLED_MAX && has_buffers(stream);
}

// The message in hand goes to its worker now. False: still not.
static bool let_go(struct connection *connection)
{
    struct stream *stream = connection->stream;

    if (connection->stalled == NULL)
        return true;
    if (!stream->setup.deliver(stream->setup.owner, connection->stalled))
        return false;
    connection->stalled = NULL;
    stream->stalled_n--;
    return true;
}

void stream_input_end(struct connection *connection)
{
    stream_input_forget(connection);
    if (let_go(connection))
        return;
    rte_pktmbuf_free(connection->stalled);
    connection->stalled = NULL;
    connection->stream->stalled_n--;
}

// A peer that proved who it is offers this connection for requests to the address in its Via (RFC 5923 8.2).
static void take_alias(struct connection *connection, const struct sip_message *message)
{
    struct cursor c = cursor_over(sip_message_first(message, SIP_HEADER_VIA));
    struct sip_param alias;
    struct sip_via via;

    if (message->kind == SIP_REQUEST && sip_via_take(&c, &via) &&
        sip_param_find(via.params, SLICE("alias"), &alias))
        stream_table_put_alias(&connection->stream->table, connection,
                               via.port != 0 ? via.port : DEFAULT_PORT);
}

static struct rte_mbuf *take_fresh(struct stream *stream, uint32_t len)
{
    bool fits = len + RTE_PKTMBUF_HEADROOM <= rte_pktmbuf_data_room_size(stream->setup.pool);
    struct rte_mbuf **fresh = fits ? &stream->fresh : &stream->fresh_large;
    struct rte_mbuf *mbuf = *fresh;

    *fresh = NULL;
    return mbuf;
}

static void set_arrival(const struct connection *connection, struct arrival *arrival)
{
    arrival->source = connection->peer;
    arrival->destination = stream_listener(connection)->address;
    arrival->now.ms = connection->stream->now_ms;
    arrival->listener = connection->listener;
    arrival->peer = connection->gateway;
}

void stream_input_give(struct connection *connection, const char *bytes, uint32_t len, enum sip_error error)
{
    struct stream *stream = connection->stream;
    const struct sip_message *message = &stream->message;
    struct rte_mbuf *mbuf = take_fresh(stream, len);
    struct packet *packet = packet_of(mbuf);

    if (rte_pktmbuf_tailroom(mbuf) >= len + EDITS_ROOM)
        mbuf->data_off = (uint16_t)(mbuf->data_off + EDITS_ROOM);
    char *to =
        rte_pktmbuf_append(mbuf, (uint16_t)len); // both pools have room for any message that came so far
    memcpy(to, bytes, len);
    memset(packet, 0, offsetof(struct packet, message));
    memcpy(&packet->message, message,
           offsetof(struct sip_message, lines) + (message->lines_n + 1u) * sizeof(message->lines[0]));
    packet->message.bytes = to;
    packet->parsed = (uint8_t)error;
    packet->errand = PACKET_SERVE;
    packet->frame.payload_len = (uint16_t)len;
    set_arrival(connection, &packet->arrival);
    connection->received++;
    stream->counters.received[connection->peer.transport]++;
    if (connection->verified && !connection->outgoing && connection->alias == 0 &&
        connection->peer.transport == ENDPOINT_TLS)
        take_alias(connection, message);
    if (stream->setup.deliver(stream->setup.owner, mbuf))
        return;
    connection->stalled = mbuf;
    stream->stalled_n++;
    stream_input_wait(connection);
}

unsigned stream_input_resume(struct stream *stream)
{
    uint32_t number, last = stream->waiting.last; // who begins to wait now has his turn the next time
    unsigned done = 0;

    for (unsigned i = 0; i < RESUMES_MAX && (number = stream->waiting.first) != 0; i++) {
        struct connection *connection = stream_table_linked(&stream->table, number);
        stream_input_forget(connection);
        if (let_go(connection) && stream_input_ready(connection)) {
            connection->begun_ms = 0; // the time until now was not the peer's
            stream_connection_settle(connection, stream_input_go_on(connection));
            done++;
        } else {
            stream_input_later(connection);
        }
        if (number == last)
            break;
    }
    return done;
}
