// record: a user as the store keeps him: key "user@realm", value a version, which algorithms, and their HA1s.
//
// The numbers of the algorithms are part of the format: 1 SHA-256, 2 SHA-512-256, 4 MD5. A value of another version is
// refused. Pure: any thread.
#ifndef USER_RECORD_H
#define USER_RECORD_H

#include "user/user.h"

#define USER_KEY_MAX    (USER_NAME_MAX + 1 + USER_REALM_MAX)
#define USER_RECORD_MAX (2 + CONF_DIGESTS * USER_HA1_MAX)

// The bytes written; the key: 0 where name or realm cannot be one.
unsigned user_record_key_write(struct slice name, struct slice realm, char key[USER_KEY_MAX]);
unsigned user_record_write(const struct user *user, uint8_t value[USER_RECORD_MAX]);

// False: it is not what these write.
bool user_record_key_read(struct slice key, struct slice *name, struct slice *realm);
bool user_record_read(struct slice value, struct user *user);

#endif
