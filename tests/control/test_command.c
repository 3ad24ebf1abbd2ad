// The requests of operators: their framing, their pages, and what makes no sense.
#include "command_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AORS 300

static void test_status_comes_behind_the_greeting(void **state)
{
    struct commanded c;

    (void)state;
    commands_open(&c, NULL);
    int fd = commands_greet(&c);
    json_t *reply = commands_take(&c, fd, "  status  \n");
    assert_string_equal(json_string_value(json_object_get(reply, "state")), "serving");
    assert_int_equal(json_integer_value(json_object_get(reply, "workers")), 1);
    assert_null(json_object_get(reply, "more"));
    json_decref(reply);
    close(fd);
    commands_close(&c);
}

static void test_what_makes_no_sense_is_refused_and_the_client_stays(void **state)
{
    static char words[] = "a a a a a a a a a a a a a a a a a", too_long[5000];
    const struct {
        const char *request;
        size_t len;
        const char *words;
    } cases[] = {
        {"dance", 5, "no such request: \"dance\"; there are: status, "},
        {"status now", 10, "expected: status"},
        {"binding", 7, "no such request"},
        {"binding add a", 13, "expected: binding add AOR CONTACT [SECONDS]"},
        {" ", 1, "1 to 16 words"},
        {"\n", 1, "1 to 16 words"},
        {"\0", 1, "printable"},
        {"log\tinfo", 8, "printable"},
        {"st\x7ftus", 6, "printable"},
        {words, sizeof(words) - 1, "1 to 16 words"},
        {too_long, sizeof(too_long), "at most 4096 bytes"},
        {"log loud", 8, "no level"},
        {"drain deadline=0", 16, "expected deadline=SECONDS"},
        {"drain deadline=", 15, "expected deadline=SECONDS"},
        {"drain until=5", 13, "expected deadline=SECONDS"},
        {"drain redirect=a..b:x", 21, "is no HOST"},
        {"registrations \xff\xfe", 16, "no location table"}, // there is no policy to know its domains by
        {"policy x", 8, "expected: policy [routes]"},
        {"reload", 6, "nothing to reload"},
        {"user add a,b,c", 14, "neither an [auth] nor [store]"},
        {"user import x", 13, "neither an [auth] nor [store]"},
        {"user list", 9, "cannot be listed"},
    };
    struct commanded c;

    (void)state;
    memset(too_long, 'a', sizeof(too_long));
    commands_open(&c, NULL);
    int fd = commands_greet(&c);
    for (unsigned i = 0; i < RTE_DIM(cases); i++)
        commands_refuse(&c, fd, cases[i].request, cases[i].len, cases[i].words);
    assert_int_equal(commands_counters(&c)->requests, RTE_DIM(cases));
    json_decref(commands_take(&c, fd, "status"));
    close(fd);
    commands_close(&c);
}

static json_t *gather(struct commanded *c, int fd, const char *request, unsigned *pages)
{
    json_t *rows = json_array(), *reply = commands_take(c, fd, request);

    for (*pages = 1;; ++*pages) {
        bool more = json_is_true(json_object_get(reply, "more"));
        json_array_extend(rows, json_object_get(reply, "rows"));
        json_decref(reply);
        if (!more)
            return rows;
        reply = commands_hear(c, fd);
        assert_true(json_is_true(json_object_get(reply, "ok")));
    }
}

