#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/set.h"
#include "sip/token.h"

// The sets once more as the grammar's plain lists of characters (RFC 3261 25.1, RFC 3966 3).
#define DIGITS     "0123456789"
#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALPHANUM   DIGITS LETTERS
#define UNRESERVED ALPHANUM "-_.!~*'()"
#define HEX        DIGITS "abcdefABCDEF"
#define VISIBLE    ALPHANUM "-_.!~*'()#$%&+/:=?@[]^`{|}"

static const struct {
    const char *name;
    const struct sip_set *set;
    const char *members;
} sets[] = {
    {"token", &sip_set_token, ALPHANUM "-.!%*_+`'~"},
    {"word", &sip_set_word, ALPHANUM "-.!%*_+`'~()<>:\\\"/[]?{}"},
    {"value", &sip_set_value, VISIBLE},
    {"quoted", &sip_set_quoted, VISIBLE " ,;<>"},
    {"host", &sip_set_host, ALPHANUM "-._"},
    {"ip6", &sip_set_ip6, HEX ":."},
    {"scheme", &sip_set_scheme, ALPHANUM "+-."},
    {"user", &sip_set_user, UNRESERVED "&=+$,;?/#"},
    {"bare user", &sip_set_bare_user, UNRESERVED "&=+$/#"},
    {"password", &sip_set_password, UNRESERVED "&=+$,"},
    {"uri param", &sip_set_uri_param, UNRESERVED "[]/:&+$"},
    {"uri params", &sip_set_uri_params, UNRESERVED "[]/:&+$;="},
    {"uri header", &sip_set_uri_header, UNRESERVED "[]/?:+$"},
    {"uri headers", &sip_set_uri_headers, UNRESERVED "[]/?:+$&="},
    {"absolute", &sip_set_absolute, VISIBLE ",;\\"},
    {"bare absolute", &sip_set_bare_absolute, ALPHANUM "-_.!~*'()#$%&+/:=@[]^`{|}\\"},
    {"phone", &sip_set_phone, DIGITS "-.()"},
    {"phone local", &sip_set_phone_local, HEX "*#-.()"},
};

#define SETS (sizeof(sets) / sizeof(sets[0]))

static bool is_member(size_t set, unsigned byte)
{
    return byte != 0 && byte < 0x80 && strchr(sets[set].members, (int)byte) != NULL;
}

static void test_members_are_those_of_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETS; i++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            if (sip_set_has(sets[i].set, (char)byte) != is_member(i, byte))
                fail_msg("%s: byte 0x%02x", sets[i].name, byte);
        }
    }
}

static void test_classes_agree_with_sets(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned class = sip_class.member[byte];
        assert_int_equal((class & SIP_CLASS_TOKEN) != 0, sip_set_has(&sip_set_token, (char)byte));
        assert_int_equal((class & SIP_CLASS_HOST) != 0, sip_set_has(&sip_set_host, (char)byte));
        assert_int_equal((class & SIP_CLASS_WORD) != 0, sip_set_has(&sip_set_word, (char)byte));
        assert_int_equal((class & SIP_CLASS_DIGIT) != 0, byte >= '0' && byte <= '9');
    }
}

// Every byte as the one that ends a run of every length, so in every place of a vector and of every tail.
static void test_a_run_ends_at_the_first_byte_outside(void **state)
{
    char text[40];

    (void)state;
    for (size_t i = 0; i < SETS; i++) {
        char member = sets[i].members[strlen(sets[i].members) - 1];
        for (size_t len = 0; len <= sizeof(text); len++) {
            memset(text, member, sizeof(text));
            struct slice all = fence_copy(text, len);
            assert_ptr_equal(sip_set_run(sets[i].set, all.at, all.at + len), all.at + len);
            if (len == 0)
                continue;
            for (unsigned byte = 0; byte < 256; byte++) {
                text[len / 2] = (char)byte;
                struct slice s = fence_copy(text, len);
                const char *end = sip_set_run(sets[i].set, s.at, s.at + len);
                assert_int_equal(end - s.at, is_member(i, byte) ? len : len / 2);
            }
        }
    }
}

// A run stops at its end even when the bytes behind it would go on.
static void test_a_run_stops_at_the_end_given(void **state)
{
    char text[64];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t from = 0; from < 20; from++) {
        for (size_t to = from; to <= sizeof(text); to++)
            assert_ptr_equal(sip_set_run(&sip_set_token, text + from, text + to), text + to);
    }
}

// Every stop of texts longer than two windows, and steps of every width over them, against runs.
static void test_a_window_answers_as_runs_do(void **state)
{
    char text[150];

    (void)state;
    for (size_t every = 1; every < 100; every += every < 10 ? 1 : 9) {
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = i % every == every - 1 ? ';' : 'a';
        for (size_t len = 0; len <= sizeof(text); len++) {
            struct slice s = fence_copy(text, len);
            struct sip_window window = sip_window_over(&sip_set_token, s.at, s.at + len);
            for (size_t at = 0; at <= len; at += every % 7 + 1)
                assert_ptr_equal(sip_window_stop(&window, s.at + at),
                                 sip_set_run(&sip_set_token, s.at + at, s.at + len));
            assert_ptr_equal(sip_window_stop(&window, s.at), sip_set_run(&sip_set_token, s.at, s.at + len));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_those_of_the_grammar),
        cmocka_unit_test(test_classes_agree_with_sets),
        cmocka_unit_test(test_a_run_ends_at_the_first_byte_outside),
        cmocka_unit_test(test_a_run_stops_at_the_end_given),
        cmocka_unit_test(test_a_window_answers_as_runs_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
