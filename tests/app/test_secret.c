// The key that outlives a restart.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define AT_ONCE 16

static char folder[64], path[128], said[512];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_secret.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/deep/secret", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static int get(const char *file, struct hash_key *key)
{
    FILE *errors = fmemopen(said, sizeof(said), "w");

    assert_non_null(errors);
    said[0] = 0;
    int error = secret_get(file, key, errors);
    fclose(errors);
    assert_int_equal(error == 0, said[0] == 0);
    return error;
}

static void put(const char *bytes, size_t len, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_without_a_file_each_start_has_another(void **state)
{
    struct hash_key one = {0, 0}, two = {0, 0};

    (void)state;
    assert_int_equal(get(NULL, &one), 0);
    assert_int_equal(get(NULL, &two), 0);
    assert_memory_not_equal(&one, &two, sizeof(one));
}

// Its directory with it; for nobody else to read; and nothing is left beside it.
static void test_it_is_made_once_and_then_read(void **state)
{
    struct hash_key first, again;
    struct stat stat_of;
    char command[192];

    (void)state;
    umask(0);
    assert_int_equal(get(path, &first), 0);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    assert_int_equal(stat_of.st_size, SECRET_BYTES);
    assert_int_equal(get(path, &again), 0);
    assert_memory_equal(&first, &again, sizeof(first));
    snprintf(command, sizeof(command), "test \"$(ls -A %s/deep)\" = secret", folder);
    assert_int_equal(system(command), 0);
}

static void test_the_bytes_are_the_key(void **state)
{
    struct hash_key first, key, wanted;

    (void)state;
    assert_int_equal(get(path, &first), 0);
    put("0123456789abcdef", 16, 0400);
    assert_int_equal(get(path, &key), 0);
    memcpy(&wanted, "0123456789abcdef", 16);
    assert_memory_equal(&key, &wanted, sizeof(key));
}

static void test_what_is_no_secret_is_refused(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        mode_t mode;
        int error;
        const char *said;
    } cases[] = {
        {"empty", 0, 0600, -EINVAL, "not 16 bytes"},
        {"short", 15, 0600, -EINVAL, "not 16 bytes"},
        {"long", 17, 0600, -EINVAL, "not 16 bytes"},
        {"the group may read it", 16, 0640, -EACCES, "chmod 600"},
        {"all may read it", 16, 0604, -EACCES, "chmod 600"},
        {"the group may write to it", 16, 0620, -EACCES, "chmod 600"},
    };
    struct hash_key key;

    (void)state;
    assert_int_equal(get(path, &key), 0);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put("0123456789abcdefg", cases[i].len, cases[i].mode);
        int error = get(path, &key);
        if (error != cases[i].error || strstr(said, cases[i].said) == NULL || strstr(said, path) == NULL)
            fail_msg("%s: %d, %s", cases[i].name, error, said);
    }
}

static void test_a_place_that_cannot_be_is_told(void **state)
{
    struct hash_key key;
    char wrong[192];

    (void)state;
    assert_int_equal(get(path, &key), 0);
    snprintf(wrong, sizeof(wrong), "%s/secret", path);
    assert_int_equal(get(wrong, &key), -ENOTDIR);
    snprintf(wrong, sizeof(wrong), "%s/not/there/secret", folder);
    assert_int_equal(get(wrong, &key), -ENOENT);
    assert_non_null(strstr(said, "can be written to"));
    assert_int_equal(get(folder, &key), -EINVAL);
}

static void *get_one(void *key)
{
    return secret_get(path, key, stderr) == 0 ? key : NULL;
}

static void test_of_many_that_make_it_one_wins(void **state)
{
    struct hash_key keys[AT_ONCE];
    pthread_t threads[AT_ONCE];
    void *got;

    (void)state;
    for (unsigned i = 0; i < AT_ONCE; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_one, &keys[i]), 0);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        assert_int_equal(pthread_join(threads[i], &got), 0);
        assert_non_null(got);
        assert_memory_equal(&keys[i], &keys[0], sizeof(keys[0]));
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_without_a_file_each_start_has_another),
        CASE(test_it_is_made_once_and_then_read),
        CASE(test_the_bytes_are_the_key),
        CASE(test_what_is_no_secret_is_refused),
        CASE(test_a_place_that_cannot_be_is_told),
        CASE(test_of_many_that_make_it_one_wins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
