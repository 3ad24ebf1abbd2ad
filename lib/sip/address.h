// address: name-addr and addr-spec with the parameters behind it (RFC 3261 20.10, 20.20, 20.30, 20.34, 20.39, 25.1).
//
// From, To, Contact, Route, Record-Route, Path and the identities are of this shape. Any thread.
#ifndef SIP_ADDRESS_H
#define SIP_ADDRESS_H

#include "base/cursor.h"
#include "sip/uri.h"

struct sip_address {
    struct slice text;    // the whole element, parameters included
    struct slice display; // with its quotes when it has some; empty when none
    struct sip_uri uri;
    struct slice params; // from the first ";" behind the URI on; empty when none
    struct slice tag;    // the value of the tag parameter (RFC 3261 19.3); at == NULL: none
};

// One address from a comma list, the cursor on it or on white space before it; afterwards on the comma or the end:
//     do { sip_address_take(&c, &address) … } while (cursor_skip(&c, ','));
// Without angle brackets, parameters belong to the header field, and the URI may hold no comma, question mark or
// semicolon (RFC 3261 20). Display names need not be made of tokens. False on an error, which is in the cursor
// (SIP_ERROR_ADDRESS, _URI, _PARAMETER, _QUOTED_STRING); an empty element is one.
bool sip_address_take(struct cursor *c, struct sip_address *address);

// The whole slice as exactly one (From, To). SIP_OK or the error.
enum sip_error sip_address_parse(struct slice value, struct sip_address *address);

// The value of the tag parameter; empty (at == NULL) when there is none.
static inline struct slice sip_address_tag(const struct sip_address *address)
{
    return address->tag;
}

#endif
