// transaction: requests in progress, as server and client transactions (RFC 3261 17, RFC 6026, RFC 4320).
//
// One record is one request being proxied: its server transaction and the client transactions of its
// branches. The first branch, mostly the only one, is part of the record; further ones come from a second
// slab. A table belongs to one worker; all memory is taken at start. The machines say what to do and never do
// it: actions come back as bits, so the room knows no message, no socket and no clock but the `now` it is
// given. Whether anything may be lost it reads from the endpoints in the record: over a stream nothing is sent
// twice and nothing waited for that would be (A, E and G do not run; D, I, J and K are zero).
//
// A response finds its record by the slot in our Via branch, a request by a hash of what RFC 3261 17.2.3
// compares. Every record waits in one place of a timing wheel, for the earliest of its deadlines or earlier:
// a deadline that moves away costs nothing until its old time has come. What has nothing left to send is
// visited when the last of its deadlines has passed; until then the machines look at the time themselves.
// Cost: a record and its first branch are four cache lines, of which most events touch three; flat in the
// number of records. Memory: at most TRANSACTION_BYTES a record with its share of index and wheel.
//
// What only absorbs retransmissions (lingers) makes room when the table is full, oldest first.
#ifndef TRANSACTION_TRANSACTION_H
#define TRANSACTION_TRANSACTION_H

#include "base/endpoint.h"
#include "base/hash.h"
#include "base/memory.h"

#define TRANSACTION_NONE         UINT32_MAX
#define TRANSACTION_BRANCHES_MAX 64 // that one record may ever have, tried ones included
#define TRANSACTION_NEVER        0  // a deadline that is not set

struct buffer; // worker/outlet.h; the room keeps pointers and never looks

// RFC 3261 17.2, RFC 6026 7.1. The record of a request we never answer as a server (none) does not exist.
enum transaction_server {
    TRANSACTION_SERVER_TRYING = 1, // not INVITE: nothing sent yet
    TRANSACTION_SERVER_PROCEEDING,
    TRANSACTION_SERVER_COMPLETED,
    TRANSACTION_SERVER_CONFIRMED, // INVITE
    TRANSACTION_SERVER_ACCEPTED,  // INVITE, RFC 6026
    TRANSACTION_SERVER_TERMINATED,
};

// RFC 3261 17.1, RFC 6026 7.2.
enum transaction_client {
    TRANSACTION_CLIENT_IDLE = 0, // a branch that is not begun
    TRANSACTION_CLIENT_CALLING,  // INVITE
    TRANSACTION_CLIENT_TRYING,   // not INVITE
    TRANSACTION_CLIENT_PROCEEDING,
    TRANSACTION_CLIENT_COMPLETED,
    TRANSACTION_CLIENT_ACCEPTED, // INVITE, RFC 6026
    TRANSACTION_CLIENT_TERMINATED,
};

// What the caller must do after an event; bits.
enum transaction_action {
    TRANSACTION_PASS = 1,   // a message that came: to the proxy core, it is news. A response of ours: send it
    TRANSACTION_ABSORB = 2, // nobody hears of the message; a response of ours is not sent
    TRANSACTION_RESEND = 4, // server: the last response; client: the request
    TRANSACTION_RESEND_CANCEL = 8, // client: its CANCEL
    TRANSACTION_ACK = 16,     // client: make and send, or send again, the ACK to a negative answer (17.1.1.3)
    TRANSACTION_TIMEOUT = 32, // client: B, F, or silence after a CANCEL: as 408 (16.8). Server: H: no ACK
    TRANSACTION_TIMER_C = 64, // client: C: CANCEL it (16.8)
    TRANSACTION_ENDED = 128,  // the machine is terminated now
    TRANSACTION_CANCEL = 256, // client: make and send its CANCEL now, then transaction_client_cancelled (9.1)
    TRANSACTION_TRYING = 512, // server, not INVITE: answer 100 by transaction_server_respond (RFC 4320 4.1)
};

struct transaction_timers {
    uint32_t t1_ms, t2_ms, t4_ms, c_ms;
};

