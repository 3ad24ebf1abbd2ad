#include "auth/asking.h"
#include "role/digest.h"
#include "role/letters.h"
#include "worker/worker.h"

#define HEAD         8  // bytes in front of the hash
#define CHECK        10 // bytes of the hash: nobody guesses them on line
#define BYTES        (HEAD + CHECK)
#define WORKER_SHIFT 26 // of the number's 32 bits: as many as WORKERS_MAX needs

_Static_assert(BYTES % 3 == 0 && BYTES / 3 * 4 == AUTH_NONCE_LEN, "no padding");
_Static_assert(WORKERS_MAX <= 1u << (32 - WORKER_SHIFT), "a worker's number fits");

// RFC 7616 3.3. Not the port: behind a NAT that may change with each request.
static struct hash128 check_of(const struct role_request *request, struct slice realm, const uint8_t *head)
{
    const struct endpoint *source = &request->arrival->source;
    struct role_digest digest;

    role_digest_begin(&digest, &request->role->secret, ROLE_DIGEST_NONCE);
    role_digest_put(&digest, slice_of((const char *)head, HEAD));
    role_digest_put(&digest, slice_of((const char *)source->address, sizeof(source->address)));
    role_digest_put(&digest, realm);
    return role_digest_end(&digest);
}

// The time of day, which outlives a restart as the key may.
void auth_nonce_write(struct role_request *request, struct slice realm, char text[AUTH_NONCE_LEN])
{
    struct role *role = request->role;
    uint32_t issued_s = (uint32_t)request->arrival->now.unix_s;
    uint32_t number =
        (uint32_t)role->worker << WORKER_SHIFT | ((uint32_t)role->random++ & ((1u << WORKER_SHIFT) - 1));
    uint8_t bytes[BYTES];

    memcpy(bytes, &issued_s, sizeof(issued_s));
    memcpy(bytes + sizeof(issued_s), &number, sizeof(number));
    struct hash128 check = check_of(request, realm, bytes);
    memcpy(bytes + HEAD, &check, CHECK);
    role_letters_write(bytes, BYTES, text);
}

bool auth_nonce_read(const struct role_request *request, struct slice realm, struct slice text,
                     struct auth_nonce *nonce)
{
    uint8_t bytes[BYTES];
    uint32_t number;

    if (text.len != AUTH_NONCE_LEN || !role_letters_read(text, bytes))
        return false;
    memcpy(&nonce->issued_s, bytes, sizeof(nonce->issued_s));
    memcpy(&number, bytes + sizeof(nonce->issued_s), sizeof(number));
    nonce->worker = (uint16_t)(number >> WORKER_SHIFT);
    nonce->check = check_of(request, realm, bytes);
    return memcmp(bytes + HEAD, &nonce->check, CHECK) == 0;
}
