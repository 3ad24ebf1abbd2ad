// generator_flow: exchanges in a closed loop, from both ends.
//
// A window of slots, each with one exchange in flight: a registration, an OPTIONS, an echo, a redirected call, a whole
// call, a publication, or one with all the NOTIFYs that follow from it. The moment that an exchange is complete its slot starts the next. The client (UAC) and, for calls, the
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
    FLOW_PUBLISH,
    FLOW_NOTIFY,
};

struct exchange {
    uint64_t began;     // ns, first sending of the request that is timed
    uint64_t resend_at; // ns; 0: nothing of the client's is outstanding
    uint64_t give_up;   // ns
    uint32_t interval;  // ms until the next sending
    uint32_t serial;
    uint32_t user;
    uint32_t cseq;
    uint32_t watcher; // of a SUBSCRIBE
    uint32_t told;    // watchers of the user who have the document that this exchange published
    bool answered;    // the PUBLISH is, and NOTIFYs are awaited
    uint8_t waiting;  // enum message_kind whose final answer is awaited
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

// What the generator has published of a user: "SIP-If-Match: ..." with CRLF, for the next PUBLISH (RFC 3903 4.1).
struct published {
    uint8_t len; // 0: nothing
    char match[119];
};

struct flow {
    enum flow_mode mode;
    uint32_t run;
    uint32_t users;
    uint32_t window;
    uint32_t watchers; // of each user, where the mode has any
    uint32_t t1;       // ms, RFC 3261 17.1.1.1
    uint32_t t2;
    bool filling;    // the users are registered, or publish, for the first time, and are subscribed to
    bool stopping;   // slots are not started again
    uint32_t filled; // of what is to be filled, given to a slot
    uint32_t busy;   // slots with something outstanding
    uint32_t cseq;
    uint64_t random;
    uint64_t fill_failures; // of what was to be filled, what could not be
    char contact[64];       // HOST:PORT of the called end

    struct exchange *exchanges;   // [window]
    uint8_t *registering;         // [users]: a REGISTER or PUBLISH of this user is in flight
    struct published *published;  // [users], where the mode publishes
    uint32_t *seen;               // [users][watchers]: CSeq of the PUBLISH that was told last
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

// What has to be there before anything is measured: users, and all that watch them.
static inline uint32_t flow_fill_size(const struct flow *f)
{
    return f->users * (1 + f->watchers);
}

// generator_presence.c. False: no memory.
bool flow_open_presence(struct flow *f);
void flow_close_presence(struct flow *f);
// A NOTIFY that arrived; it is answered. Returns the exchange that has nothing more to wait for now, or NULL.
struct exchange *flow_take_notify(struct flow *f, struct slice text, uint64_t now);
// What the next PUBLISH of this user has to say.
void flow_keep_publication(struct flow *f, const struct exchange *x, struct slice text);

// Sends again what is due, gives up what is too old. To be called every few milliseconds.
void flow_timers(struct flow *f, uint64_t now);

#endif
