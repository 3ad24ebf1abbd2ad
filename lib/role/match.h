// match: one condition of a rule against one value of a request.
//
// Users are compared with their escapes undone and, of tel numbers, without visual separators
// (RFC 3966 5.1.1); hosts in any case, and addresses by value. Regular expressions are PCRE2, compiled to machine code
// by control and run by workers on their own stack: no heap, and a bound on the steps.
#ifndef ROLE_MATCH_H
#define ROLE_MATCH_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "conf/conf.h"
#include "sip/uri.h"
#include "worker/worker.h"

#define ROLE_USER_MAX 256 // bytes of a user that count; what is behind them is not compared

// The user as rules and numbers see it. Points into the URI where nothing had to be changed, else into `room`. Empty
// for a URI that has none.
struct slice role_user_plain(const struct sip_uri *uri, char room[ROLE_USER_MAX]);

// What regular expressions run in.
struct role_matcher {
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_match_data *found[WORKERS_MAX]; // each worker writes its own while it matches
};

// matcher.c, control.
struct role_matcher *role_matcher_create(void);          // NULL: no memory
void role_matcher_destroy(struct role_matcher *matcher); // NULL is allowed

struct role_condition {
    struct slice text; // of the configuration
    pcre2_code *code;  // REGEX; owned
    uint8_t kind;      // enum conf_match_kind
    bool host;         // compared as hosts are
};

// False after a line on `errors`, which begins with `name`. The condition points into `from`.
bool role_condition_compile(const struct role_matcher *matcher, struct role_condition *condition,
                            const struct conf_match *from, bool host, const char *name, FILE *errors);
void role_condition_free(struct role_condition *condition);

// match.c. `worker` is the one that asks. A regular expression that runs into its bounds does not match.
bool role_condition_holds(const struct role_matcher *matcher, const struct role_condition *condition,
                          struct slice value, unsigned worker);

#endif
