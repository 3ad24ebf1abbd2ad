// Buckets of one line of memory, which hold signatures and entries' numbers. A bucket that is full is passed over into
// the next one, which it counts, so that a reader knows where to stop. A key keeps its slot as long as it is there, so
// a reader never misses one that stays.
#include "worker/directory.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define SLOTS 10 // of a bucket
#define LOAD  4  // keys in a bucket at the bound
#define LINE  64

struct bucket {
    uint16_t signatures[SLOTS];
    uint32_t entries[SLOTS]; // 0: the slot is free
    uint32_t passed;         // keys that fall into this bucket or before it and are in one behind it
} __attribute__((aligned(LINE)));

_Static_assert(sizeof(struct bucket) == LINE, "a bucket is a cache line");

// Entry 0 is nobody's.
struct entry {
    struct hash128 key;
    uint64_t token; // of the grace period that it waits for
    uint32_t next;  // in the list of free or of replaced ones
    char value[];
};

struct list {
    uint32_t first, last; // 0: empty
};

struct directory {
    struct directory_setup setup;
    struct memory memory;
    struct bucket *buckets;
    char *entries;
    uint32_t buckets_n, entries_n;
    uint32_t stride; // bytes from an entry to the next
    uint32_t fresh;  // entries from here on were never used
    uint32_t count;
    struct list free, replaced;
};

// Small entries share a line, and none begins in one and ends in another without need.
static uint32_t stride_of(uint32_t bytes)
{
    uint32_t all = (uint32_t)offsetof(struct entry, value) + bytes;

    return all <= LINE / 2 ? LINE / 2 : (all + LINE - 1) / LINE * LINE;
}

static size_t buckets_bytes(const struct directory *directory)
{
    return (size_t)directory->buckets_n * sizeof(struct bucket);
}

static size_t entries_bytes(const struct directory *directory)
{
    return (size_t)directory->entries_n * directory->stride;
}

int directory_create(struct directory **created, const struct directory_setup *setup)
{
    const struct memory *memory = setup->memory;

    if (setup->entries == 0 || setup->entries > DIRECTORY_ENTRIES_MAX || setup->bytes == 0)
        return -EINVAL;
    struct directory *directory = memory->take(memory->owner, sizeof(*directory), MEMORY_ANY_NODE);
    if (directory == NULL)
        return -ENOMEM;
    *directory = (struct directory){
        .setup = *setup,
        .memory = *memory,
        .buckets_n = setup->entries / LOAD + 1,
        .entries_n = 1 + setup->entries + setup->entries / 8 + DIRECTORY_SPARE,
        .stride = stride_of(setup->bytes),
        .fresh = 1,
    };
    directory->buckets = memory->take(memory->owner, buckets_bytes(directory), MEMORY_ANY_NODE);
    directory->entries = memory->take(memory->owner, entries_bytes(directory), MEMORY_ANY_NODE);
    if (directory->buckets == NULL || directory->entries == NULL) {
        directory_destroy(directory);
        return -ENOMEM;
    }
    *created = directory;
    return 0;
}

void directory_destroy(struct directory *directory)
{
    if (directory == NULL)
        return;
    struct memory memory = directory->memory;

    memory.give(memory.owner, directory->entries, entries_bytes(directory));
    memory.give(memory.owner, directory->buckets, buckets_bytes(directory));
    memory.give(memory.owner, directory, sizeof(*directory));
}

static struct entry *entry_at(const struct directory *directory, uint32_t number)
{
    return (struct entry *)(directory->entries + (size_t)number * directory->stride);
}

static struct entry *entry_of(void *value)
{
    return (struct entry *)((char *)value - offsetof(struct entry, value));
}

static uint32_t number_of(const struct directory *directory, const struct entry *entry)
{
    return (uint32_t)((size_t)((const char *)entry - directory->entries) / directory->stride);
}

