#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

struct rte_rcu_qsbr *fixture_qsbr(unsigned readers)
{
    size_t bytes = rte_rcu_qsbr_get_memsize(readers);
    struct rte_rcu_qsbr *qsbr = aligned_alloc(64, bytes);

    assert_non_null(qsbr);
    assert_int_equal(rte_rcu_qsbr_init(qsbr, readers), 0);
    return qsbr;
}

void fixture_open(struct fixture *f, unsigned shards, uint64_t bindings, uint64_t seed)
{
    struct location_limits limits = {.shards = shards, .bindings = bindings};
    struct hash_key key = {seed, ~seed};

    *f = (struct fixture){.shards = shards, .qsbr = fixture_qsbr(2)};
    struct memory memory = counted_memory(&f->counted);

    assert_int_equal(location_create(&f->location, &limits, &key, f->qsbr, &memory), 0);
    assert_int_equal(rte_rcu_qsbr_thread_register(f->qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(f->qsbr, 0);
}

void fixture_close(struct fixture *f)
{
    location_destroy(f->location);
    free(f->qsbr);
    assert_int_equal(f->counted.bytes, 0);
    assert_int_equal(f->counted.pieces, 0);
}

void fixture_quiescent(struct fixture *f)
{
    rte_rcu_qsbr_quiescent(f->qsbr, 0);
}

unsigned fixture_expire(struct fixture *f, uint64_t now_ms, unsigned budget, unsigned rounds)
{
    unsigned removed = 0;

    for (unsigned round = 0; round < rounds; round++) {
        fixture_quiescent(f);
        for (unsigned shard = 0; shard < f->shards; shard++)
            removed += location_expire(f->location, shard, now_ms, budget);
    }
    return removed;
}

int fixture_put(struct fixture *f, struct slice aor, struct slice contact, uint64_t expires_ms)
{
    struct location_binding binding = {.contact = contact, .expires_ms = expires_ms};

    return location_put(f->location, location_key(f->location, aor), aor, &binding, 1, 0);
}

const struct location_set *fixture_find(const struct fixture *f, struct slice aor)
{
    return location_find(f->location, location_key(f->location, aor));
}

unsigned fixture_live(const struct location_set *set, uint64_t now_ms)
{
    struct location_binding binding;
    unsigned position = 0;
    unsigned n = 0;

    while (location_next(set, now_ms, &position, &binding))
        n++;
    return n;
}

struct location_usage fixture_usage(const struct fixture *f)
{
    struct location_usage sum = {0};

    for (unsigned shard = 0; shard < f->shards; shard++) {
        struct location_usage u;

        location_usage(f->location, shard, &u);
        sum.aors += u.aors;
        sum.bindings += u.bindings;
        sum.aors_max += u.aors_max;
        sum.bindings_max += u.bindings_max;
        sum.bytes += u.bytes;
        sum.bytes_max += u.bytes_max;
        sum.index_bytes += u.index_bytes;
        sum.deferred += u.deferred;
        sum.refused += u.refused;
    }
    return sum;
}

struct slice fixture_aor(char text[32], uint64_t n)
{
    return slice_of(text, (size_t)snprintf(text, 32, "user%llu@example.com", (unsigned long long)n));
}
