#include "gateway/health.h"

static uint64_t read_count(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void gateway_report(const struct gateway_table *table, unsigned gateway, uint64_t now_ms,
                    struct gateway_report *report)
{
    const struct conf_gateways *group = gateway_group_of(table, gateway);
    const struct gateway_states *states = table->states;
    const struct gateway_slot *slot = &states->slots[table->slot_of[gateway]];
    struct gateway_condition condition = gateway_condition_of(slot, group, now_ms);
    int64_t calls = 0;

    *report = (struct gateway_report){
        .name = table->conf->gateways[gateway].name,
        .group = group->name,
        .health = condition.health,
        .since_ms = condition.since_ms,
        .share = (gateway_condition_share(condition, group, now_ms) * 100 + GATEWAY_SHARE_FULL / 2) /
                 GATEWAY_SHARE_FULL,
        .probes = read_count(&slot->probes),
        .probe_failures = read_count(&slot->probe_failures),
    };
    for (unsigned worker = 0; worker < states->workers; worker++) {
        const struct gateway_share *share =
            gateway_share_of(states, (uint16_t)worker, table->slot_of[gateway]);
        report->sent += read_count(&share->sent);
        report->good += read_count(&share->good);
        report->bad += read_count(&share->bad);
        report->over_bound += read_count(&share->over_bound);
        calls += atomic_load_explicit(&share->calls, memory_order_relaxed);
    }
    report->calls = calls > 0 ? (uint64_t)calls : 0; // of lines read at different moments
}
