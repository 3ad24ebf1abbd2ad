#include "fuzz.h"
#include "sip/uri.h"

static void check_parts(struct slice text, const struct sip_uri *uri)
{
    FUZZ_CHECK(slice_equal(uri->text, text));
    FUZZ_CHECK(fuzz_inside(text, uri->scheme_text) && uri->scheme_text.len > 0);
    FUZZ_CHECK(fuzz_inside(text, uri->user) && fuzz_inside(text, uri->password) &&
               fuzz_inside(text, uri->host));
    FUZZ_CHECK(fuzz_inside(text, uri->params) && fuzz_inside(text, uri->headers));
    if (uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS)
        FUZZ_CHECK(uri->host.len > 0 && (uri->user.at == NULL || uri->user.len > 0));
    if (uri->scheme == SIP_SCHEME_TEL)
        FUZZ_CHECK(uri->user.len > 0 && uri->host.len == 0);
}

// A URI that has this address of record, its user escaped.
static struct slice uri_of_aor(const struct sip_uri *uri, struct slice aor, char *text)
{
    char *at = text + sprintf(text, "%.*s:", SLICE_PRINT(uri->scheme_text));
    uint32_t user = uri->user.at == NULL || uri->scheme == SIP_SCHEME_TEL ? 0 : aor.len;

    while (user > 0 && aor.at[user - 1] != '@')
        user--;
    for (uint32_t i = 0; i + 1 < user; i++)
        at += sprintf(at, "%%%02x", (uint8_t)aor.at[i]);
    for (uint32_t i = user == 0 ? 0 : user - 1; i < aor.len; i++)
        *at++ = aor.at[i];
    return slice_of(text, (size_t)(at - text));
}

static struct slice check_aor(const struct sip_uri *uri, char aor[SIP_AOR_MAX])
{
    char text[4 * SIP_AOR_MAX], again[SIP_AOR_MAX];
    struct slice first = slice_of(aor, sip_uri_write_aor(uri, aor));
    struct sip_uri second;

    FUZZ_CHECK(first.len <= SIP_AOR_MAX && (first.len == 0 || uri->scheme != SIP_SCHEME_OTHER));
    if (first.len > 0) {
        FUZZ_CHECK(sip_uri_parse(uri_of_aor(uri, first, text), &second) == SIP_OK);
        FUZZ_CHECK(slice_equal(first, slice_of(again, sip_uri_write_aor(&second, again))));
    }
    return first;
}

static void check_one(const struct sip_uri *uri)
{
    struct endpoint endpoint;
    struct slice value;

    FUZZ_CHECK(sip_uri_equal(uri, uri));
    if (sip_uri_param(uri, SLICE("transport"), &value))
        FUZZ_CHECK(fuzz_inside(uri->params, value));
    if (sip_uri_endpoint(uri, &endpoint))
        FUZZ_CHECK(endpoint.family != ENDPOINT_NONE && endpoint.port != 0);
}

// Two URIs, a line each.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice input = slice_of((const char *)bytes, len);
    uint32_t feed = slice_find(input, '\n');
    struct slice text[2] = {slice_of(input.at, feed), slice_of(input.at + feed, len - feed)};
    char aor[2][SIP_AOR_MAX];
    struct slice address[2];
    struct sip_uri uri[2];

    if (text[1].len > 0)
        text[1] = slice_of(text[1].at + 1, text[1].len - 1);
    for (unsigned i = 0; i < 2; i++) {
        if (sip_uri_parse(text[i], &uri[i]) != SIP_OK)
            return 0;
        check_parts(text[i], &uri[i]);
        check_one(&uri[i]);
        address[i] = check_aor(&uri[i], aor[i]);
    }
    bool equal = sip_uri_equal(&uri[0], &uri[1]);
    FUZZ_CHECK(sip_uri_equal(&uri[1], &uri[0]) == equal);
    FUZZ_CHECK(!equal || slice_equal(address[0], address[1]) || address[0].len == 0 || address[1].len == 0);
    return 0;
}
