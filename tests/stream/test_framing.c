// What the bytes of a stream are, wherever they are split. No sockets.
#include "box.h"
#include "stream/framing.h"

#define MAX 2048

struct frame_case {
    const char *name;
    const char *bytes;
    enum framing_kind kind;
    uint32_t len;         // MESSAGE
    enum sip_error error; // MESSAGE
    enum stream_end end;  // REFUSED
};

#define HEAD                                                                                                \
    "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKa\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\n" \
    "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
#define HEAD_LEN (sizeof(HEAD) - 1)

static const struct frame_case cases[] = {
    {"no body", HEAD "Content-Length: 0\r\n\r\n", FRAMING_MESSAGE, HEAD_LEN + 21, SIP_OK, 0},
    {"a body", HEAD "Content-Length: 3\r\n\r\nabc", FRAMING_MESSAGE, HEAD_LEN + 24, SIP_OK, 0},
    {"the next behind it", HEAD "Content-Length: 3\r\n\r\nabcOPTIONS", FRAMING_MESSAGE, HEAD_LEN + 24, SIP_OK,
     0},
    {"compact", HEAD "l: 3\r\n\r\nabc", FRAMING_MESSAGE, HEAD_LEN + 11, SIP_OK, 0},
    {"white space", HEAD "CONTENT-length \t:\r\n  3 \r\n\r\nabc", FRAMING_MESSAGE, HEAD_LEN + 30, SIP_OK, 0},
    {"leading zeros", HEAD "l: 0003\r\n\r\nabc", FRAMING_MESSAGE, HEAD_LEN + 14, SIP_OK, 0},
    {"line feeds alone",
     "OPTIONS sip:a SIP/2.0\nVia: SIP/2.0/TCP a\nFrom: <sip:a>;tag=1\nTo: <sip:b>\n"
     "Call-ID: 1\nCSeq: 1 OPTIONS\nl: 1\n\nx",
     FRAMING_MESSAGE, 107, SIP_OK, 0},
    {"a body that looks like a head", HEAD "l: 8\r\n\r\n\r\nl: 9\r\n", FRAMING_MESSAGE, HEAD_LEN + 16, SIP_OK,
     0},
    {"twice the same", HEAD "l: 3\r\nContent-Length: 3\r\n\r\nabc", FRAMING_MESSAGE, HEAD_LEN + 30,
     SIP_ERROR_CONTENT_LENGTH, 0},
    {"a response", "SIP/2.0 200 OK\r\nl: 0\r\n\r\n", FRAMING_MESSAGE, 24, SIP_ERROR_MISSING_VIA, 0},
    {"another version", "OPTIONS sip:a SIP/3.0\r\nl: 0\r\n\r\n", FRAMING_MESSAGE, 31, SIP_ERROR_VERSION, 0},
    {"a line that is none", HEAD "nonsense\r\nl: 3\r\n\r\nabc", FRAMING_MESSAGE, HEAD_LEN + 21,
     SIP_ERROR_HEADER_NAME, 0},
    {"a missing header field", "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nl: 0\r\n\r\n", FRAMING_MESSAGE,
     51, SIP_ERROR_MISSING_FROM, 0},
    // RFC 3261 18.3, 20.14: nobody can say where it ends
    {"no Content-Length", HEAD "\r\n", FRAMING_REFUSED, 0, 0, STREAM_END_NO_LENGTH},
    {"an empty one", HEAD "l:\r\n\r\n", FRAMING_REFUSED, 0, 0, STREAM_END_NO_LENGTH},
    {"no number", HEAD "l: 3a\r\n\r\nabc", FRAMING_REFUSED, 0, 0, STREAM_END_NO_LENGTH},
    {"a negative one", HEAD "l: -3\r\n\r\nabc", FRAMING_REFUSED, 0, 0, STREAM_END_NO_LENGTH},
    {"a list", HEAD "l: 3, 3\r\n\r\nabc", FRAMING_REFUSED, 0, 0, STREAM_END_NO_LENGTH},
    {"two that differ", HEAD "l: 3\r\nl: 4\r\n\r\nabcd", FRAMING_REFUSED, 0, 0, STREAM_END_NO_LENGTH},
    {"one good and one bad", HEAD "l: 3\r\nl: x\r\n\r\nabcd", FRAMING_REFUSED, 0, 0, STREAM_END_NO_LENGTH},
    {"more than fits", HEAD "l: 2048\r\n\r\n", FRAMING_REFUSED, 0, 0, STREAM_END_TOO_LARGE},
    {"far more", HEAD "l: 99999999999999999999999999\r\n\r\n", FRAMING_REFUSED, 0, 0, STREAM_END_TOO_LARGE},
    {"TLS", "\x16\x03\x01\x02", FRAMING_REFUSED, 0, 0, STREAM_END_NO_SIP},
    {"a colon first", ":", FRAMING_REFUSED, 0, 0, STREAM_END_NO_SIP},
    {"mail", "EHLO example.com\r\nl: 0\r\n\r\n", FRAMING_REFUSED, 0, 0, STREAM_END_NO_SIP},
};

