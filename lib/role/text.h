// text: header lines of an answer while they are put together, on the stack. One thread.
#ifndef ROLE_TEXT_H
#define ROLE_TEXT_H

#include <stdbool.h>

#include "base/slice.h"

// Leaves SIP_EDIT_TEXT room for the status line, the To tag and the stamps on the Via.
#define ROLE_TEXT_MAX 3600

struct role_text {
    unsigned len;
    bool full; // something did not fit and is missing
    char bytes[ROLE_TEXT_MAX];
};

static inline void role_text_begin(struct role_text *text)
{
    text->len = 0;
    text->full = false;
}

static inline void role_text_put(struct role_text *text, struct slice piece)
{
    if (piece.len > ROLE_TEXT_MAX - text->len) {
        text->full = true;
        return;
    }
    if (piece.len > 0)
        memcpy(text->bytes + text->len, piece.at, piece.len);
    text->len += piece.len;
}

void role_text_put_number(struct role_text *text, uint64_t number);

static inline struct slice role_text_slice(const struct role_text *text)
{
    return slice_of(text->bytes, text->len);
}

#endif
