// Pools of buffers: how many of each are free, those in lcores' caches included.
#include <errno.h>
#include <rte_mempool.h>

#include "control/report.h"

struct listing {
    struct rte_tel_data *reply;
    int error;
};

static void add_pool(struct rte_mempool *pool, void *owner)
{
    struct listing *listing = owner;
    struct rte_tel_data *row = control_report_nest(listing->reply, pool->name);

    if (row == NULL) {
        listing->error = -ENOMEM;
        return;
    }
    rte_tel_data_add_dict_u64(row, "size", pool->populated_size);
    rte_tel_data_add_dict_u64(row, "free", rte_mempool_avail_count(pool));
}

int control_report_buffers(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct listing listing = {.reply = reply};

    (void)control;
    (void)parameter;
    rte_tel_data_start_dict(reply);
    rte_mempool_walk(add_pool, &listing);
    return listing.error;
}
