// What a message says of identities and of ways back, kept within the trust domain.
#include "proxy/core.h"
#include "role/flow.h"
#include "role/trust.h"
#include "sip/token.h"

static void remove_line(const struct sip_message *message, unsigned line, struct sip_edits *edits)
{
    uint16_t name = message->lines[line].name;

    sip_edits_remove(edits, name, (uint16_t)(sip_message_line_end(message, line) - name));
}

static void remove_lines(const struct sip_message *message, enum sip_header id, struct sip_edits *edits)
{
    SIP_FOREACH_LINE(line, message, id)
        remove_line(message, line, edits);
}

// RFC 3323 4.2: tokens with semicolons between them; the wild has commas, too.
static bool asks_privacy(const struct sip_message *message, struct slice wanted)
{
    SIP_FOREACH_LINE(line, message, SIP_HEADER_PRIVACY) {
        struct slice list = sip_message_value(message, line);
        for (uint32_t at = 0; at < list.len;) {
            struct slice rest = slice_of(list.at + at, list.len - at);
            uint32_t semicolon = slice_find(rest, ';'), comma = slice_find(rest, ',');
            uint32_t len = semicolon < comma ? semicolon : comma;
            if (slice_equal_nocase(slice_trim(slice_of(rest.at, len)), wanted))
                return true;
            at += len + 1;
        }
    }
    return false;
}

// RFC 3325 7: "id" takes it away from the untrusted, "none" forbids to; where the user says neither, Spec(T) here is
// that it stays within the domain.
static bool may_leave(const struct sip_message *message)
{
    return asks_privacy(message, SLICE("none")) && !asks_privacy(message, SLICE("id"));
}

static bool has_identity(const struct sip_message *message)
{
    return sip_message_has(message, SIP_HEADER_P_ASSERTED_IDENTITY) ||
           sip_message_has(message, SIP_HEADER_P_PREFERRED_IDENTITY);
}

// RFC 3325 5, 9.2: what the untrusted assert is not passed on; what they prefer was meant for this server, which
// asserts nothing yet.
static void note_identity(const struct sip_message *message, bool from_trusted, bool to_trusted,
                          struct sip_edits *edits)
{
    if (!from_trusted || (!to_trusted && !may_leave(message)))
        remove_lines(message, SIP_HEADER_P_ASSERTED_IDENTITY, edits);
    if (!from_trusted || !to_trusted)
        remove_lines(message, SIP_HEADER_P_PREFERRED_IDENTITY, edits);
}

// A value that this server wrote in this very call, which comes round to it again (RFC 3261 16.6: a spiral).
static bool wrote_value(const struct role_request *request, struct slice value)
{
    struct sip_address address;
    struct endpoint peer;
    unsigned listener;

    return sip_address_parse(value, &address) == SIP_OK && address.uri.user.len > 0 &&
           role_route_where(request->role->route, &address.uri).listener != CONF_NONE &&
           role_flow_read(request->role, request->call_id, address.uri.user, &peer, &listener) ==
               ROLE_TOKEN_OURS;
}

static bool wrote_line(const struct role_request *request, unsigned line)
{
    struct cursor c = cursor_over(sip_message_value(request->message, line));
    struct slice value;

    while (sip_take_element(&c, &value)) {
        if (!wrote_value(request, value))
            return false;
    }
    return c.error == 0;
}

// A way back that a stranger made up would have requests of our users sent along it. In a dialog it changes nothing
// for the ends (RFC 3261 16.6 step 4), and a Path is a registration's alone (RFC 3327 4).
static void note_ways_back(struct role_request *request)
{
    const struct sip_message *message = request->message;

    remove_lines(message, SIP_HEADER_PATH, request->edits);
    SIP_FOREACH_LINE(line, message, SIP_HEADER_RECORD_ROUTE) {
        if (!wrote_line(request, line))
            remove_line(message, line, request->edits);
    }
}

void proxy_identity_note(struct role_request *request, const struct role_target *target)
{
    const struct sip_message *message = request->message;

    if (has_identity(message))
        note_identity(message, role_trusts(request), target->trusted, request->edits);
    if (!sip_message_has(message, SIP_HEADER_RECORD_ROUTE) && !sip_message_has(message, SIP_HEADER_PATH))
        return;
    if (!request->routes.proven && !role_trusts(request))
        note_ways_back(request);
}

void proxy_identity_note_response(struct role *role, const struct sip_message *message,
                                  const struct arrival *arrival, const struct endpoint *to,
                                  struct sip_edits *edits)
{
    if (has_identity(message))
        note_identity(message, role_trusts_arrival(role, arrival), role_trusts_endpoint(role, to), edits);
}
