// Open files run out: nobody else suffers, and nothing spins.
#include <sys/resource.h>
#include <unistd.h>

#include "box.h"

#define ONE BOX_OPTIONS("1", "", "Content-Length: 0\r\n")

static struct box box;
static int taken[4096];
static unsigned taken_n;

static int setup(void **state)
{
    struct rlimit limit;

    (void)state;
    box_make(&box);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    box_start(&box, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void take_all_but(unsigned n)
{
    while ((taken[taken_n] = dup(0)) >= 0)
        taken_n++;
    for (; n > 0; n--)
        close(taken[--taken_n]);
}

static void give_all(void)
{
    while (taken_n > 0)
        close(taken[--taken_n]);
}

static void test_the_bound_is_raised_to_what_is_needed(void **state)
{
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur > box.conf.connections_max + 100);
}

static void test_who_knocks_without_files_is_turned_away(void **state)
{
    int known = box_connect(&box, BOX_TCP);

    (void)state;
    box_until(&box, box_connections(&box) == 1);
    take_all_but(2);
    int first = box_connect(&box, BOX_TCP), second = box_connect(&box, BOX_TCP);
    box_hears_end(&box, first);
    box_hears_end(&box, second);
    assert_int_equal(box_ended(&box, STREAM_END_CROWDED), 2);
    box_say_text(known, ONE);
    box_took(&box, 1, (const char *const[]){ONE});
    give_all();
    close(first);
    close(second);
    int third = box_connect(&box, BOX_TCP);
    box_until(&box, box_connections(&box) == 2);
    close(third);
    close(known);
}

// Not even the reserve is there: listening pauses, and the loop does not turn for nothing.
static void test_without_a_reserve_listening_pauses(void **state)
{
    (void)state;
    box_turn(&box);
    close(box.stream->reserve);
    box.stream->reserve = -1;
    take_all_but(1);
    int peer = box_connect(&box, BOX_TCP);
    box_until(&box, box.stream->paused_ms != 0);
    assert_int_equal(event_base_get_num_events(box.base, EVENT_BASE_COUNT_ADDED), 0);
    box_pass(&box, 200); // still none: it pauses again, or it had none to try
    give_all();
    box_pass(&box, 200);
    box_until(&box, box.stream->paused_ms == 0 && box_connections(&box) == 1);
    assert_true(box.stream->reserve >= 0);
    box_say_text(peer, ONE);
    box_took(&box, 1, (const char *const[]){ONE});
    close(peer);
}

static void test_no_file_for_a_connection_to_somebody(void **state)
{
    struct endpoint to;
    int listening = box_listen(&box, 50, &to);

    (void)state;
    take_all_but(0);
    box_send(&box, ONE, &to, BOX_TCP);
    assert_int_equal(box.unsent_n, 1);
    assert_int_equal(box_ended(&box, STREAM_END_CROWDED), 1);
    give_all();
    close(listening);
}

int main(void)
{
#define STARTED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        STARTED(test_the_bound_is_raised_to_what_is_needed),
        STARTED(test_who_knocks_without_files_is_turned_away),
        STARTED(test_without_a_reserve_listening_pauses),
        STARTED(test_no_file_for_a_connection_to_somebody),
    };

    return cmocka_run_group_tests(tests, box_eal, box_eal_end);
}
