// counters: what one worker has seen, for telemetry.
//
// Plain stores by the owning worker, read at any time by others (a 64-bit load does not tear); nobody resets them.
// Stage times are histograms of TSC cycles per message, one sample for each burst.
#ifndef WORKER_COUNTERS_H
#define WORKER_COUNTERS_H

#include <rte_common.h>

#include "conf/conf.h"
#include "sip/error.h"
#include "sip/method.h"
#include "worker/drop.h"

#define COUNTERS_STATUS_CLASSES 7 // index 1 to 6: 1xx to 6xx
#define COUNTERS_CYCLE_BUCKETS \
    20 // bucket b: below 2**b cycles per message, and not in b - 1; the last: all above

#define STAGES(X)           \
    X(RX, "rx")             \
    X(DECAP, "decap")       \
    X(CLASSIFY, "classify") \
    X(PARSE, "parse")       \
    X(STEER, "steer")       \
    X(SERVE, "serve")       \
    X(REWRITE, "rewrite")   \
    X(ENCAP, "encap")       \
    X(TX, "tx")

enum stage {
#define STAGE_ENUM(name, label) STAGE_##name,
    STAGES(STAGE_ENUM)
#undef STAGE_ENUM
        STAGE_COUNT
};

// "rx" …
const char *stage_name(enum stage stage);

struct counters_port {
    uint64_t rx_packets, rx_bytes;
    uint64_t tx_packets, tx_bytes;
    uint64_t punted, injected; // frames to and from the twin
};

struct counters_stage {
    uint64_t cycles;   // in all
    uint64_t messages; // in all
    uint64_t histogram[COUNTERS_CYCLE_BUCKETS];
};

// worker: wo, telemetry: ro
struct counters {
    uint64_t requests[SIP_METHOD_COUNT];           // received, by method
    uint64_t responses[COUNTERS_STATUS_CLASSES];   // received, by class
    uint64_t forwarded_requests[SIP_METHOD_COUNT]; // sent on
    uint64_t forwarded_responses[COUNTERS_STATUS_CLASSES];
    uint64_t replies[COUNTERS_STATUS_CLASSES]; // answers of our own
    uint64_t sent_requests;                    // by roles beside the message in hand: branches, ACK, CANCEL
    uint64_t sent_responses[COUNTERS_STATUS_CLASSES];
    uint64_t sent_copies;  // of both, those sent while the one before was still on its way
    uint64_t kept_refused; // messages for roles to keep, for which there was no buffer
    uint64_t unreachable;  // ICMP errors that were about a request of ours
    uint64_t parked;       // messages given to control until a name is known
    uint64_t nameless;     // messages that could not be given to it, served as if no name server answered
    uint64_t keepalives;   // double CRLFs and STUN requests, answered
    uint64_t drops[DROP_COUNT];
    uint64_t parse_errors[SIP_ERROR_COUNT];
    uint64_t handed_over;                          // to other workers
    uint64_t reassembled, fragmented, linearised;  // datagrams
    uint64_t busy_cycles, idle_cycles;             // loop turns that did something, and that did not
    uint64_t mailbox_high, punt_high, inject_high; // most entries ever seen in a ring
    struct counters_port port[CONF_PORTS_MAX];     // index into conf->ports
    struct counters_stage stage[STAGE_COUNT];
} __rte_cache_aligned;

// One sample: a burst of `messages` took `cycles` in this stage. Nothing for an empty burst.
void counters_stage_add(struct counters_stage *stage, uint64_t cycles, uint64_t messages);

#endif
