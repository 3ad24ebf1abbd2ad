#include "sip/edit.h"

// A piece of the message between two edits, which is kept and perhaps moved.
struct piece {
    uint32_t from;  // offset in the unedited message
    uint32_t len;   // may be 0
    int32_t growth; // bytes by which the edits before it lengthen the message
};

void sip_edits_put_number(struct sip_edits *edits, uint64_t number)
{
    char digits[20]; // 2**64 has that many
    unsigned at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    sip_edits_put(edits, slice_of(digits + at, sizeof(digits) - at));
}

// By offset; edits at one offset stay in their order. Lists are short and mostly sorted as they are noted.
static void sort(struct sip_edits *edits)
{
    for (unsigned i = 1; i < edits->n; i++) {
        if (edits->edit[i].at >= edits->edit[i - 1].at)
            continue;
        struct sip_edit moving = edits->edit[i];
        unsigned at = i;
        for (; at > 0 && edits->edit[at - 1].at > moving.at; at--)
            edits->edit[at] = edits->edit[at - 1];
        edits->edit[at] = moving;
    }
}

// Fills piece[0 .. n], the kept pieces before, between and behind the sorted edits. False when edits overlap or reach
// behind the end. Text put where another edit removes bytes is no overlap: it comes behind the other's text.
static bool cut(const struct sip_edits *edits, uint32_t len, struct piece *piece)
{
    uint32_t kept = 0;
    int32_t growth = 0;

    for (unsigned i = 0; i < edits->n; i++) {
        const struct sip_edit *edit = &edits->edit[i];
        bool joins = i > 0 && edit->at == edit[-1].at && edit->remove == 0;
        if (edit->at < kept && !joins)
            return false;
        piece[i] = (struct piece){kept, joins ? 0 : edit->at - kept, growth};
        if (!joins)
            kept = (uint32_t)edit->at + edit->remove;
        growth += edit->len - edit->remove;
    }
    if (kept > len)
        return false;
    piece[edits->n] = (struct piece){kept, len - kept, growth};
    return true;
}

// Where the message is to begin, between `lowest` and `highest`: so that the longest piece stays which can.
static int32_t choose_start(const struct piece *piece, unsigned n, int32_t lowest, int32_t highest)
{
    int32_t start = lowest;
    uint32_t longest = 0;

    for (unsigned i = 0; i <= n; i++) {
        if (piece[i].len > longest && -piece[i].growth >= lowest && -piece[i].growth <= highest) {
            longest = piece[i].len;
            start = -piece[i].growth;
        }
    }
    return start;
}

// What goes left goes first and from the left on, then what goes right from the right on: so no piece is overwritten
// before it has moved.
static void move(char *bytes, const struct piece *piece, unsigned n, int32_t start)
{
    unsigned rightmost = 0; // one behind the last piece that goes right

    for (unsigned i = 0; i <= n; i++) {
        int32_t by = piece[i].growth + start;
        if (by > 0)
            rightmost = i + 1;
        else if (by < 0 && piece[i].len > 0)
            memmove(bytes + piece[i].from + by, bytes + piece[i].from, piece[i].len);
    }
    for (unsigned i = rightmost; i-- > 0;) {
        int32_t by = piece[i].growth + start;
        if (by > 0 && piece[i].len > 0)
            memmove(bytes + piece[i].from + by, bytes + piece[i].from, piece[i].len);
    }
}

enum sip_error sip_edits_apply(struct sip_edits *edits, char *bytes, uint32_t len, uint32_t headroom,
                               uint32_t tailroom, struct sip_edited *edited)
{
    struct piece piece[SIP_EDITS_MAX + 1];
    unsigned n = edits->n;

    sort(edits);
    if (edits->full || edits->open || !cut(edits, len, piece))
        return SIP_ERROR_EDIT_ROOM;
    int32_t growth = piece[n].growth;
    if (growth > 0 && (uint32_t)growth > headroom + tailroom)
        return SIP_ERROR_EDIT_ROOM;
    int32_t start = choose_start(piece, n, -(int32_t)headroom, (int32_t)tailroom - growth);
    move(bytes, piece, n, start);
    char *to = bytes + start;
    for (unsigned i = 0; i < n; i++) {
        const struct sip_edit *edit = &edits->edit[i];
        to += piece[i].len;
        if (edit->len > 0) // what only removes is common
            memcpy(to, edits->text + edit->text, edit->len);
        to += edit->len;
    }
    *edited = (struct sip_edited){start, len + (uint32_t)growth};
    return SIP_OK;
}

enum sip_error sip_edits_write(struct sip_edits *edits, struct slice source, char *to, uint32_t room,
                               uint32_t *len)
{
    struct piece piece[SIP_EDITS_MAX + 1];
    unsigned n = edits->n;

    sort(edits);
    if (edits->full || edits->open || !cut(edits, source.len, piece))
        return SIP_ERROR_EDIT_ROOM;
    *len = source.len + (uint32_t)piece[n].growth;
    if (*len > room)
        return SIP_ERROR_EDIT_ROOM;
    for (unsigned i = 0; i <= n; i++) {
        memcpy(to, source.at + piece[i].from, piece[i].len);
        to += piece[i].len;
        if (i < n) {
            memcpy(to, edits->text + edits->edit[i].text, edits->edit[i].len);
            to += edits->edit[i].len;
        }
    }
    return SIP_OK;
}
