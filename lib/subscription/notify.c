// The machine of a subscription: the notifier's side of RFC 6665 4.2, and its NOTIFY as a client transaction that is no
// INVITE (RFC 3261 17.1.2), with RFC 6446's bounds on how often.
#include "subscription/table.h"

#define RETRY_MAX_MS 3600000 // Retry-After beyond this is not believed

static struct subscription_presentity *presentity_of(struct subscription_table *table,
                                                     const struct subscription *subscription)
{
    return &table->presentities[subscription->presentity];
}

// Documents reach it.
static bool follows(const struct subscription *subscription)
{
    return subscription->state == SUBSCRIPTION_ACTIVE && !subscription->blind;
}

static bool has_news(const struct subscription_presentity *presentity,
                     const struct subscription *subscription)
{
    if (subscription->held)
        return false;
    if (subscription->wanted || subscription->told != subscription->state)
        return true;
    return follows(subscription) && !subscription->any && presentity->tag != 0 &&
           presentity->tag != subscription->has;
}

static void state_put(struct subscription_table *table, struct subscription *subscription,
                      enum subscription_state state, enum subscription_reason reason)
{
    int pending = (state == SUBSCRIPTION_PENDING) - (subscription->state == SUBSCRIPTION_PENDING);

    subscription_count(&table->counts.pending, pending);
    subscription->state = (uint8_t)state;
    subscription->reason = (uint8_t)reason;
    subscription->wanted = true;
}

// What can be done now. Nothing while a NOTIFY is under way: its end leads here again.
static unsigned possible(struct subscription_table *table, struct subscription *subscription, uint64_t now_ms)
{
    struct subscription_presentity *presentity = presentity_of(table, subscription);

    if (subscription->over)
        return SUBSCRIPTION_REMOVE;
    if (subscription->notify != SUBSCRIPTION_IDLE || !has_news(presentity, subscription))
        return 0;
    if (presentity->touched) {
        presentity->waited = true;
        return 0;
    }
    // RFC 6446 5.2: not what a SUBSCRIBE, a grant or the end ask for.
    if (!subscription->wanted && subscription->next_at != 0 &&
        !subscription_is_due(subscription->next_at, now_ms))
        return 0;
    return SUBSCRIPTION_SEND;
}

// When it runs out. One that is held has the time that its SUBSCRIBE's transaction may take on top.
static uint64_t dies_ms(const struct subscription_table *table, const struct subscription *subscription)
{
    if (subscription->held)
        return subscription->expires_ms + 64 * (uint64_t)table->timers.t1_ms;
    return subscription->state != SUBSCRIPTION_TERMINATED ? subscription->expires_ms : UINT64_MAX;
}

static uint64_t sooner(uint64_t at_ms, uint32_t deadline, uint64_t now_ms)
{
    uint64_t deadline_ms = deadline != 0 ? subscription_deadline_ms(deadline, now_ms) : UINT64_MAX;

    return deadline_ms < at_ms ? deadline_ms : at_ms;
}

// When it is to be looked at next, whatever happens until then.
static uint64_t next_look(struct subscription_table *table, const struct subscription *subscription,
                          unsigned actions, uint64_t now_ms)
{
    uint64_t at_ms = dies_ms(table, subscription);

    // What is not done is said again. Mostly a NOTIFY goes out now, and this is where its Timer E wants it.
    if ((actions & (SUBSCRIPTION_SEND | SUBSCRIPTION_REMOVE)) != 0)
        return now_ms + table->timers.t1_ms;
    if (subscription->notify != SUBSCRIPTION_IDLE)
        return sooner(sooner(at_ms, subscription->ends_at, now_ms), subscription->retransmit_at, now_ms);
    if (subscription->state != SUBSCRIPTION_TERMINATED)
        at_ms = sooner(at_ms, subscription->quiet_at, now_ms);
    if (has_news(presentity_of(table, subscription), subscription))
        at_ms = sooner(at_ms, subscription->next_at, now_ms);
    return at_ms;
}

// Ends each event.
static unsigned settle(struct subscription_table *table, struct subscription *subscription, unsigned actions,
                       uint64_t now_ms)
{
    actions |= possible(table, subscription, now_ms);
    uint64_t at_ms = next_look(table, subscription, actions, now_ms);

    // What has passed is looked at in the next tick, never in this turn.
    if (at_ms != UINT64_MAX)
        subscription_expect(table, subscription_slot(table, subscription), &subscription->wheel_at,
                            at_ms > now_ms ? at_ms : now_ms + 1);
    return actions;
}

static unsigned give_up(struct subscription *subscription)
{
    subscription->over = true;
    return SUBSCRIPTION_FAILED | SUBSCRIPTION_REMOVE;
}

