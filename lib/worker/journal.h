// journal: what a worker changed that must outlive the process, on its way to the disk.
//
// A ring of bytes between one worker and the thread that writes to the store (control/commit.h). The worker appends
// records, each a change of one key and perhaps the answer that must not leave before it is on the disk; the writer
// takes them in order, settles them in order, and the worker then sends the answers and gives their space back. Nobody
// waits and nothing is dropped on the way: an answer never changes its ring, so there is no second one that could be
// full.
//
// Three positions, each written by one side: head (worker: appended up to here), settled (writer: the disk has it, or
// refused it), tail (worker: answers sent, space free). The gate is the writer's, one for all workers: while it is shut
// nothing may be appended that promises to be on the disk.
//
// Who waits for the disk is never the worker. Cost of a record: its bytes copied once.
#ifndef WORKER_JOURNAL_H
#define WORKER_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/slice.h"

#define JOURNAL_RECORD_MAX (40u << 10) // bytes of a record, all told
#define JOURNAL_SLOW_MS    2000        // a write that takes longer shuts the gate until it ends

enum journal_outcome {
    JOURNAL_WAITS = 0,
    JOURNAL_WRITTEN, // it is on the disk
    JOURNAL_REFUSED, // it is not; the value is now what the disk has (value_len 0: nothing)
    JOURNAL_UNKNOWN, // it is not, and what the disk has could not be read or does not fit
};

struct journal_record {
    uint32_t bytes;      // all told, a multiple of 32
    uint32_t value_room; // bytes for a value, of which value_len are one
    uint32_t value_len;  // 0: the key goes
    uint16_t key_len;    // 0: no change, an answer that may not overtake those before it
    uint8_t kind;        // enum store_kind
    uint8_t outcome;     // enum journal_outcome. writer: wo until settled
    bool filler;         // no record: the next one is at the ring's start
    bool news;           // the worker's: somebody is to hear of it when the disk has it
    void *answer;        // a struct rte_mbuf that waits; NULL: none
    char text[];         // the key, then the value
};

// One for all workers.
struct journal_gate {
    // writer: wo, workers: ro
    _Atomic uint64_t turns;   // odd: shut, because the store does not take what it is given
    _Atomic uint64_t busy_ms; // when the write that is under way began, as clock.ms; 0: none is
};

struct journal {
    // control: wo before launch
    struct journal_gate *gate;
    char *ring;
    uint32_t size; // bytes, a power of two
    uint32_t records_max;
    const struct memory *memory;

    // worker
    _Atomic uint64_t head __attribute__((aligned(64))); // writer: ro
    _Atomic uint64_t tail;                              // writer: ro
    _Atomic uint64_t seen;                              // gate->turns as this turn found it; writer: ro
    uint32_t records;                                   // from tail to head
    bool shut;                                          // as this turn found it
    struct journal_record *staged;                      // behind head, not yet published; NULL: none is
    uint64_t staged_end;
    // worker: wo, telemetry: ro
    uint64_t appended, parked, refused, skipped, restored, lost, records_high;

    // writer
    _Atomic uint64_t settled __attribute__((aligned(64))); // worker: ro
    uint64_t taken;                                        // records up to here are in the writer's hands
};

// Room for so many records, of a few hundred bytes each; the largest fits whatever `records`. 0 or -ENOMEM.
int journal_create(struct journal **journal, struct journal_gate *gate, uint32_t records, int node,
                   const struct memory *memory);
void journal_destroy(struct journal *journal); // NULL is allowed; no answer is in it

// The worker's.

// At the start of a turn: how the gate stands.
void journal_turn(struct journal *journal, uint64_t now_ms);

// Whether a record of any size would find room. `promised`: what it answers waits for the disk, so the gate counts.
bool journal_ready(const struct journal *journal, bool promised);

// Nothing is on its way to the disk.
static inline bool journal_idle(const struct journal *journal)
{
    return journal->records == 0;
}

// A record behind the others, which journal_ready promised room for, and the place for its value of at most
// `value_room` bytes (set value_len). It is not there until it is published.
struct journal_record *journal_stage(struct journal *journal, uint8_t kind, struct slice key,
                                     uint32_t value_room);
static inline char *journal_value(struct journal_record *record)
{
    return record->text + record->key_len;
}

// The staged record, with the answer that waits for it or NULL, is the writer's from now on.
void journal_publish(struct journal *journal, void *answer);

// The next record that is settled; NULL: none is. The caller takes its answer and its bytes, then frees it.
struct journal_record *journal_settled(struct journal *journal);
void journal_free(struct journal *journal, struct journal_record *record);

// The writer's.

// The next record that the worker published; NULL: there is none. It stays until it is settled.
struct journal_record *journal_take(struct journal *journal);

// All records taken so far have their outcome.
void journal_settle(struct journal *journal);

// Everything that was appended is settled and freed, and the worker has seen the gate as it stands.
bool journal_quiet(struct journal *journal);

#endif
