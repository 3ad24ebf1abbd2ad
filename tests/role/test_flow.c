// Flow tokens: RFC 5626 5.2, nobody makes one.
#include "scene.h"

#include "role/flow.h"

static struct conf_listener listeners[] = {
    {.transport = ENDPOINT_UDP}, {.transport = ENDPOINT_UDP}, {.transport = ENDPOINT_UDP},
    {.transport = ENDPOINT_TCP}, {.transport = ENDPOINT_WSS},
};
static struct conf conf = {.listeners_n = 5, .listeners = listeners};
static const struct role role = {.conf = &conf, .secret = {3, 4}};
static const struct slice call_id = {"c1@192.0.2.4", 12};

static struct endpoint endpoint_of(const char *text)
{
    struct endpoint endpoint;

    assert_true(endpoint_parse(slice_text(text), &endpoint));
    return endpoint;
}

static struct endpoint stream(const char *text, enum endpoint_transport transport, uint8_t flow)
{
    struct endpoint endpoint = endpoint_of(text);

    endpoint.transport = transport & 0xf;
    endpoint.flow = flow;
    return endpoint;
}

static const struct endpoint none = {.family = ENDPOINT_NONE};

static const struct {
    const char *peer; // NULL: none
    unsigned listener, len;
} written[] = {
    {NULL, 0, 12},
    {NULL, 2, 12},
    {"203.0.113.7:40000", 1, 20},
    {"255.255.255.255:65535", 2, 20},
    {"[2001:db8::7]:5060", 2, 36},
    {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1", 0, 36},
};

static void test_what_is_written_is_read_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(written) / sizeof(*written); i++) {
        struct endpoint peer = written[i].peer != NULL ? endpoint_of(written[i].peer) : none, read;
        char text[ROLE_FLOW_LEN];
        unsigned listener = 99;
        unsigned len = role_flow_write(&role, call_id, &peer, written[i].listener, text);
        assert_int_equal(len, written[i].len);
        assert_int_equal(role_flow_read(&role, call_id, slice_of(text, len), &read, &listener),
                         ROLE_TOKEN_OURS);
        assert_true(endpoint_equal(&read, &peer));
        assert_int_equal(listener, written[i].listener);
    }
}

static void test_a_connection_is_read_again(void **state)
{
    static const struct {
        const char *peer;
        uint8_t flow;
        unsigned listener, len;
    } streams[] = {
        {"203.0.113.7:40000", 1, 3, 24},   {"203.0.113.7:40000", 255, 4, 24}, {"203.0.113.7:40000", 0, 3, 24},
        {"[2001:db8::7]:40000", 7, 3, 40}, {"[2001:db8::7]:1", 255, 4, 40},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(streams) / sizeof(*streams); i++) {
        unsigned listener = streams[i].listener;
        struct endpoint peer = stream(streams[i].peer, listeners[listener].transport, streams[i].flow), read;
        char text[ROLE_FLOW_LEN];
        unsigned len = role_flow_write(&role, call_id, &peer, listener, text);
        assert_int_equal(len, streams[i].len);
        assert_int_equal(role_flow_read(&role, call_id, slice_of(text, len), &read, &listener),
                         ROLE_TOKEN_OURS);
        assert_true(endpoint_equal(&read, &peer));
        assert_int_equal(listener, streams[i].listener);
        assert_in_range(text[0], 'A', 'P');
    }
}

static void test_token_stands_in_a_uri_as_it_is(void **state)
{
    (void)state;
    for (unsigned port = 1; port < 2000; port++) {
        struct endpoint peer = endpoint_ip4(203, 0, 113, 7, (uint16_t)port);
        char text[100] = "sip:";
        struct sip_uri uri;
        unsigned len = role_flow_write(&role, call_id, &peer, 1, text + 4);
        memcpy(text + 4 + len, "@198.18.0.1:5060;lr", 20);
        assert_int_equal(sip_uri_parse(slice_text(text), &uri), SIP_OK);
        assert_true(slice_equal(uri.user, slice_of(text + 4, len)));
    }
}

static void test_retransmission_gets_the_same_token(void **state)
{
    struct endpoint peer = endpoint_of("203.0.113.7:40000");
    char first[ROLE_FLOW_LEN], second[ROLE_FLOW_LEN];

    (void)state;
    unsigned len = role_flow_write(&role, call_id, &peer, 1, first);
    assert_int_equal(role_flow_write(&role, call_id, &peer, 1, second), len);
    assert_memory_equal(first, second, len);
}

