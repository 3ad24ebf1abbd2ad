// The redirect server (RFC 3261 8.3): the answer is where the user can be reached.
#include "service/parts.h"

static void put_contact(struct role_text *lines, const struct location_binding *binding, uint64_t now_ms)
{
    role_text_put(lines, SLICE("Contact: <"));
    role_text_put(lines, binding->contact);
    role_text_put(lines, SLICE(">"));
    role_text_put_binding_params(lines, binding, now_ms);
    role_text_put(lines, SLICE("\r\n"));
}

// 8.3: never a redirection to the request-URI itself.
static bool leads_elsewhere(const struct role_request *request, struct slice contact)
{
    struct sip_uri uri;

    return sip_uri_parse(contact, &uri) == SIP_OK && !sip_uri_equal(&uri, &request->uri);
}

// Every live contact that leads elsewhere, highest q first. Returns how many; `*live` counts the others, too.
static unsigned put_contacts(const struct role_request *request, const struct location_set *set,
                             struct role_text *lines, unsigned *live)
{
    uint64_t now_ms = request->arrival->now.ms;
    struct location_binding binding;
    unsigned position = 0;
    unsigned n = 0;

    for (*live = 0; location_next(set, now_ms, &position, &binding); ++*live) {
        if (!leads_elsewhere(request, binding.contact))
            continue;
        put_contact(lines, &binding, now_ms);
        n++;
    }
    return n;
}

// Require, unknown header fields and methods are ignored (8.3). No Max-Forwards check: nothing is forwarded.
void service_redirect(struct role_request *request)
{
    const struct conf_domain *domain = &request->role->conf->domains[request->where.domain];
    struct role_text lines;

    if (request->message->method == SIP_METHOD_ACK) {
        role_drop(request, DROP_ACK_UNROUTABLE);
        return;
    }
    if (request->message->method == SIP_METHOD_CANCEL) {
        role_answer(request, 200, NULL); // 8.3: SHOULD; its INVITE had its final answer at once
        return;
    }
    const struct location_set *set = role_target_set(request);
    if (set == NULL) {
        role_answer(request, 404, NULL);
        return;
    }
    role_answer_lines_begin(request, &lines);
    unsigned live;
    unsigned n = put_contacts(request, set, &lines, &live);
    if (n == 0)
        role_answer(request, live > 0 ? 404 : 480, NULL);
    else if (lines.full)
        role_answer(request, 500, "Contacts Do Not Fit An Answer");
    else
        role_answer_lines(request, n > 1 && domain->redirect_multiple ? 300 : 302, NULL,
                          role_text_slice(&lines));
}
