// A worker that ends calls and a control that takes them, at once: every record arrives whole, or is counted
// as lost.
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CALLS = 200000 };

struct control {
    struct fixture *f;
    atomic_bool worker_done;
    uint64_t taken;
    bool torn;
    uint64_t last; // the number of the last one: they arrive in order
};

static void *control_run(void *argument)
{
    struct control *control = argument;

    for (bool done = false; !done;) {
        const struct call *call;

        // What ended before it was done is in the ring by now.
        done = atomic_load(&control->worker_done);
        while ((call = call_take(control->f->table)) != NULL) {
            struct slice id = call_text(call, CALL_CALL_ID), uri = call_text(call, CALL_URI);
            uint64_t number = strtoull(id.at + 5, NULL, 10);

            // Both texts and the rest are of one call.
            control->torn |= !slice_equal(uri, SLICE("sip:b@z")) || call->code != 400 + number % 200 ||
                             call->end != CALL_FAILED || (control->taken > 0 && number <= control->last);
            control->last = number;
            control->taken++;
            call_written(control->f->table, call);
        }
        sched_yield();
    }
    return NULL;
}

static void test_no_record_is_torn_or_forgotten(void **state)
{
    struct fixture f;
    struct control control = {.f = &f};
    pthread_t thread;

    (void)state;
    fixture_open(&f, 256);
    assert_int_equal(pthread_create(&thread, NULL, control_run, &control), 0);
    for (unsigned i = 0; i < CALLS; i++) {
        uint32_t slot = fixture_begin(&f, i);

        if (slot == CALL_NONE)
            sched_yield();
        call_end(f.table, slot, &f.now, CALL_FAILED, (uint16_t)(400 + i % 200));
        if (i % 64 == 0)
            sched_yield();
    }
    atomic_store(&control.worker_done, true);
    pthread_join(thread, NULL);
    struct call_usage usage = fixture_usage(&f);

    assert_false(control.torn);
    assert_int_equal(control.taken + usage.lost_lines, usage.begun);
    assert_int_equal(usage.begun + usage.unfollowed, CALLS);
    assert_true(control.taken > CALLS / 100);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_record_is_torn_or_forgotten)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
