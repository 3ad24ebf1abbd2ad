// set: the record of one address of record, as it lies in memory.
//
// Header, n packed bindings in the order in which they are read, then the texts: each binding's contact, path and
// Call-ID, and the address of record. What a forward reads of a record with one binding (header, binding, contact of
// 48 bytes) is two cache lines. Immutable from its publication on, but for the fields named as the owner worker's.
// 182 bytes for one binding with texts of 25, 45 and 32 bytes.
#ifndef LOCATION_SET_H
#define LOCATION_SET_H

#include "location/location.h"

struct location_packed {
    uint64_t expires_ms;
    struct endpoint received;
    uint32_t cseq;
    uint32_t methods;
    uint16_t q;
    uint16_t text; // where the contact begins, from the start of the record; path and Call-ID follow it
    uint16_t contact_len, path_len, call_id_len;
    uint8_t listener;
    uint8_t unused;
};

struct location_set {
    struct hash128 key;
    uint32_t retired;  // owner worker only: chain of the records that wait for their readers
    uint16_t wheel_at; // owner worker only: where its slot stands on the wheel
    uint16_t aor_len;
    uint8_t n; // 1 to LOCATION_CONTACTS_MAX
    struct location_packed bindings[];
};

_Static_assert(sizeof(struct location_packed) == 48, "a binding's fixed part is 48 bytes");
_Static_assert(sizeof(struct location_set) == 32, "the header shares a cache line with the first binding");

// Which of the `n` bindings live at `now_ms`, as indices into `bindings` in the order in which they are read.
// Returns how many; n is at most LOCATION_CONTACTS_MAX.
unsigned location_set_order(const struct location_binding *bindings, unsigned n, uint64_t now_ms,
                            uint8_t order[LOCATION_CONTACTS_MAX]);

// Bytes of the record of the `n` bindings named by `order`; may be over LOCATION_SET_MAX.
size_t location_set_size(struct slice aor, const struct location_binding *bindings, const uint8_t *order,
                         unsigned n);

// Fills a record of that size, at most LOCATION_SET_MAX.
void location_set_write(struct location_set *set, struct hash128 key, struct slice aor,
                        const struct location_binding *bindings, const uint8_t *order, unsigned n);

// The size that location_set_size gave for it.
size_t location_set_bytes(const struct location_set *set);

// When the first of the bindings that live at `now_ms` dies, and in `live` how many live.
uint64_t location_set_earliest(const struct location_set *set, uint64_t now_ms, unsigned *live);

#endif
