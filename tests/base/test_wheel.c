// The wheel and the list, each against a model that looks at every record.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/list.h"
#include "base/random.h"
#include "base/wheel.h"

enum { NUMBERS = 60, OPERATIONS = 60000, TICK_MS = 8 };

struct box {
    struct wheel wheel;
    uint32_t spokes[WHEEL_SPOKES_MAX];
    struct list_link links[NUMBERS + 1];
    uint16_t places[NUMBERS + 1];
    uint64_t random;

    // The model.
    uint64_t now, swept;           // `swept`: all before it is
    uint64_t horizon;              // ticks
    bool waits[NUMBERS + 1];       // by number
    uint64_t at[NUMBERS + 1];      // tick
    uint64_t puts[NUMBERS + 1];    // the order in which they were put
    uint64_t puts_n, given, leaps; // so far
};

static uint64_t below(struct box *b, uint64_t n)
{
    return random_next(&b->random) % n;
}

static struct box *box_open(uint32_t spokes, uint64_t seed)
{
    struct box *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    wheel_init(&b->wheel, b->spokes, spokes, b->links);
    b->random = seed;
    b->horizon = spokes;
    for (unsigned i = 0; i <= NUMBERS; i++)
        b->places[i] = WHEEL_NONE;
    return b;
}

static void expect(struct box *b, uint32_t number, uint64_t tick)
{
    wheel_expect(&b->wheel, number, &b->places[number], tick);
    if (b->waits[number] && b->at[number] <= tick)
        return;
    if (tick < b->swept)
        tick = b->swept;
    if (tick > b->swept + b->horizon - 1)
        tick = b->swept + b->horizon - 1;
    b->waits[number] = true;
    b->at[number] = tick;
    b->puts[number] = ++b->puts_n;
}

static void forget(struct box *b, uint32_t number)
{
    wheel_remove(&b->wheel, number, &b->places[number]);
    b->waits[number] = false;
}

// The earliest, of those of one tick the one that came last; 0: none.
static uint32_t next_in_model(const struct box *b)
{
    uint32_t next = 0;

    for (uint32_t i = 1; i <= NUMBERS; i++)
        if (b->waits[i] && b->at[i] <= b->now &&
            (next == 0 || b->at[i] < b->at[next] || (b->at[i] == b->at[next] && b->puts[i] > b->puts[next])))
            next = i;
    return next;
}

static unsigned waiting_in_model(const struct box *b)
{
    unsigned n = 0;

    for (unsigned i = 1; i <= NUMBERS; i++)
        n += b->waits[i];
    return n;
}

// What is longer ago than the wheel goes round stands on the list that its tick has there now.
static void leap_in_model(struct box *b)
{
    if (b->now < b->swept + b->horizon)
        return;
    b->leaps += waiting_in_model(b) > 0;
    b->swept = b->now - b->horizon + 1;
    for (unsigned i = 1; i <= NUMBERS; i++)
        if (b->waits[i] && b->at[i] < b->swept)
            b->at[i] += (b->swept - b->at[i] + b->horizon - 1) / b->horizon * b->horizon;
}

static uint32_t due(struct box *b)
{
    leap_in_model(b);
    uint32_t wanted = next_in_model(b);
    uint32_t number = wheel_due(&b->wheel, b->now);

    assert_int_equal(number, wanted);
    if (number == 0) {
        if (b->swept <= b->now)
            b->swept = b->now + 1;
        return 0;
    }
    b->places[number] = WHEEL_NONE;
    b->waits[number] = false;
    b->swept = b->at[number];
    b->given++;
    return number;
}

static void check(const struct box *b)
{
    assert_int_equal(b->wheel.waiting, waiting_in_model(b));
    for (unsigned i = 1; i <= NUMBERS; i++) {
        assert_int_equal(b->places[i] != WHEEL_NONE, b->waits[i]);
        if (b->waits[i])
            assert_int_equal(wheel_tick_at(&b->wheel, b->places[i]), b->at[i]);
    }
}

static void operate(struct box *b)
{
    uint32_t number = (uint32_t)below(b, NUMBERS) + 1;

    switch (below(b, 16)) {
    case 0:
        forget(b, number); // whether it is there or not
        break;
    case 1:
        expect(b, number, b->now > 5 ? b->now - below(b, 5) : 0); // what has passed
        break;
    case 2:
        expect(b, number, b->now + b->horizon + below(b, 4) - 1); // about the horizon
        break;
    case 3:
        expect(b, number, below(b, 2) == 0 ? UINT64_MAX : b->now + below(b, 1000000));
        break;
    case 4:
        b->now += below(b, b->horizon + 1);
        break;
    case 5:
        if (below(b, 30) == 0)
            b->now += b->horizon - 1 + below(b, 2 * b->horizon + 4);
        break;
    case 6:
        b->now -= below(b, 30) == 0 && b->now > 3 ? below(b, 3) : 0; // a clock that goes back
        break;
    case 7:
    case 8: // a turn, not always to its end
        for (uint64_t left = below(b, NUMBERS); left > 0 && (number = due(b)) != 0; left--)
            if (below(b, 3) == 0)
                expect(b, number, b->now + 1 + below(b, b->horizon));
        break;
    default:
        expect(b, number, b->now + below(b, b->horizon));
    }
}

static void test_any_operations_are_those_of_the_model(void **state)
{
    static const uint32_t spokes[] = {1, 2, 16, 256, WHEEL_SPOKES_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(spokes) / sizeof(spokes[0]); i++) {
        struct box *b = box_open(spokes[i], i);

        for (unsigned n = 0; n < OPERATIONS; n++) {
            operate(b);
            check(b);
        }
        assert_true(b->given > OPERATIONS / 20);
        assert_true(b->leaps > 20);
        free(b);
    }
}