static uint32_t home_of(const struct directory *directory, struct hash128 key)
{
    return (uint32_t)((uint64_t)(uint32_t)key.low * directory->buckets_n >> 32);
}

static uint16_t signature_of(struct hash128 key)
{
    return (uint16_t)(key.low >> 48);
}

static uint32_t behind(const struct directory *directory, uint32_t bucket)
{
    return bucket + 1 == directory->buckets_n ? 0 : bucket + 1;
}

// `*entry` is what the slot held when it was looked at: it may hold another key's before the caller looks again.
static uint32_t *slot_in(const struct directory *directory, struct bucket *bucket, struct hash128 key,
                         struct entry **entry)
{
    uint16_t signature = signature_of(key);

    for (unsigned i = 0; i < SLOTS; i++) {
        if (__atomic_load_n(&bucket->signatures[i], __ATOMIC_RELAXED) != signature)
            continue;
        uint32_t number = __atomic_load_n(&bucket->entries[i], __ATOMIC_ACQUIRE);
        *entry = entry_at(directory, number);
        if (number != 0 && hash128_equal((*entry)->key, key))
            return &bucket->entries[i];
    }
    return NULL;
}

// The slot of a key, or NULL; `*at` is the bucket that it is in. There are more slots than keys, so the round ends.
static uint32_t *slot_find(const struct directory *directory, struct hash128 key, uint32_t *at,
                           struct entry **entry)
{
    *at = home_of(directory, key);
    for (;;) {
        struct bucket *bucket = &directory->buckets[*at];
        uint32_t *slot = slot_in(directory, bucket, key, entry);
        if (slot != NULL || __atomic_load_n(&bucket->passed, __ATOMIC_ACQUIRE) == 0)
            return slot;
        *at = behind(directory, *at);
    }
}

const void *directory_find(const struct directory *directory, struct hash128 key)
{
    struct entry *entry;
    uint32_t at;

    return slot_find(directory, key, &at, &entry) != NULL ? entry->value : NULL;
}

void directory_prefetch(const struct directory *directory, struct hash128 key)
{
    __builtin_prefetch(&directory->buckets[home_of(directory, key)]);
}

const void *directory_decoy(const struct directory *directory, struct hash128 key)
{
    uint32_t fresh = __atomic_load_n(&directory->fresh, __ATOMIC_RELAXED);

    return entry_at(directory, (uint32_t)((uint64_t)(uint32_t)key.high * fresh >> 32))->value;
}

static void append(struct directory *directory, struct list *list, uint32_t number)
{
    entry_at(directory, number)->next = 0;
    if (list->last != 0)
        entry_at(directory, list->last)->next = number;
    else
        list->first = number;
    list->last = number;
}

static uint32_t pop(struct directory *directory, struct list *list)
{
    uint32_t number = list->first;

    if (number != 0)
        list->first = entry_at(directory, number)->next;
    if (list->first == 0)
        list->last = 0;
    return number;
}

void directory_expire(struct directory *directory)
{
    const struct directory_setup *setup = &directory->setup;

    while (directory->replaced.first != 0) {
        struct entry *entry = entry_at(directory, directory->replaced.first);
        if (rte_rcu_qsbr_check(setup->qsbr, entry->token, false) != 1)
            return;
        if (setup->gone != NULL)
            setup->gone(setup->owner, entry->value);
        append(directory, &directory->free, pop(directory, &directory->replaced));
    }
}

static uint32_t take_entry(struct directory *directory)
{
    directory_expire(directory);
    uint32_t number = pop(directory, &directory->free);
    if (number != 0 || directory->fresh == directory->entries_n)
        return number;
    __atomic_store_n(&directory->fresh, directory->fresh + 1, __ATOMIC_RELAXED);
    return directory->fresh - 1;
}

static void change_count(struct directory *directory, int change)
{
    __atomic_store_n(&directory->count, directory->count + (uint32_t)change, __ATOMIC_RELAXED);
}