void subscription_notify_drop(struct subscription_table *table, struct subscription *subscription)
{
    subscription_block_drop(table, subscription->body);
    subscription->body = 0;
    subscription->notify = SUBSCRIPTION_IDLE;
    subscription->retransmit_at = subscription->ends_at = 0;
}

// Events.

void subscription_refresh(struct subscription_table *table, struct subscription *subscription,
                          uint64_t expires_ms, uint64_t now_ms)
{
    if (subscription->state == SUBSCRIPTION_TERMINATED)
        return;
    subscription->expires_ms = expires_ms;
    subscription->any = subscription->bodyless = false;
    // Only the place on the wheel: whatever else is due is said when it is looked at.
    subscription_expect(table, subscription_slot(table, subscription), &subscription->wheel_at,
                        expires_ms > now_ms ? expires_ms : now_ms + 1);
}

unsigned subscription_ask(struct subscription_table *table, struct subscription *subscription,
                          uint64_t now_ms)
{
    subscription->held = false;
    subscription->wanted = true;
    if (subscription->expires_ms <= now_ms && subscription->state != SUBSCRIPTION_TERMINATED)
        state_put(table, subscription, SUBSCRIPTION_TERMINATED, SUBSCRIPTION_TIMEOUT);
    return settle(table, subscription, 0, now_ms);
}

void subscription_suppress(struct subscription *subscription, uint64_t tag, bool any)
{
    subscription->any = any;
    subscription->has = tag;
    subscription->bodyless = true;
}

void subscription_notify_abandon(struct subscription_table *table, struct subscription *subscription,
                                 uint64_t now_ms)
{
    if (subscription->notify == SUBSCRIPTION_IDLE)
        return;
    subscription_notify_drop(table, subscription);
    subscription->next_at = 0;
    subscription_expect(table, subscription_slot(table, subscription), &subscription->wheel_at, now_ms + 1);
}

static uint32_t after(uint64_t now_ms, uint32_t ms)
{
    return ms > 0 ? subscription_deadline(now_ms, ms) : 0;
}

void subscription_pace(struct subscription *subscription, uint32_t min_ms, uint32_t quiet_ms, uint64_t now_ms)
{
    subscription->min_ms = min_ms;
    subscription->quiet_ms = quiet_ms;
    subscription->next_at = after(now_ms, min_ms);
    subscription->quiet_at = after(now_ms, quiet_ms);
}

unsigned subscription_state_set(struct subscription_table *table, struct subscription *subscription,
                                enum subscription_state state, enum subscription_reason reason,
                                uint64_t now_ms)
{
    if (subscription->state == state || subscription->state == SUBSCRIPTION_TERMINATED)
        return 0;
    state_put(table, subscription, state, reason);
    return settle(table, subscription, 0, now_ms);
}

// RFC 3261 17.1.2: Timer E, but over a stream, and Timer F.
static void start_timers(const struct subscription_table *table, struct subscription *subscription,
                         uint64_t now_ms)
{
    uint32_t t1 = table->timers.t1_ms;

    subscription->stream = endpoint_is_stream(&subscription->to);
    subscription->interval = t1;
    subscription->retransmit_at = subscription->stream ? 0 : subscription_deadline(now_ms, t1);
    subscription->ends_at = subscription_deadline(now_ms, 64 * t1);
}

void subscription_notify_begin(struct subscription_table *table, struct subscription *subscription,
                               uint32_t body, uint64_t now_ms)
{
    if (body != 0 &&
        subscription_block_at(table, body)->holder >> SUBSCRIPTION_SLOT_BITS != SUBSCRIPTION_HELD_ALONE)
        subscription_block_hold(table, body);
    subscription->body = body;
    subscription->local_cseq++;
    subscription->notify = SUBSCRIPTION_TRYING;
    subscription->telling = subscription->state;
    subscription->sending = follows(subscription) ? presentity_of(table, subscription)->tag : 0;
    subscription->wanted = false;
    subscription->bodyless = subscription->bodyless && body == 0;
    start_timers(table, subscription, now_ms);
    subscription_pace(subscription, subscription->min_ms, subscription->quiet_ms, now_ms);
    subscription_count(&table->counts.notified, 1);
    settle(table, subscription, 0, now_ms);
}

void subscription_notify_by_stream(struct subscription *subscription)
{
    subscription->retransmit_at = 0;
    subscription->stream = true;
}

unsigned subscription_notify_by_datagram(struct subscription_table *table, struct subscription *subscription,
                                         uint64_t now_ms)
{
    start_timers(table, subscription, now_ms);
    return settle(table, subscription, SUBSCRIPTION_RESEND, now_ms);
}

