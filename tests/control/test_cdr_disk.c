// The accounting file on disks that fail: no line is torn or doubled, and none is lost uncounted.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdr_scene.h"

// /dev/full is a disk without room.
static void test_a_full_disk_delays_lines_and_loses_none_at_first(void **state)
{
    struct cdr_scene s;
    char full[] = "/dev/full";

    (void)state;
    cdr_scene_prepare(&s, 1 << 20, 3);
    s.conf.cdr_file = full;
    assert_int_equal(cdr_scene_open(&s), 0);
    cdr_scene_end_calls(&s, 1000);
    for (unsigned i = 0; i < 100; i++)
        cdr_scene_turn(&s, 100);
    // Once a second, not once a turn.
    assert_in_range(control_cdr_counters(s.cdr)->failures, 9, 11);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 0);
    s.conf.cdr_file = s.file;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    for (unsigned i = 0; i < 20; i++)
        cdr_scene_turn(&s, 1);
    assert_int_equal(cdr_scene_lines(&s, 0), 1000);
    cdr_scene_end(&s);
}

static void test_a_disk_that_stays_full_costs_counted_lines(void **state)
{
    struct cdr_scene s;
    struct call_usage usage[CDR_SCENE_TABLES];
    char full[] = "/dev/full";

    (void)state;
    cdr_scene_prepare(&s, 1 << 20, 3);
    s.conf.cdr_file = full;
    assert_int_equal(cdr_scene_open(&s), 0);
    for (unsigned i = 0; i < 100; i++) {
        cdr_scene_end_calls(&s, 100);
        cdr_scene_turn(&s, 100);
    }
    call_usage(s.tables[0], &usage[0]);
    call_usage(s.tables[1], &usage[1]);
    assert_int_equal(usage[0].unfollowed + usage[1].unfollowed, 0); // calls go on
    uint64_t lost = usage[0].lost_lines + usage[1].lost_lines;

    assert_true(lost > 0);
    // Those in the buffer and in the rings find a disk again.
    s.conf.cdr_file = s.file;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    cdr_scene_turns(&s);
    assert_int_equal(control_cdr_counters(s.cdr)->lines + lost, 10000);
    cdr_scene_end(&s);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// Where a process may write no more the kernel takes a part of what it is given, then nothing.
static void test_a_short_write_is_completed(void **state)
{
    struct cdr_scene s;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    cdr_scene_begin(&s, 1 << 20, 3);
    limit_files(10000);
    cdr_scene_end_calls(&s, 100);
    for (unsigned i = 0; i < 30; i++)
        cdr_scene_turn(&s, 100);
    assert_int_equal(control_cdr_counters(s.cdr)->short_writes, 1);
    assert_true(control_cdr_counters(s.cdr)->failures > 0);
    limit_files(RLIM_INFINITY);
    for (unsigned i = 0; i < 30; i++)
        cdr_scene_turn(&s, 100);
    assert_int_equal(cdr_scene_lines(&s, 0), 100);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 100);
    cdr_scene_end(&s);
}

static void test_a_torn_line_is_written_whole_into_the_next_file(void **state)
{
    struct cdr_scene s;
    size_t len;
    char moved[128];
    unsigned next[CDR_SCENE_TABLES];

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    cdr_scene_begin(&s, 1 << 20, 3);
    limit_files(10000);
    cdr_scene_end_calls(&s, 100);
    cdr_scene_turn(&s, 1);
    limit_files(RLIM_INFINITY);
    unsigned whole = (unsigned)control_cdr_counters(s.cdr)->lines;

    assert_in_range(whole, 10, 90);
    snprintf(moved, sizeof(moved), "%s.1", s.file);
    assert_int_equal(rename(s.file, moved), 0);
    s.now_ms += CONTROL_CDR_RETRY_MS;
    cdr_scene_turns(&s);
    next[whole % CDR_SCENE_TABLES] = whole;
    next[(whole + 1) % CDR_SCENE_TABLES] = whole + 1;
    assert_int_equal(cdr_scene_count(&s, 0, next), 100 - whole);
    char *text = cdr_scene_text(&s, 1, &len);

    assert_int_equal(len, 10000);
    free(text);
    cdr_scene_end(&s);
}

static void test_what_cannot_be_rotated_grows(void **state)
{
    struct cdr_scene s;
    char blocked[128];

    (void)state;
    cdr_scene_begin(&s, 5000, 1);
    snprintf(blocked, sizeof(blocked), "%s.1", s.file);
    assert_int_equal(mkdir(blocked, 0700), 0); // where the old one should go
    cdr_scene_end_calls(&s, 100);
    cdr_scene_turns(&s);
    assert_int_equal(cdr_scene_lines(&s, 0), 100);
    assert_int_equal(control_cdr_counters(s.cdr)->failures, 1);
    assert_int_equal(control_cdr_counters(s.cdr)->rotations, 0);
    assert_int_equal(rmdir(blocked), 0);
    cdr_scene_turn(&s, CONTROL_CDR_LOG_MS);
    cdr_scene_end_calls(&s, 1);
    cdr_scene_turn(&s, 1);
    assert_int_equal(control_cdr_counters(s.cdr)->rotations, 1);
    assert_int_equal(cdr_scene_lines(&s, 1), 100);
    cdr_scene_end(&s);
}

static void test_what_cannot_be_opened_or_had_is_refused(void **state)
{
    struct cdr_scene s;
    char nowhere[128];

    (void)state;
    cdr_scene_prepare(&s, 1 << 20, 3);
    snprintf(nowhere, sizeof(nowhere), "%s/none/cdr.json", s.folder);
    s.conf.cdr_file = nowhere;
    assert_int_equal(cdr_scene_open(&s), -ENOENT);
    s.conf.cdr_file = s.folder;
    assert_int_equal(cdr_scene_open(&s), -EISDIR);
    s.fail = s.taken + 1;
    s.conf.cdr_file = s.file;
    assert_int_equal(cdr_scene_open(&s), -ENOMEM);
    assert_int_equal(cdr_scene_open(&s), 0);
    cdr_scene_end(&s);
    control_cdr_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_disk_delays_lines_and_loses_none_at_first),
        cmocka_unit_test(test_a_disk_that_stays_full_costs_counted_lines),
        cmocka_unit_test(test_a_short_write_is_completed),
        cmocka_unit_test(test_a_torn_line_is_written_whole_into_the_next_file),
        cmocka_unit_test(test_what_cannot_be_rotated_grows),
        cmocka_unit_test(test_what_cannot_be_opened_or_had_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
