// Whose requests must carry credentials, and what becomes of those that do.
#include "auth_scene.h"

#include <stdio.h>

#define PHONES "[auth phones]\ndomain = main\n"
#define INVITE "INVITE sip:bob@example.com\n"
#define TO_BOB .method = "INVITE", .uri = "sip:bob@example.com"

static const struct auth_answer right, invite = {TO_BOB};

static void bind_bob(struct auth_scene *s)
{
    fixture_bind(s->f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9:5070"));
}

// RFC 8760 2.3: one header field for each algorithm, the preferred one on top.
static void test_register_without_credentials_is_challenged_in_order(void **state)
{
    struct auth_scene s;
    char nonce[1024], expected[1024];

    (void)state;
    auth_open(&s, PHONES "algorithms = SHA-512-256, SHA-256, MD5\n");
    auth_register(&s, NULL);
    auth_nonce(&s, nonce);
    auth_print(
        expected, sizeof(expected),
        "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"%s\", algorithm=SHA-512-256, qop=\"auth\"\n"
        "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"%s\", algorithm=SHA-256, qop=\"auth\"\n"
        "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"\n"
        "Content-Length: 0\n\n",
        nonce, nonce, nonce);
    assert_int_equal(auth_status(&s), 401);
    assert_non_null(strstr(s.f->text, expected));
    assert_int_equal(s.f->role.auths.challenged, 1);
    auth_close(&s);
}

static void test_proxy_challenges_with_407(void **state)
{
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    bind_bob(&s);
    auth_request(&s, "INVITE sip:bob@example.com", NULL);
    assert_int_equal(auth_status(&s), 407);
    assert_true(auth_says(&s, "\nProxy-Authenticate: Digest realm=\"example.com\""));
    assert_false(auth_says(&s, "WWW-Authenticate"));
    auth_request(&s, "INVITE sip:bob@example.com", &invite);
    assert_string_equal(fixture_verdict(s.f), "forward 192.0.2.9:5070 by 0");
    auth_close(&s);
}

static void test_redirect_server_challenges_with_401(void **state)
{
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    auth_request(&s, "INVITE sip:bob@redirect.example", NULL);
    assert_int_equal(auth_status(&s), 401);
    assert_true(auth_says(&s, "\nWWW-Authenticate: "));
    auth_close(&s);
}

// RFC 7616 3.5: and the server proves that it knows the password, too.
static void test_right_credentials_register_by_every_algorithm(void **state)
{
    static const char *const algorithms[] = {"MD5", "SHA-256", "SHA-512-256"};
    struct auth_scene s;
    char expected[1024];

    (void)state;
    auth_open(&s, PHONES "algorithms = SHA-512-256, SHA-256, MD5\n");
    for (unsigned i = 0; i < 3; i++) {
        struct auth_answer answer = {.algorithm = algorithms[i], .nc = "0000000a"};
        auth_register(&s, NULL);
        auth_register_with(&s, &answer);
        assert_int_equal(auth_status(&s), 200);
        auth_print(expected, sizeof(expected),
                   "\nAuthentication-Info: qop=auth, rspauth=\"%s\", cnonce=\"0a4f113b\", nc=0000000a\n",
                   s.rspauth);
        assert_true(auth_says(&s, expected));
    }
    assert_int_equal(s.f->role.auths.passed, 3);
    auth_close(&s);
}

// An answer without its nonce, which is another each time.
static void without_nonce(const struct auth_scene *s, char text[FIXTURE_BYTES])
{
    strcpy(text, s->f->text);
    for (char *at = text; (at = strstr(at, "nonce=\"")) != NULL; at += 7)
        memset(at + 7, '-', strcspn(at + 7, "\""));
}

static void test_unknown_user_and_wrong_password_look_the_same(void **state)
{
    const struct auth_answer wrong = {.password = "guess"}, nobody = {.user = "nobody"};
    static char first[FIXTURE_BYTES], second[FIXTURE_BYTES], third[FIXTURE_BYTES];
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    auth_register(&s, NULL);
    without_nonce(&s, first);
    auth_register_with(&s, &wrong);
    without_nonce(&s, second);
    auth_register_with(&s, &nobody);
    without_nonce(&s, third);
    assert_string_equal(first, second); // and as whoever had none
    assert_string_equal(first, third);
    assert_false(auth_says(&s, "stale"));
    assert_int_equal(s.f->role.auths.failed, 2);
    assert_int_equal(s.f->role.auths.challenged, 1);
    auth_close(&s);
}

// A user that was imported with an MD5 hash alone cannot come by another algorithm; nothing says so.
static void test_user_without_the_algorithms_hash_is_refused(void **state)
{
    const struct auth_answer sha = {.user = "carol", .algorithm = "SHA-256"}, md5 = {.user = "carol"};
    struct user user;
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    auth_user(&s, "carol", "example.com", "secret");
    assert_true(user_find(s.users, SLICE("carol"), SLICE("example.com"), &user));
    user.has = 1u << CONF_DIGEST_MD5;
    assert_int_equal(user_put(s.users, SLICE("carol"), SLICE("example.com"), &user), 0);
    auth_register(&s, NULL);
    auth_register_with(&s, &sha);
    assert_int_equal(auth_status(&s), 401);
    auth_register_with(&s, &md5);
    assert_int_equal(auth_status(&s), 403); // he is carol, and registers alice
    auth_close(&s);
}

static void test_user_who_is_removed_is_nobody(void **state)
{
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    auth_register(&s, NULL);
    auth_register_with(&s, &right);
    assert_int_equal(auth_status(&s), 200);
    assert_true(user_remove(s.users, SLICE("alice"), SLICE("example.com")));
    auth_register(&s, NULL);
    auth_register_with(&s, &right);
    assert_int_equal(auth_status(&s), 401);
    auth_close(&s);
}

// RFC 7616 3.3: credentials for a nonce that is no good get a new one, and nobody is asked for his password.
static void test_nonce_expires_as_stale(void **state)
{
    struct auth_answer answer = {.nonce = NULL}, wrong = {.password = "guess"};
    struct auth_scene s;
    char nonce[1024];

    (void)state;
    auth_open(&s, PHONES "nonce_lifetime = 60s\n");
    auth_register(&s, NULL);
    answer.nonce = wrong.nonce = auth_nonce(&s, nonce);
    s.f->arrival.now.unix_s += 60;
    auth_register_with(&s, &(struct auth_answer){.nonce = nonce, .realm = "example.com"});
    assert_int_equal(auth_status(&s), 200);
    s.f->arrival.now.unix_s++;
    auth_register_with(&s, &(struct auth_answer){.nonce = nonce, .realm = "example.com"});
    assert_int_equal(auth_status(&s), 401);
    assert_true(auth_says(&s, "algorithm=MD5, qop=\"auth\", stale=true\n"));
    assert_int_equal(s.f->role.auths.stale, 1);
    auth_register_with(&s, &wrong); // nor is it said what they would have been worth
    assert_true(auth_says(&s, "stale=true"));
    assert_int_equal(s.f->role.auths.failed, 0);
    s.f->arrival.now.unix_s -= 1000; // the time of day was put back: a nonce of tomorrow
    auth_register_with(&s, &answer);
    assert_true(auth_says(&s, "stale=true"));
    auth_close(&s);
}

static void test_nonce_is_good_for_its_address_and_realm_alone(void **state)
{
    struct auth_scene s;
    char nonce[1024];

    (void)state;
    auth_open(&s, PHONES "[auth others]\ndomain = move\n");
    auth_user(&s, "alice", "redirect.example", "secret");
    auth_register(&s, NULL);
    auth_nonce(&s, nonce);
    const struct auth_answer answer = {.nonce = nonce, .realm = "example.com"};
    fixture_from(s.f, "192.0.2.77:6000", 0); // another port is the NAT's doing
    auth_register_with(&s, &answer);
    assert_int_equal(auth_status(&s), 200);
    fixture_from(s.f, "192.0.2.78:5060", 0);
    auth_register_with(&s, &answer);
    assert_true(auth_says(&s, "stale=true"));
    fixture_from(s.f, AUTH_PHONE, 0);
    char line[AUTH_TEXT], text[2 * AUTH_TEXT];
    const struct auth_answer other = {
        .nonce = nonce, .realm = "redirect.example", .uri = "sip:redirect.example"};
    auth_print(line, sizeof(line), "%s", auth_value(&s, &other));
    auth_print(text, sizeof(text),
               "REGISTER sip:redirect.example\nTo: <sip:alice@redirect.example>\nAuthorization: %s", line);
    fixture_request(s.f, text);
    assert_true(auth_says(&s, "stale=true"));
    auth_close(&s);
}

static void test_made_up_nonce_is_no_nonce(void **state)
{
    static const char *const nonces[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAA",
                                         "AAAAAAAAAAAAAAAAAAAAAAA=", "........................"};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    for (unsigned i = 0; i < sizeof(nonces) / sizeof(*nonces); i++) {
        auth_register_with(&s, &(struct auth_answer){.nonce = nonces[i], .realm = "example.com"});
        assert_int_equal(auth_status(&s), 401);
        assert_true(auth_says(&s, "stale=true"));
    }
    auth_close(&s);
}

// RFC 3261 22.3: ours go, those of others stay.
static void test_own_credentials_are_consumed_and_others_kept(void **state)
{
    static const char theirs[] =
        "Proxy-Authorization: Digest username=\"alice\", realm=\"other\", nonce=\"n\", "
        "uri=\"u\", response=\"r\"";
    struct auth_scene s;
    char text[2 * AUTH_TEXT];

    (void)state;
    auth_open(&s, PHONES);
    bind_bob(&s);
    auth_request(&s, "INVITE sip:bob@example.com", NULL);
    auth_print(text, sizeof(text),
               INVITE "%s\nProxy-Authorization: %s\nAuthorization: Digest realm=\"example.com\"\n%s", theirs,
               auth_value(&s, &invite), theirs);
    fixture_request(s.f, text);
    assert_string_equal(fixture_verdict(s.f), "forward 192.0.2.9:5070 by 0");
    assert_false(auth_says(&s, "Proxy-Authorization: Digest username=\"alice\", realm=\"example.com\""));
    assert_true(
        auth_says(&s, "\nAuthorization: Digest realm=\"example.com\"\n")); // for whoever asked with a 401
    const char *first = strstr(s.f->text, theirs);
    assert_non_null(first);
    assert_non_null(strstr(first + 1, theirs));
    fixture_from(s.f, "192.0.2.4:5060", 0); // who is not asked
    fixture_request(s.f, text);
    assert_false(auth_says(&s, "realm=\"example.com\", nonce"));
    auth_close(&s);
}

// RFC 3261 10.3 step 4, 22.1.
static void test_user_must_be_the_one_he_says_he_is(void **state)
{
    const struct auth_answer bob = {.user = "bob"}, bob_calls = {.user = "bob", TO_BOB};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    bind_bob(&s);
    auth_register(&s, NULL);
    auth_register_with(&s, &bob); // alice in To
    assert_int_equal(auth_status(&s), 403);
    auth_request(&s, "INVITE sip:bob@example.com", NULL);
    auth_request(&s, "INVITE sip:bob@example.com", &bob_calls); // alice in From
    assert_int_equal(auth_status(&s), 403);
    assert_int_equal(s.f->role.auths.foreign, 2);
    auth_request(&s, "INVITE sip:bob@example.com", NULL);
    auth_request(&s, INVITE "From: <sip:%61lice@EXAMPLE.net>;tag=1", &invite); // as it is spelled elsewhere
    assert_int_equal(s.f->verdict.kind, VERDICT_FORWARD);
    auth_request(&s, INVITE "From: <sip:example.com>;tag=1", NULL);
    auth_request(&s, INVITE "From: <sip:example.com>;tag=1", &invite);
    assert_int_equal(auth_status(&s), 403);
    auth_close(&s);
}

// A realm of several domains tells their users apart by "user@host".
static void test_user_may_be_named_with_his_domain(void **state)
{
    const struct auth_answer full = {.user = "dora@example.com", TO_BOB};
    struct auth_scene s;

    (void)state;
    auth_open(&s, "[auth all]\nrealm = carrier\n");
    bind_bob(&s);
    auth_user(&s, "dora@example.com", "carrier", "secret");
    auth_request(&s, INVITE "From: <sip:dora@example.com>;tag=1", NULL);
    assert_int_equal(auth_status(&s), 407);
    auth_request(&s, INVITE "From: <sip:dora@example.com>;tag=1", &full);
    assert_int_equal(s.f->verdict.kind, VERDICT_FORWARD);
    auth_request(&s, INVITE "From: <sip:dora@redirect.example>;tag=1", NULL);
    auth_request(&s, INVITE "From: <sip:dora@redirect.example>;tag=1", &full);
    assert_int_equal(auth_status(&s), 403);
    auth_close(&s);
}

// RFC 3261 22.1, 17.2.1.
static void test_ack_and_cancel_are_never_challenged(void **state)
{
    struct auth_scene s;
    char to[1024], text[2048];

    (void)state;
    auth_open(&s, PHONES);
    bind_bob(&s);
    auth_request(&s, "INVITE sip:bob@example.com", NULL);
    assert_int_equal(s.f->verdict.kind, VERDICT_REPLY);
    const char *tag = memmem(s.f->out.at, s.f->out.len, "stg-", 4);
    assert_non_null(tag);
    auth_print(to, sizeof(to), "<sip:bob@example.com>;tag=%.*s", 20, tag);
    auth_print(text, sizeof(text), "ACK sip:bob@example.com\nTo: %s", to);
    fixture_request(s.f, text); // to the 407
    assert_string_equal(fixture_verdict(s.f), "drop ACK_ABSORBED");
    fixture_request(s.f, "CANCEL sip:bob@example.com");
    assert_int_equal(s.f->verdict.kind, VERDICT_FORWARD);
    fixture_request(s.f, "ACK sip:bob@example.com");
    assert_int_equal(s.f->verdict.kind, VERDICT_FORWARD);
    assert_int_equal(s.f->role.auths.challenged, 1);
    auth_close(&s);
}

// A call that was let in, and the Route that leads into it.
static const char *begin_call(struct auth_scene *s, char route[1024])
{
    bind_bob(s);
    auth_request(s, "INVITE sip:bob@example.com", NULL);
    auth_request(s, "INVITE sip:bob@example.com", &invite);
    assert_int_equal(s->f->verdict.kind, VERDICT_FORWARD);
    const char *at = memmem(s->f->out.at, s->f->out.len, "Record-Route: ", 14);
    assert_non_null(at);
    auth_print(route, 1024, "%.*s", (int)strcspn(at + 14, "\r"), at + 14);
    return route;
}

static void test_dialog_is_asked_only_where_its_method_is_named(void **state)
{
    static const struct {
        const char *methods;
        unsigned bye, reinvite; // answers
    } cases[] = {{"", 0, 0}, {"methods = REGISTER, INVITE\n", 0, 407}, {"methods = INVITE, BYE\n", 407, 407}};
    char text[4096], route[1024];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct auth_scene s;
        auth_print(text, sizeof(text), PHONES "%s", cases[i].methods);
        auth_open(&s, text);
        begin_call(&s, route);
        auth_print(text, sizeof(text),
                   "BYE sip:bob@192.0.2.9:5070\nTo: <sip:bob@example.com>;tag=b\nRoute: %s", route);
        fixture_request(s.f, text);
        assert_int_equal(auth_status(&s), cases[i].bye);
        auth_print(text, sizeof(text),
                   "INVITE sip:bob@192.0.2.9:5070\nTo: <sip:bob@example.com>;tag=b\nRoute: %s", route);
        fixture_request(s.f, text);
        assert_int_equal(auth_status(&s), cases[i].reinvite);
        auth_close(&s);
    }
}

