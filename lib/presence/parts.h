// parts: what the files of this room share.
//
// Internal to the room.
#ifndef PRESENCE_PARTS_H
#define PRESENCE_PARTS_H

#include "document/compose.h"
#include "document/reader.h"
#include "document/text.h"
#include "presence/package.h"
#include "roster/roster.h"
#include "sip/contact.h"
#include "store/store.h"

#define PRESENCE_MESSAGE_MAX   65000 // bytes of a NOTIFY, a long list's: what a datagram holds
#define PRESENCE_LIST_MAX      62952 // of such a list
#define PRESENCE_DOCUMENT_MAX  14336 // of a document; a NOTIFY with one is no longer than SIP_MESSAGE_MAX
#define PRESENCE_DIALOG_MAX    1536  // of a dialog's texts, so that the rest has room beside a document
#define PRESENCE_BLOCK_MAX     65536
#define PRESENCE_ASKED_MAX     256 // SUBSCRIBEs answered in a turn whose NOTIFY waits for its end
#define PRESENCE_TOUCHED_MAX   64
#define PRESENCE_REPEATS       16384 // places, of
#define PRESENCE_REPEATS_EACH  4
#define PRESENCE_WAITING_USERS 256
#define PRESENCE_WAITING_EACH  16

// A subscription whose SUBSCRIBE was answered in this turn: the NOTIFY follows its answer out.
struct presence_asked {
    uint64_t check;
    uint32_t slot;
};

// See repeat.c.
struct presence_repeat {
    uint64_t key;
    uint32_t until_s; // arrival clock; 0: nothing is here
    uint16_t status;
};

// Whose subscription ran out before anybody had allowed it, see waiting.c.
struct presence_waiting {
    struct hash128 aor; // of the user
    uint64_t watcher;   // hash of his address of record
    uint64_t until_ms;  // 0: nobody
    uint16_t uri_len;
    char uri[158]; // of the watcher
};

struct presence {
    // control: wo before launch
    struct subscription_table *table;
    struct document_reader *reader;
    struct presence *const *all; // by worker
    unsigned all_n;
    struct memory memory;

    // worker
    uint8_t policy, polite, registered; // of [presence], as all were judged by
    uint64_t anew;    // where the walk over all is, after another policy; SUBSCRIPTION_WALK_END
    struct clock now; // of the last turn
    unsigned asked_n, touched_n;
    struct presence_asked asked[PRESENCE_ASKED_MAX];
    struct hash128 touched[PRESENCE_TOUCHED_MAX]; // addresses of record
    struct presence_repeat repeat[PRESENCE_REPEATS * PRESENCE_REPEATS_EACH];
    struct presence_waiting waiting[PRESENCE_WAITING_USERS * PRESENCE_WAITING_EACH];
    char message[PRESENCE_MESSAGE_MAX];                     // the NOTIFY being written
    char document[PRESENCE_DOCUMENT_MAX];                   // the document being written
    char list[PRESENCE_LIST_MAX], parts[PRESENCE_LIST_MAX]; // of a list
    char text[SUBSCRIPTION_TEXT_MAX];                       // a dialog's, without folds
    char entity[SIP_AOR_MAX + 8];
    uint32_t block[PRESENCE_BLOCK_MAX / sizeof(uint32_t)]; // the document being composed
    struct presence_counters counters;                     // telemetry: ro
};

// subscription->mark[PRESENCE_MARK_FLAGS]
enum presence_flag {
    PRESENCE_SHOWN = 1,    // may see documents, or what passes for them
    PRESENCE_TRUSTED = 2,  // came from who is trusted ([trust])
    PRESENCE_PACED = 4,    // asked for max-rate (RFC 6446)
    PRESENCE_LIST = 8,     // its presentity is a list
    PRESENCE_QUIETED = 16, // its last SUBSCRIBE was answered with 204
    PRESENCE_ASKS = 32,    // its NOTIFY goes when its SUBSCRIBE is on the disk, and answered
    PRESENCE_STORED = 64,  // the store has it, or will
    PRESENCE_BLIND = 128,  // in the store only: subscription->blind
    PRESENCE_NAMED = 16,   // in the store only: PRESENCE_HOP_NAMED
};
#define PRESENCE_FLAGS_STORED \
    (PRESENCE_SHOWN | PRESENCE_TRUSTED | PRESENCE_PACED | PRESENCE_LIST | PRESENCE_STORED)
