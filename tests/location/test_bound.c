// Every bound holds, and gives back what it took: bindings, index, memory of any mix of sizes, retired records.
#include <errno.h>
#include <stdlib.h>

#include "fixture.h"

#define CONTACT SLICE("sip:alice@192.0.2.1")

static char filler[LOCATION_SET_MAX];

static int drop(struct fixture *f, struct slice aor)
{
    return location_put(f->location, location_key(f->location, aor), aor, NULL, 0, 0);
}

static void test_table_holds_what_is_configured_and_not_more(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1, 2, 7, 64, 100, 1000, 20000};
    char text[32];

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned seed = 0; seed < (sizes[i] > 100 ? 3 : 50); seed++) {
            struct fixture f;

            fixture_open(&f, 1, sizes[i], seed);
            for (unsigned n = 0; n < sizes[i]; n++)
                assert_int_equal(fixture_put(&f, fixture_aor(text, n), CONTACT, 1000), 0);
            assert_int_equal(fixture_put(&f, fixture_aor(text, sizes[i]), CONTACT, 1000), -ENOSPC);
            assert_int_equal(fixture_usage(&f).refused, 1);
            assert_null(fixture_find(&f, fixture_aor(text, sizes[i])));
            for (unsigned n = 0; n < sizes[i]; n++)
                assert_non_null(fixture_find(&f, fixture_aor(text, n)));
            fixture_close(&f);
        }
    }
}

static void test_shards_have_room_for_their_imbalance(void **state)
{
    (void)state;
    char text[32];

    for (unsigned seed = 0; seed < 20; seed++) {
        struct fixture f;

        fixture_open(&f, 1 + seed, 5000, seed);
        for (unsigned n = 0; n < 5000; n++)
            assert_int_equal(fixture_put(&f, fixture_aor(text, n), CONTACT, 1000), 0);
        fixture_close(&f);
    }
}

static void test_full_table_keeps_old_sets_and_serves_again(void **state)
{
    (void)state;
    struct location_binding two[] = {{.contact = SLICE("sip:1@192.0.2.1"), .expires_ms = 10},
                                     {.contact = SLICE("sip:2@192.0.2.1"), .expires_ms = 10}};
    struct fixture f;
    char text[32];

    fixture_open(&f, 1, 4, 1);
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(fixture_put(&f, fixture_aor(text, n), CONTACT, 1000), 0);
    struct slice aor = fixture_aor(text, 2);
    struct hash128 key = location_key(f.location, aor);

    assert_int_equal(location_put(f.location, key, aor, two, 2, 0), -ENOSPC);
    struct location_binding got;
    unsigned position = 0;

    assert_true(location_next(fixture_find(&f, aor), 0, &position, &got));
    assert_true(slice_equal(got.contact, CONTACT));
    assert_false(location_next(fixture_find(&f, aor), 0, &position, &got));
    // A refresh of what is there is no more than before.
    assert_int_equal(location_put(f.location, key, aor, two, 1, 0), 0);
    assert_int_equal(drop(&f, fixture_aor(text, 0)), 0);
    aor = fixture_aor(text, 2);
    assert_int_equal(location_put(f.location, key, aor, two, 2, 0), 0);
    assert_int_equal(fixture_put(&f, fixture_aor(text, 9), CONTACT, 1000), -ENOSPC);
    assert_int_equal(fixture_usage(&f).refused, 2);
    fixture_close(&f);
}

static void test_churn_of_new_addresses_leaves_nothing_behind(void **state)
{
    (void)state;
    enum { LIVE = 500, TURNS = 300000 };
    struct fixture f;
    char text[32];

    // Always at the bound: every slot, overflow bucket and record is used many times.
    fixture_open(&f, 1, LIVE, 3);
    for (unsigned n = 0; n < TURNS; n++) {
        uint64_t expires_ms = 1000 + (n * 7919ull) % 5000000;

        if (n >= LIVE)
            assert_int_equal(drop(&f, fixture_aor(text, n - LIVE)), 0);
        assert_int_equal(fixture_put(&f, fixture_aor(text, n), CONTACT, expires_ms), 0);
        if (n % 8 == 0)
            fixture_expire(&f, 0, 16, 1);
    }
    for (unsigned n = TURNS - LIVE; n < TURNS; n++) {
        assert_non_null(fixture_find(&f, fixture_aor(text, n)));
        assert_int_equal(drop(&f, fixture_aor(text, n)), 0);
    }
    fixture_expire(&f, 0, LIVE, 4);
    struct location_usage u = fixture_usage(&f);

    assert_int_equal(u.aors + u.bindings + u.bytes + u.deferred + u.refused, 0);
    // Nor on the wheel: nothing is left to remove.
    for (uint64_t now = 0; now < 10000000; now += 1000)
        assert_int_equal(location_expire(f.location, 0, now, 1), 0);
    fixture_close(&f);
}

