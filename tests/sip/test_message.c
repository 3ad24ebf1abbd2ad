// The index of a message: what a line is, what a value is, which errors come with what still answerable.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/message.h"

#define LINES                                            \
    "Via: SIP/2.0/UDP a.example.com;branch=z9hG4bK1\r\n" \
    "From: <sip:a@example.com>;tag=1\r\n"                \
    "To: <sip:b@example.com>\r\n"                        \
    "Call-ID: c1\r\n"                                    \
    "CSeq: 1 OPTIONS\r\n"
#define REQUEST "OPTIONS sip:b@example.com SIP/2.0\r\n"

static struct sip_message message;

static enum sip_error parse(const char *text)
{
    struct slice copy = fence_copy(text, strlen(text));

    return sip_message_parse(&message, copy.at, copy.len);
}

static void assert_slice(struct slice is, const char *wanted)
{
    if (!slice_equal(is, slice_text(wanted)))
        fail_msg("is \"%.*s\", wanted \"%s\"", SLICE_PRINT(is), wanted);
}

static void assert_value(enum sip_header id, const char *wanted)
{
    assert_true(sip_message_has(&message, id));
    assert_slice(sip_message_first(&message, id), wanted);
}

static void test_message_request_line_is_taken_apart(void **state)
{
    (void)state;
    assert_int_equal(parse("INVITE sip:b@[2001:db8::1];x=y SIP/2.0\r\n" LINES "\r\n"), SIP_OK);
    assert_int_equal(message.kind, SIP_REQUEST);
    assert_int_equal(message.method, SIP_METHOD_INVITE);
    assert_slice(sip_message_span(&message, message.method_text), "INVITE");
    assert_slice(sip_message_span(&message, message.uri), "sip:b@[2001:db8::1];x=y");
    assert_int_equal(parse("!odd-Method%56 sip:b@example.com sip/2.0\r\n" LINES "\r\n"), SIP_OK);
    assert_int_equal(message.method, SIP_METHOD_OTHER);
    assert_slice(sip_message_span(&message, message.method_text), "!odd-Method%56");
}

static void test_message_status_line_is_taken_apart(void **state)
{
    static const struct {
        const char *line;
        uint16_t status;
        const char *reason;
    } rows[] = {
        {"SIP/2.0 200 OK", 200, "OK"},
        {"sip/2.0 100 Trying a bit", 100, "Trying a bit"},
        {"SIP/2.0 699 \xd0\xbd\x01", 699, "\xd0\xbd\x01"},
        {"SIP/2.0 100 ", 100, ""}, // RFC 4475 3.1.1.13
        {"SIP/2.0 100", 100, ""},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[400];
        snprintf(text, sizeof(text), "%s\r\n" LINES "\r\n", rows[i].line);
        assert_int_equal(parse(text), SIP_OK);
        assert_int_equal(message.kind, SIP_RESPONSE);
        assert_int_equal(message.status, rows[i].status);
        assert_slice(sip_message_span(&message, message.reason), rows[i].reason);
    }
}

