// role: message in, verdict and edits out.
//
// The one entry of the room. A role knows tables and time but no packet: it reads the index, notes edits,
// writes the location table's own shard, and says what is to become of the message. Every role is a pure
// function of (message, arrival, tables), so it is tested without EAL, NIC or network. A struct role belongs
// to one worker and is used by it alone; the tables in it are shared as their headers say.
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "base/hash.h"
#include "conf/conf.h"
#include "location/location.h"
#include "role/allow.h"
#include "sip/date.h"
#include "sip/edit.h"
#include "sip/message.h"
#include "worker/arrival.h"
#include "worker/steered.h"
#include "worker/verdict.h"

struct role_route; // role/route.h: the compiled domains and static routes

struct role {
    const struct conf *conf;
    const struct role_route *route;
    struct location *location;
    struct hash_key secret; // for branches and tags; the same on all workers
    uint64_t random;        // state of the jitter's generator
    struct role_allow allow;
    uint64_t date_s; // the second that `date` is for, once that is not empty
    char date[SIP_DATE_LEN];
};

// Which worker must serve the message (DESIGN's order of steering), of `workers`, and the key that the role
// will look up, so that it can be prefetched.
void role_steer(const struct role *role, const struct sip_message *message, unsigned workers,
                struct steered *steered);

// Serves one request or response. `parsed` is what sip_message_parse (and then sip_message_check) said,
// `steered` what role_steer did. `edits` is empty on entry. Always sets the whole verdict. Never fails: what is
// wrong becomes an answer or a counted drop.
void role_serve(struct role *role, const struct sip_message *message, enum sip_error parsed,
                const struct steered *steered, const struct arrival *arrival, struct verdict *verdict,
                struct sip_edits *edits);

#endif