// Puts sets of `bytes` text each until the table says no; returns how many went in.
static unsigned fill(struct fixture *f, uint64_t from, uint32_t bytes)
{
    char text[32];

    for (unsigned n = 0;; n++) {
        int error = fixture_put(f, fixture_aor(text, from + n), slice_of(filler, bytes), 1000);

        // What readers may still hold, and what lies apart, comes back in a few turns of the loop.
        for (unsigned turn = 0; error != 0 && turn < 200; turn++) {
            fixture_expire(f, 0, 64, 1);
            error = fixture_put(f, fixture_aor(text, from + n), slice_of(filler, bytes), 1000);
        }
        if (error != 0) {
            assert_int_equal(error, -ENOSPC);
            return n;
        }
    }
}

static void test_memory_serves_any_size_after_any_other(void **state)
{
    (void)state;
    enum { BINDINGS = 30000 }; // 9.6 MB of records
    static const uint32_t texts[] = {10, 16000, 300, 5000, 900, 12000, 60};
    struct fixture f;
    char text[32];
    uint64_t from = 0;
    unsigned pinned[sizeof(texts) / sizeof(texts[0])] = {0};

    fixture_open(&f, 1, BINDINGS, 1);
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct location_usage before = fixture_usage(&f);
        unsigned n = fill(&f, from, texts[i]);
        struct location_usage after = fixture_usage(&f);

        // Full by count, or to the promised share of the memory (an eighth of a page is lost to its end at most).
        if (after.bindings != after.bindings_max)
            assert_true(after.bytes >= (uint64_t)BINDINGS * LOCATION_BYTES_PER_BINDING / 8 * 7);
        assert_true(n > 0);
        assert_int_equal(after.bindings, before.bindings + n);
        // The worst for who comes next: of every page's worth one stays.
        uint32_t stride = (uint32_t)(65536 / (texts[i] + 128) + 1);

        for (unsigned k = 0; k < n; k++) {
            if (k % stride == 0)
                pinned[i]++;
            else
                assert_int_equal(drop(&f, fixture_aor(text, from + k)), 0);
        }
        from += n;
        fixture_expire(&f, 0, 4096, 16);
    }
    uint64_t met = 0;

    for (uint64_t k = 0; k < from; k++) {
        const struct location_set *set = fixture_find(&f, fixture_aor(text, k));
        struct location_binding got;
        unsigned position = 0;

        if (set == NULL)
            continue;
        met++;
        assert_true(location_next(set, 0, &position, &got));
        assert_memory_equal(got.contact.at, filler, got.contact.len);
    }
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        met -= pinned[i];
    assert_int_equal(met, 0);
    fixture_close(&f);
}

static void test_records_wait_for_a_slow_reader_within_the_bound(void **state)
{
    (void)state;
    struct fixture f;
    unsigned refused = 0;
    char text[32];
    struct slice aor = fixture_aor(text, 1);

    fixture_open(&f, 1, 10, 1);
    for (unsigned i = 0; i < 100000; i++) {
        refused += fixture_put(&f, aor, slice_of(filler, 1000), 1000) != 0;
        location_expire(f.location, 0, 0, 32);
    }
    struct location_usage u = fixture_usage(&f);

    assert_true(refused > 0);
    assert_int_equal(u.refused, refused);
    assert_true(u.bytes <= u.bytes_max);
    assert_non_null(fixture_find(&f, aor)); // the old set stays
    fixture_expire(&f, 0, 100000, 3);
    assert_int_equal(fixture_usage(&f).deferred, 0);
    assert_int_equal(fixture_put(&f, aor, slice_of(filler, 1000), 1000), 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_holds_what_is_configured_and_not_more),
        cmocka_unit_test(test_shards_have_room_for_their_imbalance),
        cmocka_unit_test(test_full_table_keeps_old_sets_and_serves_again),
        cmocka_unit_test(test_churn_of_new_addresses_leaves_nothing_behind),
        cmocka_unit_test(test_memory_serves_any_size_after_any_other),
        cmocka_unit_test(test_records_wait_for_a_slow_reader_within_the_bound),
    };

    memset(filler, 'f', sizeof(filler));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
