// credentials: Authorization and Proxy-Authorization (RFC 3261 20.7, 25.1, RFC 7616 3.4). Any thread.
//
// Only reading: which user claims what, with which numbers. Checking them is the auth role's.
#ifndef SIP_CREDENTIALS_H
#define SIP_CREDENTIALS_H

#include "base/slice.h"
#include "sip/error.h"

struct sip_credentials {
    struct slice scheme; // "Digest"; with another scheme nothing else is set
    // Unquoted (the bytes between the quotes, escapes not undone); at == NULL: not there.
    struct slice username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc, userhash;
};

// SIP_OK or SIP_ERROR_CREDENTIALS (broken syntax, a Digest parameter twice).
enum sip_error sip_credentials_parse(struct slice value, struct sip_credentials *credentials);

#endif
