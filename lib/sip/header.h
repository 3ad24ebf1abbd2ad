// header: the header fields that strowger knows by number.
//
// RFC 3261 20 and the extensions that a registrar, proxy, redirect or presence server reads. Anything else is
// SIP_HEADER_OTHER and is carried untouched. Constant data: any thread.
#ifndef SIP_HEADER_H
#define SIP_HEADER_H

#include "base/slice.h"

// identifier, canonical name, compact form (0: none; RFC 3261 7.3.3, 3515, 3841, 6665, 4028, 3892)
#define SIP_HEADERS(X)                                 \
    X(VIA, "Via", 'v')                                 \
    X(FROM, "From", 'f')                               \
    X(TO, "To", 't')                                   \
    X(CALL_ID, "Call-ID", 'i')                         \
    X(CSEQ, "CSeq", 0)                                 \
    X(MAX_FORWARDS, "Max-Forwards", 0)                 \
    X(CONTACT, "Contact", 'm')                         \
    X(ROUTE, "Route", 0)                               \
    X(RECORD_ROUTE, "Record-Route", 0)                 \
    X(CONTENT_LENGTH, "Content-Length", 'l')           \
    X(CONTENT_TYPE, "Content-Type", 'c')               \
    X(CONTENT_ENCODING, "Content-Encoding", 'e')       \
    X(EXPIRES, "Expires", 0)                           \
    X(MIN_EXPIRES, "Min-Expires", 0)                   \
    X(REQUIRE, "Require", 0)                           \
    X(PROXY_REQUIRE, "Proxy-Require", 0)               \
    X(SUPPORTED, "Supported", 'k')                     \
    X(UNSUPPORTED, "Unsupported", 0)                   \
    X(ALLOW, "Allow", 0)                               \
    X(ACCEPT, "Accept", 0)                             \
    X(AUTHORIZATION, "Authorization", 0)               \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0)   \
    X(WWW_AUTHENTICATE, "WWW-Authenticate", 0)         \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0)     \
    X(USER_AGENT, "User-Agent", 0)                     \
    X(SERVER, "Server", 0)                             \
    X(TIMESTAMP, "Timestamp", 0)                       \
    X(DATE, "Date", 0)                                 \
    X(PATH, "Path", 0)                                 \
    X(EVENT, "Event", 'o')                             \
    X(ALLOW_EVENTS, "Allow-Events", 'u')               \
    X(SUBSCRIPTION_STATE, "Subscription-State", 0)     \
    X(SIP_ETAG, "SIP-ETag", 0)                         \
    X(SIP_IF_MATCH, "SIP-If-Match", 0)                 \
    X(SUPPRESS_IF_MATCH, "Suppress-If-Match", 0)       \
    X(RETRY_AFTER, "Retry-After", 0)                   \
    X(REFER_TO, "Refer-To", 'r')                       \
    X(REFERRED_BY, "Referred-By", 'b')                 \
    X(SUBJECT, "Subject", 's')                         \
    X(SESSION_EXPIRES, "Session-Expires", 'x')         \
    X(ACCEPT_CONTACT, "Accept-Contact", 'a')           \
    X(REJECT_CONTACT, "Reject-Contact", 'j')           \
    X(REQUEST_DISPOSITION, "Request-Disposition", 'd') \
    X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0)   \
    X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0) \
    X(PRIVACY, "Privacy", 0)                           \
    X(MAX_BREADTH, "Max-Breadth", 0)                   \
    X(MIME_VERSION, "MIME-Version", 0)                 \
    X(REASON, "Reason", 0)

enum sip_header {
    SIP_HEADER_OTHER = 0,
#define SIP_HEADER_ENUM(id, name, compact) SIP_HEADER_##id,
    SIP_HEADERS(SIP_HEADER_ENUM)
#undef SIP_HEADER_ENUM
        SIP_HEADER_COUNT
};

// The header field of a name, long or compact, in any case; SIP_HEADER_OTHER when it is not in the table.
// Never reads outside of `name`.
enum sip_header sip_header_of(struct slice name);

// The canonical name; empty for SIP_HEADER_OTHER.
struct slice sip_header_name(enum sip_header id);

#endif
