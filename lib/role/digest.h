// digest: one keyed hash over several fields of a message.
//
// For branches and tags, which must come out the same for every retransmission and must not be guessed.
// Fields are copied one behind the other into a small buffer, so the usual case is a single pass of the hash;
// longer input is folded. One thread, on the stack.
#ifndef ROLE_DIGEST_H
#define ROLE_DIGEST_H

#include "base/hash.h"
#include "base/slice.h"

#define ROLE_DIGEST_BYTES 240

// What a digest is for comes first into it, so that no value of one kind can be passed off as another kind.
enum role_digest_purpose {
    ROLE_DIGEST_BRANCH = 'b',
    ROLE_DIGEST_TAG = 't',
    ROLE_DIGEST_FLOW = 'f',
    ROLE_DIGEST_TRANSACTION = 'k',
    ROLE_DIGEST_PROBE = 'p',
    ROLE_DIGEST_MERGED = 'm',
    ROLE_DIGEST_NONCE = 'n',
};

struct role_digest {
    const struct hash_key *key;
    unsigned len;
    char bytes[ROLE_DIGEST_BYTES];
};

static inline void role_digest_begin(struct role_digest *digest, const struct hash_key *key,
                                     enum role_digest_purpose purpose)
{
    digest->key = key;
    digest->bytes[0] = (char)purpose;
    digest->len = 1;
}

// Any length; a field's end is marked, so "ab" + "c" and "a" + "bc" differ.
static inline void role_digest_put(struct role_digest *digest, struct slice field)
{
    while (field.len >= ROLE_DIGEST_BYTES - digest->len) {
        uint32_t room = ROLE_DIGEST_BYTES - digest->len;
        if (room > 0) // a full buffer is folded for an absent field, too, which has no address
            memcpy(digest->bytes + digest->len, field.at, room);
        struct hash128 folded = hash_sip13(digest->key, digest->bytes, ROLE_DIGEST_BYTES);
        memcpy(digest->bytes, &folded, sizeof(folded));
        digest->len = sizeof(folded);
        field = slice_of(field.at + room, field.len - room);
    }
    if (field.len > 0)
        memcpy(digest->bytes + digest->len, field.at, field.len);
    digest->len += field.len;
    digest->bytes[digest->len++] = '\n';
}

static inline void role_digest_put_number(struct role_digest *digest, uint32_t number)
{
    char bytes[sizeof(number)];

    memcpy(bytes, &number, sizeof(number));
    role_digest_put(digest, slice_of(bytes, sizeof(bytes)));
}

static inline struct hash128 role_digest_end(const struct role_digest *digest)
{
    return hash_sip13(digest->key, digest->bytes, digest->len);
}

// Tells fields apart on top of a digest, and no more: 5 cycles for 8 bytes where uniqueness is all that is
// asked for.
static inline uint64_t role_digest_mix(uint64_t digest, struct slice field)
{
    const uint64_t odd = 0x9fb21c651e98df25u;

    digest ^= field.len;
    for (; field.len > sizeof(uint64_t);
         field = slice_of(field.at + sizeof(uint64_t), field.len - sizeof(uint64_t))) {
        digest = (digest ^ slice_word(field.at, sizeof(uint64_t))) * odd;
        digest ^= digest >> 32;
    }
    digest = (digest ^ slice_word(field.at, field.len)) * odd;
    return (digest ^ digest >> 32) * odd;
}

// The same for a host, in any case. What else the bit changes is in no host.
static inline uint64_t role_digest_mix_lower(uint64_t digest, struct slice host)
{
    const uint64_t odd = 0x9fb21c651e98df25u, lower = 0x2020202020202020u;

    digest ^= host.len;
    for (; host.len > sizeof(uint64_t);
         host = slice_of(host.at + sizeof(uint64_t), host.len - sizeof(uint64_t))) {
        digest = (digest ^ (slice_word(host.at, sizeof(uint64_t)) | lower)) * odd;
        digest ^= digest >> 32;
    }
    digest = (digest ^ (slice_word(host.at, host.len) | lower)) * odd;
    return (digest ^ digest >> 32) * odd;
}

#endif
