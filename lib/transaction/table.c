#include "transaction/table.h"

#include <errno.h>

#define SPOKES 8192 // of the wheel: what lies beyond 65 s gets there in steps

// A function that only prefetches does nothing as far as gcc can see, and a call of it is left out.
#define PREFETCHES static inline __attribute__((always_inline)) void

// What transaction.h says of the lines.
_Static_assert(offsetof(struct transaction, first) == MEMORY_LINE, "the branch begins a line");
_Static_assert(offsetof(struct transaction_branch, to) == MEMORY_LINE, "which has what every message needs");
_Static_assert(offsetof(struct transaction, source) <= 3 * MEMORY_LINE, "what leads upstream ends the third");
_Static_assert(sizeof(struct transaction) == 4 * MEMORY_LINE, "four lines");

struct layout {
    size_t records, heads, edges, lingering, links, spokes, branches, bytes;
    uint32_t heads_n;
};

static struct layout layout_of(const struct transaction_limits *limits)
{
    struct layout l = {.heads_n = memory_power_of_two(2 * limits->records)};
    uint64_t slots = limits->records + 1;

    size_t bytes = 0;

    memory_place(&bytes, 1, sizeof(struct transaction_table));
    l.records = memory_place(&bytes, slots, sizeof(struct transaction));
    l.heads = memory_place(&bytes, l.heads_n, sizeof(struct transaction_edge));
    l.edges = memory_place(&bytes, slots, sizeof(struct transaction_edge));
    l.lingering = memory_place(&bytes, slots, sizeof(struct list_link));
    l.links = memory_place(&bytes, slots, sizeof(struct list_link));
    l.spokes = memory_place(&bytes, SPOKES, sizeof(uint32_t));
    l.branches = memory_place(&bytes, limits->branches, sizeof(struct transaction_branch));
    l.bytes = bytes + MEMORY_LINE;
    return l;
}

int transaction_table_create(struct transaction_table **table, const struct transaction_limits *limits,
                             const struct transaction_timers *timers, const struct memory *memory)
{
    if (limits->records == 0 || limits->records > TRANSACTION_RECORDS_MAX ||
        limits->branches > TRANSACTION_RECORDS_MAX)
        return -EINVAL;
    struct layout l = layout_of(limits);
    char *block = memory->take(memory->owner, l.bytes, limits->node);

    if (block == NULL)
        return -ENOMEM;
    char *at = memory_begin(block);
    struct transaction_table *made = (struct transaction_table *)at;

    *made = (struct transaction_table){
        .records = (struct transaction *)(at + l.records),
        .heads = (struct transaction_edge *)(at + l.heads),
        .edges = (struct transaction_edge *)(at + l.edges),
        .lingering = (struct list_link *)(at + l.lingering),
        .heads_mask = l.heads_n - 1,
        .records_n = (uint32_t)limits->records,
        .fresh = 1,
        .branches = (struct transaction_branch *)(at + l.branches),
        .branches_n = (uint32_t)limits->branches,
        .branches_free = TRANSACTION_NONE,
        .counts = {.records_max = limits->records, .branches_max = limits->branches, .bytes = l.bytes},
        .memory = *memory,
        .block = block,
    };
    wheel_init(&made->wheel, (uint32_t *)(at + l.spokes), SPOKES, (struct list_link *)(at + l.links));
    transaction_table_time(made, timers);
    *table = made;
    return 0;
}

void transaction_table_destroy(struct transaction_table *table)
{
    if (table == NULL)
        return;
    struct memory memory = table->memory;

    memory.give(memory.owner, table->block, table->counts.bytes);
}

void transaction_table_time(struct transaction_table *table, const struct transaction_timers *timers)
{
    uint32_t interval = timers->t1_ms;

    table->timers = *timers;
    // RFC 4320 4.1: as long as a client's Timer E takes to be reset to T2. The first time that it is reset at
    // all is when it first fires.
    table->trying_ms = 0;
    do {
        table->trying_ms += interval;
        interval = transaction_doubled(table, interval);
    } while (interval < timers->t2_ms);
}

// The index.

static struct transaction_edge *head_of(const struct transaction_table *table, struct hash128 key)
{
    return &table->heads[key.low & table->heads_mask];
}

static uint32_t tag_of(struct hash128 key)
{
    return (uint32_t)key.high;
}

static uint32_t slot_of(struct transaction_edge edge)
{
    return edge.slot & ~TRANSACTION_EDGE_LAST;
}

static void chain(struct transaction_table *table, uint32_t slot, struct hash128 key)
{
    struct transaction_edge *head = head_of(table, key);
    struct transaction_edge first = {tag_of(key), slot};

    if (head->slot == 0)
        first.slot |= TRANSACTION_EDGE_LAST;
    else
        table->edges[slot] = *head;
    *head = first;
}

