// The registrar (RFC 3261 10.3).
#include "registrar/registrar.h"

#include "auth/auth.h"
#include "registrar/durable.h"
#include "registrar/registration.h"
#include "role/presentity.h"
#include "role/trust.h"
#include "subscription/subscription.h"

#include <errno.h>

// Step 5. The request-URI names a domain, or this server by its address, which has access to all of them.
static bool find_aor(struct registrar_registration *registration)
{
    struct role_request *request = registration->request;
    struct role *role = request->role;
    const struct steered *steered = request->steered;
    unsigned scheme = request->to.uri.scheme;

    if (scheme != SIP_SCHEME_SIP && scheme != SIP_SCHEME_SIPS) { // RFC 3261 10.2: "MUST be a SIP or SIPS URI"
        role_answer(request, 400, "Address Of Record Is No SIP URI");
        return false;
    }
    if (!steered->has_aor || !role->conf->domains[steered->domain].registrar ||
        (request->where.place == ROLE_DOMAIN && request->where.domain != steered->domain)) {
        role_answer(request, 404, "Address Of Record Not In This Domain"); // or none at all, being too long
        return false;
    }
    registration->key = steered->aor;
    if (location_owner(role->location, registration->key) == request->arrival->worker)
        return true;
    role_answer(request, 500, "Not This Worker's Address Of Record"); // only a fault in steering comes here
    return false;
}

static void read_current(struct registrar_registration *registration)
{
    const struct role_request *request = registration->request;
    const struct location_set *set = location_find(request->role->location, registration->key);
    unsigned position = 0;

    registration->set = set;
    registration->current_n = 0;
    while (set != NULL && registration->current_n < LOCATION_CONTACTS_MAX &&
           location_next(set, request->arrival->now.ms, &position,
                         &registration->current[registration->current_n]))
        registration->current_n++;
}

// Step 7: only what is under an hour may be too brief.
static bool long_enough(struct registrar_registration *registration)
{
    const struct conf *conf = registration->request->role->conf;
    struct role_text lines;
    bool brief = false;

    if (arrival_is_operators(registration->request->arrival))
        return true;

    for (unsigned i = 0; i < registration->contacts_n; i++) {
        const struct sip_contact *contact = &registration->contacts[i];
        uint32_t asked = contact->has_expires ? contact->expires : registration->expires;
        brief = brief || (asked > 0 && asked < 3600 && asked < conf->expires_min);
    }
    if (!brief)
        return true;
    role_answer_lines_begin(registration->request, &lines);
    role_text_put(&lines, SLICE("Min-Expires: "));
    role_text_put_number(&lines, conf->expires_min);
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(registration->request, 423, NULL, role_text_slice(&lines));
    return false;
}

// Written once a second, and not for every answer in it.
static struct slice date_of(struct role *role, uint64_t unix_s)
{
    if (role->date_s != unix_s || role->date[0] == 0) {
        sip_date_write(unix_s, role->date);
        role->date_s = unix_s;
    }
    return slice_of(role->date, SIP_DATE_LEN);
}

// Step 8, and Path back to the client (RFC 3327 5.3). False: it does not fit one answer.
static bool write_ok(const struct registrar_registration *registration, struct role_text *lines)
{
    const struct role_request *request = registration->request;

    role_answer_lines_begin(request, lines);
    for (unsigned i = 0; i < registration->next_n; i++) {
        role_text_put(lines, SLICE("Contact: <"));
        role_text_put(lines, registration->next[i].contact);
        role_text_put(lines, SLICE(">"));
        role_text_put_binding_params(lines, &registration->next[i], request->arrival->now.ms);
        role_text_put(lines, SLICE("\r\n"));
    }
    if (registration->path.len > 0) {
        role_text_put(lines, SLICE("Path: "));
        role_text_put(lines, registration->path);
        role_text_put(lines, SLICE("\r\n"));
    }
    auth_put_info(request, lines);
    role_text_put(lines, SLICE("Date: "));
    role_text_put(lines, date_of(request->role, request->arrival->now.unix_s));
    role_text_put(lines, SLICE("\r\n"));
    return !lines->full;
}

