#include "control/dns.h"

#include <errno.h>

#include "control/dns_lookup.h"
#include "worker/packet.h"
#include "worker/parked.h"

#define WATCHED_LOOKUPS_MAX (CONTROL_LOOKUPS_MAX / 2)
#define AGAIN_MS            1000  // after a lookup of the configuration could not begin
#define GIVEN_UP_MS         60000 // no lookup lasts longer; then it may begin anew

// Its sender may have been told already that it is tried, and would wait in vain for what was dropped.
static void refuse(struct control_dns *dns, struct rte_mbuf *mbuf, uint16_t worker)
{
    struct packet *packet = packet_of(mbuf);

    control_dns_count(&dns->counters.refused, 1);
    packet->errand = PACKET_SERVE;
    packet->arrival.nameless = true;
    dns->setup.release(dns->setup.owner, mbuf, worker);
}

void control_dns_park(struct control_dns *dns, struct rte_mbuf *mbuf, uint16_t worker, uint64_t now_ms)
{
    struct parked parked;

    dns->now_ms = now_ms;
    packet_park_read(mbuf, &parked);
    const struct name_question question = {parked.name, parked.port, parked.kind, parked.transport};
    if (name_find(dns->setup.names, &question, now_ms) != NULL) { // it came while this was on the ring
        packet_of(mbuf)->errand = PACKET_SERVE;
        dns->setup.release(dns->setup.owner, mbuf, worker);
        return;
    }
    struct control_lookup *lookup = control_lookup_find(dns, &question);
    bool begins = lookup == NULL;
    if (begins)
        lookup = control_lookup_take(dns, &question);
    if (lookup == NULL) {
        refuse(dns, mbuf, worker);
        return;
    }
    if (control_park_put(dns->park, &lookup->parked, mbuf, worker))
        control_dns_count(&dns->counters.parked_total, 1);
    else
        refuse(dns, mbuf, worker);
    if (begins) // even for nobody: the next one will find it
        control_lookup_begin(lookup);
}

// A lookup of the configuration's name begins, when others leave room and none is on its way.
static void renew(struct control_dns *dns, struct control_watched *watched)
{
    bool room = dns->counters.on_their_way < WATCHED_LOOKUPS_MAX;
    struct control_lookup *lookup = NULL;

    watched->due_ms = dns->now_ms + AGAIN_MS;
    if (room && control_lookup_find(dns, &watched->question) == NULL)
        lookup = control_lookup_take(dns, &watched->question);
    if (lookup == NULL)
        return;
    watched->due_ms = dns->now_ms + GIVEN_UP_MS; // until the answer says when
    control_lookup_begin(lookup);
}

static int open_channel(struct control_dns *dns, const struct conf *conf)
{
    const struct control_dns_channel_setup setup = {.base = dns->setup.base,
                                                    .servers = conf->dns_servers,
                                                    .servers_n = conf->dns_servers_n,
                                                    .timeout_ms = conf->dns_timeout_ms,
                                                    .tries = conf->dns_tries};

    return control_dns_channel_create(&dns->channel, &setup);
}

static void close_before(struct control_dns *dns)
{
    struct control_dns_channel *before = dns->before;

    dns->before = NULL;
    control_dns_channel_destroy(before);
}

void control_dns_tick(struct control_dns *dns, uint64_t now_ms)
{
    struct control_lookup *next;

    dns->now_ms = now_ms;
    name_expire(dns->setup.names, now_ms);
    for (struct control_lookup *lookup = dns->active; lookup != NULL; lookup = next) {
        next = lookup->next;
        if (lookup->ended)
            (void)control_lookup_settle(dns, lookup);
    }
    if (dns->before != NULL && now_ms >= dns->before_until_ms)
        close_before(dns);
    for (unsigned i = 0; i < dns->watch.n; i++) {
        if (dns->watch.names[i].due_ms <= now_ms)
            renew(dns, &dns->watch.names[i]);
    }
}

int control_dns_names(struct control_dns *dns, const struct conf *conf)
{
    struct control_dns_channel *channel = dns->channel;

    dns->conf = conf;
    int error = control_watch_set(&dns->watch, conf);
    int channel_error = open_channel(dns, conf);
    if (channel_error == 0) { // what was asked by the old one is still answered by it
        close_before(dns);
        dns->before = channel;
        dns->before_until_ms = dns->now_ms + GIVEN_UP_MS;
    }
    return error != 0 ? error : channel_error;
}

// The families and transports that some listener has; the first listener's family comes first.
static void set_families(struct control_dns *dns)
{
    const struct conf *conf = dns->conf;

    dns->ip6[0] = conf->listeners_n > 0 && conf->listeners[0].address.family == ENDPOINT_IP6;
    dns->ip6[1] = !dns->ip6[0];
    for (unsigned i = 0; i < conf->listeners_n; i++) {
        bool ip6 = conf->listeners[i].address.family == ENDPOINT_IP6;
        dns->transports[ip6 != dns->ip6[0]] |= 1u << conf->listeners[i].transport;
    }
}

static size_t lookup_bytes(void)
{
    return CONTROL_LOOKUPS_MAX * sizeof(struct control_lookup);
}

int control_dns_create(struct control_dns **created, const struct control_dns_setup *setup)
{
    const struct memory *memory = setup->memory;
    int error = -ENOMEM;

    struct control_dns *dns = memory->take(memory->owner, sizeof(*dns), MEMORY_ANY_NODE);
    if (dns == NULL)
        return error;
    dns->setup = *setup;
    dns->conf = setup->conf;
    dns->watch.memory = memory;
    set_families(dns);
    dns->lookups = memory->take(memory->owner, lookup_bytes(), MEMORY_ANY_NODE);
    if (dns->lookups == NULL)
        goto undo_dns;
    for (unsigned i = CONTROL_LOOKUPS_MAX; i-- > 0;) {
        dns->lookups[i].next = dns->free;
        dns->free = &dns->lookups[i];
    }
    error = control_park_create(&dns->park, setup->conf->parked_max, memory);
    if (error != 0)
        goto undo_lookups;
    error = control_watch_set(&dns->watch, setup->conf);
    if (error != 0)
        goto undo_park;
    error = open_channel(dns, setup->conf);
    if (error != 0)
        goto undo_watch;
    *created = dns;
    return 0;

undo_watch:
    control_watch_clear(&dns->watch);
undo_park:
    control_park_destroy(dns->park);
undo_lookups:
    memory->give(memory->owner, dns->lookups, lookup_bytes());
undo_dns:
    memory->give(memory->owner, dns, sizeof(*dns));
    return error;
}

void control_dns_destroy(struct control_dns *dns)
{
    struct rte_mbuf *mbuf;
    uint16_t worker;

    if (dns == NULL)
        return;
    const struct memory *memory = dns->setup.memory;
    dns->closing = true;
    close_before(dns);
    control_dns_channel_destroy(dns->channel);
    for (struct control_lookup *lookup = dns->active; lookup != NULL; lookup = lookup->next) {
        while ((mbuf = control_park_take(dns->park, &lookup->parked, &worker)) != NULL)
            dns->setup.drop(dns->setup.owner, mbuf, DROP_STOPPING);
    }
    control_watch_clear(&dns->watch);
    control_park_destroy(dns->park);
    memory->give(memory->owner, dns->lookups, lookup_bytes());
    memory->give(memory->owner, dns, sizeof(*dns));
}

void control_dns_counters(const struct control_dns *dns, struct control_dns_counters *counters)
{
    *counters = dns->counters;
    counters->parked = control_park_waiting(dns->park);
    counters->parked_high = control_park_high(dns->park);
}
