// call: calls followed from their INVITE to their BYE, so that each leaves one accounting line.
//
// Records are taken at start and never allocated afterwards. A worker fills them; when a call is over its
// record goes through a ring to control, which writes the line and gives it back by another. A full ring
// costs the line, which is counted, never the call. Found by a keyed hash of Call-ID alone: all of a call is
// one worker's.
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/slice.h"

#define CALL_NONE UINT32_MAX
#define CALL_ATTEMPTS_MAX \
    16                    // of one Call-ID at a time: one upstream forks, or somebody looks for a long chain
#define CALL_TEXT_MAX 300 // bytes of all texts of a call; longer ones are cut, each to its share

#define CALL_RULE_MAX 63 // bytes of a rule's name; a longer one is cut

enum call_text { CALL_CALL_ID, CALL_FROM, CALL_TO, CALL_URI, CALL_TEXTS };

enum call_end {
    CALL_COMPLETED = 1, // BYE
    CALL_FAILED,        // a negative final answer
    CALL_CANCELLED,     // by the caller
    CALL_TIMEOUT,       // no answer
    CALL_LOST,          // answered, and no BYE came in call_max
    CALL_STOPPED,       // the server stopped; whether it went on is not known
};

struct call {
    struct hash128 key;
    uint32_t chain, older, newer;         // table's
    uint32_t slot;                        // table's: its name now
    uint16_t code;                        // final status of the INVITE
    uint8_t end;                          // enum call_end; 0: it goes on
    uint8_t tries;                        // branches that were begun
    uint64_t expires_ms;                  // table's; of clock.ms
    uint64_t dialog;                      // caller's, of the tags that the answer made one; 0: not known
    uint64_t start_ms, answer_ms, end_ms; // unix time; 0: not yet
    struct endpoint source, hop;          // of the INVITE; the next hop that answered, or was tried last
    uint16_t gateway;                     // slot, or UINT16_MAX
    uint16_t text[CALL_TEXTS + 1];        // offsets into bytes
    char rule[CALL_RULE_MAX +
              1]; // that took it, by the name it had then: a reload may number them anew; "": none
    char bytes[CALL_TEXT_MAX];
};

static inline struct slice call_text(const struct call *call, enum call_text text)
{
    return slice_of(call->bytes + call->text[text], (size_t)(call->text[text + 1] - call->text[text]));
}

struct call_table;

struct call_limits {
    uint32_t calls; // of this worker
    uint32_t longest_ms;
    int node;
};

#define CALL_LIMIT (UINT32_C(1) << 30)

// All memory is taken here. 0 or -ENOMEM; -EINVAL for no calls, or more than CALL_LIMIT.
int call_table_create(struct call_table **table, const struct call_limits *limits, const struct hash_key *key,
                      const struct memory *memory);
void call_table_destroy(struct call_table *table); // NULL is allowed; both threads have left it

// Worker. CALL_NONE when the table is full, or the Call-ID's attempts are too many (counted): the call goes on
// without a line. A Call-ID that is there already begins another attempt of its own. Texts that are too long
// together are cut: a quarter of the room is each one's own, and what one does not need is for the others.
// The caller sets hop, gateway, rule, dialog and tries in the record as they become known.
uint32_t call_begin(struct call_table *table, const struct clock *now, const struct slice text[CALL_TEXTS],
                    const struct endpoint *source);
// The latest attempt that was answered with this dialog, or none that is known (0 is any), else the latest that was
// not; CALL_NONE: none goes on. A caller has several where somebody forked.
uint32_t call_find(const struct call_table *table, struct slice call_id, uint64_t dialog);
// NULL: the call is over; another one in its place has another slot.
struct call *call_at(struct call_table *table, uint32_t slot);
void call_answered(struct call_table *table, uint32_t slot, const struct clock *now, uint16_t code,
                   const struct endpoint *hop);
// The record goes to control; the slot is no longer the caller's. `code` 0: as call_answered said. These two
// do nothing for CALL_NONE or a call that is over.
void call_end(struct call_table *table, uint32_t slot, const struct clock *now, enum call_end end,
              uint16_t code);
// Ends what has lasted too long since it began or was answered (CALL_LOST, or CALL_TIMEOUT without an
// answer), at most CALL_EXPIRE_MAX at a time; `ended` hears of each before it goes (may be NULL). Once a
// millisecond or so.
#define CALL_EXPIRE_MAX 64
void call_expire(struct call_table *table, const struct clock *now,
                 void (*ended)(void *owner, const struct call *), void *owner);

// Ends what still goes on, with CALL_STOPPED, as far as an empty ring takes it. False: nothing was left. By control,
// when the worker has gone.
bool call_stop(struct call_table *table, const struct clock *now);

// Control. The next finished call, or NULL; give it back with call_written.
const struct call *call_take(struct call_table *table);
void call_written(struct call_table *table, const struct call *call);

struct call_usage {
    uint64_t calls, calls_max, begun, unfollowed, lost_lines;
};
void call_usage(const struct call_table *table, struct call_usage *usage); // any thread

#endif
