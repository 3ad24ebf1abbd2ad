#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/via.h"

static const char *const transports[] = {"other", "udp", "tcp", "tls", "sctp", "ws", "wss"};

static int put(char *words, const char *name, struct slice value)
{
    return value.at == NULL ? 0 : sprintf(words, " %s=%.*s", name, SLICE_PRINT(value));
}

// A comma list in words: "udp host:port branch=… received=… maddr=… ttl=… rport=… [text of rport]" a line.
static void describe_list(struct slice list, char *words)
{
    struct cursor c = cursor_over(list);
    struct sip_via via;
    char *from = words;

    *words = 0;
    do {
        if (!sip_via_take(&c, &via))
            break;
        words += sprintf(words, "%s %.*s:%u", transports[via.transport], SLICE_PRINT(via.host), via.port);
        words += put(words, "branch", via.branch);
        words += put(words, "received", via.received);
        words += put(words, "maddr", via.maddr);
        words += via.ttl == 0 ? 0 : sprintf(words, " ttl=%u", via.ttl);
        words +=
            !via.has_rport ? 0 : sprintf(words, " rport=%u [%.*s]", via.rport, SLICE_PRINT(via.rport_at));
        words += sprintf(words, "\n");
    } while (cursor_skip(&c, ','));
    if (c.error != 0) {
        assert_int_equal(c.error, SIP_ERROR_VIA);
        strcpy(from, "!");
    } else {
        assert_true(cursor_done(&c));
    }
}

static void check_table(const char *const (*cases)[2], size_t n)
{
    char words[4096];

    for (size_t i = 0; i < n; i++) {
        describe_list(fence_copy(cases[i][0], strlen(cases[i][0])), words);
        if (strcmp(words, cases[i][1]) != 0)
            fail_msg("%s\n  is  %s\n  not %s", cases[i][0], words, cases[i][1]);
    }
}

#define CHECK(cases) check_table((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_examples_of_the_rfcs(void **state)
{
    static const char *const cases[][2] = {
        // RFC 3261 20.42
        {"SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7",
         "udp erlang.bell-telephone.com:5060 branch=z9hG4bK87asdks7\n"},
        {"SIP/2.0/UDP 192.0.2.1:5060 ;received=192.0.2.207\r\n     ;branch=z9hG4bK77asjd",
         "udp 192.0.2.1:5060 branch=z9hG4bK77asjd received=192.0.2.207\n"},
        {"SIP / 2.0 / UDP first.example.com: 4000;ttl=16\r\n        ;maddr=224.2.0.1 "
         ";branch=z9hG4bKa7c6a8dlze.1",
         "udp first.example.com:4000 branch=z9hG4bKa7c6a8dlze.1 maddr=224.2.0.1 ttl=16\n"},
        // RFC 3581 6
        {"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff",
         "udp 10.1.1.1:4540 branch=z9hG4bKkjshdyff rport=0 [rport]\n"},
        {"SIP/2.0/UDP 10.1.1.1:4540;received=192.0.2.1;rport=9988\r\n ;branch=z9hG4bKkjshdyff",
         "udp 10.1.1.1:4540 branch=z9hG4bKkjshdyff received=192.0.2.1 rport=9988 [rport=9988]\n"},
        // RFC 5118 4.1, 4.5, 4.7, 4.9
        {"SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111",
         "udp [2001:db8::9:1]:0 branch=z9hG4bKas3-111\n"},
        {"SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111",
         "udp [2001:db8::9:1]:0 branch=z9hG4bKas3-111 received=[2001:db8::9:255]\n"},
        {"SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3",
         "udp [2001:db8::9:1]:0 branch=z9hG4bKas3 received=2001:db8::9:255\n"},
        {"SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111, SIP/2.0/UDP "
         "192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144,SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;\r\n "
         "received=192.0.2.200",
         "udp [2001:db8::9:1]:6050 branch=z9hG4bKas3-111\nudp 192.0.2.1:0 branch=z9hG4bKjhja8781hjuaij65144\n"
         "tcp [2001:db8::9:255]:0 branch=z9hG4bK451jj received=192.0.2.200\n"},
        {"SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19",
         "udp [::ffff:192.0.2.10]:19823 branch=z9hG4bKbh19\n"},
        // RFC 4475 3.1.1.1, 3.1.1.2, 3.1.1.10, 3.1.2.1, 3.1.2.18
        {"SIP  / 2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw", "udp 192.0.2.2:0 branch=390skdjuw\n"},
        {"SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   "
         "/ UDP  "
         "192.168.255.111   ; branch=\r\n z9hG4bK30239",
         "tcp spindle.example.com:0 branch=z9hG4bK9ikj8\nudp 192.168.255.111:0 branch=z9hG4bK30239\n"},
        {"SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~",
         "tcp host1.example.com:0 branch=z9hG4bK-.!%66*_+`'~\n"},
        {"SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en",
         "other t4.example.com:0 branch=z9hG4bKasd0f3en\n"},
        {"SIP/2.0/UDP 192.0.2.15;;,;,,", "!"},
        {"SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw", "udp c.example.com:0 branch=z9hG4bKkdjuw\n"},
    };

    (void)state;
    CHECK(cases);
}

