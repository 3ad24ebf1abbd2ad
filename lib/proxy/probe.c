// OPTIONS to gateways (RFC 3261 11): what is due is sent, sent again as Timer E says, and given up.
#include "proxy/probe.h"

#include "name/name.h"
#include "role/digest.h"
#include "role/hex.h"
#include "role/policy.h"
#include "sip/transport.h"

#define BEGUN_A_TURN 8 // so that many gateways that are due at once do not hold up the packets
#define TEXT_MAX     2048

// The upper half of the transaction part is the gateway, the lower says that we wrote it.
static uint64_t probe_part(const struct role *role, uint16_t gateway)
{
    struct role_digest digest;

    role_digest_begin(&digest, &role->secret, ROLE_DIGEST_PROBE);
    role_digest_put_number(&digest, gateway);
    return (uint64_t)gateway << 48 | role_digest_end(&digest).low >> 16;
}

struct role_branch proxy_branch_probe(const struct role *role, uint16_t gateway, unsigned listener)
{
    return (struct role_branch){
        .transaction = probe_part(role, gateway),
        .slot = ROLE_BRANCH_PROBE,
        .worker = role->worker,
        .listener = (uint8_t)listener,
    };
}

uint16_t proxy_branch_probed(const struct role *role, const struct role_branch *branch)
{
    uint16_t gateway = (uint16_t)(branch->transaction >> 48);

    return branch->slot == ROLE_BRANCH_PROBE && branch->transaction == probe_part(role, gateway)
               ? gateway
               : GATEWAY_NONE;
}

struct text {
    unsigned len;
    char bytes[TEXT_MAX];
};

// Everything that goes in is bounded by the configuration, far below TEXT_MAX.
static void put(struct text *text, struct slice piece)
{
    if (piece.len > TEXT_MAX - text->len)
        return;
    memcpy(text->bytes + text->len, piece.at, piece.len);
    text->len += piece.len;
}

static void put_hex(struct text *text, uint64_t number)
{
    char digits[16];

    role_hex_write(role_hex_write(digits, (uint32_t)(number >> 32)), (uint32_t)number);
    put(text, slice_of(digits, sizeof(digits)));
}

static void put_port(struct text *text, uint16_t number)
{
    char digits[6];
    unsigned at = sizeof(digits);

    for (unsigned port = number; port != 0; port /= 10)
        digits[--at] = (char)('0' + port % 10);
    digits[--at] = ':';
    put(text, slice_of(digits + at, sizeof(digits) - at));
}

// The name with the transport that the configuration gives it, if any: where the DNS said it, it is the DNS's.
static void put_uri(struct text *text, const struct conf_hop *hop)
{
    put(text, SLICE("sip:"));
    put(text, slice_of(hop->host.text, hop->host.len));
    if (hop->port != 0)
        put_port(text, hop->port);
    if (hop->transport != CONF_TRANSPORT_ANY)
        put(text, sip_transport_param(hop->transport));
}

// Ourselves, as we are reached over what the probe goes by.
static void put_own(struct text *text, const struct conf_listener *listener)
{
    put(text, SLICE("sip:"));
    put(text, slice_of(listener->advertised_text.text, listener->advertised_text.len));
    put(text, sip_transport_param(listener->transport));
}

// From tag and Call-ID: the same for all copies of one probe, unlike any other's, and nobody guesses them.
static struct hash128 names_of(const struct role *role, const struct role_probe *probe)
{
    struct role_digest digest;

    role_digest_begin(&digest, &role->secret, ROLE_DIGEST_PROBE);
    role_digest_put_number(&digest, probe->gateway);
    role_digest_put_number(&digest, (uint32_t)probe->started_ms);
    role_digest_put_number(&digest, (uint32_t)(probe->started_ms >> 32));
    return role_digest_end(&digest);
}

