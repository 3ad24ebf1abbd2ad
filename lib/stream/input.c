#include "stream/input.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "sip/reply.h"
#include "stream/framing.h"
#include "stream/output.h"
#include "stream/proxy_header.h"
#include "stream/secure.h"
#include "stream/upgrade.h"
#include "stream/websocket.h"

#define READS_MAX   4          // of one connection, before the next gets its turn
#define PONGS_MAX   16         // for one read
#define DISCARD_MAX (1u << 20) // bytes that a peer may still say when it was told that this is the end

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
            (void)stream_output_bytes(connection, stream->outbox, len); // it ends in any case
    }
    return stream_connection_finish(connection, framing->end);
}

static int answer_pings(struct connection *connection, unsigned pings)
{
    char pongs[2 * PONGS_MAX];
    unsigned n = RTE_MIN(pings, (unsigned)PONGS_MAX);

    connection->stream->counters.pings += pings;
    for (unsigned i = 0; i < n; i++)
        memcpy(pongs + 2 * (size_t)i, "\r\n", 2);
    return n == 0 ? CONNECTION_LIVES : stream_output_bytes(connection, pongs, 2 * n);
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
        if (*taken == len || !stream_input_ready(connection))
            break;
        framing =
            stream_framing(&stream->message, bytes + *taken, len - *taken, message_max, connection->scanned);
        connection->scanned = framing.kind == FRAMING_MORE ? framing.scanned : 0;
        connection->wanted = framing.kind == FRAMING_MORE ? framing.len : 0;
        if (framing.kind != FRAMING_MESSAGE)
            break;
        stream_input_give(connection, bytes + *taken, framing.len, framing.error);
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
    int end = stream_output_bytes(connection, answer, answer_len);
    if (end != CONNECTION_LIVES)
        return end;
    return upgraded ? stream_connection_advance(connection)
                    : stream_connection_finish(connection, STREAM_END_UPGRADE);
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
        end = stream_connection_is_websocket(connection)
                  ? stream_websocket_read(connection, bytes + taken, len - taken, &more)
                  : take_messages(connection, bytes + taken, len - taken, &more);
        taken += more;
    }
    if (end != CONNECTION_LIVES || connection->state == CONNECTION_CLOSING)
        return end;
    if (taken < len && !stream_input_ready(connection))
        stream_input_wait(connection);
    // Of several messages the one that is not whole began now; of frames wslay's side knows.
    if (taken > 0 && !stream_connection_is_websocket(connection))
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
        if (!stream_input_ready(connection))
            stream_input_wait(connection);
        if (connection->waits)
            return CONNECTION_LIVES;
        uint32_t room = stream->scratch_n - connection->held_n;
        if (room == 0)
            return STREAM_END_TOO_LARGE;
        int n = stream_connection_read(connection, stream->scratch + connection->held_n, room);
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
        stream_input_later(connection);
    return CONNECTION_LIVES;
}

static int read_proxy_header(struct connection *connection)
{
    uint8_t bytes[PROXY_HEADER_MAX];
    uint32_t len = connection->held_n, needs;

    if (len > 0)
        memcpy(bytes, connection->held, len);
    while ((needs = stream_proxy_header_needs(bytes, len)) > len) {
        // Not a byte more: what follows may be for a handshake thread.
        ssize_t n = recv(connection->fd, bytes + len, needs - len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return hold(connection, (const char *)bytes, len, 0);
        if (n <= 0)
            return n == 0 ? STREAM_END_PEER : STREAM_END_RESET;
        len += (uint32_t)n;
    }
    if (needs == 0 || !stream_proxy_header_read(bytes, len, &connection->peer))
        return STREAM_END_PROXY_HEADER;
    int end = hold(connection, (const char *)bytes, len, len);
    return end == CONNECTION_LIVES ? stream_connection_advance(connection) : end;
}

static int discard(struct connection *connection)
{
    struct stream *stream = connection->stream;
    int n = stream_connection_read(connection, stream->scratch, stream->scratch_n);

    if (n == -EAGAIN)
        return CONNECTION_LIVES;
    connection->wanted += n > 0 ? (uint32_t)n : 0;
    return n <= 0 || connection->wanted > DISCARD_MAX ? connection->end : CONNECTION_LIVES;
}

int stream_input_read(struct connection *connection)
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

int stream_input_go_on(struct connection *connection)
{
    struct stream *stream = connection->stream;
    uint32_t len = connection->held_n;
    int end = CONNECTION_LIVES;

    if (len > 0) {
        memcpy(stream->scratch, connection->held, len);
        end = take(connection, len);
    }
    return end == CONNECTION_LIVES ? stream_input_read(connection) : end;
}
