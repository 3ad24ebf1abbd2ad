// The accounting file: no line is lost, torn or doubled, whatever happens to it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/cdr.h"

enum { CALLS = 4096, TABLES = 2, START_S = 1772360102 }; // 2026-03-01T10:15:02Z

struct scene {
    char folder[64], file[96];
    struct conf conf;
    struct call_table *tables[TABLES];
    struct control_cdr *cdr;
    struct memory memory;
    unsigned fail; // take that gets nothing, from 1
    unsigned taken;
    uint64_t now_ms;
    unsigned ended; // calls, so the next one's number
};

static void *scene_take(void *owner, size_t bytes, int node)
{
    struct scene *s = owner;

    (void)node;
    return ++s->taken == s->fail ? NULL : calloc(1, bytes);
}

static void scene_give(void *owner, void *at, size_t bytes)
{
    (void)owner;
    (void)bytes;
    free(at);
}

static const char *gateway_name(void *owner, uint16_t slot)
{
    (void)owner;
    return slot == 4 ? "west \"1\"" : NULL;
}

static int scene_open(struct scene *s)
{
    struct control_cdr_setup setup = {.conf = &s->conf,
                                      .tables = s->tables,
                                      .tables_n = TABLES,
                                      .gateway = gateway_name,
                                      .owner = s,
                                      .memory = &s->memory};

    return control_cdr_open(&s->cdr, &setup);
}

// A folder of its own, and calls that nobody has written yet.
static void scene_prepare(struct scene *s, uint64_t rotate, uint16_t files)
{
    struct call_limits limits = {CALLS, 1000000, MEMORY_ANY_NODE};
    struct hash_key key = {1, 2};

    *s = (struct scene){.folder = "/tmp/strowger-cdr-XXXXXX", .now_ms = 1000};
    s->memory = (struct memory){scene_take, scene_give, s};
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->file, sizeof(s->file), "%s/cdr.json", s->folder);
    s->conf = (struct conf){.cdr_file = s->file, .cdr_rotate = rotate, .cdr_files = files};
    for (unsigned i = 0; i < TABLES; i++)
        assert_int_equal(call_table_create(&s->tables[i], &limits, &key, &s->memory), 0);
}

static void scene_begin(struct scene *s, uint64_t rotate, uint16_t files)
{
    scene_prepare(s, rotate, files);
    assert_int_equal(scene_open(s), 0);
}

static void scene_end(struct scene *s)
{
    char command[128];

    control_cdr_close(s->cdr);
    for (unsigned i = 0; i < TABLES; i++)
        call_table_destroy(s->tables[i]);
    snprintf(command, sizeof(command), "rm -r %s", s->folder);
    assert_int_equal(system(command), 0);
}

// `n` calls with the next numbers as their Call-IDs, alternating between the tables.
static void end_calls(struct scene *s, unsigned n)
{
    struct clock now = {.ms = 120, .unix_s = START_S};
    struct endpoint source = endpoint_ip4(192, 0, 2, 1, 5060);

    for (; n > 0; n--, s->ended++) {
        char id[16];
        struct slice text[CALL_TEXTS] = {slice_of(id, (size_t)snprintf(id, sizeof(id), "%06u", s->ended)),
                                         SLICE("sip:a@example.com"), SLICE("sip:b@example.com"),
                                         SLICE("sip:b@192.0.2.7")};
        struct call_table *table = s->tables[s->ended % TABLES];

        call_end(table, call_begin(table, &now, text, &source), &now, CALL_FAILED, 486);
    }
}

static void turn(struct scene *s, uint64_t ms)
{
    s->now_ms += ms;
    control_cdr_turn(s->cdr, s->now_ms);
}

// As the loop does while there is work.
static void turns(struct scene *s)
{
    while (control_cdr_turn(s->cdr, s->now_ms))
        ;
}

