// request: one request while it is served, with every typed header field that the roles share parsed once.
//
// For this room and those of the roles: service_serve makes one on its stack and hands it from check to check. A
// function that returns bool says whether to go on; false means that the verdict stands (an answer or a drop).
#ifndef ROLE_REQUEST_H
#define ROLE_REQUEST_H

#include "role/hashing.h"
#include "role/role.h"
#include "role/route.h"
#include "role/text.h"
#include "sip/address.h"
#include "sip/cseq.h"
#include "sip/via.h"

#define ROLE_ROUTES_MAX 70   // Route values; as many as the recommended Max-Forwards has hops
#define ROLE_URI_MAX    1024 // bytes of a request-URI that had to be rewritten before it was routed

// The Route header field values by place; those in [first, last) stay in the request.
struct role_routes {
    uint8_t n, first, last;
    bool ours;   // a value of ours was taken off the top
    bool proven; // one of those had a token that was made for this Call-ID: the sender knows a dialog of ours
    struct endpoint
        flow;         // where the token of the last of those leads; ENDPOINT_NONE: nowhere, or it had none
    int16_t listener; // the listener that the last of those named, or CONF_NONE
    struct {
        uint16_t at, len; // of the value in the message
        uint8_t line;
    } value[ROLE_ROUTES_MAX];
};

// What the sender proved by his credentials, see auth/auth.h.
struct role_proof {
    bool given;          // that he is the user whom To (REGISTER) or From names
    uint8_t rspauth_len; // our own proof to him; 0: he did not ask for any. These: where `given`
    char rspauth[ROLE_HASH_HEX];
    struct slice cnonce, nc; // in the message
};

enum role_trust { ROLE_TRUST_UNASKED = 0, ROLE_TRUST_NO, ROLE_TRUST_YES };

struct role_request {
    struct role *role;
    const struct sip_message *message;
    const struct steered *steered;
    const struct arrival *arrival;
    struct verdict *verdict;
    struct sip_edits *edits;

    struct sip_via via; // the top one
    struct sip_uri uri; // the request-URI; behind role_routes_prepare the one to route by (RFC 3261 16.4)
    struct sip_address from, to;
    struct slice from_tag, to_tag; // at == NULL: none
    struct slice call_id;
    struct sip_cseq cseq;
    uint16_t max_forwards; // valid when has_max_forwards
    bool has_max_forwards;
    bool to_read;       // `to` is set
    bool uri_rewritten; // uri is not what stands in the message
    uint8_t trust;      // enum role_trust; role_trusts() asks once
    bool resumed;       // asked again from a timer or a failed branch: `message` is the kept original

    struct role_proof proof;

    struct hash128 mark; // role_request_mark() makes it once; 0: not yet
    struct hash128 key;  // of its server transaction (RFC 3261 17.2.3), valid where the role has transactions

    struct role_where where; // whose the request-URI is
    struct role_routes routes;
    char rewritten[ROLE_URI_MAX]; // room for uri when no part of the message has its text
};

static inline uint16_t role_request_offset(const struct role_request *request, const char *at)
{
    return (uint16_t)(at - request->message->bytes);
}

// RFC 3261 8.1.1.7: the branch is unique by itself. Without the cookie it is RFC 2543's.
static inline bool role_via_is_unique(const struct sip_via *via)
{
    return via->branch.len > sizeof(SIP_BRANCH_COOKIE) - 1 &&
           slice_starts(via->branch, SLICE(SIP_BRANCH_COOKIE));
}

// steer.c: what a request's server transaction is found by (17.2.3), where its Via says it all: it is unique.
struct hash128 role_via_key(const struct role *role, const struct sip_message *message,
                            const struct sip_via *via);

// request.c: the typed fields. SIP_OK or the first error; the Via and what is before it in the struct is set
// when it can be answered.
enum sip_error role_request_parse(struct role_request *request);

// answer.c. An ACK is never answered, whatever is asked of these: it becomes DROP_ACK_UNROUTABLE. `reason`
// NULL: the usual phrase. `lines` begins with role_route_server_line.
void role_answer(struct role_request *request, uint16_t status, const char *reason);
void role_answer_lines(struct role_request *request, uint16_t status, const char *reason, struct slice lines);
void role_answer_lines_begin(const struct role_request *request, struct role_text *lines);
// In a dialog that this answer makes or confirms (RFC 3261 12.1.1): with this To tag, and Record-Route as it came.
void role_answer_dialog(struct role_request *request, uint16_t status, struct slice to_tag,
                        struct slice lines);
