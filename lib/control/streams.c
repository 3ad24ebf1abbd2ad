#include "control/streams.h"

#include <errno.h>
#include <stdlib.h>

#include "control/log.h"
#include "control/parts.h"
#include "control/peer.h"

// This part of a ring is left to the kernel's frames, to answers, and to datagrams that have a MAC now.
#define RING_SHARE 4

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 32;
}

// All that comes from one connection goes the same way.
static struct worker *worker_for(const struct control *control, const struct endpoint *source)
{
    uint64_t low, high;

    memcpy(&low, source->address, sizeof(low));
    memcpy(&high, source->address + sizeof(low), sizeof(high));
    uint64_t hash = mix(mix(mix(0, low), high), (uint64_t)source->port << 8 | source->flow);
    return control->setup.workers[hash % control->setup.workers_n];
}

static bool deliver(void *owner, struct rte_mbuf *mbuf)
{
    struct control *control = owner;
    struct packet *packet = packet_of(mbuf);
    struct worker *worker = worker_for(control, &packet->arrival.source);

    if (rte_ring_free_count(worker->inject) <= rte_ring_get_capacity(worker->inject) / RING_SHARE)
        return false;
    packet->errand = PACKET_SERVE;
    packet->frame.payload = 0; // there are no headers in front
    packet->frame.payload_len = mbuf->data_len;
    packet->port = 0;
    packet->vlan = 0;
    packet->vlan_outer = 0;
    packet->parks = 0;
    packet->generation = PACKET_UNSTEERED; // whoever takes it finds its worker
    if (rte_ring_enqueue(worker->inject, mbuf) != 0)
        return false;
    control->counters.injected++;
    return true;
}

// The role hears of it, of a response as well: there may be another way for it (RFC 3261 18.2.2).
static void unsent(void *owner, struct rte_mbuf *mbuf, uint16_t worker)
{
    struct control *control = owner;

    control->counters.drops[DROP_STREAM_UNSENT]++;
    packet_of(mbuf)->errand = PACKET_UNSENT;
    if (rte_ring_enqueue(control->setup.workers[worker]->inject, mbuf) != 0)
        rte_pktmbuf_free(mbuf);
}

static void log_lines(char *text)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        CONTROL_LOG(ERR, "%s", line);
}

// What is wrong is in the log. Of what it only warns of, start-up has told before.
static struct stream_tls *secure_now(const struct conf *conf)
{
    char *said = NULL;
    size_t bytes;
    FILE *errors = open_memstream(&said, &bytes);

    if (errors == NULL)
        return NULL;
    struct stream_tls *tls = stream_tls_create(conf, errors);
    fclose(errors);
    if (tls == NULL)
        log_lines(said);
    free(said);
    return tls;
}

int control_streams_open(struct control *control)
{
    const struct control_setup *setup = &control->setup;

    if (!conf_has_streams(setup->conf))
        return 0;
    struct stream_tls *tls = secure_now(setup->conf);
    if (tls == NULL)
        return -EINVAL;
    struct stream_setup stream = {.base = control->base,
                                  .conf = setup->conf,
                                  .tls = tls,
                                  .pool = setup->pool,
                                  .large = setup->large,
                                  .memory = setup->memory,
                                  .deliver = deliver,
                                  .unsent = unsent,
                                  .identify = control_peer_identify,
                                  .expect = control_peer_expect,
                                  .owner = control};
    return stream_create(&control->streams, &stream);
}

void control_streams_close(struct control *control)
{
    stream_destroy(control->streams);
    control->streams = NULL;
}

void control_streams_renew(struct control *control, const struct conf *conf, struct stream_tls *tls)
{
    if (control->streams != NULL)
        stream_renew(control->streams, conf, tls);
}

void control_streams_send(struct control *control, struct rte_mbuf *mbuf, uint16_t worker)
{
    if (control->streams != NULL)
        stream_send(control->streams, mbuf, worker, control->now_ms);
    else
        unsent(control, mbuf, worker);
}

bool control_streams_turn(struct control *control)
{
    return control->streams != NULL && stream_turn(control->streams, control->now_ms) > 0;
}
