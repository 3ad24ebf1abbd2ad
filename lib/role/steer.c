// Which worker serves a message, and what it will look up.
#include "role/branch.h"

// The key of an address of record when the URI is in one of our domains and has a user.
static bool key_of(const struct role *role, const struct sip_uri *uri, struct hash128 *key)
{
    char aor[SIP_AOR_MAX];

    if (uri->user.len == 0)
        return false;
    struct role_where where = role_route_where(role->route, uri);
    if (where.place != ROLE_DOMAIN)
        return false;
    unsigned len = role_aor_write(role, uri, where.domain, aor);
    if (len > 0)
        *key = location_key(role->location, slice_of(aor, len));
    return len > 0;
}

static bool read_to(const struct sip_message *message, struct sip_address *to)
{
    struct slice value = sip_message_first(message, SIP_HEADER_TO);

    return value.at != NULL && sip_address_parse(value, to) == SIP_OK;
}

static bool key_of_request_uri(const struct role *role, const struct sip_message *message,
                               struct hash128 *key)
{
    struct sip_uri uri;

    return sip_uri_parse(sip_message_span(message, message->uri), &uri) == SIP_OK && key_of(role, &uri, key);
}

static uint16_t worker_of_call(const struct role *role, const struct sip_message *message, unsigned workers)
{
    struct slice call_id = sip_message_first(message, SIP_HEADER_CALL_ID);

    if (workers < 2 || call_id.at == NULL)
        return 0;
    return (uint16_t)(hash_sip13(&role->secret, call_id.at, call_id.len).low % workers);
}

static void steer_response(const struct role *role, const struct sip_message *message, unsigned workers,
                           struct role_steer *steer)
{
    struct slice via = sip_message_first(message, SIP_HEADER_VIA);
    struct role_branch branch;
    struct slice rest;

    if (role_branch_find(via, &branch, &rest) && branch.worker < workers)
        steer->worker = branch.worker;
    else
        steer->worker = worker_of_call(role, message, workers);
}

void role_steer(const struct role *role, const struct sip_message *message, unsigned workers,
                struct role_steer *steer)
{
    steer->has_aor = false;
    steer->worker = 0;
    if (message->kind == SIP_RESPONSE) {
        steer_response(role, message, workers, steer);
        return;
    }
    if (message->kind != SIP_REQUEST)
        return;
    bool by_aor = false;
    struct sip_address to;
    switch (message->method) {
    case SIP_METHOD_REGISTER:
        steer->has_aor = by_aor = read_to(message, &to) && key_of(role, &to.uri, &steer->aor);
        break;
    case SIP_METHOD_SUBSCRIBE: // in a dialog it is the call's
        steer->has_aor = key_of_request_uri(role, message, &steer->aor);
        by_aor = steer->has_aor && read_to(message, &to) && to.tag.at == NULL;
        break;
    default:
        steer->has_aor = key_of_request_uri(role, message, &steer->aor);
        by_aor = steer->has_aor && message->method == SIP_METHOD_PUBLISH;
    }
    steer->worker = by_aor ? (uint16_t)location_owner(role->location, steer->aor)
                           : worker_of_call(role, message, workers);
}