// One probe differs from the next one to the same gateway by the loop part of its branch: were it the same, the
// gateway's transaction layer would answer for a gateway that is dead (RFC 3261 17.2.2, Timer J).
static void write_branch(const struct role *role, const struct role_probe *probe, char text[ROLE_BRANCH_LEN])
{
    struct role_branch branch = proxy_branch_probe(role, probe->gateway, probe->listener);

    branch.loop = (uint32_t)probe->started_ms;
    role_branch_write(&branch, text);
}

// RFC 3261 8.1.1, 11.1.
static void write_options(const struct role *role, const struct role_probe *probe, const struct conf_hop *hop,
                          struct text *text)
{
    const struct conf_listener *own = &role->conf->listeners[probe->listener];
    struct slice here = slice_of(own->advertised_text.text, own->advertised_text.len);
    struct hash128 names = names_of(role, probe);
    char branch[ROLE_BRANCH_LEN];

    write_branch(role, probe, branch);
    text->len = 0;
    put(text, SLICE("OPTIONS "));
    put_uri(text, hop);
    put(text, SLICE(" SIP/2.0\r\n"));
    put(text, role_route_via(role->route, probe->listener));
    put(text, slice_of(branch, sizeof(branch)));
    put(text, SLICE("\r\nMax-Forwards: 70\r\nFrom: <"));
    put_own(text, own);
    put(text, SLICE(">;tag="));
    put_hex(text, names.low);
    put(text, SLICE("\r\nTo: <"));
    put_uri(text, hop);
    put(text, SLICE(">\r\nCall-ID: "));
    put_hex(text, names.high);
    put(text, SLICE("@"));
    put(text, here);
    put(text, SLICE("\r\nCSeq: 1 OPTIONS\r\nContact: <"));
    put_own(text, own);
    put(text, SLICE(">\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n"));
}

// Nothing is kept for the next time: it comes out the same. False: no buffer is free.
static bool send_options(struct role *role, const struct role_probe *probe)
{
    const struct outlet *outlet = &role->outlet;
    int gateway = gateway_of_slot(role->policy->gateways, probe->gateway);
    struct text text;

    write_options(role, probe, &role->conf->gateways[gateway].address, &text);
    sip_edits_clear(&role->spare);
    if (!outlet->room(outlet->owner, 1))
        return false;
    struct buffer *buffer = outlet->copy(outlet->owner, slice_of(text.bytes, text.len), &role->spare, NULL);
    if (buffer == NULL)
        return false;
    outlet->send(outlet->owner, buffer, &probe->to, probe->listener, 0);
    outlet->release(outlet->owner, buffer);
    return true;
}

// A name's addresses take turns as they fail, so that one that is dead does not speak for the others.
static bool find_hop(const struct role *role, uint16_t slot, const struct conf_hop *hop, uint64_t now_ms,
                     struct endpoint *to)
{
    struct name_question question = {slice_of(hop->host.text, hop->host.len), hop->port, NAME_SIP,
                                     hop->transport};

    *to = hop->address;
    if (to->family != ENDPOINT_NONE)
        return true;
    const struct name_answer *answer = name_find(role->names, &question, now_ms);
    if (answer == NULL || answer->hops_n == 0)
        return false;
    uint64_t failures = gateway_probe_failures(role->policy->gateways, slot);
    return name_hop(answer, 0, (unsigned)(failures % answer->hops_n), to);
}

static struct role_probe *probe_of(struct role *role, uint16_t gateway)
{
    for (unsigned i = 0; i < role->probes.n; i++) {
        if (role->probes.one[i].gateway == gateway)
            return &role->probes.one[i];
    }
    return NULL;
}

