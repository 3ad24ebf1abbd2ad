// record: rules and lists as the store keeps them, and a member as the table keeps it.
//
// A rule's key is the length of the presentity in two bytes, most significant first, the presentity and the watcher, so
// that the rules of one presentity lie together; its value a version and the decision. A list's key is its address of
// record, its value a version and its members one after another, each three lengths and as many bytes: URI, name, and
// the address of record where it is not what stands in the URI behind the scheme. A value of another version is
// refused. Pure: any thread.
#ifndef ROSTER_RECORD_H
#define ROSTER_RECORD_H

#include "roster/roster.h"

#define ROSTER_KEY_MAX        (2 + ROSTER_RULE_KEY)
#define ROSTER_RULE_VALUE     2
#define ROSTER_LIST_VALUE_MAX 65536
#define ROSTER_MEMBER_WRITTEN (3 + ROSTER_MEMBER)

// The bytes written; 0: they can be no rule's. An empty watcher gives what all keys of the presentity begin with.
unsigned roster_record_key_write(struct slice presentity, struct slice watcher, char key[ROSTER_KEY_MAX]);
void roster_record_rule_write(enum roster_decision decision, uint8_t value[ROSTER_RULE_VALUE]);

// False: it is not what these write.
bool roster_record_key_read(struct slice key, struct slice *presentity, struct slice *watcher);
bool roster_record_rule_read(struct slice value, enum roster_decision *decision);

// One member, which is good. The bytes written.
unsigned roster_record_member_write(const struct roster_member *member, char at[ROSTER_MEMBER_WRITTEN]);
// Takes it off `rest`. False: it is none.
bool roster_record_member_read(struct slice *rest, struct roster_member *member);

// The bytes written into `room`; 0: there is not so much.
unsigned roster_record_list_write(const struct roster_member *members, unsigned n, char *value, size_t room);
// The members that a value has, behind its version; each is then taken off by roster_record_member_read until nothing
// is left. False: it is not what that writes.
bool roster_record_list_read(struct slice value, struct slice *members);

#endif
