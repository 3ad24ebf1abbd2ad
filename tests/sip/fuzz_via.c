#include "fuzz.h"
#include "sip/token.h"
#include "sip/via.h"

static void check_parts(struct slice input, const struct sip_via *via)
{
    FUZZ_CHECK(fuzz_inside(input, via->text) && via->text.len > 0);
    FUZZ_CHECK(fuzz_inside(via->text, via->host) && via->host.len > 0);
    FUZZ_CHECK(fuzz_inside(via->text, via->params));
    FUZZ_CHECK(fuzz_inside(via->params, via->branch) && fuzz_inside(via->params, via->received));
    FUZZ_CHECK(fuzz_inside(via->params, via->maddr) && fuzz_inside(via->params, via->rport_at));
    FUZZ_CHECK(via->has_rport == (via->rport_at.at != NULL) && (via->has_rport || via->rport == 0));
    FUZZ_CHECK(slice_equal(via->text, slice_trim(via->text)));
}

// The element alone is read as it was in the list.
static void check_again(const struct sip_via *via)
{
    struct cursor c = cursor_over(via->text);
    struct sip_via again;

    FUZZ_CHECK(sip_via_take(&c, &again) && cursor_done(&c));
    FUZZ_CHECK(slice_equal(via->text, again.text) && slice_equal(via->host, again.host));
    FUZZ_CHECK(slice_equal(via->params, again.params) && slice_equal(via->branch, again.branch));
    FUZZ_CHECK(slice_equal(via->received, again.received) && slice_equal(via->maddr, again.maddr));
    FUZZ_CHECK(slice_equal(via->rport_at, again.rport_at) && via->rport == again.rport);
    FUZZ_CHECK(via->transport == again.transport && via->port == again.port && via->ttl == again.ttl);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice input = slice_of((const char *)bytes, len);
    struct cursor c = cursor_over(input), elements = cursor_over(input);
    struct endpoint endpoint;
    struct slice element;
    struct sip_via via;

    do {
        if (!sip_via_take(&c, &via)) {
            FUZZ_CHECK(c.error == SIP_ERROR_VIA && cursor_done(&c));
            return 0;
        }
        FUZZ_CHECK(cursor_done(&c) || *c.at == ',');
        check_parts(input, &via);
        check_again(&via);
        FUZZ_CHECK(sip_take_element(&elements, &element) && slice_equal(element, via.text));
        if (sip_via_response_endpoint(&via, &endpoint))
            FUZZ_CHECK(endpoint.family != ENDPOINT_NONE && endpoint.port != 0);
    } while (cursor_skip(&c, ','));
    FUZZ_CHECK(cursor_done(&c) && !sip_take_element(&elements, &element) && elements.error == 0);
    return 0;
}