// RFC 6665 4.2.2; 408 is as good as Timer F.
static bool ends_usage(uint16_t status)
{
    switch (status) {
    case 404:
    case 405:
    case 408:
    case 410:
    case 416:
    case 489:
    case 501:
    case 604:
        return true;
    default:
        return status >= 480 && status <= 485;
    }
}

static unsigned failed(struct subscription_table *table, struct subscription *subscription, uint16_t status,
                       uint32_t retry_after_s, uint64_t now_ms)
{
    uint64_t after_ms =
        retry_after_s > 0 ? (uint64_t)retry_after_s * 1000 : 64 * (uint64_t)table->timers.t1_ms;

    subscription_count(&table->counts.failed, 1);
    if (subscription->telling == SUBSCRIPTION_TERMINATED || ends_usage(status))
        return give_up(subscription);
    // RFC 6665 4.2.2: a failure is no reason to send at once.
    after_ms = after_ms < RETRY_MAX_MS ? after_ms : RETRY_MAX_MS;
    after_ms = after_ms > subscription->min_ms ? after_ms : subscription->min_ms;
    subscription->next_at = subscription_deadline(now_ms, (uint32_t)after_ms);
    return 0;
}

unsigned subscription_notify_answer(struct subscription_table *table, struct subscription *subscription,
                                    uint32_t cseq, uint16_t status, uint32_t retry_after_s, uint64_t now_ms)
{
    unsigned actions = 0;

    if (subscription->notify == SUBSCRIPTION_IDLE || cseq != subscription->local_cseq)
        return 0;
    if (status < 200) {
        subscription->notify = SUBSCRIPTION_PROCEEDING;
        return 0;
    }
    subscription_notify_drop(table, subscription);
    if (status < 300) {
        subscription_count(&table->counts.answered, 1);
        subscription->told = subscription->telling;
        if (subscription->telling != SUBSCRIPTION_PENDING) // which says nothing of what the watcher has
            subscription->has = subscription->sending;
        subscription->over = subscription->telling == SUBSCRIPTION_TERMINATED;
    } else {
        actions = failed(table, subscription, status, retry_after_s, now_ms);
    }
    return settle(table, subscription, actions, now_ms);
}

static unsigned retransmit(struct subscription_table *table, struct subscription *subscription,
                           uint64_t now_ms)
{
    uint32_t t2 = table->timers.t2_ms;

    if (!subscription_is_due(subscription->retransmit_at, now_ms))
        return 0;
    if (subscription->notify == SUBSCRIPTION_PROCEEDING) // RFC 3261 17.1.2.2
        subscription->interval = t2;
    else
        subscription->interval = subscription->interval < t2 / 2 ? 2 * subscription->interval : t2;
    subscription->retransmit_at = subscription_deadline(now_ms, subscription->interval);
    subscription_count(&table->counts.resent, 1);
    return SUBSCRIPTION_RESEND;
}

static unsigned expire(struct subscription_table *table, struct subscription *subscription)
{
    unsigned actions = 0;

    if (subscription->state != SUBSCRIPTION_TERMINATED) {
        state_put(table, subscription, SUBSCRIPTION_TERMINATED, SUBSCRIPTION_TIMEOUT);
        actions = SUBSCRIPTION_EXPIRED;
    }
    // Nobody was told that it began, so nobody is told that it ends.
    subscription->over |= subscription->held && subscription->told == 0;
    subscription->held = false;
    return actions;
}

unsigned subscription_step(struct subscription_table *table, struct subscription *subscription,
                           uint64_t now_ms)
{
    unsigned actions = 0;

    if (subscription->notify != SUBSCRIPTION_IDLE) {
        if (subscription_is_due(subscription->ends_at, now_ms)) {
            subscription_notify_drop(table, subscription);
            subscription_count(&table->counts.failed, 1);
            actions |= give_up(subscription);
        } else {
            actions |= retransmit(table, subscription, now_ms);
        }
    }
    if (dies_ms(table, subscription) <= now_ms)
        actions |= expire(table, subscription);
    if (subscription->notify == SUBSCRIPTION_IDLE && subscription_is_due(subscription->quiet_at, now_ms) &&
        subscription->state != SUBSCRIPTION_TERMINATED) {
        // RFC 5839 6.3, RFC 6446 6.2: no reminder of what a condition suppresses
        subscription->wanted |=
            !subscription_is_bodyless(subscription, presentity_of(table, subscription)->tag);
        subscription->quiet_at = 0;
    }
    return settle(table, subscription, actions, now_ms);
}
