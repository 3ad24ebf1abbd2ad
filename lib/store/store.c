#include <errno.h>
#include <stdlib.h>

#include "store/backend.h"

static bool is_sound(const struct store_change *change)
{
    return change->kind > 0 && change->kind < STORE_KINDS && change->key.len > 0 &&
           change->key.len <= STORE_KEY_MAX &&
           (change->value.at == NULL || change->value.len <= STORE_VALUE_MAX);
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->backend->close(store);
}

int store_apply(struct store *store, const struct store_change *changes, unsigned n, bool sync)
{
    for (unsigned i = 0; i < n; i++) {
        if (!is_sound(&changes[i]))
            return -EINVAL;
    }
    return n == 0 ? 0 : store->backend->apply(store, changes, n, sync);
}

int store_each_after(struct store *store, enum store_kind kind, struct slice after,
                     bool (*each)(void *owner, struct slice key, struct slice value), void *owner)
{
    return store->backend->each(store, kind, after, each, owner);
}

int store_each(struct store *store, enum store_kind kind,
               bool (*each)(void *owner, struct slice key, struct slice value), void *owner)
{
    return store_each_after(store, kind, (struct slice){NULL, 0}, each, owner);
}

int store_get(struct store *store, enum store_kind kind, struct slice key, void *value, size_t room)
{
    return store->backend->get(store, kind, key, value, room);
}

int store_usage(struct store *store, struct store_usage *usage)
{
    *usage = (struct store_usage){0};
    return store->backend->usage(store, usage);
}

bool store_same_key(const struct store_change *a, const struct store_change *b)
{
    return a->kind == b->kind && slice_equal(a->key, b->key);
}

static int compare(const void *left, const void *right, void *owner)
{
    const struct store_change *changes = owner;
    uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;
    const struct store_change *a = &changes[l], *b = &changes[r];
    uint32_t common = a->key.len < b->key.len ? a->key.len : b->key.len;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = common == 0 ? 0 : memcmp(a->key.at, b->key.at, common);
    if (order != 0)
        return order;
    if (a->key.len != b->key.len)
        return a->key.len < b->key.len ? -1 : 1;
    return l < r ? -1 : 1;
}

void store_order(const struct store_change *changes, unsigned n, uint32_t *order)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof(*order), compare, (void *)(uintptr_t)changes);
}