static void answer_later(struct role_request *request, const char *reason)
{
    role_answer_later(request, reason, registrar_retry_after(request->role));
}

// The canonical text; a refresh finds it written already.
static struct slice aor_of(struct registrar_registration *registration)
{
    const struct role_request *request = registration->request;

    if (registration->set != NULL)
        return location_set_aor(registration->set);
    unsigned len =
        role_aor_write(request->role, &request->to.uri, request->steered->domain, registration->aor_text);
    return slice_of(registration->aor_text, len);
}

// Whether there are other contacts than before: a refresh changes nothing that is told of a user.
static bool is_news(const struct registrar_registration *registration)
{
    if (registration->next_n != registration->current_n)
        return true;
    for (unsigned i = 0; i < registration->next_n; i++) {
        if (!slice_equal(registration->next[i].contact, registration->current[i].contact))
            return true;
    }
    return false;
}

void registrar_tell(struct role *role, struct hash128 aor)
{
    if (role->subscriptions == NULL)
        return;
    subscription_touch(role->subscriptions, role_presentity_key(aor, ROLE_PACKAGE_PRESENCE));
    subscription_touch(role->subscriptions, role_presentity_key(aor, ROLE_PACKAGE_REG));
}

static void commit(struct registrar_registration *registration)
{
    struct role_request *request = registration->request;
    struct role_text lines;

    // before the table is written: a set that no answer can list must not come to be
    bool fits = write_ok(registration, &lines);
    bool news = request->role->subscriptions != NULL && is_news(registration);
    struct slice aor = aor_of(registration); // stays readable in the set that is replaced
    int error = fits ? location_put(request->role->location, registration->key, aor, registration->next,
                                    registration->next_n, request->arrival->now.ms)
                     : -E2BIG;
    if (error == 0) {
        role_answer_lines(request, 200, NULL, role_text_slice(&lines));
        registrar_durable_note(registration, aor, news);
        if (news && !request->verdict->waits)
            registrar_tell(request->role, registration->key);
    } else if (error == -E2BIG) {
        role_answer(request, 403, "Bindings Too Large"); // again as they are they would be refused again
    } else {
        answer_later(request, "Location Table Is Full");
    }
}

static void answer_current(struct registrar_registration *registration)
{
    struct role_text lines;

    if (write_ok(registration, &lines)) {
        role_answer_lines(registration->request, 200, NULL, role_text_slice(&lines));
        registrar_durable_wait(registration);
    } else {
        role_answer(registration->request, 500, "Bindings Do Not Fit An Answer");
    }
}

void registrar_serve(struct role_request *request)
{
    struct registrar_registration registration;

    registration.request = request;
    if (role_is_merged(request))
        return;
    if (sip_message_has(request->message, SIP_HEADER_REQUIRE) &&
        !role_supports(request, SIP_HEADER_REQUIRE, role_takes_path(request) ? SLICE("path") : SLICE("")))
        return; // step 2
    if (!find_aor(&registration) || !registrar_registration_read(&registration) ||
        !long_enough(&registration))
        return;
    if (!registrar_durable_ready(request->role)) {
        answer_later(request, "Registrations Cannot Be Stored Now");
        return;
    }
    read_current(&registration);
    switch (registrar_registration_merge(&registration)) {
    case REGISTRAR_UPDATED:
        commit(&registration);
        break;
    case REGISTRAR_UNCHANGED:
        answer_current(&registration);
        break;
    case REGISTRAR_OLD:
        role_answer(request, 500,
                    "CSeq Not Higher Than The Binding's"); // step 7: "the request fails", with a 500
        break;
    case REGISTRAR_TOO_MANY: // not 503, which sends a client to the next server with the same contacts
        role_answer(request, 403, "Too Many Contacts");
        break;
    }
}
