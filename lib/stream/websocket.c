#include "stream/websocket.h"

#include <rte_common.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#include "stream/framing.h"
#include "stream/input.h"
#include "stream/output.h"

#define CONTEXT_BYTES 9216 // wslay's state, about

struct websocket {
    wslay_event_context_ptr context;
    struct connection *connection;
    uint32_t held;    // bytes that are counted as held
    uint32_t fed;     // bytes of the message so far, frames' headers included
    uint64_t payload; // bytes of the frame that are still to come, as far as its length is known
    bool in_frame;    // some of it is here
    bool fragmented;  // the last frame of the message is still to come
    // While stream_websocket_read runs.
    const char *bytes;
    uint32_t len, at;
    uint32_t said; // bytes in the outbox
    int end;       // what the connection ends as, or CONNECTION_LIVES
};

// wslay reads ahead as far as it is let. It gets one byte at a time until it knows how long the frame is, and never
// more than that frame: so between two messages it holds nothing, and reading can stop there.
static ssize_t feed(wslay_event_context_ptr context, uint8_t *to, size_t room, int flags, void *argument)
{
    struct websocket *websocket = argument;
    size_t n = websocket->payload > 0 ? websocket->payload : 1;

    (void)flags;
    n = RTE_MIN(n, room);
    n = RTE_MIN(n, (size_t)(websocket->len - websocket->at));
    if (n == 0 || websocket->end != CONNECTION_LIVES || !stream_input_ready(websocket->connection)) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(to, websocket->bytes + websocket->at, n);
    websocket->at += (uint32_t)n;
    websocket->fed += (uint32_t)n;
    websocket->in_frame = true;
    websocket->payload -= RTE_MIN(websocket->payload, (uint64_t)n);
    return (ssize_t)n;
}

static int flush(struct websocket *websocket)
{
    struct stream *stream = websocket->connection->stream;
    uint32_t said = websocket->said;

    websocket->said = 0;
    return said == 0 ? CONNECTION_LIVES : stream_output_bytes(websocket->connection, stream->outbox, said);
}

// Pongs and the last word, all that one read calls for in one go.
static ssize_t say(wslay_event_context_ptr context, const uint8_t *bytes, size_t len, int flags,
                   void *argument)
{
    struct websocket *websocket = argument;
    struct stream *stream = websocket->connection->stream;
    int end = CONNECTION_LIVES;

    (void)flags;
    len = RTE_MIN(len, (size_t)stream->outbox_n);
    if (len > stream->outbox_n - websocket->said)
        end = flush(websocket);
    if (end != CONNECTION_LIVES) {
        websocket->end = end;
        wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    memcpy(stream->outbox + websocket->said, bytes, len);
    websocket->said += (uint32_t)len;
    return (ssize_t)len;
}

static void on_frame(wslay_event_context_ptr context, const struct wslay_event_on_frame_recv_start_arg *frame,
                     void *argument)
{
    struct websocket *websocket = argument;

    (void)context;
    // The first byte of the payload was taken with the header.
    websocket->payload = frame->payload_length > 0 ? frame->payload_length - 1 : 0;
    if (!wslay_is_ctrl_frame(frame->opcode))
        websocket->fragmented = frame->fin == 0;
}

static void on_frame_end(wslay_event_context_ptr context, void *argument)
{
    struct websocket *websocket = argument;

    (void)context;
    websocket->in_frame = false;
    if (websocket->fragmented)
        return;
    websocket->fed = 0;
    websocket->connection->begun_ms = 0;
}

static void take_message(struct websocket *websocket, const char *bytes, uint32_t len)
{
    struct stream *stream = websocket->connection->stream;
    const struct wslay_event_msg pong = {WSLAY_TEXT_FRAME, (const uint8_t *)"\r\n", 2};
    unsigned pings = 0;
    uint8_t crlf = 0;

    if (stream_framing_skip(bytes, len, &crlf, &pings) == len) { // RFC 7118 6
        stream->counters.pings += pings;
        if (pings > 0)
            (void)wslay_event_queue_msg(websocket->context, &pong);
        return;
    }
    enum sip_error error = sip_message_parse(&stream->message, bytes, len);
    if (stream->message.kind == 0) {
        (void)wslay_event_queue_close(websocket->context, WSLAY_CODE_UNSUPPORTED_DATA, NULL, 0);
        websocket->end = STREAM_END_NO_SIP;
        return;
    }
    stream_input_give(websocket->connection, bytes, len,
                      error != SIP_OK ? error : sip_message_check(&stream->message));
}

static void on_message(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *message,
                       void *argument)
{
    struct websocket *websocket = argument;

    (void)context;
    if (message->opcode == WSLAY_PING)
        websocket->connection->stream->counters.pings++; // wslay answers it
    else if (!wslay_is_ctrl_frame(message->opcode))
        take_message(websocket, (const char *)message->msg, (uint32_t)message->msg_length);
}

static struct websocket *make(struct connection *connection)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = feed,
                                                           .send_callback = say,
                                                           .on_frame_recv_start_callback = on_frame,
                                                           .on_frame_recv_end_callback = on_frame_end,
                                                           .on_msg_recv_callback = on_message};
    struct websocket *websocket = calloc(1, sizeof(*websocket));

    if (websocket == NULL)
        return NULL;
    websocket->connection = connection;
    if (wslay_event_context_server_init(&websocket->context, &callbacks, websocket) != 0) {
        free(websocket);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(
        websocket->context, RTE_MIN(connection->stream->conf->message_max, (uint32_t)SIP_MESSAGE_MAX));
    return websocket;
}

