// fixture: a table over counted memory, with a quiescent state variable whose reader 0 is the test, on a clock that the
// test turns, and somebody above who does what the table says.
#ifndef TESTS_SUBSCRIPTION_FIXTURE_H
#define TESTS_SUBSCRIPTION_FIXTURE_H

#include "base/random.h"
#include "counted.h"
#include "subscription/subscription.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

enum { T1 = 500, T2 = 4000, UNIX_S = 1800000000, BUDGET = 64 };

// Deadlines are cut to 32 bits: a time at which nothing happens to them, and one at which all of them wrap.
#define FIXTURE_EARLY UINT64_C(1000)
#define FIXTURE_WRAP  ((UINT64_C(1) << 32) - T1 + 7)

// A deadline is met by the end of its tick.
#define assert_at(ms, want) assert_in_range((ms), (want), (want) + SUBSCRIPTION_TICK_MS)

// What was said by subscription_due, or by an event that fixture_act heard of.
struct fixture_log {
    unsigned sent, resent, removed, failed, expired, composed, outlived;
    struct subscription *last;   // who was sent something
    uint32_t body;               // reference it was sent with
    uint8_t state;               // that it was told
    uint64_t sent_ms, resent_ms; // when the last one was
};

struct fixture {
    struct subscription_table *table;
    struct rte_rcu_qsbr *qsbr;
    struct counted counted;
    uint64_t now_ms;
    uint64_t tag;       // of what is composed next
    char document[512]; // and what that is
    bool idle;          // whoever is above does nothing
    struct fixture_log log;
};

void fixture_limits(
    struct subscription_limits *limits); // a hundred of all, a bound of 10 watchers and 5 a source
void fixture_open_with(struct fixture *f, const struct subscription_limits *limits, uint64_t now_ms);
void fixture_open(struct fixture *f, uint64_t now_ms);
void fixture_close(struct fixture *f); // checks that all memory came back, blocks of the table too

struct hash128 fixture_key(uint64_t number); // a key that no other number has
struct subscription_presentity *fixture_presentity(struct fixture *f, uint64_t number); // made if need be

// The document that is composed from now on.
void fixture_write(struct fixture *f, uint64_t tag, const char *document);

// An ACTIVE subscription that lives an hour and is not throttled: number 192.0.2.N. Not asked yet.
struct subscription_opening fixture_opening(uint64_t check);
struct subscription *fixture_subscribe(struct fixture *f, uint64_t number, uint64_t check);
// The same, asked, and its first NOTIFY answered; document 1 is the current one.
struct subscription *fixture_watch(struct fixture *f, uint64_t number, uint64_t check);

// Touches the presentity and composes what fixture_write said; all hear of it.
void fixture_change(struct fixture *f, uint64_t number, uint64_t tag);

// Does what `actions` say and notes it: sends form 0, closes.
void fixture_act(struct fixture *f, struct subscription *subscription, unsigned actions);
void fixture_answer(struct fixture *f, struct subscription *subscription, uint16_t status);
void fixture_turn(struct fixture *f);                               // one turn of the loop
void fixture_run(struct fixture *f, uint64_t ms, uint64_t step_ms); // the clock, a turn each step

// The test at both times.
void fixture_both(void (*test)(struct fixture *f));

// A publication that lives a minute.
struct subscription_publication *fixture_publish(struct fixture *f, uint64_t number, uint64_t tag,
                                                 const char *body);

void fixture_assert_text(struct slice text, const char *expected);

// The text of a body, until the next call.
const char *fixture_body(const struct fixture *f, uint32_t reference);

struct subscription_usage fixture_usage(const struct fixture *f);

// splitmix64

#endif
