// edit: every change to a message, as a list applied once, in the message's own buffer.
//
// An edit says: at this offset remove so many bytes and put these instead. Edits are noted in any order with offsets
// of the unedited message (the index stays valid until sip_edits_apply) and may not overlap; edits at the same
// offset keep the order in which they were noted. New text is kept in the list's own arena, so the list is the only
// memory an edit costs: a worker has one list and empties it for each message. Applying lets the
// longest piece between two edits lie where it is, if there is room for that; what is before it slides into the
// headroom, what is behind it into the tailroom. Edits that keep their length move nothing. Writing leaves the message
// as it is and makes a second one elsewhere, in one pass.
// One thread.
#ifndef SIP_EDIT_H
#define SIP_EDIT_H

#include <stdbool.h>

#include "base/slice.h"
#include "sip/error.h"

#define SIP_EDITS_MAX 160  // edits; a reply to the largest message needs one per header line it leaves out
#define SIP_EDIT_TEXT 4096 // bytes of new text in one list

struct sip_edit {
    uint16_t at;     // offset in the unedited message
    uint16_t remove; // bytes
    uint16_t text;   // offset in the arena
    uint16_t len;    // bytes of new text
};

struct sip_edits {
    uint16_t n;
    uint16_t text_len;
    bool full; // an edit or its text did not fit: sip_edits_apply refuses
    bool open; // sip_edits_begin without sip_edits_end
    struct sip_edit edit[SIP_EDITS_MAX];
    char text[SIP_EDIT_TEXT];
};

static inline void sip_edits_clear(struct sip_edits *edits)
{
    edits->n = 0;
    edits->text_len = 0;
    edits->full = false;
    edits->open = false;
}

// For text put together from pieces: begin opens an edit, put… append to its text, end closes it. At `at`, `remove`
// bytes go and the text, which is copied, comes instead. Inline, since literals then cost a store or two.
static inline void sip_edits_begin(struct sip_edits *edits, uint16_t at, uint16_t remove)
{
    if (edits->n == SIP_EDITS_MAX || edits->open) {
        edits->full = true;
        return;
    }
    edits->edit[edits->n] = (struct sip_edit){at, remove, edits->text_len, 0};
    edits->open = true;
}

static inline void sip_edits_put(struct sip_edits *edits, struct slice text)
{
    if (!edits->open || text.len > (uint32_t)(SIP_EDIT_TEXT - edits->text_len)) {
        edits->full = true;
        return;
    }
    if (text.len > 0)
        memcpy(edits->text + edits->text_len, text.at, text.len);
    edits->text_len = (uint16_t)(edits->text_len + text.len);
}

void sip_edits_put_number(struct sip_edits *edits, uint64_t number);

static inline void sip_edits_end(struct sip_edits *edits)
{
    if (!edits->open) {
        edits->full = true;
        return;
    }
    struct sip_edit *edit = &edits->edit[edits->n++];

    edit->len = (uint16_t)(edits->text_len - edit->text);
    edits->open = false;
}

// The whole of an edit at once.
static inline void sip_edits_replace(struct sip_edits *edits, uint16_t at, uint16_t remove, struct slice text)
{
    sip_edits_begin(edits, at, remove);
    sip_edits_put(edits, text);
    sip_edits_end(edits);
}

static inline void sip_edits_insert(struct sip_edits *edits, uint16_t at, struct slice text)
{
    sip_edits_replace(edits, at, 0, text);
}

static inline void sip_edits_remove(struct sip_edits *edits, uint16_t at, uint16_t remove)
{
    sip_edits_replace(edits, at, remove, (struct slice){"", 0});
}

// Bytes by which the list makes a message longer; negative: shorter.
static inline int32_t sip_edits_growth(const struct sip_edits *edits)
{
    int32_t growth = 0;

    for (unsigned i = 0; i < edits->n; i++)
        growth += edits->edit[i].len - edits->edit[i].remove;
    return growth;
}

// What a message becomes: where it starts and how long it is, relative to the buffer handed in.
struct sip_edited {
    int32_t start; // bytes; negative: it grew into the headroom
    uint32_t len;
};

// Applies the list to the `len` bytes at `bytes`, which have `headroom` free bytes before and `tailroom` behind.
// Returns SIP_OK and where the message now is, or SIP_ERROR_EDIT_ROOM (it grows by more than both sides have, the
// list was full or left open, edits overlap or lie outside); the message is then untouched. The list is sorted by it
// and may be cleared afterwards.
enum sip_error sip_edits_apply(struct sip_edits *edits, char *bytes, uint32_t len, uint32_t headroom,
                               uint32_t tailroom, struct sip_edited *edited);

// Writes what `source` becomes to `to`, which has `room` bytes and no byte in common with it, and its length to `*len`.
// SIP_OK, or SIP_ERROR_EDIT_ROOM for the reasons above, and then nothing is written. The list is sorted by it and keeps
// its edits.
enum sip_error sip_edits_write(struct sip_edits *edits, struct slice source, char *to, uint32_t room,
                               uint32_t *len);

#endif
