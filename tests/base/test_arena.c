// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { PAGES = 20, LARGEST = 65536, RECORDS = 20000 };

struct fixture {
    struct arena arena;
    struct arena_page pages[PAGES];
    char *records;
};

static void open_arena(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->records = aligned_alloc(ARENA_UNIT, PAGES * ARENA_PAGE);
    assert_non_null(f->records);
    arena_init(&f->arena, f->records, f->pages, PAGES, LARGEST);
}

static void test_every_size_fits_its_class_and_wastes_little(void **state)
{
    (void)state;
    for (size_t size = 1; size <= LARGEST; size++) {
        size_t rounded = arena_rounded(size);

        assert_true(rounded >= size);
        assert_int_equal(rounded % ARENA_UNIT, 0);
        assert_true(size < 64 || rounded - size < ARENA_UNIT || rounded * 4 <= size * 5);
    }
    assert_int_equal(arena_rounded(LARGEST), LARGEST);
    assert_int_equal(arena_classes(LARGEST), ARENA_CLASSES);
}

static void test_a_full_arena_says_no_and_is_whole_again_when_all_came_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {65536, 40000, 1000, 64, 1};
    static uint32_t taken[PAGES * ARENA_PAGE / 64 + 1];
    struct fixture f;

    open_arena(&f);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t n = 0, size = sizes[i];

        while ((taken[n] = arena_take(&f.arena, size, true)) != 0)
            memset(arena_at(f.records, taken[n++]), (int)i, size);
        assert_int_equal(n, PAGES * (ARENA_PAGE / arena_rounded(size)));
        assert_int_equal(f.arena.bytes, n * arena_rounded(size));
        while (n > 0)
            arena_give(&f.arena, taken[--n]);
        assert_int_equal(f.arena.bytes, 0);
        assert_int_equal(f.arena.pool_n, PAGES);
    }
    free(f.records);
}

static void test_without_leave_to_grow_a_class_opens_no_page(void **state)
{
    (void)state;
    struct fixture f;

    open_arena(&f);
    assert_int_equal(arena_take(&f.arena, 100, false), 0);
    assert_int_not_equal(arena_take(&f.arena, 100, true), 0);
    assert_int_not_equal(arena_take(&f.arena, 100, false), 0);
    assert_int_equal(f.arena.pool_n, PAGES - 1);
    free(f.records);
}

// One record is left in each page: a page is chosen, its records go elsewhere, and the pool has it again.
static void test_a_sparse_page_leaves_when_the_pool_runs_low(void **state)
{
    (void)state;
    static uint32_t taken[RECORDS];
    struct fixture f;
    size_t n = 0, a_page = ARENA_PAGE / 512;

    open_arena(&f);
    while ((taken[n] = arena_take(&f.arena, 512, true)) != 0)
        n++;
    for (size_t i = 0; i < n; i++)
        if (i % a_page != 0)
            arena_give(&f.arena, taken[i]);
    assert_int_equal(f.arena.pool_n, 0);
    uint32_t page = arena_leave(&f.arena);

    assert_int_not_equal(page, 0);
    assert_int_equal(f.pages[page - 1].used, 1);
    for (size_t i = 0; i < n; i += a_page) {
        if (arena_page(taken[i]) != page - 1)
            continue;
        uint32_t moved = arena_take(&f.arena, 512, false);

        assert_int_not_equal(moved, 0);
        assert_int_not_equal(arena_page(moved), page - 1);
        arena_give(&f.arena, taken[i]);
    }
    assert_int_equal(f.arena.pool_n, 1);
    page = arena_leave(&f.arena);
    arena_stay(&f.arena, page - 1);
    assert_int_equal(f.arena.leaving_n, 0);
    free(f.records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_fits_its_class_and_wastes_little),
        cmocka_unit_test(test_a_full_arena_says_no_and_is_whole_again_when_all_came_back),
        cmocka_unit_test(test_without_leave_to_grow_a_class_opens_no_page),
        cmocka_unit_test(test_a_sparse_page_leaves_when_the_pool_runs_low),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
