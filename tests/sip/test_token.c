#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/params.h"
#include "sip/token.h"

static void test_white_space_and_folds_are_skipped(void **state)
{
    static const struct {
        const char *text;
        size_t skipped;
    } cases[] = {
        {"", 0},        {"a", 0},    {" a", 1},       {" \t a", 3},       {"\r\n a", 3},
        {"\r\n\ta", 3}, {"\n a", 2}, {"\r a", 2},     {"\r\na", 0},       {"\r\n", 0},
        {"\r", 0},      {"\n", 0},   {" \r\na", 1},   {" \r\n\r\n a", 1}, {"\r\n \r\n \ta", 7},
        {"\r\n", 0},    {"\va", 0},  {"\r\r\n a", 0}, {"  \r\n  ", 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cursor c = cursor_over(fence_copy(cases[i].text, strlen(cases[i].text)));
        const char *from = c.at;
        sip_skip_space(&c);
        if ((size_t)(c.at - from) != cases[i].skipped || c.error != 0)
            fail_msg("case %zu: %td", i, c.at - from);
    }
}

static void test_quoted_strings_end_at_their_own_quote(void **state)
{
    static const struct {
        struct slice text;
        uint32_t taken; // 0: an error
    } cases[] = {
        {{"\"\"", 2}, 2},
        {{"\"a b\" c", 7}, 5},
        {{"\"a \\\" b\"x", 9}, 8},
        {{"\"\\\\\"x", 5}, 4},
        {{"\"<sip:a@b>;,\"", 13}, 13},
        {{"\"J\xc3\xbcrgen \xe2\x82\xac\"", 13}, 13},
        {{"\"Latin \xfc\"", 9}, 9},
        {{"\"a\tb\"", 5}, 5},
        {{"\"a\r\n b\"", 7}, 7},
        {{"\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\"", 22}, 22}, // RFC 4475 3.1.1.2 intmeth
        {{"\"a\r\nb\"", 6}, 0},
        {{"\"a\rb\"", 5}, 0},
        {{"\"a\\\r\n b\"", 8}, 0},
        {{"\"a\0b\"", 5}, 0},
        {{"\"a\x07\"", 4}, 0},
        {{"\"a\x7f\"", 4}, 0},
        {{"\"", 1}, 0},
        {{"\"abc", 4}, 0},
        {{"\"abc\\", 5}, 0},
        {{"\"abc\\\"", 6}, 0},
        {{"\"0123456789012345678901234567890123456789\\\"\\\\ 0123456789012345\"", 63}, 63},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cursor c = cursor_over(fence_copy(cases[i].text.at, cases[i].text.len));
        struct slice quoted = sip_take_quoted(&c);
        if (quoted.len != cases[i].taken || c.error != (cases[i].taken == 0 ? SIP_ERROR_QUOTED_STRING : 0))
            fail_msg("case %zu: %u bytes, error %d", i, quoted.len, c.error);
    }
}

static void test_tokens_are_taken_or_named_missing(void **state)
{
    struct cursor c = cursor_over(fence_copy("INVITE sip:", 11));

    (void)state;
    assert_true(slice_equal(sip_take_token(&c, SIP_ERROR_CSEQ), SLICE("INVITE")));
    assert_int_equal(sip_take_token(&c, SIP_ERROR_CSEQ).len, 0);
    assert_int_equal(c.error, SIP_ERROR_CSEQ);
}

// The elements of a list, joined with "|"; "!" behind them for an error.
static void join_elements(struct slice list, char *joined)
{
    struct cursor c = cursor_over(list);
    struct slice element;
    char *from = joined;

    *joined = 0;
    while (sip_take_element(&c, &element))
        joined += sprintf(joined, "%.*s|", SLICE_PRINT(element));
    if (c.error != 0)
        strcat(from, "!");
}

static void test_comma_lists_are_cut_outside_of_quotes_and_brackets(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" , ,, ", ""},
        {"100rel", "100rel|"},
        {"100rel,timer , path\r\n ,  gruu", "100rel|timer|path|gruu|"},
        {",a,,b,", "a|b|"},
        {"\"Bell, A\" <sip:a,b@c>;x=\"1,2\", <sip:d>", "\"Bell, A\" <sip:a,b@c>;x=\"1,2\"|<sip:d>|"},
        {"<sip:a?b=\"c>, d", "<sip:a?b=\"c>|d|"},
        {"\"a\\\",b\" c, d", "\"a\\\",b\" c|d|"},
        {"a, \"b", "a|!"},
        {"a, <b", "a|!"},
    };
    char joined[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        join_elements(fence_copy(cases[i][0], strlen(cases[i][0])), joined);
        assert_string_equal(joined, cases[i][1]);
    }
}

