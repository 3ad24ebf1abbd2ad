// subscription: presentities, what is published of them, and who watches them (RFC 3903, RFC 6665).
//
// A presentity is one resource of one event package: an address of record and a package number. It has publications,
// subscriptions (watchers), and its current document, which somebody above composes: the room knows no SIP, no XML and
// no packet. It is there as long as it has a publication or a subscription. One table belongs to one worker, who alone
// changes it; other workers read documents, and control walks it, both without a lock: what they may see is immutable
// and its memory is used again only after every reader has passed a quiescent state.
//
// The machines say what to do and never do it: actions come back as bits. What the machine of a subscription promises:
// at most one NOTIFY is under way, so none overtakes another; when it is answered the newest state goes next, if it is
// another one; retransmissions carry the body that was sent first (RFC 3261 17.1.2, Timers E and F; over a stream F
// alone); the last NOTIFY says that it is over, and its answer ends it.
//
// Every turn of the loop: subscription_turn once, then subscription_due until it says no. Presentities vanish in
// subscription_due alone, and subscriptions and publications in their _close alone: pointers last until then. What
// subscription_text, subscription_body and the like give lasts until the calling thread's next quiescent state.
//
// Cost: each event is O(1) with two to four cache misses that can be prefetched, flat in the number of records. A new
// document visits each watcher once, a bounded number a turn. Memory is taken at start and is a bound: bytes a
// subscription and a publication stand below.
#ifndef SUBSCRIPTION_SUBSCRIPTION_H
#define SUBSCRIPTION_SUBSCRIPTION_H

#include <rte_rcu_qsbr.h>

#include "base/endpoint.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/slice.h"

#define SUBSCRIPTION_PUBLICATIONS_MAX 32    // of one presentity
#define SUBSCRIPTION_BODY_MAX         65000 // bytes of a document or a publication's body
#define SUBSCRIPTION_TEXT_MAX         4000  // bytes of all texts of a dialog together
#define SUBSCRIPTION_RECORDS_MAX      (UINT32_C(1) << 28)
#define SUBSCRIPTION_TICK_MS          16 // at most that late is what waits for a time

struct subscription_table;

// The texts of a dialog (RFC 3261 12), as they are written into a NOTIFY.
enum subscription_text {
    SUBSCRIPTION_CALL_ID,
    SUBSCRIPTION_LOCAL_TAG,
    SUBSCRIPTION_REMOTE_TAG,
    SUBSCRIPTION_LOCAL_URI,  // To of the SUBSCRIBE, From of the NOTIFY
    SUBSCRIPTION_REMOTE_URI, // From of the SUBSCRIBE, To of the NOTIFY
    SUBSCRIPTION_TARGET,     // the watcher's Contact, request-URI of the NOTIFY
    SUBSCRIPTION_ROUTE,      // the route set as one comma list, first hop first; empty: none
    SUBSCRIPTION_EVENT_ID,   // RFC 6665 4.5.2; empty: none
    SUBSCRIPTION_WATCHER,    // the URI of who asked; empty: that of SUBSCRIPTION_REMOTE_URI
    SUBSCRIPTION_TEXTS,
};

enum subscription_state {
    SUBSCRIPTION_PENDING = 1, // nobody has allowed it yet; documents do not reach it
    SUBSCRIPTION_ACTIVE,
    SUBSCRIPTION_TERMINATED, // the last NOTIFY is to be sent, or under way
};

// RFC 6665 4.1.3
enum subscription_reason {
    SUBSCRIPTION_NO_REASON,
    SUBSCRIPTION_DEACTIVATED,
    SUBSCRIPTION_PROBATION,
    SUBSCRIPTION_REJECTED,
    SUBSCRIPTION_TIMEOUT, // expired, or the watcher ended it
    SUBSCRIPTION_GIVEUP,
    SUBSCRIPTION_NORESOURCE,
    SUBSCRIPTION_INVARIANT,
};

// What the caller must do after an event; bits.
enum subscription_action {
    SUBSCRIPTION_SEND = 1, // subscription_notify_begin with the newest body, then make and send that NOTIFY
    SUBSCRIPTION_RESEND =
        2, // make and send again the NOTIFY under way, with `local_cseq` and the body under way
    SUBSCRIPTION_EXPIRED = 4, // it has just run out and is TERMINATED now; SEND comes with it or later
    SUBSCRIPTION_FAILED = 8, // with REMOVE: the watcher is not there any more (F, 481, …), nobody can be told
    SUBSCRIPTION_REMOVE = 16, // it is over: forget it in the store, then subscription_close
};

