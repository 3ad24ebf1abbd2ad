// clock: the time as one loop iteration sees it.
//
// A plain value that the loop renews once per burst and passes down; nothing below reads a clock of its own, so a
// test gives any time it likes. Control and the workers have the same `ms`: an expiry that one of them wrote is
// another's to read. `ms` never goes back; `unix_s` may (it follows the wall clock).
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t ms;     // milliseconds since some start, monotonic
    uint64_t unix_s; // seconds since 1970-01-01 UTC, for Date
};

// Control, and whoever sets a worker's clock: a system call.
uint64_t clock_monotonic_ms(void);

#endif