static void test_what_does_not_fit_a_page_goes_on_in_the_next(void **state)
{
    char *printed = NULL, *rest = NULL;
    struct commanded c;
    unsigned pages;
    size_t len, i = 0;

    (void)state;
    commands_open(&c, NULL);
    int fd = commands_greet(&c);
    json_t *rows = gather(&c, fd, "policy routes", &pages);
    assert_true(pages > 1);
    FILE *out = open_memstream(&printed, &len);
    conf_print_routes(c.scene.conf, out);
    fclose(out);
    for (char *line = strtok_r(printed, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        assert_string_equal(json_string_value(json_array_get(rows, i++)), line);
    assert_int_equal(json_array_size(rows), i);
    json_decref(rows);
    free(printed);
    close(fd);
    commands_close(&c);
}

static void put(const struct commanded *c, const char *aor, struct slice contact)
{
    const struct location_binding binding = {.contact = contact,
                                             .call_id = SLICE("id\"\\\x01\xff"),
                                             .path = {"", 0},
                                             .expires_ms = fixture_ms() + 60000,
                                             .q = 1000};

    assert_int_equal(location_put(c->location, location_key(c->location, slice_text(aor)), slice_text(aor),
                                  &binding, 1, fixture_ms()),
                     0);
}

static void test_every_registration_comes_once_whatever_its_bytes(void **state)
{
    static char wide[8000];
    bool seen[AORS] = {false};
    struct commanded c;
    char aor[64];
    unsigned pages, number;
    const json_t *row;
    size_t i;

    (void)state;
    commands_open(&c, NULL);
    for (unsigned n = 0; n < AORS; n++) {
        snprintf(aor, sizeof(aor), "u%u@example.com", n);
        put(&c, aor, SLICE("sip:\"\\\x02\xc3(@192.0.2.1"));
    }
    memset(wide, 1, sizeof(wide)); // each byte is written as six
    put(&c, "u0@example.com", slice_of(wide, sizeof(wide)));
    int fd = commands_greet(&c);
    json_t *rows = gather(&c, fd, "registrations", &pages);
    assert_true(pages > 2);
    assert_int_equal(json_array_size(rows), AORS);
    json_array_foreach(rows, i, row)
    {
        assert_int_equal(sscanf(json_string_value(json_object_get(row, "aor")), "u%u@", &number), 1);
        assert_in_range(number, 0, AORS - 1);
        assert_false(seen[number]);
        seen[number] = true;
        assert_in_range(json_integer_value(json_object_get(row, "expires_s")), 50, 60);
    }
    json_decref(rows);
    close(fd);
    commands_close(&c);
}

// even let it connect.
// More than a client should send along; none of them stays.
static bool has_stopped(const struct scene *scene)
{
    return scene->stops == 1 && atomic_load(&scene->control->stopping);
}

static void test_drain_reaches_the_workers_and_ends_the_loop_when_idle(void **state)
{
    struct commanded c;

    (void)state;
    commands_open(&c, NULL);
    int fd = commands_greet(&c);
    // A worker that has not passed a turn: nothing ends before it knows.
    assert_int_equal(rte_rcu_qsbr_thread_register(c.qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(c.qsbr, 0);
    json_t *reply = commands_take(&c, fd, "drain redirect=sip2.example.com:5070 deadline=3600");
    assert_string_equal(json_string_value(json_object_get(reply, "state")), "draining");
    assert_string_equal(json_string_value(json_object_get(reply, "redirect")), "sip2.example.com:5070");
    assert_in_range(json_integer_value(json_object_get(reply, "deadline_s")), 3590, 3600);
    json_decref(reply);
    const struct service_drain *order = c.scene.worker->drain;
    assert_non_null(order);
    assert_memory_equal(order->peer, "sip2.example.com:5070", order->peer_len);
    commands_refuse(&c, fd, "drain", 5, "try again");
    rte_rcu_qsbr_quiescent(c.qsbr, 0);
    json_decref(commands_take(&c, fd, "undrain"));
    assert_null(c.scene.worker->drain);
    assert_false(scene_turn_until(&c.scene, has_stopped, 200));
    rte_rcu_qsbr_quiescent(c.qsbr, 0);
    json_decref(commands_take(&c, fd, "drain"));
    assert_int_equal(c.scene.worker->drain->peer_len, 0);
    assert_false(scene_turn_until(&c.scene, has_stopped, 200));
    rte_rcu_qsbr_quiescent(c.qsbr, 0);
    assert_true(scene_turn_until(&c.scene, has_stopped, 2000));
    rte_rcu_qsbr_thread_offline(c.qsbr, 0);
    close(fd);
    commands_close(&c);
}

static void test_an_answer_that_nobody_waits_for_is_freed(void **state)
{
    static const char *const answers[] = {
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
        "<sip:a@b>;tag=2\r\n"
        "Call-ID: 1234@operator.invalid\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: zz zz\r\n\r\n",
        "nonsense",
        "",
    };
    struct commanded c;

    (void)state;
    commands_open(&c, NULL);
    for (unsigned i = 0; i < RTE_DIM(answers); i++)
        scene_punt(&c.scene, fixture_frame(c.scene.pool, answers[i], strlen(answers[i])), PACKET_ANSWER,
                   NULL);
    while (!rte_ring_empty(c.scene.worker->punt))
        control_turn(c.scene.control);
    commands_close(&c); // which counts the buffers
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_comes_behind_the_greeting),
        cmocka_unit_test(test_what_makes_no_sense_is_refused_and_the_client_stays),
        cmocka_unit_test(test_what_does_not_fit_a_page_goes_on_in_the_next),
        cmocka_unit_test(test_every_registration_comes_once_whatever_its_bytes),
        cmocka_unit_test(test_drain_reaches_the_workers_and_ends_the_loop_when_idle),
        cmocka_unit_test(test_an_answer_that_nobody_waits_for_is_freed),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
