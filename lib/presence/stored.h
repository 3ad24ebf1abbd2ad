// stored: publications and subscriptions as the store keeps them.
//
// Little-endian (store/pack.h), with a version in front. Times are wall clock, listeners are addresses, since neither
// the clock of a process nor the order of its configuration outlives it. Reading trusts nothing. Pure: any thread.
//
//   publication  key: u8 package, u32 number, the address of record
//                version 1: u8 version, u8 type of content, u16 0, u32 order among the user's (0: the latest), u64 when
//                it dies (Unix seconds), u64 tag, body
//   subscription key: u64 check
//                version 2: u8 version, u8 package, u8 state, u8 flags, u32 CSeq of the watcher, u64 when it dies, u64
//                when it began, u32 and u32 least and most ms between NOTIFYs, u16 accepted types, u32 CSeq of ours,
//                endpoints `to`, listener and source, u16 bytes of each text, then of the address of record; then these
#ifndef PRESENCE_STORED_H
#define PRESENCE_STORED_H

#include "presence/presence.h"

#define PRESENCE_KEY_MAX          (5 + SIP_AOR_MAX)
#define PRESENCE_PUBLICATION_HEAD 24
#define PRESENCE_SUBSCRIPTION_KEY 8
// Of a subscription's value, all told.
#define PRESENCE_SUBSCRIPTION_MAX \
    (44 + 3 * 21 + 2 * (SUBSCRIPTION_TEXTS + 1) + SUBSCRIPTION_TEXT_MAX + SIP_AOR_MAX)

struct presence_stored_publication {
    uint64_t tag;
    uint64_t expires_ms; // of the clock; 0: it has died
    uint32_t order;
    uint8_t type; // enum presence_type
    struct slice body;
};

struct presence_stored_subscription {
    struct subscription_opening opening; // texts point into the value
    uint64_t began_s;
    struct slice aor;
    uint8_t package;
    uint8_t flags;
};

unsigned presence_stored_publication_key(uint8_t package, uint32_t number, struct slice aor,
                                         char key[PRESENCE_KEY_MAX]);
bool presence_stored_publication_key_read(struct slice key, uint8_t *package, uint32_t *number,
                                          struct slice *aor);
// `to` has room for PRESENCE_PUBLICATION_HEAD and the body. Returns the bytes.
uint32_t presence_stored_publication_write(const struct clock *now,
                                           const struct presence_stored_publication *publication, char *to);
bool presence_stored_publication_read(const struct clock *now, struct slice value,
                                      struct presence_stored_publication *publication);

void presence_stored_subscription_key(uint64_t check, char key[PRESENCE_SUBSCRIPTION_KEY]);
uint64_t presence_stored_subscription_check(struct slice key); // 0: it is no such key
uint32_t presence_stored_subscription_write(const struct conf *conf, const struct clock *now,
                                            const struct subscription_table *table,
                                            const struct subscription *subscription,
                                            const struct endpoint *source, char *to);
// A listener that is no more is the first that speaks as it did. opening.expires_ms == 0: it has died.
bool presence_stored_subscription_read(const struct conf *conf, const struct clock *now, struct slice key,
                                       struct slice value, struct presence_stored_subscription *subscription);

// When it dies, in Unix seconds; a time that never comes for what is no value of these kinds.
uint64_t presence_stored_expires(struct slice value);

#endif
