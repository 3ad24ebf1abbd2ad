#include "conf/schema_rows.h"

static const struct conf_choice modes[] = {
    {"stateful", CONF_MODE_STATEFUL},
    {"stateless", CONF_MODE_STATELESS},
    {NULL, 0},
};

static const struct conf_choice algorithms[] = {
    {"weighted", CONF_ALGORITHM_WEIGHTED},
    {"call_id", CONF_ALGORITHM_CALL_ID},
    {"from", CONF_ALGORITHM_FROM},
    {"user", CONF_ALGORITHM_USER},
    {"least_calls", CONF_ALGORITHM_LEAST_CALLS},
    {"priority", CONF_ALGORITHM_PRIORITY},
    {NULL, 0},
};

static const struct conf_choice whos[] = {
    {"any", CONF_WHO_ANY},
    {"trusted", CONF_WHO_TRUSTED},
    {"untrusted", CONF_WHO_UNTRUSTED},
    {NULL, 0},
};

static const struct conf_choice actions[] = {
    {"location", CONF_ACTION_LOCATION}, {"gateways", CONF_ACTION_GATEWAYS}, {"hop", CONF_ACTION_HOP},
    {"numbers", CONF_ACTION_NUMBERS},   {"enum", CONF_ACTION_ENUM},         {"domain", CONF_ACTION_DOMAIN},
    {"redirect", CONF_ACTION_REDIRECT}, {"reject", CONF_ACTION_REJECT},     {NULL, 0},
};

// A key in a few lines: the tables are read as tables.
// clang-format off

const struct conf_key conf_numbers_keys[1] = {
    {.name = "file", CONF_FIELD(conf, numbers_file), .type = CONF_TEXT, .max = CONF_TEXT_MAX,
     .example = "/etc/strowger/numbers.csv",
     .help = "Table for a [route] with action = numbers. Each line is PREFIX,NAME: numbers that begin so "
             "go to [gateways NAME]; the longest prefix wins."},
};

const struct conf_key conf_gateways_keys[7] = {
    {.name = "algorithm", CONF_FIELD(conf_gateways, algorithm), .type = CONF_CHOICE, .choices = algorithms,
     .fallback = "weighted",
     .help = "Which member of the lowest priority number that is up gets a request: by turns as their "
             "weights say (weighted); the same one for the same Call-ID, From or user of the request-URI "
             "(call_id, from, user); the one with the fewest calls for its weight (least_calls); or the "
             "first (priority). What is forwarded without transactions goes by call_id instead of by turns, so "
             "that a CANCEL finds its call, and counts for no bound."},
    {.name = "probe_interval", CONF_FIELD(conf_gateways, probe_ms), .type = CONF_NUMBER,
     .flags = CONF_OR_ZERO, .min = 1000, .max = 60 * CONF_MS_PER_MINUTE, .unit = "milliseconds",
     .suffixes = conf_milliseconds, .fallback = "10s",
     .help = "Time between two OPTIONS to each member; 0: none are sent."},
    {.name = "probe_down", CONF_FIELD(conf_gateways, probe_down), .type = CONF_NUMBER, .min = 1, .max = 100,
     .unit = "failures", .fallback = "3",
     .help = "Failures in a row, of probes or calls, that take a member out."},
    {.name = "probe_up", CONF_FIELD(conf_gateways, probe_up), .type = CONF_NUMBER, .min = 1, .max = 100,
     .unit = "answers", .fallback = "2",
     .help = "Answers in a row that bring it back."},
    {.name = "ease_in", CONF_FIELD(conf_gateways, ease_in_ms), .type = CONF_NUMBER, .min = 0,
     .max = 60 * CONF_MS_PER_MINUTE, .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "30s",
     .help = "Time over which a member that came back grows to its full share; 0: it has it at once."},
    {.name = "tries_max", CONF_FIELD(conf_gateways, tries_max), .type = CONF_NUMBER, .min = 1, .max = 16,
     .unit = "members", .fallback = "3",
     .help = "Members at which one request is tried."},
    {.name = "answer_timeout", CONF_FIELD(conf_gateways, answer_ms), .type = CONF_NUMBER, .min = 100,
     .max = 5 * CONF_MS_PER_MINUTE, .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "2s",
     .help = "Silence after which the next member is tried; at most 64 times t1 of [transaction]."},
};

const struct conf_key conf_gateway_keys[7] = {
    {.name = "group", CONF_FIELD(conf_gateway, group), .type = CONF_REFERENCE, .refers = CONF_GATEWAYS,
     .flags = CONF_REQUIRED, .example = "carrier",
     .help = "The [gateways] that it is a member of."},
    {.name = "address", CONF_FIELD(conf_gateway, address), .type = CONF_HOP, .min = 1, .max = CONF_TEXT_MAX,
     .flags = CONF_REQUIRED, .example = "192.0.2.20:5060",
     .help = "Where it is. A name without a port is looked up by NAPTR and SRV (RFC 3263); all that a name "
             "leads to is tried. HOST;transport=tls says how it is spoken to."},
    {.name = "weight", CONF_FIELD(conf_gateway, weight), .type = CONF_NUMBER, .min = 1, .max = 1000,
     .unit = "shares",
     .fallback = "1",
     .help = "Its share among the members of its priority."},
    {.name = "priority", CONF_FIELD(conf_gateway, priority), .type = CONF_NUMBER, .min = 0, .max = 1000,
     .unit = "(0 is first)", .fallback = "0",
     .help = "Members of a higher number are tried where all of the lower ones are down, full or were "
             "tried."},
    {.name = "calls_per_second", CONF_FIELD(conf_gateway, calls_per_second), .type = CONF_NUMBER, .min = 0,
     .max = 1000000, .unit = "calls", .fallback = "0",
     .help = "New calls a second that it takes from the whole box; more go to the next member. 0: no bound."},
    {.name = "trusted", CONF_FIELD(conf_gateway, trusted), .type = CONF_BOOL, .fallback = "no",
     .help = "What comes from its address, or from whoever shows a certificate with its identity, counts as from "
             "a network of [trust]."},
    {.name = "identity", CONF_FIELD(conf_gateway, identity), .type = CONF_HOST, .max = CONF_TEXT_MAX,
     .example = "carrier.example",
     .help = "Name that its certificate must have (RFC 5922 7); empty: the host of its address."},
};

