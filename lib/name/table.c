// Buckets of chained records, all in one block. Control links, replaces and unlinks with one store each; a reader in a
// record that was unlinked goes on by its link, which stays as it was until every reader has been quiescent.
#include "name/name.h"

#include <errno.h>
#include <rte_lcore.h>

// Records beyond the bound, for those that wait for their grace period.
#define SPARE(names) ((names) / 8 + 64)

#define BUCKETS_A_NAME 2 // a chain is then mostly one record long

#define KEY_HEAD     4 // kind, transport, port
#define KEY_BYTES    (KEY_HEAD + NAME_TEXT_MAX)
#define BEHIND_BYTES NAME_URI_MAX

_Static_assert(NAME_HOPS_MAX * sizeof(struct name_hop) <= BEHIND_BYTES, "hops take no more room than a URI");

enum record_state {
    RECORD_FREE = 0,
    RECORD_LIVE,
    RECORD_RETIRED, // unlinked; readers may be in it
};

// The key and the answer's head share a cache line; the hops begin the next one.
struct record {
    // control: wo, readers: ro
    struct hash128 key; // of the question; nobody can make two of them agree
    uint32_t next;      // in its bucket; 0: the last
    // readers: wo, control: rw
    uint8_t touched;
    // control: wo, readers: ro
    union {
        struct name_answer answer;
        char room[sizeof(struct name_answer) + BEHIND_BYTES]; // the hops or the URI are behind it
    };
} __rte_cache_aligned;

// What control alone knows of a record.
struct place {
    uint64_t token; // of its grace period
    uint32_t queue; // the next free or retired one
    uint8_t state;  // enum record_state
};

// One lcore's, so that readers do not share a cache line. The last is of all threads that are no lcores.
struct count {
    uint64_t hits, misses;
} __rte_cache_aligned;

struct queue {
    uint32_t first, last;
};

struct name_table {
    struct record *records; // [1 … all]; 0 stands for none
    struct place *places;   // of each record
    uint32_t *buckets;
    uint32_t buckets_n;
    uint32_t names_max, all;
    struct hash_key key;
    struct rte_rcu_qsbr *qsbr;
    struct count *counts; // RTE_MAX_LCORE + 1
    const struct memory *memory;
    size_t bytes;
    void *block;
    // control alone
    struct queue free, retired;
    uint32_t hand;  // of the clock that finds whom to evict
    uint32_t sweep; // where expiry goes on
    // control: wo, telemetry: ro
    uint64_t names, evicted;
};

static void queue_put(struct name_table *table, struct queue *queue, uint32_t n)
{
    table->places[n].queue = 0;
    if (queue->first == 0)
        queue->first = n;
    else
        table->places[queue->last].queue = n;
    queue->last = n;
}

static uint32_t queue_take(struct name_table *table, struct queue *queue)
{
    uint32_t n = queue->first;

    if (n != 0)
        queue->first = table->places[n].queue;
    return n;
}

int name_table_create(struct name_table **created, uint32_t names, const struct hash_key *key,
                      struct rte_rcu_qsbr *qsbr, const struct memory *memory)
{
    uint32_t all = names + SPARE(names);
    size_t end = sizeof(struct name_table);

    if (names == 0 || names > NAME_NAMES_MAX)
        return -EINVAL;
    size_t counts = memory_place(&end, RTE_MAX_LCORE + 1, sizeof(struct count));
    size_t buckets = memory_place(&end, (uint64_t)names * BUCKETS_A_NAME, sizeof(uint32_t));
    size_t places = memory_place(&end, (uint64_t)all + 1, sizeof(struct place));
    size_t records = memory_place(&end, (uint64_t)all + 1, sizeof(struct record));
    end += MEMORY_LINE;
    char *block = memory->take(memory->owner, end, MEMORY_ANY_NODE);
    if (block == NULL)
        return -ENOMEM;
    char *at = memory_begin(block);
    struct name_table *table = (struct name_table *)at;
    *table = (struct name_table){.records = (struct record *)(at + records),
                                 .buckets = (uint32_t *)(at + buckets),
                                 .places = (struct place *)(at + places),
                                 .buckets_n = names * BUCKETS_A_NAME,
                                 .names_max = names,
                                 .all = all,
                                 .key = *key,
                                 .qsbr = qsbr,
                                 .counts = (struct count *)(at + counts),
                                 .memory = memory,
                                 .bytes = end,
                                 .block = block};
    for (uint32_t n = 1; n <= all; n++)
        queue_put(table, &table->free, n);
    *created = table;
    return 0;
}