// The file's text, NUL-terminated, to be freed; "" when there is none. `number` 0 is the current one.
static char *text_of(const struct scene *s, unsigned number, size_t *len)
{
    char path[128];
    char *text = calloc(1, 4 << 20);

    if (number == 0)
        snprintf(path, sizeof(path), "%s", s->file);
    else
        snprintf(path, sizeof(path), "%s.%u", s->file, number);
    FILE *file = fopen(path, "r");

    *len = file != NULL ? fread(text, 1, (4 << 20) - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    return text;
}

// Checks that the file holds whole lines of calls in order from `from` on, of each table by itself. Returns
// how many.
static unsigned count_lines(const struct scene *s, unsigned number, unsigned next[TABLES])
{
    size_t len;
    char *text = text_of(s, number, &len);
    unsigned n = 0;

    for (char *at = text, *end; at < text + len; at = end + 1, n++) {
        char *id = strstr(at, "\"call_id\":\"");

        end = strchr(at, '\n');
        assert_non_null(end);
        assert_memory_equal(at, "{\"start\":", 9);
        assert_memory_equal(end - 2, "0}", 2);
        assert_true(id != NULL && id < end);
        unsigned call = (unsigned)strtoul(id + 11, NULL, 10);

        assert_int_equal(call, next[call % TABLES]);
        next[call % TABLES] += TABLES;
    }
    free(text);
    return n;
}

static unsigned lines_in(const struct scene *s, unsigned number)
{
    unsigned next[TABLES] = {0, 1};

    return count_lines(s, number, next);
}

// Calls that nobody will hear of any more.
static void test_calls_that_go_on_get_a_line_at_the_end(void **state)
{
    struct scene s;
    struct clock now = {.ms = 120, .unix_s = START_S};
    struct endpoint source = endpoint_ip4(192, 0, 2, 1, 5060);
    size_t len;
    unsigned lines = 0, stopped = 0;

    (void)state;
    scene_begin(&s, 1 << 24, 3);
    for (unsigned i = 0; i < CALLS; i++) { // more than a ring takes
        char id[16];
        struct slice text[CALL_TEXTS] = {slice_of(id, (size_t)snprintf(id, sizeof(id), "%06u", i)),
                                         SLICE("sip:a@example.com"), SLICE("sip:b@example.com"),
                                         SLICE("sip:b@192.0.2.7")};
        uint32_t slot = call_begin(s.tables[i % TABLES], &now, text, &source);
        assert_int_not_equal(slot, CALL_NONE);
        call_answered(s.tables[i % TABLES], slot, &now, 200, &source);
    }
    control_cdr_close(s.cdr);
    s.cdr = NULL;
    char *text = text_of(&s, 0, &len);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    for (const char *at = text; (at = strstr(at, "\"reason\":\"stopped\"")) != NULL; at++)
        stopped++;
    free(text);
    assert_int_equal(lines, CALLS);
    assert_int_equal(stopped, CALLS);
    scene_end(&s);
}

static void test_a_line_says_everything_of_a_call(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 1 << 20, 3);
    struct slice text[CALL_TEXTS] = {SLICE("id@host"), SLICE("sip:a@example.com"), SLICE("tel:+49123"),
                                     SLICE("sip:+49123@192.0.2.7;user=phone")};
    struct endpoint source = endpoint_ip4(192, 0, 2, 1, 5060), hop;
    struct clock begun = {.ms = 120, .unix_s = START_S}, answered = {.ms = 5481, .unix_s = START_S + 5};
    struct clock over = {.ms = 65502, .unix_s = START_S + 65};
    uint32_t slot = call_begin(s.tables[0], &begun, text, &source);
    struct call *call = call_at(s.tables[0], slot);
    size_t len;

    assert_true(endpoint_parse(SLICE("[2001:db8::9]:5070"), &hop));
    call->gateway = 4;
    strcpy(call->rule, "trunk");
    call->tries = 2;
    call_answered(s.tables[0], slot, &answered, 200, &hop);
    call_end(s.tables[0], slot, &over, CALL_COMPLETED, 0);
    turns(&s);
    char *line = text_of(&s, 0, &len);

    assert_string_equal(line,
                        "{\"start\":\"2026-03-01T10:15:02.120Z\",\"answer\":\"2026-03-01T10:15:07.481Z\","
                        "\"end\":\"2026-03-01T10:16:07.502Z\",\"duration_ms\":60021,\"code\":200,"
                        "\"reason\":\"completed\",\"call_id\":\"id@host\",\"from\":\"sip:a@example.com\","
                        "\"to\":\"tel:+49123\",\"uri\":\"sip:+49123@192.0.2.7;user=phone\","
                        "\"source\":\"192.0.2.1:5060\",\"next_hop\":\"[2001:db8::9]:5070\","
                        "\"gateway\":\"west \\\"1\\\"\",\"route\":\"trunk\",\"tries\":2}\n");
    free(line);
    scene_end(&s);
}

