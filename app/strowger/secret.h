// secret: the key of all that this server signs and sees again: branches, tags, flow tokens, nonces.
//
// Control thread, at start. Kept in a file, a restart knows the tokens that stand in dialogs begun before it; boxes
// that stand in for each other (with the same [listener] sections) have the same file.
#ifndef APP_SECRET_H
#define APP_SECRET_H

#include <stdio.h>

#include "base/hash.h"

#define SECRET_BYTES 16

// The key in `path`, which is made where it is not there, for its owner alone; NULL: a key from the kernel that nobody
// keeps. 0, or a negative errno after a line on `errors` with what to do: -EACCES others may read it, -EINVAL it is no
// key, what opening, writing and getrandom say.
int secret_get(const char *path, struct hash_key *key, FILE *errors);

#endif
