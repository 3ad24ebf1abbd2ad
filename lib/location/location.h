// location: address of record -> bindings (RFC 3261 10), sharded by owner worker.
//
// A shard is written by one worker only (shard number = worker number) and read by all, lock-free: a set of bindings
// is replaced as a whole, never changed under a reader, and its memory is used again only after every reader has
// passed a quiescent state (rte_rcu_qsbr, given by the caller). Keys are 128-bit keyed hashes of the canonical
// address of record. All memory is taken at start and is a bound: a full table says -ENOSPC.
//
// Cost: a look-up is two dependent cache misses (bucket, record), both can be prefetched; a put writes one record
// and one bucket slot; expiry is a lazy wheel of one-second ticks, one entry per address of record.
// Memory: at most LOCATION_BYTES_PER_BINDING of record and 41 of index and wheel for each configured binding, and
// 2.8 MB a shard; a set with one binding and texts of 100 bytes takes 192 of record. Sizes may come in any mix and
// order: when one has eaten what another needs, location_expire moves records together until it fits.
#ifndef LOCATION_LOCATION_H
#define LOCATION_LOCATION_H

#include <rte_rcu_qsbr.h>

#include "base/endpoint.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/slice.h"

#define LOCATION_CONTACTS_MAX 32    // per address of record, whatever the configuration says
#define LOCATION_SET_MAX      16384 // bytes of one address of record's record
#define LOCATION_SHARDS_MAX   1024

// Record memory per configured binding, used by all sets together: header 32, a binding 48 and its contact, Call-ID
// and path, the address of record; rounded up to 32 bytes (a quarter of a doubling above 512).
#define LOCATION_BYTES_PER_BINDING 320

struct location;     // all shards
struct location_set; // the bindings of one address of record, immutable

// One binding, as put in and as read out. The slices of a read point into the set.
struct location_binding {
    struct slice contact; // the Contact URI, without brackets (addr-spec)
    struct slice call_id; // RFC 3261 10.3 step 7
    struct slice path;    // Path values as one comma list, top first; empty: none (RFC 3327)
    struct endpoint
        received; // the next hop that was found when it registered: the source of a phone behind a NAT,
                  // else Path's or the contact's address; ENDPOINT_NONE: route by path or contact
    uint64_t expires_ms; // arrival clock at which it dies
    uint32_t cseq;
    uint32_t methods; // SIP_METHOD_BITs of its Allow; 0: none was given, so all
    uint16_t q;       // 0 to 1000
    uint8_t listener; // index of the listener the REGISTER came in on
};

struct location_limits {
    unsigned shards;   // workers
    uint64_t bindings; // on the whole box; a shard has its share, 1/16 and 128 (not more than the whole box)
    const int *nodes;  // NUMA node per shard, or NULL
};

// Takes all the memory: one piece for the table and one for each shard, on its node. Returns 0, -ENOMEM (nothing is
// kept) or -EINVAL (no shards, no bindings, or over LOCATION_SHARDS_MAX or 400 million bindings in a shard).
// `qsbr` outlives the table.
int location_create(struct location **location, const struct location_limits *limits,
                    const struct hash_key *key, struct rte_rcu_qsbr *qsbr, const struct memory *memory);
void location_destroy(struct location *location); // NULL is allowed

// Any thread. `aor` is canonical (sip_uri_write_aor).
struct hash128 location_key(const struct location *location, struct slice aor);
unsigned location_owner(const struct location *location, struct hash128 key);

// Prefetches the bucket, then (a little later) the record the bucket names. Any reader; hints only.
void location_prefetch_bucket(const struct location *location, struct hash128 key);
void location_prefetch_record(const struct location *location, struct hash128 key);

// Instead of the latter for a key that will be put: all that a refresh of a set with one binding reads and writes.
// Owner worker only.
void location_prefetch_put(const struct location *location, struct hash128 key);

// The set of an address of record, or NULL. Valid until the calling thread's next quiescent state. It may hold
// bindings that are dead at `now_ms`: the iteration skips them.
const struct location_set *location_find(const struct location *location, struct hash128 key);

// Every binding that lives at `now_ms` (it dies at expires_ms sharp), highest q first, and among equals in the order
// in which location_put got them. *position starts at 0. False at the end.
bool location_next(const struct location_set *set, uint64_t now_ms, unsigned *position,
                   struct location_binding *binding);

// The address of record as text, for telemetry.
struct slice location_set_aor(const struct location_set *set);

// Replaces the whole set of an address of record; n == 0 removes it, and so does n bindings that are all dead at
// `now_ms`, since dead ones are left out. Owner worker only. Bindings of equal q are read in the order given: put the
// latest registered first. The bindings and their slices are copied (they may point into the set that is replaced).
// `aor` is the text that `key` was made from.
// Returns 0, -ENOSPC (no record, bucket or memory left; the old set stays) or -E2BIG (over LOCATION_SET_MAX or
// LOCATION_CONTACTS_MAX; the old set stays).
int location_put(struct location *location, struct hash128 key, struct slice aor,
                 const struct location_binding *bindings, unsigned n, uint64_t now_ms);

// Removes what is dead, gives retired records back for use, and moves records together where memory is split up;
// at most `budget` records each. Owner worker only, called from its loop, with a budget not under what one turn of the
// loop puts. A set is removed in the second after its last binding's death. Returns the addresses of record removed.
unsigned location_expire(struct location *location, unsigned shard, uint64_t now_ms, unsigned budget);

struct location_usage {
    uint64_t aors, bindings; // there now (some may be dead and not yet swept)
    uint64_t aors_max, bindings_max;
    uint64_t bytes, bytes_max; // of record memory, deferred records included
    uint64_t index_bytes;      // of index, wheel and page table, taken at start
    uint64_t deferred;         // records waiting for their readers
    uint64_t refused;          // puts that found no room
};

// Any thread; a snapshot that may tear between fields.
void location_usage(const struct location *location, unsigned shard, struct location_usage *usage);

// Walks all sets of a shard for telemetry: `position` starts at 0. The next set; or NULL, at the end, where *position
// is LOCATION_WALK_END, or when there was none in `places` places of the table, so that one which is nearly empty
// holds nobody up. A set that is there all the time is met exactly once. A registered reader thread, which reports a
// quiescent state between calls as often as it can.
#define LOCATION_WALK_END UINT64_MAX
const struct location_set *location_walk(const struct location *location, unsigned shard, uint64_t *position,
                                         unsigned places);

#endif
