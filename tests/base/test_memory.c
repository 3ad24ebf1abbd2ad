#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"

#define HUGE_PAGE ((size_t)2 << 20)

static void test_memory_is_zeroed_and_writable_to_its_end(void **state)
{
    static const size_t sizes[] = {1, 4096, HUGE_PAGE - 1, HUGE_PAGE, HUGE_PAGE + 1};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *at = memory_system.take(memory_system.owner, sizes[i], MEMORY_ANY_NODE);
        assert_non_null(at);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(at[j], 0);
        memset(at, 0xff, sizes[i]);
        memory_system.give(memory_system.owner, at, sizes[i]);
    }
}

static void test_what_was_used_comes_back_zeroed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        char *at = memory_system.take(memory_system.owner, HUGE_PAGE, MEMORY_ANY_NODE);
        assert_non_null(at);
        assert_int_equal(at[0] | at[HUGE_PAGE - 1], 0);
        at[0] = at[HUGE_PAGE - 1] = 1;
        memory_system.give(memory_system.owner, at, HUGE_PAGE);
    }
}

static void test_a_node_that_is_not_there_is_no_failure(void **state)
{
    static const int nodes[] = {0, 1, 63, 64, 1000000, -7};

    (void)state;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        char *at = memory_system.take(memory_system.owner, 4096, nodes[i]);
        assert_non_null(at);
        at[0] = 1;
        memory_system.give(memory_system.owner, at, 4096);
    }
}

static void test_nothing_and_too_much_are_refused(void **state)
{
    (void)state;
    assert_null(memory_system.take(memory_system.owner, 0, MEMORY_ANY_NODE));
    assert_null(memory_system.take(memory_system.owner, SIZE_MAX, MEMORY_ANY_NODE));
    assert_null(memory_system.take(memory_system.owner, SIZE_MAX / 2, MEMORY_ANY_NODE));
    memory_system.give(memory_system.owner, NULL, 4096);
}

// A table configured large and used little costs what is used: pages come on first touch.
static void test_large_memory_costs_only_what_is_touched(void **state)
{
    size_t size = (size_t)64 << 30;
    char *at = memory_system.take(memory_system.owner, size, MEMORY_ANY_NODE);

    (void)state;
    assert_non_null(at);
    at[0] = at[size - 1] = 1;
    memory_system.give(memory_system.owner, at, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_and_writable_to_its_end),
        cmocka_unit_test(test_what_was_used_comes_back_zeroed),
        cmocka_unit_test(test_a_node_that_is_not_there_is_no_failure),
        cmocka_unit_test(test_nothing_and_too_much_are_refused),
        cmocka_unit_test(test_large_memory_costs_only_what_is_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
