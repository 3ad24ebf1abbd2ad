#include "fuzz.h"
#include "sip/contact.h"
#include "sip/credentials.h"
#include "sip/cseq.h"
#include "sip/head.h"
#include "sip/message.h"
#include "sip/reply.h"
#include "sip/token.h"
#include "sip/via.h"

#define ROOM_MAX 300 // bytes free on either side of an edited message
#define EDITS    12

static void check_line(const struct sip_message *message, unsigned line)
{
    const struct sip_line *l = &message->lines[line];

    FUZZ_CHECK(l->name < message->lines[line + 1].name && message->lines[line + 1].name <= message->len);
    FUZZ_CHECK(l->value > l->name && l->value + l->len <= message->lines[line + 1].name);
    FUZZ_CHECK(l->id < SIP_HEADER_COUNT && l->name + l->name_len < l->value);
    if (l->id != SIP_HEADER_OTHER) {
        FUZZ_CHECK(message->first[l->id] <= line);
        FUZZ_CHECK(sip_header_of(slice_of(message->bytes + l->name, l->name_len)) == l->id);
    }
    struct slice value = sip_message_value(message, line);
    FUZZ_CHECK(slice_equal(value, slice_trim(value)));
}

static void check_index(const struct sip_message *message, size_t len)
{
    struct slice whole = slice_of(message->bytes, message->len);

    FUZZ_CHECK(message->len <= len && message->body <= message->len);
    FUZZ_CHECK(message->body + message->body_len == message->len);
    FUZZ_CHECK(message->kind == SIP_REQUEST || message->kind == SIP_RESPONSE);
    FUZZ_CHECK(message->kind == SIP_REQUEST || (message->status >= 100 && message->status <= 699));
    FUZZ_CHECK(fuzz_inside(whole, sip_message_span(message, message->method_text)));
    FUZZ_CHECK(fuzz_inside(whole, sip_message_span(message, message->uri)));
    FUZZ_CHECK(fuzz_inside(whole, sip_message_span(message, message->reason)));
    FUZZ_CHECK(message->lines_n <= SIP_LINES_MAX);
    for (unsigned line = 0; line < message->lines_n; line++)
        check_line(message, line);
    for (unsigned id = 1; id < SIP_HEADER_COUNT; id++) {
        unsigned last = SIP_NO_LINE;
        SIP_FOREACH_LINE(line, message, id) {
            FUZZ_CHECK(message->lines[line].id == id && (last == SIP_NO_LINE || line > last));
            last = line;
        }
    }
}

// The head by each vector form, from the same place on; all that they can is compared, also behind an error.
static void check_scan_levels(struct slice input)
{
    static struct sip_message message[SIP_SCAN_LEVELS];
    enum sip_error error[SIP_SCAN_LEVELS];
    uint32_t at = slice_find(input, '\n') + 1;

    if (at > input.len || input.len > SIP_MESSAGE_MAX)
        return;
    for (unsigned level = 0; level <= (unsigned)sip_scan_level_best(); level++) {
        struct sip_message *m = &message[level];
        memset(m, 0, sizeof(*m));
        memset(m->first, SIP_NO_LINE, sizeof(m->first));
        m->bytes = input.at;
        m->len = (uint16_t)input.len;
        error[level] = sip_head_index(m, at, (enum sip_scan_level)level);
        FUZZ_CHECK(error[level] == error[0] && memcmp(m, &message[0], sizeof(*m)) == 0);
    }
}

static void read_list(struct slice value)
{
    struct cursor c = cursor_over(value);
    struct slice element;

    while (sip_take_element(&c, &element))
        FUZZ_CHECK(fuzz_inside(value, element) && element.len > 0);
}

static void read_vias(struct slice value)
{
    struct cursor c = cursor_over(value);
    struct endpoint endpoint;
    struct sip_via via;

    do {
        if (!sip_via_take(&c, &via))
            return;
        FUZZ_CHECK(fuzz_inside(value, via.text));
        sip_via_response_endpoint(&via, &endpoint);
    } while (cursor_skip(&c, ','));
}

