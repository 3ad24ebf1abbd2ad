// Every known name in every form, and nothing else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/header.h"
#include "sip/method.h"

struct row {
    enum sip_header id;
    const char *name;
    char compact;
};

static const struct row rows[] = {
#define ROW(id, name, compact) {SIP_HEADER_##id, name, compact},
    SIP_HEADERS(ROW)
#undef ROW
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static enum sip_header header_of(const char *name, size_t len)
{
    return sip_header_of(fence_copy(name, len));
}

static bool is_known(const char *name, size_t len)
{
    for (unsigned i = 0; i < ROWS; i++) {
        if (slice_equal_nocase(slice_of(name, len), slice_text(rows[i].name)) ||
            (len == 1 && rows[i].compact != 0 && (name[0] | 0x20) == rows[i].compact))
            return true;
    }
    return false;
}

static void change_case(char *text, uint32_t seed)
{
    for (; *text != '\0'; text++, seed = seed * 1103515245 + 12345) {
        if ((seed >> 16 & 1) && ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')))
            *text ^= 0x20;
    }
}

static void test_header_names_are_known_in_any_case(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROWS; i++) {
        for (uint32_t seed = 0; seed < 200; seed++) {
            char name[32];
            strcpy(name, rows[i].name);
            change_case(name, seed * 2654435761u);
            assert_int_equal(header_of(name, strlen(name)), rows[i].id);
        }
    }
}

static void test_header_compact_forms_are_known_in_both_cases(void **state)
{
    unsigned compact_n = 0;

    (void)state;
    for (unsigned i = 0; i < ROWS; i++) {
        if (rows[i].compact == 0)
            continue;
        char upper = (char)(rows[i].compact & ~0x20);
        assert_int_equal(header_of(&rows[i].compact, 1), rows[i].id);
        assert_int_equal(header_of(&upper, 1), rows[i].id);
        compact_n++;
    }
    assert_int_equal(compact_n, 18);
}

// Every single-byte change, each shorter and each longer form.
static void test_header_near_misses_are_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROWS; i++) {
        size_t len = strlen(rows[i].name);
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char name[32];
                strcpy(name, rows[i].name);
                name[at] = (char)byte;
                if (!is_known(name, len))
                    assert_int_equal(header_of(name, len), SIP_HEADER_OTHER);
            }
            if (!is_known(rows[i].name, at))
                assert_int_equal(header_of(rows[i].name, at), SIP_HEADER_OTHER);
        }
        char longer[64];
        for (unsigned more = 1; more < 40 - len; more++) {
            snprintf(longer, sizeof(longer), "%s%.*s", rows[i].name, (int)more,
                     "x:::::::::::::::::::::::::::::::::::::::");
            assert_int_equal(header_of(longer, len + more), SIP_HEADER_OTHER);
        }
    }
    assert_int_equal(sip_header_of((struct slice){NULL, 0}), SIP_HEADER_OTHER);
}

static void test_header_single_bytes_are_known_only_when_compact(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        char name = (char)byte;
        bool letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
        if (!letter || !is_known(&name, 1))
            assert_int_equal(header_of(&name, 1), SIP_HEADER_OTHER);
    }
}

static void test_header_name_is_canonical(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROWS; i++) {
        struct slice name = sip_header_name(rows[i].id);
        assert_true(slice_equal(name, slice_text(rows[i].name)));
    }
    assert_int_equal(sip_header_name(SIP_HEADER_OTHER).len, 0);
    assert_int_equal(sip_header_name((enum sip_header)SIP_HEADER_COUNT).len, 0);
}

static void test_method_names_are_case_sensitive(void **state)
{
    (void)state;
    for (unsigned id = SIP_METHOD_OTHER + 1; id < SIP_METHOD_COUNT; id++) {
        struct slice name = sip_method_name((enum sip_method)id);
        assert_int_equal(sip_method_of(fence_copy(name.at, name.len)), id);
        for (uint32_t at = 0; at < name.len; at++) {
            char changed[16];
            memcpy(changed, name.at, name.len);
            changed[at] ^= 0x20;
            assert_int_equal(sip_method_of(slice_of(changed, name.len)), SIP_METHOD_OTHER);
            assert_int_equal(sip_method_of(slice_of(name.at, at)), SIP_METHOD_OTHER);
        }
    }
    assert_int_equal(sip_method_of(SLICE("INVITEX")), SIP_METHOD_OTHER);
    assert_int_equal(sip_method_of(SLICE("IN%56ITE")), SIP_METHOD_OTHER); // RFC 4475 3.1.1.2
    assert_true(slice_equal(sip_method_name(SIP_METHOD_OTHER), SLICE("OTHER")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_names_are_known_in_any_case),
        cmocka_unit_test(test_header_compact_forms_are_known_in_both_cases),
        cmocka_unit_test(test_header_near_misses_are_other),
        cmocka_unit_test(test_header_single_bytes_are_known_only_when_compact),
        cmocka_unit_test(test_header_name_is_canonical),
        cmocka_unit_test(test_method_names_are_case_sensitive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
