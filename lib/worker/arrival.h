// arrival: where and when a message came in, all that a role needs to know of its packet. A plain value.
#ifndef WORKER_ARRIVAL_H
#define WORKER_ARRIVAL_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/endpoint.h"

struct arrival {
    // Of the packet, with port; of a stream with its flow, and as PROXY protocol said where that is spoken.
    // ENDPOINT_NONE: there was none, this server's own operator asks
    struct endpoint source;
    struct endpoint destination; // of the packet: the listener's address and port
    struct clock now;
    uint16_t worker; // the worker that serves the message
    uint16_t peer;   // 1 + slot of the gateway that the sender's certificate proves him to be (RFC 5922); 0: none
    uint8_t listener; // index into conf->listeners
    bool nameless;    // it cannot wait for a name: what is not known counts as what no server answers for
};

// The operator is on the machine: no credentials, no bounds of time, no NAT. His answer goes back to control.
static inline bool arrival_is_operators(const struct arrival *arrival)
{
    return arrival->source.family == ENDPOINT_NONE;
}

#endif
