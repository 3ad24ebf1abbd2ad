// The digests themselves, and which credentials are no such thing.
#include "auth_scene.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "auth/asking.h"

#define PHONES "[auth phones]\ndomain = main\n"

static const struct {
    enum conf_digest algorithm;
    const char *text, *hex;
} vectors[] = {
    // RFC 1321 A.5
    {CONF_DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {CONF_DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {CONF_DIGEST_MD5, "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
    // FIPS 180-4's examples; RFC 8760 2.6 item 7 has the first
    {CONF_DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {CONF_DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {CONF_DIGEST_SHA512_256, "", "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"},
    {CONF_DIGEST_SHA512_256, "abc", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"},
    {CONF_DIGEST_SHA512_256,
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrs"
     "t"
     "nopqrstu",
     "3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a"},
};

static void test_algorithms_hash_as_published(void **state)
{
    struct role_hash hash;
    char hex[ROLE_HASH_HEX + 1];

    (void)state;
    for (unsigned i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        struct slice text = slice_text(vectors[i].text);
        for (uint32_t cut = 0; cut <= text.len; cut += 7) { // in two pieces, however long
            role_hash_begin(&hash, vectors[i].algorithm);
            role_hash_put(&hash, slice_of(text.at, cut));
            role_hash_put(&hash, slice_of(text.at + cut, text.len - cut));
            unsigned len = role_hash_end(&hash, hex);
            assert_int_equal(len, role_hash_len(vectors[i].algorithm));
            hex[len] = 0;
            assert_string_equal(hex, vectors[i].hex);
        }
    }
}

static long taken;

static void *count_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    taken++;
    return malloc(size);
}

static void *count_realloc(void *at, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    taken++;
    return realloc(at, size);
}

static void count_free(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    free(at);
}

// No heap on a worker. main() has the library count what it takes.
static void test_hashing_takes_no_memory(void **state)
{
    struct role_hash hash;
    char hex[ROLE_HASH_HEX];

    (void)state;
    OPENSSL_free(OPENSSL_malloc(1));
    assert_true(taken > 0); // it does count
    taken = 0;
    for (unsigned i = 0; i < 3 * CONF_DIGESTS; i++) {
        role_hash_begin(&hash, (enum conf_digest)(i % CONF_DIGESTS));
        role_hash_put(&hash, SLICE("some text"));
        role_hash_end(&hash, hex);
    }
    assert_int_equal(taken, 0);
}

static void test_algorithms_have_their_names_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(role_hash_named(SLICE("md5")), CONF_DIGEST_MD5);
    assert_int_equal(role_hash_named(SLICE("SHA-256")), CONF_DIGEST_SHA256);
    assert_int_equal(role_hash_named(SLICE("Sha-512-256")), CONF_DIGEST_SHA512_256);
    assert_int_equal(role_hash_named(SLICE("MD5-sess")), CONF_DIGESTS);
    assert_int_equal(role_hash_named(SLICE("")), CONF_DIGESTS);
    for (unsigned i = 0; i < CONF_DIGESTS; i++)
        assert_int_equal(role_hash_named(role_hash_name((enum conf_digest)i)), i);
}

// A request of another protocol, whose digests are published: what is checked is the text alone.
static bool proves(const char *credentials, const char *name, const char *realm, const char *password,
                   const char *method)
{
    char text[2048], bytes[4096];
    static struct role role;
    struct role_request request = {.role = &role};
    struct auth_asking asking = {.server = false};
    struct sip_message message;
    struct user user;

    snprintf(text, sizeof(text), "%s", credentials);
    assert_int_equal(sip_credentials_parse(slice_text(text), &asking.given), SIP_OK);
    asking.algorithm = role_hash_named(asking.given.algorithm);
    assert_int_not_equal(asking.algorithm, CONF_DIGESTS);
    struct role_hash hash;
    char hex[ROLE_HASH_HEX];
    memset(&user, 0, sizeof(user));
    role_hash_begin(&hash, asking.algorithm);
    snprintf(bytes, sizeof(bytes), "%s:%s:%s", name, realm, password);
    role_hash_put(&hash, slice_text(bytes));
    unsigned len = role_hash_end(&hash, hex);
    for (unsigned i = 0; i < len / 2; i++)
        sscanf(hex + 2 * i, "%2hhx", &user.ha1[asking.algorithm][i]);
    int n = snprintf(bytes, sizeof(bytes), "%s sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n", method);
    assert_int_equal(sip_message_parse(&message, bytes, (size_t)n), SIP_OK);
    request.message = &message;
    return auth_proof_check(&request, &asking, &user);
}

#define RFC7616                                                                              \
    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", " \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "                  \
    "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
#define RFC2617                                                  \
    "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", " \
    "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
#define LIFE "Circle of Life"

// RFC 7616 3.9.1, RFC 2617 3.5, and the last without qop, as RFC 2069 had it.
static void test_published_credentials_are_right(void **state)
{
    (void)state;
    assert_true(proves(RFC7616 "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbec\"", "Mufasa",
                       "http-auth@example.org", LIFE, "GET"));
    assert_true(proves(RFC7616
                       "algorithm=SHA-256, "
                       "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"",
                       "Mufasa", "http-auth@example.org", LIFE, "GET"));
    assert_true(proves(RFC2617 "algorithm=MD5, qop=auth, nc=00000001, cnonce=\"0a4f113b\", "
                               "response=\"6629fae49393a05397450978507c4ef1\"",
                       "Mufasa", "testrealm@host.com", "Circle Of Life", "GET"));
    assert_true(proves(RFC2617 "algorithm=MD5, response=\"670fd8c2df070c60b045671b8b24ff02\"", "Mufasa",
                       "testrealm@host.com", "Circle Of Life", "GET"));
}

static void test_anything_else_is_wrong(void **state)
{
    (void)state;
    assert_false(proves(RFC7616 "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbec\"", "Mufasa",
                        "http-auth@example.org", LIFE, "PUT"));
    assert_false(proves(RFC7616 "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbed\"", "Mufasa",
                        "http-auth@example.org", LIFE, "GET"));
    assert_false(proves(RFC7616 "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbe\"", "Mufasa",
                        "http-auth@example.org", LIFE, "GET"));
    assert_false(
        proves(RFC7616 "algorithm=MD5, response=\"\"", "Mufasa", "http-auth@example.org", LIFE, "GET"));
    assert_false(proves(RFC7616 "algorithm=MD5, response=\"8CA523F5E9506FED4657C9700EEBDBEC\"", "Mufasa",
                        "http-auth@example.org", LIFE, "GET")); // 3.4.1: LHEX
    assert_false(proves(RFC7616 "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbec\"", "Mufasa",
                        "http-auth@example.org", "Circle Of Life", "GET"));
}

struct odd {
    const char *name, *auths, *credentials;
    unsigned status;
};

#define GOOD(rest)                                                                             \
    "Digest username=\"alice\", realm=\"example.com\", nonce=\"n\", uri=\"sip:example.com\", " \
    "response=\"r\"" rest
#define COUNTED ", qop=auth, nc=00000001, cnonce=\"c\""
#define X64     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X512    X64 X64 X64 X64 X64 X64 X64 X64

// What cannot be checked is a bad request; what is not for us, or not as we asked for it, is as if there was nothing.
static void test_odd_credentials_are_refused_or_passed_over(void **state)
{
    static const struct odd cases[] = {
        {"whole but wrong", "", GOOD(COUNTED), 401},
        {"nothing at all", "", "", 400},
        {"no parameters", "", "Digest ", 400},
        {"Basic", "", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", 401}, // RFC 3261 22
        {"another realm", "", "Digest username=\"alice\", realm=\"other\"", 401},
        {"no realm", "", "Digest username=\"alice\"", 401},
        {"the realm in other letters", "", "Digest username=\"alice\", realm=\"Example.com\"", 401},
        {"a quote that does not end", "", "Digest username=\"alice, realm=example.com", 400},
        {"a parameter twice", "", GOOD(", nonce=\"m\""), 400},
        {"a realm twice", "", GOOD(", realm=\"other\""), 400},
        {"no comma", "", "Digest username=\"a\" realm=\"example.com\"", 400},
        {"no username", "",
         "Digest realm=\"example.com\", nonce=\"n\", uri=\"sip:example.com\", response=\"r\"", 400},
        {"no nonce", "",
         "Digest username=\"a\", realm=\"example.com\", uri=\"sip:example.com\", response=\"r\"", 400},
        {"no uri", "", "Digest username=\"a\", realm=\"example.com\", nonce=\"n\", response=\"r\"", 400},
        {"no response", "",
         "Digest username=\"a\", realm=\"example.com\", nonce=\"n\", uri=\"sip:example.com\"", 400},
        {"an empty username", "",
         "Digest username=\"\", realm=\"example.com\", nonce=\"n\", uri=\"sip:example.com\", "
         "response=\"\"",
         401},
        {"username*", "",
         "Digest username*=UTF-8''alice, realm=\"example.com\", nonce=\"n\", "
         "uri=\"sip:example.com\", response=\"r\"",
         400},
        {"userhash", "", GOOD(COUNTED ", userhash=true"), 400},
        {"no userhash", "", GOOD(COUNTED ", userhash=false"), 401},
        {"without qop", "", GOOD(""), 401},
        {"without qop where nc is counted", "nonce_count = yes\n", GOOD(""), 400},
        {"auth-int", "", GOOD(", qop=auth-int, nc=00000001, cnonce=\"c\""), 400},
        {"qop without cnonce", "", GOOD(", qop=auth, nc=00000001"), 400},
        {"qop without nc", "", GOOD(", qop=auth, cnonce=\"c\""), 400},
        {"an nc of seven digits", "", GOOD(", qop=auth, nc=0000001, cnonce=\"c\""), 400},
        {"an nc that is none", "", GOOD(", qop=auth, nc=0000000g, cnonce=\"c\""), 400},
        {"an empty cnonce", "", GOOD(", qop=auth, nc=00000001, cnonce=\"\""), 400},
        {"a huge cnonce", "", GOOD(", qop=auth, nc=00000001, cnonce=\"" X512 "x\""), 400},
        {"a large cnonce", "", GOOD(", qop=auth, nc=00000001, cnonce=\"" X512 "\""), 401},
        {"a huge user", "",
         "Digest username=\"" X512 X512 "\", realm=\"example.com\", nonce=\"n\", "
         "uri=\"sip:example.com\", response=\"" X512 "\"",
         401},
        {"a huge nonce", "",
         "Digest username=\"a\", realm=\"example.com\", nonce=\"" X512 X512 "\", "
         "uri=\"sip:example.com\", response=\"r\"",
         400},
        {"MD5-sess", "", GOOD(COUNTED ", algorithm=MD5-sess"), 401},
        {"an algorithm that was not offered", "algorithms = SHA-256\n", GOOD(COUNTED ", algorithm=MD5"), 401},
        {"an unknown one", "", GOOD(COUNTED ", algorithm=rot13"), 401},
        {"a quoted algorithm", "", GOOD(COUNTED ", algorithm=\"MD5\""), 401},
        {"what nobody knows", "", GOOD(COUNTED ", auth-param=x, y=\"z,=\\\"\""), 401},
        {"folded", "", "Digest username=\"alice\",\n realm=\"other\"", 401},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct auth_scene s;
        char auths[256], line[8192];
        auth_print(auths, sizeof(auths), PHONES "%s", cases[i].auths);
        auth_print(line, sizeof(line), "Authorization: %s\n", cases[i].credentials);
        auth_open(&s, auths);
        auth_register(&s, line);
        if (auth_status(&s) != cases[i].status)
            fail_msg("%s: %s", cases[i].name, fixture_verdict(s.f));
        assert_int_equal(auth_says(&s, "WWW-Authenticate"), cases[i].status == 401);
        auth_close(&s);
    }
}

// RFC 8760 2.6 item 8: clients that know no qop are old, not wrong.
static void test_right_credentials_without_qop_are_taken(void **state)
{
    const struct auth_answer answer = {.qop = ""};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    auth_register(&s, NULL);
    auth_register_with(&s, &answer);
    assert_int_equal(auth_status(&s), 200);
    assert_false(auth_says(&s, "Authentication-Info")); // he did not ask
    auth_close(&s);
}

// The first that is ours and can be used, wherever it stands.
static void test_credentials_are_found_among_others(void **state)
{
    struct auth_scene s;
    char lines[2 * AUTH_TEXT];

    (void)state;
    auth_open(&s, PHONES);
    auth_register(&s, NULL);
    auth_print(lines, sizeof(lines),
               "Authorization: Digest realm=\"other\", username=\"x\"\n"
               "Authorization: Digest realm=\"example.com\", algorithm=rot13\n"
               "Authorization: %s\n",
               auth_value(&s, &(struct auth_answer){.user = NULL}));
    auth_register(&s, lines);
    assert_int_equal(auth_status(&s), 200);
    auth_close(&s);
}

// A phone may answer a proxy's challenge in the registrar's header field, or the other way round: neither is looked at.
static void test_credentials_belong_to_their_header_field(void **state)
{
    struct auth_scene s;
    char lines[2 * AUTH_TEXT];

    (void)state;
    auth_open(&s, PHONES);
    auth_register(&s, NULL);
    auth_print(lines, sizeof(lines), "Proxy-Authorization: %s\n",
               auth_value(&s, &(struct auth_answer){.user = NULL}));
    auth_register(&s, lines);
    assert_int_equal(auth_status(&s), 401);
    auth_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithms_hash_as_published),
        cmocka_unit_test(test_hashing_takes_no_memory),
        cmocka_unit_test(test_algorithms_have_their_names_in_any_case),
        cmocka_unit_test(test_published_credentials_are_right),
        cmocka_unit_test(test_anything_else_is_wrong),
        cmocka_unit_test(test_odd_credentials_are_refused_or_passed_over),
        cmocka_unit_test(test_right_credentials_without_qop_are_taken),
        cmocka_unit_test(test_credentials_are_found_among_others),
        cmocka_unit_test(test_credentials_belong_to_their_header_field),
    };

    // before the library takes anything
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 1;
    return cmocka_run_group_tests_name("role auth digest", tests, NULL, NULL);
}
