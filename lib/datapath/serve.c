#include <rte_cycles.h>

#include "datapath/stage.h"
#include "location/location.h"
#include "role/presentity.h"
#include "service/service.h"
#include "sip/edit.h"
#include "subscription/subscription.h"
#include "worker/journal.h"

// Reading the clock around every message would cost a tenth of what it measures: one in so many stands for all.
// Odd, since requests and responses may alternate.
#define REWRITE_SAMPLE 7

static void count_arrival(struct counters *counters, const struct sip_message *message)
{
    if (message->kind == SIP_REQUEST)
        counters->requests[message->method]++;
    else
        counters->responses[message->status / 100 % COUNTERS_STATUS_CLASSES]++;
}

static void count_departure(struct counters *counters, const struct sip_message *message,
                            const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_REPLY)
        counters->replies[verdict->status / 100 % COUNTERS_STATUS_CLASSES]++;
    else if (message->kind == SIP_REQUEST)
        counters->forwarded_requests[message->method]++;
    else
        counters->forwarded_responses[message->status / 100 % COUNTERS_STATUS_CLASSES]++;
}

static void decide(struct worker *worker, const struct packet *packet, struct verdict *verdict)
{
    sip_edits_clear(worker->edits);
    service_serve(worker->role, &packet->message, packet->parsed, &packet->steered, &packet->arrival, verdict,
                  worker->edits);
}

// One message: decide, then rewrite. NULL when it goes no further. Adds the cycles of rewriting to `*rewriting` unless
// that is NULL.
static struct rte_mbuf *serve_one(struct worker *worker, struct rte_mbuf *mbuf, uint64_t *rewriting)
{
    struct packet *packet = packet_of(mbuf);
    struct verdict verdict;

    packet->arrival.now = worker->now;
    packet->arrival.worker = worker->id;
    decide(worker, packet, &verdict);
    if (verdict.kind == VERDICT_PARK) {
        if (datapath_park(worker, mbuf, &verdict)) // counted when it is back
            return NULL;
        packet->arrival.nameless = true;
        decide(worker, packet, &verdict);
    }
    count_arrival(&worker->counters, &packet->message);
    if (verdict.kind == VERDICT_DROP) {
        worker_drop(worker, mbuf, verdict.drop);
        return NULL;
    }
    packet->to = verdict.to;
    packet->listener = verdict.listener;
    if (!verdict.waits) // it may become another one
        count_departure(&worker->counters, &packet->message, &verdict);

    uint64_t before = rewriting != NULL ? rte_rdtsc() : 0;
    enum drop drop = datapath_rewrite(worker, &mbuf);
    if (rewriting != NULL)
        *rewriting += rte_rdtsc() - before;
    if (verdict.waits)
        journal_publish(worker->journal, drop == DROP_NONE ? mbuf : NULL);
    if (drop != DROP_NONE) {
        worker_drop(worker, mbuf, drop);
        return NULL;
    }
    if (verdict.waits)
        return NULL;
    if (verdict.keep != NULL)
        *verdict.keep = datapath_keep(worker, mbuf);
    return mbuf;
}

// steer asked for the bucket. Each of these needs what the one before has brought.
static void prefetch_published(const struct subscription_table *table, const struct burst *burst)
{
    static void (*const steps[])(const struct subscription_table *table, struct hash128 key) = {
        subscription_prefetch_presentity, subscription_prefetch_publication, subscription_prefetch_bodies};

    for (unsigned step = 0; step < sizeof(steps) / sizeof(*steps); step++) {
        for (unsigned i = 0; i < burst->n; i++) {
            const struct packet *packet = packet_of(burst->mbuf[i]);
            if (packet->message.method == SIP_METHOD_PUBLISH && packet->message.kind == SIP_REQUEST &&
                packet->steered.has_aor)
                steps[step](table, role_presentity_key(packet->steered.aor, ROLE_PACKAGE_PRESENCE));
        }
    }
}

void datapath_serve(struct worker *worker, struct burst *burst)
{
    unsigned kept = 0;
    uint64_t before = rte_rdtsc();
    uint64_t rewriting = 0;

    // steer prefetched the buckets; by now they are here, and name the records.
    for (unsigned i = 0; i < burst->n; i++) {
        struct packet *packet = packet_of(burst->mbuf[i]);
        if (packet->steered.has_transaction)
            transaction_prefetch_record(worker->role->transactions, packet->steered.transaction);
        if (packet->steered.slot != TRANSACTION_NONE)
            transaction_prefetch_buffers(worker->role->transactions, packet->steered.slot);
        if (!packet->steered.has_aor)
            continue;
        if (worker->role->subscriptions != NULL)
            datapath_prefetch_presentity(worker, packet);
        if (packet->message.method == SIP_METHOD_REGISTER)
            location_prefetch_put(worker->location, packet->steered.aor);
        else
            location_prefetch_record(worker->location, packet->steered.aor);
    }
    if (worker->role->subscriptions != NULL)
        prefetch_published(worker->role->subscriptions, burst);
    for (unsigned i = 0; i < burst->n; i++) {
        bool timed = i % REWRITE_SAMPLE == 0;
        struct rte_mbuf *mbuf = serve_one(worker, burst->mbuf[i], timed ? &rewriting : NULL);
        if (mbuf != NULL)
            burst->mbuf[kept++] = mbuf;
    }
    unsigned timed = (burst->n + REWRITE_SAMPLE - 1) / REWRITE_SAMPLE;
    rewriting = timed == 0 ? 0 : rewriting * burst->n / timed;
    counters_stage_add(&worker->counters.stage[STAGE_SERVE], rte_rdtsc() - before - rewriting, burst->n);
    counters_stage_add(&worker->counters.stage[STAGE_REWRITE], rewriting, kept);
    burst->n = (uint16_t)kept;
    datapath_outlet_flush(worker);
}
