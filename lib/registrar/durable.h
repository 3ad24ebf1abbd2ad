// durable: a registration's way into the store, as the registrar sees it.
//
// The table is changed at once and the change is noted in the worker's journal. Where an answer is a promise ([store]
// durability = commit) it leaves when the change is on the disk: verdict.waits. If it does not come to that, the
// address of record goes back to what the disk has and the answer becomes a 503: a REGISTER is processed completely or
// not at all (RFC 3261 10.3). Between the two, calls may find what nobody has been promised yet; watchers are
// told of it afterwards, so that a crash does not take back what they heard. An answer that changes nothing waits for
// those before it all the same, since it lists what they made. One worker's thread.
#ifndef REGISTRAR_DURABLE_H
#define REGISTRAR_DURABLE_H

#include "registrar/registration.h"
#include "worker/journal.h"

// Whether a registration can be promised now.
bool registrar_durable_ready(const struct role *role);

// The answer is set. What next[] is, is in the table: on its way to the disk with it. `news`: watchers are to hear of it.
void registrar_durable_note(struct registrar_registration *registration, struct slice aor, bool news);
// Nothing was changed; the answer lists what may still be on its way.
void registrar_durable_wait(struct registrar_registration *registration);

// The disk has a record, or control has given up on it: then the table goes back to what the disk has.
void registrar_durable_settled(struct role *role, struct journal_record *record, const struct clock *now);
// The edits that turn its answer, which is the 200 that was to leave, into a 503.
void registrar_durable_refuse(struct role *role, const struct sip_message *answer, struct sip_edits *edits);

#endif
