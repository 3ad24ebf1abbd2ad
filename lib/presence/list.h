// list: a list of resources that is watched as one (RFC 4662).
//
// Each subscription to a list has a presentity of its own, whose document is not what is sent but what was seen of each
// member, with the version in which that changed: once per notify interval the members' documents are looked at in
// their owners' tables, without locks. A NOTIFY says all of the list as long as that fits one message. Of a longer one
// the first names all (RFC 4662 5.2: full state) and says what it can of them; the rest follows as soon as that is
// answered, and later those that changed since the watcher was told (RFC 4662 4.5, 4.6). For the names alone a NOTIFY
// becomes longer than any message that is read here, up to what a datagram holds: five hundred with URIs of 90 bytes.
// Where they do not fit even so, it says what it names, and that this is not full state; the others follow, too. A fetch,
// which nothing can follow, gets as many documents as that has room for.
//
// Internal to the room.
#ifndef PRESENCE_LIST_H
#define PRESENCE_LIST_H

#include "presence/parts.h"

// The presentity of the subscription with this check to a list.
struct hash128 presence_list_key(struct hash128 aor, enum role_package package, uint64_t check);

// The list that the address of record stands for in this package, or NULL.
const struct roster_list *presence_list_of(const struct role *role, const struct presence_package *package,
                                           struct slice aor);

// Of a list's presentity, as presence_package.compose.
void presence_list_compose(struct presence_composing *composing, struct subscription *subscription);

// list_body.c. What the next NOTIFY carries, as a body of its own; 0: nothing.
uint32_t presence_list_choose(struct role *role, const struct subscription_presentity *presentity,
                              struct subscription *subscription, const struct clock *now);
// All is to be said again.
void presence_list_begin(struct subscription *subscription);
// A NOTIFY was answered. True: more is to follow at once.
bool presence_list_answered(struct subscription *subscription, uint16_t status);

// What was seen: the document of a list's presentity.
struct presence_list_member {
    uint64_t tag;     // of what the watcher may see of it
    uint32_t changed; // version in which it became that
    uint32_t unused;
};
struct presence_list_state {
    uint64_t list;    // tag of who is in it, in which order
    uint32_t version; // 1 and up
    uint32_t full;    // version in which the list itself changed
    uint32_t members, unused;
    struct presence_list_member member[];
};

// One member as the watcher sees it.
struct presence_list_view {
    enum presence_admission admission;
    uint64_t tag;       // never 0
    bool ours;          // of a domain of ours; else nothing is known
    struct hash128 aor; // then
    const struct subscription_body
        *body; // NULL: there is no document, and what is said is what nobody published
};
void presence_list_look(struct role *role, const struct presence_package *package,
                        const struct roster_member *member, struct slice watcher, uint64_t now_ms,
                        struct presence_list_view *view);

// The watcher's address of record. 0: it has none.
unsigned presence_list_watcher(const struct role *role, const struct subscription *subscription,
                               char aor[SIP_AOR_MAX]);

#endif