void stream_websocket_free(struct connection *connection)
{
    struct websocket *websocket = connection->websocket;

    if (websocket == NULL)
        return;
    connection->stream->counters.bytes_held -= websocket->held;
    wslay_event_context_free(websocket->context);
    free(websocket);
    connection->websocket = NULL;
}

// wslay reads no further: the peer said goodbye, or broke the rules and is told which (RFC 6455 7.4.1).
static enum stream_end why(const struct websocket *websocket)
{
    if (websocket->end != CONNECTION_LIVES)
        return (enum stream_end)websocket->end;
    if (wslay_event_get_close_received(websocket->context))
        return STREAM_END_PEER;
    return wslay_event_get_status_code_sent(websocket->context) == WSLAY_CODE_MESSAGE_TOO_BIG
               ? STREAM_END_TOO_LARGE
               : STREAM_END_FRAME;
}

// What is not whole stays in wslay's memory; where all is, that goes.
static int put_away(struct connection *connection)
{
    struct websocket *websocket = connection->websocket;
    struct stream *stream = connection->stream;

    if (!websocket->in_frame && !websocket->fragmented) {
        stream_websocket_free(connection);
        return CONNECTION_LIVES;
    }
    uint32_t held = CONTEXT_BYTES + websocket->fed;
    stream->counters.bytes_held += (uint64_t)held - websocket->held;
    websocket->held = held;
    // Its frames may be many and empty, which no bound of the message's length sees.
    if (stream->counters.bytes_held > stream->held_max)
        return STREAM_END_CROWDED;
    return websocket->fed > stream->conf->stream_buffer_max ? STREAM_END_TOO_LARGE : CONNECTION_LIVES;
}

int stream_websocket_read(struct connection *connection, const char *bytes, uint32_t len, uint32_t *taken)
{
    struct websocket *websocket = connection->websocket;
    uint32_t before;
    int error = 0;

    if (websocket == NULL)
        websocket = connection->websocket = make(connection);
    if (websocket == NULL)
        return STREAM_END_CROWDED;
    websocket->bytes = bytes;
    websocket->len = len;
    websocket->at = websocket->said = 0;
    websocket->end = CONNECTION_LIVES;
    do {
        before = websocket->at;
        error = wslay_event_recv(websocket->context);
    } while (error == 0 && websocket->at > before);
    *taken = websocket->at;
    if (error == 0 && wslay_event_want_write(websocket->context))
        error = wslay_event_send(websocket->context);
    int end = flush(websocket);
    if (end != CONNECTION_LIVES)
        return end;
    // Of a frame whose header is broken wslay says nothing to the peer.
    if (error != 0 && websocket->end == CONNECTION_LIVES && connection->first == NULL)
        stream_websocket_goodbye(connection, WSLAY_CODE_PROTOCOL_ERROR);
    if (error != 0 || websocket->end != CONNECTION_LIVES || !wslay_event_get_read_enabled(websocket->context))
        return stream_connection_finish(connection, why(websocket));
    return put_away(connection);
}

// RFC 3629 3. Only what is, may go in a text frame (RFC 7118 4.2).
static bool is_utf8(struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.at, *end = at + text.len;

    while (at < end) {
        uint8_t first = *at++;
        if (first < 0x80)
            continue;
        unsigned more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : 3;
        if (first < 0xc2 || first > 0xf4 || end - at < (ptrdiff_t)more)
            return false;
        // Nothing overlong, no surrogates, nothing above U+10FFFF.
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        for (; more > 0; more--, at++, low = 0x80, high = 0xbf) {
            if (*at < low || *at > high)
                return false;
        }
    }
    return true;
}

unsigned stream_websocket_lead(struct slice message, char lead[WEBSOCKET_LEAD_MAX])
{
    unsigned n = 2;

    lead[0] = (char)(0x80 | (is_utf8(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME)); // RFC 6455 5.2
    if (message.len < 126) {
        lead[1] = (char)message.len;
    } else {
        lead[1] = 126;
        lead[n++] = (char)(message.len >> 8);
        lead[n++] = (char)message.len;
    }
    return n;
}

void stream_websocket_goodbye(struct connection *connection, uint16_t code)
{
    const char frame[] = {(char)(0x80 | WSLAY_CONNECTION_CLOSE), 2, (char)(code >> 8), (char)code};

    (void)stream_connection_write(connection, frame, sizeof(frame));
}
