// recursion: the contacts of a 3xx as targets (RFC 3261 16.7 step 4), where [proxy] recursion says so.
//
// Internal to the room. A 3xx stays with its branch until it is known whether a contact of it is tried; so nothing else
// is remembered of what is still to be tried.
#ifndef PROXY_RECURSION_H
#define PROXY_RECURSION_H

#include "proxy/core.h"
#include "sip/contact.h"

#define PROXY_CONTACTS_MAX 16 // of all 3xx of a request

struct proxy_contacts {
    unsigned n;
    struct {
        struct sip_uri uri;
        uint16_t q;
        uint8_t branch; // that the 3xx came on
    } one[PROXY_CONTACTS_MAX];
};

// All usable contacts of the 3xx that the branches keep, highest q first. They point into the kept responses.
void proxy_contacts_collect(struct proxy_event *event, struct proxy_contacts *contacts);

// The next one that was not tried and leads somewhere: the branch that it came on, and the target; -1: none.
int proxy_contacts_next(struct role_request *request, const struct proxy_contacts *contacts,
                        const struct role_tried *tried, struct role_target *target);

#endif