const struct conf_key conf_route_keys[20] = {
    {.name = "methods", CONF_LIST(conf_route, methods, methods_n), .type = CONF_METHOD, .max = CONF_METHODS_MAX,
     .example = "INVITE, MESSAGE",
     .help = "Methods of the requests; empty: any. A REGISTER that would be served here is taken only where "
             "it stands here: action location then leaves it to the registrar."},
    {.name = "domain", CONF_FIELD(conf_route, domain), .type = CONF_DOMAIN_MATCH, .max = CONF_TEXT_MAX,
     .example = "example.com",
     .help = "Host of the request-URI; empty: any."},
    {.name = "user", CONF_FIELD(conf_route, user), .type = CONF_USER_MATCH, .max = CONF_TEXT_MAX,
     .example = "+4930*",
     .help = "User of the request-URI; empty: any."},
    {.name = "to_domain", CONF_FIELD(conf_route, to_domain), .type = CONF_DOMAIN_MATCH, .max = CONF_TEXT_MAX,
     .example = "example.com",
     .help = "Host of the URI in To; empty: any."},
    {.name = "to_user", CONF_FIELD(conf_route, to_user), .type = CONF_USER_MATCH, .max = CONF_TEXT_MAX,
     .example = "+4930123456",
     .help = "User of the URI in To; empty: any."},
    {.name = "from_domain", CONF_FIELD(conf_route, from_domain), .type = CONF_DOMAIN_MATCH, .max = CONF_TEXT_MAX,
     .example = "/(^|\\.)example\\.net$/",
     .help = "Host of the URI in From; empty: any."},
    {.name = "from_user", CONF_FIELD(conf_route, from_user), .type = CONF_USER_MATCH, .max = CONF_TEXT_MAX,
     .example = "/^\\+?49[0-9]+$/",
     .help = "User of the URI in From; empty: any."},
    {.name = "source", CONF_ARRAY(conf_route, source, source_n), .type = CONF_SUBNET, .max = CONF_NETWORKS_MAX,
     .example = "198.51.100.0/24",
     .help = "Networks that the requests come from; empty: any."},
    {.name = "listener", CONF_FIELD(conf_route, listener), .type = CONF_REFERENCE, .refers = CONF_LISTENER,
     .fallback = "", .example = "main",
     .help = "The [listener] that the requests come to; empty: any."},
    {.name = "who", CONF_FIELD(conf_route, who), .type = CONF_CHOICE, .choices = whos, .fallback = "any",
     .help = "Whether the requests come from a network of [trust] or a trusted gateway (trusted), or from "
             "elsewhere (untrusted)."},
    {.name = "strip", CONF_FIELD(conf_route, strip), .type = CONF_NUMBER, .min = 0, .max = 64,
     .unit = "characters",
     .fallback = "0",
     .help = "How many are taken off the front of the request-URI's user."},
    {.name = "prepend", CONF_FIELD(conf_route, prepend), .type = CONF_WORD, .max = 64, .example = "00",
     .help = "What is then put in front of it."},
    {.name = "set_domain", CONF_FIELD(conf_route, set_domain), .type = CONF_HOP, .max = CONF_TEXT_MAX,
     .example = "example.net",
     .help = "Host, and perhaps port, that the request-URI then gets; empty: as it is."},
    {.name = "action", CONF_FIELD(conf_route, action), .type = CONF_CHOICE, .choices = actions,
     .fallback = "location",
     .example = "gateways",
     .help = "What is done with the requests. They go to where the user is registered (location), to one "
             "of gateways, to hop, to the gateways that the table of [numbers] says (numbers), to what DNS "
             "says of the number (enum) or of the request-URI's host (domain); or they are answered 302 "
             "with contact (redirect), or with code (reject)."},
    {.name = "gateways", CONF_FIELD(conf_route, gateways), .type = CONF_REFERENCE, .refers = CONF_GATEWAYS,
     .fallback = "", .example = "carrier",
     .help = "Action gateways: the [gateways] of which one is chosen."},
    {.name = "hop", CONF_FIELD(conf_route, hop), .type = CONF_HOP, .max = CONF_TEXT_MAX,
     .example = "192.0.2.30:5060",
     .help = "Action hop: where the requests are sent."},
    {.name = "contact", CONF_FIELD(conf_route, contact), .type = CONF_URI, .max = CONF_TEXT_MAX,
     .example = "sip:desk@example.com",
     .help = "Action redirect: the Contact of the 302; empty: the request-URI as strip, prepend and "
             "set_domain changed it."},
    {.name = "code", CONF_FIELD(conf_route, code), .type = CONF_NUMBER, .min = 400, .max = 699,
     .unit = "as a status code",
     .example = "403",
     .help = "Action reject: the answer."},
    {.name = "reason", CONF_FIELD(conf_route, reason), .type = CONF_TEXT, .max = 64, .example = "No such service",
     .help = "Action reject: its reason phrase; empty: the usual one."},
    {.name = "mode", CONF_FIELD(conf_route, mode), .type = CONF_CHOICE, .choices = modes, .fallback = "stateful",
     .help = "How the requests are forwarded, as mode of [proxy] says it for those that no [route] takes."},
};

// clang-format on