enum { PRESENCE_MARK_FLAGS, PRESENCE_MARK_EVENT, PRESENCE_MARK_HOP }; // EVENT: enum document_watcher_event
// subscription->mark[PRESENCE_MARK_HOP]
enum presence_hop {
    PRESENCE_HOP_NAMED = 1,   // the watcher's Contact or Route says where NOTIFYs go, not where he was seen
    PRESENCE_HOP_REFUSED = 2, // there is no TCP there
    PRESENCE_HOP_SILENT = 4,  // what was for its connection did not leave, and nothing was heard since
};
// subscription->own[]: since when, in Unix seconds; the document's tag that the NOTIFY under way says.
// Of a list's, see presence/list.h: the version that the watcher was told, and that he will have been told once all of it
// has left; the member that it goes on with, now and next, counted from 1; whether all are told of; whether that took
// more than one message.
enum {
    PRESENCE_OWN_BEGAN,
    PRESENCE_OWN_TAG,
    PRESENCE_OWN_TOLD,
    PRESENCE_OWN_SENDING,
    PRESENCE_OWN_CURSOR,
    PRESENCE_OWN_NEXT,
    PRESENCE_OWN_FULL,
    PRESENCE_OWN_LONG,
};

// presentity->forms[]
enum {
    PRESENCE_FORM_WHOLE,
    PRESENCE_FORM_FULL,       // RFC 5262, pidf-full
    PRESENCE_FORM_DIFFERENCE, // RFC 5262, pidf-diff to the document before
    PRESENCE_FORM_BLOCK,      // what it was written from, for the next difference
};

// reading.c: what a SUBSCRIBE or PUBLISH says. False: answered.
struct presence_asking {
    const struct presence_package *package;
    struct slice event_id;     // of Event; empty: none
    uint32_t expires;          // seconds, granted; 0: none
    uint32_t min_ms, quiet_ms; // RFC 6446; 0: not said
    uint16_t accept;           // PRESENCE_TYPE_BITs
};
bool presence_read_event(struct role_request *request, struct presence_asking *asking);
bool presence_read_expires(struct role_request *request, struct presence_asking *asking);
bool presence_read_accept(struct role_request *request, struct presence_asking *asking);
// The rates that the answer to a NOTIFY asks for, and nothing else (RFC 6446 9.3). False: it says nothing of them.
bool presence_read_rates(const struct sip_message *message, struct presence_asking *asking);
// What becomes of the wish: as often as is allowed here, and as makes sense.
void presence_pace(const struct conf *conf, const struct presence_asking *asking,
                   struct subscription *subscription, const struct clock *now);
// Whether a comma list in any line of the header field holds the token.
bool presence_header_has(const struct sip_message *message, enum sip_header id, struct slice token);

// identity.c: addresses of record of URIs, canonical. 0: it has none.
unsigned presence_aor_of(const struct role *role, const struct sip_uri *uri, char aor[SIP_AOR_MAX]);
// Whose the request-URI is; what an entity in a document names ("pres:" and "sip:" alike).
unsigned presence_aor_asked(const struct role_request *request, char aor[SIP_AOR_MAX]);
unsigned presence_aor_of_entity(const struct role *role, struct slice entity, char aor[SIP_AOR_MAX]);
// The URI of who asks: whom somebody trusted asserts him to be, else whom From names, which was proved where that must be
// (auth/auth.h).
struct slice presence_identity(struct role_request *request);
// A trusted one that asks for its own sake, a voicemail or a gateway: it asserts no user. One that does may no more than he.
bool presence_is_element(struct role_request *request);
// The same of who asked once.
struct slice presence_watcher(const struct presence *presence, const struct subscription *subscription);

