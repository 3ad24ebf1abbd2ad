#include "auth/guard.h"

#include <errno.h>

#define SOURCE_LINES (1u << 12) // of 5 sources
#define NONCE_LINES  (1u << 14) // of 2 nonces
#define SOURCES      5
#define NONCES       2
#define MINUTE_MS    60000

struct sources {
    uint32_t tag[SOURCES];
    uint32_t since_s[SOURCES]; // of the role's clock, when the minute began
    uint32_t failures[SOURCES];
} __attribute__((aligned(64)));

struct nonces {
    struct {
        uint64_t request;
        uint32_t tag;      // of the nonce
        uint32_t issued_s; // 0: free
        uint32_t count;
        uint32_t used_s; // of the role's clock
    } one[NONCES];
    uint32_t stale_s; // what was issued then or before, and is not here, is not known any more
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct sources) == 64 && sizeof(struct nonces) == 64, "one line of memory");

struct auth_guard {
    struct sources sources[SOURCE_LINES];
    struct nonces nonces[NONCE_LINES];
    struct hash_key key;
    struct memory memory;
};

int auth_guard_create(struct auth_guard **created, const struct hash_key *key, uint64_t start_s,
                      const struct memory *memory, int node)
{
    struct auth_guard *guard = memory->take(memory->owner, sizeof(*guard), node);

    if (guard == NULL)
        return -ENOMEM;
    guard->key = (struct hash_key){key->k0 ^ 'g', key->k1};
    guard->memory = *memory;
    for (unsigned i = 0; i < NONCE_LINES; i++)
        guard->nonces[i].stale_s = (uint32_t)start_s - 1;
    *created = guard;
    return 0;
}

void auth_guard_destroy(struct auth_guard *guard)
{
    if (guard == NULL)
        return;
    struct memory memory = guard->memory;

    memory.give(memory.owner, guard, sizeof(*guard));
}

// Whoever has an IPv6 address has the 2**64 beside it, too.
static struct hash128 source_hash(const struct auth_guard *guard, const struct endpoint *source)
{
    return hash_sip13(&guard->key, source->address, source->family == ENDPOINT_IP6 ? 8 : 4);
}

static unsigned source_find(const struct sources *line, uint32_t tag, uint32_t now_s)
{
    unsigned i = 0;

    while (i < SOURCES &&
           (line->failures[i] == 0 || line->tag[i] != tag || now_s - line->since_s[i] >= MINUTE_MS / 1000))
        i++;
    return i;
}

bool auth_guard_blocks(const struct auth_guard *guard, const struct endpoint *source, unsigned most,
                       uint64_t now_ms)
{
    if (guard == NULL || most == 0)
        return false;
    struct hash128 hash = source_hash(guard, source);
    const struct sources *line = &guard->sources[hash.low % SOURCE_LINES];
    unsigned i = source_find(line, (uint32_t)hash.high, (uint32_t)(now_ms / 1000));

    return i < SOURCES && line->failures[i] >= most;
}

// One whose minute is over, else the one with the fewest.
static unsigned source_least(const struct sources *line, uint32_t now_s)
{
    unsigned least = 0;

    for (unsigned i = 0; i < SOURCES; i++) {
        if (line->failures[i] == 0 || now_s - line->since_s[i] >= MINUTE_MS / 1000)
            return i;
        if (line->failures[i] < line->failures[least])
            least = i;
    }
    return least;
}

void auth_guard_failed(struct auth_guard *guard, const struct endpoint *source, uint64_t now_ms)
{
    uint32_t now_s = (uint32_t)(now_ms / 1000);

    if (guard == NULL)
        return;
    struct hash128 hash = source_hash(guard, source);
    struct sources *line = &guard->sources[hash.low % SOURCE_LINES];
    unsigned i = source_find(line, (uint32_t)hash.high, now_s);
    if (i == SOURCES) {
        i = source_least(line, now_s);
        line->tag[i] = (uint32_t)hash.high;
        line->since_s[i] = now_s;
        line->failures[i] = 0;
    }
    line->failures[i] += line->failures[i] < UINT32_MAX;
}

// The place of a nonce that is new here; NONCES: it is older than what was forgotten, or would be the one to be
// forgotten.
static unsigned nonce_place(struct nonces *line, uint32_t issued_s)
{
    unsigned oldest = 0;

    for (unsigned i = 1; i < NONCES; i++) {
        if (line->one[i].issued_s < line->one[oldest].issued_s)
            oldest = i;
    }
    uint32_t forgotten_s = line->one[oldest].issued_s;
    if (issued_s <= line->stale_s || issued_s <= forgotten_s)
        return NONCES;
    line->stale_s = forgotten_s > line->stale_s ? forgotten_s : line->stale_s;
    return oldest;
}

bool auth_guard_counts(struct auth_guard *guard, const struct role_use *use, uint64_t now_ms,
                       uint64_t repeats_ms)
{
    if (guard == NULL)
        return false;
    struct nonces *line = &guard->nonces[use->nonce.low % NONCE_LINES];
    uint32_t tag = (uint32_t)use->nonce.high, now_s = (uint32_t)(now_ms / 1000);
    unsigned i = 0;

    while (i < NONCES && (line->one[i].issued_s != use->issued_s || line->one[i].tag != tag))
        i++;
    if (i < NONCES && use->count == line->one[i].count)
        return use->request == line->one[i].request && now_s - line->one[i].used_s <= repeats_ms / 1000;
    if (i < NONCES && use->count < line->one[i].count)
        return false;
    if (i == NONCES)
        i = nonce_place(line, use->issued_s);
    if (i == NONCES)
        return false;
    line->one[i].request = use->request;
    line->one[i].tag = tag;
    line->one[i].issued_s = use->issued_s;
    line->one[i].count = use->count;
    line->one[i].used_s = now_s;
    return true;
}
