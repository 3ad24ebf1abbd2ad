// load_presence: publications and subscriptions out of the store and into the workers' tables, before the first packet.
//
// As control/load.h has it for bindings: each goes to the worker that owns its address of record now. Main lcore.
#ifndef CONTROL_LOAD_PRESENCE_H
#define CONTROL_LOAD_PRESENCE_H

#include <stdio.h>

#include "presence/presence.h"
#include "store/store.h"

struct control_load_presence {
    uint64_t publications, subscriptions; // that are in the tables now
    uint64_t dead;                        // that were left out
    uint64_t ms;
};

// 0, or -errno after a line on `errors` that says what to do: -EPROTO, -ENOSPC, -EIO.
int control_load_presence(struct store *store, struct presence *const *all, const struct location *location,
                          const struct conf *conf, const struct clock *now,
                          struct control_load_presence *loaded, FILE *errors);

#endif
