#include "worker/worker.h"

#include <rte_cycles.h>

void worker_clock(struct worker *worker)
{
    uint64_t tsc = rte_rdtsc();
    uint64_t per_ms = worker->tsc_hz / 1000;

    worker->now_tsc = tsc;
    // A division per burst is dear; most bursts fall into the millisecond of the one before.
    uint64_t since = tsc - worker->clock_tsc;
    if (since < per_ms)
        return;
    worker->clock_ms += since / per_ms;
    worker->clock_tsc += since / per_ms * per_ms;
    worker->now.ms = worker->clock_ms;
    worker->now.unix_s = worker->unix_offset_s + worker->clock_ms / 1000;
}
