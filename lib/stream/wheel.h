// wheel: when to look at a connection again.
//
// Coarse: a tick is 64 ms, late by one at most. Each connection is in one place at most, at or before the time that
// something of it is due; whoever takes it out looks what it is, and puts it back where it was too early. So a
// connection on which something is said costs nothing here, and nobody ever walks through all of them.
//
// Control's thread.
#ifndef STREAM_WHEEL_H
#define STREAM_WHEEL_H

#include "stream/table.h"

#define WHEEL_TICK_MS 64
#define WHEEL_PLACES  4096 // over four minutes; what is due later is looked at once on the way

struct wheel {
    uint64_t start_ms;
    uint32_t now; // tick up to which all is done
    uint32_t places[WHEEL_PLACES];
};

void stream_wheel_clear(struct wheel *wheel, uint64_t now_ms);

// Looks at it at `due_ms` at the latest; later than now in any case. Where it is there already and early enough nothing
// is done.
void stream_wheel_put(struct wheel *wheel, struct table *table, struct connection *connection,
                      uint64_t due_ms);
void stream_wheel_remove(struct wheel *wheel, struct table *table,
                         struct connection *connection); // it need not be there

// The next one to be looked at, taken out. NULL: none until `now_ms`.
struct connection *stream_wheel_next(struct wheel *wheel, struct table *table, uint64_t now_ms);

#endif
