// Which worker serves a message, and what it will look up.
#include "role/branch.h"

#include "role/digest.h"
#include "role/presentity.h"
#include "sip/via.h"

// Whose the URI is, and the key of its address of record when it is in one of our domains and has a user.
static void find_aor(const struct role *role, struct steered *steered)
{
    const struct sip_uri *uri = &steered->named.uri;
    struct role_where where = role_route_where(role->route, uri);
    char aor[SIP_AOR_MAX];

    steered->place = where.place;
    steered->listener = where.listener;
    steered->domain = where.domain;
    if (where.place != ROLE_DOMAIN || uri->user.len == 0)
        return;
    unsigned len = role_aor_write(role, uri, where.domain, aor);
    if (len == 0)
        return;
    steered->aor = location_key(role->location, slice_of(aor, len));
    steered->has_aor = true;
}

// Each keeps what it reads, whether it leads to an address of record or not.
static void read_to(const struct role *role, const struct sip_message *message, struct steered *steered)
{
    struct slice value = sip_message_first(message, SIP_HEADER_TO);

    if (value.at == NULL || sip_address_parse(value, &steered->named) != SIP_OK)
        return;
    steered->by = STEERED_BY_TO;
    find_aor(role, steered);
}

static void read_request_uri(const struct role *role, const struct sip_message *message,
                             struct steered *steered)
{
    if (sip_uri_parse(sip_message_span(message, message->uri), &steered->named.uri) != SIP_OK)
        return;
    steered->by = STEERED_BY_URI;
    find_aor(role, steered);
}

// The owner of what a SUBSCRIBE is about: of the address of record where it makes a dialog, and as our tag says in one
// that was made here. False: it is the call's, as any other in a dialog.
static bool steer_subscribe(const struct role *role, const struct sip_message *message,
                            struct steered *steered)
{
    struct slice value = sip_message_first(message, SIP_HEADER_TO);
    struct role_dialog_tag tag;
    struct sip_address to;

    if (value.at == NULL || sip_address_parse(value, &to) != SIP_OK)
        return false;
    if (to.tag.at != NULL && !role_dialog_tag_read(to.tag, &tag))
        return false;
    if (to.tag.at == NULL && !steered->has_aor)
        return false;
    struct hash128 key = to.tag.at != NULL ? role_dialog_tag_key(&tag) : steered->aor;
    steered->worker = (uint16_t)location_owner(role->location, key);
    return true;
}

// The branch alone makes the key one that nobody guesses; sent-by and a method without a number only tell apart what
// shares a branch, which is its sender's own doing.
struct hash128 role_via_key(const struct role *role, const struct sip_message *message,
                            const struct sip_via *via)
{
    const struct hash_key secret = {role->secret.k0 ^ ROLE_DIGEST_TRANSACTION, role->secret.k1};
    struct hash128 key = hash_sip13(&secret, via->branch.at, via->branch.len);

    key.low = role_digest_mix_lower(key.low, via->host) + (via->port != 0 ? via->port : 5060);
    if (message->method == SIP_METHOD_OTHER)
        key.low = role_digest_mix(key.low, sip_message_span(message, message->method_text));
    return key;
}

// The top Via, and what the server transaction is found by where the Via says it all.
static void read_via(const struct role *role, const struct sip_message *message, struct steered *steered)
{
    struct slice via = sip_message_first(message, SIP_HEADER_VIA);
    struct cursor c = cursor_over(via);

    steered->has_via = via.at != NULL && sip_via_take(&c, &steered->via);
    steered->has_transaction =
        role->transactions != NULL && steered->has_via && role_via_is_unique(&steered->via);
    if (steered->has_transaction)
        steered->transaction = role_via_key(role, message, &steered->via);
}

static uint16_t worker_of_call(const struct role *role, const struct sip_message *message, unsigned workers)
{
    struct slice call_id = sip_message_first(message, SIP_HEADER_CALL_ID);

    if (workers < 2 || call_id.at == NULL)
        return 0;
    return (uint16_t)(hash_sip13(&role->secret, call_id.at, call_id.len).low % workers);
}

static uint16_t worker_of_response(const struct role *role, const struct sip_message *message,
                                   unsigned workers, struct steered *steered)
{
    struct slice via = sip_message_first(message, SIP_HEADER_VIA);
    struct role_branch branch;
    struct slice rest;

    // back as it was pushed, our branch is at the very end; else it is somewhere
    struct slice end =
        via.len > ROLE_BRANCH_LEN ? slice_of(via.at + via.len - ROLE_BRANCH_LEN, ROLE_BRANCH_LEN) : via;
    if ((role_branch_parse(end, &branch) || role_branch_find(via, &branch, &rest)) &&
        branch.worker < workers) {
        steered->slot = branch.slot;
        return branch.worker;
    }
    return worker_of_call(role, message, workers);
}

void role_steer(const struct role *role, const struct sip_message *message, unsigned workers,
                struct steered *steered)
{
    bool by_aor;

    steered->has_aor = false;
    steered->has_via = steered->has_transaction = false;
    steered->slot = TRANSACTION_NONE;
    steered->by = STEERED_BY_NOTHING;
    steered->worker = 0;
    if (message->kind == SIP_RESPONSE)
        steered->worker = worker_of_response(role, message, workers, steered);
    if (message->kind != SIP_REQUEST)
        return;
    if (message->method == SIP_METHOD_REGISTER)
        read_to(role, message, steered);
    else
        read_request_uri(role, message, steered);
    if (message->method !=
        SIP_METHOD_REGISTER) // which is mostly for the registrar, and that has no transactions
        read_via(role, message, steered);
    switch (message->method) {
    case SIP_METHOD_REGISTER:
    case SIP_METHOD_PUBLISH:
        by_aor = steered->has_aor;
        break;
    case SIP_METHOD_SUBSCRIBE:
        if (steer_subscribe(role, message, steered))
            return;
        by_aor = false;
        break;
    default:
        by_aor = false;
    }
    steered->worker = by_aor ? (uint16_t)location_owner(role->location, steered->aor)
                             : worker_of_call(role, message, workers);
}
