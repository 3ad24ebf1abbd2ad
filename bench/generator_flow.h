// generator_flow: exchanges in a closed loop, from both ends.
//
// A window of slots, each with one exchange in flight: a registration, an OPTIONS, an echo, a redirected call or a
// whole call. The moment that an exchange is complete its slot starts the next. The client (UAC) and, for calls, the
// server that answers them (UAS) live in the same slot, found by the index in branch and Call-ID. One thread.
#ifndef BENCH_GENERATOR_FLOW_H
#define BENCH_GENERATOR_FLOW_H

#include "generator_report.h"
#include "generator_socket.h"

enum flow_mode {
    FLOW_REGISTER,
    FLOW_CALL,
    FLOW_REDIRECT,
    FLOW_OPTIONS,
    FLOW_ECHO,
};

struct exchange {
    uint64_t began;     // ns, first sending of the request that is timed
    uint64_t resend_at; // ns; 0: nothing of the client's is outstanding
    uint64_t give_up;   // ns
    uint32_t interval;  // ms until the next sending
    uint32_t serial;
    uint32_t user;
    uint32_t cseq;
    uint8_t waiting; // enum message_kind whose final answer is awaited
    uint8_t to_tag_len;
    uint8_t target_len;
    uint8_t route_len;
    char to_tag[72];
    char target[120];
    char route[248];

    // The called end: the 200 of the INVITE, until its ACK (RFC 3261 13.3.1.4).
    uint64_t answer_at; // ns; 0: none is outstanding
    uint64_t answer_give_up;
    uint32_t answer_interval;
    uint16_t answer_len;
};

struct flow {
    enum flow_mode mode;
    uint32_t run;
    uint32_t users;
    uint32_t window;
    uint32_t t1; // ms, RFC 3261 17.1.1.1
    uint32_t t2;
    bool filling;    // the users are being registered for the first time
    bool stopping;   // slots are not started again
    uint32_t filled; // users given to a slot while filling
    uint32_t busy;   // slots with something outstanding
    uint32_t cseq;
    uint64_t random;
    uint64_t fill_failures; // users that could not be registered
    char contact[64];       // HOST:PORT of the called end

    struct exchange *exchanges;   // [window]
    uint8_t *registering;         // [users]: a REGISTER of this user is in flight
    char (*answers)[MESSAGE_MAX]; // [window]: the called end's 200s, where the mode has calls
    struct message_templates *templates;
    struct batch_socket *client;
    struct batch_socket *called; // NULL where the mode has none
    struct tally tally;
};

// Starts every idle slot that has something to do.
void flow_start(struct flow *f, uint64_t now);

// One message that arrived at either end.
void flow_client_message(struct flow *f, struct slice text, uint64_t now);
void flow_called_message(struct flow *f, struct slice text, uint64_t now);

// Sends again what is due, gives up what is too old. To be called every few milliseconds.
void flow_timers(struct flow *f, uint64_t now);

#endif
