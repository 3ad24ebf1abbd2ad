#include "sip/contact.h"

#include "sip/params.h"
#include "sip/token.h"

#define EXPIRES_OF_GARBAGE 3600 // RFC 3261 10.2.1.1
#define Q_DECIMALS         3

// qvalue (RFC 3261 25.1): "0" and "1" with up to three decimals, and nothing above 1.
static bool parse_q(struct slice value, uint16_t *q)
{
    unsigned thousandths = 0, unit = 1000;

    if (value.len == 0 || value.at[0] < '0' || value.at[0] > '1')
        return false;
    if (value.len > 1 + 1 + Q_DECIMALS || (value.len > 1 && value.at[1] != '.'))
        return false;
    for (uint32_t i = 0; i < value.len; i++) {
        if (i == 1)
            continue;
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
        thousandths += unit * (unsigned)(value.at[i] - '0');
        unit /= 10;
    }
    *q = (uint16_t)thousandths;
    return thousandths <= SIP_Q_DEFAULT;
}

uint32_t sip_expires_parse(struct slice value)
{
    uint64_t seconds = 0;

    value = slice_trim(value);
    if (value.len == 0)
        return EXPIRES_OF_GARBAGE;
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return EXPIRES_OF_GARBAGE;
        seconds = seconds * 10 + (uint64_t)(value.at[i] - '0');
        if (seconds > SIP_EXPIRES_MAX)
            seconds = SIP_EXPIRES_MAX; // still to be seen whether it is a number to its end
    }
    return (uint32_t)seconds;
}

// "*" alone. As the beginning of a display name it is not taken.
static bool take_star(struct cursor *c)
{
    const char *from = c->at;

    sip_skip_space(c);
    if (cursor_skip(c, '*')) {
        sip_skip_space(c);
        if (cursor_done(c) || *c->at == ',')
            return true;
    }
    c->at = from;
    return false;
}

bool sip_contact_take(struct cursor *c, struct sip_contact *contact)
{
    struct sip_param param;
    bool has_q = false;

    memset(contact, 0, sizeof(*contact));
    contact->q = SIP_Q_DEFAULT;
    if (c->error == 0 && take_star(c)) {
        contact->star = true;
        return true;
    }
    if (!sip_address_take(c, &contact->address))
        return false;
    struct cursor params = cursor_over(contact->address.params);
    while (sip_param_next(&params, &param)) {
        if (!has_q && SLICE_IS(param.name, "q")) {
            has_q = true;
            if (!parse_q(param.value, &contact->q))
                return cursor_fail(c, SIP_ERROR_CONTACT);
        } else if (!contact->has_expires && SLICE_IS(param.name, "expires")) {
            contact->has_expires = true;
            contact->expires = sip_expires_parse(param.value);
        }
    }
    return true;
}
