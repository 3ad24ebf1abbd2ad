// RFC 6116: a number's NAPTR records, the first of which that gives a sip URI; records that refer to others are
// followed, depth first.
#include <stdio.h>

#include "control/dns_lookup.h"
#include "control/dns_rewrite.h"
#include "sip/uri.h"

#define REFERRALS_MAX 5  // RFC 6116 5.2.1: more of them are taken for a loop
#define DIGITS_MAX    31 // E.164 has 15, private plans may have more

enum rule_kind {
    RULE_URI = 1,  // flag "u"
    RULE_REFERRAL, // no flag: the replacement has further records
};

// RFC 6116 3.4.3: "E2U" and one or more enumservices, in any case; or the syntax of RFC 2916, the other way round.
static bool is_sip_service(struct slice service)
{
    if (slice_equal_nocase(service, SLICE("sip+E2U")))
        return true;
    if (!slice_equal_nocase(slice_of(service.at, service.len < 4 ? service.len : 4), SLICE("E2U+")))
        return false;
    while (service.len > 0) {
        uint32_t plus = slice_find(service, '+');
        struct slice one = slice_of(service.at, plus);
        // RFC 3764; RFC 4769, which has a sip URI for what is in truth in the telephone network
        if (slice_equal_nocase(one, SLICE("sip")) || slice_equal_nocase(one, SLICE("pstn:sip")))
            return true;
        plus += plus < service.len;
        service = slice_of(service.at + plus, service.len - plus);
    }
    return false;
}

static unsigned wanted(const struct ares_naptr_reply *record, unsigned transports, const char **text)
{
    (void)transports;
    // RFC 6116 5.2.1: service and regexp of a non-terminal record are ignored; without a replacement it is discarded
    if (record->flags[0] == 0) {
        *text = record->replacement;
        return RULE_REFERRAL;
    }
    *text = (const char *)record->regexp;
    if (!slice_equal_nocase(slice_text((const char *)record->flags), SLICE("u")))
        return 0;
    return is_sip_service(slice_text((const char *)record->service)) ? RULE_URI : 0;
}

// The Application Unique String (RFC 6116 3.1): "+" and the digits. Their number; 0: none, or too many.
static unsigned write_number(const struct control_lookup *lookup, char number[DIGITS_MAX + 2])
{
    unsigned n = 0;

    number[n++] = '+';
    for (const char *c = lookup->name; *c != 0; c++) {
        if (*c < '0' || *c > '9')
            continue;
        if (n > DIGITS_MAX)
            return 0;
        number[n++] = *c;
    }
    number[n] = 0;
    return n - 1;
}

// UDP takes what is sip alone: sips needs a stream.
static bool take_uri(struct control_lookup *lookup, const struct control_rule *rule)
{
    char number[DIGITS_MAX + 2];
    struct sip_uri uri;

    (void)write_number(lookup, number);
    int len = control_rewrite(rule->text, number, lookup->uri, sizeof(lookup->uri));
    if (len <= 0 || sip_uri_parse(slice_of(lookup->uri, (size_t)len), &uri) != SIP_OK ||
        uri.scheme != SIP_SCHEME_SIP)
        return false;
    lookup->uri_len = (uint32_t)len;
    return true;
}

static void on_rules(void *owner, int status, int timeouts, unsigned char *bytes, int len);

static void next_rule(struct control_lookup *lookup)
{
    while (lookup->rule < lookup->rules_n) {
        const struct control_rule *rule = &lookup->rules[lookup->rule++];
        if (rule->kind == RULE_URI && take_uri(lookup, rule))
            break;
        if (rule->kind == RULE_REFERRAL && lookup->referrals < REFERRALS_MAX) {
            lookup->referrals++;
            control_lookup_ask(lookup, rule->text, CONTROL_DNS_NAPTR, on_rules, lookup);
            return;
        }
    }
    lookup->failed = lookup->failed && lookup->uri_len == 0;
    control_lookup_end(lookup);
}

// The records of a referral come before what was behind it (RFC 6116 5.2: ORDER counts within one set). What no longer
// fits falls off the end.
static void put_first(struct control_lookup *lookup, const struct control_rule *rules, unsigned n)
{
    struct control_rule *all = lookup->rules;
    unsigned left = lookup->rules_n - lookup->rule;

    if (left > CONTROL_RULES_MAX - n)
        left = CONTROL_RULES_MAX - n;
    memmove(all + n, all + lookup->rule, left * sizeof(*all));
    memcpy(all, rules, n * sizeof(*all));
    lookup->rule = 0;
    lookup->rules_n = n + left;
}

static void on_rules(void *owner, int status, int timeouts, unsigned char *bytes, int len)
{
    struct control_lookup *lookup = owner;
    const struct control_reply reply = {status, bytes, len};
    struct control_rule rules[CONTROL_RULES_MAX];
    unsigned n;

    (void)timeouts;
    if (!control_lookup_heard(lookup, &reply))
        return;
    // 5.2.1: trouble further on does not end the query, the next record does.
    if (control_answer_rules(&reply, wanted, 0, rules, &n) == CONTROL_FAILED)
        lookup->failed = true;
    put_first(lookup, rules, n);
    next_rule(lookup);
}

void control_enum_begin(struct control_lookup *lookup)
{
    char number[DIGITS_MAX + 2], name[2 * DIGITS_MAX + NAME_TEXT_MAX + 2];
    struct slice suffix = control_lookup_suffix(lookup);
    unsigned digits = write_number(lookup, number), at = 0;

    for (unsigned i = digits; i > 0; i--) { // RFC 6116 3.2
        name[at++] = number[i];
        name[at++] = '.';
    }
    if (digits == 0 || at + suffix.len > NAME_TEXT_MAX) {
        control_lookup_end(lookup);
        return;
    }
    memcpy(name + at, suffix.at, suffix.len);
    name[at + suffix.len] = 0;
    control_lookup_ask(lookup, name, CONTROL_DNS_NAPTR, on_rules, lookup);
}