// RFC 3261 7.1; RFC 4475 3.1.2.7 to 3.1.2.10, 3.1.2.16, 3.1.2.19.
static void test_message_start_line_errors(void **state)
{
    static const struct {
        const char *line;
        enum sip_error error; // with SIP_ERROR_START_LINE nothing is known
        const char *uri;
    } rows[] = {
        {"INVITE <sip:user@example.com> SIP/2.0", SIP_ERROR_REQUEST_URI, "<sip:user@example.com>"},
        {"INVITE sip:user@example.com; lr SIP/2.0", SIP_ERROR_REQUEST_URI, "sip:user@example.com; lr"},
        {"INVITE  sip:user@example.com  SIP/2.0", SIP_ERROR_REQUEST_LINE, "sip:user@example.com"},
        {"INVITE  sip:user@example.com SIP/2.0", SIP_ERROR_REQUEST_LINE, "sip:user@example.com"},
        {"INVITE\tsip:user@example.com SIP/2.0", SIP_ERROR_REQUEST_LINE, "sip:user@example.com"},
        {"INVITE sip:user@example.com\tSIP/2.0", SIP_ERROR_REQUEST_LINE, "sip:user@example.com"},
        {"INVITE sip:user@example.com SIP/2.0  ", SIP_ERROR_REQUEST_LINE, "sip:user@example.com"},
        {"INVITE SIP/2.0", SIP_ERROR_REQUEST_LINE, ""},
        {"INVITE  SIP/2.0", SIP_ERROR_REQUEST_LINE, ""},
        {"OPTIONS sip:t.watson@example.org SIP/7.0", SIP_ERROR_VERSION, "sip:t.watson@example.org"},
        {"OPTIONS sip:a@b SIP/2.00", SIP_ERROR_VERSION, "sip:a@b"},
        {"OPTIONS sip:a@b SIP/", SIP_ERROR_VERSION, "sip:a@b"},
        {"NEW  sip:a b SIP/1.0", SIP_ERROR_VERSION, "sip:a b"},
        {"INVITE sip:user@example.com", SIP_ERROR_START_LINE, NULL},
        {"INVITE", SIP_ERROR_START_LINE, NULL},
        {"INVITE ", SIP_ERROR_START_LINE, NULL},
        {"GET / HTTP/1.1", SIP_ERROR_START_LINE, NULL},
        {" INVITE sip:a@b SIP/2.0", SIP_ERROR_START_LINE, NULL},
        {"IN<VITE sip:a@b SIP/2.0", SIP_ERROR_START_LINE, NULL},
        {"INVITE,sip:a@b SIP/2.0", SIP_ERROR_START_LINE, NULL},
        {"SIP/2.0 4294967301 better not break the receiver", SIP_ERROR_START_LINE, NULL},
        {"SIP/2.0 099 Low", SIP_ERROR_START_LINE, NULL},
        {"SIP/2.0 700 High", SIP_ERROR_START_LINE, NULL},
        {"SIP/2.0 2x0 Odd", SIP_ERROR_START_LINE, NULL},
        {"SIP/2.0 20", SIP_ERROR_START_LINE, NULL},
        {"SIP/2.0  200 OK", SIP_ERROR_START_LINE, NULL},
        {"SIP/2.0200 OK", SIP_ERROR_START_LINE, NULL},
        {"SIP/3.0 200 OK", SIP_ERROR_START_LINE, NULL},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[400];
        snprintf(text, sizeof(text), "%s\r\n" LINES "\r\n", rows[i].line);
        if (parse(text) != rows[i].error)
            fail_msg("\"%s\" is not %s", rows[i].line, sip_error_text(rows[i].error));
        assert_int_equal(message.kind, rows[i].uri == NULL ? 0 : SIP_REQUEST);
        if (rows[i].uri == NULL)
            continue;
        assert_slice(sip_message_span(&message, message.uri), rows[i].uri);
        assert_int_equal(message.lines_n, 5); // so that it can be answered
        assert_int_equal(sip_message_check(&message), SIP_OK);
    }
}

// White space around a value, at each place where the short path for plain lines must give up.
static void test_message_values_are_trimmed(void **state)
{
    static const char *const lines[] = {"To: xyz",   "To:xyz",   "To:  xyz",     "To: xyz ",
                                        "To: xyz\t", "To:\txyz", "To: \txyz \t", "To : xyz",
                                        "To: xyz\r", "t: xyz",   "To\t:xyz",     "TO: xyz "};
    static const char *const empty[] = {"To:", "To: ", "To:  ", "To: \r", "To:\t", "t:"};
    char text[200];

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(lines) / sizeof(lines[0]); i++) {
        snprintf(text, sizeof(text), REQUEST "%s%s\nFrom: y\r\n\r\n", lines[i / 2], i % 2 ? "\r" : "");
        assert_int_equal(parse(text), SIP_OK);
        assert_value(SIP_HEADER_TO, "xyz");
        assert_value(SIP_HEADER_FROM, "y");
    }
    for (unsigned i = 0; i < 2 * sizeof(empty) / sizeof(empty[0]); i++) {
        snprintf(text, sizeof(text), REQUEST "%s%s\nFrom: y\r\n\r\n", empty[i / 2], i % 2 ? "\r" : "");
        assert_int_equal(parse(text), SIP_OK);
        assert_value(SIP_HEADER_TO, "");
        assert_value(SIP_HEADER_FROM, "y");
    }
}

