// traffic: what the pipeline bench puts on the wire, never the same message twice.
#ifndef BENCH_PIPELINE_TRAFFIC_H
#define BENCH_PIPELINE_TRAFFIC_H

#include "corpus.h"
#include "rig/rig.h"

#define TRAFFIC_BATCH 4096 // frames that are put into the receive rings before the clock runs

enum traffic_case {
    TRAFFIC_FORWARD, // requests to registered users, within dialogs, and responses: without transactions
    TRAFFIC_FORWARD_STATEFUL, // the same messages, with transactions
    TRAFFIC_REGISTER,         // refreshes of registered users
    TRAFFIC_REDIRECT,         // INVITE to registered users, 302
    TRAFFIC_OPTIONS,          // OPTIONS to the server itself, 200
    TRAFFIC_CASES
};

const char *traffic_name(enum traffic_case which);

struct traffic {
    struct rig *rig;
    enum traffic_case which;
    bool checksum_hw; // the "NIC" has verified them
    struct corpus corpus;
    char (*responses)[CORPUS_MESSAGE_MAX + 1024]; // to what was forwarded in the batch before
    uint16_t *response_len;
    unsigned responses_n;
};

// 0, or -ENOMEM.
int traffic_open(struct traffic *traffic, struct rig *rig, enum traffic_case which, uint32_t users,
                 bool checksum_hw);
void traffic_close(struct traffic *traffic);

// Registers `users` users directly in the location table, as a REGISTER of the corpus would.
void traffic_populate(struct rig *rig, enum traffic_case which, uint32_t users);

// Puts a batch into the receive rings, spread over the queues as RSS would. Returns the frames.
unsigned traffic_fill(struct traffic *traffic);

// Takes what left, makes responses of what was forwarded, frees it. Returns the frames.
unsigned traffic_drain(struct traffic *traffic);

#endif
