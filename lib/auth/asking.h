// asking: one request that must carry credentials, while they are looked at.
//
// Internal to the room, on the stack of the worker that serves the request.
#ifndef AUTH_ASKING_H
#define AUTH_ASKING_H

#include "role/hashing.h"
#include "role/request.h"
#include "sip/credentials.h"
#include "user/user.h"

#define AUTH_NONCE_LEN      24  // letters; so short that most responses are two blocks of a hash
#define AUTH_CREDENTIAL_MAX 512 // bytes of what a client chooses and is hashed: cnonce, URI

// One request that is asked.
struct auth_asking {
    const struct conf_auth *auth;
    struct slice realm;
    const struct sip_address *claim; // whose user he says he is: To of a REGISTER, else From
    bool known_domain;               // that is in a domain of ours
    bool server;                // 401 of a registrar or redirect server instead of a proxy's 407 (22.2, 22.3)
    enum conf_digest algorithm; // of the credentials
    struct sip_credentials given;
};

// credentials.c. Those for our realm by an algorithm of ours.
enum auth_found {
    AUTH_FOUND,
    AUTH_FOUND_NONE,
    AUTH_FOUND_ANSWERED, // 400
};
enum auth_found auth_credentials_find(struct role_request *request, struct auth_asking *asking);

// nonce.c: time of issue (4 bytes), worker and a number (4), keyed hash of these, realm and source address (10).
struct auth_nonce {
    uint32_t issued_s;
    uint16_t worker;
    struct hash128 check;
};
void auth_nonce_write(struct role_request *request, struct slice realm, char text[AUTH_NONCE_LEN]);
// False: it was not made here for that address and realm.
bool auth_nonce_read(const struct role_request *request, struct slice realm, struct slice text,
                     struct auth_nonce *nonce);

// proof.c. Whether the response is right for what is known of the user; and our own proof to him, made with it.
bool auth_proof_check(struct role_request *request, const struct auth_asking *asking,
                      const struct user *user);

#endif
