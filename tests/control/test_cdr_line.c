// What a line of the accounting file says, whatever bytes a call has.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "control/cdr_line.h"

#define START_MS UINT64_C(1772360102000) // 2026-03-01T10:15:02Z

static void assert_line(const struct call *call, const char *gateway, const char *route, const char *expected)
{
    char line[CONTROL_CDR_LINE_MAX];
    unsigned len = control_cdr_line(call, gateway, route, line);

    assert_int_equal(line[len - 1], '\n');
    line[len - 1] = '\0';
    assert_string_equal(line, expected);
}

static void set_texts(struct call *call, struct slice id)
{
    memcpy(call->bytes, id.at, id.len);
    for (unsigned i = 1; i <= CALL_TEXTS; i++)
        call->text[i] = (uint16_t)id.len;
}

static void test_what_there_was_none_of_is_null(void **state)
{
    struct call call = {.start_ms = START_MS,
                        .end_ms = START_MS + 7,
                        .code = 487,
                        .end = CALL_CANCELLED,
                        .source = endpoint_ip4(192, 0, 2, 1, 0)};

    (void)state;
    assert_line(
        &call, NULL, NULL,
        "{\"start\":\"2026-03-01T10:15:02.000Z\",\"answer\":null,\"end\":\"2026-03-01T10:15:02.007Z\","
        "\"duration_ms\":0,\"code\":487,\"reason\":\"cancelled\",\"call_id\":\"\",\"from\":\"\","
        "\"to\":\"\",\"uri\":\"\",\"source\":\"192.0.2.1\",\"next_hop\":null,\"gateway\":null,"
        "\"route\":null,\"tries\":0}");
}

static void test_every_end_has_its_word(void **state)
{
    static const struct {
        enum call_end end;
        const char *word;
    } cases[] = {{CALL_COMPLETED, "\"reason\":\"completed\""},
                 {CALL_FAILED, "\"reason\":\"failed\""},
                 {CALL_CANCELLED, "\"reason\":\"cancelled\""},
                 {CALL_TIMEOUT, "\"reason\":\"timeout\""},
                 {CALL_LOST, "\"reason\":\"lost\""},
                 {CALL_STOPPED, "\"reason\":\"stopped\""}};

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[CONTROL_CDR_LINE_MAX];
        struct call call = {.end = (uint8_t)cases[i].end};

        line[control_cdr_line(&call, NULL, NULL, line)] = '\0';
        assert_non_null(strstr(line, cases[i].word));
    }
}

static void test_a_clock_that_was_set_back_makes_no_duration(void **state)
{
    char line[CONTROL_CDR_LINE_MAX];
    struct call call = {.start_ms = 5000, .answer_ms = 6000, .end_ms = 4000, .end = CALL_COMPLETED};

    (void)state;
    line[control_cdr_line(&call, NULL, NULL, line)] = '\0';
    assert_non_null(strstr(line, "\"duration_ms\":0,"));
}

static void test_hostile_bytes_are_escaped(void **state)
{
    static const struct {
        struct slice given;
        const char *written;
    } cases[] = {
        {{"plain", 5}, "plain"},
        {{"a\"b\\c/", 6}, "a\\\"b\\\\c/"},
        {{"\0\x01\n\r\t\x1f\x7f", 7}, "\\u0000\\u0001\\u000a\\u000d\\u0009\\u001f\\u007f"},
        {{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {{"\x80", 1}, "\xef\xbf\xbd"},                                 // continuation alone
        {{"\xff\xfe", 2}, "\xef\xbf\xbd\xef\xbf\xbd"},                 // never in UTF-8
        {{"\xc3", 1}, "\xef\xbf\xbd"},                                 // cut off
        {{"\xc3\"", 2}, "\xef\xbf\xbd\\\""},                           // a quote in its place
        {{"\xe2\x82", 2}, "\xef\xbf\xbd\xef\xbf\xbd"},                 // cut off
        {{"\xf0\x9f\x98", 3}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, // cut off
        {{"\xc0\xaf", 2}, "\xef\xbf\xbd\xef\xbf\xbd"},                 // "/" longer than it need be
        {{"\xe0\x80\xaf", 3}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, // the same
        {{"\xf0\x8f\xbf\xbf", 4}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {{"\xed\xa0\x80", 3}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 // a surrogate
        {{"\xf4\x90\x80\x80", 4}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, // above U+10FFFF
        {{"\xf4\x8f\xbf\xbf", 4}, "\xf4\x8f\xbf\xbf"},
        {{"\xed\x9f\xbf\xee\x80\x80", 6}, "\xed\x9f\xbf\xee\x80\x80"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call = {0};
        char line[CONTROL_CDR_LINE_MAX], wanted[256];

        set_texts(&call, cases[i].given);
        line[control_cdr_line(&call, NULL, NULL, line)] = '\0';
        snprintf(wanted, sizeof(wanted), "\"call_id\":\"%s\",\"from\":\"\"", cases[i].written);
        assert_non_null(strstr(line, wanted));
    }
}

static void test_the_longest_line_fits(void **state)
{
    struct call call = {.start_ms = UINT64_C(253402300799999),
                        .answer_ms = 1,
                        .end_ms = UINT64_C(253402300799999),
                        .code = UINT16_MAX,
                        .end = CALL_COMPLETED,
                        .tries = UINT8_MAX};
    char bytes[CALL_TEXT_MAX], name[200] = {0}, line[CONTROL_CDR_LINE_MAX];

    (void)state;
    memset(bytes, 1, sizeof(bytes));
    memset(name, 2, sizeof(name) - 1);
    set_texts(&call, slice_of(bytes, sizeof(bytes)));
    assert_true(endpoint_parse(SLICE("[1111:2222:3333:4444:5555:6666:7777:8888]:65535"), &call.source));
    call.hop = call.source;
    assert_in_range(control_cdr_line(&call, name, name, line), 6 * (CALL_TEXT_MAX + 2 * CONTROL_CDR_NAME_MAX),
                    CONTROL_CDR_LINE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_there_was_none_of_is_null),
        cmocka_unit_test(test_every_end_has_its_word),
        cmocka_unit_test(test_a_clock_that_was_set_back_makes_no_duration),
        cmocka_unit_test(test_hostile_bytes_are_escaped),
        cmocka_unit_test(test_the_longest_line_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
