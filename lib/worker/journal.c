#include "worker/journal.h"

#include <errno.h>
#include <string.h>

#define RECORD_USUAL 512 // bytes
#define ALIGNMENT    32  // so that a header fits wherever a record may begin

_Static_assert(sizeof(struct journal_record) == ALIGNMENT, "a filler fits the smallest piece that is left");

static uint32_t rounded(size_t bytes)
{
    return (uint32_t)((bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

static struct journal_record *at(const struct journal *journal, uint64_t position)
{
    return (struct journal_record *)(journal->ring + (position & (journal->size - 1)));
}

static uint64_t load(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_acquire);
}

static void store(_Atomic uint64_t *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_release);
}

// What is left of the worker's own positions needs no order.
static uint64_t own(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

int journal_create(struct journal **created, struct journal_gate *gate, uint32_t records, int node,
                   const struct memory *memory)
{
    uint64_t size = 4 * JOURNAL_RECORD_MAX;

    while (size < (uint64_t)records * RECORD_USUAL && size < UINT32_MAX / 2)
        size *= 2;
    uint64_t power = ALIGNMENT;
    while (power < size)
        power *= 2;
    struct journal *journal = memory->take(memory->owner, sizeof(*journal), node);
    if (journal == NULL)
        return -ENOMEM;
    journal->ring = memory->take(memory->owner, power, node);
    if (journal->ring == NULL) {
        memory->give(memory->owner, journal, sizeof(*journal));
        return -ENOMEM;
    }
    journal->gate = gate;
    journal->size = (uint32_t)power;
    journal->records_max = records;
    journal->memory = memory;
    *created = journal;
    return 0;
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return;
    const struct memory *memory = journal->memory;
    memory->give(memory->owner, journal->ring, journal->size);
    memory->give(memory->owner, journal, sizeof(*journal));
}

void journal_turn(struct journal *journal, uint64_t now_ms)
{
    uint64_t turns = load(&journal->gate->turns);
    uint64_t busy_ms = atomic_load_explicit(&journal->gate->busy_ms, memory_order_relaxed);

    journal->shut = turns % 2 != 0 || (busy_ms != 0 && now_ms > busy_ms + JOURNAL_SLOW_MS);
    if (own(&journal->seen) != turns)
        store(&journal->seen, turns);
}

// A record that would cross the ring's end begins at its start; the largest one is in the way twice.
bool journal_ready(const struct journal *journal, bool promised)
{
    uint64_t used = own(&journal->head) - own(&journal->tail);

    return !(promised && journal->shut) && journal->records < journal->records_max &&
           journal->size - used >= 2 * JOURNAL_RECORD_MAX;
}

struct journal_record *journal_stage(struct journal *journal, uint8_t kind, struct slice key,
                                     uint32_t value_room)
{
    uint64_t head = own(&journal->head);
    uint32_t bytes = rounded(sizeof(struct journal_record) + key.len + value_room);
    uint32_t to_end = journal->size - (uint32_t)(head & (journal->size - 1));

    if (to_end < bytes) {
        *at(journal, head) = (struct journal_record){.bytes = to_end, .filler = true};
        head += to_end;
    }
    struct journal_record *record = at(journal, head);
    *record = (struct journal_record){
        .bytes = bytes, .value_room = value_room, .key_len = (uint16_t)key.len, .kind = kind};
    if (key.len > 0)
        memcpy(record->text, key.at, key.len);
    journal->staged = record;
    journal->staged_end = head + bytes;
    return record;
}

void journal_publish(struct journal *journal, void *answer)
{
    journal->staged->answer = answer;
    journal->staged = NULL;
    journal->appended++;
    journal->parked += answer != NULL;
    journal->records++;
    if (journal->records > journal->records_high)
        journal->records_high = journal->records;
    store(&journal->head, journal->staged_end);
}

// The record at a position that is before `end`, past a filler; NULL: there is none.
static struct journal_record *next(const struct journal *journal, uint64_t *position, uint64_t end)
{
    if (*position == end)
        return NULL;
    struct journal_record *record = at(journal, *position);
    if (!record->filler)
        return record;
    *position += record->bytes; // a record is always behind it
    return at(journal, *position);
}

struct journal_record *journal_settled(struct journal *journal)
{
    uint64_t tail = own(&journal->tail);

    return next(journal, &tail, load(&journal->settled));
}

void journal_free(struct journal *journal, struct journal_record *record)
{
    uint64_t tail = own(&journal->tail);

    next(journal, &tail, load(&journal->settled));
    journal->records--;
    store(&journal->tail, tail + record->bytes);
}

struct journal_record *journal_take(struct journal *journal)
{
    struct journal_record *record = next(journal, &journal->taken, load(&journal->head));

    if (record != NULL)
        journal->taken += record->bytes;
    return record;
}

void journal_settle(struct journal *journal)
{
    if (own(&journal->settled) != journal->taken)
        store(&journal->settled, journal->taken);
}

bool journal_quiet(struct journal *journal)
{
    // In this order: what the worker appended before it saw the gate is then in its head.
    bool seen = load(&journal->seen) == own(&journal->gate->turns);
    uint64_t head = load(&journal->head);

    return seen && head == journal->taken && head == own(&journal->settled) && load(&journal->tail) == head;
}