static void read_contacts(struct slice value)
{
    struct cursor c = cursor_over(value);
    char aor[SIP_AOR_MAX];
    struct sip_contact contact;

    do {
        if (!sip_contact_take(&c, &contact))
            return;
        if (contact.star)
            continue;
        FUZZ_CHECK(fuzz_inside(value, contact.address.text));
        FUZZ_CHECK(sip_uri_equal(&contact.address.uri, &contact.address.uri));
        sip_uri_write_aor(&contact.address.uri, aor);
    } while (cursor_skip(&c, ','));
}

// Every typed parser over every value, whatever the header field is.
static void read_value(struct slice value)
{
    struct sip_credentials credentials;
    struct sip_cseq cseq;
    struct sip_uri uri;

    read_list(value);
    read_vias(value);
    read_contacts(value);
    sip_expires_parse(value);
    sip_uri_parse(value, &uri);
    if (sip_cseq_parse(value, &cseq) == SIP_OK)
        FUZZ_CHECK(fuzz_inside(value, cseq.method_text));
    if (sip_credentials_parse(value, &credentials) == SIP_OK)
        FUZZ_CHECK(fuzz_inside(value, credentials.scheme));
}

// A copy of a message with free bytes around, and what it is after its edits.
struct edited_copy {
    char *room;
    uint32_t headroom, tailroom;
    enum sip_error error;
    struct slice bytes;
};

static struct edited_copy apply(struct sip_edits *edits, struct slice message, uint32_t headroom,
                                uint32_t tailroom)
{
    struct edited_copy copy = {malloc(headroom + message.len + tailroom + 1), headroom, tailroom, SIP_OK,
                               message};
    struct sip_edited edited;

    FUZZ_CHECK(copy.room != NULL);
    memcpy(copy.room + headroom, message.at, message.len);
    copy.error = sip_edits_apply(edits, copy.room + headroom, message.len, headroom, tailroom, &edited);
    if (copy.error != SIP_OK) {
        FUZZ_CHECK(copy.error == SIP_ERROR_EDIT_ROOM);
        FUZZ_CHECK(memcmp(copy.room + headroom, message.at, message.len) == 0);
        return copy;
    }
    FUZZ_CHECK(edited.start >= -(int64_t)headroom);
    FUZZ_CHECK(edited.start + (int64_t)edited.len <= (int64_t)message.len + tailroom);
    copy.bytes = slice_of(copy.room + headroom + edited.start, edited.len);
    return copy;
}

// Edits at random places in order, and beside them what must come out.
static void check_edits(struct slice message, struct fuzz_dice *dice)
{
    static struct sip_edits edits;
    static const char text[] = "X-Fuzz: 0123456789012345678901234567890123456789\r\n";
    char *expected = malloc(message.len + EDITS * sizeof(text));
    uint32_t from = 0, len = 0;

    FUZZ_CHECK(expected != NULL);
    sip_edits_clear(&edits);
    for (unsigned i = 0; i < EDITS && from < message.len; i++) {
        uint32_t at = from + fuzz_throw(dice, message.len - from);
        uint32_t remove = fuzz_throw(dice, (message.len - at < 60 ? message.len - at : 60) + 1);
        uint32_t put =
            fuzz_throw(dice, 3) == 0 && remove < sizeof(text) ? remove : fuzz_throw(dice, sizeof(text));
        sip_edits_replace(&edits, (uint16_t)at, (uint16_t)remove, slice_of(text, put));
        memcpy(expected + len, message.at + from, at - from);
        memcpy(expected + len + (at - from), text, put);
        len += at - from + put;
        from = at + remove + 1 <= message.len ? at + remove : message.len;
        if (remove == 0 && from < message.len)
            expected[len++] = message.at[from++];
    }
    memcpy(expected + len, message.at + from, message.len - from);
    len += message.len - from;
    uint32_t headroom = fuzz_throw(dice, ROOM_MAX), tailroom = fuzz_throw(dice, ROOM_MAX);
    struct edited_copy copy = apply(&edits, message, headroom, tailroom);
    FUZZ_CHECK((copy.error == SIP_OK) == (len <= message.len + headroom + tailroom));
    if (copy.error == SIP_OK)
        FUZZ_CHECK(slice_equal(copy.bytes, slice_of(expected, len)));
    free(copy.room);
    free(expected);
}

