// story: a forked request told in a few letters, so that which response wins is data.
//
// The caller is u; a to f are telephones or gateways. What happens, one word each:
//   a180     a answers the INVITE                 a+200    a answers the CANCEL
//   a302:b   with "Contact: <sip:b@…>"            a401:x   with "WWW-Authenticate: x", a407:x Proxy-Authenticate
//   a!       ICMP says that a is not there        cancel   the caller takes it back
//   ack      he acknowledges a negative answer    5s, 90ms time passes
// What leaves is written as "INVITE>a" and "486>u".
#ifndef TESTS_PROXY_STORY_H
#define TESTS_PROXY_STORY_H

#include "fixture.h"

struct story {
    const char *name;
    const char
        *phones; // "a b:0.5": contacts of bob, highest q first; NULL: the number of the gateways is called
    const char *proxy; // lines of [proxy]
    const char *events;
    const char *left; // all that left
};

// Tells each in a fixture of its own; `sections` go behind the usual ones.
void story_tell(const struct story *stories, unsigned n, const char *sections);
#define STORY_TELL(stories, sections) story_tell(stories, sizeof(stories) / sizeof(*(stories)), sections)

// For a test that wants to look closer: the same step by step.
struct fixture *story_begin(const struct story *story, const char *sections);
void story_go_on(struct fixture *f, const char *events);
const char *story_left(struct fixture *f); // since the last time
void story_end(struct fixture *f);
const char *story_address(char who);

#endif
