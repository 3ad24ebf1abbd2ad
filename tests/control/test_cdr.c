// The accounting file: every call leaves a line, in files that rotate and that a reload changes.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdr_scene.h"

// Calls that nobody will hear of any more.
static void test_calls_that_go_on_get_a_line_at_the_end(void **state)
{
    struct cdr_scene s;
    struct clock now = {.ms = 120, .unix_s = CDR_SCENE_START_S};
    struct endpoint source = endpoint_ip4(192, 0, 2, 1, 5060);
    size_t len;
    unsigned lines = 0, stopped = 0;

    (void)state;
    cdr_scene_begin(&s, 1 << 24, 3);
    for (unsigned i = 0; i < CDR_SCENE_CALLS; i++) { // more than a ring takes
        char id[16];
        struct slice text[CALL_TEXTS] = {slice_of(id, (size_t)snprintf(id, sizeof(id), "%06u", i)),
                                         SLICE("sip:a@example.com"), SLICE("sip:b@example.com"),
                                         SLICE("sip:b@192.0.2.7")};
        uint32_t slot = call_begin(s.tables[i % CDR_SCENE_TABLES], &now, text, &source);
        assert_int_not_equal(slot, CALL_NONE);
        call_answered(s.tables[i % CDR_SCENE_TABLES], slot, &now, 200, &source);
    }
    control_cdr_close(s.cdr);
    s.cdr = NULL;
    char *text = cdr_scene_text(&s, 0, &len);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    for (const char *at = text; (at = strstr(at, "\"reason\":\"stopped\"")) != NULL; at++)
        stopped++;
    free(text);
    assert_int_equal(lines, CDR_SCENE_CALLS);
    assert_int_equal(stopped, CDR_SCENE_CALLS);
    cdr_scene_end(&s);
}

static void test_a_line_says_everything_of_a_call(void **state)
{
    struct cdr_scene s;

    (void)state;
    cdr_scene_begin(&s, 1 << 20, 3);
    struct slice text[CALL_TEXTS] = {SLICE("id@host"), SLICE("sip:a@example.com"), SLICE("tel:+49123"),
                                     SLICE("sip:+49123@192.0.2.7;user=phone")};
    struct endpoint source = endpoint_ip4(192, 0, 2, 1, 5060), hop;
    struct clock begun = {.ms = 120, .unix_s = CDR_SCENE_START_S},
                 answered = {.ms = 5481, .unix_s = CDR_SCENE_START_S + 5};
    struct clock over = {.ms = 65502, .unix_s = CDR_SCENE_START_S + 65};
    uint32_t slot = call_begin(s.tables[0], &begun, text, &source);
    struct call *call = call_at(s.tables[0], slot);
    size_t len;

    assert_true(endpoint_parse(SLICE("[2001:db8::9]:5070"), &hop));
    call->gateway = 4;
    strcpy(call->rule, "trunk");
    call->tries = 2;
    call_answered(s.tables[0], slot, &answered, 200, &hop);
    call_end(s.tables[0], slot, &over, CALL_COMPLETED, 0);
    cdr_scene_turns(&s);
    char *line = cdr_scene_text(&s, 0, &len);

    assert_string_equal(line,
                        "{\"start\":\"2026-03-01T10:15:02.120Z\",\"answer\":\"2026-03-01T10:15:07.481Z\","
                        "\"end\":\"2026-03-01T10:16:07.502Z\",\"duration_ms\":60021,\"code\":200,"
                        "\"reason\":\"completed\",\"call_id\":\"id@host\",\"from\":\"sip:a@example.com\","
                        "\"to\":\"tel:+49123\",\"uri\":\"sip:+49123@192.0.2.7;user=phone\","
                        "\"source\":\"192.0.2.1:5060\",\"next_hop\":\"[2001:db8::9]:5070\","
                        "\"gateway\":\"west \\\"1\\\"\",\"route\":\"trunk\",\"tries\":2}\n");
    free(line);
    cdr_scene_end(&s);
}

static void test_calls_of_all_workers_are_written(void **state)
{
    struct cdr_scene s;

    (void)state;
    cdr_scene_begin(&s, 1 << 24, 3);
    cdr_scene_turns(&s);
    assert_int_equal(cdr_scene_lines(&s, 0), 0);
    cdr_scene_end_calls(&s, 2000);
    cdr_scene_turns(&s);
    assert_int_equal(cdr_scene_lines(&s, 0), 2000);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 2000);
    assert_int_equal(control_cdr_counters(s.cdr)->failures, 0);
    cdr_scene_end(&s);
}

