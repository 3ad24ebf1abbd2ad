// contact: the Contact header field with q and expires, or "*" (RFC 3261 20.10, 10.2.1).
// Any thread.
#ifndef SIP_CONTACT_H
#define SIP_CONTACT_H

#include "sip/address.h"

#define SIP_Q_DEFAULT   1000        // q in thousandths; a contact without q ranks as 1.0
#define SIP_EXPIRES_MAX 0xffffffffu // RFC 3261 20.19: 2**32-1

struct sip_contact {
    struct sip_address address;
    uint32_t expires; // seconds; valid when has_expires. Larger numbers and garbage: see sip_expires_parse
    uint16_t q;       // 0 to 1000
    bool has_expires;
    bool star; // "*"; nothing else is set then
};

// One contact from a comma list, as sip_address_take. A broken q is SIP_ERROR_CONTACT.
bool sip_contact_take(struct cursor *c, struct sip_contact *contact);

// delta-seconds (RFC 3261 20.19); too large a number is SIP_EXPIRES_MAX, garbage is 3600 (10.2.1.1: "malformed
// values SHOULD be treated as equivalent to 3600").
uint32_t sip_expires_parse(struct slice value);

#endif
