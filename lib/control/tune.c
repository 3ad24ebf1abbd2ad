#include "control/tune.h"

#define NS_PER_S 1000000000u

uint64_t control_tune_step(struct control_tune *tune, uint64_t tsc, uint64_t ns)
{
    struct control_tune before = *tune;

    if (before.ns != 0 && ns - before.ns < CONTROL_TUNE_NS)
        return 0;
    *tune = (struct control_tune){tsc, ns, 0};
    if (before.ns == 0 || tsc <= before.tsc)
        return 0;
    tune->hz = (uint64_t)((unsigned __int128)(tsc - before.tsc) * NS_PER_S / (ns - before.ns));
    uint64_t off = tune->hz > before.hz ? tune->hz - before.hz : before.hz - tune->hz;
    return before.hz != 0 && off > before.hz / 100 ? 0 : tune->hz;
}
