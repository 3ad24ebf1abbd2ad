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

// The same of a line as it stands: back letter by letter as it was pushed and with nothing else on it, which is the
// usual case, it need not be parsed. False says nothing.
static bool line_is_ours(const struct role *role, struct slice value, struct role_branch *branch)
{
    if (value.len <= ROLE_BRANCH_LEN)
        return false;
    struct slice head = slice_of(value.at, value.len - ROLE_BRANCH_LEN);
    return role_branch_parse(slice_of(value.at + head.len, ROLE_BRANCH_LEN), branch) &&
           branch->listener < role->conf->listeners_n && role_route_wrote_via(role->route, head);
}

// The two Vias on top, of one line or of two.
struct vias {
    bool ours;                 // the first is one that we pushed
    struct role_branch branch; // its branch, if so
    struct sip_span cut;       // the edit that removes it
    struct sip_via next;
};

static enum drop take_vias(const struct role *role, const struct sip_message *message, struct vias *vias)
{
    unsigned line = message->first[SIP_HEADER_VIA];

    if (line == SIP_NO_LINE)
        return DROP_RESPONSE_MALFORMED;
    struct cursor c = cursor_over(sip_message_value(message, line));
    vias->ours = line_is_ours(role, sip_message_value(message, line), &vias->branch);
    if (!vias->ours) {
        struct sip_via top;
        if (!sip_via_take(&c, &top))
            return DROP_RESPONSE_MALFORMED;
        vias->ours = via_is_ours(role, &top, &vias->branch);
        if (cursor_skip(&c, ',')) {
            if (!sip_via_take(&c, &vias->next))
                return DROP_RESPONSE_MALFORMED;
            vias->cut.at = message->lines[line].value;
            vias->cut.len = (uint16_t)(vias->next.text.at - message->bytes - vias->cut.at);
            return DROP_NONE;
        }
    }
    vias->cut.at = message->lines[line].name;
    vias->cut.len = (uint16_t)(sip_message_line_end(message, line) - vias->cut.at);
    line = sip_message_next(message, line);
    if (line == SIP_NO_LINE)
        return DROP_RESPONSE_NO_VIA;
    c = cursor_over(sip_message_value(message, line));
    return sip_via_take(&c, &vias->next) ? DROP_NONE : DROP_RESPONSE_MALFORMED;
}

void role_response(struct role *role, const struct sip_message *message, enum sip_error parsed,
                   const struct arrival *arrival, struct verdict *verdict, struct sip_edits *edits)
{
    struct vias vias;
    struct endpoint to;
    struct sip_cseq cseq;

    (void)arrival; // RFC 3261 18.1.2: a response is known by its Via, not by where it came from
    enum drop taken = parsed != SIP_OK ? DROP_RESPONSE_MALFORMED : take_vias(role, message, &vias);
    if (taken == DROP_NONE && sip_cseq_parse(sip_message_first(message, SIP_HEADER_CSEQ), &cseq) != SIP_OK)
        taken = DROP_RESPONSE_MALFORMED; // nobody can match it (RFC 4475 3.1.2.5)
    if (taken == DROP_RESPONSE_MALFORMED) {
        drop(verdict, taken);
        return;
    }
    if (!vias.ours) {
        drop(verdict, DROP_RESPONSE_NOT_OURS);
        return;
    }
    if (taken != DROP_NONE) {
        drop(verdict, taken);
        return;
    }
    if (!sip_via_response_endpoint(&vias.next, &to) || !role_hop_usable(&to) ||
        role->conf->listeners[vias.branch.listener].address.family != to.family) {
        drop(verdict, DROP_RESPONSE_UNREACHABLE);
        return;
    }
    sip_edits_remove(edits, vias.cut.at, vias.cut.len);
    *verdict = (struct verdict){.to = to, .kind = VERDICT_FORWARD, .listener = vias.branch.listener};
}
