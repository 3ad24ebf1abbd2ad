#include "sip/credentials.h"

#include <stddef.h>

#include "sip/params.h"
#include "sip/token.h"

#define FIELD(name)                                                      \
    {                                                                    \
#name, sizeof(#name) - 1, offsetof(struct sip_credentials, name) \
    }

static const struct {
    const char *name;
    uint8_t len;
    uint8_t at; // of the slice in struct sip_credentials
} fields[] = {
    FIELD(username), FIELD(realm),  FIELD(nonce), FIELD(uri), FIELD(response), FIELD(algorithm),
    FIELD(cnonce),   FIELD(opaque), FIELD(qop),   FIELD(nc),  FIELD(userhash),
};

static struct slice unquoted(struct slice value)
{
    return value.len >= 2 && value.at[0] == '"' ? slice_of(value.at + 1, value.len - 2) : value;
}

// Puts a parameter into its field; false when it has no value or is there already. Unknown ones are passed over
// (RFC 3261 25.1 auth-param).
static bool keep(struct sip_credentials *credentials, const struct sip_param *param)
{
    if (param->value.at == NULL)
        return false;
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (param->name.len != fields[i].len ||
            !slice_equal_nocase(param->name, slice_of(fields[i].name, fields[i].len)))
            continue;
        struct slice *field = (struct slice *)(void *)((char *)credentials + fields[i].at);
        if (field->at != NULL)
            return false;
        *field = unquoted(param->value);
        return true;
    }
    return true;
}

static bool take_digest(struct cursor *c, struct sip_credentials *credentials)
{
    struct sip_param param;
    bool extended = false;

    do {
        sip_skip_space(c);
        if (!sip_param_take(c, &param) || !keep(credentials, &param))
            return false;
        extended = extended || SLICE_IS(param.name, "username*");
        sip_skip_space(c);
    } while (cursor_skip(c, ','));
    // RFC 7616 3.4: username and username* together are an error
    return cursor_done(c) && !(extended && credentials->username.at != NULL);
}

enum sip_error sip_credentials_parse(struct slice value, struct sip_credentials *credentials)
{
    struct cursor c = cursor_over(value);

    memset(credentials, 0, sizeof(*credentials));
    sip_skip_space(&c);
    credentials->scheme = sip_take_token(&c, SIP_ERROR_CREDENTIALS);
    const char *scheme_end = c.at;
    sip_skip_space(&c);
    if (c.error != 0 || c.at == scheme_end)
        return SIP_ERROR_CREDENTIALS;
    if (!SLICE_IS(credentials->scheme, "digest"))
        return SIP_OK;
    return take_digest(&c, credentials) ? SIP_OK : SIP_ERROR_CREDENTIALS;
}
