// calls_flow: both ends of calls through the server: INVITE, 180, 200, ACK, BYE, 200, each made from what came out.
//
// Messages wait in a pool and leave it in random order, so many calls are at every stage at once. What the caller and
// the called phone do, and what they keep, is never inside a measurement. One thread.
#ifndef BENCH_CALLS_FLOW_H
#define BENCH_CALLS_FLOW_H

#include "corpus.h"
#include "rig/rig.h"

#define FLOW_MESSAGES_PER_CALL 6 // that the ends send: INVITE, 180, 200, ACK, BYE, 200

struct flow_message {
    char *text;
    uint16_t len;
    struct endpoint source;
};

struct flow {
    struct rig *rig;
    struct corpus corpus;
    uint32_t users;
    uint64_t random;
    struct flow_message *waiting; // to be sent, in no order
    unsigned waiting_n, waiting_max;
    uint64_t begun, answered, ended; // calls
    uint64_t trying;                 // 100 that came back
    uint64_t wrong;                  // anything that a call does not expect
    char last_wrong[80];
    bool answer_only; // calls stay as they are once answered: no ACK, no BYE
};

// Phones: one address per user, all behind one gateway; registered by flow_populate.
struct endpoint flow_phone(uint32_t user);
void flow_populate(struct rig *rig, uint32_t users);

// 0 or -ENOMEM. `waiting_max`: bound of the pool.
int flow_open(struct flow *flow, struct rig *rig, uint32_t users, unsigned waiting_max);
void flow_close(struct flow *flow);

// The next frame for the server: of those that wait, or, when `fresh`, perhaps a new call's INVITE. NULL: none waits.
struct rte_mbuf *flow_next(struct flow *flow, bool fresh);

// Puts up to `n` of them into the receive ring. Returns how many.
unsigned flow_fill(struct flow *flow, unsigned n, bool fresh);

// Lets the end that a frame is for react; the frame stays the caller's. False: it is a 100, which answers a message
// that is forwarded as well.
bool flow_take(struct flow *flow, struct rte_mbuf *mbuf);

// Takes what left the server and lets the two ends react.
void flow_drain(struct flow *flow);

#endif
