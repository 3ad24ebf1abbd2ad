#include "sip/reply.h"

#include "sip/status.h"

#define BIT(id) (1ull << SIP_HEADER_##id)

// The header fields that stay: RFC 3261 8.2.6.2, and 8.2.6.1 for Timestamp; the caller decides on Record-Route
// (12.1.1).
static uint64_t kept_by(const struct sip_reply *reply)
{
    uint64_t kept = BIT(VIA) | BIT(FROM) | BIT(TO) | BIT(CALL_ID) | BIT(CSEQ);

    if (reply->status == 100)
        kept |= BIT(TIMESTAMP);
    if (reply->record_route)
        kept |= BIT(RECORD_ROUTE);
    return kept;
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

// RFC 3261 8.2.6.2. A To that cannot be read gets no tag: it is what the answer complains about.
static bool wants_to_tag(const struct sip_message *message, const struct sip_reply *reply)
{
    const struct sip_address *to = reply->to;
    struct sip_address parsed;

    if (reply->to_tag.len == 0)
        return false;
    if (to == NULL) {
        struct slice value = sip_message_first(message, SIP_HEADER_TO);
        if (value.at == NULL || sip_address_parse(value, &parsed) != SIP_OK)
            return false;
        to = &parsed;
    }
    return sip_address_tag(to).at == NULL;
}

static void note_to_tag(const struct sip_message *message, struct slice tag, struct sip_edits *edits)
{
    const struct sip_line *line = &message->lines[message->first[SIP_HEADER_TO]];

    sip_edits_begin(edits, (uint16_t)(line->value + line->len), 0);
    sip_edits_put(edits, SLICE(";tag="));
    sip_edits_put(edits, tag);
    sip_edits_end(edits);
}

// Down the message, so that the list is sorted. Neighbouring lines that go are one edit; the last of them go with
// the body. Returns where that edit begins.
static uint16_t note_lines(const struct sip_message *message, const struct sip_reply *reply,
                           struct sip_edits *edits)
{
    const uint64_t kept = kept_by(reply);
    unsigned tagged = wants_to_tag(message, reply) ? message->first[SIP_HEADER_TO] : SIP_NO_LINE;
    unsigned from = 0; // the first of the lines that go, up to the one looked at

    for (unsigned line = 0; line < message->lines_n; line++) {
        if (!(kept >> message->lines[line].id & 1))
            continue;
        uint16_t at = message->lines[from].name;
        if (line > from)
            sip_edits_remove(edits, at, (uint16_t)(message->lines[line].name - at));
        if (line == tagged)
            note_to_tag(message, reply->to_tag, edits);
        from = line + 1;
    }
    return message->lines[from].name;
}

void sip_reply_note(const struct sip_message *message, const struct sip_reply *reply, struct sip_edits *edits)
{
    note_status_line(message, reply, edits);
    uint16_t end = note_lines(message, reply, edits);
    sip_edits_begin(edits, end, (uint16_t)(message->len - end));
    sip_edits_put(edits, reply->lines);
    sip_edits_put(edits, SLICE("Content-Length: 0\r\n\r\n"));
    sip_edits_end(edits);
}