static void test_more_forms(void **state)
{
    static const char *const cases[][2] = {
        {"sip/2.0/udp a", "udp a:0\n"},
        {"SIP/2.0/TLS a:5061", "tls a:5061\n"},
        {"SIP/2.0/SCTP a", "sctp a:0\n"},
        {"SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks",
         "ws df7jal23ls0d.invalid:0 branch=z9hG4bK56sdasks\n"},
        {"SIP/2.0/wss a", "wss a:0\n"},
        {"SIP/2.0/TLS-SCTP a", "other a:0\n"},
        {"SIP/2.0/U a", "other a:0\n"},
        {"SIP/2.0/UDP a : 5060 ", "udp a:5060\n"},
        {"SIP/2.0/UDP\r\n a\r\n :\r\n 5060\r\n ;rport", "udp a:5060 rport=0 [rport]\n"},
        {"SIP/2.0/UDP a;RPORT = 7;Branch=x", "udp a:0 branch=x rport=7 [RPORT = 7]\n"},
        {"SIP/2.0/UDP a;alias;keep;ob=\"x,;y\";branch=b==", "udp a:0 branch=b==\n"},
        {"SIP/2.0/UDP a;ttl=0", "udp a:0\n"},
        {"SIP/2.0/UDP a;ttl=255", "udp a:0 ttl=255\n"},
        {" \tSIP/2.0/UDP a", "udp a:0\n"},
        {"SIP/2.0/UDP my_host.local", "udp my_host.local:0\n"},
        {"", "!"},
        {"SIP/2.0/UDP", "!"},
        {"SIP/2.0/UDP ", "!"},
        {"SIP/2.0/ a", "!"},
        {"SIP/2.0 a", "!"},
        {"/2.0/UDP a", "!"},
        {"SIP//UDP a", "!"},
        {"SIP/2.0/UDPa", "!"},
        {"SIP/2.0/UDP a b", "!"},
        {"SIP/2.0/UDP a:", "!"},
        {"SIP/2.0/UDP a:0", "!"},
        {"SIP/2.0/UDP a:65536", "!"},
        {"SIP/2.0/UDP a:99999999999999999999", "!"},
        {"SIP/2.0/UDP a:b", "!"},
        {"SIP/2.0/UDP a:5060x", "!"},
        {"SIP/2.0/UDP :5060", "!"},
        {"SIP/2.0/UDP 2001:db8::9:1;branch=x", "!"},
        {"SIP/2.0/UDP [2001:db8::9:1", "!"},
        {"SIP/2.0/UDP []", "!"},
        {"SIP/2.0/UDP a;", "!"},
        {"SIP/2.0/UDP a;;rport", "!"},
        {"SIP/2.0/UDP a;branch", "!"},
        {"SIP/2.0/UDP a;branch=", "!"},
        {"SIP/2.0/UDP a;branch=x;branch=y", "!"},
        {"SIP/2.0/UDP a;rport;rport", "!"},
        {"SIP/2.0/UDP a;rport=0", "!"},
        {"SIP/2.0/UDP a;rport=65536", "!"},
        {"SIP/2.0/UDP a;rport=-1", "!"},
        {"SIP/2.0/UDP a;rport=\"1\"", "!"},
        {"SIP/2.0/UDP a;rport=99999999999999999999", "!"},
        {"SIP/2.0/UDP a;received", "!"},
        {"SIP/2.0/UDP a;maddr", "!"},
        {"SIP/2.0/UDP a;ttl", "!"},
        {"SIP/2.0/UDP a;ttl=256", "!"},
        {"SIP/2.0/UDP a;ttl=x", "!"},
        {"SIP/2.0/UDP a;x=\"y", "!"},
        {"SIP/2.0/UDP a,", "!"},
        {"SIP/2.0/UDP a,,SIP/2.0/UDP b", "!"},
        {"SIP/2.0/UDP a\r\nX: y", "!"},
        {"SIP/2.0/UDP a;branch=x\r\nX: y", "!"},
        {"SIP/2.0/UDP a;branch=x\r\n\r\n", "!"},
        {"SIP/2.0/UDP <a>", "!"},
        {"SIP/2.0/UDP h\xc3\xb6st", "!"},
    };

    (void)state;
    CHECK(cases);
}

