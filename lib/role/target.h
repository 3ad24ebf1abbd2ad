// target: where a request goes, one target after the other (RFC 3261 16.5, 16.6 step 7).
//
// First the course: what the rules say of the request as a whole. Then its targets, asked for one by one with those
// that were tried already; nobody keeps a list of what is still to come, so a branch that fails hours later, or a
// phone that registered meanwhile, is seen as it is then.
#ifndef ROLE_TARGET_H
#define ROLE_TARGET_H

#include "role/request.h"

enum role_targeting {
    ROLE_TARGET,          // there is one
    ROLE_TARGET_NONE,     // none that was not tried; role_course: never
    ROLE_TARGET_ANSWERED, // the verdict stands: an answer, or parked until a name is known
};

// What decides where a request goes, once for the request.
struct role_course {
    // enum conf_action: LOCATION, GATEWAYS, HOP or DOMAIN; the others end in one of these or an answer
    uint8_t action;
    uint8_t mode;   // enum conf_mode
    bool in_dialog; // the Route header fields and the remote target decide, no rule was asked
    uint16_t rule;  // index into conf->routes, or UINT16_MAX
    uint16_t group; // GATEWAYS: index into conf->groups
};

struct role_target {
    struct slice uri, uri_tail; // the new request-URI in two pieces; uri.at == NULL: it stays
    struct slice path;          // Route values to push; empty: none (RFC 3327 5.4)
    struct endpoint hop;
    int16_t listener; // to send from, or CONF_NONE
    uint16_t q;       // 0 to 1000; of gateways and names 1000
    uint16_t gateway; // slot, or GATEWAY_NONE
    uint32_t hash;    // of the request-URI that it gets and the hop, for role_tried
    // never together with another (gateways, names): one after the other whatever [proxy] fork says
    bool alone;
    bool more;    // there may be others when this one fails
    bool trusted; // within the trust domain (RFC 3325): a trusted gateway or network
    bool secure;  // it may be spoken to over TLS alone: it registered a sips contact (RFC 5630 5.3)
};

struct role_tried {
    unsigned n;
    struct {
        uint32_t hash;
        uint16_t gateway;
    } one[TRANSACTION_BRANCHES_MAX];
};

// May rewrite request->uri (strip, prepend, set_domain, ENUM). ROLE_TARGET: `course` is set.
enum role_targeting role_course_find(struct role_request *request, struct role_course *course);

// The next one in order that was not tried. A first call (nothing tried) that finds nobody answers; later ones say
// NONE.
enum role_targeting role_target_next(struct role_request *request, const struct role_course *course,
                                     const struct role_tried *tried, struct role_target *target);

#endif
