// Buckets of one line of memory, which hold signatures and entries' numbers; entries of two lines each. A bucket that
// is full is passed over into the next one, which it counts, so that a reader knows where to stop. A key keeps its
// place as long as it is there, so a reader never misses one that stays.
#include <errno.h>

#include "user/user.h"

#define SLOTS 10 // of a bucket
#define LOAD  4  // keys in a bucket at the bound
#define SPARE \
    1024 // entries beyond the bound, for what waits for its grace period; and an eighth of the bound

struct bucket {
    uint16_t signatures[SLOTS];
    uint32_t entries[SLOTS]; // 0: the slot is free
    uint32_t passed;         // keys that fall into this bucket or before it and are in one behind it
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

// Immutable while it can be found. Entry 0 is nobody's, and what is looked at for those who are not there.
struct entry {
    struct hash128 key;
    struct user user;
    uint32_t next;  // in the list of free or of replaced ones; control's alone
    uint64_t token; // of the grace period that it waits for
} __attribute__((aligned(128)));

struct list {
    uint32_t first, last; // 0: empty
};

struct user_table {
    struct hash_key key;
    struct rte_rcu_qsbr *qsbr;
    struct bucket *buckets;
    struct entry *entries;
    uint32_t buckets_n, entries_n;
    uint32_t fresh; // entries from here on were never used
    uint32_t users, users_max;
    struct list free, replaced;
    struct memory memory;
};

static uint32_t entries_for(uint32_t users)
{
    return 1 + users + users / 8 + SPARE;
}

static size_t buckets_bytes(const struct user_table *table)
{
    return (size_t)table->buckets_n * sizeof(struct bucket);
}

static size_t entries_bytes(const struct user_table *table)
{
    return (size_t)table->entries_n * sizeof(struct entry);
}

int user_table_create(struct user_table **created, uint32_t users, const struct hash_key *key,
                      struct rte_rcu_qsbr *qsbr, const struct memory *memory)
{
    if (users == 0 || users > USER_USERS_MAX)
        return -EINVAL;
    struct user_table *table = memory->take(memory->owner, sizeof(*table), MEMORY_ANY_NODE);
    if (table == NULL)
        return -ENOMEM;
    // Its own key: signatures and places say nothing of other tables'.
    *table = (struct user_table){
        .key = {key->k0 ^ 'u', key->k1},
        .qsbr = qsbr,
        .buckets_n = users / LOAD + 1,
        .entries_n = entries_for(users),
        .fresh = 1,
        .users_max = users,
        .memory = *memory,
    };
    table->buckets = memory->take(memory->owner, buckets_bytes(table), MEMORY_ANY_NODE);
    table->entries = memory->take(memory->owner, entries_bytes(table), MEMORY_ANY_NODE);
    if (table->buckets == NULL || table->entries == NULL) {
        user_table_destroy(table);
        return -ENOMEM;
    }
    *created = table;
    return 0;
}

void user_table_destroy(struct user_table *table)
{
    if (table == NULL)
        return;
    struct memory memory = table->memory;

    memory.give(memory.owner, table->entries, entries_bytes(table));
    memory.give(memory.owner, table->buckets, buckets_bytes(table));
    memory.give(memory.owner, table, sizeof(*table));
}

static bool is_good(struct slice text, uint32_t max)
{
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c <= ' ' || c == 0x7f || c == '"' || c == '\\' || c == ':' || c == ',')
            return false;
    }
    return text.len > 0 && text.len <= max;
}

bool user_name_is_good(struct slice name)
{
    return is_good(name, USER_NAME_MAX);
}

// A realm may be an IPv6 address.
bool user_realm_is_good(struct slice realm)
{
    bool good = realm.len > 0 && realm.len <= USER_REALM_MAX;

    for (uint32_t i = 0; good && i < realm.len; i++)
        good = realm.at[i] == ':' || is_good(slice_of(realm.at + i, 1), 1);
    return good;
}

// What is too long is cut here, and refused elsewhere.
static struct hash128 key_of(const struct user_table *table, struct slice name, struct slice realm)
{
    char text[USER_NAME_MAX + 1 + USER_REALM_MAX];
    uint32_t len = name.len < USER_NAME_MAX ? name.len : USER_NAME_MAX;
    uint32_t realm_len = realm.len < USER_REALM_MAX ? realm.len : USER_REALM_MAX;

    if (len > 0)
        memcpy(text, name.at, len);
    text[len++] = ':';
    if (realm_len > 0)
        memcpy(text + len, realm.at, realm_len);
    return hash_sip13(&table->key, text, len + realm_len);
}

static uint32_t home_of(const struct user_table *table, struct hash128 key)
{
    return (uint32_t)((uint64_t)(uint32_t)key.low * table->buckets_n >> 32);
}

static uint16_t signature_of(struct hash128 key)
{
    return (uint16_t)(key.low >> 48);
}

static uint32_t behind(const struct user_table *table, uint32_t bucket)
{
    return bucket + 1 == table->buckets_n ? 0 : bucket + 1;
}

// `*entry` is what the slot held when it was looked at: it may hold another key's before the caller looks again.
static uint32_t *slot_in(const struct user_table *table, struct bucket *bucket, struct hash128 key,
                         uint32_t *entry)
{
    uint16_t signature = signature_of(key);

    for (unsigned i = 0; i < SLOTS; i++) {
        if (__atomic_load_n(&bucket->signatures[i], __ATOMIC_RELAXED) != signature)
            continue;
        *entry = __atomic_load_n(&bucket->entries[i], __ATOMIC_ACQUIRE);
        if (*entry != 0 && hash128_equal(table->entries[*entry].key, key))
            return &bucket->entries[i];
    }
    return NULL;
}

