#include "proxy/recursion.h"

#include "role/hop.h"
#include "role/trust.h"

// A request-URI holds neither headers nor a method (RFC 3261 19.1.1 table 1); what needs them stays with the 3xx.
static bool is_usable(const struct role *role, const struct sip_uri *uri)
{
    struct slice value;

    return (uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS) && uri->headers.len == 0 &&
           (uri->params.len == 0 || !sip_uri_param(uri, SLICE("method"), &value)) &&
           role_route_where(role->route, uri).place == ROLE_ELSEWHERE; // to ourselves it would loop
}

static void add_contact(struct proxy_contacts *contacts, const struct sip_contact *contact, uint8_t branch)
{
    unsigned at = contacts->n;

    if (at == PROXY_CONTACTS_MAX)
        return;
    for (; at > 0 && contacts->one[at - 1].q < contact->q; at--)
        contacts->one[at] = contacts->one[at - 1];
    contacts->one[at].uri = contact->address.uri;
    contacts->one[at].q = contact->q;
    contacts->one[at].branch = branch;
    contacts->n++;
}

static void collect_line(const struct role *role, struct slice value, uint8_t branch,
                         struct proxy_contacts *contacts)
{
    struct cursor c = cursor_over(value);
    struct sip_contact contact;

    do {
        if (!sip_contact_take(&c, &contact))
            return;
        if (!contact.star && is_usable(role, &contact.address.uri))
            add_contact(contacts, &contact, branch);
    } while (cursor_skip(&c, ','));
}

void proxy_contacts_collect(struct proxy_event *event, struct proxy_contacts *contacts)
{
    struct role *role = event->role;
    struct transaction_branch *branch = NULL;

    contacts->n = 0;
    while ((branch = transaction_branch_next(role->transactions, event->transaction, branch)) != NULL) {
        if (branch->status / 100 != 3 || branch->response == NULL)
            continue;
        const struct sip_message *response = role->outlet.index(role->outlet.owner, branch->response);
        if (response == NULL)
            continue;
        SIP_FOREACH_LINE(line, response, SIP_HEADER_CONTACT)
            collect_line(role, sip_message_value(response, line), branch->number, contacts);
    }
}

int proxy_contacts_next(struct role_request *request, const struct proxy_contacts *contacts,
                        const struct role_tried *tried, struct role_target *target)
{
    struct role_pick pick = {.request = request, .tried = tried, .target = target};
    bool failed;

    for (unsigned i = 0; contacts != NULL && i < contacts->n; i++) {
        struct role_target candidate = {
            .uri = contacts->one[i].uri.text,
            .listener = CONF_NONE,
            .q = contacts->one[i].q,
            .gateway = GATEWAY_NONE,
            .more = true,
        };
        // RFC 5630 5.3: neither from sips to sip nor back
        if ((contacts->one[i].uri.scheme == SIP_SCHEME_SIPS) != (request->uri.scheme == SIP_SCHEME_SIPS))
            continue;
        role_pick_uri(&pick, request, &contacts->one[i].uri, &candidate, &failed);
        if (!pick.found)
            continue;
        target->trusted = role_trusts_endpoint(request->role, &target->hop);
        return contacts->one[i].branch;
    }
    return -1;
}
