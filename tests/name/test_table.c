// The table: against a model, its bounds, expiry, eviction, memory.
#include "fixture.h"

#include <stdio.h>

static struct name_usage usage_of(const struct fixture *f)
{
    struct name_usage usage;

    name_usage(f->table, &usage);
    return usage;
}

static void test_a_name_is_the_same_in_any_case_and_with_its_final_dot(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 16);
    assert_int_equal(fixture_put(&f, "Sip.Example.COM", 7, 1000, 0), 0);
    assert_int_equal(fixture_find(&f, "sip.example.com", 0), 7);
    assert_int_equal(fixture_find(&f, "SIP.EXAMPLE.com.", 0), 7);
    assert_int_equal(fixture_find(&f, "sip.example.co", 0), 0);
    fixture_close(&f);
}

static void test_port_and_kind_are_part_of_the_question(void **state)
{
    struct fixture f;
    struct name_question question = fixture_sip("123");

    (void)state;
    fixture_open(&f, 16);
    assert_int_equal(fixture_put(&f, "123", 7, 1000, 0), 0);
    question.port = 5060;
    assert_null(name_find(f.table, &question, 0));
    question.port = 0;
    assert_non_null(name_find(f.table, &question, 0));
    question.kind = NAME_ENUM;
    assert_null(name_find(f.table, &question, 0));
    fixture_close(&f);
}

static void test_what_enum_says_is_kept_whole(void **state)
{
    struct fixture f;
    struct name_question question = {.name = SLICE("441164960348"), .kind = NAME_ENUM};
    struct name_answer answer = {.expires_ms = 1000};
    char uri[NAME_URI_MAX + 1];

    (void)state;
    fixture_open(&f, 16);
    memset(uri, 'u', sizeof(uri));
    answer.uri = slice_of(uri, NAME_URI_MAX);
    assert_int_equal(name_put(f.table, &question, &answer, 0), 0);
    const struct name_answer *found = name_find(f.table, &question, 0);
    assert_non_null(found);
    assert_true(slice_equal(found->uri, answer.uri));
    assert_ptr_not_equal(found->uri.at, uri);
    assert_int_equal(found->hops_n, 0);
    answer.uri.len = NAME_URI_MAX + 1;
    assert_int_equal(name_put(f.table, &question, &answer, 0), -EINVAL);
    fixture_close(&f);
}

static void test_a_negative_answer_is_an_answer(void **state)
{
    struct fixture f;
    struct name_question question = fixture_sip("nobody.example.com");
    struct name_answer answer = {.expires_ms = 1000, .failed = true};

    (void)state;
    fixture_open(&f, 16);
    assert_int_equal(name_put(f.table, &question, &answer, 0), 0);
    const struct name_answer *found = name_find(f.table, &question, 999);
    assert_non_null(found);
    assert_true(found->failed);
    assert_int_equal(found->hops_n, 0);
    assert_int_equal(found->uri.len, 0);
    fixture_close(&f);
}

static void test_what_is_too_long_is_no_name_and_needs_no_asking(void **state)
{
    struct fixture f;
    char text[NAME_TEXT_MAX + 3];
    struct name_question question = {.kind = NAME_SIP};
    struct fixture_answer answer = {.answer.expires_ms = 1000};

    (void)state;
    fixture_open(&f, 16);
    memset(text, 'a', sizeof(text));
    question.name = slice_of(text, NAME_TEXT_MAX + 1);
    const struct name_answer *found = name_find(f.table, &question, UINT64_MAX - 1);
    assert_non_null(found);
    assert_int_equal(found->hops_n, 0);
    assert_false(found->failed);
    assert_int_equal(name_put(f.table, &question, &answer.answer, 0), -EINVAL);
    question.name.len = NAME_TEXT_MAX;
    assert_null(name_find(f.table, &question, 0));
    assert_int_equal(name_put(f.table, &question, &answer.answer, 0), 0);
    assert_non_null(name_find(f.table, &question, 0));
    fixture_close(&f);
}

