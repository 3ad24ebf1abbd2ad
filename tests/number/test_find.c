// Longest match, by cases and against a model that tries every prefix.
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void test_longest_prefix_wins(void **state)
{
    (void)state;
    static const char csv[] = "4,g1\n49,g2\n4930,g3\n493012345678901,g4\n+49,g5\n+493,g6\n0,g7\n";
    static const struct {
        const char *number;
        int found;
    } cases[] = {
        {"", -1},
        {"+", -1},
        {"4", 1},
        {"41", 1},
        {"49", 2},
        {"4931", 2},
        {"493", 2},
        {"4930", 3},
        {"49301234567890", 3},
        {"493012345678901", 4},
        {"4930123456789012345", 4}, // what is behind fifteen digits does not count
        {"+4", -1},
        {"+49", 5},
        {"+493", 6},
        {"+4930", 6},
        {"+41", -1},
        {"++49", -1},
        {"0", 7},
        {"5", -1},
        {"alice", -1},
        {"49a30", 2}, // digits end there
        {"(49)30", 3},
        {"+4-9.3-0", 6},
        {"4-9-3-0", 3},
        {" 49", -1},
        {"\xb4\xb9", -1},
    };
    struct fixture f = {0};

    fixture_load_text(&f, csv);
    assert_string_equal(f.faults, "");
    assert_int_equal(f.error, 0);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (fixture_find(&f, cases[i].number) != cases[i].found)
            fail_msg("\"%s\": %d", cases[i].number, fixture_find(&f, cases[i].number));
    }
    // NUL is in no number.
    assert_int_equal(number_find(f.table, slice_of("49\00030", 5)), 2);
    assert_int_equal(number_find(f.table, (struct slice){NULL, 0}), NUMBER_NONE);
    fixture_close(&f);
}

static void test_table_without_prefixes_finds_nothing(void **state)
{
    (void)state;
    struct fixture f = {0};

    fixture_load_text(&f, "");
    assert_int_equal(f.error, 0);
    assert_int_equal(number_table_prefixes(f.table), 0);
    assert_int_equal(fixture_find(&f, "49"), -1);
    fixture_close(&f);
}

// The model: leads to by number of digits and their value, without and with "+".

enum { DIGITS = 5, VALUES = 100000 };

struct model {
    int16_t leads_to[2][DIGITS + 1][VALUES]; // 0: none
};

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static char *make_csv(struct model *model, unsigned prefixes, uint32_t *random)
{
    char *csv = malloc(prefixes * 24), *at = csv;

    assert_non_null(csv);
    for (unsigned i = 0; i < prefixes;) {
        unsigned plus = next(random) % 2, n = 1 + next(random) % DIGITS, value = next(random) % VALUES;
        for (unsigned cut = n; cut < DIGITS; cut++)
            value /= 10;
        int16_t *leads_to = &model->leads_to[plus][n][value];
        if (*leads_to != 0)
            continue;
        *leads_to = (int16_t)(1 + next(random) % 99);
        at += sprintf(at, "%s%0*u,g%d\n", plus ? "+" : "", (int)n, value, *leads_to);
        i++;
    }
    return csv;
}

static int model_find(const struct model *model, const char *number)
{
    unsigned plus = number[0] == '+', value = 0;
    int found = -1;

    number += plus;
    for (unsigned n = 1; n <= DIGITS && number[n - 1] != 0; n++) {
        value = value * 10 + (unsigned)(number[n - 1] - '0');
        if (model->leads_to[plus][n][value] != 0)
            found = model->leads_to[plus][n][value];
    }
    return found;
}

static void test_finds_what_a_model_finds(void **state)
{
    (void)state;
    static const unsigned prefixes[] = {1, 3, 7, 100, 5000, 60000};
    static struct model model;

    for (unsigned i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        struct fixture f = {0};
        uint32_t random = i, found = 0;
        memset(&model, 0, sizeof(model));
        char *csv = make_csv(&model, prefixes[i], &random);
        fixture_load_text(&f, csv);
        assert_int_equal(f.error, 0);
        assert_int_equal(number_table_prefixes(f.table), prefixes[i]);
        for (unsigned turn = 0; turn < 50000; turn++) {
            char number[32];
            int len = sprintf(number, "%s%08u", next(&random) % 2 ? "+" : "", next(&random) % 100000000);
            number[len - (int)(next(&random) % 8)] = 0;
            int expected = model_find(&model, number);
            if (fixture_find(&f, number) != expected)
                fail_msg("%s: %d, not %d", number, fixture_find(&f, number), expected);
            found += expected >= 0;
        }
        assert_true(prefixes[i] < 7 || found > 100);
        free(csv);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_prefix_wins),
        cmocka_unit_test(test_table_without_prefixes_finds_nothing),
        cmocka_unit_test(test_finds_what_a_model_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
