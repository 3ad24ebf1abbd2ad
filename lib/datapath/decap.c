#include "datapath/stage.h"

// The errors of net/frame.h are the first rows of the table of drops, in the same order.
static enum drop drop_of(enum net_error error)
{
    _Static_assert((int)DROP_UDP_CHECKSUM == (int)NET_UDP_CHECKSUM &&
                       (int)DROP_ETH_SHORT == (int)NET_ETH_SHORT && NET_ERROR_COUNT == NET_UDP_CHECKSUM + 1,
                   "worker/drop.h begins with the errors of net/frame.h");
    return (enum drop)error;
}

void datapath_decap(struct worker *worker, struct burst *burst)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < burst->n; i++) {
        struct rte_mbuf *mbuf = burst->mbuf[i];
        enum net_error error = net_decap(mbuf, &packet_of(mbuf)->frame);
        if (error != NET_OK)
            worker_drop(worker, mbuf, drop_of(error));
        else
            burst->mbuf[kept++] = mbuf;
    }
    burst->n = (uint16_t)kept;
}
