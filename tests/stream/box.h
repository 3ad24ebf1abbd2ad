// box: the room with its sockets on 127.0.0.0/8, workers that only keep what they are given, and peers as file
// descriptors. The clock is a number; only box_until waits, for what it names and at most ten seconds.
#ifndef TESTS_STREAM_BOX_H
#define TESTS_STREAM_BOX_H

#include <event2/event.h>
#include <rte_mempool.h>

#include "base/clock.h"
#include "stream/parts.h"
#include "stream/stream.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#define BOX_TAKEN_MAX 4096

enum { BOX_TCP, BOX_TCP6, BOX_PROXIED, BOX_WS, BOX_UDP, BOX_LISTENERS_MAX = 12 };

struct box {
    struct event_base *base;
    struct rte_mempool *pool, *large;
    struct conf conf;
    struct conf_listener listeners[BOX_LISTENERS_MAX];
    struct memory memory;
    size_t taken_bytes; // of memory, now
    int takes_left;     // memory->take gives NULL after so many; -1: never
    struct stream *stream;
    uint64_t now_ms;

    bool full;            // workers have no room
    struct endpoint only; // the worker of this one has; ENDPOINT_NONE: all have
    struct rte_mbuf *taken[BOX_TAKEN_MAX];
    unsigned taken_n;
    struct rte_mbuf *unsent[BOX_TAKEN_MAX];
    uint16_t unsent_worker[BOX_TAKEN_MAX];
    unsigned unsent_n;
    const char *expected; // what `expect` says; NULL: an address is all that is known
    char identified[256]; // names that `identify` was asked for, with a space behind each
    const char *gateway;  // of these the one that is gateway 4
};

// cmocka group setup and teardown.
int box_eal(void **state);
int box_eal_end(void **state);

// A box that is not started: settings may be changed. Listeners as in the enum above, each with an address of its own.
void box_make(struct box *box);
void box_add(struct box *box, unsigned i, enum endpoint_transport transport); // another listener
struct endpoint box_address(uint8_t host); // of 127.0.0.0/8, this test's own
void box_start(struct box *box, struct stream_tls *tls);
void box_stop(struct box *box); // fails the test when an mbuf or memory is missing

void box_turn(struct box *box);
void box_pass(struct box *box, uint64_t ms); // so much later
#define box_until(box, condition)                              \
    do {                                                       \
        uint64_t patience = clock_monotonic_ms() + 10000;      \
        while (!(condition)) {                                 \
            if (clock_monotonic_ms() > patience)               \
                fail_msg("waited in vain for %s", #condition); \
            box_wait(box);                                     \
        }                                                      \
    } while (0)
void box_wait(struct box *box); // a turn, and a moment

// A peer that connects to a listener. Non-blocking.
int box_connect(struct box *box, unsigned listener);
// The same from an address and port of 127.0.0.0/8; the last byte and the port.
int box_connect_from(struct box *box, unsigned listener, uint8_t host, uint16_t port);
int box_connect_to(const struct endpoint *to);
// A peer that listens, on an address of this test's own; `at` is where.
int box_listen(struct box *box, uint8_t host, struct endpoint *at);
int box_accept(struct box *box, int listening);
void box_say(int peer, const void *bytes, size_t len);
void box_say_text(int peer, const char *text);
// What the peer hears, until it has `len` bytes, or the other side closes (then fewer). NUL behind.
size_t box_hear(struct box *box, int peer, char *to, size_t len);
void box_hears(struct box *box, int peer, const char *text); // exactly that comes next
void box_hears_end(struct box *box, int peer);               // nothing, and then the end

struct slice box_bytes(const struct rte_mbuf *mbuf);
const struct packet *box_packet(const struct rte_mbuf *mbuf);
// The messages since then, compared with `texts`, and forgotten.
void box_took(struct box *box, unsigned n, const char *const *texts);
void box_forget(struct box *box);

struct rte_mbuf *box_message(struct box *box, const char *text, const struct endpoint *to, unsigned listener);
void box_send(struct box *box, const char *text, const struct endpoint *to, unsigned listener);

uint64_t box_ended(const struct box *box, enum stream_end end);
uint64_t box_connections(const struct box *box);
bool box_view(const struct box *box, struct stream_view *view); // of the first connection

// A message with a body, or as many header lines and bytes as are asked for.
#define BOX_OPTIONS(n, body, length)                                                        \
    "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK" n "\r\n" \
    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: " n "\r\n"      \
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n" length "\r\n" body

#endif