static void test_no_letter_can_be_changed(void **state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_%.~";
    const struct {
        struct endpoint peer;
        unsigned listener;
    } forms[] = {{endpoint_of("[2001:db8::7]:5060"), 1},
                 {none, 1},
                 {none, 3},
                 {stream("203.0.113.7:40000", ENDPOINT_TCP, 9), 3},
                 {stream("[2001:db8::7]:5060", ENDPOINT_WSS, 1), 4}};
    struct endpoint read;
    char text[ROLE_FLOW_LEN], changed[ROLE_FLOW_LEN];
    unsigned listener;

    (void)state;
    for (unsigned form = 0; form < sizeof(forms) / sizeof(*forms); form++) {
        unsigned len = role_flow_write(&role, call_id, &forms[form].peer, forms[form].listener, text);
        for (unsigned at = 0; at < len; at++) {
            for (const char *letter = letters; *letter != 0; letter++) {
                memcpy(changed, text, len);
                changed[at] = *letter;
                enum role_token is = role_flow_read(&role, call_id, slice_of(changed, len), &read, &listener);
                assert_int_equal(is == ROLE_TOKEN_OURS, *letter == text[at]);
            }
        }
    }
}

static void test_token_of_another_call_or_another_server_is_forged(void **state)
{
    struct role other = role;
    struct endpoint peer = endpoint_of("203.0.113.7:40000"), read;
    char text[ROLE_FLOW_LEN];
    unsigned listener;

    (void)state;
    other.secret.k1++;
    struct slice token = slice_of(text, role_flow_write(&role, call_id, &peer, 1, text));
    assert_int_equal(role_flow_read(&role, SLICE("c2@192.0.2.4"), token, &read, &listener),
                     ROLE_TOKEN_FORGED);
    assert_int_equal(role_flow_read(&role, SLICE("c1@192.0.2.4\n"), token, &read, &listener),
                     ROLE_TOKEN_FORGED);
    assert_int_equal(role_flow_read(&other, call_id, token, &read, &listener), ROLE_TOKEN_FORGED);
}

// A short one cannot be stretched by an address: its bytes would move into what the hash is of.
static void test_token_without_flow_gives_none_with_one(void **state)
{
    struct endpoint peer = endpoint_of("203.0.113.7:40000"), read;
    char plain[ROLE_FLOW_LEN], with[ROLE_FLOW_LEN];
    unsigned listener;

    (void)state;
    role_flow_write(&role, call_id, &none, 1, plain);
    role_flow_write(&role, call_id, &peer, 1, with);
    memcpy(with + 8, plain, 12);
    assert_int_equal(role_flow_read(&role, call_id, slice_of(with, 20), &read, &listener), ROLE_TOKEN_FORGED);
    assert_int_equal(role_flow_read(&role, call_id, slice_of(with + 8, 12), &read, &listener),
                     ROLE_TOKEN_OURS);
}

static void test_users_of_other_forms_are_no_tokens(void **state)
{
    static const char *const users[] = {
        "",
        "orig",
        "proxy-3",
        "491234567890",
        "12345678901234567890",
        "+4912345",
        "alice.smith1",
        "lr.token.xyz",
        "zzzzzzzzzzzzzzzzzzzz",
        "AAAAAAAAAAA",
        "AAAAAAAAAAAAA",
        "AAAA%41AAAAA",
        "DAAAAAAAAAAA", // no listener has this number
    };
    struct endpoint read;
    unsigned listener;

    (void)state;
    for (unsigned i = 0; i < sizeof(users) / sizeof(*users); i++) {
        if (role_flow_read(&role, call_id, slice_text(users[i]), &read, &listener) != ROLE_TOKEN_NONE)
            fail_msg("%s", users[i]);
    }
    assert_int_equal(role_flow_read(&role, call_id, (struct slice){NULL, 0}, &read, &listener),
                     ROLE_TOKEN_NONE);
    assert_int_equal(role_flow_read(&role, call_id, SLICE("AAAAAAAAAAAA"), &read, &listener),
                     ROLE_TOKEN_FORGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_again),
        cmocka_unit_test(test_a_connection_is_read_again),
        cmocka_unit_test(test_token_stands_in_a_uri_as_it_is),
        cmocka_unit_test(test_retransmission_gets_the_same_token),
        cmocka_unit_test(test_no_letter_can_be_changed),
        cmocka_unit_test(test_token_of_another_call_or_another_server_is_forged),
        cmocka_unit_test(test_token_without_flow_gives_none_with_one),
        cmocka_unit_test(test_users_of_other_forms_are_no_tokens),
    };

    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