static void end(struct role *role, struct role_probe *probe)
{
    *probe = role->probes.one[--role->probes.n];
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// A gateway whose name leads nowhere, or where no listener of ours can send to, has failed this one.
static void begin(struct role *role, uint16_t slot, uint64_t now_ms)
{
    struct gateway_table *table = role->policy->gateways;
    const struct conf *conf = role->conf;
    const struct conf_gateway *gateway = &conf->gateways[gateway_of_slot(table, slot)];
    struct endpoint to;

    if (probe_of(role, slot) != NULL) // of a longer interval, before a reload
        return;
    int listener = find_hop(role, slot, &gateway->address, now_ms, &to)
                       ? role_route_listener_for(role->route, to.transport, to.family, CONF_NONE)
                       : CONF_NONE;
    if (listener == CONF_NONE) {
        gateway_probed(table, slot, false, now_ms);
        return;
    }
    struct role_probe *probe = &role->probes.one[role->probes.n];
    *probe = (struct role_probe){
        .to = to,
        .started_ms = now_ms,
        .next_ms = endpoint_is_stream(&to) ? UINT64_MAX : now_ms + conf->t1_ms, // 17.1.2.2: no Timer E
        .ends_ms = now_ms + least(64 * (uint64_t)conf->t1_ms, conf->groups[gateway->group].probe_ms),
        .interval_ms = conf->t1_ms,
        .gateway = slot,
        .listener = (uint8_t)listener,
    };
    if (!send_options(role, probe)) // says nothing of the gateway
        return;
    role->probes.n++;
    role->probes.next_ms = least(role->probes.next_ms, least(probe->next_ms, probe->ends_ms));
}

// RFC 3261 17.1.2.2, Timers E and F. False: it is over.
static bool visit(struct role *role, struct role_probe *probe, uint64_t now_ms)
{
    struct gateway_table *table = role->policy->gateways;

    if (gateway_of_slot(table, probe->gateway) == CONF_NONE) // a reload took it away
        return false;
    if (now_ms >= probe->ends_ms) {
        gateway_probed(table, probe->gateway, false, now_ms);
        return false;
    }
    if (now_ms >= probe->next_ms) {
        (void)send_options(role, probe); // without a buffer it is as if it had been lost
        probe->interval_ms = (uint32_t)least(2 * (uint64_t)probe->interval_ms, role->conf->t2_ms);
        probe->next_ms = now_ms + probe->interval_ms;
    }
    return true;
}

static void visit_all(struct role *role, uint64_t now_ms)
{
    struct role_probes *probes = &role->probes;

    probes->next_ms = UINT64_MAX;
    for (unsigned i = 0; i < probes->n;) {
        struct role_probe *probe = &probes->one[i];
        if (!visit(role, probe, now_ms)) {
            end(role, probe);
            continue;
        }
        probes->next_ms = least(probes->next_ms, least(probe->next_ms, probe->ends_ms));
        i++;
    }
}

void proxy_probe_turn(struct role *role, const struct clock *now)
{
    if (role->probes.n > 0 && now->ms >= role->probes.next_ms)
        visit_all(role, now->ms);
    for (unsigned begun = 0; begun < BEGUN_A_TURN && role->probes.n < ROLE_PROBES_MAX; begun++) {
        uint16_t slot = gateway_probe_next(role->policy->gateways, role->worker, now->ms);
        if (slot == GATEWAY_NONE)
            return;
        begin(role, slot, now->ms);
    }
}

void proxy_probe_response(struct role *role, uint16_t gateway, uint16_t status, const struct clock *now)
{
    struct role_probe *probe = probe_of(role, gateway);

    if (probe == NULL || status < 200) // answered already, or given up
        return;
    gateway_probed(role->policy->gateways, gateway, status != 408 && status != 503, now->ms);
    end(role, probe);
}

bool proxy_probe_unreachable(struct role *role, const struct role_branch *branch, const struct clock *now)
{
    uint16_t gateway = proxy_branch_probed(role, branch);
    const struct role_probe *probe = gateway != GATEWAY_NONE ? probe_of(role, gateway) : NULL;

    if (probe == NULL || branch->loop != (uint32_t)probe->started_ms)
        return false;
    proxy_probe_response(role, gateway, 503, now); // RFC 3261 16.9: as if
    return true;
}
