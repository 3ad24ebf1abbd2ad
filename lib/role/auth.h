// auth: whose requests must carry credentials, and whether they do (RFC 3261 22, RFC 7616, RFC 8760).
//
// Internal to the room. An [auth] says who is asked; a challenge is an answer in the request's own bytes and keeps
// nothing: its nonce says by itself when, by which worker and for whom it was made. ACK and CANCEL are never asked
// (22.1), nor is what our signed Record-Route proves to belong to a dialog, unless the [auth] names its method. Wrong
// credentials of somebody and of nobody take the same way through this code and get the same answer.
//
// Not taken: qop=auth-int and the -sess algorithms, which are not offered; userhash and username* (RFC 7616 3.4.4), for
// users here are those of addresses of record. What has no qop is taken as RFC 2069 had it (RFC 8760 2.6 item 8), but
// not where nc is counted.
#ifndef ROLE_AUTH_H
#define ROLE_AUTH_H

#include "role/hashing.h"
#include "role/request.h"
#include "sip/credentials.h"
#include "user/user.h"

#define ROLE_NONCE_LEN      24  // letters; so short that most responses are two blocks of a hash
#define ROLE_CREDENTIAL_MAX 512 // bytes of what a client chooses and is hashed: cnonce, URI

// True: go on. False: answered.
bool role_authenticate(struct role_request *request);

// Notes the edits that take Proxy-Authorization for realms of ours away (22.3); those for others stay.
void role_auth_note(struct role_request *request);

// Authentication-Info of a 200, where the client asked for our proof by its qop (RFC 7616 3.5).
void role_auth_put_info(const struct role_request *request, struct role_text *lines);

// One request that is asked.
struct role_asking {
    const struct conf_auth *auth;
    struct slice realm;
    const struct sip_address *claim; // whose user he says he is: To of a REGISTER, else From
    bool known_domain;               // that is in a domain of ours
    bool server;                // 401 of a registrar or redirect server instead of a proxy's 407 (22.2, 22.3)
    enum conf_digest algorithm; // of the credentials
    struct sip_credentials given;
};

// auth_credentials.c. Those for our realm by an algorithm of ours.
enum role_found {
    ROLE_FOUND,
    ROLE_FOUND_NONE,
    ROLE_FOUND_ANSWERED, // 400
};
enum role_found role_credentials_find(struct role_request *request, struct role_asking *asking);

// auth_nonce.c: time of issue (4 bytes), worker and a number (4), keyed hash of these, realm and source address (10).
struct role_nonce {
    uint32_t issued_s;
    uint16_t worker;
    struct hash128 check;
};
void role_nonce_write(struct role_request *request, struct slice realm, char text[ROLE_NONCE_LEN]);
// False: it was not made here for that address and realm.
bool role_nonce_read(const struct role_request *request, struct slice realm, struct slice text,
                     struct role_nonce *nonce);

// auth_proof.c. Whether the response is right for what is known of the user; and our own proof to him, made with it.
bool role_proof_check(struct role_request *request, const struct role_asking *asking,
                      const struct user *user);

#endif
