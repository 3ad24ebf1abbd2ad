// What name servers say: the input is an answer, read as each type that is asked for, and its rules are applied.
#include "../sip/fuzz.h"

#include <ares.h>
#include <string.h>

#include "control/dns_answer.h"
#include "control/dns_rewrite.h"

#define NUMBER "+441632960083" // RFC 6116 3.2

static unsigned wanted(const struct ares_naptr_reply *record, unsigned transports, const char **text)
{
    (void)transports;
    bool is_rule = record->regexp[0] != 0;

    *text = is_rule ? (const char *)record->regexp : record->replacement;
    return is_rule ? 2 : 1;
}

static void check_rules(const struct control_reply *reply)
{
    static struct control_rule rules[CONTROL_RULES_MAX];
    char result[NAME_TEXT_MAX];
    unsigned n;

    enum control_outcome outcome = control_answer_rules(reply, wanted, 0, rules, &n);
    FUZZ_CHECK(n <= CONTROL_RULES_MAX && (outcome == CONTROL_FOUND) == (n > 0));
    for (unsigned i = 0; i < n; i++) {
        FUZZ_CHECK(rules[i].text[0] != 0 && strnlen(rules[i].text, sizeof(rules[i].text)) <= NAME_TEXT_MAX);
        FUZZ_CHECK(i == 0 || rules[i - 1].order <= rules[i].order);
        if (rules[i].kind == 2)
            FUZZ_CHECK(control_rewrite(rules[i].text, NUMBER, result, sizeof(result)) <= (int)sizeof(result));
    }
}

static void check_targets(const struct control_reply *reply)
{
    static struct control_target targets[NAME_HOPS_MAX];
    unsigned n;

    enum control_outcome outcome = control_answer_targets(reply, targets, &n);
    FUZZ_CHECK(n <= NAME_HOPS_MAX && (n == 0 || outcome == CONTROL_FOUND));
    for (unsigned i = 0; i < n; i++) {
        FUZZ_CHECK(targets[i].port != 0 && targets[i].host[0] != 0);
        FUZZ_CHECK(strnlen(targets[i].host, sizeof(targets[i].host)) <= NAME_TEXT_MAX);
        FUZZ_CHECK(i == 0 || targets[i - 1].priority <= targets[i].priority);
    }
}

static void check_addresses(const struct control_reply *reply, bool ip6)
{
    struct endpoint addresses[CONTROL_ADDRESSES_MAX];
    unsigned n;

    enum control_outcome outcome = control_answer_addresses(reply, ip6, addresses, &n);
    FUZZ_CHECK(n <= CONTROL_ADDRESSES_MAX && (outcome == CONTROL_FOUND) == (n > 0));
    for (unsigned i = 0; i < n; i++)
        FUZZ_CHECK(addresses[i].family == (ip6 ? ENDPOINT_IP6 : ENDPOINT_IP4) && addresses[i].port == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct control_reply reply = {ARES_SUCCESS, bytes, (int)len};
    char regexp[NAME_TEXT_MAX + 1], result[40];

    if (len > UINT16_MAX)
        return 0;
    check_rules(&reply);
    check_targets(&reply);
    check_addresses(&reply, false);
    check_addresses(&reply, true);
    FUZZ_CHECK(control_answer_ttl(&reply, 60) <= 60);
    size_t text = len < NAME_TEXT_MAX ? len : NAME_TEXT_MAX;
    memcpy(regexp, bytes, text);
    regexp[text] = 0;
    FUZZ_CHECK(control_rewrite(regexp, NUMBER, result, sizeof(result)) <= (int)sizeof(result));
    return 0;
}
