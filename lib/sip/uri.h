// uri: SIP, SIPS and tel URIs (RFC 3261 19.1 and 25.1, RFC 3966), and when two are the same (RFC 3261 19.1.4).
//
// Parsing points into the text and undoes no escape. Any thread.
#ifndef SIP_URI_H
#define SIP_URI_H

#include <stdbool.h>

#include "base/cursor.h"
#include "base/endpoint.h"
#include "sip/error.h"

enum sip_scheme {
    SIP_SCHEME_SIP = 1,
    SIP_SCHEME_SIPS,
    SIP_SCHEME_TEL,
    SIP_SCHEME_OTHER, // an absoluteURI: only `text` and `scheme_text` are set
};

struct sip_uri {
    struct slice text;        // all of it
    struct slice scheme_text; // without the colon
    struct slice user;        // at == NULL: none ("@" absent). tel: the number with its visual separators
    struct slice password;    // at == NULL: none
    struct slice host;        // with the brackets of an IPv6 reference; tel: empty
    struct slice params;      // from the first ";" on, empty when none
    struct slice headers;     // behind the "?", empty when none
    uint16_t port;            // 0: none given
    uint8_t scheme;           // enum sip_scheme
};

// The whole slice as one URI. SIP_OK, or SIP_ERROR_URI. An unknown scheme is no error here: SIP_SCHEME_OTHER.
// Parameters and headers are checked for their bytes and escapes; an empty one (";;") is carried and never found.
// Cost: about 80 instructions for "sip:user@host", 120 with a port and a parameter; up to 300 for rarer ones.
enum sip_error sip_uri_parse(struct slice text, struct sip_uri *uri);

// The URI that begins at the cursor, as far as its grammar goes; the cursor is then behind it. `bare`: outside of
// angle brackets, where it ends before the first comma, semicolon or question mark (RFC 3261 20). False on an error,
// which is SIP_ERROR_URI in the cursor.
bool sip_uri_take(struct cursor *c, bool bare, struct sip_uri *uri);

// Parameters and headers that sip_uri_equal compares one by one; URIs with more are equal when their texts are.
#define SIP_URI_PARTS_MAX 16

// RFC 3261 19.1.4, all of it: escapes decoded before comparison, user and password case-sensitive, host not (and
// IP addresses by value, RFC 5954 4.2), an absent component does not match its default, user/ttl/method/maddr/transport
// parameters decide if in either one, other parameters only if in both, headers always. Of a parameter that stands
// there twice the first counts. tel URIs by RFC 3966 4 (visual separators ignored, phone-context). Reflexive and
// symmetric, but not transitive (19.1.4).
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);

// Longest canonical address of record.
#define SIP_AOR_MAX 320

// The canonical address of record of RFC 3261 10.3 step 5 for a table key: scheme-less "user@host", user unescaped
// (any byte may come out of an escape, NUL too) and case kept, no password, host in lower case and an IPv6 address in
// its shortest form, no port when it is the scheme's default, no parameters, no headers; a URI without a user gives
// "host"; sips and sip give the same; tel gives the number alone, separators removed and letters in lower case.
// Writes at most SIP_AOR_MAX bytes. Returns the length, or 0 when it does not fit or the scheme is unknown.
unsigned sip_uri_write_aor(const struct sip_uri *uri, char aor[SIP_AOR_MAX]);

// A uri parameter by name, in any case; false when absent. `value` gets at == NULL for one without "=".
bool sip_uri_param(const struct sip_uri *uri, struct slice name, struct slice *value);

// The host as a literal IP address, with the transport and port that are said, or UDP, for sips TLS (RFC 3263 4.1), and
// that one's port (sip/transport.h). maddr is honoured (RFC 3261 19.1.1). False: the host is a name. Whether the
// transport is one that is known says sip_uri_transport.
bool sip_uri_endpoint(const struct sip_uri *uri, struct endpoint *endpoint);

#endif
