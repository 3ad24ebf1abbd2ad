// generator_report: what the generator counts, and how it says it.
//
// One thread. The histogram is log-linear: 32 steps to each doubling, so a percentile is right within 3 per cent.
#ifndef BENCH_GENERATOR_REPORT_H
#define BENCH_GENERATOR_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_STEPS   32
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 40) // up to 2^39 ns, nine minutes; longer counts as that

struct histogram {
    uint64_t n;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

struct tally {
    uint64_t completed;       // whole exchanges; with watchers, NOTIFYs
    uint64_t sent;            // messages
    uint64_t received;        // messages
    uint64_t retransmissions; // of either side
    uint64_t timeouts;        // exchanges given up
    uint64_t stale;           // messages that belong to no running exchange: duplicates, late ones
    uint64_t unreadable;      // messages that are not SIP of this run
    uint64_t refused;         // ICMP errors and refused sends
    uint64_t unexpected[700]; // final answers by status that were not the one the mode asks for
    struct histogram latency; // ns from first sending to the answer, as the client saw it
};

void histogram_add(struct histogram *h, uint64_t ns);
// The value (ns) below which `per_mille` of the entries lie; 0 when there are none.
uint64_t histogram_at(const struct histogram *h, unsigned per_mille);

// Whether nothing but the expected happened. Retransmissions are allowed: UDP may lose.
bool tally_clean(const struct tally *t);

// A readable paragraph, or one line of JSON.
void tally_print(const struct tally *t, const char *mode, double seconds, FILE *out);
struct tally_run {
    const char *mode;
    unsigned users, watchers, window; // watchers of each user
    double seconds;
};
void tally_print_json(const struct tally *t, const struct tally_run *run, FILE *out);

#endif