static void test_texts_are_without_white_space_around(void **state)
{
    struct cursor c = cursor_over(SLICE(" SIP/2.0/UDP a : 1 ; rport ; x = y  , SIP/2.0/UDP b "));
    struct sip_via via;

    (void)state;
    assert_true(sip_via_take(&c, &via));
    assert_true(slice_equal(via.text, SLICE("SIP/2.0/UDP a : 1 ; rport ; x = y")));
    assert_true(slice_equal(via.params, SLICE("; rport ; x = y")));
    assert_true(cursor_skip(&c, ','));
    assert_true(sip_via_take(&c, &via));
    assert_true(slice_equal(via.text, SLICE("SIP/2.0/UDP b")));
    assert_int_equal(via.params.len, 0);
}

static void test_embedded_nul_is_malformed(void **state)
{
    static const struct slice cases[] = {
        {"SIP/2.0/UDP a\0", 14},          {"SIP/2.0/UDP a\0b", 15},
        {"SIP/2.0/UDP a;branch=z\0", 23}, {"SIP/2.0/UDP a;branch=z\0;rport", 29},
        {"SIP/2.0\0/UDP a", 14},          {"\0SIP/2.0/UDP a", 14},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cursor c = cursor_over(fence_copy(cases[i].at, cases[i].len));
        struct sip_via via;
        assert_false(sip_via_take(&c, &via));
        assert_int_equal(c.error, SIP_ERROR_VIA);
    }
}

// RFC 3261 18.2.2 and RFC 3581 4; "" where only a name is known.
// A second space behind the protocol means the same, but takes the Via off the short way through the parser.
static void check_both_ways(const char *text, size_t len)
{
    const size_t behind = sizeof("SIP/2.0/UDP ") - 1;
    char spaced[300], one[4096], other[4096];

    memcpy(spaced, text, behind);
    spaced[behind] = ' ';
    memcpy(spaced + behind + 1, text + behind, len - behind);
    describe_list(fence_copy(text, len), one);
    describe_list(fence_copy(spaced, len + 1), other);
    if (strcmp(one, other) != 0)
        fail_msg("%.*s\n  is  %s\n  not %s", (int)len, text, one, other);
}