// admission.c: who may watch.
enum presence_admission {
    PRESENCE_REFUSED,
    PRESENCE_WAITING,  // pending
    PRESENCE_BLINDED,  // active, and shown nothing true
    PRESENCE_ADMITTED, // active
};
enum presence_admission presence_admit(const struct role *role, const struct presence_package *package,
                                       struct slice presentity, struct slice watcher, bool trusted);
// Sets what follows from it; returns actions (subscription/subscription.h).
unsigned presence_admission_set(struct presence *presence, struct subscription *subscription,
                                enum presence_admission admission, const struct clock *now);

// Another policy holds: all are looked at anew, one presentity a call.
void presence_reconsider_next(struct role *role, const struct clock *now);
void presence_reconsider(struct role *role, struct hash128 aor, const struct clock *now);
void presence_reconsider_one(struct role *role, struct subscription_presentity *presentity,
                             const struct clock *now);

// repeat.c: for as long as a copy may be on its way (RFC 3261 17.1.2.2, timer F). A tag that a PUBLISH made is a key as it
// is; an in-dialog SUBSCRIBE has one of its dialog's check and its CSeq.
uint64_t presence_repeat_key(uint64_t check, uint32_t cseq);
void presence_repeat_note(const struct role_request *request, uint64_t key, uint16_t status);
// What it was answered; 0: nothing is known of it.
uint16_t presence_repeat_find(const struct role_request *request, uint64_t key);

// waiting.c. It is over, and the user is to be told of who asked as long as he has not decided.
bool presence_waiting_becomes(const struct subscription *subscription);
void presence_waiting_put(const struct role *role, const struct subscription *subscription,
                          const struct clock *now);
// He has subscribed again.
void presence_waiting_drop(const struct role *role, const struct subscription *subscription,
                           const struct clock *now);
// Each who waits for the user whose watchers are told of; `*position` starts at 0. NULL: there are no more.
const struct presence_waiting *presence_waiting_next(const struct presence_composing *composing,
                                                     struct hash128 aor, unsigned *position);

// dialog.c: the dialog that a SUBSCRIBE makes. False: answered, or parked.
bool presence_dialog_read(struct role_request *request, struct subscription_opening *opening, uint8_t *hop);
// Contact of a SUBSCRIBE, which it must have. False: answered.
bool presence_contact_read(struct role_request *request, struct sip_contact *contact);
// Where NOTIFYs go; `hop`: as mark[PRESENCE_MARK_HOP] begins. False: answered, or parked.
bool presence_hop_find(struct role_request *request, struct slice route, const struct sip_uri *target,
                       struct endpoint *to, uint8_t *listener, uint8_t *hop);
// "Contact: <sip:…>" with its line end. `sips`: where the listener can say so.
void presence_contact_put(const struct role *role, unsigned listener, bool sips, struct document_text *text);
// The dialog is one of sips URIs (RFC 3261 12.1.1), as far as its texts say.
bool presence_dialog_is_sips(const struct presence *presence, const struct subscription *subscription);
// The subscription of the dialog that the request says it is in (12.2.2). NULL: there is none.
struct subscription *presence_dialog_find(const struct role_request *request);
// The target that the watcher has now (12.2.2). False: answered, or parked.
bool presence_dialog_move(struct role_request *request, struct subscription *subscription);

// subscribe.c, publish.c
void presence_subscribe(struct role_request *request);
void presence_publish(struct role_request *request);
// It has expired.
void presence_forget_publication(struct role *role, struct subscription_publication *publication,
                                 const struct clock *now);
