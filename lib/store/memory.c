// A store of nothing but memory: one sorted array. For tests, so it is slow and simple.
#include <errno.h>
#include <stdlib.h>

#include "store/backend.h"

struct entry {
    enum store_kind kind;
    struct slice key, value; // both in one piece, the key's
};

struct memory_store {
    struct store store;
    int error;
    unsigned n;
    struct entry *entries;
};

static struct memory_store *of(struct store *store)
{
    return (struct memory_store *)store;
}

// Where the key is, or would be.
static unsigned find(const struct memory_store *memory, enum store_kind kind, struct slice key, bool *found)
{
    const struct store_change wanted = {.kind = kind, .key = key};
    unsigned at = 0;

    for (; at < memory->n; at++) {
        const struct store_change pair[] = {
            {.kind = memory->entries[at].kind, .key = memory->entries[at].key}, wanted};
        uint32_t order[2];
        *found = store_same_key(&pair[0], &pair[1]);
        store_order(pair, 2, order);
        if (*found || order[0] == 1)
            return at;
    }
    *found = false;
    return at;
}

static int apply_one(struct memory_store *memory, const struct store_change *change)
{
    bool found;
    unsigned at = find(memory, change->kind, change->key, &found);

    if (found) {
        free((char *)(uintptr_t)memory->entries[at].key.at);
        memmove(&memory->entries[at], &memory->entries[at + 1], (--memory->n - at) * sizeof(struct entry));
    }
    if (change->value.at == NULL)
        return 0;
    struct entry *entries = realloc(memory->entries, (memory->n + 1) * sizeof(struct entry));
    if (entries == NULL)
        return -ENOMEM;
    memory->entries = entries;
    char *bytes = malloc(change->key.len + change->value.len);
    if (bytes == NULL)
        return -ENOMEM;
    memcpy(bytes, change->key.at, change->key.len);
    memcpy(bytes + change->key.len, change->value.at, change->value.len);
    memmove(&entries[at + 1], &entries[at], (memory->n++ - at) * sizeof(struct entry));
    entries[at] = (struct entry){change->kind, slice_of(bytes, change->key.len),
                                 slice_of(bytes + change->key.len, change->value.len)};
    return 0;
}

static int memory_apply(struct store *store, const struct store_change *changes, unsigned n, bool sync)
{
    int error = of(store)->error;

    (void)sync;
    for (unsigned i = 0; error == 0 && i < n; i++)
        error = apply_one(of(store), &changes[i]);
    return error;
}

static int memory_each(struct store *store, enum store_kind kind, struct slice after,
                       bool (*each)(void *owner, struct slice key, struct slice value), void *owner)
{
    const struct memory_store *memory = of(store);
    bool found;
    unsigned at = find(memory, kind, after, &found);

    for (at += found; at < memory->n && memory->entries[at].kind == kind; at++) {
        if (!each(owner, memory->entries[at].key, memory->entries[at].value))
            break;
    }
    return 0;
}

static int memory_get(struct store *store, enum store_kind kind, struct slice key, void *value, size_t room)
{
    bool found;
    unsigned at = find(of(store), kind, key, &found);

    if (!found)
        return 0;
    struct slice bytes = of(store)->entries[at].value;
    memcpy(value, bytes.at, bytes.len < room ? bytes.len : room);
    return (int)bytes.len;
}

static int memory_usage(struct store *store, struct store_usage *usage)
{
    const struct memory_store *memory = of(store);

    for (unsigned i = 0; i < memory->n; i++) {
        usage->keys[memory->entries[i].kind]++;
        usage->bytes += memory->entries[i].key.len + memory->entries[i].value.len;
    }
    usage->bytes_max = UINT64_MAX;
    return 0;
}

static void memory_close(struct store *store)
{
    struct memory_store *memory = of(store);

    for (unsigned i = 0; i < memory->n; i++)
        free((char *)(uintptr_t)memory->entries[i].key.at);
    free(memory->entries);
    free(memory);
}

static const struct store_backend backend = {memory_close, memory_apply, memory_each, memory_get,
                                             memory_usage};

int store_open_memory(struct store **store)
{
    struct memory_store *memory = calloc(1, sizeof(*memory));

    if (memory == NULL)
        return -ENOMEM;
    memory->store.backend = &backend;
    *store = &memory->store;
    return 0;
}

void store_memory_fail(struct store *store, int error)
{
    of(store)->error = error;
}
