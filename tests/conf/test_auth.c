// Whose requests must carry credentials: what an [auth] may say.
#include "reading.h"

#include <stdio.h>
#include <stdlib.h>

#define USERS  "[store]\npath = /p\n" // two lines
#define DOMAIN "[domain one]\nnames = One.example, two.example\n"

// `text` is followed by READING_LEAST and DOMAIN.
static const struct {
    const char *name, *text, *messages;
} cases[] = {
    {"nothing", USERS "[auth a]\n", ""},
    {"no users at all", "[auth a]\n",
     "t:1: [auth a] lets nobody in: there are no users without path of [store] or socket of [control]\n"},
    {"users from the socket", "[control]\nsocket = /s\n[auth a]\n", ""},
    {"a domain that is not served", USERS "[auth a]\ndomain = on\n",
     "t:4: domain = on: there is no [domain on]; did you mean 'one'?\n"},
    {"ACK and CANCEL", USERS "[auth a]\nmethods = INVITE, ACK, CANCEL\n",
     "t:4: methods has ACK, which cannot be challenged; expected it away\n"
     "t:4: methods has CANCEL, which cannot be challenged; expected it away\n"},
    {"an algorithm twice", USERS "[auth a]\nalgorithms = MD5, SHA-256, md5\n",
     "t:4: algorithms has MD5 more than once; expected each once\n"},
    {"no algorithm", USERS "[auth a]\nalgorithms =\n",
     "t:4: algorithms has 0 elements: expected a list of 1 to 3, each SHA-256, SHA-512-256 or MD5\n"},
    {"an unknown algorithm", USERS "[auth a]\nalgorithms = SHA256\n",
     "t:4: algorithms = SHA256: expected SHA-256, SHA-512-256 or MD5; did you mean 'SHA-256'?\n"},
    {"a realm that breaks its quotes", USERS "[auth a]\nrealm = a\"b\n",
     "t:4: realm = a\"b: expected no quotation mark, backslash, comma or @ in it\n"},
    {"all of it before a part of it", USERS "[auth a]\n[auth b]\ndomain = one\n",
     "t:4: [auth b] is never reached: [auth a] on line 3 takes all of it; expected the narrower one first\n"},
    {"a part of it before all of it", USERS "[auth a]\ndomain = one\n[auth b]\n", ""},
    {"foreign domains beside our own", USERS "[auth a]\n[auth b]\nrealm = r\n", ""},
    {"our own behind foreign domains", USERS "[auth a]\nrealm = r\n[auth b]\n",
     "t:5: [auth b] is never reached: [auth a] on line 3 takes all of it; expected the narrower one first\n"},
    {"a network before all", USERS "[auth a]\nsource = 192.0.2.0/24\n[auth b]\n", ""},
    {"a network behind a wider one", USERS "[auth a]\nsource = 192.0.2.0/24\n[auth b]\nsource = 192.0.2.7\n",
     "t:5: [auth b] is never reached: [auth a] on line 3 takes all of it; expected the narrower one first\n"},
    {"the trusted behind the others", USERS "[auth a]\n[auth b]\ntrusted = yes\n", ""},
    {"the others behind the trusted", USERS "[auth a]\ntrusted = yes\n[auth b]\n",
     "t:5: [auth b] is never reached: [auth a] on line 3 takes all of it; expected the narrower one first\n"},
    {"a method, also in dialogs, behind all without them", USERS "[auth a]\n[auth b]\nmethods = INVITE\n",
     ""},
    {"a method twice", USERS "[auth a]\nmethods = BYE, INVITE\n[auth b]\nmethods = INVITE\n",
     "t:5: [auth b] is never reached: [auth a] on line 3 takes all of it; expected the narrower one first\n"},
};

static void test_auth_asks_what_can_be_answered(void **state)
{
    char text[1024];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *messages = NULL;
        snprintf(text, sizeof(text), "%s%s", cases[i].text, READING_LEAST DOMAIN);
        struct conf *conf = reading_parse(slice_text(text), &messages);
        if (strcmp(messages, cases[i].messages) != 0)
            print_error("case: %s\n", cases[i].name);
        assert_string_equal(messages, cases[i].messages);
        assert_int_equal(conf == NULL, messages[0] != 0);
        conf_free(conf);
        free(messages);
    }
}

static void test_realm_is_the_domains_first_name(void **state)
{
    struct conf *conf = reading_good(USERS "[auth a]\ndomain = one\n[auth b]\n" READING_LEAST DOMAIN);

    (void)state;
    assert_string_equal(conf->auths[0].realm.text, "one.example");
    assert_int_equal(conf->auths[1].domain, CONF_NONE);
    assert_int_equal(conf->auths[1].realm.len, 0);
    conf_free(conf);
}

static void test_algorithms_keep_their_order(void **state)
{
    struct conf *conf = reading_good(
        USERS
        "[auth a]\nalgorithms = md5,\n SHA-512-256, sha-256\n[auth b]\nrealm = r\n" READING_LEAST DOMAIN);
    static const uint8_t given[] = {CONF_DIGEST_MD5, CONF_DIGEST_SHA512_256, CONF_DIGEST_SHA256};
    static const uint8_t usual[] = {CONF_DIGEST_SHA256, CONF_DIGEST_MD5};

    (void)state;
    assert_int_equal(conf->auths[0].algorithms_n, 3);
    assert_memory_equal(conf->auths[0].algorithms, given, sizeof(given));
    assert_int_equal(conf->auths[1].algorithms_n, 2);
    assert_memory_equal(conf->auths[1].algorithms, usual, sizeof(usual));
    conf_free(conf);
}

// The memory for users is reserved at start.
static void test_reload_cannot_begin_to_ask(void **state)
{
    struct conf *without = reading_good(USERS READING_LEAST DOMAIN);
    struct conf *with = reading_good(USERS "[auth a]\n[auth b]\nrealm = r\n" READING_LEAST DOMAIN);
    char *said = NULL;
    size_t len;
    FILE *out = open_memstream(&said, &len);

    (void)state;
    assert_non_null(out);
    assert_int_equal(conf_fixed_differences(with, without, out), 0);
    assert_int_equal(conf_fixed_differences(with, with, out), 0);
    assert_int_equal(conf_fixed_differences(without, with, out), 1);
    fclose(out);
    assert_string_equal(said,
                        "there is no table of users, and cannot be without a restart: [auth a] needs that\n");
    free(said);
    conf_free(with);
    conf_free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auth_asks_what_can_be_answered),
        cmocka_unit_test(test_realm_is_the_domains_first_name),
        cmocka_unit_test(test_algorithms_keep_their_order),
        cmocka_unit_test(test_reload_cannot_begin_to_ask),
    };
    return cmocka_run_group_tests_name("conf auth", tests, NULL, NULL);
}