// A To tag is anybody's to write.
static void test_tag_without_our_route_proves_no_dialog(void **state)
{
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    fixture_request(s.f, "INVITE sip:x@foreign.example\nTo: <sip:bob@example.com>;tag=b");
    assert_int_equal(auth_status(&s), 407);
    fixture_request(
        s.f, "INVITE sip:x@foreign.example\nTo: <sip:bob@example.com>;tag=b\nRoute: <sip:198.18.0.1;lr>");
    assert_int_equal(auth_status(&s), 407);
    auth_close(&s);
}

// What is kept of one REGISTER's hashes is not taken for another's.
static void test_registers_of_several_uris_and_algorithms_take_turns(void **state)
{
    static const struct auth_answer answers[] = {{.uri = "sip:example.com"},
                                                 {.uri = "sip:example.net"},
                                                 {.uri = "sip:example.com", .algorithm = "SHA-256"},
                                                 {.uri = "sip:example.com;transport=udp"}};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    for (unsigned i = 0; i < 32; i++) {
        struct auth_answer wrong = answers[i * 7 / 3 % 4];
        auth_register(&s, NULL);
        auth_register_with(&s, &wrong);
        assert_int_equal(auth_status(&s), 200);
        assert_true(auth_says(&s, s.rspauth));
        wrong.method = "INVITE";
        auth_register(&s, NULL);
        auth_register_with(&s, &wrong);
        assert_int_equal(auth_status(&s), 401);
        s.f->arrival.now.ms += 4000; // so few failures in a minute
    }
    auth_close(&s);
}

