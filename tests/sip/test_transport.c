// How a peer is spoken to, by what URIs and Vias say (RFC 3261 18, 19.1.2, 26.2.2, RFC 7118 5.5).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// behind those that it needs
#include <cmocka.h>

#include "fence.h"
#include "sip/transport.h"

#define ANY SIP_TRANSPORT_ANY
#define BAD 0xfe

static const struct {
    const char *uri;
    uint8_t transport; // BAD: refused
} uris[] = {
    {"sip:a@b", ANY},
    {"sip:a@b;lr", ANY},
    {"sips:a@b", ANY},
    {"sip:a@b;transport=udp", ENDPOINT_UDP},
    {"sip:a@b;transport=TCP;lr", ENDPOINT_TCP},
    {"sip:a@b;lr;Transport=tls", ENDPOINT_TLS},
    {"sip:a@b;transport=ws", ENDPOINT_WS},
    {"sip:a@b;transport=wss", ENDPOINT_WSS},
    {"sips:a@b;transport=tcp", ENDPOINT_TLS},
    {"sips:a@b;transport=tls", ENDPOINT_TLS},
    {"sips:a@b;transport=ws", ENDPOINT_WSS},
    {"sips:a@b;transport=wss", ENDPOINT_WSS},
    {"sips:a@b;transport=udp", BAD},
    {"sip:a@b;transport=sctp", BAD},
    {"sip:a@b;transport=tls-sctp", BAD},
    {"sip:a@b;transport", BAD},
    {"sip:a@b;transport=", BAD},
    {"tel:+49", BAD},
    {"http://b;transport=tcp", BAD},
};

static void test_a_uri_says_its_transport(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++) {
        struct sip_uri uri;
        uint8_t transport = 0x55;
        if (sip_uri_parse(fence_copy(uris[i].uri, strlen(uris[i].uri)), &uri) != SIP_OK)
            continue; // its grammar refused it already
        bool known = sip_uri_transport(&uri, &transport);
        if (known != (uris[i].transport != BAD) || (known && transport != uris[i].transport))
            fail_msg("%s: %d, %u", uris[i].uri, known, transport);
    }
}

// 19.1.2 table 1, RFC 3263 4.1, 4.2
static void test_an_address_has_transport_and_port(void **state)
{
    static const struct {
        const char *uri;
        uint8_t transport;
        uint16_t port;
    } cases[] = {
        {"sip:192.0.2.4", ENDPOINT_UDP, 5060},
        {"sips:192.0.2.4", ENDPOINT_TLS, 5061},
        {"sip:192.0.2.4;transport=tcp", ENDPOINT_TCP, 5060},
        {"sip:192.0.2.4;transport=tls", ENDPOINT_TLS, 5061},
        {"sips:192.0.2.4;transport=tcp", ENDPOINT_TLS, 5061},
        {"sip:192.0.2.4;transport=ws", ENDPOINT_WS, 80},
        {"sips:192.0.2.4;transport=ws", ENDPOINT_WSS, 443},
        {"sip:192.0.2.4:5080;transport=ws", ENDPOINT_WS, 5080},
        {"sip:b;maddr=192.0.2.4;transport=tcp", ENDPOINT_TCP, 5060},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sip_uri uri;
        struct endpoint endpoint;
        assert_int_equal(sip_uri_parse(slice_text(cases[i].uri), &uri), SIP_OK);
        assert_true(sip_uri_endpoint(&uri, &endpoint));
        if (endpoint.transport != cases[i].transport || endpoint.port != cases[i].port || endpoint.flow != 0)
            fail_msg("%s: %u, %u", cases[i].uri, endpoint.transport, endpoint.port);
    }
}

static void test_a_via_says_its_transport(void **state)
{
    (void)state;
    for (unsigned transport = 0; transport < ENDPOINT_TRANSPORTS; transport++) {
        char text[64];
        struct slice name = sip_transport_name(transport);
        struct sip_via via;
        struct endpoint to;
        int len =
            snprintf(text, sizeof(text), "SIP/2.0/%.*s 192.0.2.1;branch=z9hG4bKa", (int)name.len, name.at);
        struct cursor c = cursor_over(slice_of(text, (size_t)len));
        assert_true(sip_via_take(&c, &via));
        assert_int_equal(sip_via_transport(&via), transport);
        assert_true(sip_via_response_endpoint(&via, &to));
        assert_int_equal(to.transport, transport);
        assert_int_equal(to.port, sip_transport_port(transport));
    }
    struct cursor c = cursor_over(SLICE("SIP/2.0/SCTP 192.0.2.1"));
    struct sip_via via;
    assert_true(sip_via_take(&c, &via));
    assert_int_equal(sip_via_transport(&via), ENDPOINT_UDP);
}

// What we write is what we read.
static void test_a_parameter_is_read_as_it_is_written(void **state)
{
    (void)state;
    for (unsigned transport = 0; transport < ENDPOINT_TRANSPORTS; transport++) {
        struct slice param = sip_transport_param(transport);
        bool sips = transport == ENDPOINT_WSS;
        char text[64];
        struct sip_uri uri;
        uint8_t read;
        int len =
            snprintf(text, sizeof(text), "%s:a@b%.*s;lr", sips ? "sips" : "sip", (int)param.len, param.at);
        assert_int_equal(sip_uri_parse(slice_of(text, (size_t)len), &uri), SIP_OK);
        assert_true(sip_uri_transport(&uri, &read));
        assert_int_equal(read, transport == ENDPOINT_UDP ? SIP_TRANSPORT_ANY : transport);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_uri_says_its_transport),
        cmocka_unit_test(test_an_address_has_transport_and_port),
        cmocka_unit_test(test_a_via_says_its_transport),
        cmocka_unit_test(test_a_parameter_is_read_as_it_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
