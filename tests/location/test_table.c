// What location.h promises of creation, puts and look-ups.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

#define AOR SLICE("alice@example.com")

static const struct slice contacts[] = {
    {"sip:a@192.0.2.1", 15}, {"sip:b@192.0.2.2", 15}, {"sip:c@192.0.2.3", 15}, {"sip:d@192.0.2.4", 15}};

static int put(struct fixture *f, struct slice aor, const struct location_binding *bindings, unsigned n,
               uint64_t now_ms)
{
    return location_put(f->location, location_key(f->location, aor), aor, bindings, n, now_ms);
}

static void test_create_refuses_impossible_limits(void **state)
{
    (void)state;
    static const struct location_limits cases[] = {
        {.shards = 0, .bindings = 10},
        {.shards = 1, .bindings = 0},
        {.shards = LOCATION_SHARDS_MAX + 1, .bindings = 10000},
        {.shards = 1, .bindings = 400000000},
        {.shards = 1, .bindings = UINT64_MAX},
        {.shards = 16, .bindings = UINT64_MAX},
    };
    struct rte_rcu_qsbr *qsbr = fixture_qsbr(1);
    struct counted counted = {0};
    struct memory memory = counted_memory(&counted);
    struct hash_key key = {1, 2};
    struct location *location;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(location_create(&location, &cases[i], &key, qsbr, &memory), -EINVAL);
    assert_int_equal(counted.taken, 0);
    free(qsbr);
}

