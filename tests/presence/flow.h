// flow: message flows with the presence server as data, in the order in which RFCs draw them.
//
// A step is a request in the fixture's shorthand, or time that passes, then what is answered, then what NOTIFYs leave
// and how they are answered. Texts may hold {tag} (To tag of the last answer that made a dialog), {etag} (of the last
// PUBLISH), {version} (SIP-ETag of the last NOTIFY), {target} (our Contact), {call} (Call-ID of the last NOTIFY), {n} (a
// number that is new in each step).
//
// What must hold of a message: one line each, "+LINE" it has that line, "-TEXT" no line begins so, "~TEXT" it is
// somewhere in the message, "!TEXT" it is nowhere.
#ifndef TESTS_PRESENCE_FLOW_H
#define TESTS_PRESENCE_FLOW_H

#include "fixture.h"
#include "presence/presence.h"
#include "roster/roster.h"

struct flow_step {
    const char *what;    // the behaviour, for a failure
    const char *source;  // NULL: 192.0.2.4:5060
    const char *request; // NULL: none
    const char *answer;  // fixture_expect's summary; its first line "reply 200 …" may be "200" alone
    unsigned until_ms;   // so long at most, until a NOTIFY left
    unsigned wait_ms;    // time that passes afterwards
    const char *notify;  // what must hold of the newest NOTIFY; NULL: none left; "": any
    unsigned status;     // how it is answered; 0: not
    const char *header;  // further lines of that answer
    unsigned notifies;   // how many left; 0: one where `notify` is not NULL
};

struct flow {
    struct fixture *fixture;
    struct presence *presence;
    struct presence *all[1];
    struct roster *roster;
    char tag[64], etag[64], version[64], target[256], call[64];
    char notify[66000]; // the newest, LF for CRLF, NUL-terminated
    unsigned n;
    unsigned long seen; // of what left
};

// `presence`: further lines of [presence].
struct flow *flow_open(const char *presence, const char *sections);
void flow_close(struct flow *flow);
// cmocka's tear-down where the flow is the state.
int flow_tear_down(void **state);
// The presence server alone ends, and begins with nothing.
void flow_stop(struct flow *flow);
void flow_start(struct flow *flow);

void flow_step(struct flow *flow, const struct flow_step *step);
void flow_steps(struct flow *flow, const struct flow_step *steps, unsigned n);
#define FLOW(flow, steps) flow_steps(flow, steps, sizeof(steps) / sizeof(*(steps)))

// Who may watch bob@example.com; his watchers hear of it.
void flow_rule(struct flow *flow, const char *watcher, enum roster_decision decision);

// Each step's part by itself.
void flow_request(struct flow *flow, const char *source, const char *request);
void flow_wait(struct flow *flow, unsigned ms);
// NOTIFYs since the last look; the newest is in flow->notify.
unsigned flow_notifies(struct flow *flow);
void flow_answer(struct flow *flow, unsigned status, const char *header); // the newest
void flow_expect(const char *what, const char *text, const char *summary);

#endif