// Where a subscription is with its NOTIFY (RFC 3261 17.1.2; answers that come twice find no NOTIFY under way).
enum subscription_notify {
    SUBSCRIPTION_IDLE,
    SUBSCRIPTION_TRYING,
    SUBSCRIPTION_PROCEEDING,
};

// What is published or composed: immutable. Read with subscription_body.
struct subscription_body {
    uint32_t retired; // table
    uint32_t holder;  // table
    uint32_t refs;    // table
    uint32_t len;
    uint64_t tag;  // of the document (RFC 5839): equal tags are equal documents; a publication's is its own
    uint64_t base; // form that is a difference: tag of the document that it is to be applied to
    uint32_t version; // of the document: one more than that of the one before
    uint16_t type;    // the caller's: of content
    uint16_t unused;
    char bytes[];
};

struct subscription_publication {
    uint64_t tag;        // SIP-ETag (RFC 3903), never 0
    uint64_t expires_ms; // arrival clock at which it dies
    uint32_t presentity; // slot
    uint32_t next;       // of the presentity, the older one; 0: none
    uint32_t previous;
    uint32_t body;     // reference
    uint32_t source;   // the caller's: what it wants to remember of who published
    uint32_t order;    // of its body among the presentity's: a later one has a higher number
    uint16_t wheel_at; // table
    bool used;         // table
};

// Deadlines are `now_ms` cut to 32 bits; 0: not set. What fan-out looks at comes first, in one cache line, and what a
// NOTIFY is built from in the second.
struct subscription {
    uint64_t has;           // tag of the document that the watcher has for certain; 0: none
    uint64_t sending;       // tag of the one under way
    uint64_t expires_ms;    // arrival clock at which it dies; set by subscription_refresh alone
    uint32_t presentity;    // slot
    uint32_t text;          // reference
    uint32_t body;          // reference of the body under way; 0: it has none, or none is under way
    uint32_t retransmit_at; // E
    uint32_t ends_at;       // F
    uint32_t interval;      // ms of E now
    uint32_t next_at;       // RFC 6446: not before; after a failure: when to try again
    uint32_t quiet_at;      // RFC 6446 min-rate: then one is due whatever has changed
    uint16_t wheel_at;      // table
    uint8_t state;          // enum subscription_state; 0: the slot is free
    uint8_t reason;         // enum subscription_reason
    uint8_t told;           // the state that the watcher was told for certain; 0: none
    uint8_t telling;        // by the NOTIFY under way
    uint8_t notify;         // enum subscription_notify
    bool wanted : 1;        // the next NOTIFY goes whatever it says (RFC 6665 4.2.1.2)
    bool held : 1;     // caller's: its SUBSCRIBE is not answered yet, so no NOTIFY before subscription_ask
    bool blind : 1;    // caller's: what it is shown does not follow the document (politely blocked)
    bool any : 1;      // Suppress-If-Match: * (RFC 5839 6.3): no document is news
    bool bodyless : 1; // its SUBSCRIBE had a condition, which no document has ended yet (RFC 5839)
    bool over : 1;     // table: REMOVE was said
    bool stream : 1;   // table: the NOTIFY under way goes over one, whatever `to` is

    uint64_t check;         // of our tag and our branches, never 0: whoever does not have it forged them
    uint32_t local_cseq;    // of the NOTIFY under way, or of the last one
    uint32_t remote_cseq;   // caller's
    struct endpoint to;     // caller's: where NOTIFYs go
    uint8_t listener;       // caller's: from which
    uint8_t mark[3];        // caller's
    uint16_t accept;        // caller's: bits of types of content that the watcher takes
    uint16_t retry_after_s; // caller's, of a terminated one
    uint32_t min_ms;   // caller's: at least between two NOTIFYs (RFC 6446 max-rate, or our own); below 2**31
    uint32_t quiet_ms; // caller's: at most (min-rate), below 2**31; 0: no such wish
    uint32_t source;   // table: slot of who is counted
    uint32_t chain;    // table
    uint32_t version;  // caller's: of what is numbered by subscription

    uint64_t own[8]; // caller's; zero at first
} __attribute__((aligned(64)));

