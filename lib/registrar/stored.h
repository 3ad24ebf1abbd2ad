// stored: a set of bindings as the store keeps it, under its address of record.
//
// Little-endian, with a version in front. Times are wall clock and listeners are addresses, since neither the clock of
// a process nor the order of its configuration outlives it. Reading trusts nothing: every length is checked. Pure: any
// thread.
//
//   version 2: u8 version, u8 bindings, u16 0, u32 0, u64 when the last one dies (Unix seconds), then for each binding
//   u64 when it dies, u32 CSeq, u32 methods, u16 q, u16 bytes of contact, of path, of Call-ID, endpoint of the
//   listener, endpoint `received`; then their texts in the same order. An endpoint: u8 family, u8 transport, u8 flow,
//   u16 port, 0, 4 or 16 bytes.
//   version 1, which is read as well: an endpoint has neither transport nor flow, and is UDP's.
//
// The connection that a flow names is gone after a restart: such a binding leads nowhere until its phone registers
// again.
#ifndef REGISTRAR_STORED_H
#define REGISTRAR_STORED_H

#include "base/clock.h"
#include "conf/conf.h"
#include "location/location.h"

// Bytes that registrar_stored_write may need for them.
uint32_t registrar_stored_room(const struct location_binding *bindings, unsigned n);

// Writes 1 to LOCATION_CONTACTS_MAX bindings that make one set of location's. Returns the bytes.
uint32_t registrar_stored_write(const struct conf *conf, const struct clock *now,
                                const struct location_binding *bindings, unsigned n, char *to);

// The bindings of a value that live at `now`, perhaps none; their texts stay in the value. A listener that is no more
// is the first of the same family. False: these are no bindings that were written here.
bool registrar_stored_read(const struct conf *conf, const struct clock *now, struct slice value,
                           struct location_binding bindings[LOCATION_CONTACTS_MAX], unsigned *n);

// When the last binding dies, in Unix seconds; a time that never comes for what is no value of this kind.
uint64_t registrar_stored_expires(struct slice value);

#endif
