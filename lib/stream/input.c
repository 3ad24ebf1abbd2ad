#include "stream/input.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "sip/params.h"
#include "sip/reply.h"
#include "sip/via.h"
#include "stream/framing.h"
#include "stream/output.h"
#include "stream/proxy_header.h"
#include "stream/secure.h"
#include "stream/upgrade.h"
#include "stream/websocket.h"

#define READS_MAX    4          // of one connection, before the next gets its turn
#define RESUMES_MAX  256        // connections a turn
#define PONGS_MAX    16         // for one read
#define DISCARD_MAX  (1u << 20) // bytes that a peer may still say when it was told that this is the end
#define EDITS_ROOM   512        // bytes of headroom for the edits of a message, where its buffer has them
#define DEFAULT_PORT 5061       // RFC 3261 18.2.1: of a sent-by without one, over TLS

// --- waiting for room

static struct connection *numbered(struct stream *stream, uint32_t number)
{
    return number == CONNECTION_NONE ? NULL : &stream->table.connections[number];
}

static void read_later(struct connection *connection)
{
    struct stream *stream = connection->stream;
    uint32_t number = table_number(&stream->table, connection);
    struct connection *last = numbered(stream, stream->waiting_last);

    if (connection->waits)
        return;
    connection->waits = true;
    connection->previous_waiting = stream->waiting_last;
    connection->next_waiting = CONNECTION_NONE;
    if (last != NULL)
        last->next_waiting = number;
    else
        stream->waiting_first = number;
    stream->waiting_last = number;
}

static void wait_for_room(struct connection *connection)
{
    connection->stream->counters.waited += !connection->waits;
    read_later(connection);
}

void input_forget(struct connection *connection)
{
    struct stream *stream = connection->stream;
    struct connection *previous = numbered(stream, connection->previous_waiting);
    struct connection *next = numbered(stream, connection->next_waiting);

    if (!connection->waits)
        return;
    connection->waits = false;
    if (previous != NULL)
        previous->next_waiting = connection->next_waiting;
    else
        stream->waiting_first = connection->next_waiting;
    if (next != NULL)
        next->previous_waiting = connection->previous_waiting;
    else
        stream->waiting_last = connection->previous_waiting;
}

bool input_ready(struct stream *stream)
{
    if (stream->fresh == NULL)
        stream->fresh = rte_pktmbuf_alloc(stream->setup.pool);
    if (stream->fresh_large == NULL)
        stream->fresh_large = rte_pktmbuf_alloc(stream->setup.large);
    return stream->stalled == NULL && stream->fresh != NULL && stream->fresh_large != NULL;
}

// --- messages

// A peer that proved who it is offers this connection for requests to the address in its Via (RFC 5923 8.2).
static void take_alias(struct connection *connection, const struct sip_message *message)
{
    struct cursor c = cursor_over(sip_message_first(message, SIP_HEADER_VIA));
    struct sip_param alias;
    struct sip_via via;

    if (message->kind == SIP_REQUEST && sip_via_take(&c, &via) &&
        sip_param_find(via.params, SLICE("alias"), &alias))
        table_put_alias(&connection->stream->table, connection, via.port != 0 ? via.port : DEFAULT_PORT);
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

void input_give(struct connection *connection, const char *bytes, uint32_t len, enum sip_error error)
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
    if (!stream->setup.deliver(stream->setup.owner, mbuf))
        stream->stalled = mbuf;
}

// Why the connection ends, said to whoever sent a request that ends it: 400 or 513 as a server says it (RFC 3261
// 8.2, 21.4.1, 21.5.7); the connection cannot be read any further.
static int refuse(struct connection *connection, const struct framing *framing)
{
    struct stream *stream = connection->stream;
    const struct sip_message *message = &stream->message;
    char tag[17];
    uint32_t len;

    struct sip_reply reply = {.status = sip_error_status(framing->error)};
    if (message->kind == SIP_REQUEST && message->method != SIP_METHOD_ACK && reply.status != 0 &&
        sip_message_has(message, SIP_HEADER_VIA)) {
        // The same request gets the same tag, as from any server without state (8.2.7).
        struct slice call = sip_message_first(message, SIP_HEADER_CALL_ID);
        snprintf(tag, sizeof(tag), "%016llx",
                 (unsigned long long)hash_sip13(&stream->key, call.at, call.len).low);
        reply.to_tag = slice_of(tag, 16);
        reply.reason = sip_error_text(framing->error);
        sip_edits_clear(&stream->edits);
        sip_reply_note(message, &reply, &stream->edits);
        if (sip_edits_write(&stream->edits, slice_of(message->bytes, message->len), stream->outbox,
                            stream->outbox_n, &len) == SIP_OK)
            (void)output_bytes(connection, stream->outbox, len); // it ends in any case
    }
    return connection_finish(connection, framing->end);
}