struct asked {
    const char *name, *auths, *source, *request;
    unsigned status; // 0: forwarded
};

static void test_conditions_decide_who_is_asked(void **state)
{
    static const struct asked cases[] = {
        {"trusted are exempt", PHONES, "192.0.2.4:5060", "INVITE sip:bob@example.com", 0},
        {"unless they are asked, too", PHONES "trusted = yes\n", "192.0.2.4:5060",
         "INVITE sip:bob@example.com", 407},
        {"another method", PHONES "methods = REGISTER\n", AUTH_PHONE, "INVITE sip:bob@example.com", 0},
        {"a method of the list", PHONES "methods = REGISTER, INVITE\n", AUTH_PHONE,
         "INVITE sip:bob@example.com", 407},
        {"a method without a number", PHONES "methods = PLAY\n", AUTH_PHONE, "PLAY sip:bob@example.com", 407},
        {"another network", PHONES "source = 198.51.100.0/24\n", AUTH_PHONE, "INVITE sip:bob@example.com", 0},
        {"a network of the list", PHONES "source = 198.51.100.0/24, 192.0.2.64/26\n", AUTH_PHONE,
         "INVITE sip:bob@example.com", 407},
        {"From of another domain of ours", "[auth a]\ndomain = move\n", AUTH_PHONE,
         "INVITE sip:bob@example.com", 0},
        {"From of the domain, by another name", PHONES, AUTH_PHONE,
         INVITE "From: <sip:alice@example.net>;tag=1", 407},
        {"any domain of ours", "[auth a]\n", AUTH_PHONE, INVITE "From: <sip:x@redirect.example>;tag=1", 407},
        {"a call from outside", "[auth a]\n", AUTH_PHONE, INVITE "From: <sip:x@foreign.example>;tag=1", 0},
        {"a call from outside, where everybody is asked", "[auth a]\nrealm = r\n", AUTH_PHONE,
         INVITE "From: <sip:x@foreign.example>;tag=1", 407},
        {"the first that holds decides", PHONES "methods = BYE\n[auth b]\nrealm = second\n", AUTH_PHONE,
         "INVITE sip:bob@example.com", 407},
        {"REGISTER goes by To", PHONES, AUTH_PHONE,
         "REGISTER sip:example.com\nTo: <sip:alice@example.com>\nFrom: <sip:x@foreign.example>;tag=1", 401},
        {"REGISTER by this server's address", PHONES, AUTH_PHONE,
         "REGISTER sip:198.18.0.1\nTo: <sip:alice@example.com>", 401},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct auth_scene s;
        auth_open(&s, cases[i].auths);
        bind_bob(&s);
        fixture_from(s.f, cases[i].source, 0);
        fixture_request(s.f, cases[i].request);
        if (auth_status(&s) != cases[i].status)
            fail_msg("%s: %s", cases[i].name, fixture_verdict(s.f));
        if (strstr(cases[i].auths, "second") != NULL)
            assert_true(auth_says(&s, "realm=\"second\""));
        auth_close(&s);
    }
}