static void test_calls_of_all_workers_are_written(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 1 << 24, 3);
    turns(&s);
    assert_int_equal(lines_in(&s, 0), 0);
    end_calls(&s, 2000);
    turns(&s);
    assert_int_equal(lines_in(&s, 0), 2000);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 2000);
    assert_int_equal(control_cdr_counters(s.cdr)->failures, 0);
    scene_end(&s);
}

static void test_a_turn_is_bounded(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 1 << 24, 3);
    end_calls(&s, 2000);
    assert_true(control_cdr_turn(s.cdr, s.now_ms));
    assert_in_range(control_cdr_counters(s.cdr)->lines, 1, CONTROL_CDR_TURN);
    scene_end(&s);
}

static void test_what_is_there_is_appended_to(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 1 << 20, 3);
    end_calls(&s, 3);
    control_cdr_close(s.cdr); // writes what is left
    assert_int_equal(lines_in(&s, 0), 3);
    assert_int_equal(scene_open(&s), 0);
    end_calls(&s, 4);
    turns(&s);
    assert_int_equal(lines_in(&s, 0), 7);
    scene_end(&s);
}

static void test_files_rotate_and_the_oldest_goes(void **state)
{
    enum { ROTATE = 10000, FILES = 3 };
    struct scene s;
    struct stat status;
    char path[128];

    (void)state;
    scene_begin(&s, ROTATE, FILES);
    for (unsigned i = 0; i < 40; i++) {
        end_calls(&s, 5);
        turn(&s, 1);
    }
    assert_true(control_cdr_counters(s.cdr)->rotations > FILES + 1);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 200);
    // The newest lines are all there, in order, and no file is larger than it may be, nor begun needlessly.
    unsigned lines = 0, next[TABLES];

    for (unsigned number = 0; number <= FILES; number++) {
        size_t len;
        char *text = text_of(&s, number, &len);
        unsigned first = (unsigned)strtoul(strstr(text, "\"call_id\":\"") + 11, NULL, 10);

        assert_true(len <= ROTATE);
        assert_true(number == 0 || len > ROTATE - 400);
        next[first % TABLES] = first;
        next[(first + 1) % TABLES] = first + 1;
        lines += count_lines(&s, number, next);
        if (number == 0)
            assert_true(next[0] == 200 && next[1] == 201);
        free(text);
    }
    assert_true(lines > 3 * ROTATE / 400);
    snprintf(path, sizeof(path), "%s.%u", s.file, FILES + 1);
    assert_int_equal(stat(path, &status), -1);
    scene_end(&s);
}

static void test_a_file_that_was_moved_away_is_begun_anew(void **state)
{
    struct scene s;
    char moved[128];
    unsigned next[TABLES] = {0, 1};

    (void)state;
    scene_begin(&s, 1 << 20, 3);
    end_calls(&s, 10);
    turn(&s, 1);
    snprintf(moved, sizeof(moved), "%s.1", s.file);
    assert_int_equal(rename(s.file, moved), 0);
    end_calls(&s, 10); // still into the old one
    turn(&s, CONTROL_CDR_RETRY_MS / 2);
    turn(&s, CONTROL_CDR_RETRY_MS);
    end_calls(&s, 10);
    turn(&s, 1);
    assert_int_equal(count_lines(&s, 1, next), 20);
    assert_int_equal(count_lines(&s, 0, next), 10);
    assert_int_equal(control_cdr_counters(s.cdr)->reopened, 1);
    assert_int_equal(unlink(s.file), 0);
    turn(&s, CONTROL_CDR_RETRY_MS);
    end_calls(&s, 10);
    turn(&s, 1);
    assert_int_equal(count_lines(&s, 0, next), 10);
    scene_end(&s);
}

