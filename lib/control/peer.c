#include "control/peer.h"

#include "control/loop.h"
#include "name/name.h"
#include "role/policy.h"
#include "sip/address.h"
#include "sip/message.h"
#include "sip/via.h"

static const struct role_policy *policy_of(const struct control *control)
{
    return *control->setup.policy;
}

// What the certificate of a gateway or hop must name: as it is configured, or as it is looked up.
static struct slice name_of(const struct conf_hop *hop, const struct conf_text *identity)
{
    const struct conf_text *text = identity != NULL && identity->len > 0 ? identity : &hop->host;

    return slice_of(text->text, text->len);
}

uint16_t control_peer_identify(void *owner, struct slice name)
{
    const struct role_policy *policy = policy_of(owner);
    const struct conf *conf = policy->conf;
    int found = CONF_NONE;

    for (unsigned i = 0; i < conf->gateways_n; i++) {
        const struct conf_gateway *gateway = &conf->gateways[i];
        if ((found == CONF_NONE || (gateway->trusted && !conf->gateways[found].trusted)) &&
            slice_equal_nocase(name_of(&gateway->address, &gateway->identity), name))
            found = (int)i;
    }
    return found == CONF_NONE ? 0 : (uint16_t)(1 + gateway_slot_of(policy->gateways, (unsigned)found));
}

static bool is_at(const struct endpoint *place, const struct endpoint *to)
{
    return endpoint_same_address(place, to) && place->port == to->port;
}

// Whether the hop's address is this one, or its name led there. As a reader of the names.
static bool leads_to(const struct control *control, const struct conf_hop *hop, const struct endpoint *to)
{
    struct name_question question = {.name = slice_of(hop->host.text, hop->host.len),
                                     .port = hop->port,
                                     .kind = NAME_SIP,
                                     .transport = hop->transport};

    if (hop->address.family != ENDPOINT_NONE)
        return is_at(&hop->address, to);
    const struct name_answer *answer = name_find(control->setup.names, &question, control->now_ms);
    for (unsigned i = 0; answer != NULL && i < answer->hops_n; i++) {
        if (is_at(&answer->hops[i].endpoint, to))
            return true;
    }
    return false;
}

static struct slice configured(const struct control *control, const struct endpoint *to)
{
    const struct conf *conf = policy_of(control)->conf;

    for (unsigned i = 0; i < conf->gateways_n; i++) {
        if (leads_to(control, &conf->gateways[i].address, to))
            return name_of(&conf->gateways[i].address, &conf->gateways[i].identity);
    }
    for (unsigned i = 0; i < conf->routes_n; i++) {
        const struct conf_hop *hop = &conf->routes[i].hop;
        if (conf->routes[i].action == CONF_ACTION_HOP && leads_to(control, hop, to))
            return name_of(hop, NULL);
    }
    return SLICE("");
}

// The host that a request is for next (RFC 3261 8.1.2, 16.6 step 7), or that a response goes back to (18.2.2).
static struct slice host_of(const struct sip_message *message)
{
    struct sip_address route;
    struct sip_uri uri;
    struct sip_via via;
    struct cursor c;

    if (message->kind == SIP_RESPONSE) {
        c = cursor_over(sip_message_first(message, SIP_HEADER_VIA));
        return sip_via_take(&c, &via) ? via.host : SLICE("");
    }
    c = cursor_over(sip_message_first(message, SIP_HEADER_ROUTE));
    if (sip_message_has(message, SIP_HEADER_ROUTE) && sip_address_take(&c, &route))
        return route.uri.host;
    return sip_uri_parse(sip_message_span(message, message->uri), &uri) == SIP_OK ? uri.host : SLICE("");
}

static struct slice addressed(const struct rte_mbuf *mbuf)
{
    struct sip_message message; // the packet's own index is of the message before its edits

    if (sip_message_parse(&message, rte_pktmbuf_mtod(mbuf, const char *), mbuf->data_len) != SIP_OK)
        return SLICE("");
    return host_of(&message);
}

bool control_peer_expect(void *owner, const struct endpoint *to, const struct rte_mbuf *mbuf, char *name)
{
    const struct control *control = owner;
    unsigned reader = control->setup.workers_n; // the number behind the last worker's is control's
    struct endpoint address;

    rte_rcu_qsbr_thread_register(control->setup.qsbr, reader);
    rte_rcu_qsbr_thread_online(control->setup.qsbr, reader);
    struct slice host = configured(control, to);
    rte_rcu_qsbr_thread_offline(control->setup.qsbr, reader);
    rte_rcu_qsbr_thread_unregister(control->setup.qsbr, reader);
    if (host.len == 0)
        host = addressed(mbuf);
    if (host.len == 0 || host.len >= CONTROL_PEER_NAME_MAX || endpoint_parse_host(host, &address))
        return false;
    memcpy(name, host.at, host.len);
    name[host.len] = 0;
    return true;
}