// A client transaction. Deadlines are `now_ms` cut to 32 bits; compare with transaction_is_due. What every
// message needs comes first, in one cache line.
struct transaction_branch {
    struct buffer *request;  // as sent
    struct buffer *extra;    // its CANCEL until the final answer, then its ACK
    struct buffer *response; // the final answer, where it must wait for the others
    uint32_t retransmit_at;  // A, E; never over a stream
    uint32_t ends_at;        // B, C, D, F, K, M
    uint32_t cancel_at;      // E of its CANCEL
    uint32_t cancel_ends_at; // F of its CANCEL, which then ends the branch (9.1); NEVER: no CANCEL was sent
    uint32_t answer_at;      // the role's own (silence means the next gateway): the record is visited then
    uint32_t interval;       // ms of A or E now, or of the CANCEL's E
    uint32_t next;           // table: next branch of the record, or TRANSACTION_NONE
    uint32_t target;         // hash of the request-URI it was sent with, so that nobody is tried twice (16.5)
    uint16_t status;         // last received; 0: none
    uint8_t breadth;         // of Max-Breadth, that it has while it waits
    bool followed : 1;       // a contact of its 3xx is tried, so that is no answer any more (16.7 step 4)
    bool by_size : 1;        // the role's own: it went over a stream for being large (18.1.1) ...
    bool size_failed : 1;    // ... and did not arrive, so that it is tried as it would have gone
    uint8_t state;           // enum transaction_client
    uint8_t listener;        // it is sent from
    uint8_t number;          // of the branch in its record, as our Via says it
    bool cancelled;          // a CANCEL is wanted: sent, or to be sent with the first provisional (9.1)
    struct endpoint to;      // set before it begins: its transport decides which timers run
    uint16_t q;              // of its target, 0 to 1000
    uint16_t gateway;        // slot (gateway/gateway.h), or UINT16_MAX
};

// In the first cache line what a look-up and a visit need, in the second and third the branch and what leads
// upstream, in the fourth what is rarely asked for.
struct transaction {
    struct hash128 key;     // what RFC 3261 17.2.3 compares, method aside
    uint64_t check;         // 56 bits that our Via branch carries: whoever does not have them forged it
    uint32_t retransmit_at; // G; not INVITE: when 100 may and must be sent (RFC 4320 4.1)
    uint32_t ends_at;       // H, I, J, L
    uint32_t interval;      // ms of G now
    uint32_t call;          // call/call.h, or TRANSACTION_NONE
    uint16_t wheel_at;      // table: place in the wheel
    uint8_t state;          // enum transaction_server; 0: the slot is free
    uint8_t method;         // enum sip_method
    uint8_t listener;       // it came in on
    uint8_t branches_n;     // ever begun, so the next one's number
    uint8_t pending_n;      // without a final answer; the machines count
    bool lingers;           // table
    uint16_t status;        // last sent upstream; 0: none
    uint16_t best;          // number of the branch with the best final answer so far; UINT16_MAX: none
    uint16_t route;         // index of the rule that took it, or UINT16_MAX; of the policy then in force
    uint8_t breadth;        // Max-Breadth left for further branches (RFC 5393 5.3.3)
    bool cancelled;         // the caller took the request back
    bool exhausted;         // no target is left to try
    bool has_6xx;           // no new branch may be begun (16.7 step 5)
    bool in_dialog;         // the role's own: its Route set decides where it goes
    struct transaction_branch first;
    struct buffer *response;  // the last one sent upstream
    struct buffer *original;  // the request as it came, where further targets may be tried; else NULL
    struct endpoint reply_to; // where responses go (18.2.2); set before the first one
    struct endpoint source;   // of the request
    struct buffer *cancel;    // the caller's CANCEL, where it says why and somebody may still have to be told
} __attribute__((aligned(64)));

struct transaction_table;

struct transaction_limits {
    uint64_t records;  // of this worker
    uint64_t branches; // beyond the first of each
    int node;
};

#define TRANSACTION_BYTES       512
#define TRANSACTION_TICK_MS     8
#define TRANSACTION_RECORDS_MAX (UINT32_C(1) << 30)

// All memory is taken here. 0 or -ENOMEM; -EINVAL for no records, or more than TRANSACTION_RECORDS_MAX of
// either kind.
int transaction_table_create(struct transaction_table **table, const struct transaction_limits *limits,
                             const struct transaction_timers *timers, const struct memory *memory);
// NULL is allowed. Buffers were released before.
void transaction_table_destroy(struct transaction_table *table);
void transaction_table_time(struct transaction_table *table, const struct transaction_timers *timers);

// A new record in TRYING or PROCEEDING (INVITE), in the wheel, found by `key` from now on. What is not the
// table's own is zero, but `call` and the UINT16_MAX ones, which say none. Takes the place of the oldest one
// that lingers when none is free: that one is given to `evict` first, which releases its buffers. NULL: all
// are alive.
struct transaction *transaction_open(struct transaction_table *table, struct hash128 key, uint8_t method,
                                     uint64_t now_ms, void (*evict)(void *owner, struct transaction *),
                                     void *owner);

// An ACK and a CANCEL find the record of their INVITE (17.2.3, 9.2). NULL: none.
struct transaction *transaction_find(struct transaction_table *table, struct hash128 key, uint8_t method);
void transaction_prefetch(const struct transaction_table *table, struct hash128 key); // chain head
void transaction_prefetch_record(const struct transaction_table *table,
                                 struct hash128 key);                                 // what it leads to