static void test_a_reload_opens_another_file(void **state)
{
    struct scene s;
    unsigned next[TABLES] = {0, 1};
    char other[128];

    (void)state;
    scene_begin(&s, 1 << 20, 3);
    end_calls(&s, 10);
    turn(&s, 1);
    snprintf(other, sizeof(other), "%s.1", s.file);
    s.conf.cdr_file = other;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    end_calls(&s, 6);
    turn(&s, 1);
    assert_int_equal(count_lines(&s, 0, next), 10);
    assert_int_equal(count_lines(&s, 1, next), 6);
    scene_end(&s);
}

static void test_a_reload_that_cannot_be_leaves_all_as_it_was(void **state)
{
    struct scene s;
    char nowhere[128], endless[5000];

    (void)state;
    scene_begin(&s, 1 << 20, 3);
    snprintf(nowhere, sizeof(nowhere), "%s/none/cdr.json", s.folder);
    s.conf.cdr_file = nowhere;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), -ENOENT);
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    s.conf.cdr_file = endless;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), -ENAMETOOLONG);
    end_calls(&s, 5);
    turn(&s, 1);
    assert_int_equal(lines_in(&s, 0), 5);
    scene_end(&s);
}

static void test_a_reload_turns_accounting_off_and_on(void **state)
{
    struct scene s;
    struct call_usage usage;
    unsigned next[TABLES] = {0, 1};

    (void)state;
    scene_begin(&s, 1 << 20, 3);
    end_calls(&s, 4);
    s.conf.cdr_file = NULL;
    turn(&s, 1);
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    end_calls(&s, 2 * CALLS); // more than all records: they come back
    for (unsigned i = 0; i < 40; i++) {
        end_calls(&s, 100);
        turns(&s);
    }
    call_usage(s.tables[0], &usage);
    assert_int_equal(usage.unfollowed, 0);
    assert_int_equal(lines_in(&s, 0), 4);
    s.conf.cdr_file = s.file;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    assert_int_equal(count_lines(&s, 0, next), 4);
    next[0] = s.ended;
    next[1] = s.ended + 1;
    end_calls(&s, 3);
    assert_int_equal(truncate(s.file, 0), 0);
    turn(&s, 1);
    assert_int_equal(count_lines(&s, 0, next), 3);
    scene_end(&s);
}

static void test_without_a_file_calls_are_taken_and_that_is_all(void **state)
{
    struct scene s;
    struct call_usage usage;

    (void)state;
    scene_prepare(&s, 1 << 20, 3);
    s.conf.cdr_file = NULL;
    assert_int_equal(scene_open(&s), 0);
    for (unsigned i = 0; i < 100; i++) {
        end_calls(&s, 100);
        turns(&s);
    }
    call_usage(s.tables[1], &usage);
    assert_int_equal(usage.unfollowed + usage.lost_lines, 0);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 0);
    scene_end(&s);
}

// /dev/full is a disk without room.
static void test_a_full_disk_delays_lines_and_loses_none_at_first(void **state)
{
    struct scene s;
    char full[] = "/dev/full";

    (void)state;
    scene_prepare(&s, 1 << 20, 3);
    s.conf.cdr_file = full;
    assert_int_equal(scene_open(&s), 0);
    end_calls(&s, 1000);
    for (unsigned i = 0; i < 100; i++)
        turn(&s, 100);
    // Once a second, not once a turn.
    assert_in_range(control_cdr_counters(s.cdr)->failures, 9, 11);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 0);
    s.conf.cdr_file = s.file;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    for (unsigned i = 0; i < 20; i++)
        turn(&s, 1);
    assert_int_equal(lines_in(&s, 0), 1000);
    scene_end(&s);
}

