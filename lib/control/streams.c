#include "control/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "control/log.h"
#include "control/parts.h"
#include "control/peer.h"

#define OTHER_FILES 256 // twins, sockets of control, the store, DPDK's own
#define RING_SHARE \
    4 // a part of the ring that others need: the kernel's frames, answers, datagrams with a MAC now

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
    packet->generation = (*control->setup.policy)->generation - 1; // whoever takes it finds its worker
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

struct stream_tls *control_streams_secure(const struct conf *conf, FILE *errors)
{
    return stream_tls_create(conf, errors);
}

// The same with its faults in the log.
static struct stream_tls *secure_now(const struct conf *conf)
{
    char *said = NULL;
    size_t bytes;
    FILE *errors = open_memstream(&said, &bytes);

    if (errors == NULL)
        return NULL;
    struct stream_tls *tls = control_streams_secure(conf, errors);
    fclose(errors);
    log_lines(said);
    free(said);
    return tls;
}

// As many files as may be open are allowed to be, and whether these are enough is told.
static void allow_files(const struct conf *conf)
{
    rlim_t wanted = (rlim_t)conf->connections_max + OTHER_FILES;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
        return;
    files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < wanted)
        CONTROL_LOG(
            WARNING,
            "connections_max = %u of [stream], but only %llu files may be open: raise that limit (ulimit -n, "
            "LimitNOFILE= of systemd), or lower connections_max",
            conf->connections_max, (unsigned long long)files.rlim_cur);
}

int control_streams_open(struct control *control)
{
    const struct control_setup *setup = &control->setup;

    if (!conf_has_streams(setup->conf))
        return 0;
    allow_files(setup->conf);
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
