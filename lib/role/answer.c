// Answers that this server gives itself, and their To tags (RFC 3261 8.2.6, 8.2.7, 18.2.2).
#include "role/digest.h"
#include "role/hex.h"
#include "role/request.h"
#include "sip/contact.h"
#include "sip/reply.h"
#include "sip/token.h"

#define TAG_PREFIX "stg-"
#define TAG_LEN    (sizeof(TAG_PREFIX) - 1 + 16)

void role_drop(struct role_request *request, enum drop drop)
{
    *request->verdict = (struct verdict){.kind = VERDICT_DROP, .drop = (uint8_t)drop};
}

// Made of what a request shares with its retransmissions and with the ACK to its negative answer. The key makes it
// unique and not guessable (RFC 3261 19.3). Request-URI and branch tell this hop from the others of the same call: an
// answer of ours may pass us once more on its way back from somebody who sent the request here, and the ACK to that is
// his.
struct hash128 role_request_mark(struct role_request *request)
{
    const struct sip_message *message = request->message;
    enum sip_method method = message->method == SIP_METHOD_ACK ? SIP_METHOD_INVITE : message->method;
    struct role_digest digest;

    if (hash128_equal(request->mark, (struct hash128){0, 0})) {
        role_digest_begin(&digest, &request->role->secret, ROLE_DIGEST_TAG);
        role_digest_put(&digest, request->call_id);
        role_digest_put(&digest, request->from_tag);
        role_digest_put_number(&digest, request->cseq.number);
        role_digest_put_number(&digest, method);
        role_digest_put(&digest, sip_message_span(message, message->uri));
        role_digest_put(&digest, request->via.branch);
        request->mark = role_digest_end(&digest);
    }
    return request->mark;
}

// Always the same (RFC 3261 8.2.7), and known again without state.
static void write_tag(struct role_request *request, char tag[TAG_LEN])
{
    uint64_t number = role_request_mark(request).low;

    memcpy(tag, TAG_PREFIX, sizeof(TAG_PREFIX) - 1);
    tag = role_hex_write(tag + sizeof(TAG_PREFIX) - 1, (uint32_t)(number >> 32));
    role_hex_write(tag, (uint32_t)number);
}

bool role_request_acks_us(struct role_request *request)
{
    char tag[TAG_LEN];

    if (request->to_tag.len != TAG_LEN || !slice_starts(request->to_tag, SLICE(TAG_PREFIX)))
        return false;
    write_tag(request, tag);
    return slice_equal(request->to_tag, slice_of(tag, TAG_LEN));
}

static void put_source_host(struct sip_edits *edits, const struct endpoint *source)
{
    char host[ENDPOINT_TEXT_MAX];
    unsigned len = endpoint_write_host(source, host);

    // via-received has no brackets around an IPv6address (RFC 3261 25.1)
    if (source->family == ENDPOINT_IP6)
        sip_edits_put(edits, slice_of(host + 1, len - 2));
    else
        sip_edits_put(edits, slice_of(host, len));
}

static bool sent_by_is_source(const struct role_request *request)
{
    struct endpoint sent_by;

    return endpoint_parse_host(request->via.host, &sent_by) &&
           endpoint_same_address(&sent_by, &request->arrival->source);
}

static void put_rport(struct sip_edits *edits, const struct endpoint *source)
{
    sip_edits_put(edits, SLICE("rport="));
    sip_edits_put_number(edits, source->port);
}

static void put_received(struct sip_edits *edits, const struct endpoint *source)
{
    sip_edits_put(edits, SLICE(";received="));
    put_source_host(edits, source);
}

void role_request_stamp(struct role_request *request)
{
    const struct sip_via *via = &request->via;
    const struct endpoint *source = &request->arrival->source;
    struct sip_edits *edits = request->edits;

    if (via->text.at == NULL) // malformed: it is given back as it came
        return;
    const char *end = via->text.at + via->text.len;
    bool rport_last = via->has_rport && via->rport_at.at + via->rport_at.len == end;
    // Over a stream the port is noted whether it is asked for or not: by it a response finds its connection again where
    // nobody remembers the request (16.11).
    bool adds_rport = !via->has_rport && endpoint_is_stream(source);
    bool adds_received = via->received.at == NULL && (via->has_rport || !sent_by_is_source(request));
    if (via->received.at != NULL) { // whoever wrote it does not know better than the packet
        sip_edits_begin(edits, role_request_offset(request, via->received.at), (uint16_t)via->received.len);
        put_source_host(edits, source);
        sip_edits_end(edits);
    }
    if (!rport_last && (adds_received || adds_rport)) {
        sip_edits_begin(edits, role_request_offset(request, end), 0);
        if (adds_rport) {
            sip_edits_put(edits, SLICE(";"));
            put_rport(edits, source);
        }
        if (adds_received)
            put_received(edits, source);
        sip_edits_end(edits);
    }
    if (via->has_rport) {
        sip_edits_begin(edits, role_request_offset(request, via->rport_at.at), (uint16_t)via->rport_at.len);
        put_rport(edits, source);
        if (rport_last && adds_received) // mostly so: both are one edit
            put_received(edits, source);
        sip_edits_end(edits);
    }
}

void role_request_stamp_spare(struct role_request *request)
{
    struct sip_edits *edits = request->edits;

    request->edits = &request->role->spare;
    sip_edits_clear(request->edits);
    role_request_stamp(request);
    request->edits = edits;
}

// RFC 3261 18.2.2 with RFC 3581 4: over a stream the connection that the request came by. A maddr that cannot be used
// (a name, multicast, the other family) leaves the source address, from which the request surely came.
struct endpoint role_answer_endpoint(const struct role_request *request)
{
    const struct sip_via *via = &request->via;
    struct endpoint to = request->arrival->source;
    struct endpoint maddr;

