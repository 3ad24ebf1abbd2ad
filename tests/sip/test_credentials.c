#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/credentials.h"
#include "sip/cseq.h"

static void test_cseq_is_a_number_and_a_method(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t number;
        int method;
    } cases[] = {
        {"4711 INVITE", true, 4711, SIP_METHOD_INVITE},   // RFC 3261 20.16
        {"0009\r\n  INVITE", true, 9, SIP_METHOD_INVITE}, // RFC 4475 3.1.1.1
        {"139122385 !interesting-Method0123456789_*+`.%indeed'~", true, 139122385, SIP_METHOD_OTHER},
        {"0 ACK", true, 0, SIP_METHOD_ACK},
        {"2147483647 REGISTER", true, 2147483647, SIP_METHOD_REGISTER},
        {"1 \t REGISTER ", true, 1, SIP_METHOD_REGISTER},
        {"1 register", true, 1, SIP_METHOD_OTHER},
        {"00000000000000000000000000000000000001 BYE", true, 1, SIP_METHOD_BYE},
        {"2147483648 REGISTER", false, 0, 0},
        {"4294967297 REGISTER", false, 0, 0},
        {"36893488147419103232 REGISTER", false, 0, 0}, // RFC 4475 3.1.2.4
        {"18446744073709551617 REGISTER", false, 0, 0},
        {"", false, 0, 0},
        {"1", false, 0, 0},
        {"1 ", false, 0, 0},
        {"1INVITE", false, 0, 0},
        {"INVITE", false, 0, 0},
        {"INVITE 1", false, 0, 0},
        {"-1 INVITE", false, 0, 0},
        {"1 INVITE x", false, 0, 0},
        {"1 INVITE, BYE", false, 0, 0},
        {"1 INV/ITE", false, 0, 0},
        {"0x1 INVITE", false, 0, 0},
        {"1\r\nINVITE", false, 0, 0},
        {"1 INVITE\r\nX: y", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sip_cseq cseq;
        enum sip_error error = sip_cseq_parse(fence_copy(cases[i].text, strlen(cases[i].text)), &cseq);
        if (error != (cases[i].good ? SIP_OK : SIP_ERROR_CSEQ))
            fail_msg("%s: error %d", cases[i].text, error);
        if (cases[i].good && (cseq.number != cases[i].number || cseq.method != cases[i].method))
            fail_msg("%s: %u, %u", cases[i].text, cseq.number, cseq.method);
    }
    struct sip_cseq cseq;
    assert_int_equal(sip_cseq_parse(SLICE("1 INVITE\0"), &cseq), SIP_ERROR_CSEQ);
    assert_int_equal(sip_cseq_parse((struct slice){NULL, 0}, &cseq), SIP_ERROR_CSEQ);
}

static int put(char *words, const char *name, struct slice value)
{
    return value.at == NULL ? 0 : sprintf(words, " %s=%.*s", name, SLICE_PRINT(value));
}

static void describe(struct slice text, char *words)
{
    struct sip_credentials c;
    enum sip_error error = sip_credentials_parse(text, &c);

    if (error != SIP_OK) {
        strcpy(words, error == SIP_ERROR_CREDENTIALS ? "!" : "wrong error");
        return;
    }
    words += sprintf(words, "%.*s", SLICE_PRINT(c.scheme));
    words += put(words, "username", c.username);
    words += put(words, "realm", c.realm);
    words += put(words, "nonce", c.nonce);
    words += put(words, "uri", c.uri);
    words += put(words, "response", c.response);
    words += put(words, "algorithm", c.algorithm);
    words += put(words, "cnonce", c.cnonce);
    words += put(words, "opaque", c.opaque);
    words += put(words, "qop", c.qop);
    words += put(words, "nc", c.nc);
    put(words, "userhash", c.userhash);
}

static void test_credentials_are_read(void **state)
{
    static const char *const cases[][2] = {
        // RFC 3261 20.7, 20.28
        {"Digest username=\"Alice\", realm=\"atlanta.com\",\r\n "
         "nonce=\"84a4cc6f3082121f32b42a2187831a9e\",\r\n "
         "response=\"7587245234b3434cc3412213e5f113a5432\"",
         "Digest username=Alice realm=atlanta.com nonce=84a4cc6f3082121f32b42a2187831a9e "
         "response=7587245234b3434cc3412213e5f113a5432"},
        {"Digest username=\"Alice\", realm=\"atlanta.com\",\r\n    nonce=\"c60f3082ee1212b402a21831ae\",\r\n "
         "   "
         "response=\"245f23415f11432b3434341c022\"",
         "Digest username=Alice realm=atlanta.com nonce=c60f3082ee1212b402a21831ae "
         "response=245f23415f11432b3434341c022"},
        // RFC 7616 3.9.2, on one line
        {"Digest username=\"488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec\","
         "realm=\"api@example.org\",uri=\"/"
         "doe.json\",algorithm=SHA-512-256,nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAb"
         "/RVvkK\",nc=00000001,cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+niz/"
         "sm\",qop=auth,response=\"ae66\",opaque=\"HRPCssKJ\","
         "userhash=true",
         "Digest username=488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec "
         "realm=api@example.org "
         "nonce=5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAb/RVvkK uri=/doe.json response=ae66 "
         "algorithm=SHA-512-256 "
         "cnonce=NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm opaque=HRPCssKJ qop=auth nc=00000001 userhash=true"},
        {"digest USERNAME = \"a\\\"b,c\" , realm=\"\"", "digest username=a\\\"b,c realm="},
        {"Digest qop=\"auth\",uri=sip:a@b,x-new=1,x-new=2", "Digest uri=sip:a@b qop=auth"},
        {"Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe", "Digest"},
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic"},
        {"Bearer a.b.c", "Bearer"},
        {"Digest username=\"a\", username=\"b\"", "!"},
        {"Digest username=\"a\", username*=UTF-8''a", "!"},
        {"Digest username=\"a", "!"},
        {"Digest username=\"a\" realm=\"b\"", "!"},
        {"Digest username=\"a\";realm=\"b\"", "!"},
        {"Digest username", "!"},
        {"Digest username=", "!"},
        {"Digest =\"a\"", "!"},
        {"Digest username=\"a\",", "!"},
        {"Digest ,username=\"a\"", "!"},
        {"Digest ", "!"},
        {"Digest", "!"},
        {"", "!"},
        {" ", "!"},
        {"Digest username=\"a\"\r\nX: y", "!"},
        {"Digest username=\"a\r\nb\"", "!"},
    };
    char words[4096];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        describe(fence_copy(cases[i][0], strlen(cases[i][0])), words);
        assert_string_equal(words, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cseq_is_a_number_and_a_method),
        cmocka_unit_test(test_credentials_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
