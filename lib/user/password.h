// password: what of a password is kept, and users as a line of a file says them.
//
// Control alone. A password is wiped from the memory that was its caller's as soon as it is hashed.
#ifndef USER_PASSWORD_H
#define USER_PASSWORD_H

#include "user/user.h"

// HA1 = H(name:realm:password) by every algorithm (RFC 7616 3.4.2). False: the library could not.
bool user_password_hash(struct user *user, struct slice name, struct slice realm, struct slice password);

void user_password_wipe(char *at, size_t len);

struct user_line {
    struct slice name, domain; // in the line
    struct slice password;     // in the line; at == NULL: `user` has the hashes
    struct user user;
};

// "user,domain,password" or "user,domain,md5:HEX,sha256:HEX,sha512-256:HEX", each hash at most once and at least one.
// A password may hold commas; one that begins like a hash but is none is a fault, not a password. NULL: good; else what
// is wrong.
const char *user_line_read(struct slice line, struct user_line *read);

#endif
