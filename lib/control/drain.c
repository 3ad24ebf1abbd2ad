#include "control/drain.h"

#include <errno.h>
#include <stdio.h>

#include "call/call.h"
#include "conf/host.h"
#include "control/log.h"
#include "control/loop.h"

static void publish(struct control *control, const struct service_drain *order)
{
    for (unsigned w = 0; w < control->setup.workers_n; w++)
        atomic_store_explicit(&control->setup.workers[w]->drain, order, memory_order_release);
    control->drain.token = rte_rcu_qsbr_start(control->setup.qsbr);
}

// Every worker is past the turn in which the last change came.
static bool has_settled(const struct control *control)
{
    return control->drain.token == 0 ||
           rte_rcu_qsbr_check(control->setup.qsbr, control->drain.token, false) == 1;
}

static bool write_peer(struct slice peer, struct service_drain *order)
{
    char host[CONF_HOST_MAX], text[SERVICE_DRAIN_PEER_MAX + 1];
    uint16_t port;
    uint32_t len = conf_hop_read(peer, host, &port);

    if (len == 0)
        return false;
    int n = port == 0 ? snprintf(text, sizeof(text), "%.*s", (int)len, host)
                      : snprintf(text, sizeof(text), "%.*s:%u", (int)len, host, port);
    memcpy(order->peer, text, (size_t)n);
    order->peer_len = (uint16_t)n;
    return true;
}

int control_drain_begin(struct control *control, struct slice peer, uint64_t seconds)
{
    struct control_drain *drain = &control->drain;
    struct service_drain *order = &drain->orders[!drain->order];

    if (!has_settled(control))
        return -EAGAIN;
    order->peer_len = 0;
    if (peer.len > 0 && !write_peer(peer, order))
        return -EINVAL;
    drain->order = !drain->order;
    drain->since_ms = drain->on ? drain->since_ms : control->now_ms;
    drain->deadline_ms = seconds == 0 ? 0 : control->now_ms + seconds * 1000;
    drain->on = true;
    publish(control, order);
    CONTROL_LOG(NOTICE, "draining: what is new gets %s; ends when nothing is in progress%s",
                order->peer_len > 0 ? "302" : "503", seconds > 0 ? ", or at the deadline" : "");
    return 0;
}

void control_drain_end(struct control *control)
{
    if (!control->drain.on)
        return;
    control->drain.on = false;
    publish(control, NULL);
    CONTROL_LOG(NOTICE, "not draining any more");
}

void control_drain_usage(const struct control *control, struct control_drain_usage *usage)
{
    *usage = (struct control_drain_usage){0};
    for (unsigned w = 0; w < control->setup.workers_n; w++) {
        const struct role *role = control->setup.workers[w]->role;
        struct transaction_usage transactions;
        struct call_usage calls;
        if (role != NULL && role->transactions != NULL) {
            transaction_usage(role->transactions, &transactions);
            usage->transactions += transactions.records;
            usage->transactions_max += transactions.records_max;
        }
        if (role != NULL && role->calls != NULL) {
            call_usage(role->calls, &calls);
            usage->calls += calls.calls;
        }
    }
}

void control_drain_tick(struct control *control)
{
    const struct control_drain *drain = &control->drain;
    struct control_drain_usage usage;

    if (!drain->on)
        return;
    bool late = drain->deadline_ms != 0 && control->now_ms >= drain->deadline_ms;
    control_drain_usage(control, &usage);
    if (!late && (usage.transactions + usage.calls > 0 || !has_settled(control)))
        return;
    CONTROL_LOG(NOTICE, "drained: stopping with %llu transactions and %llu calls%s",
                (unsigned long long)usage.transactions, (unsigned long long)usage.calls,
                late ? ", at the deadline" : "");
    if (control->setup.stop != NULL)
        control->setup.stop(control->setup.owner);
    control_stop(control);
}
