#include "call/call.h"

#include <errno.h>

#include "call/ring.h"

// Records count from 1 inside, so 0 is none and fresh memory is an empty table. A slot, as callers know it,
// is a record's number from 0 and above that the number of calls that it had before, as far as 32 bits go:
// what was kept of a call that is over leads nowhere, not to the next one in the same record.
struct call_table {
    struct hash_key key;
    struct call *calls;
    uint32_t *heads; // by key
    uint32_t heads_mask;
    uint32_t slot_mask; // the record's number in a slot
    uint32_t calls_n;
    uint32_t fresh;          // first slot that was never used
    uint32_t free;           // slots that came back here without having left for control
    uint32_t oldest, newest; // those that go on, by the time they expire
    uint64_t longest_ms;
    struct call_usage counts; // worker: wo, any thread: ro
    struct memory memory;
    void *block;
    size_t block_bytes;
    struct call_ring ended;    // worker -> control
    struct call_ring returned; // control -> worker
};

static void count(uint64_t *counter, int64_t by)
{
    __atomic_store_n(counter, *counter + (uint64_t)by, __ATOMIC_RELAXED);
}

int call_table_create(struct call_table **table, const struct call_limits *limits, const struct hash_key *key,
                      const struct memory *memory)
{
    if (limits->calls == 0 || limits->calls > CALL_LIMIT)
        return -EINVAL;
    uint32_t heads_n = memory_power_of_two(limits->calls);
    // When control stands still, calls that have ended may hold a quarter of the records and no more, so that
    // new ones are followed. The way back has room for all.
    uint32_t ended_n = memory_power_of_two(limits->calls / 4),
             returned_n = memory_power_of_two(limits->calls);
    size_t bytes = 0;

    memory_place(&bytes, 1, sizeof(struct call_table));
    size_t calls = memory_place(&bytes, (uint64_t)limits->calls + 1, sizeof(struct call));
    size_t heads = memory_place(&bytes, heads_n, sizeof(uint32_t));
    size_t ended = memory_place(&bytes, ended_n, sizeof(uint32_t));
    size_t returned = memory_place(&bytes, returned_n, sizeof(uint32_t));

    bytes += MEMORY_LINE;
    char *block = memory->take(memory->owner, bytes, limits->node);

    if (block == NULL)
        return -ENOMEM;
    char *at = memory_begin(block);

    *table = (struct call_table *)at;
    **table = (struct call_table){
        .key = *key,
        .calls = (struct call *)(at + calls),
        .heads = (uint32_t *)(at + heads),
        .heads_mask = heads_n - 1,
        .slot_mask =
            memory_power_of_two((uint64_t)limits->calls + 1) - 1, // never all ones in a slot: CALL_NONE
        .calls_n = limits->calls,
        .fresh = 1,
        .longest_ms = limits->longest_ms,
        .counts = {.calls_max = limits->calls},
        .memory = *memory,
        .block = block,
        .block_bytes = bytes,
        .ended = {.slots = (uint32_t *)(at + ended), .mask = ended_n - 1},
        .returned = {.slots = (uint32_t *)(at + returned), .mask = returned_n - 1},
    };
    return 0;
}

void call_table_destroy(struct call_table *table)
{
    if (table == NULL)
        return;
    struct memory memory = table->memory;

    memory.give(memory.owner, table->block, table->block_bytes);
}

// The index.

static uint32_t *head_of(const struct call_table *table, struct hash128 key)
{
    return &table->heads[key.low & table->heads_mask];
}

static void chain(struct call_table *table, uint32_t slot)
{
    uint32_t *head = head_of(table, table->calls[slot].key);

    table->calls[slot].chain = *head;
    *head = slot;
}

static void unchain(struct call_table *table, uint32_t slot)
{
    uint32_t *link = head_of(table, table->calls[slot].key);

    while (*link != slot)
        link = &table->calls[*link].chain;
    *link = table->calls[slot].chain;
}

uint32_t call_find(const struct call_table *table, struct slice call_id, uint64_t dialog)
{
    struct hash128 key = hash_sip13(&table->key, call_id.at, call_id.len);
    uint32_t found = CALL_NONE;

    for (uint32_t slot = *head_of(table, key); slot != 0; slot = table->calls[slot].chain) {
        const struct call *call = &table->calls[slot];
        if (!hash128_equal(call->key, key))
            continue;
        if (call->answer_ms == 0 && found == CALL_NONE)
            found = call->slot;
        if (call->answer_ms != 0 && (dialog == 0 || call->dialog == 0 || call->dialog == dialog))
            return call->slot;
    }
    return found;
}

// So that no chain grows long: all else in it is there by chance.
static bool has_attempts_left(const struct call_table *table, struct hash128 key)
{
    unsigned n = 0;

    for (uint32_t slot = *head_of(table, key); slot != 0; slot = table->calls[slot].chain)
        n += hash128_equal(table->calls[slot].key, key);
    return n < CALL_ATTEMPTS_MAX;
}

struct call *call_at(struct call_table *table, uint32_t slot)
{
    uint32_t number = (slot & table->slot_mask) + 1;

    return number < table->fresh && table->calls[number].slot == slot ? &table->calls[number] : NULL;
}

// Those that go on, the next to expire first.

static void follow(struct call_table *table, uint32_t slot, const struct clock *now)
{
    struct call *call = &table->calls[slot];

    call->expires_ms = now->ms + table->longest_ms;
    call->older = table->newest;
    call->newer = 0;
    if (table->newest != 0)
        table->calls[table->newest].newer = slot;
    else
        table->oldest = slot;
    table->newest = slot;
}