static void unchain(struct transaction_table *table, uint32_t slot, struct hash128 key)
{
    struct transaction_edge *edge = head_of(table, key);
    struct transaction_edge *before = NULL;

    for (; slot_of(*edge) != slot; edge = &table->edges[slot_of(*edge)])
        before = edge;
    if (!(edge->slot & TRANSACTION_EDGE_LAST)) {
        *edge = table->edges[slot];
        return;
    }
    *edge = (struct transaction_edge){0};
    if (before != NULL)
        before->slot |= TRANSACTION_EDGE_LAST;
}

struct transaction *transaction_find(struct transaction_table *table, struct hash128 key, uint8_t method)
{
    uint32_t tag = tag_of(key);

    // RFC 3261 17.2.3, 9.2
    if (method == SIP_METHOD_ACK || method == SIP_METHOD_CANCEL)
        method = SIP_METHOD_INVITE;
    for (struct transaction_edge edge = *head_of(table, key); edge.slot != 0;
         edge = table->edges[slot_of(edge)]) {
        struct transaction *transaction = &table->records[slot_of(edge)];

        if (edge.tag == tag && hash128_equal(transaction->key, key) && transaction->method == method)
            return transaction;
        if (edge.slot & TRANSACTION_EDGE_LAST)
            break;
    }
    return NULL;
}

void transaction_prefetch(const struct transaction_table *table, struct hash128 key)
{
    __builtin_prefetch(head_of(table, key));
}

PREFETCHES prefetch_record(const struct transaction_table *table, uint32_t slot)
{
    const char *at = (const char *)&table->records[slot];

    for (unsigned line = 0; line < sizeof(struct transaction) / MEMORY_LINE; line++)
        __builtin_prefetch(at + line * MEMORY_LINE, 1);
}

void transaction_prefetch_slot(const struct transaction_table *table, uint32_t slot)
{
    if (slot <= table->records_n)
        prefetch_record(table, slot);
}

void transaction_prefetch_buffers(const struct transaction_table *table, uint32_t slot)
{
    if (slot > table->records_n)
        return;
    transaction_prefetch_kept(&table->records[slot]);
    // A final answer may close the record.
    __builtin_prefetch(head_of(table, table->records[slot].key), 1);
    __builtin_prefetch(&table->wheel.links[slot], 1);
}

void transaction_prefetch_record(const struct transaction_table *table, struct hash128 key)
{
    const struct transaction_edge *head = head_of(table, key);

    if (head->tag == tag_of(key))
        prefetch_record(table, slot_of(*head));
}

struct transaction *transaction_at(struct transaction_table *table, uint32_t slot, uint64_t check)
{
    if (slot == 0 || slot > table->records_n)
        return NULL;
    struct transaction *transaction = &table->records[slot];

    return transaction->state != 0 && transaction->check == check ? transaction : NULL;
}

uint32_t transaction_slot(const struct transaction_table *table, const struct transaction *transaction)
{
    return (uint32_t)(transaction - table->records);
}

// The slab.

// What the oldest that linger are found by, when they are to make room: their records first, and what these
// lead to when they have come.
PREFETCHES prepare_eviction(const struct transaction_table *table)
{
    const struct list_link *links = table->wheel.links;
    uint32_t second = table->lingering[table->linger.first].next;
    uint32_t fourth = table->lingering[table->lingering[second].next].next;

    prefetch_record(table, fourth);
    transaction_prefetch_kept(&table->records[second]);
    __builtin_prefetch(&table->edges[fourth], 1);
    __builtin_prefetch(&links[fourth], 1);
    __builtin_prefetch(&table->lingering[fourth], 1);
    __builtin_prefetch(head_of(table, table->records[second].key), 1);
    __builtin_prefetch(&links[links[second].next], 1);
    __builtin_prefetch(&links[links[second].previous], 1);
}

// What the next transaction_open will want comes into the cache while this one's record is worked on.
PREFETCHES prepare_next(const struct transaction_table *table)
{
    uint32_t slot = table->free != 0 ? table->free : table->fresh;

    if (slot <= table->records_n)
        prefetch_record(table, slot);
    else
        prepare_eviction(table);
}

static uint32_t take_slot(struct transaction_table *table)
{
    uint32_t slot = table->free;

    if (slot != 0)
        table->free = table->edges[slot].slot;
    else if (table->fresh <= table->records_n)
        slot = table->fresh++;
    return slot;
}