static void test_a_turn_is_bounded(void **state)
{
    struct cdr_scene s;

    (void)state;
    cdr_scene_begin(&s, 1 << 24, 3);
    cdr_scene_end_calls(&s, 2000);
    assert_true(control_cdr_turn(s.cdr, s.now_ms));
    assert_in_range(control_cdr_counters(s.cdr)->lines, 1, CONTROL_CDR_TURN);
    cdr_scene_end(&s);
}

static void test_what_is_there_is_appended_to(void **state)
{
    struct cdr_scene s;

    (void)state;
    cdr_scene_begin(&s, 1 << 20, 3);
    cdr_scene_end_calls(&s, 3);
    control_cdr_close(s.cdr); // writes what is left
    assert_int_equal(cdr_scene_lines(&s, 0), 3);
    assert_int_equal(cdr_scene_open(&s), 0);
    cdr_scene_end_calls(&s, 4);
    cdr_scene_turns(&s);
    assert_int_equal(cdr_scene_lines(&s, 0), 7);
    cdr_scene_end(&s);
}

static void test_files_rotate_and_the_oldest_goes(void **state)
{
    enum { ROTATE = 10000, FILES = 3 };
    struct cdr_scene s;
    struct stat status;
    char path[128];

    (void)state;
    cdr_scene_begin(&s, ROTATE, FILES);
    for (unsigned i = 0; i < 40; i++) {
        cdr_scene_end_calls(&s, 5);
        cdr_scene_turn(&s, 1);
    }
    assert_true(control_cdr_counters(s.cdr)->rotations > FILES + 1);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 200);
    // The newest lines are all there, in order, and no file is larger than it may be, nor begun needlessly.
    unsigned lines = 0, next[CDR_SCENE_TABLES];

    for (unsigned number = 0; number <= FILES; number++) {
        size_t len;
        char *text = cdr_scene_text(&s, number, &len);
        unsigned first = (unsigned)strtoul(strstr(text, "\"call_id\":\"") + 11, NULL, 10);

        assert_true(len <= ROTATE);
        assert_true(number == 0 || len > ROTATE - 400);
        next[first % CDR_SCENE_TABLES] = first;
        next[(first + 1) % CDR_SCENE_TABLES] = first + 1;
        lines += cdr_scene_count(&s, number, next);
        if (number == 0)
            assert_true(next[0] == 200 && next[1] == 201);
        free(text);
    }
    assert_true(lines > 3 * ROTATE / 400);
    snprintf(path, sizeof(path), "%s.%u", s.file, FILES + 1);
    assert_int_equal(stat(path, &status), -1);
    cdr_scene_end(&s);
}

static void test_a_file_that_was_moved_away_is_begun_anew(void **state)
{
    struct cdr_scene s;
    char moved[128];
    unsigned next[CDR_SCENE_TABLES] = {0, 1};

    (void)state;
    cdr_scene_begin(&s, 1 << 20, 3);
    cdr_scene_end_calls(&s, 10);
    cdr_scene_turn(&s, 1);
    snprintf(moved, sizeof(moved), "%s.1", s.file);
    assert_int_equal(rename(s.file, moved), 0);
    cdr_scene_end_calls(&s, 10); // still into the old one
    cdr_scene_turn(&s, CONTROL_CDR_RETRY_MS / 2);
    cdr_scene_turn(&s, CONTROL_CDR_RETRY_MS);
    cdr_scene_end_calls(&s, 10);
    cdr_scene_turn(&s, 1);
    assert_int_equal(cdr_scene_count(&s, 1, next), 20);
    assert_int_equal(cdr_scene_count(&s, 0, next), 10);
    assert_int_equal(control_cdr_counters(s.cdr)->reopened, 1);
    assert_int_equal(unlink(s.file), 0);
    cdr_scene_turn(&s, CONTROL_CDR_RETRY_MS);
    cdr_scene_end_calls(&s, 10);
    cdr_scene_turn(&s, 1);
    assert_int_equal(cdr_scene_count(&s, 0, next), 10);
    cdr_scene_end(&s);
}