static void test_operator_is_not_asked(void **state)
{
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    s.f->arrival.source = (struct endpoint){.family = ENDPOINT_NONE};
    auth_register(&s, NULL);
    assert_int_equal(auth_status(&s), 200);
    auth_close(&s);
}

// [trust] lets nobody out by default; a user of ours who proved it may go.
static void test_proven_user_may_call_foreign_domains(void **state)
{
    static const char call[] = "INVITE sip:x@192.0.2.200";
    const struct auth_answer answer = {.method = "INVITE", .uri = "sip:x@192.0.2.200"};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES "methods = REGISTER\n");
    auth_request(&s, call, NULL);
    assert_int_equal(auth_status(&s), 403);
    auth_close(&s);
    auth_open(&s, PHONES);
    auth_request(&s, call, NULL);
    assert_int_equal(auth_status(&s), 407);
    auth_request(&s, call, &answer);
    assert_string_equal(fixture_verdict(s.f), "forward 192.0.2.200:5060 by 0");
    auth_request(&s, "INVITE sip:x@192.0.2.200\nFrom: <sip:alice@foreign.example>;tag=1", NULL);
    assert_int_equal(auth_status(&s), 403); // who is not asked is not let out
    auth_close(&s);
}

// RFC 3261 22.4, RFC 8760 2.6 item 6.
static void test_digest_uri_is_one_that_is_served_here(void **state)
{
    static const struct {
        const char *uri;
        unsigned status;
    } cases[] = {{"sip:example.com", 200},
                 {"sip:example.com;transport=udp", 200},
                 {"sip:example.net", 200},
                 {"sip:198.18.0.1", 200},
                 {"sip:foreign.example", 400},
                 {"sip:alice@foreign.example", 400},
                 {"tel:+1", 400},
                 {"/dir/index.html", 400},
                 {"", 400}};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        auth_register(&s, NULL);
        auth_register_with(&s, &(struct auth_answer){.uri = cases[i].uri});
        if (auth_status(&s) != cases[i].status)
            fail_msg("%s: %s", cases[i].uri, fixture_verdict(s.f));
    }
    auth_close(&s);
}

