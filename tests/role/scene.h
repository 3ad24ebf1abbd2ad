// scene: what decides where a request goes, with its tables and without the server around it.
//
// Two IPv4 listeners and an IPv6 one, two domains (example.com alias example.net and 198.18.1.1; other.example), and
// whatever sections a test adds. Requests are written as "METHOD URI" and the header lines that matter.
#ifndef TESTS_ROLE_SCENE_H
#define TESTS_ROLE_SCENE_H

// clang-format off
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "role/policy.h"
#include "role/target.h"

#define SCENE_BYTES  8192
#define SCENE_NOW_MS 1000000

struct scene {
    struct gateway_states *states;
    struct role_policy *policy;
    struct rte_rcu_qsbr *qsbr;
    struct location *location;
    struct name_table *names;
    struct role role;
    struct arrival arrival; // of the next request; from 192.0.2.4:5060 to listener 0
    struct sip_message message;
    struct steered steered;
    struct verdict verdict;
    struct sip_edits edits;
    struct role_request request; // the last one, its Route taken apart
    struct role_course course;
    struct role_tried tried;
    struct role_target target; // the last one
    char bytes[SCENE_BYTES];
    char text[SCENE_BYTES];
};

struct scene *scene_open(const char *sections);
void scene_close(struct scene *s);

void scene_from(struct scene *s, const char *source, unsigned listener);
void scene_request(struct scene *s, const char *shorthand);
bool scene_take(struct scene *s, const char *shorthand); // false: refused for its Route
// One on its way back to 192.0.2.4; "CSeq" comes first in `lines` where it is not INVITE's.
void scene_response(struct scene *s, const char *status, const char *lines);

// A binding, put in front of those that are there.
struct location_binding scene_contact(const char *contact);
void scene_bind(struct scene *s, const char *aor, const struct location_binding *bindings, unsigned n);
// What the DNS says of a name: "ADDRESS:PORT", or "tcp:ADDRESS:PORT", one behind the other, of equal priority and
// falling weight; "": that there is none; "!": that the servers are silent.
void scene_name(struct scene *s, const char *name, uint16_t port, const char *hops);
// The same for a question with a kind and a transport.
void scene_name_over(struct scene *s, const struct name_question *question, const char *hops);
void scene_enum(struct scene *s, const char *digits, const char *uri);

// Serves the request up to its course, and then asks for all targets, one after the other. In words: "R ACTION", behind
// it "HOP" of each, with " URI" where that changes, "+" where there may be more; then the answer, if there was one.
const char *scene_say(struct scene *s, const char *shorthand);
// Of the last request that was asked about: what its answer says, LF for line ends.
const char *scene_answer(struct scene *s);

struct scene_case {
    const char *name, *request, *said;
};
void scene_run(struct scene *s, const struct scene_case *cases, unsigned n);
#define SCENE_RUN(s, cases) scene_run(s, cases, sizeof(cases) / sizeof(*(cases)))

#endif