static int answer_pings(struct connection *connection, unsigned pings)
{
    char pongs[2 * PONGS_MAX];
    unsigned n = RTE_MIN(pings, (unsigned)PONGS_MAX);

    connection->stream->counters.pings += pings;
    for (unsigned i = 0; i < n; i++)
        memcpy(pongs + 2 * (size_t)i, "\r\n", 2);
    return n == 0 ? CONNECTION_LIVES : output_bytes(connection, pongs, 2 * n);
}

// Takes messages off `len` bytes; `*taken` is how many are done with.
static int take_messages(struct connection *connection, const char *bytes, uint32_t len, uint32_t *taken)
{
    struct stream *stream = connection->stream;
    uint32_t message_max = RTE_MIN(stream->conf->message_max, (uint32_t)SIP_MESSAGE_MAX);
    struct framing framing = {.kind = FRAMING_MORE};
    unsigned pings = 0;

    while (*taken < len) {
        *taken += stream_framing_skip(bytes + *taken, len - *taken, &connection->crlf, &pings);
        if (*taken == len || !input_ready(stream))
            break;
        framing =
            stream_framing(&stream->message, bytes + *taken, len - *taken, message_max, connection->scanned);
        connection->scanned = framing.kind == FRAMING_MORE ? framing.scanned : 0;
        connection->wanted = framing.kind == FRAMING_MORE ? framing.len : 0;
        if (framing.kind != FRAMING_MESSAGE)
            break;
        input_give(connection, bytes + *taken, framing.len, framing.error);
        *taken += framing.len;
    }
    int end = answer_pings(connection, pings);
    return end == CONNECTION_LIVES && framing.kind == FRAMING_REFUSED ? refuse(connection, &framing) : end;
}

// --- what comes before messages

static int take_upgrade(struct connection *connection, const char *bytes, uint32_t len, uint32_t *taken)
{
    struct stream *stream = connection->stream;
    char answer[UPGRADE_ANSWER_MAX];
    unsigned answer_len;

    uint32_t head = bytes[0] == 'G' ? stream_head_end(bytes, len, &connection->scanned) : 0;
    if (head > UPGRADE_MAX || (head == 0 && (len >= UPGRADE_MAX || bytes[0] != 'G')))
        return STREAM_END_UPGRADE;
    if (head == 0)
        return CONNECTION_LIVES;
    *taken = head;
    connection->scanned = 0;
    bool upgraded = stream_upgrade(&stream->message, slice_of(bytes, head), answer, &answer_len);
    int end = output_bytes(connection, answer, answer_len);
    if (end != CONNECTION_LIVES)
        return end;
    return upgraded ? connection_advance(connection) : connection_finish(connection, STREAM_END_UPGRADE);
}

// The bytes behind `taken` stay with their connection.
static int hold(struct connection *connection, const char *bytes, uint32_t len, uint32_t taken)
{
    struct stream *stream = connection->stream;
    uint32_t left = len - taken, same = taken == 0 ? connection->held_n : 0;

    if (stream->counters.bytes_held - connection->held_n + left > stream->held_max && left > 0)
        return STREAM_END_CROWDED;
    char *held = left == 0                    ? NULL
                 : left == connection->held_n ? connection->held
                                              : realloc(connection->held, left);
    if (left > 0 && held == NULL)
        return STREAM_END_CROWDED;
    if (left == 0)
        free(connection->held);
    else
        memcpy(held + same, bytes + taken + same, left - same);
    stream->counters.bytes_held += (uint64_t)left - connection->held_n;
    connection->held = held;
    connection->held_n = left;
    return CONNECTION_LIVES;
}

// The first `len` bytes of scratch: what was held, and what came now.
static int take(struct connection *connection, uint32_t len)
{
    const char *bytes = connection->stream->scratch;
    uint32_t taken = 0, more = 0;
    int end = CONNECTION_LIVES;

    if (connection->state == CONNECTION_UPGRADE && len > 0)
        end = take_upgrade(connection, bytes, len, &taken);
    if (end == CONNECTION_LIVES && connection->state == CONNECTION_OPEN && taken < len) {
        end = connection_is_websocket(connection)
                  ? websocket_read(connection, bytes + taken, len - taken, &more)
                  : take_messages(connection, bytes + taken, len - taken, &more);
        taken += more;
    }
    if (end != CONNECTION_LIVES || connection->state == CONNECTION_CLOSING)
        return end;
    if (taken < len && !input_ready(connection->stream))
        wait_for_room(connection);
    // Of several messages the one that is not whole began now; of frames wslay's side knows.
    if (taken > 0 && !connection_is_websocket(connection))
        connection->begun_ms = 0;
    end = hold(connection, bytes, len, taken);
    if (connection->held_n == 0 && connection->websocket == NULL)
        connection->begun_ms = 0;
    else if (connection->begun_ms == 0)
        connection->begun_ms = connection->stream->now_ms;
    return end;
}