#define SUBSCRIPTION_FORMS 4 // of a document; 0 is the whole one, the others are the caller's to number

struct subscription_presentity {
    struct hash128 key;
    uint64_t chain;                        // table
    uint32_t owner;                        // reference: subscription_presentity_owner
    uint32_t forms[SUBSCRIPTION_FORMS];    // references of the current document; 0: none
    uint32_t version;                      // of the current document; 0: there never was one
    uint64_t tag;                          // of the current document; 0: none
    uint32_t publications, publications_n; // slots, newest first
    struct list subscriptions;             // slots, oldest first
    uint32_t subscriptions_n;
    uint32_t recompose_at;     // deadline at which it is to be composed again; 0: never
    uint32_t fan_at, fan_left; // table: who is to hear of the document next, and how many more
    uint32_t behind[2];        // table: who comes next in each queue that it stands in
    uint32_t retired;          // table
    uint16_t wheel_at;         // table
    uint8_t package;
    bool used;                                                // table
    bool touched : 1, in_touched : 1, in_fan : 1, waited : 1; // table
    uint32_t since;                                           // table: what the first version counts from
    uint64_t seen;      // caller's: of what it composed from (a list: its members' tags); zero at first
    uint32_t unsettled; // table: holds
} __attribute__((aligned(64)));

struct subscription_limits { // of this worker
    uint64_t presentities, publications, subscriptions;
    uint64_t bytes;      // of texts, bodies and documents; 0: SUBSCRIPTION_BYTES_* for that many
    uint32_t watchers;   // subscriptions to one presentity
    uint32_t per_source; // subscriptions from one source: an IPv4 address, or 64 bits of an IPv6 one
    int node;
};

struct subscription_timers {
    uint32_t t1_ms, t2_ms;
};

// What `bytes` is made of by default: a dialog's texts, a publication's body, a presentity's document and its name.
#define SUBSCRIPTION_BYTES_TEXTS 512
#define SUBSCRIPTION_BYTES_BODY  1024
#define SUBSCRIPTION_BYTES_NAME  128

// A worker's part of what the whole box may have, with room for the imbalance that hashing leaves (as location's).
static inline uint64_t subscription_share(uint64_t whole, unsigned workers)
{
    uint64_t mean = whole / workers + 1;
    uint64_t roomy = mean + mean / 16 + 128;

    return roomy < whole ? roomy : whole;
}

// All memory is taken here, at one go. 0 or -ENOMEM; -EINVAL for a limit of 0 or over SUBSCRIPTION_RECORDS_MAX.
// `qsbr` outlives the table; the owner worker is one of its readers. `key` is for hashes that strangers must not steer.
int subscription_table_create(struct subscription_table **table, const struct subscription_limits *limits,
                              const struct subscription_timers *timers, const struct hash_key *key,
                              struct rte_rcu_qsbr *qsbr, const struct memory *memory);
void subscription_table_destroy(struct subscription_table *table); // NULL is allowed
void subscription_table_time(struct subscription_table *table, const struct subscription_timers *timers);
// Other bounds from now on, as in subscription_limits; those who are there stay. Owner worker only, or before launch.
void subscription_table_bound(struct subscription_table *table, uint32_t watchers, uint32_t per_source);

// Presentities. Owner worker only, but for what says otherwise.

// NULL: not there.
struct subscription_presentity *subscription_presentity_find(struct subscription_table *table,
                                                             struct hash128 key);
// Finds or makes it. A new one counts as touched; it vanishes in a later turn if nothing is published or watched by
// then. `owner`: the canonical address of record, 1 to SUBSCRIPTION_TEXT_MAX bytes. `now_unix_s` is what a new one's
// versions count from, so that they never go back. NULL: no record or no memory (counted as refused).
struct subscription_presentity *subscription_presentity_open(struct subscription_table *table,
                                                             struct hash128 key, struct slice owner,
                                                             uint8_t package, uint64_t now_unix_s);
struct subscription_presentity *subscription_presentity_at(struct subscription_table *table, uint32_t slot);
struct slice subscription_presentity_owner(const struct subscription_table *table,
                                           const struct subscription_presentity *presentity); // any reader

// Something that its document is made from has changed: subscription_due will ask for it. False: nobody publishes or
// watches there, so nothing is to be done.
bool subscription_touch(struct subscription_table *table, struct hash128 key);
void subscription_presentity_touch(struct subscription_table *table,
                                   struct subscription_presentity *presentity);
