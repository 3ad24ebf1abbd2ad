// What a worker remembers of credentials: wrong ones by their source, and how far nonces were counted.
#include "auth_scene.h"

#include <stdio.h>
#include <stdlib.h>

#define PHONES  "[auth phones]\ndomain = main\n"
#define COUNTED PHONES "nonce_count = yes\n"

static void test_source_with_too_many_failures_is_not_read(void **state)
{
    const struct auth_answer wrong = {.password = "guess"}, right = {.user = NULL};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES "failures = 3\n");
    auth_register(&s, NULL);
    for (unsigned i = 0; i < 3; i++) {
        auth_register_with(&s, &wrong);
        assert_int_equal(auth_status(&s), 401);
    }
    auth_register_with(&s, &right);
    assert_int_equal(auth_status(&s), 403);
    auth_register(&s, NULL); // nor is anybody asked there
    assert_int_equal(auth_status(&s), 403);
    assert_int_equal(s.f->role.auths.blocked, 2);
    fixture_from(s.f, "192.0.2.77:7000", 0); // another port of the same
    auth_register(&s, NULL);
    assert_int_equal(auth_status(&s), 403);
    fixture_from(s.f, "192.0.2.78:5060", 0);
    auth_register(&s, NULL);
    assert_int_equal(auth_status(&s), 401);
    fixture_from(s.f, AUTH_PHONE, 0);
    s.f->arrival.now.ms += 60000; // the minute is over
    auth_register(&s, NULL);
    auth_register_with(&s, &right);
    assert_int_equal(auth_status(&s), 200);
    auth_close(&s);
}

// Whoever sends in another's name has no nonce that was sent there.
static void test_nobody_is_shut_out_by_others(void **state)
{
    struct auth_scene s;
    char theirs[1024];

    (void)state;
    auth_open(&s, PHONES "failures = 3\n");
    fixture_from(s.f, "192.0.2.66:5060", 0);
    auth_register(&s, NULL);
    auth_nonce(&s, theirs);
    fixture_from(s.f, AUTH_PHONE, 0); // as the sender says
    for (unsigned i = 0; i < 10; i++) {
        auth_register_with(&s, &(struct auth_answer){.nonce = i % 2 == 0 ? theirs : "made-up",
                                                     .realm = "example.com",
                                                     .password = "x"});
        assert_int_equal(auth_status(&s), 401);
    }
    assert_int_equal(s.f->role.auths.failed, 0);
    auth_register(&s, NULL);
    auth_register_with(&s, &(struct auth_answer){.user = NULL});
    assert_int_equal(auth_status(&s), 200);
    auth_close(&s);
}

static void test_no_bound_on_failures_is_none(void **state)
{
    const struct auth_answer wrong = {.password = "guess"};
    struct auth_scene s;

    (void)state;
    auth_open(&s, PHONES "failures = 0\n");
    auth_register(&s, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        auth_register_with(&s, &wrong);
        assert_int_equal(auth_status(&s), 401);
    }
    auth_close(&s);
}

// Whoever has one address of a /64 has them all.
static void test_failures_of_a_network_of_ip6_are_counted_together(void **state)
{
    struct auth_guard *guard;
    const struct hash_key key = {1, 2};
    struct endpoint one, other, beyond;

    (void)state;
    assert_true(endpoint_parse(SLICE("[2001:db8::1]:5060"), &one));
    assert_true(endpoint_parse(SLICE("[2001:db8::ffff:1]:5061"), &other));
    assert_true(endpoint_parse(SLICE("[2001:db8:0:1::1]:5060"), &beyond));
    assert_int_equal(auth_guard_create(&guard, &key, 1000, &memory_system, MEMORY_ANY_NODE), 0);
    auth_guard_failed(guard, &one, 5000);
    assert_true(auth_guard_blocks(guard, &other, 1, 5000));
    assert_false(auth_guard_blocks(guard, &beyond, 1, 5000));
    assert_false(auth_guard_blocks(guard, &other, 2, 5000));
    assert_false(auth_guard_blocks(NULL, &one, 1, 5000));
    auth_guard_destroy(guard);
}

// More sources than there is room for: those with the most failures stay.
static void test_many_sources_do_not_push_out_the_worst(void **state)
{
    struct auth_guard *guard;
    const struct hash_key key = {1, 2};
    struct endpoint worst = endpoint_ip4(192, 0, 2, 1, 5060);

    (void)state;
    assert_int_equal(auth_guard_create(&guard, &key, 1000, &memory_system, MEMORY_ANY_NODE), 0);
    for (unsigned i = 0; i < 10; i++)
        auth_guard_failed(guard, &worst, 0);
    for (unsigned i = 0; i < 200000; i++) {
        struct endpoint other = endpoint_ip4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 5060);
        auth_guard_failed(guard, &other, 1000);
        assert_true(auth_guard_blocks(guard, &other, 1, 1000));
    }
    assert_true(auth_guard_blocks(guard, &worst, 10, 1000));
    auth_guard_destroy(guard);
}

// A REGISTER that is another each time.
static void reregister(struct auth_scene *s, const char *nonce, const char *nc, unsigned cseq)
{
    const struct auth_answer answer = {.nonce = nonce, .realm = "example.com", .nc = nc};
    char lines[2 * AUTH_TEXT];

    auth_print(lines, sizeof(lines),
               "CSeq: %u REGISTER\nVia: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bK%u\nAuthorization: %s\n", cseq,
               cseq, auth_value(s, &answer));
    auth_register(s, lines);
}