static void test_a_reload_opens_another_file(void **state)
{
    struct cdr_scene s;
    unsigned next[CDR_SCENE_TABLES] = {0, 1};
    char other[128];

    (void)state;
    cdr_scene_begin(&s, 1 << 20, 3);
    cdr_scene_end_calls(&s, 10);
    cdr_scene_turn(&s, 1);
    snprintf(other, sizeof(other), "%s.1", s.file);
    s.conf.cdr_file = other;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    cdr_scene_end_calls(&s, 6);
    cdr_scene_turn(&s, 1);
    assert_int_equal(cdr_scene_count(&s, 0, next), 10);
    assert_int_equal(cdr_scene_count(&s, 1, next), 6);
    cdr_scene_end(&s);
}

static void test_a_reload_that_cannot_be_leaves_all_as_it_was(void **state)
{
    struct cdr_scene s;
    char nowhere[128], endless[5000];

    (void)state;
    cdr_scene_begin(&s, 1 << 20, 3);
    snprintf(nowhere, sizeof(nowhere), "%s/none/cdr.json", s.folder);
    s.conf.cdr_file = nowhere;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), -ENOENT);
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    s.conf.cdr_file = endless;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), -ENAMETOOLONG);
    cdr_scene_end_calls(&s, 5);
    cdr_scene_turn(&s, 1);
    assert_int_equal(cdr_scene_lines(&s, 0), 5);
    cdr_scene_end(&s);
}

static void test_a_reload_turns_accounting_off_and_on(void **state)
{
    struct cdr_scene s;
    struct call_usage usage;
    unsigned next[CDR_SCENE_TABLES] = {0, 1};

    (void)state;
    cdr_scene_begin(&s, 1 << 20, 3);
    cdr_scene_end_calls(&s, 4);
    s.conf.cdr_file = NULL;
    cdr_scene_turn(&s, 1);
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    cdr_scene_end_calls(&s, 2 * CDR_SCENE_CALLS); // more than all records: they come back
    for (unsigned i = 0; i < 40; i++) {
        cdr_scene_end_calls(&s, 100);
        cdr_scene_turns(&s);
    }
    call_usage(s.tables[0], &usage);
    assert_int_equal(usage.unfollowed, 0);
    assert_int_equal(cdr_scene_lines(&s, 0), 4);
    s.conf.cdr_file = s.file;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    assert_int_equal(cdr_scene_count(&s, 0, next), 4);
    next[0] = s.ended;
    next[1] = s.ended + 1;
    cdr_scene_end_calls(&s, 3);
    assert_int_equal(truncate(s.file, 0), 0);
    cdr_scene_turn(&s, 1);
    assert_int_equal(cdr_scene_count(&s, 0, next), 3);
    cdr_scene_end(&s);
}

static void test_without_a_file_calls_are_taken_and_that_is_all(void **state)
{
    struct cdr_scene s;
    struct call_usage usage;

    (void)state;
    cdr_scene_prepare(&s, 1 << 20, 3);
    s.conf.cdr_file = NULL;
    assert_int_equal(cdr_scene_open(&s), 0);
    for (unsigned i = 0; i < 100; i++) {
        cdr_scene_end_calls(&s, 100);
        cdr_scene_turns(&s);
    }
    call_usage(s.tables[1], &usage);
    assert_int_equal(usage.unfollowed + usage.lost_lines, 0);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 0);
    cdr_scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_that_go_on_get_a_line_at_the_end),
        cmocka_unit_test(test_a_line_says_everything_of_a_call),
        cmocka_unit_test(test_calls_of_all_workers_are_written),
        cmocka_unit_test(test_a_turn_is_bounded),
        cmocka_unit_test(test_what_is_there_is_appended_to),
        cmocka_unit_test(test_files_rotate_and_the_oldest_goes),
        cmocka_unit_test(test_a_file_that_was_moved_away_is_begun_anew),
        cmocka_unit_test(test_a_reload_opens_another_file),
        cmocka_unit_test(test_a_reload_that_cannot_be_leaves_all_as_it_was),
        cmocka_unit_test(test_a_reload_turns_accounting_off_and_on),
        cmocka_unit_test(test_without_a_file_calls_are_taken_and_that_is_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
