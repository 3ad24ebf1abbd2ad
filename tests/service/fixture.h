// fixture: a role with its tables, without EAL, NIC or network, and a shorthand for what goes in and comes
// out.
//
// A request is written as "METHOD URI" and the header lines that matter, one a line; the mandatory ones that
// are not there are filled in ("-Name" leaves one out). What came out is compared as a summary: the verdict
// in one line, then "+LINE" for each line that the message must have and "-TEXT" for what no line of it may
// begin with. Values that a hash makes are written BRANCH, TAG and FLOW.
#ifndef TESTS_SERVICE_FIXTURE_H
#define TESTS_SERVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include "outlet.h"
#include "role/policy.h"
#include "role/route.h"
#include "service/service.h"

#define FIXTURE_BYTES 20000

// Two IPv4 listeners and an IPv6 one, in this order; domains of every kind.
extern const char fixture_conf[];

struct fixture {
    struct conf *conf; // these two are the policy's
    struct role_route *route;
    struct role_policy *policy;
    struct gateway_states *states;
    struct name_table *names;
    struct test_outlet *outlet; // with transactions
    bool merges;                // requests of one Call-ID may be forks of one; mostly they only share it
    struct rte_rcu_qsbr *qsbr;
    struct location *location;
    struct role role;
    struct arrival arrival; // of the next message; worker 0, listener 0, from 192.0.2.4:5060
    struct verdict verdict; // what became of the last one
    struct sip_edits edits;
    char buffer[FIXTURE_BYTES];
    struct slice out;         // the last message as it leaves
    char text[FIXTURE_BYTES]; // the same with hashes named and LF for line ends, NUL-terminated
};

// A fixture of `conf`; every table empty. `workers` shards.
struct fixture *fixture_open(const char *conf, unsigned workers);
void fixture_close(struct fixture *f);

// From now on with transactions: at most so many, all of [transaction]'s timers, an outlet over plain memory.
void fixture_stateful(struct fixture *f, unsigned transactions);
// Lets time pass, a turn each 8 ms. What is sent is in outlet->log.
void fixture_advance(struct fixture *f, uint64_t ms);
// Compares what left since the last time, as "180@192.0.2.4:5060 INVITE@…", and forgets it.
void fixture_left(struct fixture *f, const char *name, const char *log);
// Answers the newest request of a method that was sent to an address, with further header lines (LF).
void fixture_answer(struct fixture *f, const char *from, const char *method, unsigned status,
                    const char *lines);
// Lets time pass until every transaction has ended, and says that nothing is left.
void fixture_finish(struct fixture *f);

// Serves a request in shorthand, or `bytes` as they are.
void fixture_request(struct fixture *f, const char *shorthand);
void fixture_bytes(struct fixture *f, const char *bytes, size_t len);
// The same with CRLF for each LF, and nothing filled in.
void fixture_text(struct fixture *f, const char *text);

// Where the next message comes from, as outlet_endpoint_read has it, and on which listener it arrives.
void fixture_from(struct fixture *f, const char *source, unsigned listener);

// Puts a binding for "user@example.com" in front of those that are there: a contact, q in thousandths.
void fixture_bind(struct fixture *f, const char *aor, struct location_binding binding);
struct location_binding fixture_contact(const char *contact);
unsigned fixture_bindings(struct fixture *f, const char *aor,
                          struct location_binding bindings[LOCATION_CONTACTS_MAX]);

// "drop ACK_ABSORBED", "reply 404 192.0.2.4:5060 by 0", "forward 192.0.2.9:5060 by 0".
const char *fixture_verdict(const struct fixture *f);
// Compares with a summary; `name` is printed when it differs.
void fixture_expect(const struct fixture *f, const char *name, const char *summary);
// The value of the first line that begins with `prefix`, into `value`.
const char *fixture_line(const struct fixture *f, const char *prefix, char value[1024]);

struct fixture_case {
    const char *name;    // the behaviour
    const char *source;  // NULL: 192.0.2.4:5060
    const char *request; // shorthand
    const char *summary;
};

// Serves every case; between two of them nothing is reset.
void fixture_run(struct fixture *f, const struct fixture_case *cases, unsigned n);
#define FIXTURE_RUN(f, cases) fixture_run(f, cases, sizeof(cases) / sizeof(*(cases)))

#endif