static void test_a_disk_that_stays_full_costs_counted_lines(void **state)
{
    struct scene s;
    struct call_usage usage[TABLES];
    char full[] = "/dev/full";

    (void)state;
    scene_prepare(&s, 1 << 20, 3);
    s.conf.cdr_file = full;
    assert_int_equal(scene_open(&s), 0);
    for (unsigned i = 0; i < 100; i++) {
        end_calls(&s, 100);
        turn(&s, 100);
    }
    call_usage(s.tables[0], &usage[0]);
    call_usage(s.tables[1], &usage[1]);
    assert_int_equal(usage[0].unfollowed + usage[1].unfollowed, 0); // calls go on
    uint64_t lost = usage[0].lost_lines + usage[1].lost_lines;

    assert_true(lost > 0);
    // Those in the buffer and in the rings find a disk again.
    s.conf.cdr_file = s.file;
    assert_int_equal(control_cdr_reload(s.cdr, &s.conf), 0);
    turns(&s);
    assert_int_equal(control_cdr_counters(s.cdr)->lines + lost, 10000);
    scene_end(&s);
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
    struct scene s;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    scene_begin(&s, 1 << 20, 3);
    limit_files(10000);
    end_calls(&s, 100);
    for (unsigned i = 0; i < 30; i++)
        turn(&s, 100);
    assert_int_equal(control_cdr_counters(s.cdr)->short_writes, 1);
    assert_true(control_cdr_counters(s.cdr)->failures > 0);
    limit_files(RLIM_INFINITY);
    for (unsigned i = 0; i < 30; i++)
        turn(&s, 100);
    assert_int_equal(lines_in(&s, 0), 100);
    assert_int_equal(control_cdr_counters(s.cdr)->lines, 100);
    scene_end(&s);
}

static void test_a_torn_line_is_written_whole_into_the_next_file(void **state)
{
    struct scene s;
    size_t len;
    char moved[128];
    unsigned next[TABLES];

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    scene_begin(&s, 1 << 20, 3);
    limit_files(10000);
    end_calls(&s, 100);
    turn(&s, 1);
    limit_files(RLIM_INFINITY);
    unsigned whole = (unsigned)control_cdr_counters(s.cdr)->lines;

    assert_in_range(whole, 10, 90);
    snprintf(moved, sizeof(moved), "%s.1", s.file);
    assert_int_equal(rename(s.file, moved), 0);
    s.now_ms += CONTROL_CDR_RETRY_MS;
    turns(&s);
    next[whole % TABLES] = whole;
    next[(whole + 1) % TABLES] = whole + 1;
    assert_int_equal(count_lines(&s, 0, next), 100 - whole);
    char *text = text_of(&s, 1, &len);

    assert_int_equal(len, 10000);
    free(text);
    scene_end(&s);
}

static void test_what_cannot_be_rotated_grows(void **state)
{
    struct scene s;
    char blocked[128];

    (void)state;
    scene_begin(&s, 5000, 1);
    snprintf(blocked, sizeof(blocked), "%s.1", s.file);
    assert_int_equal(mkdir(blocked, 0700), 0); // where the old one should go
    end_calls(&s, 100);
    turns(&s);
    assert_int_equal(lines_in(&s, 0), 100);
    assert_int_equal(control_cdr_counters(s.cdr)->failures, 1);
    assert_int_equal(control_cdr_counters(s.cdr)->rotations, 0);
    assert_int_equal(rmdir(blocked), 0);
    turn(&s, CONTROL_CDR_LOG_MS);
    end_calls(&s, 1);
    turn(&s, 1);
    assert_int_equal(control_cdr_counters(s.cdr)->rotations, 1);
    assert_int_equal(lines_in(&s, 1), 100);
    scene_end(&s);
}

static void test_what_cannot_be_opened_or_had_is_refused(void **state)
{
    struct scene s;
    char nowhere[128];

    (void)state;
    scene_prepare(&s, 1 << 20, 3);
    snprintf(nowhere, sizeof(nowhere), "%s/none/cdr.json", s.folder);
    s.conf.cdr_file = nowhere;
    assert_int_equal(scene_open(&s), -ENOENT);
    s.conf.cdr_file = s.folder;
    assert_int_equal(scene_open(&s), -EISDIR);
    s.fail = s.taken + 1;
    s.conf.cdr_file = s.file;
    assert_int_equal(scene_open(&s), -ENOMEM);
    assert_int_equal(scene_open(&s), 0);
    scene_end(&s);
    control_cdr_close(NULL);
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
        cmocka_unit_test(test_a_full_disk_delays_lines_and_loses_none_at_first),
        cmocka_unit_test(test_a_disk_that_stays_full_costs_counted_lines),
        cmocka_unit_test(test_a_short_write_is_completed),
        cmocka_unit_test(test_a_torn_line_is_written_whole_into_the_next_file),
        cmocka_unit_test(test_what_cannot_be_rotated_grows),
        cmocka_unit_test(test_what_cannot_be_opened_or_had_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
