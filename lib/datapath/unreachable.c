// What the network says of requests that did not arrive (RFC 3261 16.9, 18.4).
#include "datapath/stage.h"
#include "net/icmp.h"
#include "role/branch.h"
#include "service/service.h"

void datapath_unreachable(struct worker *worker, struct rte_mbuf *mbuf)
{
    const struct net_frame *frame = &packet_of(mbuf)->frame;
    struct slice quoted =
        slice_of(rte_pktmbuf_mtod_offset(mbuf, const char *, frame->payload), frame->payload_len);

    if (service_unreachable(worker->role, quoted, &worker->now))
        worker->counters.unreachable++;
}

bool datapath_icmp(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct net_frame *frame = &packet_of(mbuf)->frame;
    struct net_icmp_quote quote;
    struct role_branch branch;
    struct slice rest;

    // It came to where the datagram had left from, and that is a listener.
    if (!net_icmp_error(mbuf, frame, &quote) || !endpoint_same_address(&frame->destination, &quote.source) ||
        datapath_listener_of(worker, &quote.source) == DATAPATH_NO_LISTENER)
        return false;
    struct slice quoted =
        slice_of(rte_pktmbuf_mtod_offset(mbuf, const char *, quote.payload), quote.payload_len);
    // Whoever made it up needs the check in the branch as well, which service_unreachable looks at.
    if (!role_branch_find(quoted, &branch, &rest) || branch.worker >= worker->workers_n)
        return false;
    frame->payload = quote.payload;
    frame->payload_len = quote.payload_len;
    if (branch.worker != worker->id) {
        datapath_hand_over(worker, branch.worker, mbuf, PACKET_UNREACHABLE);
        return true;
    }
    datapath_unreachable(worker, mbuf);
    return false;
}

// Whoever waits for an answer keeps the message, but for a NOTIFY, which is written anew each time that it leaves.
static bool is_awaited(const struct rte_mbuf *mbuf)
{
    struct slice bytes = slice_of(rte_pktmbuf_mtod(mbuf, const char *), mbuf->data_len);
    struct role_branch branch;
    struct slice rest;

    return rte_mbuf_refcnt_read(mbuf) > 1 ||
           (slice_starts(bytes, SLICE("NOTIFY ")) && role_branch_find(bytes, &branch, &rest) &&
            role_branch_is_notify(branch.slot));
}

void datapath_unsent(struct worker *worker, struct rte_mbuf *mbuf, enum drop drop)
{
    if (!is_awaited(mbuf)) {
        worker_drop(worker, mbuf, drop);
        return;
    }
    worker->counters.drops[drop]++;
    datapath_hand_over(worker, worker->id, mbuf, PACKET_UNSENT);
}
