// durable: the way of publications and subscriptions into the store, as registrar/durable.h has it for bindings.
//
// The table is changed at once and the change noted in the worker's journal. Where an answer is a promise ([store]
// durability = commit) it leaves when the change is on the disk; a subscription is held until then, so nobody is told
// of what does not come to be. Worker, but for the restoring.
#ifndef PRESENCE_DURABLE_H
#define PRESENCE_DURABLE_H

#include "presence/presence.h"
#include "worker/journal.h"

// A record of STORE_PUBLICATIONS or STORE_SUBSCRIPTIONS has come to its end: written, or given up, and then the table
// goes back to what the disk has.
void presence_durable_settled(struct role *role, struct journal_record *record, const struct clock *now);
// The edits that turn the answer of one that was given up, a 200, into a 503.
void presence_durable_refuse(struct role *role, const struct sip_message *answer, struct sip_edits *edits);

// One value out of the store, before the workers run: `all` by worker, of which the owner gets it. 0; 1: it has died;
// -EPROTO: it is none that was written here; -ENOSPC: no room.
int presence_restore(struct presence *const *all, const struct location *location, const struct conf *conf,
                     const struct clock *now, uint8_t kind, struct slice key, struct slice value);

#endif
