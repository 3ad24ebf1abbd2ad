// health: whether a gateway is up, in one word: what it is, since when, and how many events in a row spoke against it.
//
// Time alone ends two conditions, so nobody has to write their end down: a reader makes it out. Internal to the room.
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include "gateway/states.h"

#define GATEWAY_SHARE_FULL  1024 // of its weight
#define GATEWAY_SHARE_FIRST 16   // that one gets which has just come back

struct gateway_condition {
    enum gateway_health health;
    unsigned row; // up or easing: failures in a row; down: answers in a row
    uint64_t since_ms;
};

// Two bits, 14, 48.
static inline uint64_t gateway_condition_pack(struct gateway_condition condition)
{
    return (uint64_t)condition.health | (uint64_t)condition.row << 2 | condition.since_ms << 16;
}

// As it is at `now_ms`, which may be a little before what another worker wrote.
static inline struct gateway_condition
gateway_condition_at(uint64_t packed, const struct conf_gateways *group, uint64_t now_ms)
{
    struct gateway_condition condition = {(enum gateway_health)(packed & 3), packed >> 2 & 0x3fff,
                                          packed >> 16};

    if (condition.health == GATEWAY_DOWN && group->probe_ms == 0 &&
        now_ms >= condition.since_ms + GATEWAY_HOLD_MS) {
        condition.health = GATEWAY_EASING;
        condition.since_ms += GATEWAY_HOLD_MS;
        condition.row = group->probe_down - 1u; // one more failure is enough
    }
    if (condition.health == GATEWAY_EASING && now_ms >= condition.since_ms + group->ease_in_ms) {
        condition.health = GATEWAY_UP;
        condition.since_ms += group->ease_in_ms;
    }
    return condition;
}

// Of GATEWAY_SHARE_FULL; 0: it is down.
static inline uint32_t gateway_condition_share(struct gateway_condition condition,
                                               const struct conf_gateways *group, uint64_t now_ms)
{
    if (condition.health != GATEWAY_EASING)
        return condition.health == GATEWAY_UP ? GATEWAY_SHARE_FULL : 0;
    // still easing: group->ease_in_ms is not 0
    uint64_t elapsed = now_ms > condition.since_ms ? now_ms - condition.since_ms : 0;
    uint64_t share = elapsed * GATEWAY_SHARE_FULL / group->ease_in_ms;
    return share > GATEWAY_SHARE_FIRST ? (uint32_t)share : GATEWAY_SHARE_FIRST;
}

static inline struct gateway_condition
gateway_condition_of(const struct gateway_slot *slot, const struct conf_gateways *group, uint64_t now_ms)
{
    return gateway_condition_at(atomic_load_explicit(&slot->health, memory_order_relaxed), group, now_ms);
}

#endif
