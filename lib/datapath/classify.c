#include "datapath/datapath.h"
#include "datapath/stage.h"
#include "net/fragment.h"

static unsigned slot_of(const struct endpoint *endpoint)
{
    uint64_t low, high;

    memcpy(&low, endpoint->address, 8);
    memcpy(&high, endpoint->address + 8, 8);
    uint64_t mixed = (low ^ high ^ endpoint->port) * 0x9e3779b97f4a7c15u;
    return (unsigned)(mixed >> 56);
}

// Open addressing with at most CONF_LISTENERS_MAX entries in 256 slots, so a probe is short and always ends.
void datapath_listeners_build(const struct conf *conf, uint8_t table[DATAPATH_LISTENER_SLOTS])
{
    _Static_assert(CONF_LISTENERS_MAX < DATAPATH_LISTENER_SLOTS && CONF_LISTENERS_MAX < DATAPATH_NO_LISTENER,
                   "the table has room");
    memset(table, DATAPATH_NO_LISTENER, DATAPATH_LISTENER_SLOTS);
    for (unsigned i = 0; i < conf->listeners_n; i++) {
        if (conf->listeners[i].transport != ENDPOINT_UDP)
            continue;
        unsigned slot = slot_of(&conf->listeners[i].address);
        while (table[slot] != DATAPATH_NO_LISTENER)
            slot = (slot + 1) % DATAPATH_LISTENER_SLOTS;
        table[slot] = (uint8_t)i;
    }
}

unsigned datapath_listener_of(const struct worker *worker, const struct endpoint *destination)
{
    unsigned slot = slot_of(destination);

    while (worker->listener_table[slot] != DATAPATH_NO_LISTENER) {
        unsigned listener = worker->listener_table[slot];
        if (endpoint_equal(&worker->conf->listeners[listener].address, destination))
            return listener;
        slot = (slot + 1) % DATAPATH_LISTENER_SLOTS;
    }
    return DATAPATH_NO_LISTENER;
}

static bool listens_at_address(const struct worker *worker, const struct endpoint *destination)
{
    for (unsigned i = 0; i < worker->conf->listeners_n; i++) {
        const struct endpoint *address = &worker->conf->listeners[i].address;
        if (!endpoint_is_stream(address) && endpoint_same_address(address, destination))
            return true;
    }
    return false;
}

// An answer goes to the source, so a source that is no host would make this box send to a crowd or to nobody
// (RFC 1122 3.2.1.3).
static bool source_is_a_host(const struct endpoint *source)
{
    static const uint8_t zero[16];
    const uint8_t *a = source->address;

    if (source->port == 0 || memcmp(a, zero, sizeof(zero)) == 0)
        return false;
    return source->family == ENDPOINT_IP4 ? a[0] < 224 && a[0] != 0 : a[0] != 0xff;
}

// A fragment to one of our addresses waits for its siblings; the whole datagram is looked at afresh.
static struct rte_mbuf *join(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct packet *packet = packet_of(mbuf);
    uint16_t port = packet->port;

    if (!listens_at_address(worker, &packet->frame.destination)) {
        datapath_punt(worker, mbuf, PACKET_FRAME);
        return NULL;
    }
    mbuf = net_reassemble(worker->reassembly, mbuf, &packet->frame, worker->now_tsc);
    if (mbuf == NULL)
        return NULL;
    packet = packet_of(mbuf);
    packet->port = port;
    worker->counters.reassembled++;
    enum net_error error = net_decap(mbuf, &packet->frame);
    if (error != NET_OK || packet->frame.kind == NET_FRAGMENT) {
        // A fragment of a fragment is no datagram either.
        worker_drop(worker, mbuf, error == NET_OK ? DROP_IP_EXTENSION : (enum drop)error);
        return NULL;
    }
    return mbuf;
}

void datapath_classify(struct worker *worker, struct burst *burst)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < burst->n; i++) {
        struct rte_mbuf *mbuf = burst->mbuf[i];
        if (packet_of(mbuf)->frame.kind == NET_FRAGMENT) {
            mbuf = join(worker, mbuf);
            if (mbuf == NULL)
                continue;
        }
        struct packet *packet = packet_of(mbuf);
        struct net_frame *frame = &packet->frame;
        unsigned listener =
            frame->kind == NET_UDP ? datapath_listener_of(worker, &frame->destination) : DATAPATH_NO_LISTENER;
        if (listener == DATAPATH_NO_LISTENER) {
            if (frame->kind == NET_OTHER && datapath_icmp(worker, mbuf))
                continue;
            datapath_punt(worker, mbuf, PACKET_FRAME);
            continue;
        }
        if (!source_is_a_host(&frame->source)) {
            worker_drop(worker, mbuf, DROP_SOURCE);
            continue;
        }
        packet->parks = 0;
        packet->vlan = frame->has_vlan ? frame->vlan : 0;
        packet->vlan_outer = frame->vlan_outer;
        packet->arrival.source = frame->source;
        packet->arrival.destination = frame->destination;
        packet->arrival.listener = (uint8_t)listener;
        packet->arrival.nameless = false;
        burst->mbuf[kept++] = mbuf;
    }
    burst->n = (uint16_t)kept;
}
