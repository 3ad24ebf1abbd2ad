// drain: the server ends of its own accord once nothing is in progress.
//
// From control_drain_begin on workers refuse or redirect what is new (service/drain.h); what they know goes on. When no
// transaction and no followed call is left, or at the deadline, the loop ends as on SIGTERM. Main lcore; part of struct
// control, zeroed: it is not draining.
#ifndef CONTROL_DRAIN_H
#define CONTROL_DRAIN_H

#include "service/drain.h"

struct control;

struct control_drain {
    // Workers read the one in force; the other may still be read by one that is in a turn.
    struct service_drain orders[2];
    uint8_t order; // the one in force, or the last one
    bool on;
    uint64_t since_ms, deadline_ms; // 0: none
    uint64_t token;                 // of the grace period since the last change
};

// `peer`: HOST or HOST:PORT that requests are redirected to, or empty; `seconds` until the deadline, 0: none. May be
// called again to change either. 0; -EINVAL: the peer is no such thing; -EAGAIN: the last change was a moment ago.
int control_drain_begin(struct control *control, struct slice peer, uint64_t seconds);
void control_drain_end(struct control *control);
void control_drain_tick(struct control *control);

// What is waited for.
struct control_drain_usage {
    uint64_t transactions, transactions_max;
    uint64_t calls; // followed ones
};
void control_drain_usage(const struct control *control, struct control_drain_usage *usage);

#endif