void presence_refuse(struct role_request *request, uint64_t *counter, uint16_t status, const char *reason);
void presence_refuse_later(struct role_request *request, const char *reason); // 503 for want of room
// 480 with Retry-After, where others have room: a 503 would have a proxy in front send nothing here at all (RFC 3261
// 21.5.4).
void presence_refuse_crowd(struct role_request *request, const char *reason);

// notify.c: does what the machine of a subscription asks for. Afterwards the subscription may be gone.
void presence_act(struct role *role, struct subscription *subscription, unsigned actions,
                  const struct clock *now);
// The NOTIFY with this CSeq did not leave. True: it had been for TCP because it is large, and goes by UDP after all, as
// do those to come (RFC 3261 18.1.1).
bool presence_shrink(struct role *role, struct subscription *subscription, uint32_t cseq,
                     const struct clock *now);
// Without another word.
void presence_end(struct role *role, struct subscription *subscription);
// It is answered: its NOTIFY goes when the answer has left.
void presence_ask_soon(struct role *role, struct subscription *subscription, const struct clock *now);

// durable.c. Whether what is asked for can be promised now. False: answered.
bool presence_durable_ready(struct role_request *request);
// The answer to a repeated request says what may still be on its way to the disk.
void presence_durable_wait(struct role_request *request, enum store_kind kind);
// These note a change; where `verdict` is given and its answer a promise, that waits for the disk, and a request can do
// so once. True: it waits. `before`: bytes of the body that the disk may have.
bool presence_durable_publication(struct role *role, struct verdict *verdict,
                                  const struct subscription_publication *publication, uint32_t before,
                                  bool removed, const struct clock *now);
bool presence_durable_subscription(struct role *role, struct verdict *verdict,
                                   struct subscription *subscription, const struct endpoint *source,
                                   const struct clock *now);
bool presence_durable_forget(struct role *role, struct verdict *verdict, struct subscription *subscription);
// By which the store knows a publication of a presentity whatever its tag becomes: subscription_publication.source.
uint32_t presence_durable_number(struct subscription_table *table,
                                 const struct subscription_presentity *presentity, uint64_t tag);
// A dialog's NOTIFYs count on from here, whatever was sent before a restart.
uint32_t presence_cseq_at(uint64_t unix_s);
// The same of one that had come so far when its watcher last subscribed.
uint32_t presence_cseq_after(uint32_t known, uint64_t unix_s);

// content.c: what the next NOTIFY carries: a reference of a body; 0: none.
uint32_t presence_content_choose(struct role *role, const struct subscription_presentity *presentity,
                                 struct subscription *subscription, const struct clock *now);
// Tag of the document that the watcher is shown: who is blocked politely has one, too, as it were the truth (RFC 6665
// 6.2). 0: none.
uint64_t presence_content_tag(const struct role *role, const struct subscription_presentity *presentity,
                              const struct subscription *subscription);
struct presence_content {
    struct slice type;          // Content-Type; empty: no body
    struct slice before, after; // of the version, where it has one
    uint32_t version;
    bool numbered;
};
void presence_content_read(const struct subscription_body *body, const struct subscription *subscription,
                           struct presence_content *content);
// Whether it has a version, of which each watcher has his own. NULL: it has none.
bool presence_content_is_numbered(const struct subscription_body *body);
// What stands before and behind the version of a document. False: it has none, and all is before.
bool presence_content_split(enum presence_type type, struct slice bytes, struct slice *before,
                            struct slice *after);

// The watchers of a presentity that have another package's document to tell them (RFC 3857).
void presence_tell_winfo(struct presence *presence, const struct subscription *subscription);

static inline struct slice presence_text_of(const struct presence *presence,
                                            const struct subscription *subscription,
                                            enum subscription_text which)
{
    return subscription_text(presence->table, subscription, which);
}

static inline struct slice document_slice(const struct document_text *text)
{
    return slice_of(text->at, text->len);
}

#endif
