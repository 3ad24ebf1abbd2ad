#include "control/dns_answer.h"

#include <ares.h>
#include <netinet/in.h>

static enum control_outcome outcome_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return CONTROL_FOUND;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME: // no name that the DNS could have
        return CONTROL_ABSENT;
    default:
        return CONTROL_FAILED;
    }
}

static bool rule_before(const struct control_rule *a, const struct control_rule *b)
{
    return a->order != b->order ? a->order < b->order : a->preference < b->preference;
}

// Into its place behind what is equal; the last one falls off where there is no room.
static void insert_rule(struct control_rule *rules, unsigned *n, const struct control_rule *rule)
{
    unsigned at = *n;

    if (*n < CONTROL_RULES_MAX)
        (*n)++;
    else if (!rule_before(rule, &rules[--at]))
        return;
    for (; at > 0 && rule_before(rule, &rules[at - 1]); at--)
        rules[at] = rules[at - 1];
    rules[at] = *rule;
}

enum control_outcome control_answer_rules(const struct control_reply *reply, control_rule_wanted wanted,
                                          unsigned transports, struct control_rule rules[CONTROL_RULES_MAX],
                                          unsigned *n)
{
    struct ares_naptr_reply *records = NULL;
    int status = reply->status;

    *n = 0;
    if (status == ARES_SUCCESS)
        status = ares_parse_naptr_reply(reply->bytes, reply->len, &records);
    for (const struct ares_naptr_reply *at = records; at != NULL; at = at->next) {
        const char *text = "";
        struct control_rule rule = {at->order, at->preference, (uint8_t)wanted(at, transports, &text), ""};
        if (rule.kind == 0 || text[0] == 0 || strlen(text) > NAME_TEXT_MAX)
            continue;
        strcpy(rule.text, text);
        insert_rule(rules, n, &rule);
    }
    ares_free_data(records);
    enum control_outcome outcome = outcome_of(status);
    return outcome == CONTROL_FOUND && *n == 0 ? CONTROL_ABSENT : outcome;
}

// Host and port decide where priority and weight do not, so that the next answer, in another order, draws the same.
static bool target_before(const struct control_target *a, const struct control_target *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    if (a->weight != b->weight)
        return a->weight > b->weight;
    int hosts = strcmp(a->host, b->host);
    return hosts != 0 ? hosts < 0 : a->port < b->port;
}

static void insert_target(struct control_target *targets, unsigned *n, const struct control_target *target)
{
    unsigned at = *n;

    if (*n < NAME_HOPS_MAX)
        (*n)++;
    else if (!target_before(target, &targets[--at]))
        return;
    for (; at > 0 && target_before(target, &targets[at - 1]); at--)
        targets[at] = targets[at - 1];
    targets[at] = *target;
}

enum control_outcome control_answer_targets(const struct control_reply *reply,
                                            struct control_target targets[NAME_HOPS_MAX], unsigned *n)
{
    struct ares_srv_reply *records = NULL;
    int status = reply->status;

    *n = 0;
    if (status == ARES_SUCCESS)
        status = ares_parse_srv_reply(reply->bytes, reply->len, &records);
    if (status == ARES_SUCCESS && records == NULL)
        status = ARES_ENODATA;
    for (const struct ares_srv_reply *at = records; at != NULL; at = at->next) {
        struct control_target target = {"", at->port, at->priority, at->weight};
        if (at->port == 0 || at->host[0] == 0 || strcmp(at->host, ".") == 0 ||
            strlen(at->host) > NAME_TEXT_MAX)
            continue;
        for (char *to = target.host, *from = at->host; *from != 0;)
            *to++ = slice_lower(*from++);
        insert_target(targets, n, &target);
    }
    ares_free_data(records);
    return outcome_of(status);
}

enum control_outcome control_answer_addresses(const struct control_reply *reply, bool ip6,
                                              struct endpoint addresses[CONTROL_ADDRESSES_MAX], unsigned *n)
{
    struct ares_addrttl four[CONTROL_ADDRESSES_MAX];
    struct ares_addr6ttl six[CONTROL_ADDRESSES_MAX];
    int found = CONTROL_ADDRESSES_MAX;
    int status = reply->status;

    *n = 0;
    if (status == ARES_SUCCESS)
        status = ip6 ? ares_parse_aaaa_reply(reply->bytes, reply->len, NULL, six, &found)
                     : ares_parse_a_reply(reply->bytes, reply->len, NULL, four, &found);
    if (status != ARES_SUCCESS)
        return outcome_of(status);
    for (int i = 0; i < found; i++) {
        addresses[i] = (struct endpoint){.family = ip6 ? ENDPOINT_IP6 : ENDPOINT_IP4};
        memcpy(addresses[i].address, ip6 ? (const void *)&six[i].ip6addr : (const void *)&four[i].ipaddr,
               ip6 ? 16 : 4);
    }
    *n = (unsigned)found;
    return found > 0 ? CONTROL_FOUND : CONTROL_ABSENT;
}

// RFC 1035 4.1.1: the counts stand behind id and flags, the question behind the header of 12 bytes.
#define HEADER_BYTES   12
#define QUESTION_BYTES 4  // type, class
#define RECORD_BYTES   10 // type, class, ttl, length

static unsigned word16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

// Behind the name at `at`, or NULL when it has no end. A pointer ends it (RFC 1035 4.1.4).
static const unsigned char *skip_name(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        if (*at >= 0xc0)
            return end - at >= 2 ? at + 2 : NULL;
        if (*at == 0)
            return at + 1;
        at += 1 + *at;
    }
    return NULL;
}

// c-ares 1.18 tells the times to live of addresses alone.
uint32_t control_answer_ttl(const struct control_reply *reply, uint32_t ttl)
{
    const unsigned char *at = reply->bytes, *end = at + reply->len;

    if (reply->status != ARES_SUCCESS || reply->len < HEADER_BYTES)
        return ttl;
    unsigned questions = word16(at + 4), answers = word16(at + 6);
    for (at += HEADER_BYTES; questions > 0; questions--) {
        at = skip_name(at, end);
        if (at == NULL || end - at < QUESTION_BYTES)
            return ttl;
        at += QUESTION_BYTES;
    }
    for (; answers > 0; answers--) {
        at = skip_name(at, end);
        if (at == NULL || end - at < RECORD_BYTES)
            return ttl;
        uint32_t own = (uint32_t)word16(at + 4) << 16 | word16(at + 6);
        if (own > INT32_MAX) // RFC 2181 8
            own = 0;
        ttl = own < ttl ? own : ttl;
        unsigned bytes = word16(at + 8);
        at += RECORD_BYTES;
        if (end - at < (ptrdiff_t)bytes)
            return ttl;
        at += bytes;
    }
    return ttl;
}
