// registration: one REGISTER while it is processed, from the header fields to the set of bindings that it
// leaves.
//
// Internal to the registrar. The order of work is RFC 3261 10.3's; nothing is written before everything is
// known to succeed, and then in one location_put, so a request is processed completely or not at all.
#ifndef REGISTRAR_REGISTRATION_H
#define REGISTRAR_REGISTRATION_H

#include "role/request.h"
#include "sip/contact.h"

#define REGISTRAR_PATH_MAX 1024 // bytes of all Path values of a REGISTER

struct registrar_registration {
    struct role_request *request;
    struct hash128 key;
    const struct location_set *set; // that the table has, or NULL
    uint32_t methods;               // of Allow; 0: none given
    uint32_t expires;               // of the Expires header field, or the default
    bool has_expires;
    bool star;
    struct slice path;
    unsigned contacts_n, current_n, next_n;
    struct sip_contact contacts[LOCATION_CONTACTS_MAX];     // as asked for
    struct location_binding current[LOCATION_CONTACTS_MAX]; // as the table has them
    struct location_binding next[LOCATION_CONTACTS_MAX];    // as they will be
    char aor_text[SIP_AOR_MAX];
    char path_text[REGISTRAR_PATH_MAX];
};

// Retry-After of a 503, in seconds: at least half a minute, and as much again so that those who were refused do not
// return together.
static inline uint32_t registrar_retry_after(struct role *role)
{
    return 30 + (uint32_t)(role->random++ % 30);
}

// registrar.c: the bindings of an address of record have changed: who watches them is told (presence/presence.h).
void registrar_tell(struct role *role, struct hash128 aor);

// contacts.c. RFC 3261 19.1.4; a sips contact stands for its sip one as well, so they are the same (RFC 5630 5.1.1.1).
bool registrar_same_contact(const struct sip_uri *a, const struct sip_uri *b);
// Reads the header fields. False: answered.
bool registrar_registration_read(struct registrar_registration *registration);

// bindings.c: steps 6 and 7. What next[] would be, written nowhere yet.
enum registrar_outcome {
    REGISTRAR_UPDATED,   // next[] is to be written
    REGISTRAR_UNCHANGED, // a fetch, or a retransmission of what is there: next[] is what is there
    REGISTRAR_OLD,       // CSeq not higher than a binding's: the request fails
    REGISTRAR_TOO_MANY,  // more bindings than an address of record may have
};
enum registrar_outcome registrar_registration_merge(struct registrar_registration *registration);

#endif