static unsigned count(const struct sip_message *message, enum sip_header id)
{
    unsigned n = 0;

    SIP_FOREACH_LINE(line, message, id)
        n++;
    return n;
}

static void check_reply(const struct sip_message *message, struct fuzz_dice *dice, bool sound)
{
    static const uint16_t statuses[] = {100, 180, 200, 302, 400, 404, 503, 606};
    static struct sip_edits edits;
    static struct sip_message parsed;
    struct sip_reply reply = {
        .status = statuses[fuzz_throw(dice, sizeof(statuses) / sizeof(statuses[0]))],
        .to_tag = fuzz_throw(dice, 2) == 0 ? SLICE("fuzz-tag") : SLICE(""),
        .lines = fuzz_throw(dice, 2) == 0 ? SLICE("Server: strowger\r\nX-Fuzz: 1\r\n") : SLICE(""),
        .record_route = fuzz_throw(dice, 2) == 0,
    };

    sip_edits_clear(&edits);
    sip_reply_note(message, &reply, &edits);
    struct edited_copy copy =
        apply(&edits, slice_of(message->bytes, message->len), fuzz_throw(dice, ROOM_MAX), ROOM_MAX);
    FUZZ_CHECK(copy.error == SIP_OK);
    enum sip_error error = sip_message_parse(&parsed, copy.bytes.at, copy.bytes.len);
    if (sound) {
        FUZZ_CHECK(error == SIP_OK && sip_message_check(&parsed) == SIP_OK);
        check_index(&parsed, copy.bytes.len);
        FUZZ_CHECK(parsed.kind == SIP_RESPONSE && parsed.status == reply.status && parsed.body_len == 0);
        FUZZ_CHECK(parsed.len == copy.bytes.len);
        FUZZ_CHECK(count(&parsed, SIP_HEADER_VIA) == count(message, SIP_HEADER_VIA));
        FUZZ_CHECK(count(&parsed, SIP_HEADER_CONTENT_LENGTH) == 1);
        FUZZ_CHECK(slice_equal(sip_message_first(&parsed, SIP_HEADER_FROM),
                               sip_message_first(message, SIP_HEADER_FROM)));
        FUZZ_CHECK(slice_equal(sip_message_first(&parsed, SIP_HEADER_CALL_ID),
                               sip_message_first(message, SIP_HEADER_CALL_ID)));
    }
    free(copy.room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct sip_message message;
    struct slice input = slice_of((const char *)bytes, len);
    struct fuzz_dice dice = fuzz_dice_of(input);

    check_scan_levels(input);
    enum sip_error error = sip_message_parse(&message, input.at, input.len);
    if (message.kind == 0) {
        FUZZ_CHECK(error != SIP_OK);
        return 0;
    }
    for (unsigned line = 0; line < message.lines_n; line++)
        read_value(sip_message_value(&message, line));
    if (error == SIP_OK) {
        check_index(&message, len);
        check_edits(slice_of(message.bytes, message.len), &dice);
    }
    bool sound = error == SIP_OK && sip_message_check(&message) == SIP_OK;
    if (message.kind == SIP_REQUEST && (error == SIP_OK || sip_error_status(error) != 0))
        check_reply(&message, &dice, sound);
    return 0;
}