static void test_message_lines_are_indexed_in_order(void **state)
{
    (void)state;
    assert_int_equal(parse(REQUEST "v: 1\r\nVIA : 2\r\nX-Other:3\r\nvia\t:\t4 \t\r\nl: 2\r\n\r\nab"), SIP_OK);
    assert_int_equal(message.lines_n, 5);
    static const char *const values[] = {"1", "2", "3", "4", "2"};
    static const uint8_t names_len[] = {1, 3, 7, 3, 1};
    for (unsigned i = 0; i < 5; i++) {
        assert_slice(sip_message_value(&message, i), values[i]);
        assert_int_equal(message.lines[i].name_len, names_len[i]);
    }
    unsigned seen = 0;
    SIP_FOREACH_LINE(line, &message, SIP_HEADER_VIA) {
        assert_slice(sip_message_value(&message, line), seen == 0 ? "1" : seen == 1 ? "2" : "4");
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_int_equal(message.lines[2].id, SIP_HEADER_OTHER);
    assert_int_equal(sip_message_line_end(&message, 4), message.lines[5].name);
    assert_memory_equal(message.bytes + message.lines[5].name, "\r\nab", 4);
    assert_memory_equal(message.bytes + message.body, "ab", message.body_len);
    assert_false(sip_message_has(&message, SIP_HEADER_FROM));
    assert_null(sip_message_first(&message, SIP_HEADER_FROM).at);
}

// RFC 3261 7.3.1; RFC 4475 3.1.1.1.
static void test_message_folds_go_on_with_the_value(void **state)
{
    (void)state;
    assert_int_equal(parse(REQUEST "TO :\r\n sip:a@b ;   tag    = 1\r\nSubject: one\r\n two \r\n\tthree  \r\n"
                                   "s :\r\nCSeq: 1\r\n  \r\n OPTIONS\r\n\r\n"),
                     SIP_OK);
    assert_int_equal(message.folded, 1);
    assert_int_equal(message.lines_n, 4);
    assert_value(SIP_HEADER_TO, "sip:a@b ;   tag    = 1");
    assert_value(SIP_HEADER_SUBJECT, "one\r\n two \r\n\tthree");
    assert_slice(sip_message_value(&message, 2), "");
    assert_value(SIP_HEADER_CSEQ, "1\r\n  \r\n OPTIONS");
    assert_int_equal(parse(REQUEST LINES "\r\n"), SIP_OK);
    assert_int_equal(message.folded, 0);
    // There is nothing that the first line could go on with.
    assert_int_equal(parse(REQUEST " folded\r\n" LINES "\r\n"), SIP_ERROR_HEADER_NAME);
    assert_int_equal(message.lines_n, 5);
}

static void test_message_bare_line_feeds_end_lines(void **state)
{
    (void)state;
    assert_int_equal(parse("OPTIONS sip:b@example.com SIP/2.0\nTo: x\nFrom:y\n z\n\nbody"), SIP_OK);
    assert_value(SIP_HEADER_TO, "x");
    assert_value(SIP_HEADER_FROM, "y\n z");
    assert_int_equal(message.body_len, 4);
}

static void test_message_bare_returns_end_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse(REQUEST "To: x\rFrom: y\r\n\r\n"), SIP_OK);
    assert_value(SIP_HEADER_TO, "x\rFrom: y");
    assert_int_equal(message.lines_n, 1);
    assert_int_equal(parse(REQUEST "\rTo: x\r\n\r\n"), SIP_ERROR_HEADER_NAME);
    assert_int_equal(parse(REQUEST "To\r: x\r\n\r\n"), SIP_ERROR_HEADER_NAME);
}