// Something was published that may yet turn out not to have been: until it is released as often as it is held, its
// document stays as it is, whoever is to be told waits, and it does not vanish.
void subscription_presentity_hold(struct subscription_presentity *presentity);
void subscription_presentity_release(struct subscription_table *table, struct hash128 key);
// As if touched at that time (milliseconds of the arrival clock; 0: never), in place of an earlier such wish.
void subscription_presentity_recompose(struct subscription_table *table,
                                       struct subscription_presentity *presentity, uint64_t at_ms,
                                       uint64_t now_ms);

// NULL starts, NULL ends. Publications newest first, subscriptions oldest first.
struct subscription_publication *
subscription_publication_next(struct subscription_table *table,
                              const struct subscription_presentity *presentity,
                              const struct subscription_publication *publication);
struct subscription *subscription_next(struct subscription_table *table,
                                       const struct subscription_presentity *presentity,
                                       const struct subscription *subscription);

// Hints for batches: the chain head of a key, then (a little later) the presentity that it leads to, then its newest
// publication, then the blocks that another body and document replace; the same for a check and its subscription.
void subscription_prefetch(const struct subscription_table *table, struct hash128 key);
void subscription_prefetch_presentity(const struct subscription_table *table, struct hash128 key);
void subscription_prefetch_publication(const struct subscription_table *table, struct hash128 key);
void subscription_prefetch_bodies(const struct subscription_table *table, struct hash128 key);
void subscription_prefetch_check(const struct subscription_table *table, uint64_t check);
void subscription_prefetch_found(const struct subscription_table *table, uint64_t check);
void subscription_prefetch_slot(const struct subscription_table *table, uint32_t slot); // any slot at all

// Bodies and documents.

// What a reference names, for readers of any thread; NULL for 0. Bodies are moved between turns: take references from
// the records each time, and keep none over a subscription_turn.
const struct subscription_body *subscription_body(const struct subscription_table *table, uint32_t reference);

// A new current document: `whole` becomes form 0, the other forms go. Those who watch hear of it by subscription_due.
// A document with the tag of the current one changes nothing. Whatever it was touched for is settled by this; so a
// caller who composed and found nothing new calls it with the current tag. `tag` is a hash of the document, never 0.
// 0; -ENOSPC or -E2BIG: the old one stays, and it is asked for again in a second.
int subscription_document_put(struct subscription_table *table, struct subscription_presentity *presentity,
                              uint64_t tag, uint16_t type, struct slice whole, uint64_t now_ms);
// Another form (1 to SUBSCRIPTION_FORMS - 1) of the current document, in place of that form's. `base`: 0, or the tag of
// the document that it is the difference to. 0, -ENOSPC, -E2BIG: that form is missing then.
int subscription_form_put(struct subscription_table *table, struct subscription_presentity *presentity,
                          unsigned form, uint16_t type, uint64_t base, struct slice bytes);

// Any thread that is a reader: form 0 of the current document of a key; NULL: none. What is needed for it can be
// prefetched as above. A reader that asks while it is replaced gets the old or the new one.
const struct subscription_body *subscription_document_read(const struct subscription_table *table,
                                                           struct hash128 key);

// Publications. A change of bodies touches the presentity.

// `tag` is random and not 0, or what the store remembers. NULL: no record, no memory, or
// SUBSCRIPTION_PUBLICATIONS_MAX (counted as refused); also for a body over SUBSCRIPTION_BODY_MAX.
struct subscription_publication *subscription_publish(struct subscription_table *table,
                                                      struct subscription_presentity *presentity,
                                                      uint64_t tag, uint16_t type, struct slice body,
                                                      uint64_t expires_ms);
struct subscription_publication *
subscription_publication_find(struct subscription_table *table,
                              const struct subscription_presentity *presentity, uint64_t tag);
// A refresh (body == NULL) or another body, under a new tag. 0 or -ENOSPC, -E2BIG: nothing has changed.
int subscription_publication_change(struct subscription_table *table,
                                    struct subscription_publication *publication, uint64_t tag, uint16_t type,
                                    const struct slice *body, uint64_t expires_ms);
// Its body came as early or late as this number says, which is not 0: one from before a restart.
void subscription_publication_place(struct subscription_table *table,
                                    struct subscription_publication *publication, uint32_t order);
