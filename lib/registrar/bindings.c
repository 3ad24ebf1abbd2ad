// RFC 3261 10.3 steps 6 and 7: what is there, what is asked for, and what follows.
#include "base/random.h"
#include "registrar/registration.h"
#include "role/nat.h"

// What one contact means for the binding it names.
enum fate {
    FATE_KEEP, // not named
    FATE_UPDATE,
    FATE_REMOVE,
    FATE_REPEAT, // named by the same request before: a retransmission
    FATE_OLD,
};

struct plan {
    enum fate fate[LOCATION_CONTACTS_MAX];     // of each current binding
    uint8_t contact_of[LOCATION_CONTACTS_MAX]; // FATE_UPDATE: by which contact
    uint8_t added[LOCATION_CONTACTS_MAX];      // contacts without a binding
    unsigned added_n, changes, repeats;
};

// The current binding of a contact, or -1. Clients repeat their Contact letter by letter, so that is tried
// first. Equality is not transitive (RFC 3261 19.1.4): one binding may equal two contacts that differ, and is the
// first one's.
static int find_current(const struct registrar_registration *registration, const struct sip_contact *contact,
                        const struct plan *plan)
{
    struct sip_uri uri;

    for (unsigned i = 0; i < registration->current_n; i++) {
        if (slice_equal(registration->current[i].contact, contact->address.uri.text))
            return (int)i;
    }
    for (unsigned i = 0; i < registration->current_n; i++) {
        if (plan->fate[i] == FATE_KEEP && sip_uri_parse(registration->current[i].contact, &uri) == SIP_OK &&
            registrar_same_contact(&uri, &contact->address.uri))
            return (int)i;
    }
    return -1;
}

// Step 7: at most what was asked for and what the configuration allows, less the jitter that keeps clients
// which started together from coming back together. Never under the minimum that 423 promises.
static uint32_t granted(struct registrar_registration *registration, uint32_t asked)
{
    struct role *role = registration->request->role;
    const struct conf *conf = role->conf;

    if (arrival_is_operators(registration->request->arrival))
        return asked;
    uint32_t expires = asked < conf->expires_max ? asked : conf->expires_max;
    uint64_t most = (uint64_t)expires * conf->expires_jitter / 100;

    if (most > 0)
        expires -= (uint32_t)(random_next(&role->random) % (most + 1));
    return expires < conf->expires_min && asked >= conf->expires_min ? conf->expires_min : expires;
}

static uint32_t asked_expires(const struct registrar_registration *registration,
                              const struct sip_contact *contact)
{
    return contact->has_expires ? contact->expires : registration->expires;
}

static struct location_binding binding_of(struct registrar_registration *registration,
                                          const struct sip_contact *contact)
{
    const struct role_request *request = registration->request;
    const struct arrival *arrival = request->arrival;
    uint64_t expires = granted(registration, asked_expires(registration, contact));
    struct location_binding binding = {
        .contact = contact->address.uri.text,
        .call_id = request->call_id,
        .path = registration->path,
        .expires_ms = arrival->now.ms + expires * 1000,
        .cseq = request->cseq.number,
        .methods = registration->methods,
        .q = contact->q,
        .listener = arrival->listener,
    };

    // the next hop is found once here, and not again for every request that goes there
    bool found = true;
    if (registration->path.len > 0)
        found = role_hop_of_binding(&binding, &binding.received);
    else if (role_behind_nat(request, &contact->address.uri))
        binding.received = arrival->source;
    else
        found = role_hop_of(&contact->address.uri, &binding.received);
    if (!found)
        binding.received = (struct endpoint){.family = ENDPOINT_NONE};
    return binding;
}

