#include "sip/reply.h"

#include "sip/status.h"

// RFC 3261 8.2.6.2, and 8.2.6.1 for Timestamp; the caller decides on Record-Route (12.1.1).
static bool is_kept(enum sip_header id, const struct sip_reply *reply)
{
    switch (id) {
    case SIP_HEADER_VIA:
    case SIP_HEADER_FROM:
    case SIP_HEADER_TO:
    case SIP_HEADER_CALL_ID:
    case SIP_HEADER_CSEQ:
        return true;
    case SIP_HEADER_TIMESTAMP:
        return reply->status == 100;
    case SIP_HEADER_RECORD_ROUTE:
        return reply->record_route;
    default:
        return false;
    }
}

static void note_status_line(const struct sip_message *message, const struct sip_reply *reply,
                             struct sip_edits *edits)
{
    const char *reason = reply->reason != NULL ? reply->reason : sip_status_reason(reply->status);

    sip_edits_begin(edits, 0, message->lines[0].name);
    sip_edits_put(edits, SLICE("SIP/2.0 "));
    sip_edits_put_number(edits, reply->status);
    sip_edits_put(edits, SLICE(" "));
    sip_edits_put(edits, slice_text(reason));
    sip_edits_put(edits, SLICE("\r\n"));
    sip_edits_end(edits);
}

// Neighbouring lines that go are one edit.
static void note_removals(const struct sip_message *message, const struct sip_reply *reply,
                          struct sip_edits *edits)
{
    unsigned line = 0;

    while (line < message->lines_n) {
        unsigned from = line;
        while (line < message->lines_n && !is_kept((enum sip_header)message->lines[line].id, reply))
            line++;
        uint16_t at = message->lines[from].name;
        if (line > from)
            sip_edits_remove(edits, at, (uint16_t)(message->lines[line].name - at));
        else
            line++;
    }
}

// RFC 3261 8.2.6.2. A To that cannot be read gets no tag: it is what the answer complains about.
static void note_to_tag(const struct sip_message *message, const struct sip_reply *reply,
                        struct sip_edits *edits)
{
    unsigned line = message->first[SIP_HEADER_TO];
    const struct sip_address *to = reply->to;
    struct sip_address parsed;

    if (reply->to_tag.len == 0 || line == SIP_NO_LINE)
        return;
    if (to == NULL) {
        if (sip_address_parse(sip_message_value(message, line), &parsed) != SIP_OK)
            return;
        to = &parsed;
    }
    if (sip_address_tag(to).at != NULL)
        return;
    sip_edits_begin(edits, (uint16_t)(message->lines[line].value + message->lines[line].len), 0);
    sip_edits_put(edits, SLICE(";tag="));
    sip_edits_put(edits, reply->to_tag);
    sip_edits_end(edits);
}

void sip_reply_note(const struct sip_message *message, const struct sip_reply *reply, struct sip_edits *edits)
{
    uint16_t end = message->lines[message->lines_n].name;

    note_status_line(message, reply, edits);
    note_removals(message, reply, edits);
    note_to_tag(message, reply, edits);
    sip_edits_begin(edits, end, (uint16_t)(message->len - end));
    sip_edits_put(edits, reply->lines);
    sip_edits_put(edits, SLICE("Content-Length: 0\r\n\r\n"));
    sip_edits_end(edits);
}
