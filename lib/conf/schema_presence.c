#include "conf/schema_rows.h"

static const struct conf_choice policies[] = {
    {"open", CONF_PRESENCE_OPEN},
    {"domain", CONF_PRESENCE_DOMAIN},
    {"list", CONF_PRESENCE_LIST},
    {NULL, 0},
};

// A key in a few lines: the tables are read as tables.
// clang-format off

// The expiry and the interval that are usual are those of RFC 3856 6.4 and 6.10.
const struct conf_key conf_presence_keys[20] = {
    {.name = "serve", CONF_FIELD(conf, presence), .type = CONF_BOOL, .flags = CONF_FIXED, .fallback = "no",
     .help = "Answer PUBLISH and SUBSCRIBE for the domains that are served, and tell watchers what "
             "changes. Off: they are forwarded like any other request."},
    {.name = "policy", CONF_FIELD(conf, presence_policy), .type = CONF_CHOICE, .choices = policies,
     .fallback = "domain",
     .help = "Who may watch a user who said nothing about it: everybody (open); users of the same domain, "
             "while others wait until they are allowed (domain); or nobody until he is allowed (list)."},
    {.name = "polite", CONF_FIELD(conf, presence_polite), .type = CONF_BOOL, .fallback = "yes",
     .help = "Who is blocked sees a user who is not there, instead of being refused."},
    {.name = "registered", CONF_FIELD(conf, presence_registered), .type = CONF_BOOL, .fallback = "yes",
     .help = "A user who is registered and published nothing is open; off: nothing is known of him."},
    {.name = "expires_default", CONF_FIELD(conf, presence_expires_default), .type = CONF_NUMBER, .min = 1,
     .max = 2592000, .unit = "seconds", .suffixes = conf_seconds, .fallback = "3600",
     .help = "Expiry of a subscription whose SUBSCRIBE asks for none."},
    {.name = "expires_min", CONF_FIELD(conf, presence_expires_min), .type = CONF_NUMBER, .min = 0,
     .max = 3600,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "60",
     .help = "A SUBSCRIBE that asks for less is answered 423 with this as Min-Expires; 0 is always its "
             "end. At most an hour (RFC 6665 4.2.1.1)."},
    {.name = "expires_max", CONF_FIELD(conf, presence_expires_max), .type = CONF_NUMBER, .min = 1,
     .max = 2592000,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "7200",
     .help = "A SUBSCRIBE that asks for more is granted this."},
    {.name = "publish_default", CONF_FIELD(conf, publish_expires_default), .type = CONF_NUMBER, .min = 1,
     .max = 2592000, .unit = "seconds", .suffixes = conf_seconds, .fallback = "3600",
     .help = "Expiry of a publication whose PUBLISH asks for none."},
    {.name = "publish_min", CONF_FIELD(conf, publish_expires_min), .type = CONF_NUMBER, .min = 0, .max = 3600,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "60",
     .help = "A PUBLISH that asks for less is answered 423 with this as Min-Expires; 0 is always its end."},
    {.name = "publish_max", CONF_FIELD(conf, publish_expires_max), .type = CONF_NUMBER, .min = 1,
     .max = 2592000,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "7200",
     .help = "A PUBLISH that asks for more is granted this."},
    {.name = "notify_interval", CONF_FIELD(conf, notify_ms), .type = CONF_NUMBER, .min = 0,
     .max = 10 * CONF_MS_PER_MINUTE, .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "5s",
     .help = "Least time between two NOTIFYs of a subscription (RFC 3856 6.10); what changes within it is "
             "told together at its end. 0: every change at once."},
    {.name = "document_max", CONF_FIELD(conf, document_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 512,
     .max = 16384, .unit = "bytes", .suffixes = conf_bytes, .fallback = "8k",
     .help = "Longest body that is published; a longer one is answered 413."},
    {.name = "presentities_max", CONF_FIELD(conf, presentities_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 16, .max = 100000000, .unit = "users", .fallback = "100000",
     .help = "Users, for each package of events, who are watched or published something, on the whole "
             "box. This and the memory of the next two is reserved at start where presence is served; "
             "what finds no room is answered 503."},
    {.name = "publications_max", CONF_FIELD(conf, publications_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 16, .max = 100000000, .unit = "publications", .fallback = "100000",
     .help = "Publications on the whole box."},
    {.name = "subscriptions_max", CONF_FIELD(conf, subscriptions_max), .type = CONF_NUMBER,
     .flags = CONF_FIXED,
     .min = 16, .max = 100000000, .unit = "subscriptions", .fallback = "200000",
     .help = "Subscriptions on the whole box."},
    {.name = "watchers_max", CONF_FIELD(conf, watchers_max), .type = CONF_NUMBER, .min = 1, .max = 1000000,
     .unit = "subscriptions", .fallback = "1000",
     .help = "Subscriptions to one user; one more is answered 480."},
    {.name = "source_max", CONF_FIELD(conf, watches_source_max), .type = CONF_NUMBER, .min = 1,
     .max = 100000000,
     .unit = "subscriptions", .fallback = "10000",
     .help = "Subscriptions from one address that is not trusted ([trust]); one more is answered 480."},
    {.name = "list_max", CONF_FIELD(conf, list_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 1,
     .max = 500,
     .unit = "members", .fallback = "500",
     .help = "Members of a list of users that is watched as one (RFC 4662). The first NOTIFY names them all "
             "and becomes as long as that takes, up to what a datagram holds: 500 with URIs of 90 bytes. Of "
             "a list with longer ones it names a part, which it says, and the others follow."},
    {.name = "members_max", CONF_FIELD(conf, list_members_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 1, .max = 10000000, .unit = "members", .fallback = "20000",
     .help = "Members of all lists together. The memory is reserved at start where presence is served, "
             "half a kilobyte each."},
    {.name = "rules_max", CONF_FIELD(conf, rules_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 1, .max = 100000000, .unit = "rules", .fallback = "100000",
     .help = "Rules of all users together that say who may watch them (strowgerctl presence). The memory "
             "is reserved at start where presence is served, 50 bytes each."},
};

// clang-format on
