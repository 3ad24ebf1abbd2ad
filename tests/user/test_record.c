// Users outside of the table: as the store keeps them, and as an operator writes them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "user/password.h"
#include "user/record.h"

#define MD5        "3d78807defe7de2157e2b0b6573a855f"
#define SHA256     "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"
#define SHA512_256 "fb174f5c3c7802721517cae13b98e2b8dae2e0118cb705d94ee29946319204ce"

static void assert_hash(const struct user *user, enum conf_digest algorithm, const char *hex)
{
    char text[2 * USER_HA1_MAX + 1];

    for (unsigned i = 0; i < strlen(hex) / 2; i++)
        sprintf(text + 2 * i, "%02x", user->ha1[algorithm][i]);
    assert_string_equal(text, hex);
}

// RFC 7616 3.9.1's user; the third algorithm's value by another implementation.
static void test_password_becomes_ha1_of_every_algorithm(void **state)
{
    struct user user;

    (void)state;
    assert_true(
        user_password_hash(&user, SLICE("Mufasa"), SLICE("http-auth@example.org"), SLICE("Circle of Life")));
    assert_int_equal(user.has, (1u << CONF_DIGESTS) - 1);
    assert_hash(&user, CONF_DIGEST_MD5, MD5);
    assert_hash(&user, CONF_DIGEST_SHA256, SHA256);
    assert_hash(&user, CONF_DIGEST_SHA512_256, SHA512_256);
}

static void test_record_reads_as_it_was_written(void **state)
{
    uint8_t value[USER_RECORD_MAX];
    struct user user, again;

    (void)state;
    assert_true(user_password_hash(&user, SLICE("a"), SLICE("b"), SLICE("c")));
    for (unsigned has = 1; has < 1u << CONF_DIGESTS; has++) {
        struct user some = user;
        some.has = (uint8_t)has;
        for (unsigned i = 0; i < CONF_DIGESTS; i++)
            memset(some.ha1[i], has >> i & 1 ? (int)some.ha1[i][0] : 0, i == CONF_DIGEST_MD5 ? 16 : 32);
        unsigned len = user_record_write(&some, value);
        assert_true(user_record_read(slice_of((char *)value, len), &again));
        assert_memory_equal(&again, &some, sizeof(some));
        for (unsigned cut = 0; cut < len; cut++)
            assert_false(user_record_read(slice_of((char *)value, cut), &again));
    }
}

// The format is on disks: these bytes stay.
static void test_record_is_as_the_format_says(void **state)
{
    uint8_t value[USER_RECORD_MAX];
    struct user user = {.has = 1u << CONF_DIGEST_MD5 | 1u << CONF_DIGEST_SHA256};

    (void)state;
    memset(user.ha1[CONF_DIGEST_MD5], 'm', 16);
    memset(user.ha1[CONF_DIGEST_SHA256], 's', 32);
    assert_int_equal(user_record_write(&user, value), 50);
    assert_memory_equal(value, "\1\5ssssssssssssssssssssssssssssssssmmmmmmmmmmmmmmmm", 50);
    value[0] = 2;
    assert_false(user_record_read(slice_of((char *)value, 50), &user));
    value[0] = 1;
    value[1] = 13;
    assert_false(user_record_read(slice_of((char *)value, 50), &user));
    value[1] = 0;
    assert_false(user_record_read(slice_of((char *)value, 2), &user));
}

static void test_key_is_user_at_realm(void **state)
{
    static const char *const bad[] = {"", "@", "alice", "@r", "alice@", "a b@r"};
    struct slice name, realm;
    char key[USER_KEY_MAX];

    (void)state;
    unsigned len = user_record_key_write(SLICE("alice@home"), SLICE("example.com"), key);
    assert_int_equal(len, strlen("alice@home@example.com"));
    assert_memory_equal(key, "alice@home@example.com", len);
    assert_true(user_record_key_read(slice_of(key, len), &name, &realm));
    assert_true(slice_equal(name, SLICE("alice@home")) && slice_equal(realm, SLICE("example.com")));
    assert_int_equal(user_record_key_write(SLICE("a"), SLICE("b@c"), key), 0);
    assert_int_equal(user_record_key_write(SLICE(""), SLICE("b"), key), 0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(user_record_key_read(slice_text(bad[i]), &name, &realm));
}

static void test_line_with_a_password(void **state)
{
    struct user_line line;

    (void)state;
    assert_null(user_line_read(SLICE(" alice , example.com , a,b:c \r\n"), &line));
    assert_true(slice_equal(line.name, SLICE("alice")));
    assert_true(slice_equal(line.domain, SLICE("example.com")));
    assert_true(slice_equal(line.password, SLICE("a,b:c")));
    assert_int_equal(line.user.has, 0);
}

static void test_line_with_hashes(void **state)
{
    struct user_line line;

    (void)state;
    assert_null(user_line_read(SLICE("alice,r,md5:" MD5), &line));
    assert_null(line.password.at);
    assert_int_equal(line.user.has, 1u << CONF_DIGEST_MD5);
    assert_hash(&line.user, CONF_DIGEST_MD5, MD5);
    assert_null(user_line_read(
        SLICE("alice,r,SHA512-256:" SHA512_256 ", MD5:3D78807DEFE7DE2157E2B0B6573A855F,sha256:" SHA256),
        &line));
    assert_int_equal(line.user.has, (1u << CONF_DIGESTS) - 1);
    assert_hash(&line.user, CONF_DIGEST_MD5, MD5);
    assert_hash(&line.user, CONF_DIGEST_SHA256, SHA256);
    assert_hash(&line.user, CONF_DIGEST_SHA512_256, SHA512_256);
}

static void test_bad_lines_say_what_was_expected(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"", "a user's name"},
        {",r,p", "a user's name"},
        {"a\"b,r,p", "a user's name"},
        {"a", "a domain"},
        {"a,,p", "a domain"},
        {"a,r", "a password"},
        {"a,r,", "a password"},
        {"a,r, ", "a password"},
        {"a,r,md5:", "32 hexadecimal digits"},
        {"a,r,md5:3d7", "32 hexadecimal digits"},
        {"a,r,md5:" MD5 "0", "32 hexadecimal digits"},
        {"a,r,md5:" MD5 ",md5:" MD5, "twice"},
        {"a,r,md5:" MD5 ",secret", "behind a hash"},
        {"a,r,sha256:zz87c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232", "64 behind"},
    };
    struct user_line line;

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *said = user_line_read(slice_text(cases[i].line), &line);
        if (said == NULL || strstr(said, cases[i].said) == NULL)
            fail_msg("\"%s\" said \"%s\"", cases[i].line, said == NULL ? "nothing" : said);
    }
}

static void test_password_is_wiped(void **state)
{
    char secret[] = "hush";

    (void)state;
    user_password_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, "\0\0\0\0", sizeof(secret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password_becomes_ha1_of_every_algorithm),
        cmocka_unit_test(test_record_reads_as_it_was_written),
        cmocka_unit_test(test_record_is_as_the_format_says),
        cmocka_unit_test(test_key_is_user_at_realm),
        cmocka_unit_test(test_line_with_a_password),
        cmocka_unit_test(test_line_with_hashes),
        cmocka_unit_test(test_bad_lines_say_what_was_expected),
        cmocka_unit_test(test_password_is_wiped),
    };
    return cmocka_run_group_tests_name("user record", tests, NULL, NULL);
}
