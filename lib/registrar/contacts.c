// What a REGISTER asks for: its Contacts, Expires, Path and Allow.
#include "registrar/registration.h"
#include "role/trust.h"
#include "sip/token.h"

static bool refuse(struct registrar_registration *registration, uint16_t status, const char *reason)
{
    role_answer(registration->request, status, reason);
    return false;
}

static uint8_t scheme_of(const struct sip_uri *uri)
{
    return uri->scheme == SIP_SCHEME_SIPS ? SIP_SCHEME_SIP : uri->scheme;
}

bool registrar_same_contact(const struct sip_uri *a, const struct sip_uri *b)
{
    struct sip_uri x = *a, y = *b;

    x.scheme = scheme_of(a);
    y.scheme = scheme_of(b);
    return sip_uri_equal(&x, &y);
}

static bool add_contact(struct registrar_registration *registration, const struct sip_contact *contact)
{
    if (contact->star) {
        if (registration->star)
            return refuse(registration, 400, "Contact Given Twice");
        registration->star = true;
        return true;
    }
    for (unsigned i = 0; i < registration->contacts_n; i++) {
        // the second would be judged by the first's Call-ID and CSeq, and lose (RFC 3261 10.3 step 7)
        if (registrar_same_contact(&registration->contacts[i].address.uri, &contact->address.uri))
            return refuse(registration, 400, "Contact Given Twice");
    }
    if (registration->contacts_n == LOCATION_CONTACTS_MAX)
        return refuse(registration, 403, "Too Many Contacts");
    registration->contacts[registration->contacts_n++] = *contact;
    return true;
}

static bool read_contacts(struct registrar_registration *registration)
{
    const struct sip_message *message = registration->request->message;

    registration->star = false;
    registration->contacts_n = 0;
    SIP_FOREACH_LINE(line, message, SIP_HEADER_CONTACT) {
        struct cursor c = cursor_over(sip_message_value(message, line));
        struct sip_contact contact;
        do {
            if (!sip_contact_take(&c, &contact))
                return refuse(registration, 400, sip_error_text(SIP_ERROR_CONTACT));
            if (!add_contact(registration, &contact))
                return false;
            sip_skip_space(&c);
        } while (cursor_skip(&c, ','));
        if (!cursor_done(&c))
            return refuse(registration, 400, sip_error_text(SIP_ERROR_CONTACT));
    }
    // RFC 3261 10.3 step 6
    if (registration->star &&
        (registration->contacts_n > 0 || !registration->has_expires || registration->expires != 0))
        return refuse(registration, 400, "Contact * Needs Expires 0 And No Other Contact");
    return true;
}

static void read_expires(struct registrar_registration *registration)
{
    struct slice value = sip_message_first(registration->request->message, SIP_HEADER_EXPIRES);

    registration->has_expires = value.at != NULL;
    registration->expires = registration->has_expires ? sip_expires_parse(value)
                                                      : registration->request->role->conf->expires_default;
}

static void read_allow(struct registrar_registration *registration)
{
    const struct sip_message *message = registration->request->message;

    registration->methods = 0;
    SIP_FOREACH_LINE(line, message, SIP_HEADER_ALLOW)
        registration->methods |=
            role_allow_methods(&registration->request->role->allow, sip_message_value(message, line));
}

// One comma list, without folds: it goes into a header line of another message.
static bool append_path(struct registrar_registration *registration, struct slice value)
{
    unsigned len = registration->path.len;

    if (value.len + 2 > REGISTRAR_PATH_MAX - len)
        return refuse(registration, 400, "Path Too Long");
    if (len > 0) {
        memcpy(registration->path_text + len, ", ", 2);
        len += 2;
    }
    for (uint32_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        registration->path_text[len++] = c == '\r' || c == '\n' ? ' ' : c;
    }
    registration->path = slice_of(registration->path_text, len);
    return true;
}

// RFC 3327 4: every value has the lr parameter. What is stored becomes a Route later, so it must be one.
static bool check_path(struct registrar_registration *registration)
{
    struct cursor c = cursor_over(registration->path);
    struct sip_address route;
    struct slice value;

    do {
        if (!sip_address_take(&c, &route))
            return refuse(registration, 400, sip_error_text(SIP_ERROR_PATH));
        if (!sip_uri_param(&route.uri, SLICE("lr"), &value))
            return refuse(registration, 400, "Path Without lr");
        sip_skip_space(&c);
    } while (cursor_skip(&c, ','));
    return cursor_done(&c) || refuse(registration, 400, sip_error_text(SIP_ERROR_PATH));
}

static bool supports_path(const struct sip_message *message)
{
    static const enum sip_header where[] = {SIP_HEADER_SUPPORTED, SIP_HEADER_REQUIRE};

    for (unsigned i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        SIP_FOREACH_LINE(line, message, where[i]) {
            if (sip_list_has(sip_message_value(message, line), SLICE("path")))
                return true;
        }
    }
    return false;
}

// RFC 3327 5.3: a Path that the client does not know of is refused, so that it learns of it.
static bool read_path(struct registrar_registration *registration)
{
    struct role_request *request = registration->request;
    const struct sip_message *message = request->message;

    registration->path = (struct slice){"", 0};
    if (!sip_message_has(message, SIP_HEADER_PATH) || !role_takes_path(request))
        return true;
    if (!supports_path(message)) {
        struct role_text lines;
        role_answer_lines_begin(request, &lines);
        role_text_put(&lines, SLICE("Unsupported: path\r\n"));
        role_answer_lines(request, 420, NULL, role_text_slice(&lines));
        return false;
    }
    SIP_FOREACH_LINE(line, message, SIP_HEADER_PATH) {
        if (!append_path(registration, sip_message_value(message, line)))
            return false;
    }
    return check_path(registration);
}

static bool path_is_sips(const struct registrar_registration *registration)
{
    struct cursor c = cursor_over(registration->path);
    struct sip_address route;

    if (registration->path.len == 0)
        return true;
    do {
        if (!sip_address_take(&c, &route) || route.uri.scheme != SIP_SCHEME_SIPS)
            return false;
        sip_skip_space(&c);
    } while (cursor_skip(&c, ','));
    return true;
}

// RFC 5630 5.2: a sips Contact is taken where request-URI, Contacts and Path are sips, all of them.
static bool check_sips(struct registrar_registration *registration)
{
    unsigned sips = 0;

    for (unsigned i = 0; i < registration->contacts_n; i++)
        sips += registration->contacts[i].address.uri.scheme == SIP_SCHEME_SIPS;
    if (sips == 0 || arrival_is_operators(registration->request->arrival))
        return true;
    if (sips < registration->contacts_n || registration->request->uri.scheme != SIP_SCHEME_SIPS ||
        !path_is_sips(registration))
        return refuse(registration, 400, "SIPS Contact Beside SIP");
    return true;
}

bool registrar_registration_read(struct registrar_registration *registration)
{
    read_expires(registration);
    read_allow(registration);
    return read_contacts(registration) && read_path(registration) && check_sips(registration);
}
