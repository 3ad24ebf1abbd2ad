#include <rte_errno.h>
#include <rte_lcore.h>
#include <stdio.h>

#include "start.h"

// Buffers each worker and control may hold in their caches without the pool running dry.
#define POOL_CACHE  256
#define LARGE_CACHE 32
#define LARGE_SHARE 32 // one large buffer for so many ordinary ones
#define LARGE_MIN   128
#define LONGEST     64 // of the longest, which are there for as long as one is on its way out

static struct rte_mempool *make(const char *what, int node, unsigned n, unsigned cache, unsigned priv,
                                unsigned room)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    snprintf(name, sizeof(name), "%s_%d", what, node);
    struct rte_mempool *pool = rte_pktmbuf_pool_create(name, n, cache, (uint16_t)priv, (uint16_t)room, node);
    if (pool == NULL)
        fprintf(stderr,
                "strowger: no memory for %u buffers of %u bytes on NUMA node %d: %s; reserve more huge "
                "pages, give\n"
                "strowger: EAL more memory (-m MEGABYTES), or lower [network] mbufs\n",
                n, room, node, rte_strerror(rte_errno));
    return pool;
}

static int make_node(struct strowger *strowger, int node)
{
    unsigned n = strowger->conf->mbufs;
    unsigned large = RTE_MAX(n / LARGE_SHARE, (unsigned)LARGE_MIN);

    strowger->pool[node] = make("packets", node, n, POOL_CACHE, PACKET_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE);
    if (strowger->pool[node] == NULL)
        return -ENOMEM;
    strowger->large[node] = make("large", node, large, LARGE_CACHE, PACKET_SIZE, WORKER_LARGE_ROOM);
    if (strowger->large[node] == NULL)
        return -ENOMEM;
    if (strowger->conf->presence) { // without a cache: what one worker kept in it the others would miss
        strowger->longest[node] = make("longest", node, LONGEST, 0, PACKET_SIZE, WORKER_LONGEST_ROOM);
        if (strowger->longest[node] == NULL)
            return -ENOMEM;
    }
    strowger->indirect[node] =
        make("indirect", node, n / 4, POOL_CACHE / 4, PACKET_SIZE, RTE_PKTMBUF_HEADROOM + 128);
    return strowger->indirect[node] == NULL ? -ENOMEM : 0;
}

int start_pools(struct strowger *strowger)
{
    unsigned lcore;

    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        int node = (int)rte_lcore_to_socket_id(lcore);
        if (strowger->pool[node] != NULL)
            continue;
        int error = make_node(strowger, node);
        if (error != 0) {
            stop_pools(strowger);
            return error;
        }
    }
    return 0;
}

void stop_pools(struct strowger *strowger)
{
    for (unsigned node = 0; node < RTE_MAX_NUMA_NODES; node++) {
        rte_mempool_free(strowger->indirect[node]);
        rte_mempool_free(strowger->longest[node]);
        rte_mempool_free(strowger->large[node]);
        rte_mempool_free(strowger->pool[node]);
        strowger->indirect[node] = strowger->longest[node] = NULL;
        strowger->large[node] = strowger->pool[node] = NULL;
    }
}