static void test_message_nul_bytes_stay_in_values(void **state)
{
    static const char text[] = REQUEST "To: \"NUL:\\\0\" <sip:a@b>\r\nl: 3\r\n\r\n\0\1\n";
    static const char name[] = REQUEST "T\0o: x\r\n\r\n";
    struct slice copy = fence_copy(text, sizeof(text) - 1);

    (void)state;
    assert_int_equal(sip_message_parse(&message, copy.at, copy.len), SIP_OK);
    assert_int_equal(sip_message_first(&message, SIP_HEADER_TO).len, 18);
    assert_int_equal(message.body_len, 3);
    assert_int_equal(sip_message_parse(&message, name, sizeof(name) - 1), SIP_ERROR_HEADER_NAME);
}

static void test_message_broken_names_are_errors_but_indexed(void **state)
{
    static const char *const lines[] = {
        "no colon",
        ": no name",
        "two words: x",
        "nam\x80: x",
        "n<: x",
        "name",
        ":",
        "\x01: x",
        "a-line-that-is-longer-than-one-window-of-sixty-four-bytes-and-has-no-colon-at-all",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[400];
        snprintf(text, sizeof(text), REQUEST LINES "%s\r\nExpires: 5\r\n\r\n", lines[i]);
        if (parse(text) != SIP_ERROR_HEADER_NAME)
            fail_msg("\"%s\" is no broken name", lines[i]);
        assert_int_equal(message.lines_n, 7);
        assert_int_equal(message.lines[5].id, SIP_HEADER_OTHER);
        assert_int_equal(message.lines[5].name_len, 0);
        assert_value(SIP_HEADER_EXPIRES, "5");
    }
}

static void test_message_long_names_and_values(void **state)
{
    char text[2000], name[301];

    (void)state;
    memset(name, 'n', sizeof(name));
    for (int len = 1; len <= 300; len++) {
        snprintf(text, sizeof(text), REQUEST "%.*s: %.*s\r\nTo: x\r\n\r\n", len, name, len, name);
        assert_int_equal(parse(text), SIP_OK);
        assert_int_equal(message.lines[0].name_len, len < 255 ? len : 255);
        assert_int_equal(message.lines[0].len, len);
        assert_int_equal(message.lines[0].id, SIP_HEADER_OTHER);
        snprintf(text, sizeof(text), REQUEST "To: %.*s\r\nFrom: x\r\n\r\n", len, name);
        assert_int_equal(parse(text), SIP_OK);
        assert_int_equal(sip_message_first(&message, SIP_HEADER_TO).len, len);
        assert_value(SIP_HEADER_FROM, "x");
    }
}

// RFC 3261 7.5 and RFC 5626 3.5.1.
static void test_message_leading_line_ends_are_skipped(void **state)
{
    (void)state;
    assert_int_equal(parse("\r\n\r\n\n" REQUEST LINES "\r\n"), SIP_OK);
    assert_int_equal(message.method_text.at, 5);
    assert_slice(sip_message_span(&message, message.uri), "sip:b@example.com");
    assert_int_equal(parse(""), SIP_ERROR_EMPTY);
    assert_int_equal(parse("\r\n\r\n"), SIP_ERROR_EMPTY);
    assert_int_equal(parse("x"), SIP_ERROR_START_LINE);
}