struct transaction *transaction_open(struct transaction_table *table, struct hash128 key, uint8_t method,
                                     uint64_t now_ms, void (*evict)(void *owner, struct transaction *),
                                     void *owner)
{
    uint32_t slot = take_slot(table);

    if (slot == 0) {
        if (table->linger.first == 0) {
            transaction_count(&table->counts.refused, 1);
            return NULL;
        }
        struct transaction *oldest = &table->records[table->linger.first];

        evict(owner, oldest);
        transaction_close(table, oldest);
        transaction_count(&table->counts.evicted, 1);
        slot = take_slot(table);
    }
    prepare_next(table);
    struct transaction *transaction = &table->records[slot];
    bool invite = method == SIP_METHOD_INVITE;

    *transaction = (struct transaction){
        .key = key,
        .call = TRANSACTION_NONE,
        .method = method,
        .state = invite ? TRANSACTION_SERVER_PROCEEDING : TRANSACTION_SERVER_TRYING,
        .retransmit_at = invite ? TRANSACTION_NEVER : transaction_deadline(now_ms, table->trying_ms),
        .best = UINT16_MAX,
        .route = UINT16_MAX,
        .first = {.next = TRANSACTION_NONE, .gateway = UINT16_MAX},
    };
    chain(table, slot, key);
    // Where its branch's first retransmission, or a final answer's, will want it.
    wheel_put(&table->wheel, slot, &transaction->wheel_at,
              wheel_tick(now_ms + table->timers.t1_ms, TRANSACTION_TICK_MS));
    transaction_count(&table->counts.records, 1);
    transaction_count(&table->counts.opened, 1);
    return transaction;
}

static void free_branches(struct transaction_table *table, struct transaction *transaction)
{
    for (uint32_t i = transaction->first.next, next; i != TRANSACTION_NONE; i = next) {
        next = table->branches[i].next;
        table->branches[i].next = table->branches_free;
        table->branches_free = i;
        transaction_count(&table->counts.branches, -1);
    }
}

void transaction_close(struct transaction_table *table, struct transaction *transaction)
{
    uint32_t slot = transaction_slot(table, transaction);

    free_branches(table, transaction);
    transaction_linger_not(table, transaction);
    wheel_remove(&table->wheel, slot, &transaction->wheel_at);
    unchain(table, slot, transaction->key);
    transaction->state = 0;
    table->edges[slot].slot = table->free;
    table->free = slot;
    transaction_count(&table->counts.records, -1);
}

// Branches.

struct transaction_branch *transaction_branch_next(struct transaction_table *table,
                                                   struct transaction *transaction,
                                                   struct transaction_branch *branch)
{
    if (branch == NULL)
        return transaction->branches_n > 0 ? &transaction->first : NULL;
    return transaction_branch_after(table, branch);
}

struct transaction_branch *transaction_branch_at(struct transaction_table *table,
                                                 struct transaction *transaction, unsigned number)
{
    struct transaction_branch *branch = transaction_branch_next(table, transaction, NULL);

    while (branch != NULL && branch->number != number)
        branch = transaction_branch_after(table, branch);
    return branch;
}

static uint32_t take_branch(struct transaction_table *table)
{
    uint32_t i = table->branches_free;

    if (i != TRANSACTION_NONE)
        table->branches_free = table->branches[i].next;
    else if (table->branches_fresh < table->branches_n)
        i = table->branches_fresh++;
    return i;
}

struct transaction_branch *transaction_branch_add(struct transaction_table *table,
                                                  struct transaction *transaction)
{
    if (transaction->branches_n == 0) {
        transaction->branches_n = 1;
        return &transaction->first;
    }
    if (transaction->branches_n >= TRANSACTION_BRANCHES_MAX)
        return NULL;
    uint32_t i = take_branch(table);

    if (i == TRANSACTION_NONE)
        return NULL;
    struct transaction_branch *last = &transaction->first;

    while (last->next != TRANSACTION_NONE)
        last = &table->branches[last->next];
    last->next = i;
    table->branches[i] = (struct transaction_branch){
        .next = TRANSACTION_NONE, .number = transaction->branches_n++, .gateway = UINT16_MAX};
    transaction_count(&table->counts.branches, 1);
    return &table->branches[i];
}

void transaction_usage(const struct transaction_table *table, struct transaction_usage *usage)
{
    const struct transaction_usage *counts = &table->counts;

    *usage = (struct transaction_usage){
        .records = __atomic_load_n(&counts->records, __ATOMIC_RELAXED),
        .records_max = counts->records_max,
        .lingering = __atomic_load_n(&counts->lingering, __ATOMIC_RELAXED),
        .branches = __atomic_load_n(&counts->branches, __ATOMIC_RELAXED),
        .branches_max = counts->branches_max,
        .opened = __atomic_load_n(&counts->opened, __ATOMIC_RELAXED),
        .evicted = __atomic_load_n(&counts->evicted, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&counts->refused, __ATOMIC_RELAXED),
        .bytes = counts->bytes,
    };
}
