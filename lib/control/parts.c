#include "control/parts.h"

#include <rte_cycles.h>
#include <time.h>

#include "call/call.h"
#include "control/log.h"
#include "control/telemetry.h"
#include "location/location.h"
#include "role/role.h"

void control_drop(void *owner, struct rte_mbuf *mbuf, enum drop reason)
{
    struct control *control = owner;

    control->counters.drops[reason]++;
    rte_pktmbuf_free(mbuf);
}

void control_inject(struct control *control, struct rte_mbuf *mbuf, struct worker *worker)
{
    if (rte_ring_enqueue(worker->inject, mbuf) != 0) {
        control_drop(control, mbuf, DROP_MAILBOX_FULL);
        return;
    }
    control->counters.injected++;
}

bool control_touch(void *owner, struct slice aor)
{
    struct control *control = owner;
    const struct location *location = control->setup.location;
    struct rte_mbuf *mbuf = location == NULL ? NULL : rte_pktmbuf_alloc(control->setup.pool);

    if (mbuf == NULL)
        return false;
    struct packet *packet = packet_of(mbuf);
    packet->errand = PACKET_TOUCH;
    packet->steered.aor = location_key(location, aor);
    if (rte_ring_enqueue(control->setup.workers[location_owner(location, packet->steered.aor)]->inject,
                         mbuf) == 0)
        return true;
    rte_pktmbuf_free(mbuf);
    return false;
}

// No next hop takes the datagram. Where its worker keeps it, it is a request that goes elsewhere now, and need not wait
// for silence (RFC 3261 16.9); others were too many for one hop, or are of nobody.
static void unsent(void *owner, struct rte_mbuf *mbuf, enum drop reason)
{
    struct control *control = owner;
    struct packet *packet = packet_of(mbuf);

    if (rte_mbuf_refcnt_read(mbuf) == 1 || (reason != DROP_RESOLVE_FAILED && reason != DROP_NO_ROUTE)) {
        control_drop(control, mbuf, reason);
        return;
    }
    control->counters.drops[reason]++;
    packet->errand = PACKET_UNSENT;
    if (rte_ring_enqueue(control->setup.workers[packet->arrival.worker]->inject, mbuf) != 0)
        rte_pktmbuf_free(mbuf);
}

static void release(void *owner, struct rte_mbuf *mbuf, uint16_t worker)
{
    struct control *control = owner;

    control_inject(control, mbuf, control->setup.workers[worker]);
}

static int ask(void *owner, const struct control_neighbour *neighbour)
{
    const struct control *control = owner;

    return control_mirror_ask(control->mirror, neighbour);
}

static void hear(void *owner, const struct control_neighbour *neighbour, bool ready)
{
    const struct control *control = owner;

    control_resolve_hear(control->resolve, neighbour, ready);
}

static const struct role_policy *policy_of(const struct control *control)
{
    return *control->setup.policy;
}

// A gateway's name leads to these addresses: what comes from them may be believed.
static void resolved(void *owner, unsigned gateway, const struct endpoint *endpoints, unsigned n)
{
    const struct control *control = owner;

    gateway_resolved(policy_of(control)->gateways, gateway, endpoints, n);
}

static const char *gateway_name(void *owner, uint16_t slot)
{
    const struct role_policy *policy = policy_of(owner);
    int gateway = gateway_of_slot(policy->gateways, slot);

    return gateway == CONF_NONE ? NULL : policy->conf->gateways[gateway].name;
}

static void published(void *owner, struct role_policy *policy, struct stream_tls *tls)
{
    struct control *control = owner;

    control_telemetry_pause();
    *control->setup.policy = policy;
    control->setup.conf = policy->conf;
    control_telemetry_resume();
    control_streams_renew(control, policy->conf, tls);
    if (control->dns != NULL && control_dns_names(control->dns, policy->conf) != 0)
        CONTROL_LOG(
            ERR,
            "the DNS servers stay as they were, or names are asked for only when they are needed: see above");
    if (control->cdr != NULL)
        (void)control_cdr_reload(control->cdr, policy->conf); // which says what is wrong
}

