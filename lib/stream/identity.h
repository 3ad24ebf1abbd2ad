// identity: which SIP domains a certificate names, and what else it must say of itself (RFC 5922 7, RFC 5924).
//
// Whether the certificate is to be believed at all, its chain and its dates, is decided before (stream/tls.h): here
// only its leaf is read. Nothing is kept; names are slices into the certificate's own decoded extension and valid
// during the call. Any thread. Cost: the extension is decoded each time, some microseconds.
#ifndef STREAM_IDENTITY_H
#define STREAM_IDENTITY_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/slice.h"

// Takes one name; true ends the walk.
typedef bool stream_identity_take(void *owner, struct slice name);

// The SIP domain identities, one after the other (RFC 5922 7.1): the hosts of sip URIs without a user; where there is
// none the DNS names; where there is no subjectAltName at all the common name, if it could be a domain. A name with a
// wildcard is none (7.2). True when `take` ended the walk.
bool stream_identity_each(const X509 *certificate, stream_identity_take *take, void *owner);

// All names by which the one who shows it may have been asked for, wildcards too: the hosts of sip URIs and the DNS
// names; where there is no subjectAltName the common name.
bool stream_identity_each_shown(const X509 *certificate, stream_identity_take *take, void *owner);

// Whether `name` is one of its SIP domain identities, compared in their entirety and in any case (RFC 5922 7.2). An
// address, IPv6 in brackets or without, must be an iPAddress or the host of a sip URI.
bool stream_identity_is(const X509 *certificate, struct slice name);

// Whether its usages allow that it speaks for a SIP domain over TLS, or that it signed one that does.
bool stream_identity_usable(X509 *certificate);

// Whether `shown`, perhaps with a wildcard as its whole first label, covers `asked` (RFC 6125 6.4.3). Only for choosing
// a certificate to show: whoever gets it decides if that is enough.
bool stream_identity_covers(struct slice shown, struct slice asked);

#endif