// RFC 3261 18.3, 20.14; RFC 4475 3.1.1.8, 3.1.2.2, 3.1.2.3, 3.3.9.
static void test_message_content_length(void **state)
{
    static const struct {
        const char *lines;
        enum sip_error error;
        int body_len; // of the five bytes there are
    } rows[] = {
        {"", SIP_OK, 5},
        {"Content-Length: 5\r\n", SIP_OK, 5},
        {"l:0\r\n", SIP_OK, 0},
        {"l: 3\r\n", SIP_OK, 3},
        {"l:\r\n 3\r\n", SIP_OK, 3},
        {"Content-Length: 00000000000000000000000000000004\r\n", SIP_OK, 4},
        {"Content-Length: 6\r\n", SIP_ERROR_BODY_SHORT, 5},
        {"Content-Length: 9999\r\n", SIP_ERROR_BODY_SHORT, 5},
        {"Content-Length: 4294967297\r\n", SIP_ERROR_BODY_SHORT, 5},
        {"Content-Length: 18446744073709551617\r\n", SIP_ERROR_BODY_SHORT, 5},
        {"Content-Length: 99999999999999999999999999999999999999999999999\r\n", SIP_ERROR_BODY_SHORT, 5},
        {"Content-Length: -999\r\n", SIP_ERROR_CONTENT_LENGTH, 5},
        {"Content-Length: five\r\n", SIP_ERROR_CONTENT_LENGTH, 5},
        {"Content-Length: 5 5\r\n", SIP_ERROR_CONTENT_LENGTH, 5},
        {"Content-Length: +5\r\n", SIP_ERROR_CONTENT_LENGTH, 5},
        {"Content-Length:\r\n", SIP_ERROR_CONTENT_LENGTH, 5},
        {"Content-Length: 5\r\nl: 5\r\n", SIP_ERROR_CONTENT_LENGTH, 5},
        {"Content-Length: 5\r\nMax-Forwards: 1\r\nContent-Length: 3\r\n", SIP_ERROR_CONTENT_LENGTH, 5},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[500];
        snprintf(text, sizeof(text), REQUEST LINES "%s\r\n12345", rows[i].lines);
        if (parse(text) != rows[i].error)
            fail_msg("\"%s\" is not %s", rows[i].lines, sip_error_text(rows[i].error));
        assert_int_equal(message.body_len, rows[i].body_len);
        assert_int_equal(message.len, message.body + message.body_len);
    }
}

static void test_message_without_an_empty_line_is_answerable(void **state)
{
    (void)state;
    assert_int_equal(parse(REQUEST LINES), SIP_ERROR_NO_HEAD_END);
    assert_int_equal(sip_message_check(&message), SIP_OK);
    assert_int_equal(parse(REQUEST LINES "Expires: 1"), SIP_ERROR_NO_HEAD_END);
    assert_int_equal(message.lines_n, 5); // the torn line is none
    assert_memory_equal(message.bytes + message.lines[5].name, "Expires: 1", 10);
    assert_int_equal(parse("OPTIONS sip:b@example.com SIP/2.0"), SIP_ERROR_START_LINE);
    assert_int_equal(message.kind, 0);
}

static void test_message_too_many_lines(void **state)
{
    static char text[8000];
    int len = sprintf(text, REQUEST LINES);

    (void)state;
    for (unsigned i = 5; i < SIP_LINES_MAX; i++)
        len += sprintf(text + len, "Y: %u\r\n", i);
    strcpy(text + len, "\r\n");
    assert_int_equal(parse(text), SIP_OK);
    assert_int_equal(message.lines_n, SIP_LINES_MAX);
    for (unsigned known = 0; known < 2; known++) {
        strcpy(text + len, known ? "Expires: 1\r\nl: 0\r\n\r\nx" : "Y: 1\r\n\r\n");
        assert_int_equal(parse(text), SIP_ERROR_TOO_MANY_LINES);
        assert_int_equal(message.lines_n, SIP_LINES_MAX);
        assert_int_equal(message.lines[SIP_LINES_MAX].name, len);
        assert_int_equal(sip_message_check(&message), SIP_OK);
    }
}

static void test_message_too_long_is_answerable(void **state)
{
    static char text[SIP_MESSAGE_MAX + 2];
    int head = sprintf(text, REQUEST LINES "\r\n");

    (void)state;
    memset(text + head, 'b', sizeof(text) - (size_t)head);
    struct slice whole = fence_copy(text, SIP_MESSAGE_MAX);
    assert_int_equal(sip_message_parse(&message, whole.at, whole.len), SIP_OK);
    assert_int_equal(message.body_len, SIP_MESSAGE_MAX - head);
    assert_int_equal(sip_message_parse(&message, text, SIP_MESSAGE_MAX + 1), SIP_ERROR_TOO_LONG);
    assert_int_equal(message.lines_n, 5);
    assert_int_equal(sip_message_check(&message), SIP_OK);
    assert_int_equal(sip_message_parse(&message, text, (size_t)1 << 40 | 1), SIP_ERROR_TOO_LONG);
    assert_int_equal(message.len, SIP_MESSAGE_MAX);
}

