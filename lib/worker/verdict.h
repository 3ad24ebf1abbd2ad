// verdict: what becomes of a message. A role says it; the data path carries it out. A plain value.
#ifndef WORKER_VERDICT_H
#define WORKER_VERDICT_H

#include "base/endpoint.h"
#include "worker/drop.h"

enum verdict_kind {
    VERDICT_DROP = 0, // `drop` says why
    VERDICT_FORWARD,  // apply the edits and send to `to` from `listener`
    VERDICT_REPLY, // the edits make it a response; send to `to` from `listener`; `status` is for the counters
};

struct verdict {
    struct endpoint to; // next hop, with port
    uint16_t status;    // reply: its status
    uint8_t kind;       // enum verdict_kind
    uint8_t listener;   // index into conf->listeners: the source address of what leaves
    uint8_t drop;       // enum drop
};

#endif
