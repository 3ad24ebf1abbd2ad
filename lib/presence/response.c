// Answers to NOTIFYs of ours, and what the network says of them (RFC 6665 4.2.2, RFC 3261 17.1.3, 18.4).
#include "presence/list.h"
#include "role/branch.h"
#include "sip/cseq.h"

#define LATER_S 600 // until another NOTIFY is tried by a connection that seems to have gone

static struct subscription *find(struct presence *presence, const struct role_branch *branch)
{
    return subscription_at(presence->table, branch->slot & ~ROLE_BRANCH_NOTIFY, branch->transaction);
}

static void hear(struct role *role, struct subscription *subscription, uint32_t cseq, uint16_t status,
                 uint32_t retry_after_s, const struct clock *now)
{
    struct subscription_table *table = role->presence->table;
    bool current = subscription->notify != SUBSCRIPTION_IDLE && cseq == subscription->local_cseq;
    unsigned actions = subscription_notify_answer(table, subscription, cseq, status, retry_after_s, now->ms);
    bool list = subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST;

    if (list && current && presence_list_answered(subscription, status) &&
        subscription->state != SUBSCRIPTION_TERMINATED)
        actions |= subscription_ask(table, subscription, now->ms);

    presence_act(role, subscription, actions, now);
}

// RFC 3261 20.33: delta-seconds, perhaps with a comment and parameters behind them.
static uint32_t retry_after(const struct sip_message *message)
{
    struct cursor c = cursor_over(sip_message_first(message, SIP_HEADER_RETRY_AFTER));

    return (uint32_t)cursor_take_number(&c, UINT16_MAX);
}

// Nobody but the peer was told the 64 bits in the branch.
static enum drop take(struct role *role, const struct sip_message *message, const struct clock *now)
{
    struct slice via = sip_message_first(message, SIP_HEADER_VIA);
    struct role_branch branch;
    struct presence_asking asking;
    struct sip_cseq cseq;
    struct slice rest;

    if (via.at == NULL || sip_cseq_parse(sip_message_first(message, SIP_HEADER_CSEQ), &cseq) != SIP_OK)
        return DROP_RESPONSE_MALFORMED;
    if (!role_branch_find(via, &branch, &rest) || !role_branch_is_notify(branch.slot))
        return DROP_RESPONSE_NOT_OURS;
    struct subscription *subscription = find(role->presence, &branch);
    if (subscription == NULL)
        return DROP_RESPONSE_UNKNOWN;
    if (cseq.method != SIP_METHOD_NOTIFY || cseq.number != branch.loop)
        return DROP_RESPONSE_FORGED;
    subscription->mark[PRESENCE_MARK_HOP] &= (uint8_t)~PRESENCE_HOP_SILENT;
    if (message->status / 100 == 2 && presence_read_rates(message, &asking)) // RFC 6446 9.3
        presence_pace(role->conf, &asking, subscription, now);
    hear(role, subscription, branch.loop, message->status, retry_after(message), now);
    return DROP_RESPONSE_TO_NOTIFY;
}

void presence_response(struct role *role, const struct sip_message *message, enum sip_error parsed,
                       const struct arrival *arrival, struct verdict *verdict)
{
    enum drop drop = parsed != SIP_OK ? DROP_RESPONSE_MALFORMED : take(role, message, &arrival->now);

    *verdict = (struct verdict){.kind = VERDICT_DROP, .drop = (uint8_t)drop};
}

// A connection that has gone does not come back: its watcher subscribes again by another, and is told at once. The first
// time it may have been for want of room on the way to it.
static bool seems_gone(struct subscription *subscription, uint32_t cseq)
{
    uint8_t *hop = &subscription->mark[PRESENCE_MARK_HOP];
    bool again = *hop & PRESENCE_HOP_SILENT;

    if (subscription->to.flow == 0 || cseq != subscription->local_cseq)
        return false;
    *hop |= PRESENCE_HOP_SILENT;
    return again;
}

static bool give_back(struct role *role, const struct role_branch *branch, uint32_t retry_s,
                      const struct clock *now)
{
    struct subscription *subscription = find(role->presence, branch);

    if (subscription == NULL)
        return false;
    if (seems_gone(subscription, branch->loop))
        retry_s = LATER_S;
    if (!presence_shrink(role, subscription, branch->loop, now))
        hear(role, subscription, branch->loop, 503, retry_s, now);
    return true;
}

bool presence_unreachable(struct role *role, const struct role_branch *branch, const struct clock *now)
{
    return give_back(role, branch, 0, now);
}

// Mostly routes and neighbours are still to come, as when the server has just begun; to try costs the network nothing.
bool presence_unsent(struct role *role, const struct role_branch *branch, const struct endpoint *to,
                     const struct clock *now)
{
    return give_back(role, branch, endpoint_is_stream(to) ? 0 : (role->conf->t2_ms + 999) / 1000, now);
}