static void test_message_check_wants_each_mandatory_field(void **state)
{
    static const struct {
        const char *name;
        enum sip_error error;
    } rows[] = {
        {"Via", SIP_ERROR_MISSING_VIA},   {"From", SIP_ERROR_MISSING_FROM},
        {"To", SIP_ERROR_MISSING_TO},     {"Call-ID", SIP_ERROR_MISSING_CALL_ID},
        {"CSeq", SIP_ERROR_MISSING_CSEQ},
    };

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        char text[400] = REQUEST LINES "\r\n";
        char line[20];
        snprintf(line, sizeof(line), "\n%s:", rows[i].name);
        strstr(text, line)[1] = 'X'; // another name of the same length
        assert_int_equal(parse(text), SIP_OK);
        assert_int_equal(sip_message_check(&message), rows[i].error);
    }
}

// RFC 4475 3.3.8.
static void test_message_check_refuses_repeated_single_fields(void **state)
{
    static const char *const single[] = {
        "From: x", "t: x", "i: x", "CSeq: x", "Expires: 1", "Max-Forwards: 1", "Event: x", "c: text/plain"};
    static const char *const many[] = {"Via: x", "Route: x", "m: x", "Subject: x", "Y: x", "Require: x"};
    char text[400];

    (void)state;
    for (unsigned i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        snprintf(text, sizeof(text), REQUEST LINES "%s\r\n%s\r\n\r\n", single[i], single[i]);
        assert_int_equal(parse(text), SIP_OK);
        assert_int_equal(sip_message_check(&message), SIP_ERROR_REPEATED_HEADER);
    }
    for (unsigned i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        snprintf(text, sizeof(text), REQUEST LINES "%s\r\n%s\r\n\r\n", many[i], many[i]);
        assert_int_equal(parse(text), SIP_OK);
        assert_int_equal(sip_message_check(&message), SIP_OK);
    }
}

// Every truncation ends in a read up to the guard page at most, and in an index within the bytes.
static void test_message_truncations_stay_inside(void **state)
{
    static const char text[] =
        "\r\n" REQUEST "v : SIP/2.0/UDP a\r\n ;branch=1\r\n" LINES
        "X-A-Name-That-Is-Longer-Than-Any-Window-Of-The-Parser-Which-Has-Sixty-Four: v\r\n"
        "Content-Length: 4\r\n\r\nbody";

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        struct slice copy = fence_copy(text, len);
        sip_message_parse(&message, copy.at, copy.len);
        assert_true(message.len <= len);
        if (message.kind == 0)
            continue;
        assert_int_equal(message.body + message.body_len, message.len);
        for (unsigned i = 0; i < message.lines_n; i++) {
            assert_true(message.lines[i].value + message.lines[i].len <= message.lines[i + 1].name);
            assert_true(message.lines[i].name < message.lines[i + 1].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_request_line_is_taken_apart),
        cmocka_unit_test(test_message_status_line_is_taken_apart),
        cmocka_unit_test(test_message_start_line_errors),
        cmocka_unit_test(test_message_lines_are_indexed_in_order),
        cmocka_unit_test(test_message_values_are_trimmed),
        cmocka_unit_test(test_message_folds_go_on_with_the_value),
        cmocka_unit_test(test_message_bare_line_feeds_end_lines),
        cmocka_unit_test(test_message_bare_returns_end_nothing),
        cmocka_unit_test(test_message_nul_bytes_stay_in_values),
        cmocka_unit_test(test_message_broken_names_are_errors_but_indexed),
        cmocka_unit_test(test_message_long_names_and_values),
        cmocka_unit_test(test_message_leading_line_ends_are_skipped),
        cmocka_unit_test(test_message_content_length),
        cmocka_unit_test(test_message_without_an_empty_line_is_answerable),
        cmocka_unit_test(test_message_too_many_lines),
        cmocka_unit_test(test_message_too_long_is_answerable),
        cmocka_unit_test(test_message_check_wants_each_mandatory_field),
        cmocka_unit_test(test_message_check_refuses_repeated_single_fields),
        cmocka_unit_test(test_message_truncations_stay_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
