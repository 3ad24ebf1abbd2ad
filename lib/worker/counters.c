#include "worker/counters.h"

static const char *const names[STAGE_COUNT] = {
#define STAGE_ROW(name, label) [STAGE_##name] = label,
    STAGES(STAGE_ROW)
#undef STAGE_ROW
};

const char *stage_name(enum stage stage)
{
    return names[stage];
}

void counters_stage_add(struct counters_stage *stage, uint64_t cycles, uint64_t messages)
{
    if (messages == 0)
        return;
    uint64_t each = cycles / messages;
    unsigned bucket = each == 0 ? 0 : 64 - (unsigned)__builtin_clzll(each);
    stage->cycles += cycles;
    stage->messages += messages;
    stage->histogram[bucket < COUNTERS_CYCLE_BUCKETS ? bucket : COUNTERS_CYCLE_BUCKETS - 1]++;
}