void transaction_prefetch_slot(const struct transaction_table *table, uint32_t slot); // any slot at all
// The buffers of a record that was prefetched a while ago; any slot at all.
void transaction_prefetch_buffers(const struct transaction_table *table, uint32_t slot);

// By what our Via branch carries; NULL: nothing there, or not with this check.
struct transaction *transaction_at(struct transaction_table *table, uint32_t slot, uint64_t check);
uint32_t transaction_slot(const struct transaction_table *table, const struct transaction *transaction);

// Branch `number`, or NULL.
struct transaction_branch *transaction_branch_at(struct transaction_table *table,
                                                 struct transaction *transaction, unsigned number);
// The next branch, IDLE: `first` where there is none yet, then further ones. NULL: no memory left, or
// TRANSACTION_BRANCHES_MAX.
struct transaction_branch *transaction_branch_add(struct transaction_table *table,
                                                  struct transaction *transaction);
// All branches, in order: NULL starts, NULL ends.
struct transaction_branch *transaction_branch_next(struct transaction_table *table,
                                                   struct transaction *transaction,
                                                   struct transaction_branch *branch);

// After any change of deadlines: sees to it that the record is visited in time; when both machines have ended
// and no deadline is left, says false and the caller closes it. A server transaction that was not answered
// ends with its last branch. Also notes whether it lingers. A deadline that has passed already is visited in
// the next turn, never in this.
bool transaction_settle(struct transaction_table *table, struct transaction *transaction, uint64_t now_ms);

// Takes the record out of everything; its buffers were released before.
void transaction_close(struct transaction_table *table, struct transaction *transaction);

// The next record whose time has come, taken out of the wheel; the caller acts on its timers (all of them:
// the record is visited for the earliest) and settles or closes it. At most TRANSACTION_TICK_MS after the
// deadline when asked in time; never twice in a turn but after a leap of the clock. NULL: none is due. What
// the caller does not ask for stays due.
struct transaction *transaction_due(struct transaction_table *table, uint64_t now_ms);

static inline bool transaction_is_due(uint32_t deadline, uint64_t now_ms)
{
    return deadline != TRANSACTION_NEVER && (int32_t)((uint32_t)now_ms - deadline) >= 0;
}

struct transaction_usage {
    uint64_t records, records_max, lingering, branches, branches_max;
    uint64_t opened, evicted, refused;
    uint64_t bytes;
};
void transaction_usage(const struct transaction_table *table, struct transaction_usage *usage); // any thread

// The machines. Each returns actions. Whoever calls them settles the record afterwards.

// server.c: a request with the record's key came (again), an ACK to it came, a response is to go upstream, a
// timer. A response that could not be sent changes nothing (RFC 6026 8.8).
unsigned transaction_server_request(struct transaction_table *table, struct transaction *transaction,
                                    uint64_t now_ms);
unsigned transaction_server_ack(struct transaction_table *table, struct transaction *transaction,
                                uint64_t now_ms);
unsigned transaction_server_respond(struct transaction_table *table, struct transaction *transaction,
                                    uint16_t status, uint64_t now_ms);
unsigned transaction_server_timer(struct transaction_table *table, struct transaction *transaction,
                                  uint64_t now_ms);

// client.c: the request was sent, a response came, the caller wants it cancelled, a timer.
void transaction_client_begin(struct transaction_table *table, struct transaction *transaction,
                              struct transaction_branch *branch, uint64_t now_ms);
unsigned transaction_client_response(struct transaction_table *table, struct transaction *transaction,
                                     struct transaction_branch *branch, uint16_t status, uint64_t now_ms);
// True: send the CANCEL now, then transaction_client_cancelled. False: it goes with the first provisional
// answer (TRANSACTION_CANCEL), or there is nothing left to cancel.
bool transaction_client_cancel(struct transaction *transaction, struct transaction_branch *branch);
void transaction_client_cancelled(struct transaction_table *table, struct transaction_branch *branch,
                                  uint64_t now_ms);
// Another one has its place (RFC 3263 4.3): its request is not sent again. Answers are heard until B or F.
void transaction_client_forgo(struct transaction_branch *branch);
// The answer to our CANCEL: a final one stops its retransmissions.
void transaction_client_cancel_answered(struct transaction_branch *branch, uint16_t status);
unsigned transaction_client_timer(struct transaction_table *table, struct transaction *transaction,
                                  struct transaction_branch *branch, uint64_t now_ms);
// ICMP, no route. PASS and ENDED: as if 503 had come (16.9). ENDED alone: an ACK did not arrive. 0: no arrow
// leads from where it is, and nothing changed.
unsigned transaction_client_error(struct transaction *transaction, struct transaction_branch *branch);

#endif
