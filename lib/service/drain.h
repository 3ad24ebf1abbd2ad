// drain: this server is about to end. What it knows goes on, what is new is sent elsewhere.
//
// Control publishes one to all workers as a pointer, as it does a policy, and takes it back; it is not changed while a
// worker may read it. A request outside of dialogs, a registration too, is answered 503 with Retry-After, or
// redirected. Requests in dialogs, ACK, CANCEL, retransmissions and responses are served as ever.
#ifndef SERVICE_DRAIN_H
#define SERVICE_DRAIN_H

#include <stdint.h>

#include "role/request.h"

#define SERVICE_DRAIN_PEER_MAX 255 // bytes

struct service_drain {
    uint16_t peer_len; // 0: 503
    char peer
        [SERVICE_DRAIN_PEER_MAX]; // host, and port where it is not the usual one: where requests are redirected
};

// True: answered.
bool service_drain_refuses(struct role_request *request);

#endif