// The slot of a key, or NULL; `*at` is the bucket that it is in. There are more slots than keys, so the round ends.
static uint32_t *slot_find(const struct user_table *table, struct hash128 key, uint32_t *at, uint32_t *entry)
{
    *at = home_of(table, key);
    for (;;) {
        struct bucket *bucket = &table->buckets[*at];
        uint32_t *slot = slot_in(table, bucket, key, entry);
        if (slot != NULL || __atomic_load_n(&bucket->passed, __ATOMIC_ACQUIRE) == 0)
            return slot;
        *at = behind(table, *at);
    }
}

// Some entry that is surely not in the cache either; whoever asks for the same name again finds it there, too.
static uint32_t nobody(const struct user_table *table, struct hash128 key)
{
    uint32_t fresh = __atomic_load_n(&table->fresh, __ATOMIC_RELAXED);

    return (uint32_t)((uint64_t)(uint32_t)key.high * fresh >> 32);
}

bool user_find(const struct user_table *table, struct slice name, struct slice realm, struct user *found)
{
    uint32_t at, entry = 0;

    if (table == NULL) {
        memset(found, 0, sizeof(*found));
        return false;
    }
    struct hash128 key = key_of(table, name, realm);
    bool known = slot_find(table, key, &at, &entry) != NULL;
    *found = table->entries[known ? entry : nobody(table, key)].user;
    return known && name.len <= USER_NAME_MAX && realm.len <= USER_REALM_MAX;
}

static void append(struct user_table *table, struct list *list, uint32_t entry)
{
    table->entries[entry].next = 0;
    if (list->last != 0)
        table->entries[list->last].next = entry;
    else
        list->first = entry;
    list->last = entry;
}

static uint32_t pop(struct user_table *table, struct list *list)
{
    uint32_t entry = list->first;

    if (entry != 0)
        list->first = table->entries[entry].next;
    if (list->first == 0)
        list->last = 0;
    return entry;
}

void user_expire(struct user_table *table)
{
    while (table->replaced.first != 0 &&
           rte_rcu_qsbr_check(table->qsbr, table->entries[table->replaced.first].token, false) == 1)
        append(table, &table->free, pop(table, &table->replaced));
}

static uint32_t entry_take(struct user_table *table)
{
    user_expire(table);
    uint32_t entry = pop(table, &table->free);
    if (entry != 0 || table->fresh == table->entries_n)
        return entry;
    __atomic_store_n(&table->fresh, table->fresh + 1, __ATOMIC_RELAXED);
    return table->fresh - 1;
}

static void entry_replaced(struct user_table *table, uint32_t entry)
{
    table->entries[entry].token = rte_rcu_qsbr_start(table->qsbr);
    append(table, &table->replaced, entry);
}

static void publish(struct user_table *table, struct hash128 key, uint32_t entry)
{
    uint32_t at = home_of(table, key);

    for (;;) {
        struct bucket *bucket = &table->buckets[at];
        for (unsigned i = 0; i < SLOTS; i++) {
            if (bucket->entries[i] != 0)
                continue;
            // A reader that sees one without the other finds a key that differs, or nothing.
            __atomic_store_n(&bucket->signatures[i], signature_of(key), __ATOMIC_RELAXED);
            __atomic_store_n(&bucket->entries[i], entry, __ATOMIC_RELEASE);
            return;
        }
        __atomic_store_n(&bucket->passed, bucket->passed + 1, __ATOMIC_RELEASE);
        at = behind(table, at);
    }
}

int user_put(struct user_table *table, struct slice name, struct slice realm, const struct user *user)
{
    uint32_t at, old = 0;

    if (!user_name_is_good(name) || !user_realm_is_good(realm))
        return -EINVAL;
    struct hash128 key = key_of(table, name, realm);
    uint32_t *slot = slot_find(table, key, &at, &old);
    if (slot == NULL && table->users == table->users_max)
        return -ENOSPC;
    uint32_t entry = entry_take(table);
    if (entry == 0)
        return -EAGAIN;
    table->entries[entry].key = key;
    table->entries[entry].user = *user;
    if (slot == NULL) {
        publish(table, key, entry);
        __atomic_store_n(&table->users, table->users + 1, __ATOMIC_RELAXED);
        return 0;
    }
    __atomic_store_n(slot, entry, __ATOMIC_RELEASE);
    entry_replaced(table, old);
    return 0;
}

bool user_remove(struct user_table *table, struct slice name, struct slice realm)
{
    struct hash128 key = key_of(table, name, realm);
    uint32_t at, old = 0;

    if (!user_name_is_good(name) || !user_realm_is_good(realm))
        return false;
    uint32_t *slot = slot_find(table, key, &at, &old);
    if (slot == NULL)
        return false;
    __atomic_store_n(slot, 0, __ATOMIC_RELEASE);
    for (uint32_t passed = home_of(table, key); passed != at; passed = behind(table, passed))
        __atomic_store_n(&table->buckets[passed].passed, table->buckets[passed].passed - 1, __ATOMIC_RELEASE);
    entry_replaced(table, old);
    __atomic_store_n(&table->users, table->users - 1, __ATOMIC_RELAXED);
    return true;
}

void user_usage(const struct user_table *table, struct user_usage *usage)
{
    *usage = (struct user_usage){
        .users = table == NULL ? 0 : __atomic_load_n(&table->users, __ATOMIC_RELAXED),
        .users_max = table == NULL ? 0 : table->users_max,
    };
}
