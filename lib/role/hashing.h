// hashing: the digest algorithms of RFC 7616 as workers compute them.
//
// OpenSSL's own functions for each, which work on the caller's stack: those for any algorithm (EVP) take memory from
// the heap at each beginning, measured with 3.0. Pure: any thread. Cost: about 250 cycles for 64 bytes with MD5, 100
// with SHA-256 where the processor has instructions for it.
#ifndef ROLE_HASHING_H
#define ROLE_HASHING_H

#include <openssl/md5.h>
#include <openssl/sha.h>

#include "base/slice.h"
#include "conf/conf.h"

#define ROLE_HASH_BYTES 32 // of the longest
#define ROLE_HASH_HEX   (2 * ROLE_HASH_BYTES)

// May be copied, to go on with twice.
struct role_hash {
    enum conf_digest algorithm;
    union {
        MD5_CTX md5;
        SHA256_CTX sha256;
        SHA512_CTX sha512;
    };
};

// Hexadecimal digits of its result.
unsigned role_hash_len(enum conf_digest algorithm);
// Its name in a challenge (RFC 7616 3.3, RFC 8760 2.7).
struct slice role_hash_name(enum conf_digest algorithm);
// CONF_DIGESTS: none of that name.
enum conf_digest role_hash_named(struct slice name);

void role_hash_begin(struct role_hash *hash, enum conf_digest algorithm);
void role_hash_put(struct role_hash *hash, struct slice text);
// The result in lower case digits; their number.
unsigned role_hash_end(struct role_hash *hash, char hex[ROLE_HASH_HEX]);

// Bytes as digits, for HA1s that are kept as bytes. `len`: a multiple of 4.
void role_hash_write_hex(const uint8_t *bytes, unsigned len, char *hex);

#endif