// Every truncation and every odd byte in every place, so also in all places of a vector.
static void test_the_usual_via_is_read_as_any_other(void **state)
{
    static const char *const cases[] = {
        "SIP/2.0/UDP 198.18.1.2:5060;branch=z9hG4bKabc.D-e;rport",
        "SIP/2.0/UDP [2001:db8::1]:65535;rport=99;branch=z9hG4bKa;received=198.18.0.77,SIP/2.0/UDP b:1",
        "SIP/2.0/UDP a;maddr=192.0.2.1;ttl=255;hidden;branch=z9hG4bK;x=y",
        "SIP/2.0/UDP abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123;branch=z9hG4bKb",
    };
    static const char odd[] = "[]:;@=\",% \t\r.09Z\\\x7f\x80";
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i]);
        for (size_t at = strlen("SIP/2.0/UDP "); at <= len; at++) {
            check_both_ways(cases[i], at);
            for (size_t byte = 0; at < len && byte < sizeof(odd) - 1; byte++) {
                memcpy(text, cases[i], len);
                text[at] = odd[byte];
                check_both_ways(text, len);
            }
        }
    }
}

static void test_responses_go_where_the_via_says(void **state)
{
    static const char *const cases[][2] = {
        {"SIP/2.0/UDP 192.0.2.1", "192.0.2.1:5060"},
        {"SIP/2.0/UDP 192.0.2.1:5070", "192.0.2.1:5070"},
        {"SIP/2.0/TLS 192.0.2.1", "192.0.2.1:5061"},
        {"SIP/2.0/WSS 192.0.2.1", "192.0.2.1:443"},
        {"SIP/2.0/WS 192.0.2.1", "192.0.2.1:80"},
        {"SIP/2.0/TCP 192.0.2.1", "192.0.2.1:5060"},
        {"SIP/2.0/UDP erlang.bell-telephone.com", ""},
        {"SIP/2.0/UDP erlang.bell-telephone.com:5070;received=192.0.2.207", "192.0.2.207:5070"},
        {"SIP/2.0/UDP 10.1.1.1:4540;received=192.0.2.1;rport=9988", "192.0.2.1:9988"},
        {"SIP/2.0/UDP 10.1.1.1:4540;received=192.0.2.1;rport", "192.0.2.1:4540"},
        {"SIP/2.0/UDP 10.1.1.1:4540;rport=9988", "10.1.1.1:4540"},
        {"SIP/2.0/TCP 10.1.1.1:4540;received=192.0.2.1;rport=9988", "192.0.2.1:4540"},
        {"SIP/2.0/UDP first.example.com:4000;ttl=16;maddr=224.2.0.1;received=192.0.2.1;rport=1",
         "224.2.0.1:4000"},
        {"SIP/2.0/TCP 192.0.2.9;maddr=224.2.0.1", "192.0.2.9:5060"},
        {"SIP/2.0/UDP 192.0.2.9;maddr=example.com", ""},
        {"SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]", "[2001:db8::9:255]:5060"},
        {"SIP/2.0/UDP [2001:db8::9:1]:6050;received=2001:db8::9:255", "[2001:db8::9:255]:6050"},
        {"SIP/2.0/UDP [::ffff:192.0.2.10]:19823", "[::ffff:192.0.2.10]:19823"},
        {"SIP/2.0/UDP 192.0.2.9;received=example.com", ""},
        {"SIP/2.0/UDP 192.0.2.999", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cursor c = cursor_over(fence_copy(cases[i][0], strlen(cases[i][0])));
        struct sip_via via;
        struct endpoint endpoint;
        char text[ENDPOINT_TEXT_MAX] = "";
        assert_true(sip_via_take(&c, &via));
        if (sip_via_response_endpoint(&via, &endpoint))
            text[endpoint_write(&endpoint, text)] = 0;
        if (strcmp(text, cases[i][1]) != 0)
            fail_msg("%s goes to %s", cases[i][0], text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_rfcs),
        cmocka_unit_test(test_more_forms),
        cmocka_unit_test(test_texts_are_without_white_space_around),
        cmocka_unit_test(test_embedded_nul_is_malformed),
        cmocka_unit_test(test_the_usual_via_is_read_as_any_other),
        cmocka_unit_test(test_responses_go_where_the_via_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
