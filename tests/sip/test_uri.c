#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/uri.h"

// A URI in words: scheme|user|password|host|port|params|headers, "-" for what is not there.
static void describe(struct slice text, char *words)
{
    static const char *const schemes[] = {"?", "sip", "sips", "tel", "other"};
    struct sip_uri uri;
    enum sip_error error = sip_uri_parse(text, &uri);

    if (error != SIP_OK) {
        strcpy(words, error == SIP_ERROR_URI ? "malformed" : "wrong error");
        return;
    }
    assert_true(slice_equal(uri.text, text));
    if (uri.scheme == SIP_SCHEME_OTHER) {
        sprintf(words, "other|%.*s", SLICE_PRINT(uri.scheme_text));
        return;
    }
    assert_true(slice_equal_nocase(uri.scheme_text, slice_text(schemes[uri.scheme])));
    words += sprintf(words, "%s|", schemes[uri.scheme]);
    words += uri.user.at == NULL ? sprintf(words, "-|") : sprintf(words, "%.*s|", SLICE_PRINT(uri.user));
    words +=
        uri.password.at == NULL ? sprintf(words, "-|") : sprintf(words, "%.*s|", SLICE_PRINT(uri.password));
    sprintf(words, "%.*s|%u|%.*s|%.*s", SLICE_PRINT(uri.host), uri.port, SLICE_PRINT(uri.params),
            SLICE_PRINT(uri.headers));
}

static void check_table(const char *const (*cases)[2], size_t n)
{
    char words[4096];

    for (size_t i = 0; i < n; i++) {
        describe(fence_copy(cases[i][0], strlen(cases[i][0])), words);
        if (strcmp(words, cases[i][1]) != 0)
            fail_msg("%s\n  is  %s\n  not %s", cases[i][0], words, cases[i][1]);
    }
}