static void test_create_gives_all_back_when_any_allocation_fails(void **state)
{
    (void)state;
    const int nodes[] = {1, 0, 1};
    struct location_limits limits = {.shards = 3, .bindings = 100, .nodes = nodes};
    struct rte_rcu_qsbr *qsbr = fixture_qsbr(1);
    struct hash_key key = {1, 2};
    unsigned fail = 1;

    for (;; fail++) {
        struct counted counted = {.fail = fail};
        struct memory memory = counted_memory(&counted);
        struct location *location = NULL;
        int error = location_create(&location, &limits, &key, qsbr, &memory);

        if (counted.taken < fail) { // so every one of them has failed once
            assert_int_equal(error, 0);
            location_destroy(location);
            assert_int_equal(counted.pieces, 0);
            assert_int_equal(counted.bytes, 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_null(location);
        assert_int_equal(counted.pieces, 0);
        assert_int_equal(counted.bytes, 0);
    }
    assert_int_equal(fail, 5); // the table and three shards
    free(qsbr);
}

static void test_create_takes_each_shard_on_its_node(void **state)
{
    (void)state;
    const int nodes[] = {1, 0, 1};
    struct location_limits limits = {.shards = 3, .bindings = 100, .nodes = nodes};
    struct rte_rcu_qsbr *qsbr = fixture_qsbr(1);
    struct counted counted = {0};
    struct memory memory = counted_memory(&counted);
    struct hash_key key = {1, 2};
    struct location *location;

    assert_int_equal(location_create(&location, &limits, &key, qsbr, &memory), 0);
    assert_int_equal(counted.nodes[0], MEMORY_ANY_NODE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(counted.nodes[i + 1], nodes[i]);
    location_destroy(location);
    location_destroy(NULL);
    free(qsbr);
}

static void test_table_stands_on_system_memory(void **state)
{
    (void)state;
    struct location_limits limits = {.shards = 2, .bindings = 1000};
    struct rte_rcu_qsbr *qsbr = fixture_qsbr(1);
    struct hash_key key = {1, 2};
    struct fixture f = {.qsbr = qsbr, .shards = 2};

    assert_int_equal(location_create(&f.location, &limits, &key, qsbr, &memory_system), 0);
    assert_int_equal(fixture_put(&f, AOR, contacts[0], 1000), 0);
    assert_non_null(fixture_find(&f, AOR));
    location_destroy(f.location);
    free(qsbr);
}

static void test_find_returns_every_field(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding got;
    unsigned position = 0;
    const struct location_binding binding = {
        .contact = SLICE("sip:alice@198.51.100.7:5062;transport=udp"),
        .call_id = SLICE("f81d4fae7dec11d0a76500a0c91e6bf6"),
        .path = SLICE("<sip:p1.example.com;lr>, <sip:p2.example.com;lr>"),
        .received = endpoint_ip4(203, 0, 113, 9, 40000),
        .expires_ms = 0x123456789abcdef0,
        .cseq = 0xfedcba98,
        .methods = 0x89abcdef,
        .q = 1000,
        .listener = 255,
    };

    fixture_open(&f, 3, 100, 1);
    assert_null(fixture_find(&f, AOR));
    assert_int_equal(put(&f, AOR, &binding, 1, 5), 0);
    const struct location_set *set = fixture_find(&f, AOR);

    assert_non_null(set);
    assert_true(slice_equal(location_set_aor(set), AOR));
    assert_true(location_next(set, 5, &position, &got));
    assert_true(slice_equal(got.contact, binding.contact));
    assert_true(slice_equal(got.call_id, binding.call_id));
    assert_true(slice_equal(got.path, binding.path));
    assert_true(endpoint_equal(&got.received, &binding.received));
    assert_true(got.expires_ms == binding.expires_ms);
    assert_int_equal(got.cseq, binding.cseq);
    assert_int_equal(got.methods, binding.methods);
    assert_int_equal(got.q, 1000);
    assert_int_equal(got.listener, 255);
    assert_false(location_next(set, 5, &position, &got));
    assert_false(location_next(set, 5, &position, &got));
    assert_null(fixture_find(&f, SLICE("bob@example.com")));
    fixture_close(&f);
}

static void test_bindings_may_be_without_texts(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding got;
    unsigned position = 0;

    fixture_open(&f, 1, 10, 1);
    assert_int_equal(fixture_put(&f, (struct slice){NULL, 0}, (struct slice){NULL, 0}, 1), 0);
    const struct location_set *set = fixture_find(&f, (struct slice){NULL, 0});

    assert_non_null(set);
    assert_true(location_next(set, 0, &position, &got));
    assert_int_equal(got.contact.len + got.call_id.len + got.path.len + location_set_aor(set).len, 0);
    fixture_close(&f);
}

static void test_next_gives_highest_q_first_then_order_given(void **state)
{
    (void)state;
    static const uint16_t qs[] = {500, 1000, 0, 1000, 500, 500, 1000};
    static const uint32_t order[] = {1, 3, 6, 0, 4, 5, 2};
    struct fixture f;
    struct location_binding bindings[7] = {0};
    struct location_binding got;
    unsigned position = 0;

    for (uint32_t i = 0; i < 7; i++)
        bindings[i] = (struct location_binding){
            .contact = contacts[i % 4], .q = qs[i], .cseq = i, .expires_ms = 100 + i};
    fixture_open(&f, 1, 10, 1);
    assert_int_equal(put(&f, AOR, bindings, 7, 0), 0);
    for (unsigned i = 0; i < 7; i++) {
        assert_true(location_next(fixture_find(&f, AOR), 0, &position, &got));
        assert_int_equal(got.cseq, order[i]);
        assert_true(slice_equal(got.contact, bindings[order[i]].contact));
    }
    fixture_close(&f);
}

static void test_next_skips_a_binding_from_its_last_millisecond_on(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding bindings[] = {
        {.contact = contacts[0], .expires_ms = 1500, .q = 3},
        {.contact = contacts[1], .expires_ms = 1200, .q = 2},
        {.contact = contacts[2], .expires_ms = 9000, .q = 1},
    };
    struct location_binding got;
    unsigned position = 0;

    fixture_open(&f, 1, 10, 1);
    assert_int_equal(put(&f, AOR, bindings, 3, 0), 0);
    const struct location_set *set = fixture_find(&f, AOR);

    assert_int_equal(fixture_live(set, 1199), 3);
    assert_int_equal(fixture_live(set, 1200), 2);
    assert_int_equal(fixture_live(set, 1499), 2);
    assert_int_equal(fixture_live(set, 1500), 1);
    assert_true(location_next(set, 1500, &position, &got));
    assert_true(slice_equal(got.contact, contacts[2]));
    assert_int_equal(fixture_live(set, 9000), 0);
    fixture_close(&f);
}

static void test_put_replaces_and_old_set_stays_for_its_readers(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, 1, 1000, 1);
    assert_int_equal(fixture_put(&f, AOR, contacts[0], 1000), 0);
    const struct location_set *old = fixture_find(&f, AOR);

    assert_int_equal(fixture_put(&f, AOR, contacts[1], 1000), 0);
    assert_ptr_not_equal(fixture_find(&f, AOR), old);
    // This reader has not reported: nothing may be written over what it holds.
    for (unsigned i = 0; i < 500; i++) {
        char text[32];

        location_expire(f.location, 0, 0, 100);
        assert_int_equal(fixture_put(&f, fixture_aor(text, i), contacts[2], 1000), 0);
    }
    struct location_binding got;
    unsigned position = 0;

    assert_true(location_next(old, 0, &position, &got));
    assert_true(slice_equal(got.contact, contacts[0]));
    position = 0;
    assert_true(location_next(fixture_find(&f, AOR), 0, &position, &got));
    assert_true(slice_equal(got.contact, contacts[1]));
    assert_int_equal(fixture_usage(&f).deferred, 1);
    fixture_expire(&f, 0, 100, 2);
    assert_int_equal(fixture_usage(&f).deferred, 0);
    fixture_close(&f);
}

static void test_put_of_none_or_of_dead_ones_removes(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding dead[] = {{.contact = contacts[0], .expires_ms = 999},
                                      {.contact = contacts[1], .expires_ms = 1000}};

    fixture_open(&f, 1, 10, 1);
    assert_int_equal(put(&f, AOR, NULL, 0, 0), 0);
    assert_int_equal(put(&f, AOR, dead, 2, 1000), 0);
    assert_null(fixture_find(&f, AOR));
    for (unsigned n = 0; n <= 2; n += 2) {
        assert_int_equal(fixture_put(&f, AOR, contacts[0], 5000), 0);
        assert_non_null(fixture_find(&f, AOR));
        assert_int_equal(put(&f, AOR, dead, n, 1000), 0);
        assert_null(fixture_find(&f, AOR));
        assert_int_equal(fixture_usage(&f).aors, 0);
        assert_int_equal(fixture_usage(&f).bindings, 0);
    }
    fixture_close(&f);
}

static void test_put_leaves_out_what_is_dead(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding bindings[] = {{.contact = contacts[0], .expires_ms = 1000, .q = 9},
                                          {.contact = contacts[1], .expires_ms = 1001}};

    fixture_open(&f, 1, 10, 1);
    assert_int_equal(put(&f, AOR, bindings, 2, 1000), 0);
    assert_int_equal(fixture_live(fixture_find(&f, AOR), 0), 1);
    assert_int_equal(fixture_usage(&f).bindings, 1);
    fixture_close(&f);
}

static void test_put_takes_slices_of_the_set_it_replaces(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding bindings[4];
    unsigned n = 0;

    fixture_open(&f, 1, 10, 1);
    for (unsigned i = 0; i < 4; i++)
        bindings[i] = (struct location_binding){.contact = contacts[i], .q = (uint16_t)i, .expires_ms = 1000};
    assert_int_equal(put(&f, AOR, bindings, 4, 0), 0);
    for (unsigned turn = 0; turn < 5; turn++) {
        unsigned position = 0;

        fixture_expire(&f, 0, 10, 1);
        for (n = 0; location_next(fixture_find(&f, AOR), 0, &position, &bindings[n]);)
            n++;
        assert_int_equal(n, 4);
        assert_int_equal(put(&f, location_set_aor(fixture_find(&f, AOR)), bindings, 4, 0), 0);
    }
    unsigned position = 0;

    for (unsigned i = 4; i-- > 0;) {
        assert_true(location_next(fixture_find(&f, AOR), 0, &position, &bindings[0]));
        assert_true(slice_equal(bindings[0].contact, contacts[i]));
    }
    assert_true(slice_equal(location_set_aor(fixture_find(&f, AOR)), AOR));
    fixture_close(&f);
}

static void test_put_refuses_too_many_contacts(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding bindings[LOCATION_CONTACTS_MAX + 1];

    for (unsigned i = 0; i <= LOCATION_CONTACTS_MAX; i++)
        bindings[i] = (struct location_binding){.contact = contacts[i % 4], .cseq = i, .expires_ms = 1000};
    fixture_open(&f, 1, 100, 1);
    assert_int_equal(put(&f, AOR, bindings, LOCATION_CONTACTS_MAX, 0), 0);
    assert_int_equal(put(&f, AOR, bindings, LOCATION_CONTACTS_MAX + 1, 0), -E2BIG);
    assert_int_equal(fixture_live(fixture_find(&f, AOR), 0), LOCATION_CONTACTS_MAX);
    assert_int_equal(fixture_usage(&f).refused, 0);
    fixture_close(&f);
}

static void test_put_refuses_a_set_over_its_maximum(void **state)
{
    (void)state;
    struct fixture f;
    static char text[LOCATION_SET_MAX];
    uint32_t fits = LOCATION_SET_MAX - 32 - 48 - AOR.len;

    memset(text, 'x', sizeof(text));
    fixture_open(&f, 1, 100, 1);
    assert_int_equal(fixture_put(&f, AOR, slice_of(text, fits), 1000), 0);
    assert_int_equal(fixture_put(&f, AOR, slice_of(text, fits + 1), 1000), -E2BIG);
    struct location_binding huge = {.contact = {text, UINT32_MAX},
                                    .call_id = {text, UINT32_MAX},
                                    .path = {text, UINT32_MAX},
                                    .expires_ms = 1};

    assert_int_equal(put(&f, AOR, &huge, 1, 0), -E2BIG);
    unsigned position = 0;

    assert_true(location_next(fixture_find(&f, AOR), 0, &position, &huge));
    assert_true(slice_equal(huge.contact, slice_of(text, fits)));
    fixture_close(&f);
}

static void test_keys_follow_the_secret_and_owners_share(void **state)
{
    (void)state;
    struct fixture a, b;
    unsigned owned[5] = {0};
    char text[32];

    fixture_open(&a, 5, 10, 1);
    fixture_open(&b, 5, 10, 2);
    assert_true(hash128_equal(location_key(a.location, AOR), location_key(a.location, AOR)));
    assert_false(hash128_equal(location_key(a.location, AOR), location_key(b.location, AOR)));
    for (unsigned i = 0; i < 10000; i++) {
        unsigned owner = location_owner(a.location, location_key(a.location, fixture_aor(text, i)));

        assert_true(owner < 5);
        owned[owner]++;
    }
    for (unsigned i = 0; i < 5; i++)
        assert_in_range(owned[i], 1800, 2200);
    fixture_close(&a);
    fixture_close(&b);
}

static void test_prefetch_is_only_a_hint(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, 2, 10, 1);
    struct hash128 key = location_key(f.location, AOR);

    for (unsigned i = 0; i < 3; i++) { // never there, there, gone
        location_prefetch_bucket(f.location, key);
        location_prefetch_record(f.location, key);
        assert_true((location_find(f.location, key) != NULL) == (i == 1));
        if (i == 0)
            assert_int_equal(fixture_put(&f, AOR, contacts[0], 1000), 0);
        else
            assert_int_equal(put(&f, AOR, NULL, 0, 0), 0);
    }
    fixture_close(&f);
}

static void test_walk_meets_every_set_once(void **state)
{
    (void)state;
    enum { SETS = 3000, SHARDS = 3 };
    struct fixture f;
    static uint8_t seen[SETS];
    char text[32];
    unsigned n = 0;

    fixture_open(&f, SHARDS, SETS, 1);
    for (unsigned i = 0; i < SETS; i++)
        assert_int_equal(fixture_put(&f, fixture_aor(text, i), contacts[0], 1000), 0);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const struct location_set *set;
        uint64_t position = 0;

        while ((set = location_walk(f.location, shard, &position, UINT_MAX)) != NULL) {
            struct slice aor = location_set_aor(set);
            uint64_t i;

            assert_int_equal(location_owner(f.location, location_key(f.location, aor)), shard);
            assert_true(slice_number(slice_of(aor.at + 4, slice_find(aor, '@') - 4), SETS - 1, &i));
            assert_int_equal(seen[i]++, 0);
            n++;
        }
        assert_true(position == LOCATION_WALK_END);
        assert_null(location_walk(f.location, shard, &position, UINT_MAX));
    }
    assert_int_equal(n, SETS);
    fixture_close(&f);
}

