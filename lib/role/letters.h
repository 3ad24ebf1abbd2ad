// letters: bytes as base64url (RFC 4648 5), in threes, so that no padding is needed. Pure: any thread.
#ifndef ROLE_LETTERS_H
#define ROLE_LETTERS_H

#include "base/slice.h"

// `len` bytes, a multiple of 3, become a third more letters.
void role_letters_write(const uint8_t *bytes, unsigned len, char *text);

// `text` has a multiple of 4 letters; false when there is any other byte among them.
bool role_letters_read(struct slice text, uint8_t *bytes);

#endif