void name_table_destroy(struct name_table *table)
{
    if (table != NULL)
        table->memory->give(table->memory->owner, table->block, table->bytes);
}

// Host names are the same in any case and with a final dot (RFC 1035 2.3.3, 3.1). False: it is too long to be one.
static bool make_key(const struct name_table *table, const struct name_question *question,
                     struct hash128 *key)
{
    char text[KEY_BYTES];
    uint32_t len = question->name.len;

    if (len > 0 && question->name.at[len - 1] == '.')
        len--;
    if (len > NAME_TEXT_MAX)
        return false;
    text[0] = (char)question->kind;
    text[1] = (char)question->transport;
    memcpy(text + 2, &question->port, 2);
    for (uint32_t i = 0; i < len; i++)
        text[i + KEY_HEAD] = slice_lower(question->name.at[i]);
    *key = hash_sip13(&table->key, text, len + KEY_HEAD);
    return true;
}

static uint32_t *bucket_of(const struct name_table *table, struct hash128 key)
{
    return &table->buckets[(uint64_t)(uint32_t)key.low * table->buckets_n >> 32];
}

static struct record *find(const struct name_table *table, struct hash128 key)
{
    uint32_t n = __atomic_load_n(bucket_of(table, key), __ATOMIC_ACQUIRE);

    while (n != 0 && !hash128_equal(table->records[n].key, key))
        n = __atomic_load_n(&table->records[n].next, __ATOMIC_ACQUIRE);
    return n == 0 ? NULL : &table->records[n];
}

