#include "role/request.h"

// The typed parsers say what is wrong with their own grammar; the header field it was in decides the answer.
static enum sip_error parse_address(const struct sip_message *message, enum sip_header id,
                                    enum sip_error error, struct sip_address *address, struct slice *tag)
{
    struct slice value = sip_message_first(message, id);

    if (value.at == NULL || sip_address_parse(value, address) != SIP_OK)
        return error;
    *tag = sip_address_tag(address);
    return SIP_OK;
}

static enum sip_error parse_to(struct role_request *request)
{
    if (request->steered->by != STEERED_BY_TO)
        return parse_address(request->message, SIP_HEADER_TO, SIP_ERROR_TO, &request->to, &request->to_tag);
    request->to = request->steered->named;
    request->to_tag = sip_address_tag(&request->to);
    return SIP_OK;
}

static enum sip_error parse_uri(struct role_request *request)
{
    const struct sip_message *message = request->message;

    if (request->steered->by != STEERED_BY_URI)
        return sip_uri_parse(sip_message_span(message, message->uri), &request->uri) == SIP_OK
                   ? SIP_OK
                   : SIP_ERROR_REQUEST_URI;
    request->uri = request->steered->named.uri;
    return SIP_OK;
}

static enum sip_error parse_via(struct role_request *request)
{
    struct slice value = sip_message_first(request->message, SIP_HEADER_VIA);
    struct cursor c = cursor_over(value);

    if (request->steered->has_via) {
        request->via = request->steered->via;
        return SIP_OK;
    }
    if (value.at == NULL)
        return SIP_ERROR_MISSING_VIA;
    return sip_via_take(&c, &request->via) ? SIP_OK : SIP_ERROR_VIA;
}

// Over 255 is out of range (RFC 3261 20.22) and counts as none: the value becomes the default.
static enum sip_error parse_max_forwards(struct role_request *request)
{
    struct slice value = sip_message_first(request->message, SIP_HEADER_MAX_FORWARDS);
    uint64_t number;

    request->has_max_forwards = false;
    if (value.at == NULL)
        return SIP_OK;
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return SIP_ERROR_MAX_FORWARDS;
    }
    if (value.len == 0)
        return SIP_ERROR_MAX_FORWARDS;
    request->has_max_forwards = slice_number(value, UINT8_MAX, &number);
    if (request->has_max_forwards)
        request->max_forwards = (uint16_t)number;
    return SIP_OK;
}

enum sip_error role_request_parse(struct role_request *request)
{
    const struct sip_message *message = request->message;
    enum sip_error error;

    request->uri_rewritten = false;
    request->trust = ROLE_TRUST_UNASKED;
    request->from_tag = request->to_tag = (struct slice){NULL, 0};
    request->call_id = sip_message_first(message, SIP_HEADER_CALL_ID);
    request->cseq.number = 0;
    request->mark = (struct hash128){0, 0};
    error = parse_via(request);
    if (error == SIP_OK)
        error = parse_address(message, SIP_HEADER_FROM, SIP_ERROR_FROM, &request->from, &request->from_tag);
    if (error == SIP_OK)
        error = parse_to(request);
    request->to_read = error == SIP_OK;
    if (error == SIP_OK)
        error = sip_message_has(message, SIP_HEADER_CSEQ)
                    ? sip_cseq_parse(sip_message_first(message, SIP_HEADER_CSEQ), &request->cseq)
                    : SIP_ERROR_MISSING_CSEQ;
    if (error == SIP_OK && request->call_id.len == 0)
        error = SIP_ERROR_CALL_ID;
    if (error == SIP_OK)
        error = parse_uri(request);
    if (error == SIP_OK)
        error = parse_max_forwards(request);
    return error;
}
