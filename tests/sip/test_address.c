#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/contact.h"

// A comma list in words: display|uri|params|tag for each, "!" and the error's name at an error.
static void describe_list(struct slice list, char *words)
{
    struct cursor c = cursor_over(list);
    struct sip_address address;
    char *from = words;

    *words = 0;
    do {
        if (!sip_address_take(&c, &address))
            break;
        words += sprintf(words, "%.*s|%.*s|%.*s|%.*s\n", SLICE_PRINT(address.display),
                         SLICE_PRINT(address.uri.text), SLICE_PRINT(address.params),
                         SLICE_PRINT(sip_address_tag(&address)));
    } while (cursor_skip(&c, ','));
    switch (c.error) {
    case 0:
        assert_true(cursor_done(&c));
        return;
    case SIP_ERROR_ADDRESS:
        strcpy(from, "!address");
        return;
    case SIP_ERROR_URI:
        strcpy(from, "!uri");
        return;
    case SIP_ERROR_PARAMETER:
        strcpy(from, "!parameter");
        return;
    case SIP_ERROR_QUOTED_STRING:
        strcpy(from, "!quote");
        return;
    default:
        fail_msg("error %d", c.error);
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

static void test_examples_of_rfc3261_20(void **state)
{
    static const char *const cases[][2] = {
        // 20.10
        {"\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>\r\n   ;q=0.7; expires=3600,\r\n"
         "   \"Mr. Watson\" <mailto:watson@bell-telephone.com> ;q=0.1",
         "\"Mr. Watson\"|sip:watson@worcester.bell-telephone.com|;q=0.7; expires=3600|\n"
         "\"Mr. Watson\"|mailto:watson@bell-telephone.com|;q=0.1|\n"},
        {"<sips:bob@192.0.2.4>;expires=60", "|sips:bob@192.0.2.4|;expires=60|\n"},
        // 20.20
        {"\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s",
         "\"A. G. Bell\"|sip:agb@bell-telephone.com|;tag=a48s|a48s\n"},
        {"sip:+12125551212@server.phone2net.com;tag=887s",
         "|sip:+12125551212@server.phone2net.com|;tag=887s|887s\n"},
        {"Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8",
         "Anonymous|sip:c8oqz84zk7z@privacy.org|;tag=hyh8|hyh8\n"},
        // 20.30, 20.31, 20.34, 20.39
        {"<sip:server10.biloxi.com;lr>,\r\n <sip:bigbox3.site3.atlanta.com;lr>",
         "|sip:server10.biloxi.com;lr||\n|sip:bigbox3.site3.atlanta.com;lr||\n"},
        {"Bob <sip:bob@biloxi.com>", "Bob|sip:bob@biloxi.com||\n"},
        {"The Operator <sip:operator@cs.columbia.edu>;tag=287447",
         "The Operator|sip:operator@cs.columbia.edu|;tag=287447|287447\n"},
        {"sip:+12125551212@server.phone2net.com", "|sip:+12125551212@server.phone2net.com||\n"},
    };

    (void)state;
    CHECK(cases);
}

static void test_forms_of_the_torture_tests(void **state)
{
    static const char *const cases[][2] = {
        // RFC 4475 3.1.1.1 wsinv
        {"sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
         "|sip:vivekg@chair-dnrc.example.com|;   tag    = 1918181833n|1918181833n\n"},
        {"\"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8",
         "\"J Rosenberg \\\\\\\"\"|sip:jdrosen@example.com|;\r\n  tag = 98asjd8|98asjd8\n"},
        {"\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  "
         "secondparam ; q = "
         "0.33",
         "\"Quoted string \\\"\\\"\"|sip:jdrosen@example.com|; newparam =\r\n      newvalue ;\r\n  "
         "secondparam ; q = "
         "0.33|\n"},
        // 3.1.1.2 intmeth
        {"token1~` token2'+_ token3*%!.- "
         "<sip:mundane@example.com>;fromParam''~+*_!.-%=\"\xd1\x80\";tag=_token~1'+`*%!-.",
         "token1~` token2'+_ "
         "token3*%!.-|sip:mundane@example.com|;fromParam''~+*_!.-%=\"\xd1\x80\";tag=_token~1'+`*%!-."
         "|_token~1'+`*%!-.\n"},
        // 3.1.1.6 lwsdisp
        {"caller<sip:caller@example.com>;tag=323", "caller|sip:caller@example.com|;tag=323|323\n"},
        // 3.1.1.13 unreason and others: a name that only looks like a URI
        {"\"<sip:a@b>\" <sip:c@d>", "\"<sip:a@b>\"|sip:c@d||\n"},
        {"<sip:user@example.com?Route=%3Csip:sip.example.com%3E>",
         "|sip:user@example.com?Route=%3Csip:sip.example.com%3E||\n"},
        {"sip:null-%00-null@example.com;tag=839923423",
         "|sip:null-%00-null@example.com|;tag=839923423|839923423\n"},
        {"isbn:2983792873", "|isbn:2983792873||\n"},
        {"<http://www.example.com>;tag=3234233", "|http://www.example.com|;tag=3234233|3234233\n"},
        {"<name:John_Smith>", "|name:John_Smith||\n"},
        // 3.1.2.3 badinv01, 3.1.2.6 quotbal, 3.1.2.15 regbadct, 3.1.2.16 badaspec, 3.1.2.17 baddn
        {"\"Joe\" <sip:joe@example.org>;;;;", "!parameter"},
        {"\"Mr. J. User <sip:j.user@example.com>", "!quote"},
        {"sip:user@example.com?Route=%3Csip:sip.example.com%3E", "!address"},
        {"\"Watson, Thomas\" < sip:t.watson@example.org >", "!uri"},
        {"Bell, Alexander <sip:a.g.bell@example.com>;tag=43", "!address"},
    };

    (void)state;
    CHECK(cases);
}

static void test_more_forms(void **state)
{
    static const char *const cases[][2] = {
        {"sip:a@b,sip:c@d", "|sip:a@b||\n|sip:c@d||\n"},
        {"sip:host:5060,sip:x@y", "|sip:host:5060||\n|sip:x@y||\n"},
        {"sip:host:5060;tag=x@y", "|sip:host:5060|;tag=x@y|x@y\n"},
        {"sip:host;tag=x@y", "|sip:host|;tag=x@y|x@y\n"},
        {"tel:+12125551212;tag=1", "|tel:+12125551212|;tag=1|1\n"},
        {"<tel:+1;ext=2>;tag=1", "|tel:+1;ext=2|;tag=1|1\n"},
        {"<sip:a,b;c?d@e>, <sip:f>", "|sip:a,b;c?d@e||\n|sip:f||\n"},
        {"<sip:a>;x=\"1,2;3>\";tag=t", "|sip:a|;x=\"1,2;3>\";tag=t|t\n"},
        {"<sip:a>;TAG=1;tag=2", "|sip:a|;TAG=1;tag=2|1\n"},
        {"  <sip:a>  ", "|sip:a||\n"},
        {"<sip:a>;tag=1 ,<sip:b>;x\r\n ", "|sip:a|;tag=1|1\n|sip:b|;x|\n"},
        {"\r\n <sip:a>\r\n ,\r\n <sip:b>\r\n ", "|sip:a||\n|sip:b||\n"},
        {"J\xc3\xbcrgen M. (home) <sip:a>", "J\xc3\xbcrgen M. (home)|sip:a||\n"},
        {"alice@home <sip:a>", "alice@home|sip:a||\n"},
        {"\"\"<sip:a>", "\"\"|sip:a||\n"},
        {"Al\r\n ice <sip:a>", "Al\r\n ice|sip:a||\n"},
        {"<sip:a>;tag", "|sip:a|;tag|\n"},
        {"*<sip:a>", "*|sip:a||\n"},
        {"", "!address"},
        {" ", "!address"},
        {"<", "!uri"},
        {"<>", "!uri"},
        {"<sip:a", "!address"},
        {"<sip:a>x", "!address"},
        {"<sip:a> x", "!address"},
        {"<<sip:a>>", "!uri"},
        {"<sip:a>>", "!address"},
        {"\"a\" sip:a", "!address"},
        {"\"a\"", "!address"},
        {"a sip:b@c", "!address"},
        {"a", "!address"},
        {"a;b <sip:c>", "!address"},
        {"a \"b\" <sip:c>", "!address"},
        {"sip:", "!uri"},
        {"sip:a@b c", "!address"},
        {"sip:a@b?x=1", "!address"},
        {"<sip:a>,", "!address"},
        {"<sip:a>,,<sip:b>", "!address"},
        {",<sip:a>", "!address"},
        {"<sip:a>;tag=\"x", "!quote"},
        {"<sip:a>;", "!parameter"},
        {"<sip:a>;=x", "!parameter"},
        {"<sip:a>;tag=", "!parameter"},
        {"<sip:a\r\n >", "!address"},
        {"<sip:a>\r\nX: y", "!address"},
        {"<sip:a>;tag=1\r\nX: y", "!address"},
        {"Al\r\nice <sip:a>", "!address"},
        {"Al\x01 <sip:a>", "!address"},
    };

    (void)state;
    CHECK(cases);
}

static void test_one_address_is_one(void **state)
{
    struct sip_address address;

    (void)state;
    assert_int_equal(sip_address_parse(SLICE("<sip:a>;tag=1 "), &address), SIP_OK);
    assert_true(slice_equal(address.text, SLICE("<sip:a>;tag=1")));
    assert_int_equal(sip_address_parse(SLICE("<sip:a>, <sip:b>"), &address), SIP_ERROR_ADDRESS);
    assert_int_equal(sip_address_parse((struct slice){NULL, 0}, &address), SIP_ERROR_ADDRESS);
    assert_int_equal(sip_address_parse(SLICE("<sip:a\0>"), &address), SIP_ERROR_ADDRESS);
    assert_int_equal(sip_address_parse(SLICE("a\0b <sip:a>"), &address), SIP_ERROR_ADDRESS);
    assert_int_equal(sip_address_parse(SLICE("<sip:a>;tag=a\0"), &address), SIP_ERROR_ADDRESS);
}

static void test_contacts_have_q_and_expires(void **state)
{
    static const struct {
        const char *text;
        int error, q;
        int64_t expires; // -1: none
    } cases[] = {
        {"<sip:a>", 0, 1000, -1},
        {"<sip:a>;q=0", 0, 0, -1},
        {"<sip:a>;q=0.", 0, 0, -1},
        {"<sip:a>;q=0.7; expires=3600", 0, 700, 3600},
        {"<sip:a>;Q=0.33", 0, 330, -1},
        {"<sip:a>;q=0.001", 0, 1, -1},
        {"<sip:a>;q=0.999", 0, 999, -1},
        {"<sip:a>;q=1", 0, 1000, -1},
        {"<sip:a>;q=1.", 0, 1000, -1},
        {"<sip:a>;q=1.000", 0, 1000, -1},
        {"<sip:a>;q=1.001", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=1.1", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=2", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=10", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=0.0001", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=.5", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=0,5", SIP_ERROR_ADDRESS, 0, 0}, // the list ends at the comma, and "5" is no contact
        {"<sip:a>;q=-1", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=0x1", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=0.5a", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q=\"0.5\"", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;q", SIP_ERROR_CONTACT, 0, 0},
        {"<sip:a>;expires=0", 0, 1000, 0},
        {"<sip:a>;EXPIRES=60", 0, 1000, 60},
        {"<sip:a>;expires=4294967295", 0, 1000, 4294967295},
        {"<sip:a>;expires=4294967296", 0, 1000, 4294967295},
        {"<sip:a>;expires=280297596632815", 0, 1000, 4294967295}, // RFC 4475 3.1.2.4 scalar02
        {"<sip:a>;expires=99999999999999999999999999999999", 0, 1000, 4294967295},
        {"<sip:a>;expires=99999999999999999999999999999999x", 0, 1000, 3600},
        {"<sip:a>;expires=abc", 0, 1000, 3600},
        {"<sip:a>;expires=-1", 0, 1000, 3600},
        {"<sip:a>;expires=\"60\"", 0, 1000, 3600},
        {"<sip:a>;expires=1.5", 0, 1000, 3600},
        {"<sip:a>;expires", 0, 1000, 3600},
        {"<sip:a>;expires=1;expires=2;q=0.1;q=0.2", 0, 100, 1},
        {"sip:a;expires=5", 0, 1000, 5},
        {"<sip:a;expires=5>", 0, 1000, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cursor c = cursor_over(fence_copy(cases[i].text, strlen(cases[i].text)));
        struct sip_contact contact;
        do {
            if (!sip_contact_take(&c, &contact))
                break;
        } while (cursor_skip(&c, ','));
        int64_t expires = contact.has_expires ? (int64_t)contact.expires : -1;
        if (c.error != cases[i].error ||
            (c.error == 0 && (contact.q != cases[i].q || expires != cases[i].expires)))
            fail_msg("%s: error %d, q %d, expires %jd", cases[i].text, c.error, contact.q, (intmax_t)expires);
    }
}

static void test_a_star_stands_alone(void **state)
{
    static const struct {
        const char *text;
        bool star, good;
    } cases[] = {
        {"*", true, true},           {" * ", true, true},
        {"*,<sip:a>", true, true},   {"*;expires=0", false, false},
        {"**", false, false},        {"* <sip:a>", false, true},
        {"*<sip:a>", false, true},   {"<sip:*>", false, false},
        {"\r\n *\r\n ", true, true}, {"sip:*@a", false, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cursor c = cursor_over(fence_copy(cases[i].text, strlen(cases[i].text)));
        struct sip_contact contact;
        bool good = sip_contact_take(&c, &contact);
        if (good != cases[i].good || (good && contact.star != cases[i].star))
            fail_msg("%s", cases[i].text);
    }
}

static void test_expires_values(void **state)
{
    (void)state;
    assert_int_equal(sip_expires_parse(SLICE("5")), 5); // RFC 3261 20.19
    assert_int_equal(sip_expires_parse(SLICE(" 5\r\n ")), 5);
    assert_int_equal(sip_expires_parse(SLICE("0")), 0);
    assert_int_equal(sip_expires_parse(SLICE("4294967296")), SIP_EXPIRES_MAX);
    assert_int_equal(sip_expires_parse(SLICE("")), 3600);
    assert_int_equal(sip_expires_parse(SLICE("Thu, 01 Dec 1994 16:00:00 GMT")), 3600);
    assert_int_equal(sip_expires_parse(SLICE("1 2")), 3600);
    assert_int_equal(sip_expires_parse(SLICE("1\0")), 3600);
    assert_int_equal(sip_expires_parse((struct slice){NULL, 0}), 3600);
}

// All fields of a URI and where they are.
static void write_uri(const char *origin, const struct sip_uri *uri, char *words)
{
    const struct slice fields[] = {uri->text, uri->user, uri->password, uri->host, uri->params, uri->headers};

    words +=
        sprintf(words, "%u:%u:%d%d", uri->scheme, uri->port, uri->user.at != NULL, uri->password.at != NULL);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        words += sprintf(words, " %td+%u", fields[i].len > 0 ? fields[i].at - origin : 0, fields[i].len);
}

static void write_address(struct slice value, char *words)
{
    struct sip_address address;
    enum sip_error error = sip_address_parse(value, &address);
    const struct slice fields[] = {address.text, address.display, address.params, address.tag};

    words += sprintf(words, "%d", error);
    if (error != SIP_OK)
        return;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        words += sprintf(words, " %td+%u", fields[i].len > 0 ? fields[i].at - value.at : 0, fields[i].len);
    write_uri(value.at, &address.uri, words);
}

// A space behind an address is none of it, but takes it off the short way through the parser.
static void check_both_ways(const char *text, size_t len)
{
    char padded[300], one[300], other[300];

    if (text[len - 1] == '\r') // would fold the line with what follows
        return;
    memcpy(padded, text, len);
    padded[len] = ' ';
    write_address(fence_copy(text, len), one);
    write_address(fence_copy(padded, len + 1), other);
    if (strcmp(one, other) != 0)
        fail_msg("%.*s\n  is  %s\n  not %s", (int)len, text, one, other);
}

// The same for a URI on its own and one in an address.
static void check_both_ways_of_a_uri(const char *text, size_t len)
{
    char padded[300], one[300] = "", other[300] = "";
    struct sip_address address;
    struct sip_uri uri;

    if (len == 0 || memchr(text, '>', len) != NULL)
        return;
    struct slice value = fence_copy(text, len);
    enum sip_error error = sip_uri_parse(value, &uri);
    if (error == SIP_OK)
        write_uri(value.at, &uri, one);
    value = fence_copy(padded, (size_t)sprintf(padded, "<%.*s> ", (int)len, text));
    assert_int_equal(sip_address_parse(value, &address) == SIP_OK, error == SIP_OK);
    if (error == SIP_OK)
        write_uri(value.at + 1, &address.uri, other);
    assert_string_equal(one, other);
}

// Every truncation and every odd byte in every place, so also in all places of a vector.
static void test_the_usual_address_is_read_as_any_other(void **state)
{
    static const char *const cases[] = {
        "\"Alice B.\" <sip:alice@example.com>;tag=1928301774",
        "Desk7 <sip:7@a-b.example.com:5060>;tag=a.b_c-d",
        "<sip:192.0.2.1:5060;lr>",
        "<SIP:a@192.0.2.1;transport=udp>",
        "sip:bob@example.com;tag=88",
        "<sip:a12345678901234567890123456789@b12345678901234567890123456789>;tag=c1234567890123456789",
    };
    static const char odd[] = "<>:;@=\"?,[% \t\r.0aZ\\\x7f\x80";
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i]);
        const char *uri = strcasestr(cases[i], "sip:");
        size_t uri_at = (size_t)(uri - cases[i]), uri_len = strcspn(uri, ">");
        for (size_t at = 0; at < len; at++) {
            check_both_ways(cases[i], at + 1);
            for (size_t byte = 0; byte < sizeof(odd) - 1; byte++) {
                memcpy(text, cases[i], len);
                text[at] = odd[byte];
                check_both_ways(text, len);
                check_both_ways_of_a_uri(text + uri_at, uri_len);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_rfc3261_20),
        cmocka_unit_test(test_forms_of_the_torture_tests),
        cmocka_unit_test(test_more_forms),
        cmocka_unit_test(test_one_address_is_one),
        cmocka_unit_test(test_contacts_have_q_and_expires),
        cmocka_unit_test(test_a_star_stands_alone),
        cmocka_unit_test(test_expires_values),
        cmocka_unit_test(test_the_usual_address_is_read_as_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
