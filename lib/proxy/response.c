// A response on its way back: the top Via is ours and goes, the next one says where to (RFC 3261 16.11, 16.7
// step 3).
#include "proxy/core.h"
#include "proxy/probe.h"
#include "role/trust.h"
#include "sip/token.h"

static void drop(struct verdict *verdict, enum drop reason)
{
    *verdict = (struct verdict){.kind = VERDICT_DROP, .drop = (uint8_t)reason};
}

// Whether a Via is one that we pushed, and the listener that the request had come in on.
static bool via_is_ours(const struct role *role, const struct sip_via *via, struct role_branch *branch)
{
    return via->branch.at != NULL && role_branch_parse(via->branch, branch) &&
           branch->listener < role->conf->listeners_n && role_route_sent_by(role->route, via) != CONF_NONE;
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

// The Via on top, and what is behind it.
struct vias {
    bool ours;                 // it is one that we pushed
    struct role_branch branch; // its branch, if so
    struct sip_span cut;       // the edit that removes it
    struct cursor next;        // over the next one, which is not read yet
};

static enum drop take_via(const struct role *role, const struct sip_message *message, struct vias *vias)
{
    unsigned line = message->first[SIP_HEADER_VIA];

    if (line == SIP_NO_LINE)
        return DROP_RESPONSE_MALFORMED;
    vias->next = cursor_over(sip_message_value(message, line));
    vias->ours = line_is_ours(role, sip_message_value(message, line), &vias->branch);
    if (!vias->ours) {
        struct sip_via top;
        if (!sip_via_take(&vias->next, &top))
            return DROP_RESPONSE_MALFORMED;
        vias->ours = via_is_ours(role, &top, &vias->branch);
        if (cursor_skip(&vias->next, ',')) {
            sip_skip_space(&vias->next);
            vias->cut.at = message->lines[line].value;
            vias->cut.len = (uint16_t)(vias->next.at - message->bytes - vias->cut.at);
            return DROP_NONE;
        }
    }
    vias->cut.at = message->lines[line].name;
    vias->cut.len = (uint16_t)(sip_message_line_end(message, line) - vias->cut.at);
    line = sip_message_next(message, line);
    if (line == SIP_NO_LINE)
        return DROP_RESPONSE_NO_VIA;
    vias->next = cursor_over(sip_message_value(message, line));
    return DROP_NONE;
}

// RFC 3261 16.11: where the next Via says, by what the request had come in over. Over a stream the connection that it
// came by leads from the port that we noted; the sent-by is for when that is gone (18.2.2).
static bool answer_endpoint(const struct role *role, const struct sip_via *next, unsigned listener,
                            struct endpoint *to)
{
    if (!sip_via_response_endpoint(next, to))
        return false;
    to->transport = role->conf->listeners[listener].transport & 0xf;
    if (endpoint_is_stream(to) && next->rport != 0)
        to->port = next->rport;
    return role_hop_usable(to) && role->conf->listeners[listener].address.family == to->family;
}

static void forward(struct role *role, const struct sip_message *message, const struct arrival *arrival,
                    struct vias *vias, struct verdict *verdict, struct sip_edits *edits)
{
    struct sip_via next;
    struct endpoint to;

    if (!sip_via_take(&vias->next, &next)) {
        drop(verdict, DROP_RESPONSE_MALFORMED);
        return;
    }
    if (!answer_endpoint(role, &next, vias->branch.listener, &to)) {
        drop(verdict, DROP_RESPONSE_UNREACHABLE);
        return;
    }
    sip_edits_remove(edits, vias->cut.at, vias->cut.len);
    proxy_identity_note_response(role, message, arrival, &to, edits);
    proxy_contact_note(role, message, &arrival->source, edits);
    proxy_length_note(message, &to, edits);
    *verdict = (struct verdict){.to = to, .kind = VERDICT_FORWARD, .listener = vias->branch.listener};
}

// A response to what this server asks of its own: gateways.
static void take_probed(struct role *role, const struct sip_message *message,
                        const struct role_branch *branch, const struct clock *now, struct verdict *verdict)
{
    uint16_t gateway = proxy_branch_probed(role, branch);

    drop(verdict, gateway != GATEWAY_NONE ? DROP_RESPONSE_TO_PROBE : DROP_RESPONSE_FORGED);
    if (gateway != GATEWAY_NONE)
        proxy_probe_response(role, gateway, message->status, now);
}

static enum drop check(const struct role *role, const struct sip_message *message, enum sip_error parsed,
                       struct vias *vias, struct sip_cseq *cseq)
{
    enum drop taken = parsed != SIP_OK ? DROP_RESPONSE_MALFORMED : take_via(role, message, vias);

    if (taken != DROP_RESPONSE_MALFORMED &&
        sip_cseq_parse(sip_message_first(message, SIP_HEADER_CSEQ), cseq) != SIP_OK)
        return DROP_RESPONSE_MALFORMED; // nobody can match it (RFC 4475 3.1.2.5)
    if (taken != DROP_RESPONSE_MALFORMED && !vias->ours)
        return DROP_RESPONSE_NOT_OURS;
    return taken;
}

void proxy_response(struct role *role, const struct sip_message *message, enum sip_error parsed,
                    const struct arrival *arrival, struct verdict *verdict, struct sip_edits *edits)
{
    struct vias vias = {.ours = false, .branch = {.slot = ROLE_BRANCH_STATELESS}};
    struct sip_cseq cseq;
    enum drop wrong = check(role, message, parsed, &vias, &cseq);
    bool alone = wrong == DROP_RESPONSE_NO_VIA && vias.ours; // the answer to a request of our own
    bool known = vias.branch.slot != ROLE_BRANCH_STATELESS && role->transactions != NULL;

    // RFC 3261 18.1.2: a response is known by its Via, not by where it came from
    if (alone && vias.branch.slot == ROLE_BRANCH_PROBE) {
        take_probed(role, message, &vias.branch, &arrival->now, verdict);
    } else if (wrong != DROP_NONE && !(alone && known && cseq.method == SIP_METHOD_CANCEL)) {
        drop(verdict, wrong);
    } else if (vias.branch.slot == ROLE_BRANCH_STATELESS) {
        forward(role, message, arrival, &vias, verdict, edits);
    } else if (!known) {
        drop(verdict, DROP_RESPONSE_UNKNOWN);
    } else {
        struct proxy_event event = {
            .role = role,
            .now = arrival->now,
            .response = message,
            .arrival = arrival,
            .verdict = verdict,
            .edits = edits,
            .cut = vias.cut,
        };
        proxy_response_match(&event, &vias.branch, &cseq);
    }
}
