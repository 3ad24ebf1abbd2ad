// tune: how fast the TSC runs, by the kernel's clock.
//
// DPDK takes the TSC's frequency from the CPU or from a tenth of a second's measurement, rounded to ten megahertz. This
// measures it between any two steps, so that clocks made of it follow the kernel's. Pure.
#ifndef CONTROL_TUNE_H
#define CONTROL_TUNE_H

#include <stdint.h>

#define CONTROL_TUNE_NS \
    5000000000 // shorter is not measured: reading both clocks takes a microsecond, or a preemption

// The last step. Zeroed: there was none.
struct control_tune {
    uint64_t tsc, ns;
    uint64_t hz;
};

// Both clocks now. The TSC's frequency since the step before, or 0 where there is none yet, or where it is out by more
// than a hundredth from the one before (the machine slept, or the hypervisor moved it).
uint64_t control_tune_step(struct control_tune *tune, uint64_t tsc, uint64_t ns);

#endif
