#include "service/drain.h"

static bool is_new(const struct role_request *request)
{
    unsigned method = request->message->method;

    return request->to_tag.at == NULL && method != SIP_METHOD_ACK && method != SIP_METHOD_CANCEL &&
           !arrival_is_operators(request->arrival);
}

// RFC 3261 21.3.3: the user as he was asked for, at the peer.
static void redirect(struct role_request *request)
{
    const struct service_drain *drain = request->role->drain;
    struct role_text lines;

    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Contact: <sip:"));
    if (request->uri.user.len > 0) {
        role_text_put(&lines, request->uri.user);
        role_text_put(&lines, SLICE("@"));
    }
    role_text_put(&lines, slice_of(drain->peer, drain->peer_len));
    if (request->uri.scheme == SIP_SCHEME_TEL)
        role_text_put(&lines, SLICE(";user=phone"));
    role_text_put(&lines, SLICE(">\r\n"));
    if (lines.full)
        role_answer_unavailable(request, NULL);
    else
        role_answer_lines(request, 302, NULL, role_text_slice(&lines));
}

bool service_drain_refuses(struct role_request *request)
{
    if (!is_new(request))
        return false;
    if (request->role->drain->peer_len > 0)
        redirect(request);
    else
        role_answer_unavailable(request, NULL);
    return true;
}