static void test_more_hops_than_there_may_be_are_refused(void **state)
{
    struct fixture f;
    struct name_question question = fixture_sip("example.com");
    struct fixture_answer answer = {.answer.expires_ms = 1000};

    (void)state;
    fixture_open(&f, 16);
    for (uint32_t n = 0; n < NAME_HOPS_MAX + 1; n++)
        fixture_add(&answer, n + 1, 0, 0, 0);
    assert_int_equal(name_put(f.table, &question, &answer.answer, 0), -EINVAL);
    answer.answer.hops_n--;
    assert_int_equal(name_put(f.table, &question, &answer.answer, 0), 0);
    fixture_close(&f);
}

static void test_an_answer_ends_with_its_time_to_live(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 16);
    assert_int_equal(fixture_put(&f, "a", 1, 1000, 0), 0);
    assert_int_equal(fixture_put(&f, "b", 2, 2000, 0), 0);
    assert_int_equal(fixture_find(&f, "a", 999), 1);
    assert_int_equal(fixture_find(&f, "a", 1000), 0);
    assert_int_equal(usage_of(&f).names, 2);
    name_expire(f.table, 1000);
    assert_int_equal(usage_of(&f).names, 1);
    assert_int_equal(fixture_find(&f, "b", 1000), 2);
    assert_int_equal(fixture_put(&f, "a", 3, 3000, 1000), 0);
    assert_int_equal(fixture_find(&f, "a", 1000), 3);
    fixture_close(&f);
}

static void test_full_the_one_goes_that_nobody_asked_for(void **state)
{
    struct fixture f;
    char text[16];

    (void)state;
    fixture_open(&f, 16);
    for (uint32_t n = 1; n <= 16; n++) {
        snprintf(text, sizeof(text), "n%u", n);
        assert_int_equal(fixture_put(&f, text, n, 1000, 0), 0);
    }
    // All are new, so the first round takes their mark and then the first one; from then on marks decide.
    assert_int_equal(fixture_put(&f, "x", 100, 1000, 0), 0);
    for (uint32_t n = 1; n <= 16; n++) {
        snprintf(text, sizeof(text), "n%u", n);
        if (n % 2 == 0)
            assert_int_equal(fixture_find(&f, text, 0), n);
    }
    for (uint32_t n = 1; n <= 7; n++) {
        snprintf(text, sizeof(text), "y%u", n);
        assert_int_equal(fixture_put(&f, text, 200 + n, 1000, 0), 0);
    }
    for (uint32_t n = 1; n <= 16; n++) {
        snprintf(text, sizeof(text), "n%u", n);
        assert_int_equal(fixture_find(&f, text, 0), n % 2 == 0 ? n : 0);
    }
    assert_int_equal(usage_of(&f).names, 16);
    assert_int_equal(usage_of(&f).evicted, 8);
    fixture_close(&f);
}

static void test_what_readers_may_still_hold_is_not_used_again(void **state)
{
    struct fixture f;
    struct name_question question = fixture_sip("a");
    struct endpoint hop, expected = fixture_hop(1);
    int error = 0;

    (void)state;
    fixture_open(&f, 16);
    assert_int_equal(fixture_put(&f, "a", 1, 1000, 0), 0);
    const struct name_answer *held = name_find(f.table, &question, 0);
    for (uint32_t n = 2; error == 0; n++) { // the reader is never quiescent: it must run out
        assert_true(n < 1000);
        error = fixture_put(&f, "a", n, 1000, 0);
        assert_true(name_hop(held, 0, 0, &hop));
        assert_true(endpoint_equal(&hop, &expected));
    }
    assert_int_equal(error, -ENOMEM);
    assert_true(fixture_find(&f, "a", 0) > 1); // the last that could be put stays
    fixture_quiescent(&f);
    assert_int_equal(fixture_put(&f, "a", 5000, 1000, 0), 0);
    assert_int_equal(fixture_find(&f, "a", 0), 5000);
    fixture_close(&f);
}

static void test_hits_and_misses_are_counted(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 16);
    assert_int_equal(fixture_put(&f, "a", 1, 1000, 0), 0);
    fixture_find(&f, "a", 0);
    fixture_find(&f, "a", 1);
    fixture_find(&f, "b", 0);
    fixture_find(&f, "a", 1000);
    assert_int_equal(usage_of(&f).hits, 2);
    assert_int_equal(usage_of(&f).misses, 2);
    assert_int_equal(usage_of(&f).names_max, 16);
    fixture_close(&f);
}