static int read_messages(struct connection *connection)
{
    struct stream *stream = connection->stream;

    for (unsigned i = 0; i < READS_MAX && connection->state != CONNECTION_CLOSING; i++) {
        if (!input_ready(stream))
            wait_for_room(connection);
        if (connection->waits)
            return CONNECTION_LIVES;
        uint32_t room = stream->scratch_n - connection->held_n;
        if (room == 0)
            return STREAM_END_TOO_LARGE;
        int n = connection_read(connection, stream->scratch + connection->held_n, room);
        if (n == -EAGAIN)
            return CONNECTION_LIVES;
        if (n <= 0)
            return n == 0 ? STREAM_END_PEER : STREAM_END_RESET;
        connection->heard_ms = stream->now_ms;
        uint32_t len = connection->held_n + (uint32_t)n;
        if (connection->held_n > 0 && connection->held != NULL)
            memcpy(stream->scratch, connection->held, connection->held_n);
        int end =
            len < connection->wanted ? hold(connection, stream->scratch, len, 0) : take(connection, len);
        if (end != CONNECTION_LIVES)
            return end;
        if ((uint32_t)n < room && (connection->tls == NULL || !stream_tls_pending(connection)))
            return CONNECTION_LIVES;
    }
    // No event tells of what is in the session.
    if (connection->tls != NULL && connection->state != CONNECTION_CLOSING)
        read_later(connection);
    return CONNECTION_LIVES;
}

static int read_proxy_header(struct connection *connection)
{
    uint8_t bytes[PROXY_HEADER_MAX];
    uint32_t len = connection->held_n, needs;

    if (len > 0)
        memcpy(bytes, connection->held, len);
    while ((needs = proxy_header_needs(bytes, len)) > len) {
        // Not a byte more: what follows may be for a handshake thread.
        ssize_t n = recv(connection->fd, bytes + len, needs - len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return hold(connection, (const char *)bytes, len, 0);
        if (n <= 0)
            return n == 0 ? STREAM_END_PEER : STREAM_END_RESET;
        len += (uint32_t)n;
    }
    if (needs == 0 || !proxy_header_read(bytes, len, &connection->peer))
        return STREAM_END_PROXY_HEADER;
    int end = hold(connection, (const char *)bytes, len, len);
    return end == CONNECTION_LIVES ? connection_advance(connection) : end;
}

static int discard(struct connection *connection)
{
    struct stream *stream = connection->stream;
    int n = connection_read(connection, stream->scratch, stream->scratch_n);

    if (n == -EAGAIN)
        return CONNECTION_LIVES;
    connection->wanted += n > 0 ? (uint32_t)n : 0;
    return n <= 0 || connection->wanted > DISCARD_MAX ? connection->end : CONNECTION_LIVES;
}

int input_read(struct connection *connection)
{
    switch (connection->state) {
    case CONNECTION_PROXY_HEADER:
        return read_proxy_header(connection);
    case CONNECTION_UPGRADE:
    case CONNECTION_OPEN:
        return read_messages(connection);
    case CONNECTION_CLOSING:
        return discard(connection);
    default:
        return CONNECTION_LIVES;
    }
}

int input_go_on(struct connection *connection)
{
    struct stream *stream = connection->stream;
    uint32_t len = connection->held_n;
    int end = CONNECTION_LIVES;

    if (len > 0) {
        memcpy(stream->scratch, connection->held, len);
        end = take(connection, len);
    }
    return end == CONNECTION_LIVES ? input_read(connection) : end;
}

unsigned input_resume(struct stream *stream)
{
    struct connection *connection;
    unsigned done = 0;

    if (stream->stalled != NULL && stream->setup.deliver(stream->setup.owner, stream->stalled)) {
        stream->stalled = NULL;
        done++;
    }
    for (unsigned i = 0; i < RESUMES_MAX && stream->waiting_first != CONNECTION_NONE && input_ready(stream);
         i++, done++) {
        connection = numbered(stream, stream->waiting_first);
        input_forget(connection);
        connection->begun_ms = 0; // the time until now was not the peer's
        connection_settle(connection, input_go_on(connection));
    }
    return done;
}