// Nothing is kept for whoever is challenged.
static void test_challenge_leaves_nothing_behind(void **state)
{
    struct transaction_usage usage;
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES);
    fixture_stateful(s.f, 64);
    bind_bob(&s);
    auth_request(&s, "INVITE sip:bob@example.com", NULL);
    assert_int_equal(auth_status(&s), 407);
    transaction_usage(s.f->role.transactions, &usage);
    assert_int_equal(usage.records, 0);
    assert_int_equal(s.f->outlet->buffers, 0);
    auth_request(&s, "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKsecond",
                 &invite);
    transaction_usage(s.f->role.transactions, &usage);
    assert_int_equal(usage.records, 1);
    auth_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_register_without_credentials_is_challenged_in_order),
        cmocka_unit_test(test_proxy_challenges_with_407),
        cmocka_unit_test(test_redirect_server_challenges_with_401),
        cmocka_unit_test(test_right_credentials_register_by_every_algorithm),
        cmocka_unit_test(test_unknown_user_and_wrong_password_look_the_same),
        cmocka_unit_test(test_user_without_the_algorithms_hash_is_refused),
        cmocka_unit_test(test_user_who_is_removed_is_nobody),
        cmocka_unit_test(test_nonce_expires_as_stale),
        cmocka_unit_test(test_nonce_is_good_for_its_address_and_realm_alone),
        cmocka_unit_test(test_made_up_nonce_is_no_nonce),
        cmocka_unit_test(test_own_credentials_are_consumed_and_others_kept),
        cmocka_unit_test(test_user_must_be_the_one_he_says_he_is),
        cmocka_unit_test(test_user_may_be_named_with_his_domain),
        cmocka_unit_test(test_ack_and_cancel_are_never_challenged),
        cmocka_unit_test(test_dialog_is_asked_only_where_its_method_is_named),
        cmocka_unit_test(test_tag_without_our_route_proves_no_dialog),
        cmocka_unit_test(test_registers_of_several_uris_and_algorithms_take_turns),
        cmocka_unit_test(test_conditions_decide_who_is_asked),
        cmocka_unit_test(test_operator_is_not_asked),
        cmocka_unit_test(test_proven_user_may_call_foreign_domains),
        cmocka_unit_test(test_digest_uri_is_one_that_is_served_here),
        cmocka_unit_test(test_challenge_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("role auth", tests, NULL, NULL);
}