static enum fate fate_of(const struct registrar_registration *registration,
                         const struct location_binding *binding, bool remove)
{
    const struct role_request *request = registration->request;
    bool same_call = slice_equal(binding->call_id, request->call_id);

    if (same_call && request->cseq.number == binding->cseq && !remove)
        return FATE_REPEAT;
    if (same_call && request->cseq.number <= binding->cseq)
        return FATE_OLD;
    return remove ? FATE_REMOVE : FATE_UPDATE;
}

static bool plan_one(const struct registrar_registration *registration, unsigned contact, struct plan *plan)
{
    const struct sip_contact *asked = &registration->contacts[contact];
    bool remove = asked_expires(registration, asked) == 0;
    int at = find_current(registration, asked, plan);

    if (at < 0) {
        if (!remove) // removing what is not there is done already
            plan->added[plan->added_n++] = (uint8_t)contact;
        return true;
    }
    plan->fate[at] = fate_of(registration, &registration->current[at], remove);
    plan->contact_of[at] = (uint8_t)contact;
    if (plan->fate[at] == FATE_REPEAT)
        plan->repeats++;
    else
        plan->changes++;
    return plan->fate[at] != FATE_OLD;
}

static bool plan_star(const struct registrar_registration *registration, struct plan *plan)
{
    for (unsigned i = 0; i < registration->current_n; i++) {
        plan->fate[i] = fate_of(registration, &registration->current[i], true);
        plan->changes++;
        if (plan->fate[i] == FATE_OLD)
            return false;
    }
    return true;
}

static bool plan_all(const struct registrar_registration *registration, struct plan *plan)
{
    plan->added_n = plan->changes = plan->repeats = 0;
    for (unsigned i = 0; i < registration->current_n; i++)
        plan->fate[i] = FATE_KEEP;
    if (registration->star)
        return plan_star(registration, plan);
    for (unsigned i = 0; i < registration->contacts_n; i++) {
        if (!plan_one(registration, i, plan))
            return false;
    }
    return true;
}

// New bindings come first, as the latest registered. A refreshed one keeps its place: of two contacts with
// one q the same is chosen on, so that a refresh between an INVITE and its CANCEL does not part them (RFC
// 3261 16.11).
static bool carry_out(struct registrar_registration *registration, const struct plan *plan)
{
    unsigned max = registration->request->role->conf->contacts_max;
    unsigned removed = 0;

    for (unsigned i = 0; i < registration->current_n; i++)
        removed += plan->fate[i] == FATE_REMOVE;
    unsigned total = registration->current_n - removed + plan->added_n;
    if (total > LOCATION_CONTACTS_MAX || (plan->added_n > 0 && total > max))
        return false;
    registration->next_n = 0;
    for (unsigned i = 0; i < plan->added_n; i++)
        registration->next[registration->next_n++] =
            binding_of(registration, &registration->contacts[plan->added[i]]);
    for (unsigned i = 0; i < registration->current_n; i++) {
        if (plan->fate[i] == FATE_UPDATE)
            registration->next[registration->next_n++] =
                binding_of(registration, &registration->contacts[plan->contact_of[i]]);
        else if (plan->fate[i] != FATE_REMOVE)
            registration->next[registration->next_n++] = registration->current[i];
    }
    return true;
}

// A registrar with server transactions would answer a retransmission out of them (RFC 3261 17.2.2) and step 7
// would never see it. Without them the mark of one is that every binding which it would make is there from
// this very Call-ID and CSeq; a client raises CSeq for each new REGISTER (10.2). Anything else with an old
// CSeq fails.
enum registrar_outcome registrar_registration_merge(struct registrar_registration *registration)
{
    struct plan plan;

    if (!plan_all(registration, &plan))
        return REGISTRAR_OLD;
    if (plan.repeats > 0 && plan.changes + plan.added_n > 0)
        return REGISTRAR_OLD;
    if (!carry_out(registration, &plan))
        return REGISTRAR_TOO_MANY;
    return plan.changes + plan.added_n > 0 ? REGISTRAR_UPDATED : REGISTRAR_UNCHANGED;
}