    if (endpoint_is_stream(&to))
        return to;
    if (via->maddr.at != NULL && endpoint_parse_host(via->maddr, &maddr) && maddr.family == to.family) {
        maddr.port = via->port != 0 ? via->port : 5060;
        if (role_hop_usable(&maddr))
            return maddr;
    }
    if (!via->has_rport)
        to.port = via->port != 0 ? via->port : 5060;
    return to;
}

void role_answer_lines_begin(const struct role_request *request, struct role_text *lines)
{
    role_text_begin(lines);
    role_text_put(lines, role_route_server_line(request->role->route));
}

static void answer_with(struct role_request *request, const struct sip_reply *reply)
{
    role_request_stamp(request);
    sip_reply_note(request->message, reply, request->edits);
    *request->verdict = (struct verdict){
        .to = role_answer_endpoint(request),
        .status = reply->status,
        .kind = VERDICT_REPLY,
        .listener = request->arrival->listener,
    };
}

void role_answer_lines(struct role_request *request, uint16_t status, const char *reason, struct slice lines)
{
    char tag[TAG_LEN];

    if (request->message->method == SIP_METHOD_ACK) {
        role_drop(request, DROP_ACK_UNROUTABLE);
        return;
    }
    write_tag(request, tag);
    const struct sip_reply reply = {
        .status = status,
        .reason = reason,
        .to_tag = slice_of(tag, TAG_LEN),
        .to = request->to_read ? &request->to : NULL,
        .lines = lines,
    };
    answer_with(request, &reply);
}

void role_answer_dialog(struct role_request *request, uint16_t status, struct slice to_tag,
                        struct slice lines)
{
    const struct sip_reply reply = {
        .status = status,
        .to_tag = to_tag,
        .to = &request->to,
        .lines = lines,
        .record_route = true,
    };

    answer_with(request, &reply);
}

void role_answer(struct role_request *request, uint16_t status, const char *reason)
{
    role_answer_lines(request, status, reason, role_route_server_line(request->role->route));
}

void role_answer_later(struct role_request *request, const char *reason, uint32_t seconds)
{
    struct role_text lines;

    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Retry-After: "));
    role_text_put_number(&lines, seconds);
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 503, reason, role_text_slice(&lines));
}

void role_answer_unavailable(struct role_request *request, const char *reason)
{
    role_answer_later(request, reason, request->role->conf->retry_after);
}

void role_answer_not_allowed(struct role_request *request, uint32_t methods)
{
    struct role_text lines;

    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Allow: "));
    role_text_put_methods(&lines, methods);
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 405, NULL, role_text_slice(&lines));
}

bool role_supports(struct role_request *request, enum sip_header id, struct slice known)
{
    struct role_text lines;
    bool supported = true;

    if (!sip_message_has(request->message, id))
        return true;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Unsupported: "));
    SIP_FOREACH_LINE(line, request->message, id) {
        struct cursor c = cursor_over(sip_message_value(request->message, line));
        struct slice option;
        while (sip_take_element(&c, &option)) {
            if (sip_list_has(known, option))
                continue;
            if (!supported)
                role_text_put(&lines, SLICE(", "));
            role_text_put(&lines, option);
            supported = false;
        }
        if (c.error != 0) {
            role_answer(request, 400, sip_error_text(SIP_ERROR_OPTION_TAG));
            return false;
        }
    }
    role_text_put(&lines, SLICE("\r\n"));
    if (supported)
        return true;
    if (lines.full) // nobody asks for that many in earnest
        role_answer(request, 420, NULL);
    else
        role_answer_lines(request, 420, NULL, role_text_slice(&lines));
    return false;
}

void role_text_put_methods(struct role_text *text, uint32_t methods)
{
    bool first = true;

    for (unsigned method = SIP_METHOD_OTHER + 1; method < SIP_METHOD_COUNT; method++) {
        if (!(methods & SIP_METHOD_BIT(method)))
            continue;
        if (!first)
            role_text_put(text, SLICE(", "));
        role_text_put(text, sip_method_name((enum sip_method)method));
        first = false;
    }
}

// Rounded up: a binding that lives has at least a second.
void role_text_put_binding_params(struct role_text *text, const struct location_binding *binding,
                                  uint64_t now_ms)
{
    role_text_put(text, SLICE(";expires="));
    role_text_put_number(text, (binding->expires_ms - now_ms + 999) / 1000);
    if (binding->q >= SIP_Q_DEFAULT)
        return;
    char q[] = {'0', '.', (char)('0' + binding->q / 100), (char)('0' + binding->q / 10 % 10),
                (char)('0' + binding->q % 10)};
    role_text_put(text, SLICE(";q="));
    role_text_put(text, slice_of(q, binding->q % 100 == 0 ? 3 : binding->q % 10 == 0 ? 4 : 5));
}

void role_answer_withdraw(const struct sip_message *answer, struct slice start_line, uint32_t seconds,
                          uint64_t success, struct sip_edits *edits)
{
    sip_edits_replace(edits, 0, answer->lines[0].name, start_line);
    sip_edits_begin(edits, answer->lines[0].name, 0);
    sip_edits_put(edits, SLICE("Retry-After: "));
    sip_edits_put_number(edits, seconds);
    sip_edits_put(edits, SLICE("\r\n"));
    sip_edits_end(edits);
    for (unsigned line = 0; line < answer->lines_n; line++) {
        uint16_t at = answer->lines[line].name;
        if (success >> answer->lines[line].id & 1)
            sip_edits_remove(edits, at, (uint16_t)(answer->lines[line + 1].name - at));
    }
}