static void follow_no_more(struct call_table *table, uint32_t slot)
{
    const struct call *call = &table->calls[slot];

    if (call->older != 0)
        table->calls[call->older].newer = call->newer;
    else
        table->oldest = call->newer;
    if (call->newer != 0)
        table->calls[call->newer].older = call->older;
    else
        table->newest = call->older;
}

// Calls.

static uint32_t number_of(const struct call_table *table, const struct call *call)
{
    return (uint32_t)(call - table->calls);
}

static uint64_t unix_ms(const struct clock *now)
{
    return now->unix_s * 1000 + now->ms % 1000;
}

// Where a text is cut: its own quarter is never taken from it, and what others leave of theirs goes to
// whoever comes first.
static void cut_texts(struct call *call, const struct slice text[CALL_TEXTS])
{
    const uint32_t share = CALL_TEXT_MAX / CALL_TEXTS;
    uint32_t spare = 0, at = 0;

    for (unsigned i = 0; i < CALL_TEXTS; i++)
        spare += text[i].len < share ? share - text[i].len : 0;
    for (unsigned i = 0; i < CALL_TEXTS; i++) {
        uint32_t more = text[i].len > share ? text[i].len - share : 0;
        uint32_t given = more < spare ? more : spare;
        uint32_t len = text[i].len - more + given;

        spare -= given;
        if (len > 0)
            memcpy(call->bytes + at, text[i].at, len);
        call->text[i] = (uint16_t)at;
        at += len;
    }
    call->text[CALL_TEXTS] = (uint16_t)at;
}

static uint32_t take_slot(struct call_table *table)
{
    uint32_t slot = table->free;

    if (slot != 0) {
        table->free = table->calls[slot].chain;
    } else if (!call_ring_take(&table->returned, &slot) && table->fresh <= table->calls_n) {
        slot = table->fresh++;
        table->calls[slot].slot = slot - 1;
    }
    return slot;
}

uint32_t call_begin(struct call_table *table, const struct clock *now, const struct slice text[CALL_TEXTS],
                    const struct endpoint *source)
{
    struct hash128 key = hash_sip13(&table->key, text[CALL_CALL_ID].at, text[CALL_CALL_ID].len);
    uint32_t slot = has_attempts_left(table, key) ? take_slot(table) : 0;

    if (slot == 0) {
        count(&table->counts.unfollowed, 1);
        return CALL_NONE;
    }
    struct call *call = &table->calls[slot];

    call->key = key;
    call->start_ms = unix_ms(now);
    call->answer_ms = call->end_ms = call->dialog = 0;
    call->source = *source;
    call->hop = (struct endpoint){.family = ENDPOINT_NONE};
    call->code = 0;
    call->gateway = UINT16_MAX;
    call->rule[0] = 0;
    call->end = call->tries = 0;
    cut_texts(call, text);
    chain(table, slot);
    follow(table, slot, now);
    count(&table->counts.calls, 1);
    count(&table->counts.begun, 1);
    return call->slot;
}

void call_answered(struct call_table *table, uint32_t slot, const struct clock *now, uint16_t code,
                   const struct endpoint *hop)
{
    struct call *call = call_at(table, slot);

    // A second 2xx of a fork, or one again, does not begin the call anew.
    if (call == NULL || call->answer_ms != 0)
        return;
    call->answer_ms = unix_ms(now);
    call->code = code;
    call->hop = *hop;
    follow_no_more(table, number_of(table, call));
    follow(table, number_of(table, call), now);
}

void call_end(struct call_table *table, uint32_t slot, const struct clock *now, enum call_end end,
              uint16_t code)
{
    struct call *call = call_at(table, slot);

    if (call == NULL)
        return;
    uint32_t number = number_of(table, call);

    call->slot += table->slot_mask + 1;
    call->end = (uint8_t)end;
    call->end_ms = unix_ms(now);
    if (code != 0)
        call->code = code;
    unchain(table, number);
    follow_no_more(table, number);
    count(&table->counts.calls, -1);
    if (call_ring_put(&table->ended, number))
        return;
    count(&table->counts.lost_lines, 1);
    call->chain = table->free;
    table->free = number;
}

void call_expire(struct call_table *table, const struct clock *now,
                 void (*ended)(void *owner, const struct call *), void *owner)
{
    for (unsigned n = 0; n < CALL_EXPIRE_MAX && table->oldest != 0; n++) {
        struct call *call = &table->calls[table->oldest];

        if (call->expires_ms > now->ms)
            return;
        if (ended != NULL)
            ended(owner, call);
        call_end(table, call->slot, now, call->answer_ms != 0 ? CALL_LOST : CALL_TIMEOUT, 0);
    }
}

bool call_stop(struct call_table *table, const struct clock *now)
{
    bool any = table->oldest != 0;

    for (uint32_t n = 0; n <= table->ended.mask && table->oldest != 0; n++)
        call_end(table, table->calls[table->oldest].slot, now, CALL_STOPPED, 0);
    return any;
}

// Control.

const struct call *call_take(struct call_table *table)
{
    uint32_t slot;

    return call_ring_take(&table->ended, &slot) ? &table->calls[slot] : NULL;
}

void call_written(struct call_table *table, const struct call *call)
{
    // Never full: it has room for every record.
    (void)call_ring_put(&table->returned, number_of(table, call));
}

void call_usage(const struct call_table *table, struct call_usage *usage)
{
    const struct call_usage *counts = &table->counts;

    *usage = (struct call_usage){
        .calls = __atomic_load_n(&counts->calls, __ATOMIC_RELAXED),
        .calls_max = counts->calls_max,
        .begun = __atomic_load_n(&counts->begun, __ATOMIC_RELAXED),
        .unfollowed = __atomic_load_n(&counts->unfollowed, __ATOMIC_RELAXED),
        .lost_lines = __atomic_load_n(&counts->lost_lines, __ATOMIC_RELAXED),
    };
}
