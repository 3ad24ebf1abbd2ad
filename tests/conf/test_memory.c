// Every allocation fails once. The linker sends the room's allocations here (--wrap).
#include "reading.h"

#include <stdlib.h>
#include <unistd.h>

static unsigned countdown; // allocations until one fails; 0: none does
static unsigned taken;     // allocations so far
static int balance;        // allocations not freed

void *__real_calloc(size_t n, size_t size);
void __real_free(void *at);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *at, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
    taken++;
    if (countdown > 0 && --countdown == 0)
        return NULL;
    balance++;
    return __real_calloc(n, size);
}

void __wrap_free(void *at)
{
    balance -= at != NULL;
    __real_free(at);
}

// The room allocates in one way only; another would escape this test.
void *__wrap_malloc(size_t size)
{
    (void)size;
    abort();
}

void *__wrap_realloc(void *at, size_t size)
{
    (void)at;
    (void)size;
    abort();
}

static const char good[] =
    "[server]\nscanners = a, b,\n  c\n[trust]\nnetworks = 192.0.2.0/24\n[dns]\nservers = "
    "192.0.2.53\n" READING_LEAST
    "[domain example.com]\n[gateways g]\n[gateway a]\ngroup = g\naddress = gw.example\n"
    "[route r]\nmethods = INVITE\nuser = /^[0-9]+$/\naction = gateways\ngateways = g\nset_domain = a:1\n"
    "[route s]\nsource = 192.0.2.7\ndomain = a*\naction = redirect\ncontact = sip:a\n";
static const char bad[] = "[servre]\n[server]\nfoo = 1\nopen_relay = x\nrecord_route = x\n[route a]\nuser = "
                          "/(/\n[route b]\n[route c]\n"
                          "action = hop\n[gateways g]\n[port a]\ndevice = d0\n" READING_LEAST;

static struct conf *load(const char *path, char messages[4096])
{
    FILE *errors = fmemopen(messages, 4096, "w");
    struct conf *conf = conf_load(path, errors);

    fclose(errors);
    return conf;
}

static void fail_each(const char *text, size_t len, bool accepted)
{
    char path[] = "/tmp/conf-test-XXXXXX", messages[4096];
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
    countdown = taken = 0;
    struct conf *conf = load(path, messages);
    assert_int_equal(conf != NULL, accepted);
    conf_free(conf);
    assert_int_equal(balance, 0);
    unsigned all = taken;
    assert_true(all > 20);
    for (unsigned i = 1; i <= all; i++) {
        memset(messages, 0, sizeof(messages));
        countdown = i;
        assert_null(load(path, messages));
        assert_int_equal(countdown, 0);
        assert_int_equal(balance, 0);
        // One message, and none that blames the file.
        assert_non_null(strstr(messages, i == 1 ? "Cannot allocate memory\n" : "no memory to read it\n"));
        assert_ptr_equal(strchr(messages, '\n'), messages + strlen(messages) - 1);
    }
    unlink(path);
}

static void test_failed_allocation_of_a_good_file(void **state)
{
    (void)state;
    fail_each(good, sizeof(good) - 1, true);
}

static void test_failed_allocation_of_a_bad_file(void **state)
{
    (void)state;
    fail_each(bad, sizeof(bad) - 1, false);
}

static void test_free_takes_null(void **state)
{
    (void)state;
    conf_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_allocation_of_a_good_file),
        cmocka_unit_test(test_failed_allocation_of_a_bad_file),
        cmocka_unit_test(test_free_takes_null),
    };
    return cmocka_run_group_tests_name("conf memory", tests, NULL, NULL);
}