void subscription_publication_close(struct subscription_table *table,
                                    struct subscription_publication *publication);
uint32_t subscription_publication_slot(const struct subscription_table *table,
                                       const struct subscription_publication *publication);

// Subscriptions.

struct subscription_opening {
    struct slice text[SUBSCRIPTION_TEXTS];
    struct endpoint to, source; // `source`: who is counted
    uint64_t check;             // random and not 0, or what the store remembers
    uint64_t expires_ms;        // of the arrival clock; may have passed: a fetch (RFC 6665 4.4.3)
    uint32_t local_cseq; // its first NOTIFY has one more; after a restart over all that were sent before
    uint32_t remote_cseq;
    uint32_t min_ms, quiet_ms;
    uint16_t accept;
    uint8_t listener;
    uint8_t state; // PENDING or ACTIVE
    bool
        restored; // the watcher was told of it before the restart: not held, and only documents and changes are news
};

// A new subscription, held until subscription_ask. 0; -ENOSPC: no record or no memory; -EUSERS: the presentity has its
// bound of watchers; -EDQUOT: the source has its bound; -E2BIG: the texts. All but 0 count as refused. One that is restored
// was granted before, whatever these two bounds are now.
int subscription_open(struct subscription_table *table, struct subscription_presentity *presentity,
                      const struct subscription_opening *opening, uint64_t now_ms,
                      struct subscription **subscription);
// Takes it out of everything, whatever is under way. The presentity counts as touched when it was the last.
void subscription_close(struct subscription_table *table, struct subscription *subscription);

// By slot and check, as our Via branch carries them, or by check alone, as our tag does, which outlives a restart.
// NULL: nothing there. Slots are 1 and up.
struct subscription *subscription_at(struct subscription_table *table, uint32_t slot, uint64_t check);
struct subscription *subscription_find(struct subscription_table *table, uint64_t check);
uint32_t subscription_slot(const struct subscription_table *table, const struct subscription *subscription);

// Any reader. In one that is being closed texts may be empty.
struct slice subscription_text(const struct subscription_table *table,
                               const struct subscription *subscription, enum subscription_text which);
// Replaces one text (target refresh, RFC 3261 12.2.2). 0, -ENOSPC, -E2BIG: nothing has changed.
int subscription_text_put(struct subscription_table *table, struct subscription *subscription,
                          enum subscription_text which, struct slice text);

// The machine of a subscription. Each event returns actions.

// How long it lives from now on, as a SUBSCRIBE in its dialog says, whose Suppress-If-Match comes next if it has one.
// Does not ask for a NOTIFY. Nothing for a TERMINATED one.
void subscription_refresh(struct subscription_table *table, struct subscription *subscription,
                          uint64_t expires_ms, uint64_t now_ms);
// Its SUBSCRIBE was answered: a NOTIFY goes at once, whatever it says (RFC 6665 4.2.1.2, RFC 6446 5.2); when one is
// under way, right behind it. One that has expired already (a fetch, Expires: 0) is TERMINATED by this.
unsigned subscription_ask(struct subscription_table *table, struct subscription *subscription,
                          uint64_t now_ms);
// Suppress-If-Match named the document with this tag, or was "*" (`any`): the watcher has it, by his own word (RFC 5839
// 6.2, 6.3). Whether that is the current one is seen whenever something could be told, so a document that is not
// composed yet may be named. Call it in the place of subscription_ask for a 204, before it for any other answer.
void subscription_suppress(struct subscription *subscription, uint64_t tag, bool any);
// The condition holds for the document with this tag: a NOTIFY has no body.
static inline bool subscription_is_bodyless(const struct subscription *subscription, uint64_t tag)
{
    return subscription->bodyless && (subscription->any || subscription->has == tag);
}

// From now on: `min_ms` and `quiet_ms` as in the record.
void subscription_pace(struct subscription *subscription, uint32_t min_ms, uint32_t quiet_ms,
                       uint64_t now_ms);

// Granted (ACTIVE), doubted again (PENDING), or ended with a reason (TERMINATED). The same state again is no news.
unsigned subscription_state_set(struct subscription_table *table, struct subscription *subscription,
                                enum subscription_state state, enum subscription_reason reason,
                                uint64_t now_ms);

