// They are deprecated for the sake of providers, which allocate; see the header.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "role/hashing.h"

#include "role/hex.h"

static const struct {
    struct slice name;
    unsigned len; // bytes
} algorithms[CONF_DIGESTS] = {
    [CONF_DIGEST_SHA256] = {{"SHA-256", 7}, SHA256_DIGEST_LENGTH},
    [CONF_DIGEST_SHA512_256] = {{"SHA-512-256", 11}, SHA256_DIGEST_LENGTH},
    [CONF_DIGEST_MD5] = {{"MD5", 3}, MD5_DIGEST_LENGTH},
};

unsigned role_hash_len(enum conf_digest algorithm)
{
    return 2 * algorithms[algorithm].len;
}

struct slice role_hash_name(enum conf_digest algorithm)
{
    return algorithms[algorithm].name;
}

enum conf_digest role_hash_named(struct slice name)
{
    unsigned i = 0;

    while (i < CONF_DIGESTS && !slice_equal_nocase(name, algorithms[i].name))
        i++;
    return (enum conf_digest)i;
}

// FIPS 180-4 5.3.6.2: SHA-512 with another beginning, of whose result the first half counts.
static void begin_sha512_256(SHA512_CTX *state)
{
    static const uint64_t beginning[8] = {
        0x22312194fc2bf72c, 0x9f555fa3c84c64c2, 0x2393b86b6f53b151, 0x963877195940eabd,
        0x96283ee2a88effe3, 0xbe5e1e2553863992, 0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2,
    };

    SHA512_Init(state);
    for (unsigned i = 0; i < 8; i++)
        state->h[i] = beginning[i];
}

void role_hash_begin(struct role_hash *hash, enum conf_digest algorithm)
{
    hash->algorithm = algorithm;
    switch (algorithm) {
    case CONF_DIGEST_MD5:
        MD5_Init(&hash->md5);
        break;
    case CONF_DIGEST_SHA256:
        SHA256_Init(&hash->sha256);
        break;
    default:
        begin_sha512_256(&hash->sha512);
    }
}

void role_hash_put(struct role_hash *hash, struct slice text)
{
    if (text.len == 0)
        return;
    switch (hash->algorithm) {
    case CONF_DIGEST_MD5:
        MD5_Update(&hash->md5, text.at, text.len);
        break;
    case CONF_DIGEST_SHA256:
        SHA256_Update(&hash->sha256, text.at, text.len);
        break;
    default:
        SHA512_Update(&hash->sha512, text.at, text.len);
    }
}

void role_hash_write_hex(const uint8_t *bytes, unsigned len, char *hex)
{
    uint32_t word;

    for (unsigned i = 0; i < len; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        hex = role_hex_write(hex, __builtin_bswap32(word));
    }
}

unsigned role_hash_end(struct role_hash *hash, char hex[ROLE_HASH_HEX])
{
    uint8_t bytes[SHA512_DIGEST_LENGTH];
    unsigned len = algorithms[hash->algorithm].len;

    switch (hash->algorithm) {
    case CONF_DIGEST_MD5:
        MD5_Final(bytes, &hash->md5);
        break;
    case CONF_DIGEST_SHA256:
        SHA256_Final(bytes, &hash->sha256);
        break;
    default:
        SHA512_Final(bytes, &hash->sha512);
    }
    role_hash_write_hex(bytes, len, hex);
    return 2 * len;
}