static void test_each_is_given_in_its_tick_however_far(void **state)
{
    struct box *b = box_open(16, 1);
    uint64_t wanted[NUMBERS + 1];
    unsigned left = NUMBERS;

    (void)state;
    for (uint32_t i = 1; i <= NUMBERS; i++) {
        wanted[i] = 1 + i * i; // the last ones over two hundred rounds away
        expect(b, i, wanted[i]);
    }
    for (; left > 0; b->now++) {
        for (uint32_t number; (number = due(b)) != 0;) {
            assert_true(b->now <= wanted[number]);
            left -= b->now == wanted[number];
            if (b->now < wanted[number])
                expect(b, number, wanted[number]);
        }
    }
    free(b);
}

static void test_of_one_tick_the_last_that_came_is_first(void **state)
{
    struct box *b = box_open(64, 1);

    (void)state;
    for (uint32_t i = 1; i <= 4; i++)
        expect(b, i, 7);
    expect(b, 2, 9); // it is there already, and early enough
    forget(b, 3);
    expect(b, 3, 7);
    b->now = 6;
    assert_int_equal(due(b), 0);
    b->now = 7;
    assert_int_equal(due(b), 3);
    assert_int_equal(b->links[3].next, 4); // who comes next can be seen
    assert_int_equal(due(b), 4);
    expect(b, 5, 3); // its time has passed, so it is given in this sweep
    assert_int_equal(due(b), 5);
    assert_int_equal(due(b), 2);
    assert_int_equal(due(b), 1);
    assert_int_equal(due(b), 0);
    free(b);
}

static void test_a_leap_of_the_clock_gives_everybody(void **state)
{
    struct box *b = box_open(64, 1);

    (void)state;
    b->now = 1000;
    assert_int_equal(due(b), 0);
    for (uint32_t i = 1; i <= NUMBERS; i++)
        expect(b, i, 1000 + i);
    b->now = UINT64_C(1) << 40;
    for (unsigned n = 0; n < NUMBERS; n++)
        assert_int_not_equal(due(b), 0);
    assert_int_equal(due(b), 0);
    assert_int_equal(b->wheel.tick, b->now + 1);
    free(b);
}

static void test_an_empty_wheel_leaps(void **state)
{
    struct box *b = box_open(64, 1);

    (void)state;
    wheel_leap(&b->wheel, UINT64_C(1) << 40);
    wheel_put(&b->wheel, 1, &b->places[1], (UINT64_C(1) << 40) + 3);
    assert_int_equal(wheel_tick_at(&b->wheel, b->places[1]), (UINT64_C(1) << 40) + 3);
    wheel_leap(&b->wheel, UINT64_C(1) << 41); // not over what waits
    assert_int_equal(wheel_due(&b->wheel, (UINT64_C(1) << 40) + 2), 0);
    assert_int_equal(wheel_due(&b->wheel, (UINT64_C(1) << 40) + 3), 1);
    wheel_leap(&b->wheel, 5); // nor back
    assert_int_equal(b->wheel.tick, (UINT64_C(1) << 40) + 3);
    free(b);
}

static void test_a_tick_is_the_first_that_begins_no_sooner(void **state)
{
    (void)state;
    assert_int_equal(wheel_tick(1, TICK_MS), 1);
    assert_int_equal(wheel_tick(8, TICK_MS), 1);
    assert_int_equal(wheel_tick(9, TICK_MS), 2);
    assert_int_equal(wheel_tick(1001, 1000), 2);
    assert_true(wheel_tick(UINT64_MAX, TICK_MS) == UINT64_C(1) << 61);
}

static void check_list(const struct list *list, const struct list_link *links, const uint32_t *wanted,
                       unsigned n)
{
    uint32_t previous = 0, number = list->first;

    for (unsigned i = 0; i < n; i++, previous = number, number = links[number].next) {
        assert_int_equal(number, wanted[i]);
        assert_int_equal(links[number].previous, previous);
    }
    assert_int_equal(number, 0);
    assert_int_equal(list->last, previous);
    assert_int_equal(links[0].next | links[0].previous, 0);
}

static void test_a_list_keeps_its_order_whoever_goes(void **state)
{
    struct box *b = box_open(1, 3);
    struct list list = {0};
    uint32_t wanted[NUMBERS];
    unsigned n = 0;

    (void)state;
    for (unsigned turn = 0; turn < OPERATIONS; turn++) {
        unsigned at = (unsigned)below(b, NUMBERS);
        uint32_t number = at + 1;

        for (at = 0; at < n && wanted[at] != number;)
            at++;
        if (at == n) {
            list_append(&list, b->links, number);
            wanted[n++] = number;
        } else {
            list_remove(&list, b->links, number);
            for (n--; at < n; at++)
                wanted[at] = wanted[at + 1];
        }
        check_list(&list, b->links, wanted, n);
    }
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_operations_are_those_of_the_model),
        cmocka_unit_test(test_each_is_given_in_its_tick_however_far),
        cmocka_unit_test(test_of_one_tick_the_last_that_came_is_first),
        cmocka_unit_test(test_a_leap_of_the_clock_gives_everybody),
        cmocka_unit_test(test_an_empty_wheel_leaps),
        cmocka_unit_test(test_a_tick_is_the_first_that_begins_no_sooner),
        cmocka_unit_test(test_a_list_keeps_its_order_whoever_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
