// roster_parts: what rules, lists and their imports share. Internal to control/roster*.c.
#ifndef CONTROL_ROSTER_PARTS_H
#define CONTROL_ROSTER_PARTS_H

#include "control/aor.h"
#include "control/roster.h"

// A member as an operator says it, and what becomes of it: that points into this one.
struct control_member {
    struct control_aor aor;
    struct roster_member member;
};

// roster.c. On the disk where there is one.
int control_roster_store(const struct control_roster *roster, const struct store_change *changes, unsigned n);

// NULL: it was done.
const char *control_roster_fault(int error);

// What a drafted change became: published with error 0, and then whoever watches is told; else discarded.
struct control_fault control_roster_settle(const struct control_roster *roster, struct roster_draft *draft,
                                           struct slice aor, int error);

// What is told of a removal.
struct control_fault control_roster_removed(const struct control_roster *roster, struct slice aor, int error);

// lists.c. NULL; else what it is instead of a member of this list.
const char *control_member_read(const struct control_roster *roster, const struct control_aor *list,
                                struct slice word, struct slice name, struct control_member *member);

#endif
