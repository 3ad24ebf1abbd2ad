#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// behind those that it needs
#include <cmocka.h>

static void *take(void *owner, size_t bytes, int node)
{
    struct scene *s = owner;

    (void)node;
    if (s->fail > 0 && --s->fail == 0)
        return NULL;
    s->pieces++;
    void *at = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(at);
    return memset(at, 0, bytes);
}

static void give(void *owner, void *at, size_t bytes)
{
    struct scene *s = owner;

    (void)bytes;
    s->pieces -= at != NULL;
    free(at);
}

void scene_open(struct scene *s, uint32_t rules, uint32_t members)
{
    const struct roster_limits limits = {rules, members};
    const struct hash_key key = {1, 2};

    *s = (struct scene){.qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(2)), .memory = {take, give, s}};
    assert_non_null(s->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(s->qsbr, 2), 0);
    assert_int_equal(rte_rcu_qsbr_thread_register(s->qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(s->qsbr, 0);
    assert_int_equal(roster_create(&s->roster, &limits, &key, s->qsbr, &s->memory), 0);
}

void scene_close(struct scene *s)
{
    roster_destroy(s->roster);
    assert_int_equal(s->pieces, 0);
    free(s->qsbr);
}

int scene_rule(struct scene *s, const char *presentity, const char *watcher, enum roster_decision decision)
{
    struct roster_draft draft;
    int error = roster_rule_draft(s->roster, slice_text(presentity), slice_text(watcher), decision, &draft);

    if (error == 0)
        roster_publish(s->roster, &draft);
    return error;
}

uint64_t scene_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