// Whether it replaces one stands in `token` while it is a draft: who was there must still be when it is published.
void *directory_draft(struct directory *directory, struct hash128 key, int *error)
{
    bool replaces = directory_find(directory, key) != NULL;

    *error = !replaces && directory->count == directory->setup.entries ? -ENOSPC : -EAGAIN;
    uint32_t number = *error == -ENOSPC ? 0 : take_entry(directory);
    if (number == 0)
        return NULL;
    struct entry *entry = entry_at(directory, number);
    entry->key = key;
    entry->token = replaces;
    change_count(directory, !replaces);
    *error = 0;
    return entry->value;
}

void directory_discard(struct directory *directory, void *draft)
{
    struct entry *entry = entry_of(draft);

    change_count(directory, entry->token ? 0 : -1);
    append(directory, &directory->free, number_of(directory, entry));
}

static void retire(struct directory *directory, struct entry *entry)
{
    entry->token = rte_rcu_qsbr_start(directory->setup.qsbr);
    append(directory, &directory->replaced, number_of(directory, entry));
}

static void insert(struct directory *directory, struct hash128 key, uint32_t number)
{
    uint32_t at = home_of(directory, key);

    for (;;) {
        struct bucket *bucket = &directory->buckets[at];
        for (unsigned i = 0; i < SLOTS; i++) {
            if (bucket->entries[i] != 0)
                continue;
            // A reader that sees one without the other finds a key that differs, or nothing.
            __atomic_store_n(&bucket->signatures[i], signature_of(key), __ATOMIC_RELAXED);
            __atomic_store_n(&bucket->entries[i], number, __ATOMIC_RELEASE);
            return;
        }
        __atomic_store_n(&bucket->passed, bucket->passed + 1, __ATOMIC_RELEASE);
        at = behind(directory, at);
    }
}

void directory_publish(struct directory *directory, void *draft)
{
    struct entry *entry = entry_of(draft), *old;
    bool counted = entry->token == 0;
    uint32_t at, number = number_of(directory, entry);
    uint32_t *slot = slot_find(directory, entry->key, &at, &old);

    // Each draft of a new key was counted: of two for the same one only the first stays it.
    change_count(directory, (slot == NULL) - counted);
    if (slot == NULL) {
        insert(directory, entry->key, number);
        return;
    }
    __atomic_store_n(slot, number, __ATOMIC_RELEASE);
    retire(directory, old);
}

int directory_put(struct directory *directory, struct hash128 key, const void *entry)
{
    int error;
    void *draft = directory_draft(directory, key, &error);

    if (draft == NULL)
        return error;
    memcpy(draft, entry, directory->setup.bytes);
    directory_publish(directory, draft);
    return 0;
}

bool directory_remove(struct directory *directory, struct hash128 key)
{
    struct entry *entry;
    uint32_t at;
    uint32_t *slot = slot_find(directory, key, &at, &entry);

    if (slot == NULL)
        return false;
    __atomic_store_n(slot, 0, __ATOMIC_RELEASE);
    for (uint32_t passed = home_of(directory, key); passed != at; passed = behind(directory, passed)) {
        struct bucket *bucket = &directory->buckets[passed];
        __atomic_store_n(&bucket->passed, bucket->passed - 1, __ATOMIC_RELEASE);
    }
    retire(directory, entry);
    change_count(directory, -1);
    return true;
}

const void *directory_next(const struct directory *directory, uint64_t *position)
{
    while (*position < (uint64_t)directory->buckets_n * SLOTS) {
        uint32_t number = directory->buckets[*position / SLOTS].entries[*position % SLOTS];
        ++*position;
        if (number != 0)
            return entry_at(directory, number)->value;
    }
    return NULL;
}

uint32_t directory_count(const struct directory *directory)
{
    return __atomic_load_n(&directory->count, __ATOMIC_RELAXED);
}

uint32_t directory_max(const struct directory *directory)
{
    return directory->setup.entries;
}
