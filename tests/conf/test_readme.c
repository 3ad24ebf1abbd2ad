// What the README shows is what the server takes.
#include "reading.h"

#include <stdlib.h>
#include <string.h>

#define ROOM  65536
#define FENCE "```"

static char readme[ROOM], blocks[ROOM];

// All blocks that are INI, one behind the other: together they are one configuration.
static unsigned gather(void)
{
    FILE *file = fopen(README_PATH, "r");
    unsigned n = 0;

    assert_non_null(file);
    size_t len = fread(readme, 1, ROOM - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(len, 1, ROOM - 2);
    readme[len] = 0;
    blocks[0] = 0;
    for (const char *at = readme; (at = strstr(at, FENCE "ini\n")) != NULL; n++) {
        at += strlen(FENCE "ini\n");
        const char *end = strstr(at, FENCE);
        assert_non_null(end);
        strncat(blocks, at, (size_t)(end - at));
        at = end + strlen(FENCE);
    }
    return n;
}

static void test_examples_are_taken(void **state)
{
    (void)state;
    assert_int_equal(gather(), 4);
    struct conf *conf = reading_good(blocks);
    assert_int_equal(conf->ports_n, 1);
    assert_int_equal(conf->listeners_n, 3);
    assert_int_equal(conf->certificates_n, 1);
    assert_int_equal(conf->domains_n, 1);
    assert_true(conf->gateways_n > 1 && conf->routes_n > 2 && conf->trusted_n > 0);
    assert_non_null(conf->numbers_file);
    conf_free(conf);
}

static void test_the_first_example_is_a_server_by_itself(void **state)
{
    (void)state;
    gather();
    char *second = strstr(blocks, "[trust]");
    assert_non_null(second);
    *second = 0;
    struct conf *conf = reading_good(blocks);
    assert_int_equal(conf->routes_n, 0);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_are_taken),
        cmocka_unit_test(test_the_first_example_is_a_server_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