// RFC 7616 3.4: "nc".
static void test_credentials_are_good_once(void **state)
{
    struct auth_scene s;
    char nonce[1024];

    (void)state;
    auth_open(&s, COUNTED);
    auth_register(&s, NULL);
    auth_nonce(&s, nonce);
    reregister(&s, nonce, "00000001", 10);
    assert_int_equal(auth_status(&s), 200);
    reregister(&s, nonce, "00000001", 11); // heard on the way, and used by somebody else
    assert_int_equal(auth_status(&s), 401);
    assert_true(auth_says(&s, "stale=true"));
    reregister(&s, nonce, "00000003", 12);
    assert_int_equal(auth_status(&s), 200);
    reregister(&s, nonce, "00000002", 13);
    assert_int_equal(auth_status(&s), 401);
    reregister(&s, nonce, "0000000A", 14);
    assert_int_equal(auth_status(&s), 200);
    reregister(&s, nonce, "00000009", 15);
    assert_int_equal(auth_status(&s), 401);
    auth_close(&s);
}

// RFC 3261 17.1.2.2: UDP loses answers, and whoever did not hear ours asks once more with the same.
static void test_retransmission_is_no_second_use(void **state)
{
    struct auth_scene s;
    char nonce[1024];

    (void)state;
    auth_open(&s, COUNTED);
    auth_register(&s, NULL);
    auth_nonce(&s, nonce);
    reregister(&s, nonce, "00000001", 10);
    s.f->arrival.now.ms += 31000;
    reregister(&s, nonce, "00000001", 10);
    assert_int_equal(auth_status(&s), 200);
    s.f->arrival.now.ms += 2000;
    reregister(&s, nonce, "00000001", 10);
    assert_int_equal(auth_status(&s), 401);
    auth_close(&s);
}

static void test_uncounted_credentials_are_good_for_their_time(void **state)
{
    struct auth_scene s;
    char nonce[1024];

    (void)state;
    auth_open(&s, PHONES);
    auth_register(&s, NULL);
    auth_nonce(&s, nonce);
    for (unsigned i = 0; i < 5; i++) {
        reregister(&s, nonce, "00000001", 10 + i);
        assert_int_equal(auth_status(&s), 200);
    }
    auth_close(&s);
}

// Another worker does not know how far it was counted.
static void test_counted_nonce_is_good_for_the_worker_that_made_it(void **state)
{
    struct auth_scene s;
    char nonce[1024];

    (void)state;
    auth_open(&s, COUNTED);
    s.f->role.worker = 1;
    auth_register(&s, NULL);
    auth_nonce(&s, nonce);
    s.f->role.worker = 0;
    reregister(&s, nonce, "00000001", 10);
    assert_true(auth_says(&s, "stale=true"));
    auth_nonce(&s, nonce);
    reregister(&s, nonce, "00000001", 11);
    assert_int_equal(auth_status(&s), 200);
    auth_close(&s);
}

static bool use(struct auth_guard *guard, uint64_t nonce, uint32_t issued_s, uint32_t count)
{
    const struct role_use one = {.nonce = {nonce * 0x9e3779b97f4a7c15u, nonce},
                                 .request = count,
                                 .issued_s = issued_s,
                                 .count = count};

    return auth_guard_counts(guard, &one, issued_s * 1000ull, 32000);
}

// More nonces than there is room for: what is forgotten was good once all the same.
static void test_forgotten_nonce_is_never_good_again(void **state)
{
    enum { NONCES = 200000 };
    struct auth_guard *guard;
    const struct hash_key key = {1, 2};
    static uint8_t used[NONCES];
    unsigned good = 0, known = 0;

    (void)state;
    assert_int_equal(auth_guard_create(&guard, &key, 1000, &memory_system, MEMORY_ANY_NODE), 0);
    for (unsigned i = 0; i < NONCES; i++) {
        used[i] = use(guard, i, 1000 + i / 100, 7);
        good += used[i];
    }
    assert_true(good > NONCES / 2); // the later ones are taken
    for (unsigned i = 0; i < NONCES; i++) {
        assert_false(use(guard, i, 1000 + i / 100, 6));
        known += used[i] && use(guard, i, 1000 + i / 100, 8);
    }
    assert_true(known > 1000 && known < good); // the youngest are known, and many are not
    auth_guard_destroy(guard);
}

static void test_nonce_from_before_the_start_is_stale(void **state)
{
    struct auth_guard *guard;
    const struct hash_key key = {1, 2};

    (void)state;
    assert_int_equal(auth_guard_create(&guard, &key, 1000, &memory_system, MEMORY_ANY_NODE), 0);
    assert_false(use(guard, 1, 999, 1));
    assert_true(use(guard, 2, 1000, 1));
    assert_false(use(NULL, 3, 1001, 1));
    auth_guard_destroy(guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_with_too_many_failures_is_not_read),
        cmocka_unit_test(test_nobody_is_shut_out_by_others),
        cmocka_unit_test(test_no_bound_on_failures_is_none),
        cmocka_unit_test(test_failures_of_a_network_of_ip6_are_counted_together),
        cmocka_unit_test(test_many_sources_do_not_push_out_the_worst),
        cmocka_unit_test(test_credentials_are_good_once),
        cmocka_unit_test(test_retransmission_is_no_second_use),
        cmocka_unit_test(test_uncounted_credentials_are_good_for_their_time),
        cmocka_unit_test(test_counted_nonce_is_good_for_the_worker_that_made_it),
        cmocka_unit_test(test_forgotten_nonce_is_never_good_again),
        cmocka_unit_test(test_nonce_from_before_the_start_is_stale),
    };
    return cmocka_run_group_tests_name("role auth guard", tests, NULL, NULL);
}