void role_drop(struct role_request *request, enum drop drop);
// Where answers go (RFC 3261 18.2.2, RFC 3581 4).
struct endpoint role_answer_endpoint(const struct role_request *request);
// received and rport on the top Via (RFC 3261 18.2.1, RFC 3581 4).
void role_request_stamp(struct role_request *request);
void role_request_stamp_spare(struct role_request *request); // for a copy: into role->spare, and nothing else
// An ACK with a To tag that this server made (RFC 3261 17.1.1.3).
bool role_request_acks_us(struct role_request *request);
// What a request shares with its retransmissions, and with the ACK to it, and with nothing else (8.2.7, 17.2.3). The low
// half is in the To tag of our answers; the high half nobody knows until it is told him.
struct hash128 role_request_mark(struct role_request *request);
// A 2xx of ours that waited for the disk becomes a 503 with Retry-After. `success`: a bit per enum sip_header
// whose lines only a 2xx has.
void role_answer_withdraw(const struct sip_message *answer, struct slice start_line, uint32_t seconds,
                          uint64_t success, struct sip_edits *edits);
void role_answer_later(struct role_request *request, const char *reason,
                       uint32_t seconds);                                       // 503 with Retry-After
void role_answer_unavailable(struct role_request *request, const char *reason); // of [server] retry_after
void role_answer_not_allowed(struct role_request *request, uint32_t methods);   // 405 with Allow
// False, and 420, when Require or Proxy-Require holds an option tag that is not in the comma list `known`.
bool role_supports(struct role_request *request, enum sip_header id, struct slice known);
// "INVITE, ACK, …" for a set of SIP_METHOD_BITs.
void role_text_put_methods(struct role_text *text, uint32_t methods);
// ";expires=N", and ";q=0.5" where q is not 1: what is behind a Contact in an answer.
void role_text_put_binding_params(struct role_text *text, const struct location_binding *binding,
                                  uint64_t now_ms);

// Every method in the table; what is answered here and not forwarded.
#define ROLE_METHODS_ALL ((1u << SIP_METHOD_COUNT) - 2)
#define ROLE_METHODS_SERVED                                                   \
    (SIP_METHOD_BIT(SIP_METHOD_INVITE) | SIP_METHOD_BIT(SIP_METHOD_ACK) |     \
     SIP_METHOD_BIT(SIP_METHOD_CANCEL) | SIP_METHOD_BIT(SIP_METHOD_OPTIONS) | \
     SIP_METHOD_BIT(SIP_METHOD_REGISTER))

static inline uint32_t role_methods_served(const struct conf *conf)
{
    return ROLE_METHODS_SERVED |
           (conf->presence ? SIP_METHOD_BIT(SIP_METHOD_SUBSCRIBE) | SIP_METHOD_BIT(SIP_METHOD_PUBLISH) : 0);
}

// A CANCEL and an ACK go where their INVITE went (RFC 3261 16.11, 8.2.2.3).
static inline bool role_follows_an_invite(const struct role_request *request)
{
    return request->message->method == SIP_METHOD_CANCEL || request->message->method == SIP_METHOD_ACK;
}

// routes.c: RFC 3261 16.4, and the edits that carry its result out.
bool role_routes_prepare(struct role_request *request);
bool role_routes_top(const struct role_request *request, struct sip_address *route);
void role_routes_note(struct role_request *request);

// merged.c. True: answered 482.
bool role_is_merged(struct role_request *request);

// rules.c. A REGISTER that the registrar serves, unless a rule names its method (role/rules.h).
bool role_is_registrars(const struct role_request *request);

// target.c.
// The canonical address of record of a URI in one of our domains; 0: it does not fit.
unsigned role_aor_write(const struct role *role, const struct sip_uri *uri, int domain,
                        char aor[SIP_AOR_MAX]);
// The bindings of the request-URI, which is in one of our domains, or NULL.
const struct location_set *role_target_set(const struct role_request *request);
// A literal IP address that can be sent to, by a transport that is known.
bool role_hop_of(const struct sip_uri *uri, struct endpoint *hop);
bool role_hop_usable(const struct endpoint *hop);
// Where requests for a binding go: what is kept in `received`, else the first value of its Path, else its
// Contact.
bool role_hop_of_binding(const struct location_binding *binding, struct endpoint *hop);

#endif
