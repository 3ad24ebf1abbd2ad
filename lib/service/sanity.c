// What a request must satisfy before any role looks at it, in the order of RFC 3261 16.3 and 8.2.
#include "role/trust.h"
#include "service/parts.h"

static bool refuse(struct role_request *request, enum sip_error error)
{
    uint16_t status = sip_error_status(error);

    if (status == 0)
        role_drop(request, DROP_PARSE);
    else
        role_answer(request, status, sip_error_text(error));
    return false;
}

// RFC 3261 8.1.1.5: the CSeq's method is the request's.
static bool cseq_matches(const struct role_request *request)
{
    const struct sip_message *message = request->message;

    return request->cseq.method == message->method &&
           (message->method != SIP_METHOD_OTHER ||
            slice_equal(request->cseq.method_text, sip_message_span(message, message->method_text)));
}

// Also a Via that is broken behind its sent-by says where to answer (RFC 4475 3.1.2.1).
static bool can_be_answered(const struct role_request *request, enum sip_error typed)
{
    return typed != SIP_ERROR_MISSING_VIA && (typed != SIP_ERROR_VIA || request->via.host.len > 0);
}

static bool refuse_cseq_method(struct role_request *request)
{
    if (request->message->method != SIP_METHOD_OTHER)
        return refuse(request, SIP_ERROR_CSEQ_METHOD);
    role_answer(request, 501, NULL); // who comes with a method of the future learns more (RFC 4475 3.1.2.18)
    return false;
}

// sips asks for TLS on every hop (RFC 3261 26.2.2): where no listener has it the scheme is not supported (RFC 5630
// 5.1.2: 416); what came without it has broken the promise already, unless we know of our own network that it keeps it.
static bool may_be_sips(struct role_request *request)
{
    if (!role_route_is_secure(request->role->route))
        return refuse(request, SIP_ERROR_URI_SCHEME);
    if (endpoint_is_secure(&request->arrival->source) || role_trusts(request))
        return true;
    role_answer(request, 403, "SIPS Needs TLS");
    return false;
}

bool service_request_sane(struct role_request *request, enum sip_error parsed)
{
    const struct sip_message *message = request->message;
    const struct conf *conf = request->role->conf;

    if (message->kind != SIP_REQUEST) {
        role_drop(request, parsed == SIP_ERROR_EMPTY ? DROP_KEEPALIVE : DROP_PARSE);
        return false;
    }
    // a tool that probes for open relays learns nothing from silence
    if (role_route_scanner(request->role->route, sip_message_first(message, SIP_HEADER_USER_AGENT))) {
        role_drop(request, DROP_SCANNER);
        return false;
    }
    enum sip_error typed = role_request_parse(request);
    if (!can_be_answered(request, typed)) {
        role_drop(request, DROP_PARSE);
        return false;
    }
    if (parsed != SIP_OK)
        return refuse(request, parsed);
    if (message->len > conf->message_max)
        return refuse(request, SIP_ERROR_TOO_LONG);
    if (message->uri.len > conf->uri_max) {
        role_answer(request, 414, NULL);
        return false;
    }
    if (typed != SIP_OK)
        return refuse(request, typed);
    if (!cseq_matches(request))
        return refuse_cseq_method(request);
    // RFC 3261 19.1.1 table 1: no headers here. Forwarded, they would become header fields somewhere.
    if (request->uri.headers.len > 0)
        return refuse(request, SIP_ERROR_REQUEST_URI);
    if (request->uri.scheme == SIP_SCHEME_SIPS)
        return may_be_sips(request);
    if (request->uri.scheme != SIP_SCHEME_SIP && request->uri.scheme != SIP_SCHEME_TEL)
        return refuse(request, SIP_ERROR_URI_SCHEME);
    return true;
}