static void test_messages_end_where_their_length_says(void **state)
{
    struct sip_message message;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        const struct frame_case *c = &cases[i];
        struct framing framing = stream_framing(&message, c->bytes, (uint32_t)strlen(c->bytes), MAX, 0);
        if (framing.kind != c->kind)
            fail_msg("%s: kind %d, end %s", c->name, framing.kind, stream_end_name(framing.end));
        if (c->kind == FRAMING_REFUSED && framing.end != c->end)
            fail_msg("%s: %s", c->name, stream_end_name(framing.end));
        if (c->kind == FRAMING_MESSAGE && (framing.len != c->len || framing.error != c->error))
            fail_msg("%s: %u bytes, %s", c->name, framing.len, sip_error_text(framing.error));
        if (c->kind == FRAMING_MESSAGE) {
            assert_int_equal(message.len, c->len);
            assert_int_equal(message.body + message.body_len, c->len);
        }
    }
}

// At whatever byte it is cut, the same comes out, and what was learnt of the part is true of the whole.
static void test_a_split_changes_nothing(void **state)
{
    struct sip_message message;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        const struct frame_case *c = &cases[i];
        uint32_t whole = (uint32_t)strlen(c->bytes), scanned = 0;
        uint32_t needed = c->kind == FRAMING_MESSAGE ? c->len : whole;
        for (uint32_t len = 1; len < needed; len++) {
            struct framing part = stream_framing(&message, c->bytes, len, MAX, scanned);
            if (part.kind == FRAMING_REFUSED && c->kind == FRAMING_REFUSED && part.end == c->end)
                break;
            if (part.kind != FRAMING_MORE || part.scanned < scanned)
                fail_msg("%s cut at %u: kind %d", c->name, len, part.kind);
            assert_in_range(part.scanned, scanned, len);
            if (part.len != 0)
                assert_int_equal(part.len, c->len);
            scanned = part.scanned;
        }
        struct framing framing = stream_framing(&message, c->bytes, whole, MAX, scanned);
        assert_int_equal(framing.kind, c->kind);
    }
}

static void test_a_head_without_an_end_is_cut_off(void **state)
{
    static char flood[MAX + 1];
    struct sip_message message;
    uint32_t scanned = 0;

    (void)state;
    unsigned n = (unsigned)snprintf(flood, sizeof(flood), HEAD);
    while (n < MAX)
        n += (unsigned)snprintf(flood + n, sizeof(flood) - n, "X: %u\r\n", n);
    for (uint32_t len = 1; len < MAX; len++) {
        struct framing framing = stream_framing(&message, flood, len, MAX, scanned);
        assert_int_equal(framing.kind, FRAMING_MORE);
        scanned = framing.scanned;
    }
    struct framing framing = stream_framing(&message, flood, MAX, MAX, scanned);
    assert_int_equal(framing.kind, FRAMING_REFUSED);
    assert_int_equal(framing.end, STREAM_END_TOO_LARGE);
    assert_int_equal(framing.error, SIP_ERROR_TOO_LONG);
    assert_int_equal(message.kind, SIP_REQUEST); // so that it can be told
    assert_true(sip_message_has(&message, SIP_HEADER_VIA));
}

static void test_too_many_lines_are_refused(void **state)
{
    static char many[MAX];
    struct sip_message message;

    (void)state;
    unsigned n = (unsigned)snprintf(many, sizeof(many), HEAD);
    for (unsigned i = 0; i < SIP_LINES_MAX; i++)
        n += (unsigned)snprintf(many + n, sizeof(many) - n, "X: 1\r\n");
    n += (unsigned)snprintf(many + n, sizeof(many) - n, "l: 0\r\n\r\n");
    struct framing framing = stream_framing(&message, many, n, MAX, 0);
    assert_int_equal(framing.kind, FRAMING_REFUSED);
    assert_int_equal(framing.end, STREAM_END_TOO_LARGE);
    assert_int_equal(framing.error, SIP_ERROR_TOO_MANY_LINES);
}

static void test_only_double_empty_lines_are_pings(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t skipped;
        unsigned pings;
    } pings[] = {
        {"\r\n\r\n", 4, 1},        {"\r\n", 2, 0},
        {"\r\nOPTIONS", 2, 0},     {"\r\n\r\n\r\n\r\n", 8, 2},
        {"\r\n\r\nOPTIONS", 4, 1}, {"\r\n\r\n\r\nO", 6, 1},
        {"\n\n\n\n", 4, 0},        {"\r\r\n\r\n", 5, 1},
        {"\r\n\n\r\n", 5, 0},      {"OPTIONS\r\n\r\n", 0, 0},
        {"\r\n\r\r\n\r\n", 7, 1},
    };

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(pings); i++) {
        uint32_t len = (uint32_t)strlen(pings[i].bytes);
        for (uint32_t cut = 0; cut <= pings[i].skipped; cut++) {
            unsigned n = 0;
            uint8_t crlf = 0;
            uint32_t skipped = stream_framing_skip(pings[i].bytes, cut, &crlf, &n);
            assert_int_equal(skipped, cut);
            skipped += stream_framing_skip(pings[i].bytes + cut, len - cut, &crlf, &n);
            if (skipped != pings[i].skipped || n != pings[i].pings)
                fail_msg("%u cut at %u: %u skipped, %u pings", i, cut, skipped, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_end_where_their_length_says),
        cmocka_unit_test(test_a_split_changes_nothing),
        cmocka_unit_test(test_a_head_without_an_end_is_cut_off),
        cmocka_unit_test(test_too_many_lines_are_refused),
        cmocka_unit_test(test_only_double_empty_lines_are_pings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
