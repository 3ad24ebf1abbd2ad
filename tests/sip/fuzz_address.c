#include "fuzz.h"
#include "sip/contact.h"
#include "sip/credentials.h"
#include "sip/cseq.h"
#include "sip/params.h"
#include "sip/token.h"

static void check_address(struct slice input, const struct sip_address *address)
{
    struct sip_address again;
    struct sip_param tag;

    FUZZ_CHECK(fuzz_inside(input, address->text) && slice_equal(address->text, slice_trim(address->text)));
    FUZZ_CHECK(fuzz_inside(address->text, address->display) && fuzz_inside(address->text, address->uri.text));
    FUZZ_CHECK(fuzz_inside(address->text, address->params) && fuzz_inside(address->params, address->tag));
    FUZZ_CHECK(slice_equal(address->params, slice_trim(address->params)));
    FUZZ_CHECK(sip_address_parse(address->text, &again) == SIP_OK);
    FUZZ_CHECK(slice_equal(address->text, again.text) && slice_equal(address->display, again.display));
    FUZZ_CHECK(slice_equal(address->uri.text, again.uri.text) && slice_equal(address->tag, again.tag));
    if (sip_param_find(address->params, SLICE("tag"), &tag))
        FUZZ_CHECK(tag.value.at == NULL || fuzz_inside(address->params, tag.value));
    FUZZ_CHECK(sip_uri_equal(&address->uri, &again.uri));
}

// The list as addresses and as elements is the same list.
static void check_list(struct slice input)
{
    struct cursor c = cursor_over(input), elements = cursor_over(input);
    struct sip_address address;
    struct slice element;

    do {
        if (!sip_address_take(&c, &address)) {
            FUZZ_CHECK(c.error != 0 && cursor_done(&c));
            return;
        }
        FUZZ_CHECK(cursor_done(&c) || *c.at == ',');
        check_address(input, &address);
        FUZZ_CHECK(sip_take_element(&elements, &element) && slice_equal(element, address.text));
    } while (cursor_skip(&c, ','));
    FUZZ_CHECK(cursor_done(&c) && !sip_take_element(&elements, &element) && elements.error == 0);
}

static void check_contacts(struct slice input)
{
    struct cursor c = cursor_over(input);
    struct sip_contact contact;

    do {
        if (!sip_contact_take(&c, &contact)) {
            FUZZ_CHECK(c.error != 0 && cursor_done(&c));
            return;
        }
        FUZZ_CHECK(contact.q <= SIP_Q_DEFAULT && (contact.has_expires || contact.expires == 0));
    } while (cursor_skip(&c, ','));
}

// The header fields that have no target of their own.
static void check_others(struct slice input)
{
    struct sip_credentials credentials;
    struct sip_cseq cseq;

    if (sip_cseq_parse(input, &cseq) == SIP_OK)
        FUZZ_CHECK(fuzz_inside(input, cseq.method_text) && cseq.number < 1u << 31);
    if (sip_credentials_parse(input, &credentials) == SIP_OK)
        FUZZ_CHECK(fuzz_inside(input, credentials.scheme) && fuzz_inside(input, credentials.username) &&
                   fuzz_inside(input, credentials.response));
    sip_list_has(input, SLICE("timer"));
    sip_expires_parse(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice input = slice_of((const char *)bytes, len);

    check_list(input);
    check_contacts(input);
    check_others(input);
    return 0;
}
