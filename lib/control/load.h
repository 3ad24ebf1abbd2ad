// load: bindings out of the store and into the location table, before the first packet.
//
// Each goes to the worker that owns its address of record now, however many there were when it was written; for no
// worker runs yet, so that the loading thread may write every shard. What has died is left out, and leaves the store
// later (control/commit.h). Main lcore.
#ifndef CONTROL_LOAD_H
#define CONTROL_LOAD_H

#include <stdio.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "location/location.h"
#include "store/store.h"

struct control_load {
    uint64_t aors, bindings; // that are in the table now
    uint64_t dead;           // addresses of record that were left out
    uint64_t ms;
};

// 0, or -errno after a line on `errors` that says what to do: -EPROTO (a value is damaged; its key is named), -ENOSPC
// (the table is smaller than what is stored), -EIO. What takes long says every second how far it is, on `errors` as
// well.
int control_load(struct store *store, struct location *location, unsigned shards, const struct conf *conf,
                 const struct clock *now, struct control_load *loaded, FILE *errors);

#endif
