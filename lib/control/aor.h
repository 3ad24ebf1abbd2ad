// aor: an address of record as an operator writes it: "bob@example.com", "sip:bob@example.com", "tel:+4930123".
//
// It becomes what the tables have it under, as role_aor_write (role/target.h) makes it of a message: every name of a
// domain of ours leads to the same one. Main lcore.
#ifndef CONTROL_AOR_H
#define CONTROL_AOR_H

#include "role/route.h"
#include "sip/uri.h"

struct control_aor {
    struct sip_uri uri; // in `text`
    int domain;         // of ours, or CONF_NONE
    unsigned len;
    char aor[SIP_AOR_MAX];
    char text[SIP_AOR_MAX + 8];
};

static inline struct slice control_aor_slice(const struct control_aor *aor)
{
    return slice_of(aor->aor, aor->len);
}

// Somebody's, wherever his host is. False: it is none.
bool control_aor_read(const struct role_route *route, struct slice word, struct control_aor *aor);

// Of a user of ours. NULL; else what it is instead, to stand behind the word.
const char *control_aor_read_own(const struct role_route *route, struct slice word, struct control_aor *aor);

// The same, or all of a domain ("*@example.com"), or everybody ("*"), as rules have watchers. Then `uri` says nothing.
const char *control_aor_read_watcher(const struct role_route *route, struct slice word,
                                     struct control_aor *aor);

#endif
