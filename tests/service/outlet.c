#include "outlet.h"

#include <stdio.h>
#include <stdlib.h>

#define MAGIC 0x6275666665721234u

struct buffer {
    uint64_t magic;
    uint64_t sum; // of the bytes
    bool arrived;
    struct arrival arrival;
    uint32_t len;
    char bytes[];
};

static const char *const transports[ENDPOINT_TRANSPORTS] = {"", "tcp:", "tls:", "ws:", "wss:"};

bool outlet_endpoint_read(const char *text, struct endpoint *endpoint)
{
    struct slice rest = slice_text(text);
    uint32_t hash = slice_find(rest, '#');
    uint8_t transport = ENDPOINT_UDP;
    uint64_t flow = 0;

    if (hash < rest.len && !slice_number(slice_of(rest.at + hash + 1, rest.len - hash - 1), UINT8_MAX, &flow))
        return false;
    rest.len = hash;
    for (uint8_t i = 1; i < ENDPOINT_TRANSPORTS; i++) {
        if (slice_starts(rest, slice_text(transports[i])))
            transport = i;
    }
    uint32_t before = (uint32_t)strlen(transports[transport]);
    if (!endpoint_parse(slice_of(rest.at + before, rest.len - before), endpoint))
        return false;
    endpoint->transport = transport & 0xf;
    endpoint->flow = (uint8_t)flow;
    return true;
}

unsigned outlet_endpoint_write(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_MAX + 16])
{
    unsigned len = (unsigned)sprintf(text, "%s", transports[endpoint->transport]);

    len += endpoint_write(endpoint, text + len);
    if (endpoint->flow != 0)
        len += (unsigned)sprintf(text + len, "#%u", endpoint->flow);
    return len;
}

static uint64_t sum_of(const char *bytes, uint32_t len)
{
    uint64_t sum = 14695981039346656037u;

    for (uint32_t i = 0; i < len; i++)
        sum = (sum ^ (uint8_t)bytes[i]) * 1099511628211u;
    return sum;
}

static void check(const struct buffer *buffer)
{
    assert_true(buffer->magic == MAGIC);
    assert_true(buffer->sum == sum_of(buffer->bytes, buffer->len));
}

struct buffer *outlet_buffer(struct test_outlet *o, struct slice bytes, const struct arrival *arrival)
{
    struct buffer *buffer = malloc(sizeof(*buffer) + bytes.len);

    assert_non_null(buffer);
    *buffer = (struct buffer){.magic = MAGIC, .len = bytes.len, .sum = sum_of(bytes.at, bytes.len)};
    if (arrival != NULL) {
        buffer->arrived = true;
        buffer->arrival = *arrival;
    }
    memcpy(buffer->bytes, bytes.at, bytes.len);
    o->buffers++;
    return buffer;
}

static struct buffer *copy(void *owner, struct slice source, struct sip_edits *edits,
                           const struct arrival *arrival)
{
    struct test_outlet *o = owner;
    static char bytes[84000];
    struct sip_edited edited;
    const unsigned headroom = 8000;

    assert_true(headroom + source.len < sizeof(bytes) - 8000);
    memcpy(bytes + headroom, source.at, source.len);
    enum sip_error error = sip_edits_apply(edits, bytes + headroom, source.len, headroom,
                                           sizeof(bytes) - headroom - source.len, &edited);
    assert_int_equal(error, SIP_OK);
    sip_edits_clear(edits);
    if ((o->fail_each != 0 && ++o->copies % o->fail_each == 0) || o->buffers >= o->room)
        return NULL;
    return outlet_buffer(o, slice_of(bytes + headroom + edited.start, edited.len), arrival);
}

void outlet_note(struct test_outlet *o, struct slice bytes, const struct endpoint *to, uint8_t listener)
{
    struct sent *sent = &o->sent[o->sent_n++ % OUTLET_SENT];
    struct sip_message message = {0};
    size_t used = strlen(o->log);
    char text[ENDPOINT_TEXT_MAX + 16];

    free(sent->bytes);
    *sent = (struct sent){.to = *to, .listener = listener, .len = bytes.len, .bytes = malloc(bytes.len + 1)};
    assert_non_null(sent->bytes);
    memcpy(sent->bytes, bytes.at, bytes.len);
    sent->bytes[bytes.len] = 0;
    // whatever leaves is a message that others understand; of what is longer than we do, the front
    bool whole = bytes.len <= SIP_MESSAGE_MAX;
    enum sip_error error = sip_message_parse(&message, sent->bytes, whole ? bytes.len : SIP_MESSAGE_MAX);
    if (error == SIP_OK && whole)
        error = sip_message_check(&message);
    if (error == SIP_ERROR_BODY_SHORT && !whole)
        error = SIP_OK;
    if (!o->unsound)
        assert_int_equal(error, SIP_OK);
    sent->status = message.kind == SIP_RESPONSE ? message.status : 0;
    if (sent->status != 0)
        snprintf(sent->method, sizeof(sent->method), "%u", sent->status);
    else
        snprintf(sent->method, sizeof(sent->method), "%.*s",
                 SLICE_PRINT(sip_message_span(&message, message.method_text)));
    if (used + 80 < sizeof(o->log))
        sprintf(o->log + used, "%s%s@%.*s", used > 0 ? " " : "", sent->method,
                (int)outlet_endpoint_write(to, text), text);
}

static void send_buffer(void *owner, struct buffer *buffer, const struct endpoint *to, uint8_t listener,
                        uint16_t status)
{
    struct test_outlet *o = owner;

    check(buffer);
    outlet_note(o, slice_of(buffer->bytes, buffer->len), to, listener);
    assert_int_equal(o->sent[(o->sent_n - 1) % OUTLET_SENT].status, status);
}

static const struct sip_message *index_of(void *owner, struct buffer *buffer)
{
    struct test_outlet *o = owner;

    check(buffer);
    free(o->index);
    o->index = malloc(sizeof(*o->index));
    assert_non_null(o->index);
    return sip_message_parse(o->index, buffer->bytes, buffer->len) == SIP_OK ? o->index : NULL;
}

static const struct arrival *arrival_of(void *owner, const struct buffer *buffer)
{
    (void)owner;
    check(buffer);
    return buffer->arrived ? &buffer->arrival : NULL;
}

static void release(void *owner, struct buffer *buffer)
{
    struct test_outlet *o = owner;

    if (buffer == NULL)
        return;
    check(buffer);
    buffer->magic = 0;
    free(buffer);
    assert_true(o->buffers > 0);
    o->buffers--;
}

static bool has_room(void *owner, unsigned buffers)
{
    const struct test_outlet *o = owner;

    return o->buffers + buffers <= o->room;
}

void outlet_open(struct test_outlet *o)
{
    *o = (struct test_outlet){
        .outlet = {o, copy, send_buffer, index_of, arrival_of, release, has_room},
        .room = 1000000,
    };
}

void outlet_close(struct test_outlet *o)
{
    if (o->buffers != 0)
        fail_msg("%u buffers leaked", o->buffers);
    for (unsigned i = 0; i < OUTLET_SENT; i++)
        free(o->sent[i].bytes);
    free(o->index);
}

const struct sent *outlet_find(const struct test_outlet *o, const struct endpoint *to, const char *what)
{
    for (unsigned long i = o->sent_n; i > 0 && i + OUTLET_SENT > o->sent_n; i--) {
        const struct sent *sent = &o->sent[(i - 1) % OUTLET_SENT];
        if ((to == NULL || endpoint_equal(&sent->to, to)) && strcmp(sent->method, what) == 0)
            return sent;
    }
    return NULL;
}