#define CHECK(cases) check_table((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_examples_of_rfc3261_19_1_3(void **state)
{
    static const char *const cases[][2] = {
        {"sip:alice@atlanta.com", "sip|alice|-|atlanta.com|0||"},
        {"sip:alice:secretword@atlanta.com;transport=tcp",
         "sip|alice|secretword|atlanta.com|0|;transport=tcp|"},
        {"sips:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sips|alice|-|atlanta.com|0||subject=project%20x&priority=urgent"},
        {"sip:+1-212-555-1212:1234@gateway.com;user=phone",
         "sip|+1-212-555-1212|1234|gateway.com|0|;user=phone|"},
        {"sips:1212@gateway.com", "sips|1212|-|gateway.com|0||"},
        {"sip:alice@192.0.2.4", "sip|alice|-|192.0.2.4|0||"},
        {"sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
         "sip|-|-|atlanta.com|0|;method=REGISTER|to=alice%40atlanta.com"},
        {"sip:alice;day=tuesday@atlanta.com", "sip|alice;day=tuesday|-|atlanta.com|0||"},
        {"sip:alice@atlanta.com;maddr=239.255.255.1;ttl=15",
         "sip|alice|-|atlanta.com|0|;maddr=239.255.255.1;ttl=15|"}, // 19.1.1
        {"sip:%61lice@atlanta.com;transport=TCP", "sip|%61lice|-|atlanta.com|0|;transport=TCP|"},
        {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip|-|-|biloxi.com|0|;transport=tcp;method=REGISTER|to=sip:bob%40biloxi.com"},
    };

    (void)state;
    CHECK(cases);
}

static void test_forms_of_the_wild_and_the_torture_tests(void **state)
{
    static const char *const cases[][2] = {
        // RFC 4475 3.1.1.2, 3.1.1.3, 3.1.1.4, 3.1.1.9, 3.1.2.11
        {"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
         "@example.com",
         "sip|1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*|&it+has=1,weird!*pas$wo~d_too.(doesn't-it)|"
         "example.com|0||"},
        {"sip:sips%3Auser%40example.com@example.net", "sip|sips%3Auser%40example.com|-|example.net|0||"},
        {"sip:null-%00-null@example.com", "sip|null-%00-null|-|example.com|0||"},
        {"sip:user;par=u%40example.net@example.com", "sip|user;par=u%40example.net|-|example.com|0||"},
        {"sip:user@example.com?Route=%3Csip:example.com%3E",
         "sip|user|-|example.com|0||Route=%3Csip:example.com%3E"},
        {"SIPS:Alice@Atlanta.COM:5061;LR", "sips|Alice|-|Atlanta.COM|5061|;LR|"},
        {"SiP:a", "sip|-|-|a|0||"},
        {"sip:a:@b", "sip|a||b|0||"},
        {"sip:192.0.2.1:5060;lr", "sip|-|-|192.0.2.1|5060|;lr|"},
        {"sip:host:65535", "sip|-|-|host|65535||"},
        {"sip:host:05060", "sip|-|-|host|5060||"},
        {"sip:host?a=", "sip|-|-|host|0||a="},
        {"sip:host?a=b?c", "sip|-|-|host|0||a=b?c"},
        {"sip:host;a?b", "sip|-|-|host|0|;a|b"},
        {"sip:host;x=[2001:db8::1];y=%3B", "sip|-|-|host|0|;x=[2001:db8::1];y=%3B|"},
        {"sip:*21#@gateway.com", "sip|*21#|-|gateway.com|0||"},
        {"sip:_sip-host_1.example.com", "sip|-|-|_sip-host_1.example.com|0||"},
        {"sip:host;;lr;", "sip|-|-|host|0|;;lr;|"},
        {"sip:host;a=b@c", "sip|host;a=b|-|c|0||"},
        {"sip:host?a=b@c", "sip|host?a=b|-|c|0||"},
    };

    (void)state;
    CHECK(cases);
}

static void test_examples_of_rfc5118(void **state)
{
    static const char *const cases[][2] = {
        {"sip:[2001:db8::10]", "sip|-|-|[2001:db8::10]|0||"},                         // 4.1
        {"sip:caller@[2001:db8::1]", "sip|caller|-|[2001:db8::1]|0||"},               // 4.1
        {"sip:2001:db8::10", "malformed"},                                            // 4.2
        {"sip:[2001:db8::10:5070]", "sip|-|-|[2001:db8::10:5070]|0||"},               // 4.3
        {"sip:[2001:db8::10]:5070", "sip|-|-|[2001:db8::10]|5070||"},                 // 4.4
        {"sip:ted@[::ffff:192.0.2.2]", "sip|ted|-|[::ffff:192.0.2.2]|0||"},           // 4.9
        {"sip:user@[2001:db8:::192.0.2.1]", "sip|user|-|[2001:db8:::192.0.2.1]|0||"}, // 4.10
        {"sip:user@[2001:db8::192.0.2.1]", "sip|user|-|[2001:db8::192.0.2.1]|0||"},
        {"sip:[2001:db8::10", "malformed"},
        {"sip:2001:db8::10]", "malformed"},
        {"sip:[]", "malformed"},
        {"sip:[fe80::1%25eth0]", "malformed"},
        {"sip:[2001:db8::10]5070", "malformed"},
        {"sip:[[2001:db8::10]]", "malformed"},
    };

    (void)state;
    CHECK(cases);
}

static void test_examples_of_rfc3966(void **state)
{
    static const char *const cases[][2] = {
        {"tel:+1-201-555-0123", "tel|+1-201-555-0123|-||0||"},
        {"tel:7042;phone-context=example.com", "tel|7042|-||0|;phone-context=example.com|"},
        {"tel:863-1234;phone-context=+1-914-555", "tel|863-1234|-||0|;phone-context=+1-914-555|"},
        {"tel:+358-555-1234567;postd=pp22", "tel|+358-555-1234567|-||0|;postd=pp22|"},
        {"TEL:+1(201)555.0123", "tel|+1(201)555.0123|-||0||"},
        {"tel:911", "tel|911|-||0||"},
        {"tel:*#06#;phone-context=+1", "tel|*#06#|-||0|;phone-context=+1|"},
        {"tel:aBcDeF0", "tel|aBcDeF0|-||0||"},
        {"tel:", "malformed"},
        {"tel:+", "malformed"},
        {"tel:+()-.", "malformed"},
        {"tel:-.", "malformed"},
        {"tel:+1 201", "malformed"},
        {"tel:+1a", "malformed"},
        {"tel:++1", "malformed"},
        {"tel:1-800-FLOWERS", "malformed"},
        {"tel:+1@host", "malformed"},
        {"tel:+1?a=b", "malformed"},
    };

    (void)state;
    CHECK(cases);
}

static void test_other_schemes_are_carried(void **state)
{
    static const char *const cases[][2] = {
        {"mailto:watson@bell-telephone.com", "other|mailto"},
        {"http://www.example.com/a?b#c", "other|http"},
        {"nobodyKnowsThisScheme:totallyopaquecontent", "other|nobodyKnowsThisScheme"}, // RFC 4475 3.3.2
        {"soap.beep://192.0.2.103:3002", "other|soap.beep"},                           // RFC 4475 3.3.3
        {"urn:service:sos", "other|urn"},
        {"sipx:a", "other|sipx"},
        {"si:a", "other|si"},
        {"sipsx:a", "other|sipsx"},
        {"a+b-c.d:e", "other|a+b-c.d"},
        {"1a:b", "malformed"},
        {"+a:b", "malformed"},
        {":b", "malformed"},
        {"http:", "malformed"},
        {"http", "malformed"},
        {"http:a b", "malformed"},
        {"http:a<b", "malformed"},
        {"http:a\"b", "malformed"},
        {"http:\xc3\xbc", "malformed"},
    };

    (void)state;
    CHECK(cases);
}

static void test_malformed_uris_are_named_so(void **state)
{
    static const char *const cases[] = {
        "",
        "sip",
        "sip:",
        "sips:",
        "sip::",
        "sip:@",
        "sip:@host",
        "sip::pw@host",
        "sip:user@",
        "sip:user@;lr",
        "sip:user@ho st",
        "sip:us er@host",
        "sip:a:b:c@host",
        "sip:a@b@c",
        "sip:host:",
        "sip:host:0",
        "sip:host:65536",
        "sip:host:50600000000000000000000000000000000000",
        "sip:host:4294972356", // 5060 + 2**32
        "sip:host:-1",
        "sip:host:5060x",
        "sip:host:port",
        "sip:host?",
        "sip:host;a=b c",
        "sip:host;a=\"b\"",
        "sip:host;a=b,c",
        "sip:host?a=b;c",
        "sip:h%6fst",
        "sip:user@h%6fst",
        "sip:us%er@host",
        "sip:user%4@host",
        "sip:user%@host",
        "sip:user%zz@host",
        "sip:host;a=%",
        "sip:host;a=%1",
        "sip:host?a=%1g",
        "sip:user@host\r\nTo: x",
        "sip:user@host\r\n ",
        "sip:user\x01@host",
        "sip:us\xc3\xa9r@host",
        "sip:user@h\xc3\xb6st",
        "sip:<user@host>",
        " sip:user@host",
        "sip:user@host ",
        "sip :user@host",
        "sip\x1a@b", // the colon with the bit that makes letters lower case
        "alice@atlanta.com",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sip_uri uri;
        if (sip_uri_parse(fence_copy(cases[i], strlen(cases[i])), &uri) != SIP_ERROR_URI)
            fail_msg("\"%s\" is taken", cases[i]);
    }
}

static void test_embedded_nul_is_malformed(void **state)
{
    struct sip_uri uri;

    (void)state;
    assert_int_equal(sip_uri_parse(SLICE("sip:ali\0ce@host"), &uri), SIP_ERROR_URI);
    assert_int_equal(sip_uri_parse(SLICE("sip:alice@host\0"), &uri), SIP_ERROR_URI);
    assert_int_equal(sip_uri_parse(SLICE("sip:alice@host;a\0"), &uri), SIP_ERROR_URI);
    assert_int_equal(sip_uri_parse(SLICE("\0sip:alice@host"), &uri), SIP_ERROR_URI);
    assert_int_equal(sip_uri_parse(SLICE("tel:+1\0"), &uri), SIP_ERROR_URI);
}

static void test_parameters_are_found_by_name(void **state)
{
    static const struct {
        const char *uri, *name, *value; // value NULL: absent, "-": without "="
    } cases[] = {
        {"sip:h;lr", "lr", "-"},
        {"sip:h;LR", "lr", "-"},
        {"sip:h;lr=on", "lr", "on"},
        {"sip:h;lr=", "lr", ""},
        {"sip:h;a=b=c", "a", "b=c"},
        {"sip:h;;;x;lr", "lr", "-"},
        {"sip:h;=v;lr", "lr", "-"},
        {"sip:h;transport=tcp;transport=udp", "Transport", "tcp"},
        {"sip:h;slr;lrs;xlr=lr", "lr", NULL},
        {"sip:h?lr=1", "lr", NULL},
        {"sip:u;lr@h", "lr", NULL},
        {"sip:h", "lr", NULL},
        {"mailto:a;lr", "lr", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sip_uri uri;
        struct slice value = SLICE("none");
        assert_int_equal(sip_uri_parse(fence_copy(cases[i].uri, strlen(cases[i].uri)), &uri), SIP_OK);
        bool there = sip_uri_param(&uri, slice_text(cases[i].name), &value);
        assert_int_equal(there, cases[i].value != NULL);
        if (there && strcmp(cases[i].value, "-") == 0)
            assert_null(value.at);
        else if (there)
            assert_true(value.at != NULL && slice_equal(value, slice_text(cases[i].value)));
    }
}

static void test_literal_hosts_give_endpoints(void **state)
{
    static const char *const cases[][2] = {
        {"sip:192.0.2.4", "192.0.2.4:5060"},
        {"sips:alice@192.0.2.4", "192.0.2.4:5061"},
        {"sip:192.0.2.4;transport=tls", "192.0.2.4:5061"},
        {"sip:192.0.2.4:5070;transport=TLS", "192.0.2.4:5070"},
        {"sip:[2001:db8::10]:5070", "[2001:db8::10]:5070"},
        {"sip:[2001:db8:::192.0.2.1]", "[2001:db8::c000:201]:5060"},
        {"sip:atlanta.com;maddr=239.255.255.1;ttl=15", "239.255.255.1:5060"},
        {"sip:192.0.2.4:5070;maddr=[2001:db8::1]", "[2001:db8::1]:5070"},
        {"sip:192.0.2.4;maddr=atlanta.com", ""},
        {"sip:192.0.2.4;maddr", ""},
        {"sip:atlanta.com", ""},
        {"sip:192.0.2.400", ""},
        {"sip:[2001:db8::1::2]", ""},
        {"tel:+12125551212", ""},
        {"http://192.0.2.4", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sip_uri uri;
        struct endpoint endpoint;
        char text[ENDPOINT_TEXT_MAX] = "";
        assert_int_equal(sip_uri_parse(fence_copy(cases[i][0], strlen(cases[i][0])), &uri), SIP_OK);
        if (sip_uri_endpoint(&uri, &endpoint))
            text[endpoint_write(&endpoint, text)] = 0;
        assert_string_equal(text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_rfc3261_19_1_3),
        cmocka_unit_test(test_forms_of_the_wild_and_the_torture_tests),
        cmocka_unit_test(test_examples_of_rfc5118),
        cmocka_unit_test(test_examples_of_rfc3966),
        cmocka_unit_test(test_other_schemes_are_carried),
        cmocka_unit_test(test_malformed_uris_are_named_so),
        cmocka_unit_test(test_embedded_nul_is_malformed),
        cmocka_unit_test(test_parameters_are_found_by_name),
        cmocka_unit_test(test_literal_hosts_give_endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