static void test_no_memory_is_said_and_nothing_leaks(void **state)
{
    struct fixture f;
    struct name_table *table = NULL;
    const struct hash_key key = {1, 2};

    (void)state;
    fixture_open(&f, 1);
    f.counted.fail = 1;
    assert_int_equal(name_table_create(&table, 100, &key, f.qsbr, &f.memory), -ENOMEM);
    assert_int_equal(name_table_create(&table, 0, &key, f.qsbr, &f.memory), -EINVAL);
    assert_int_equal(name_table_create(&table, NAME_NAMES_MAX + 1, &key, f.qsbr, &f.memory), -EINVAL);
    assert_null(table);
    name_table_destroy(NULL);
    fixture_close(&f);
}

// Puts, expiry and look-ups at random against arrays. What the model has may have been evicted; what it has not, must
// not be found, nor anything with another number.
static void test_model(void **state)
{
    enum { NAMES = 300, BOUND = 128, STEPS = 60000 };
    struct fixture f;
    uint32_t number[NAMES] = {0};
    uint64_t expires[NAMES] = {0};
    uint64_t seed = 5, now = 0, found = 0;
    char text[16];

    (void)state;
    fixture_open(&f, BOUND);
    for (uint32_t step = 1; step <= STEPS; step++) {
        uint64_t bits = random_next(&seed);
        unsigned n = (unsigned)(bits % NAMES);
        snprintf(text, sizeof(text), "name%u", n);
        now += bits >> 32 & 3;
        if ((bits >> 16 & 7) == 0) {
            number[n] = step & 0xffffff;
            expires[n] = now + (bits >> 40) % 20000;
            assert_int_equal(fixture_put(&f, text, number[n], expires[n], now), 0);
        } else {
            uint32_t got = fixture_find(&f, text, now);
            if (got != 0) {
                assert_int_equal(got, number[n]);
                assert_true(expires[n] > now);
                found++;
            }
        }
        fixture_quiescent(&f);
        if (step % 64 == 0)
            name_expire(f.table, now);
        assert_true(usage_of(&f).names <= BOUND);
    }
    assert_true(found > STEPS / 10);
    assert_true(usage_of(&f).evicted > 100);
    name_expire(f.table, UINT64_MAX);
    assert_int_equal(usage_of(&f).names, 0);
    fixture_close(&f);
}

// Without eviction nothing is ever missing.
static void test_within_the_bound_every_name_is_found(void **state)
{
    enum { NAMES = 2000 };
    struct fixture f;
    char text[16];

    (void)state;
    fixture_open(&f, NAMES);
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t n = 0; n < NAMES; n++) {
            snprintf(text, sizeof(text), "name%u", n);
            assert_int_equal(fixture_put(&f, text, n + round + 1, 1000, 0), 0);
            fixture_quiescent(&f);
        }
        for (uint32_t n = 0; n < NAMES; n++) {
            snprintf(text, sizeof(text), "name%u", n);
            assert_int_equal(fixture_find(&f, text, 0), n + round + 1);
        }
    }
    assert_int_equal(usage_of(&f).evicted, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_the_same_in_any_case_and_with_its_final_dot),
        cmocka_unit_test(test_port_and_kind_are_part_of_the_question),
        cmocka_unit_test(test_what_enum_says_is_kept_whole),
        cmocka_unit_test(test_a_negative_answer_is_an_answer),
        cmocka_unit_test(test_what_is_too_long_is_no_name_and_needs_no_asking),
        cmocka_unit_test(test_more_hops_than_there_may_be_are_refused),
        cmocka_unit_test(test_an_answer_ends_with_its_time_to_live),
        cmocka_unit_test(test_full_the_one_goes_that_nobody_asked_for),
        cmocka_unit_test(test_what_readers_may_still_hold_is_not_used_again),
        cmocka_unit_test(test_hits_and_misses_are_counted),
        cmocka_unit_test(test_no_memory_is_said_and_nothing_leaks),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_within_the_bound_every_name_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
