#include "role/hop.h"

#include "role/digest.h"
#include "sip/transport.h"

_Static_assert(SIP_TRANSPORT_ANY == NAME_TRANSPORT_ANY, "a URI that says none asks for any");

bool role_hop_usable(const struct endpoint *hop)
{
    if (hop->port == 0)
        return false;
    if (hop->family == ENDPOINT_IP4)
        return hop->address[0] != 0 && hop->address[0] < 224; // multicast and what lies above it
    static const uint8_t unspecified[16];
    return hop->family == ENDPOINT_IP6 && hop->address[0] != 0xff &&
           memcmp(hop->address, unspecified, sizeof(unspecified)) != 0;
}

bool role_hop_of(const struct sip_uri *uri, struct endpoint *hop)
{
    uint8_t transport;

    return sip_uri_transport(uri, &transport) && sip_uri_endpoint(uri, hop) && role_hop_usable(hop);
}

bool role_hop_by_tcp(const struct role *role, struct endpoint *hop, uint8_t *listener)
{
    int found = endpoint_is_stream(hop)
                    ? CONF_NONE
                    : role_route_listener_for(role->route, ENDPOINT_TCP, hop->family, *listener);

    if (found == CONF_NONE)
        return false;
    hop->transport = ENDPOINT_TCP;
    *listener = (uint8_t)found;
    return true;
}

uint64_t role_call_hash(const struct role_request *request)
{
    return hash_sip13(&request->role->secret, request->call_id.at, request->call_id.len).high;
}

enum role_targeting role_name_find(struct role_request *request, const struct name_question *question,
                                   const struct name_answer **answer)
{
    static const struct name_answer silence = {.failed = true};
    struct role *role = request->role;
    struct name_question kept = *question;

    if (kept.name.len == 0 || kept.name.len > NAME_TEXT_MAX)
        return ROLE_TARGET_NONE;
    memcpy(role->asked, kept.name.at, kept.name.len);
    kept.name.at = role->asked;
    *answer = name_find(role->names, &kept, request->arrival->now.ms);
    if (*answer == NULL && request->arrival->nameless)
        *answer = &silence;
    if (*answer != NULL)
        return ROLE_TARGET;
    if (request->resumed)
        return ROLE_TARGET_NONE;
    *request->verdict = (struct verdict){
        .kind = VERDICT_PARK,
        .name = kept.name,
        .name_port = kept.port,
        .name_kind = kept.kind,
        .name_transport = kept.transport,
    };
    return ROLE_TARGET_ANSWERED;
}

// Of the request-URI that it gets and the hop. Keyed, so that nobody registers a contact that passes for another's.
static uint32_t target_hash(const struct role_request *request, const struct role_target *target)
{
    struct slice hop = slice_of((const char *)&target->hop, sizeof(target->hop));
    uint64_t hash = request->role->secret.k0;

    hash = role_digest_mix(hash, target->uri.at != NULL ? target->uri : request->uri.text);
    hash = role_digest_mix(hash, target->uri_tail);
    return (uint32_t)role_digest_mix(hash, hop);
}

static bool was_tried(const struct role_tried *tried, uint32_t hash)
{
    for (unsigned i = 0; i < tried->n; i++) {
        if (tried->one[i].hash == hash)
            return true;
    }
    return false;
}

static bool asks_for_tls(const struct role_request *request, const struct role_target *target)
{
    return target->secure || request->uri.scheme == SIP_SCHEME_SIPS;
}

bool role_pick_offer(struct role_pick *pick, struct role_target *candidate)
{
    if (asks_for_tls(pick->request, candidate) && !endpoint_is_secure(&candidate->hop)) {
        pick->insecure = true;
        return false;
    }
    candidate->hash = target_hash(pick->request, candidate);
    if (was_tried(pick->tried, candidate->hash))
        return false;
    if (!pick->found) {
        *pick->target = *candidate;
        pick->found = true;
        return false;
    }
    if (candidate->hash == pick->target->hash) // the same twice is tried once (RFC 3261 16.5)
        return false;
    pick->target->more = true;
    return true;
}

static bool is_reached(const struct role_request *request, const struct endpoint *hop)
{
    return role_hop_usable(hop) &&
           role_route_listener_for(request->role->route, hop->transport, hop->family, CONF_NONE) != CONF_NONE;
}

static enum role_targeting offer_name(struct role_pick *pick, struct role_request *request,
                                      const struct name_question *question, struct role_target *candidate,
                                      bool *failed)
{
    const struct name_answer *answer;
    enum role_targeting found = role_name_find(request, question, &answer);
    uint64_t random = role_call_hash(request);

    if (found != ROLE_TARGET)
        return found;
    *failed = answer->failed;
    for (unsigned i = 0; name_hop(answer, random, i, &candidate->hop); i++) {
        if (is_reached(request, &candidate->hop) && role_pick_offer(pick, candidate))
            break;
    }
    return ROLE_TARGET;
}

// A sips request goes over TLS, whatever the configuration leaves open.
enum role_targeting role_pick_hop(struct role_pick *pick, struct role_request *request,
                                  const struct conf_hop *hop, struct role_target *candidate, bool *failed)
{
    const struct name_question question = {
        .name = slice_of(hop->host.text, hop->host.len),
        .port = hop->port,
        .kind =
            asks_for_tls(request, candidate) && hop->transport == CONF_TRANSPORT_ANY ? NAME_SIPS : NAME_SIP,
        .transport = hop->transport,
    };

    if (hop->address.family == ENDPOINT_NONE)
        return offer_name(pick, request, &question, candidate, failed);
    candidate->hop = hop->address;
    role_pick_offer(pick, candidate);
    return ROLE_TARGET;
}

// maddr is asked for in place of the host (RFC 3263 4).
static struct slice host_to_ask(const struct sip_uri *uri)
{
    struct slice host = uri->host;
    struct slice maddr;

    if (uri->params.len > 0 && sip_uri_param(uri, SLICE("maddr"), &maddr) && maddr.len > 0)
        host = maddr;
    return host;
}

// What nothing here could be sent over leads nowhere.
static bool speaks(const struct role_request *request, const struct sip_uri *uri, uint8_t *transport)
{
    const struct role_route *route = request->role->route;

    if (!sip_uri_transport(uri, transport))
        return false;
    if (*transport != SIP_TRANSPORT_ANY)
        return role_route_speaks(route, *transport);
    return uri->scheme == SIP_SCHEME_SIP || role_route_is_secure(route);
}

enum role_targeting role_pick_uri(struct role_pick *pick, struct role_request *request,
                                  const struct sip_uri *uri, struct role_target *candidate, bool *failed)
{
    struct name_question question = {
        .name = host_to_ask(uri),
        .port = uri->port,
        .kind = uri->scheme == SIP_SCHEME_SIPS ? NAME_SIPS : NAME_SIP,
    };

    if (!speaks(request, uri, &question.transport))
        return ROLE_TARGET;
    if (!sip_uri_endpoint(uri, &candidate->hop))
        return offer_name(pick, request, &question, candidate, failed);
    if (role_hop_usable(&candidate->hop))
        role_pick_offer(pick, candidate);
    return ROLE_TARGET;
}
