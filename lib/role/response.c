// A response on its way back: the top Via is ours and goes, the next one says where to (RFC 3261 16.11, 16.7
// step 3).
#include "role/branch.h"

static void drop(struct verdict *verdict, enum drop reason)
{
    *verdict = (struct verdict){.kind = VERDICT_DROP, .drop = (uint8_t)reason};
}

// Whether a Via is one that we pushed, and the listener that the request had come in on.
static bool via_is_ours(const struct role *role, const struct sip_via *via, struct role_branch *branch)
{
    return via->branch.at != NULL && role_branch_parse(via->branch, branch) &&
           branch->listener < role->conf->listeners_n &&
           role_route_sent_by(role->route, via->host, via->port) != CONF_NONE;
}

// Takes the top Via and then the next one, from the same line or from a later one. `*cut` is the edit that
// removes the first.
static enum drop take_vias(const struct sip_message *message, struct sip_via *top, struct sip_via *next,
                           struct sip_span *cut)
{
    unsigned line = message->first[SIP_HEADER_VIA];

    if (line == SIP_NO_LINE)
        return DROP_RESPONSE_MALFORMED;
    struct cursor c = cursor_over(sip_message_value(message, line));
    if (!sip_via_take(&c, top))
        return DROP_RESPONSE_MALFORMED;
    if (cursor_skip(&c, ',')) {
        if (!sip_via_take(&c, next))
            return DROP_RESPONSE_MALFORMED;
        cut->at = message->lines[line].value;
        cut->len = (uint16_t)(next->text.at - message->bytes - cut->at);
        return DROP_NONE;
    }
    cut->at = message->lines[line].name;
    cut->len = (uint16_t)(sip_message_line_end(message, line) - cut->at);
    line = sip_message_next(message, line);
    if (line == SIP_NO_LINE)
        return DROP_RESPONSE_NO_VIA;
    c = cursor_over(sip_message_value(message, line));
    return sip_via_take(&c, next) ? DROP_NONE : DROP_RESPONSE_MALFORMED;
}

void role_response(struct role *role, const struct sip_message *message, enum sip_error parsed,
                   const struct arrival *arrival, struct verdict *verdict, struct sip_edits *edits)
{
    struct sip_via top, next;
    struct role_branch branch;
    struct sip_span cut;
    struct endpoint to;
    struct sip_cseq cseq;

    (void)arrival; // RFC 3261 18.1.2: a response is known by its Via, not by where it came from
    enum drop taken = parsed != SIP_OK ? DROP_RESPONSE_MALFORMED : take_vias(message, &top, &next, &cut);
    if (taken == DROP_NONE && sip_cseq_parse(sip_message_first(message, SIP_HEADER_CSEQ), &cseq) != SIP_OK)
        taken = DROP_RESPONSE_MALFORMED; // nobody can match it (RFC 4475 3.1.2.5)
    if (taken == DROP_RESPONSE_MALFORMED) {
        drop(verdict, taken);
        return;
    }
    if (!via_is_ours(role, &top, &branch)) {
        drop(verdict, DROP_RESPONSE_NOT_OURS);
        return;
    }
    if (taken != DROP_NONE) {
        drop(verdict, taken);
        return;
    }
    if (!sip_via_response_endpoint(&next, &to) || !role_hop_usable(&to) ||
        role->conf->listeners[branch.listener].address.family != to.family) {
        drop(verdict, DROP_RESPONSE_UNREACHABLE);
        return;
    }
    sip_edits_remove(edits, cut.at, cut.len);
    *verdict = (struct verdict){.to = to, .kind = VERDICT_FORWARD, .listener = branch.listener};
}