static void count(const struct name_table *table, bool hit)
{
    struct count *mine = &table->counts[RTE_MIN(rte_lcore_id(), (unsigned)RTE_MAX_LCORE)];
    uint64_t *counter = hit ? &mine->hits : &mine->misses;

    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

const struct name_answer *name_find(const struct name_table *table, const struct name_question *question,
                                    uint64_t now_ms)
{
    static const struct name_answer nobody = {.expires_ms = UINT64_MAX};
    struct hash128 key;

    if (!make_key(table, question, &key))
        return &nobody;
    struct record *record = find(table, key);
    bool hit = record != NULL && record->answer.expires_ms > now_ms;
    count(table, hit);
    if (!hit)
        return NULL;
    // Mostly it is set: then the line stays shared among the readers' caches.
    if (!__atomic_load_n(&record->touched, __ATOMIC_RELAXED))
        __atomic_store_n(&record->touched, 1, __ATOMIC_RELAXED);
    return &record->answer;
}

// The link that leads to a live record.
static uint32_t *link_to(struct name_table *table, uint32_t n)
{
    uint32_t *link = bucket_of(table, table->records[n].key);

    while (*link != n)
        link = &table->records[*link].next;
    return link;
}

// Readers may still be in it; `next` stays, for them.
static void retire(struct name_table *table, uint32_t n)
{
    struct place *place = &table->places[n];

    place->state = RECORD_RETIRED;
    place->token = rte_rcu_qsbr_start(table->qsbr);
    queue_put(table, &table->retired, n);
    __atomic_store_n(&table->names, table->names - 1, __ATOMIC_RELAXED);
}

static void remove_record(struct name_table *table, uint32_t n)
{
    __atomic_store_n(link_to(table, n), table->records[n].next, __ATOMIC_RELEASE);
    retire(table, n);
}

static void reclaim(struct name_table *table)
{
    uint32_t n;

    while ((n = table->retired.first) != 0 &&
           rte_rcu_qsbr_check(table->qsbr, table->places[n].token, false) == 1) {
        queue_take(table, &table->retired);
        table->places[n].state = RECORD_FREE;
        queue_put(table, &table->free, n);
    }
}

// The clock: who was asked for since the hand came by gets another round. Ends within two.
static void evict(struct name_table *table, uint64_t now_ms)
{
    for (;;) {
        table->hand = table->hand % table->all + 1;
        struct record *record = &table->records[table->hand];
        if (table->places[table->hand].state != RECORD_LIVE)
            continue;
        if (record->answer.expires_ms > now_ms && __atomic_load_n(&record->touched, __ATOMIC_RELAXED)) {
            __atomic_store_n(&record->touched, 0, __ATOMIC_RELAXED);
            continue;
        }
        remove_record(table, table->hand);
        __atomic_store_n(&table->evicted, table->evicted + 1, __ATOMIC_RELAXED);
        return;
    }
}

// By priority; of one priority those of weight 0 first, as RFC 2782 draws them. What is equal keeps its order.
static bool comes_before(const struct name_hop *a, const struct name_hop *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a->weight == 0 && b->weight != 0;
}

static void fill(struct record *record, const struct name_answer *answer)
{
    record->answer = *answer;
    for (unsigned i = 0; i < answer->hops_n; i++) {
        unsigned at = i;
        for (; at > 0 && comes_before(&answer->hops[i], &record->answer.hops[at - 1]); at--)
            record->answer.hops[at] = record->answer.hops[at - 1];
        record->answer.hops[at] = answer->hops[i];
    }
    char *uri = (char *)record->answer.hops;
    record->answer.uri = slice_of(uri, answer->hops_n == 0 ? answer->uri.len : 0);
    if (record->answer.uri.len > 0)
        memcpy(uri, answer->uri.at, answer->uri.len);
}

int name_put(struct name_table *table, const struct name_question *question, const struct name_answer *answer,
             uint64_t now_ms)
{
    struct hash128 key;

    if (answer->hops_n > NAME_HOPS_MAX || answer->uri.len > NAME_URI_MAX || !make_key(table, question, &key))
        return -EINVAL;
    reclaim(table);
    struct record *old = find(table, key);
    if (table->free.first == 0)
        return -ENOMEM;
    if (old == NULL && table->names == table->names_max)
        evict(table, now_ms);
    uint32_t n = queue_take(table, &table->free);
    struct record *record = &table->records[n];
    uint32_t *link = old == NULL ? bucket_of(table, key) : link_to(table, (uint32_t)(old - table->records));
    record->key = key;
    record->next = old == NULL ? *link : old->next;
    table->places[n].state = RECORD_LIVE;
    record->touched = 1; // somebody is waiting for it
    fill(record, answer);
    __atomic_store_n(link, n, __ATOMIC_RELEASE);
    __atomic_store_n(&table->names, table->names + 1, __ATOMIC_RELAXED);
    if (old != NULL)
        retire(table, (uint32_t)(old - table->records));
    return 0;
}

void name_expire(struct name_table *table, uint64_t now_ms)
{
    for (unsigned i = 0; i < RTE_MIN(table->all, (uint32_t)NAME_EXPIRE_SWEEP); i++) {
        table->sweep = table->sweep % table->all + 1;
        if (table->places[table->sweep].state == RECORD_LIVE &&
            table->records[table->sweep].answer.expires_ms <= now_ms)
            remove_record(table, table->sweep);
    }
    reclaim(table);
}

void name_usage(const struct name_table *table, struct name_usage *usage)
{
    *usage = (struct name_usage){.names = __atomic_load_n(&table->names, __ATOMIC_RELAXED),
                                 .names_max = table->names_max,
                                 .evicted = __atomic_load_n(&table->evicted, __ATOMIC_RELAXED)};
    for (unsigned i = 0; i <= RTE_MAX_LCORE; i++) {
        usage->hits += __atomic_load_n(&table->counts[i].hits, __ATOMIC_RELAXED);
        usage->misses += __atomic_load_n(&table->counts[i].misses, __ATOMIC_RELAXED);
    }
}