static int make_tables(struct control *control)
{
    const struct control_setup *setup = &control->setup;
    const struct conf *conf = setup->conf;
    struct control_mirror_setup mirror = {
        .hops = setup->hops,
        // Both families, each with as many routes that do not win, and the addresses.
        .candidates_max = 4 * conf->route_max + 1024,
        .memory = setup->memory,
        .news = hear,
        .owner = control};
    struct control_resolve_setup resolve = {.hops = setup->hops,
                                            .packets_max = conf->resolve_queue_max,
                                            .memory = setup->memory,
                                            .ask = ask,
                                            .release = release,
                                            .drop = unsent,
                                            .owner = control};

    int error = control_resolve_create(&control->resolve, &resolve);
    return error != 0 ? error : control_mirror_create(&control->mirror, &mirror);
}

static int make_dns(struct control *control)
{
    const struct control_setup *setup = &control->setup;
    struct control_dns_setup dns = {.conf = setup->conf,
                                    .base = control->base,
                                    .names = setup->names,
                                    .memory = setup->memory,
                                    .release = release,
                                    .drop = control_drop,
                                    .resolved = resolved,
                                    .owner = control};

    return control_dns_create(&control->dns, &dns);
}

// Lines are written where calls are followed; where that is only to know who has the fewest, records are given back.
static int make_cdr(struct control *control)
{
    const struct control_setup *setup = &control->setup;

    for (unsigned i = 0; i < setup->workers_n; i++) {
        control->calls[i] = setup->workers[i]->role->calls;
        if (control->calls[i] == NULL)
            return 0;
    }
    struct control_cdr_setup cdr = {.conf = setup->conf,
                                    .tables = control->calls,
                                    .tables_n = setup->workers_n,
                                    .gateway = gateway_name,
                                    .owner = control,
                                    .memory = setup->memory};
    return control_cdr_open(&control->cdr, &cdr);
}

static int make_reload(struct control *control)
{
    const struct control_setup *setup = &control->setup;

    struct control_reload_setup reload = {.path = setup->path,
                                          .policy = *setup->policy,
                                          .workers = setup->workers,
                                          .workers_n = setup->workers_n,
                                          .qsbr = setup->qsbr,
                                          .gateways = setup->gateways,
                                          .secret = setup->secret,
                                          .memory = setup->memory,
                                          .secure = control->streams != NULL ? stream_tls_create : NULL,
                                          .published = published,
                                          .owner = control};
    return control_reload_create(&control->reload, &reload);
}

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void control_tune_clocks(struct control *control)
{
    uint64_t monotonic = nanoseconds(CLOCK_MONOTONIC);
    uint64_t hz = control_tune_step(&control->tune, rte_rdtsc(), monotonic);
    uint64_t offset_s = (nanoseconds(CLOCK_REALTIME) - monotonic) / 1000000000;

    for (unsigned w = 0; w < control->setup.workers_n; w++) {
        struct worker *worker = control->setup.workers[w];
        if (hz != 0)
            atomic_store_explicit(&worker->tsc_hz, hz, memory_order_relaxed);
        atomic_store_explicit(&worker->unix_offset_s, offset_s, memory_order_relaxed);
    }
}

int control_parts_make(struct control *control)
{
    int error = make_tables(control);

    if (control->setup.policy != NULL) {
        if (error == 0)
            error = make_dns(control);
        if (error == 0)
            error = make_cdr(control);
        if (error == 0)
            error = control_streams_open(control);
        if (error == 0)
            error = make_reload(control);
    }
    if (error == 0)
        error = control_commands_open(&control->commands, control);
    if (error != 0)
        control_parts_unmake(control);
    return error;
}

void control_parts_unmake(struct control *control)
{
    control_commands_close(control->commands);
    control_reload_destroy(control->reload);
    control_streams_close(control);
    control_cdr_close(control->cdr);
    control_dns_destroy(control->dns);
    control_mirror_destroy(control->mirror);
    control_resolve_destroy(control->resolve);
}