// The watcher is elsewhere now, so the NOTIFY under way leads nowhere: it is over without a word, and its Timer F does
// not end what a SUBSCRIBE has just prolonged. What it said is news again, and goes soon. Nothing where none is.
void subscription_notify_abandon(struct subscription_table *table, struct subscription *subscription,
                                 uint64_t now_ms);

// The NOTIFY that SEND asked for is about to be sent, with this body (a reference of the presentity's forms, or from
// subscription_body_make; 0: none). Counts local_cseq up, keeps the body until the NOTIFY is over, starts the timers.
// If it then cannot be made or sent, over UDP Timer E sees to it; over a stream say 503 by subscription_notify_answer.
void subscription_notify_begin(struct subscription_table *table, struct subscription *subscription,
                               uint32_t body, uint64_t now_ms);
// The NOTIFY that has just begun goes over a stream, though `to` is none: it is not sent again.
void subscription_notify_by_stream(struct subscription *subscription);
// It did not leave so, and nobody has answered it: it goes to `to` after all, its timers from the beginning. Returns
// RESEND.
unsigned subscription_notify_by_datagram(struct subscription_table *table, struct subscription *subscription,
                                         uint64_t now_ms);
// A body for one subscription alone. Who makes it gives it to subscription_notify_begin at once, which owns it then.
// 0: no memory, or over SUBSCRIPTION_BODY_MAX.
uint32_t subscription_body_make(struct subscription_table *table, uint16_t type, struct slice bytes);
// An answer to the NOTIFY `cseq`, which mostly is the one under way. `retry_after_s`: of its Retry-After; 0: none.
unsigned subscription_notify_answer(struct subscription_table *table, struct subscription *subscription,
                                    uint32_t cseq, uint16_t status, uint32_t retry_after_s, uint64_t now_ms);

// The turn.

enum subscription_kind {
    SUBSCRIPTION_NOTHING,
    SUBSCRIPTION_DUE_COMPOSE,     // `presentity` was touched: compose it, then subscription_document_put
    SUBSCRIPTION_DUE_WATCHER,     // `subscription` has `actions`
    SUBSCRIPTION_DUE_PUBLICATION, // `publication` has expired: subscription_publication_close
};

struct subscription_due {
    enum subscription_kind kind;
    unsigned actions;
    struct subscription_presentity *presentity;
    struct subscription *subscription;
    struct subscription_publication *publication;
};

// Once a turn of the loop: gives back memory that no reader can hold, moves bodies together where memory is split up,
// and allows subscription_due that many looks at records in this turn. A budget not under what one turn may publish.
void subscription_turn(struct subscription_table *table, unsigned budget);
// What is to be done next; false: nothing more in this turn. A presentity that was touched is composed before its
// watchers hear of it, so no event of a subscription says SEND while it is. COMPOSE is said once, all else again after
// T1 if it was not done.
bool subscription_due(struct subscription_table *table, uint64_t now_ms, struct subscription_due *due);

// For control.

struct subscription_usage {
    uint64_t presentities, publications, subscriptions;
    uint64_t presentities_max, publications_max, subscriptions_max;
    uint64_t pending, sources; // subscriptions that wait for consent; sources of subscriptions
    uint64_t bytes, bytes_max; // of texts, bodies and documents, those that wait for readers included
    uint64_t index_bytes;      // all else, taken at start
    uint64_t deferred;         // blocks that wait for readers
    uint64_t refused, refused_source, refused_watchers;
    uint64_t notified, resent, answered, failed; // NOTIFYs begun, sent again, answered 2xx, otherwise over
    uint64_t composed;                           // documents that were new
};
void subscription_usage(const struct subscription_table *table,
                        struct subscription_usage *usage); // any thread

// Walks for telemetry: `position` starts at 0. The next one; or NULL, at the end, where *position is
// SUBSCRIPTION_WALK_END, or when there was none in `places` places. Any registered reader, which reports a quiescent
// state between calls as often as it can; fields of what it sees may change under it.
#define SUBSCRIPTION_WALK_END UINT64_MAX
const struct subscription *subscription_walk(const struct subscription_table *table, uint64_t *position,
                                             unsigned places);
const struct subscription_presentity *subscription_presentity_walk(const struct subscription_table *table,
                                                                   uint64_t *position, unsigned places);
// The presentity that a subscription which was met belongs to; NULL when it is gone.
const struct subscription_presentity *subscription_presentity_of(const struct subscription_table *table,
                                                                 const struct subscription *subscription);

#endif
