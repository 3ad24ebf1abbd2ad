// The order of RFC 2782: repeatable, complete, and in the proportions of the weights.
#include "fixture.h"

enum { DRAWS = 40000 };

// Puts the answer and gives what is found, so that the order of name_put is in the test.
static const struct name_answer *kept(struct fixture *f, const struct fixture_answer *answer)
{
    struct name_question question = fixture_sip("example.com");

    assert_int_equal(name_put(f->table, &question, &answer->answer, 0), 0);
    const struct name_answer *found = name_find(f->table, &question, 0);
    assert_non_null(found);
    return found;
}

static uint32_t number_of(const struct name_answer *answer, uint64_t random, unsigned i)
{
    struct endpoint hop;

    assert_true(name_hop(answer, random, i, &hop));
    return hop.address[3];
}

static void test_priorities_come_in_order_whatever_the_draw(void **state)
{
    struct fixture f;
    struct fixture_answer answer = {.answer.expires_ms = 1000};
    struct endpoint hop;

    (void)state;
    fixture_open(&f, 16);
    fixture_add(&answer, 3, 30, 65535, 0);
    fixture_add(&answer, 1, 10, 0, 0);
    fixture_add(&answer, 2, 20, 7, 0);
    const struct name_answer *found = kept(&f, &answer);
    for (uint64_t random = 0; random < 100; random++) {
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(number_of(found, random, i), i + 1);
        assert_false(name_hop(found, random, 3, &hop));
    }
    fixture_close(&f);
}

static void test_every_hop_comes_once_and_the_same_way_again(void **state)
{
    struct fixture f;
    struct fixture_answer answer = {.answer.expires_ms = 1000};

    (void)state;
    fixture_open(&f, 16);
    for (uint32_t n = 0; n < NAME_HOPS_MAX; n++)
        fixture_add(&answer, n + 1, (uint16_t)(n % 3), (uint16_t)(n % 5 * 100),
                    (uint16_t)(n % 4 == 3 ? 9 : 0));
    const struct name_answer *found = kept(&f, &answer);
    for (uint64_t random = 0; random < 1000; random++) {
        uint32_t seen = 0;
        for (unsigned i = 0; i < NAME_HOPS_MAX; i++) {
            uint32_t number = number_of(found, random, i);
            assert_false(seen >> number & 1);
            assert_int_equal(number_of(found, random, i), number);
            seen |= 1u << number;
        }
        assert_int_equal(seen, ((1u << NAME_HOPS_MAX) - 1) << 1);
    }
    fixture_close(&f);
}

static void test_weights_are_shares_of_the_first_place(void **state)
{
    static const uint16_t weights[] = {10, 20, 30, 40};
    struct fixture f;
    struct fixture_answer answer = {.answer.expires_ms = 1000};
    unsigned first[5] = {0};

    (void)state;
    fixture_open(&f, 16);
    for (uint32_t n = 0; n < 4; n++)
        fixture_add(&answer, n + 1, 0, (uint16_t)(weights[n] * 100), 0);
    const struct name_answer *found = kept(&f, &answer);
    for (uint64_t random = 0; random < DRAWS; random++)
        first[number_of(found, random, 0)]++;
    for (unsigned n = 0; n < 4; n++) // six standard deviations of the widest are 600
        assert_in_range(first[n + 1], DRAWS / 100 * weights[n] - 600, DRAWS / 100 * weights[n] + 600);
    fixture_close(&f);
}

static void test_weights_decide_the_second_place_too(void **state)
{
    struct fixture f;
    struct fixture_answer answer = {.answer.expires_ms = 1000};
    unsigned drawn = 0, second = 0;

    (void)state;
    fixture_open(&f, 16);
    fixture_add(&answer, 1, 0, 1000, 0);
    fixture_add(&answer, 2, 0, 1000, 0);
    fixture_add(&answer, 3, 0, 3000, 0);
    const struct name_answer *found = kept(&f, &answer);
    for (uint64_t random = 0; random < DRAWS; random++) {
        if (number_of(found, random, 0) != 1)
            continue;
        drawn++;
        second += number_of(found, random, 1) == 3;
    }
    assert_in_range(drawn, DRAWS / 5 - 600, DRAWS / 5 + 600);
    assert_in_range(second, drawn * 3 / 4 - 300, drawn * 3 / 4 + 300);
    fixture_close(&f);
}

static void test_weight_0_beside_others_has_a_very_small_chance(void **state)
{
    struct fixture f;
    struct fixture_answer answer = {.answer.expires_ms = 1000};
    unsigned chosen = 0;

    (void)state;
    fixture_open(&f, 16);
    fixture_add(&answer, 1, 0, 999, 0);
    fixture_add(&answer, 2, 0, 0, 0);
    const struct name_answer *found = kept(&f, &answer);
    for (uint64_t random = 0; random < DRAWS; random++)
        chosen += number_of(found, random, 0) == 2;
    assert_in_range(chosen, 1, DRAWS / 1000 * 3);
    fixture_close(&f);
}

static void test_equal_weights_0_keep_the_order_of_the_dns(void **state)
{
    struct fixture f;
    struct fixture_answer answer = {.answer.expires_ms = 1000};

    (void)state;
    fixture_open(&f, 16);
    for (uint32_t n = 1; n <= 3; n++)
        fixture_add(&answer, n, 0, 0, 0);
    const struct name_answer *found = kept(&f, &answer);
    for (uint64_t random = 0; random < 100; random++)
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(number_of(found, random, i), i + 1);
    fixture_close(&f);
}

// Were each address drawn by itself, the target with three of them would get three quarters.
static void test_addresses_of_one_target_follow_one_another_and_weigh_once(void **state)
{
    struct fixture f;
    struct fixture_answer answer = {.answer.expires_ms = 1000};
    unsigned first = 0;

    (void)state;
    fixture_open(&f, 16);
    for (uint32_t n = 1; n <= 3; n++)
        fixture_add(&answer, n, 0, 1000, 1);
    fixture_add(&answer, 9, 0, 1000, 2);
    const struct name_answer *found = kept(&f, &answer);
    for (uint64_t random = 0; random < DRAWS; random++) {
        uint32_t number = number_of(found, random, 0);
        first += number == 1;
        assert_true(number == 1 || number == 9);
        assert_int_equal(number_of(found, random, number == 1 ? 1 : 2), 2);
        assert_int_equal(number_of(found, random, number == 1 ? 2 : 3), 3);
        assert_int_equal(number_of(found, random, number == 1 ? 3 : 0), 9);
    }
    assert_in_range(first, DRAWS / 2 - 600, DRAWS / 2 + 600);
    fixture_close(&f);
}

static void test_no_hops_is_no_hop(void **state)
{
    struct name_answer answer = {.hops_n = 0};
    struct endpoint hop;

    (void)state;
    assert_false(name_hop(&answer, 1, 0, &hop));
    assert_false(name_hop(&answer, 1, UINT32_MAX, &hop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities_come_in_order_whatever_the_draw),
        cmocka_unit_test(test_every_hop_comes_once_and_the_same_way_again),
        cmocka_unit_test(test_weights_are_shares_of_the_first_place),
        cmocka_unit_test(test_weights_decide_the_second_place_too),
        cmocka_unit_test(test_weight_0_beside_others_has_a_very_small_chance),
        cmocka_unit_test(test_equal_weights_0_keep_the_order_of_the_dns),
        cmocka_unit_test(test_addresses_of_one_target_follow_one_another_and_weigh_once),
        cmocka_unit_test(test_no_hops_is_no_hop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