static void test_walk_stops_after_so_many_places(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t position = 0, before;
    unsigned sets = 0;

    fixture_open(&f, 1, 100, 1);
    assert_int_equal(fixture_put(&f, AOR, contacts[0], 1000), 0);
    do {
        before = position;
        sets += location_walk(f.location, 0, &position, 3) != NULL;
        assert_true(position == LOCATION_WALK_END || position - before <= 3);
    } while (position != LOCATION_WALK_END);
    assert_int_equal(sets, 1);
    fixture_close(&f);
}

static void test_usage_counts(void **state)
{
    (void)state;
    struct fixture f;
    struct location_binding two[] = {{.contact = contacts[0], .expires_ms = 1000},
                                     {.contact = contacts[1], .expires_ms = 9000}};

    fixture_open(&f, 1, 10, 1);
    struct location_usage u = fixture_usage(&f);

    assert_int_equal(u.bindings_max, 10);
    assert_int_equal(u.aors_max, 10);
    assert_true(u.bytes_max >= 10 * LOCATION_BYTES_PER_BINDING);
    assert_true(u.bytes_max + u.index_bytes <= f.counted.bytes);
    assert_int_equal(u.aors + u.bindings + u.bytes + u.deferred + u.refused, 0);
    assert_int_equal(put(&f, AOR, two, 2, 0), 0);
    assert_int_equal(fixture_put(&f, SLICE("bob@example.com"), contacts[2], 1000), 0);
    u = fixture_usage(&f);
    assert_int_equal(u.aors, 2);
    assert_int_equal(u.bindings, 3);
    assert_int_equal(u.bytes, 192 + 128); // 32 + 2 * (48 + 15) + 17 and 32 + 48 + 15 + 15, rounded up to 32
    assert_int_equal(put(&f, AOR, two, 1, 0), 0);
    u = fixture_usage(&f);
    assert_int_equal(u.aors, 2);
    assert_int_equal(u.bindings, 2);
    assert_int_equal(u.deferred, 1);
    assert_int_equal(u.bytes, 192 + 128 + 128); // what readers may hold is in use
    fixture_expire(&f, 0, 10, 2);
    u = fixture_usage(&f);
    assert_int_equal(u.deferred, 0);
    assert_int_equal(u.bytes, 128 + 128);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_refuses_impossible_limits),
        cmocka_unit_test(test_create_gives_all_back_when_any_allocation_fails),
        cmocka_unit_test(test_create_takes_each_shard_on_its_node),
        cmocka_unit_test(test_table_stands_on_system_memory),
        cmocka_unit_test(test_find_returns_every_field),
        cmocka_unit_test(test_bindings_may_be_without_texts),
        cmocka_unit_test(test_next_gives_highest_q_first_then_order_given),
        cmocka_unit_test(test_next_skips_a_binding_from_its_last_millisecond_on),
        cmocka_unit_test(test_put_replaces_and_old_set_stays_for_its_readers),
        cmocka_unit_test(test_put_of_none_or_of_dead_ones_removes),
        cmocka_unit_test(test_put_leaves_out_what_is_dead),
        cmocka_unit_test(test_put_takes_slices_of_the_set_it_replaces),
        cmocka_unit_test(test_put_refuses_too_many_contacts),
        cmocka_unit_test(test_put_refuses_a_set_over_its_maximum),
        cmocka_unit_test(test_keys_follow_the_secret_and_owners_share),
        cmocka_unit_test(test_prefetch_is_only_a_hint),
        cmocka_unit_test(test_walk_meets_every_set_once),
        cmocka_unit_test(test_walk_stops_after_so_many_places),
        cmocka_unit_test(test_usage_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
