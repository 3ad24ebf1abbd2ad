// Random operations against a naive table that cannot be wrong: an array.
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

enum { AORS = 2000, CONTACTS = 4, SHARDS = 3, OPERATIONS = 400000, TEXT = 900 };

struct model_binding {
    char contact[TEXT];
    uint32_t contact_len;
    uint64_t expires_ms;
    uint32_t cseq;
    uint16_t q;
};

struct model_set {
    unsigned n;
    struct model_binding bindings[CONTACTS];
};

static struct model_set model[AORS];

// The binding that must come next after the `done` ones: highest q, then the order of the put.
static const struct model_binding *expected(const struct model_set *set, uint64_t now_ms, unsigned *done)
{
    const struct model_binding *best = NULL;

    for (unsigned i = 0; i < set->n; i++) {
        const struct model_binding *b = &set->bindings[i];

        if (b->expires_ms > now_ms && !(*done & 1u << i) && (best == NULL || b->q > best->q))
            best = b;
    }
    if (best != NULL)
        *done |= 1u << (best - set->bindings);
    return best;
}

static void check(const struct fixture *f, unsigned a, uint64_t now_ms)
{
    char text[32];
    struct slice aor = fixture_aor(text, a);
    const struct location_set *set = fixture_find(f, aor);
    const struct model_binding *b;
    struct location_binding got;
    unsigned position = 0;
    unsigned done = 0;

    if (set != NULL)
        assert_true(slice_equal(location_set_aor(set), aor));
    while ((b = expected(&model[a], now_ms, &done)) != NULL) {
        assert_non_null(set);
        assert_true(location_next(set, now_ms, &position, &got));
        assert_true(slice_equal(got.contact, slice_of(b->contact, b->contact_len)));
        assert_int_equal(got.cseq, b->cseq);
        assert_int_equal(got.q, b->q);
        assert_true(got.expires_ms == b->expires_ms);
    }
    assert_false(set != NULL && location_next(set, now_ms, &position, &got));
}

static uint64_t random_expiry(uint64_t now_ms, uint64_t *seed)
{
    switch (random_next(seed) % 8) {
    case 0:
        return now_ms + random_next(seed) % 20000000; // beyond the wheel's horizon
    case 1:
        return now_ms; // dead already
    default:
        return now_ms + random_next(seed) % 120000;
    }
}

static void random_put(struct fixture *f, unsigned a, uint64_t now_ms, uint64_t *seed)
{
    struct model_set *set = &model[a];
    struct location_binding bindings[CONTACTS] = {0};
    char text[32];
    struct slice aor = fixture_aor(text, a);

    set->n = (unsigned)(random_next(seed) % (CONTACTS + 1));
    for (unsigned i = 0; i < set->n; i++) {
        struct model_binding *b = &set->bindings[i];
        uint64_t bits = random_next(seed);

        b->contact_len = (uint32_t)(bits % 8 == 0 ? bits % TEXT : bits % 100);
        memset(b->contact, 'a' + (int)(bits >> 32) % 26, b->contact_len);
        b->expires_ms = random_expiry(now_ms, seed);
        b->cseq = (uint32_t)bits;
        b->q = (uint16_t)(bits >> 40) % 4 * 300;
        bindings[i] = (struct location_binding){.contact = slice_of(b->contact, b->contact_len),
                                                .expires_ms = b->expires_ms,
                                                .cseq = b->cseq,
                                                .q = b->q};
    }
    assert_int_equal(location_put(f->location, location_key(f->location, aor), aor, bindings, set->n, now_ms),
                     0);
}

static void test_table_agrees_with_model(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 20240229;
    uint64_t now_ms = 0;

    fixture_open(&f, SHARDS, AORS * CONTACTS, 5);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        uint64_t bits = random_next(&seed);
        unsigned a = (unsigned)(bits % AORS);

        if ((bits >> 60) < 4)
            random_put(&f, a, now_ms, &seed);
        else
            check(&f, a, now_ms);
        if ((bits >> 48) % 16 == 0)
            now_ms += bits % 3000;
        if ((bits >> 20) % 4096 == 0)
            now_ms += bits % 10000000;
        if (i % 4 == 0) {
            now_ms += bits % 50;
            fixture_expire(&f, now_ms, 8, 1);
        }
    }
    for (unsigned a = 0; a < AORS; a++)
        check(&f, a, now_ms);
    // In the end all that lives is what the model says.
    fixture_expire(&f, now_ms + 1000, 100, AORS / 10);
    uint64_t live = 0;

    for (unsigned a = 0; a < AORS; a++)
        for (unsigned k = 0; k < model[a].n; k++)
            live += model[a].bindings[k].expires_ms > now_ms + 1000;
    struct location_usage u = fixture_usage(&f);

    assert_true(u.bindings >= live);
    fixture_expire(&f, now_ms + 30000000, 100, AORS / 10);
    u = fixture_usage(&f);
    assert_int_equal(u.aors + u.bindings + u.bytes + u.deferred + u.refused, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table_agrees_with_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
