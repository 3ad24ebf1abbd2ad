#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/uri.h"

static struct sip_uri parsed(const char *text)
{
    struct sip_uri uri;

    if (sip_uri_parse(slice_text(text), &uri) != SIP_OK)
        fail_msg("%s is malformed", text);
    return uri;
}

// Both ways round, and each with itself.
static void check_pairs(const char *const (*pairs)[2], size_t n, bool equal)
{
    for (size_t i = 0; i < n; i++) {
        struct sip_uri a = parsed(pairs[i][0]), b = parsed(pairs[i][1]);
        if (!sip_uri_equal(&a, &a) || !sip_uri_equal(&b, &b))
            fail_msg("%s or %s is not itself", pairs[i][0], pairs[i][1]);
        if (sip_uri_equal(&a, &b) != equal || sip_uri_equal(&b, &a) != equal)
            fail_msg("%s and %s are %s", pairs[i][0], pairs[i][1], equal ? "different" : "equal");
    }
}

#define CHECK(pairs, equal) check_pairs((pairs), sizeof(pairs) / sizeof((pairs)[0]), (equal))

static void test_equal_examples_of_rfc3261_19_1_4(void **state)
{
    static const char *const pairs[][2] = {
        {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
        {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
        {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
        {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;security=off"},
    };

    (void)state;
    CHECK(pairs, true);
}

static void test_different_examples_of_rfc3261_19_1_4(void **state)
{
    static const char *const pairs[][2] = {
        {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
        {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
        // 19.1.6
        {"sip:+358-555-1234567;postd=pp22@foo.com;user=phone",
         "sip:+358-555-1234567;POSTD=PP22@foo.com;user=phone"},
        {"sip:+358-555-1234567;postd=pp22;isub=1411@foo.com;user=phone",
         "sip:+358-555-1234567;isub=1411;postd=pp22@foo.com;user=phone"},
    };

    (void)state;
    CHECK(pairs, false);
}

static void test_rules_of_rfc3261_19_1_4_that_say_yes(void **state)
{
    static const char *const pairs[][2] = {
        {"sip:a@b", "sip:a@b"},
        {"SIP:a@b", "sip:a@B"},
        {"sip:a%7E@b", "sip:a~@b"},
        {"sip:%41%6c@b", "sip:A%6C@b"},
        {"sip:a:%70w@b", "sip:a:pw@b"},
        {"sip:a@b;p=%7e", "sip:a@b;P=~"},
        {"sip:a@b;%6cr", "sip:a@b;lr"},
        {"sip:a@b;lr;x=1", "sip:a@b;y=2;LR"},
        {"sip:a@b;maddr=C", "sip:a@b;maddr=c"},
        {"sip:a@b;x=1;x=2", "sip:a@b;x=1"}, // the first one counts
        {"sip:a@b?X=y", "sip:a@b?x=Y"},
        {"sip:a@b?r=1&r=2", "sip:a@b?r=1&r=2"},
        {"sip:a@b?%52=1", "sip:a@b?r=1"},
        {"sip:a@b;;x", "sip:a@b;x"},
        {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"}, // RFC 5954 4.2
        {"sip:a@[2001:db8:::192.0.2.1]", "sip:a@[2001:db8::192.0.2.1]"},
        {"sip:a@[::ffff:192.0.2.1]", "sip:a@[::ffff:c000:201]"},
    };

    (void)state;
    CHECK(pairs, true);
}

static void test_rules_of_rfc3261_19_1_4_that_say_no(void **state)
{
    static const char *const pairs[][2] = {
        {"sip:a@b", "sips:a@b"},
        {"sip:a@b", "sip:b"},
        {"sip:a@b", "sip:a:@b"},
        {"sip:a:pw@b", "sip:a@b"},
        {"sip:a:pw@b", "sip:a:PW@b"},
        {"sip:a@b", "sip:A@b"},
        {"sip:a@b", "sip:aa@b"},
        {"sip:a@b", "sip:a@c"},
        {"sip:a@b", "sip:a@b."},
        {"sip:a@b:5060", "sip:a@b:5061"},
        {"sip:a%3Bb@c", "sip:a;b@c"}, // a reserved character is not its escape
        {"sip:a%2b@c", "sip:a+@c"},
        {"sip:%2541@c", "sip:%41@c"}, // decoded once
        {"sip:a%00@c", "sip:a@c"},
        {"sip:a@b;user=phone", "sip:a@b"},
        {"sip:a@b;user=ip", "sip:a@b"},
        {"sip:a@b;ttl=1", "sip:a@b"},
        {"sip:a@b;method=INVITE", "sip:a@b"},
        {"sip:a@b;maddr=c", "sip:a@b"},
        {"sip:a@b;maddr=c", "sip:a@b;maddr=d"},
        {"sip:a@b;method=INVITE", "sip:a@b;method=invite"},
        {"sip:a@b;transport=tcp", "sip:a@b"},
        {"sip:a@b;%75ser=phone", "sip:a@b"},
        {"sip:a@b;lr", "sip:a@b;lr=on"},
        {"sip:a@b;lr=", "sip:a@b;lr"},
        {"sip:a@b?x=1", "sip:a@b?x=2"},
        {"sip:a@b?x=1", "sip:a@b?x=1&y=2"},
        {"sip:a@b?x=1&x=2", "sip:a@b?x=2&x=1"},
        {"sip:a@b?x=1&x=1", "sip:a@b?x=1&y=1"},
        {"sip:a@b?x", "sip:a@b?x="},
        {"sip:a@192.0.2.1", "sip:a@[::ffff:192.0.2.1]"},
        {"sip:a@[2001:db8::1]", "sip:a@[2001:db8::2]"},
        {"sip:+12125551212@b", "tel:+12125551212"},
        {"mailto:a@b", "mailto:A@b"},
        {"mailto:a@b", "mailtx:a@b"},
        {"urn:a", "urnn:a"},
    };

    (void)state;
    CHECK(pairs, false);
    const char *const same[][2] = {{"MAILTO:a@b", "mailto:a@b"}};
    CHECK(same, true);
}

static void test_rules_of_rfc3966_4(void **state)
{
    static const char *const equal[][2] = {
        {"tel:+358-555-1234567;postd=pp22", "tel:+358-555-1234567;POSTD=PP22"}, // RFC 3261 19.1.6
        {"tel:+358-555-1234567;postd=pp22;isub=1411", "tel:+358-555-1234567;isub=1411;postd=pp22"},
        {"tel:+1-201-555-0123", "tel:+12015550123"},
        {"tel:+1(201)555.0123", "TEL:+1-201-555-0123"},
        {"tel:863-1234;phone-context=+1-914-555", "tel:8631234;phone-context=+1914555"},
        {"tel:7042;phone-context=example.com", "tel:70-42;Phone-Context=EXAMPLE.com"},
        {"tel:abc*#;phone-context=x", "tel:ABC*#;phone-context=x"},
        {"tel:+1;ext=12-34", "tel:+1;ext=1234"},
    };
    static const char *const different[][2] = {
        {"tel:+12015550123", "tel:12015550123;phone-context=+1"},
        {"tel:12015550123", "tel:+12015550123"},
        {"tel:+1201", "tel:+1202"},
        {"tel:+1201", "tel:+12010"},
        {"tel:7042;phone-context=example.com", "tel:7042;phone-context=examplecom"},
        {"tel:7042;phone-context=example.com", "tel:7042;phone-context=example.net"},
        {"tel:7042;phone-context=dead-beef", "tel:7042;phone-context=deadbeef"},
        {"tel:7042;phone-context=+1", "tel:7042;phone-context=1"},
        {"tel:7042;phone-context=example.com", "tel:7042"},
        {"tel:+1;ext=12", "tel:+1;ext=13"},
        {"tel:+1;ext=12", "tel:+1"},
        {"tel:+1;a=b", "tel:+1;c=d"},
    };

    (void)state;
    CHECK(equal, true);
    CHECK(different, false);
}

// However many there are, the work is bounded: above SIP_URI_PARTS_MAX only the same text is equal.
static void test_very_many_parameters_are_equal_to_themselves_only(void **state)
{
    char many[2048] = "sip:a@b", other[2050];

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        sprintf(many + strlen(many), ";p%u", i);
    snprintf(other, sizeof(other), "%s;x", many);
    struct sip_uri a = parsed(many), b = parsed(other), c = parsed(many);
    assert_true(sip_uri_equal(&a, &c));
    assert_false(sip_uri_equal(&a, &b));
    assert_false(sip_uri_equal(&b, &a));
}

// Canonical addresses of record (RFC 3261 10.3 step 5); "" for none.
static void test_addresses_of_record(void **state)
{
    static const char *const cases[][2] = {
        {"sip:alice@atlanta.com", "alice@atlanta.com"},
        {"SIPS:alice@ATLANTA.com", "alice@atlanta.com"},
        {"sip:Alice@atlanta.com", "Alice@atlanta.com"},
        {"sip:%61lice@atlanta.com;transport=tcp?a=b", "alice@atlanta.com"},
        {"sip:alice:secret@atlanta.com", "alice@atlanta.com"},
        {"sip:alice@atlanta.com:5060", "alice@atlanta.com"},
        {"sip:alice@atlanta.com:5061", "alice@atlanta.com:5061"},
        {"sips:alice@atlanta.com:5061", "alice@atlanta.com"},
        {"sips:alice@atlanta.com:5060", "alice@atlanta.com:5060"},
        {"sip:alice@atlanta.com:1", "alice@atlanta.com:1"},
        {"sip:alice@atlanta.com:10", "alice@atlanta.com:10"},
        {"sip:alice@atlanta.com:65535", "alice@atlanta.com:65535"},
        {"sip:atlanta.com", "atlanta.com"},
        {"sip:alice;day=tuesday@atlanta.com", "alice;day=tuesday@atlanta.com"},
        {"sip:j%40s0n@atlanta.com", "j@s0n@atlanta.com"},
        {"sip:+1-212-555-1212@gateway.com;user=phone", "+1-212-555-1212@gateway.com"},
        {"sip:bob@[2001:DB8:0::10]", "bob@[2001:db8::10]"},
        {"sip:bob@[2001:db8:::192.0.2.1]", "bob@[2001:db8::c000:201]"},
        {"sip:bob@[ABC::ABC::ABC]", "bob@[abc::abc::abc]"},
        {"sip:bob@192.0.2.4", "bob@192.0.2.4"},
        {"tel:+1-201-555-0123", "+12015550123"},
        {"tel:+1(201)555.0123;ext=9", "+12015550123"},
        {"tel:A-b.7*#;phone-context=+1", "ab7*#"},
        {"mailto:alice@atlanta.com", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sip_uri uri = parsed(cases[i][0]);
        char aor[SIP_AOR_MAX];
        unsigned len = sip_uri_write_aor(&uri, aor);
        if (!slice_equal(slice_of(aor, len), slice_text(cases[i][1])))
            fail_msg("%s gives %.*s", cases[i][0], (int)len, aor);
    }
}

static void test_an_escaped_nul_is_a_byte_of_the_address_of_record(void **state)
{
    struct sip_uri uri = parsed("sip:null-%00-null@example.com"); // RFC 4475 3.1.1.4
    char aor[SIP_AOR_MAX];

    (void)state;
    assert_true(slice_equal(slice_of(aor, sip_uri_write_aor(&uri, aor)), SLICE("null-\0-null@example.com")));
}

// Exactly SIP_AOR_MAX bytes fit, and nothing is ever written behind them.
static void test_an_address_of_record_that_is_too_long_is_none(void **state)
{
    char text[SIP_AOR_MAX + 64];
    struct {
        char aor[SIP_AOR_MAX];
        char guard[32];
    } out;

    (void)state;
    for (size_t len = SIP_AOR_MAX - 40; len < SIP_AOR_MAX + 40; len++) {
        static const char *const forms[] = {"u@", "%41@", ""};
        for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
            size_t n = (size_t)sprintf(text, "sip:%s", forms[form]);
            size_t expected = (form == 2 ? 0 : 2) + len;
            memset(text + n, 'h', len);
            text[n + len] = 0;
            struct sip_uri uri = parsed(text);
            memset(&out, 0x55, sizeof(out));
            assert_int_equal(sip_uri_write_aor(&uri, out.aor), expected > SIP_AOR_MAX ? 0 : expected);
            for (size_t i = 0; i < sizeof(out.guard); i++)
                assert_int_equal(out.guard[i], 0x55);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_examples_of_rfc3261_19_1_4),
        cmocka_unit_test(test_different_examples_of_rfc3261_19_1_4),
        cmocka_unit_test(test_rules_of_rfc3261_19_1_4_that_say_yes),
        cmocka_unit_test(test_rules_of_rfc3261_19_1_4_that_say_no),
        cmocka_unit_test(test_rules_of_rfc3966_4),
        cmocka_unit_test(test_very_many_parameters_are_equal_to_themselves_only),
        cmocka_unit_test(test_addresses_of_record),
        cmocka_unit_test(test_an_escaped_nul_is_a_byte_of_the_address_of_record),
        cmocka_unit_test(test_an_address_of_record_that_is_too_long_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