static void test_option_tags_are_found_whole_and_in_any_case(void **state)
{
    (void)state;
    assert_true(sip_list_has(SLICE("100rel, timer,path"), SLICE("TIMER")));
    assert_true(sip_list_has(SLICE("100rel,\r\n path"), SLICE("path")));
    assert_false(sip_list_has(SLICE("100rel, timers"), SLICE("timer")));
    assert_false(sip_list_has(SLICE("time r"), SLICE("timer")));
    assert_false(sip_list_has((struct slice){NULL, 0}, SLICE("timer")));
}

// Parameters as "name" or "name=value", joined with "|"; "!" and the error for an error, "~" for bytes left.
static void join_params(struct slice params, char *joined)
{
    struct cursor c = cursor_over(params);
    struct sip_param param;

    *joined = 0;
    while (sip_param_next(&c, &param)) {
        joined += sprintf(joined, "%.*s", SLICE_PRINT(param.name));
        if (param.value.at != NULL)
            joined += sprintf(joined, "=%.*s", SLICE_PRINT(param.value));
        joined += sprintf(joined, "|");
    }
    if (c.error != 0)
        sprintf(joined, "!%s", c.error == SIP_ERROR_QUOTED_STRING ? "quote" : "");
    else if (!cursor_done(&c))
        strcpy(joined, "~");
}

static void test_parameters_are_read_in_order(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {";lr", "lr|"},
        {";tag=1928301774", "tag=1928301774|"},
        {" ; a = b\r\n ;c\t;d = \"x;y\" ", "a=b|c|d=\"x;y\"|"},
        {";received=[2001:db8::9:255];maddr=2001:db8::1", "received=[2001:db8::9:255]|maddr=2001:db8::1|"},
        {";fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\"", "fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\"|"},
        {";branch=z9hG4bKaGVsbG8=;i=a@b/c?d&e", "branch=z9hG4bKaGVsbG8=|i=a@b/c?d&e|"},
        {";a=b,c", "a=b|~"},
        {";a b", "a|~"},
        {";a\r\nb", "a|~"},
        {";a=b>", "a=b|~"},
        {";", "!"},
        {";;a", "!"},
        {";a;", "a|!"},
        {";=a", "!"},
        {";a=", "!"},
        {";a=;b", "!"},
        {";a=\"b", "!quote"},
        {";a=<b>", "!"},
        {";a=\xc3\xbc", "!"},
        {"x;a", "~"},
    };
    char joined[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        join_params(fence_copy(cases[i][0], strlen(cases[i][0])), joined);
        assert_string_equal(joined, cases[i][1]);
    }
}

static void test_a_parameter_is_found_by_name(void **state)
{
    struct sip_param param;

    (void)state;
    assert_true(sip_param_find(SLICE(";a=1;B=2;b=3"), SLICE("b"), &param));
    assert_true(slice_equal(param.value, SLICE("2")));
    assert_true(sip_param_find(SLICE(";lr"), SLICE("lr"), &param));
    assert_null(param.value.at);
    assert_false(sip_param_find(SLICE(";lrx=1"), SLICE("lr"), &param));
    assert_false(sip_param_find(SLICE(";=;lr"), SLICE("lr"), &param));
    assert_false(sip_param_find((struct slice){NULL, 0}, SLICE("lr"), &param));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_white_space_and_folds_are_skipped),
        cmocka_unit_test(test_quoted_strings_end_at_their_own_quote),
        cmocka_unit_test(test_tokens_are_taken_or_named_missing),
        cmocka_unit_test(test_comma_lists_are_cut_outside_of_quotes_and_brackets),
        cmocka_unit_test(test_option_tags_are_found_whole_and_in_any_case),
        cmocka_unit_test(test_parameters_are_read_in_order),
        cmocka_unit_test(test_a_parameter_is_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
