// A REGISTER's way to the disk and back through the loop, the store played by memory and the writer by hand: who waits,
// what becomes of him when the store fails, and what is in the table and in the store afterwards.
#include "phones.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/commit.h"
#include "control/load.h"
#include "location/location.h"
#include "registrar/stored.h"

#define INI(durability) \
    PHONES_INI          \
    "kept_max = 1024\n[registrar]\nexpires_min = 1\n[store]\nqueue_max = 64\ndurability = " durability "\n"

static struct store *store;
static unsigned cseq;

static void open_with(const char *ini)
{
    const struct endpoint caller = CALLER;

    assert_int_equal(store_open_memory(&store), 0);
    rig_start_with(&rig, ini, 1, store);
    rig_link(&rig, 0);
    rig_neighbour(&rig, 0, &caller);
    rig_turn(&rig);
    rig_hold_clock(&rig);
}

static int open_commit(void **state)
{
    (void)state;
    open_with(INI("commit"));
    return 0;
}

static int open_relaxed(void **state)
{
    (void)state;
    open_with(INI("relaxed"));
    return 0;
}

static int open_none(void **state)
{
    (void)state;
    open_with(INI("none"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    phones_close();
    return 0;
}

// A REGISTER of bob's; `contact` NULL: none is given.
static void send_register(const char *user, const char *contact, unsigned expires, unsigned number)
{
    struct endpoint caller = CALLER;
    char text[2048], line[256] = "";

    if (contact != NULL)
        snprintf(line, sizeof(line), "Contact: <sip:%s@198.18.0.10:%s>\r\nExpires: %u\r\n", user, contact,
                 expires);
    snprintf(text, sizeof(text),
             "REGISTER sip:example.com SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 198.18.0.10:5060;branch=z9hG4bK%s%u\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:%s@example.com>;tag=f\r\nTo: <sip:%s@example.com>\r\n"
             "Call-ID: %s\r\nCSeq: %u REGISTER\r\n%sContent-Length: 0\r\n\r\n",
             user, number, user, user, user, number, line);
    phones_say(&caller, text);
}

static void phone_register(const char *contact, unsigned expires)
{
    send_register("bob", contact, expires, ++cseq);
}

// The writer has a look, and the workers hear of it.
static unsigned look(uint64_t now_ms)
{
    unsigned settled = control_commit_turn(rig.strowger.commit, now_ms);

    rig_turn(&rig);
    return settled;
}

static void expect(const char *begins)
{
    struct endpoint caller = CALLER;

    phones_expect(&caller, begins);
}

// The ports of bob's contacts in the table, as "5061 5062 ".
static void expect_table(const char *wanted)
{
    struct location *location = rig.strowger.location;
    const struct location_set *set =
        location_find(location, location_key(location, SLICE("bob@example.com")));
    struct location_binding binding;
    unsigned position = 0;
    char found[256] = "";

    while (set != NULL && location_next(set, rig.strowger.workers[0]->now.ms, &position, &binding))
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.4s ",
                 binding.contact.at + binding.contact.len - 4);
    assert_string_equal(found, wanted);
}

// The same in the store.
static void expect_store(const char *wanted)
{
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    char value[4096], found[256] = "";
    unsigned n = 0;
    int len = store_get(store, STORE_BINDINGS, SLICE("bob@example.com"), value, sizeof(value));

    assert_true(len >= 0);
    if (len > 0)
        assert_true(registrar_stored_read(rig.conf, &rig.strowger.workers[0]->now,
                                          slice_of(value, (size_t)len), bindings, &n));
    for (unsigned i = 0; i < n; i++)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.4s ",
                 bindings[i].contact.at + bindings[i].contact.len - 4);
    assert_string_equal(found, wanted);
}

static uint64_t sum_restored(void)
{
    uint64_t sum = 0;

    for (unsigned id = 0; id < rig.strowger.workers_n; id++)
        sum += rig.strowger.journals[id]->restored;
    return sum;
}

static void test_answer_waits_until_it_is_on_the_disk(void **state)
{
    (void)state;
    phone_register("5061", 600);
    phones_expect_nothing();
    expect_table("5061 ");
    expect_store("");
    assert_int_equal(look(1000), 1);
    expect("SIP/2.0 200 OK\r\n");
    assert_non_null(strstr(phones_text, "Contact: <sip:bob@198.18.0.10:5061>;expires=600"));
    expect_store("5061 ");
    phones_expect_nothing();
}

static void test_answers_leave_in_their_order_and_one_write_serves_all(void **state)
{
    (void)state;
    phone_register("5061", 600);
    phone_register("5062", 600);
    phone_register("5061", 0);
    assert_int_equal(look(1000), 3);
    expect("SIP/2.0 200 OK\r\n");
    assert_null(strstr(phones_text, "5062"));
    expect("SIP/2.0 200 OK\r\n");
    assert_non_null(strstr(phones_text, "5062"));
    expect("SIP/2.0 200 OK\r\n");
    assert_null(strstr(phones_text, "5061>"));
    expect_table("5062 ");
    expect_store("5062 ");
    assert_int_equal(control_commit_counters(rig.strowger.commit)->batches, 1);
}

static void test_last_contact_removed_leaves_nothing_in_the_store(void **state)
{
    (void)state;
    phone_register("5061", 600);
    look(1000);
    phone_register("5061", 0);
    expect("SIP/2.0 200 OK\r\n");
    phones_expect_nothing();
    look(1001);
    expect("SIP/2.0 200 OK\r\n");
    expect_table("");
    expect_store("");
}

static void test_retransmission_does_not_overtake_the_disk(void **state)
{
    (void)state;
    send_register("bob", "5061", 600, 7);
    send_register("bob", "5061", 600, 7);
    send_register("bob", NULL, 0, 8);
    phones_expect_nothing();
    assert_int_equal(look(1000), 3);
    for (unsigned i = 0; i < 3; i++)
        expect("SIP/2.0 200 OK\r\n");
    // with nothing under way nobody waits for what is there already
    send_register("bob", NULL, 0, 9);
    expect("SIP/2.0 200 OK\r\n");
}

// What is there is answered as it was, whatever had been made of it since.
static void test_failed_write_is_undone_and_answered_503(void **state)
{
    (void)state;
    phone_register("5061", 600);
    look(1000);
    expect("SIP/2.0 200 OK\r\n");
    store_memory_fail(store, -ENOSPC);
    phone_register("5062", 600);
    phone_register("5061", 0);
    phone_register("5063", 600);
    expect_table("5063 5062 ");
    look(1100);
    for (unsigned i = 0; i < 3; i++) {
        expect("SIP/2.0 503 Registration Not Stored\r\nRetry-After: ");
        assert_null(strstr(phones_text, "Contact"));
        assert_null(strstr(phones_text, "Date"));
        assert_non_null(strstr(phones_text, "Content-Length: 0\r\n\r\n"));
    }
    expect_table("5061 ");
    expect_store("5061 ");
    assert_int_equal(sum_restored(), 3);
    assert_true(control_commit_failing(rig.strowger.commit));
    // from now on nothing is begun
    phone_register("5064", 600);
    expect("SIP/2.0 503 Registrations Cannot Be Stored Now\r\n");
    assert_non_null(strstr(phones_text, "Retry-After: "));
    expect_table("5061 ");
}

static void test_what_was_new_is_gone_again(void **state)
{
    (void)state;
    store_memory_fail(store, -EIO);
    phone_register("5061", 600);
    expect_table("5061 ");
    look(1000);
    expect("SIP/2.0 503 ");
    expect_table("");
}

static void test_recovers_by_itself(void **state)
{
    (void)state;
    store_memory_fail(store, -ENOSPC);
    phone_register("5061", 600);
    look(1000);
    expect("SIP/2.0 503 ");
    store_memory_fail(store, 0);
    look(1000 + CONTROL_COMMIT_RETRY_MS - 1);
    assert_true(control_commit_failing(rig.strowger.commit));
    look(1000 + CONTROL_COMMIT_RETRY_MS);
    assert_false(control_commit_failing(rig.strowger.commit));
    phone_register("5061", 600);
    look(2000);
    expect("SIP/2.0 200 OK\r\n");
    expect_store("5061 ");
}

// A worker that has not seen the gate, nor undone what was refused, may still build on it.
static void test_stays_shut_until_every_worker_has_undone(void **state)
{
    (void)state;
    store_memory_fail(store, -ENOSPC);
    phone_register("5061", 600);
    control_commit_turn(rig.strowger.commit, 1000);
    store_memory_fail(store, 0);
    control_commit_turn(rig.strowger.commit, 5000);
    assert_true(control_commit_failing(rig.strowger.commit));
    rig_turn(&rig);
    expect("SIP/2.0 503 ");
    expect_table("");
    look(5000);
    assert_false(control_commit_failing(rig.strowger.commit));
}

static void test_full_queue_is_answered_503_before_anything_changes(void **state)
{
    unsigned accepted = 0;
    char user[16];

    (void)state;
    for (unsigned i = 0; i < 80; i++) {
        snprintf(user, sizeof(user), "u%u", i);
        send_register(user, "5061", 600, 1);
        struct endpoint source, destination;
        if (!rig_sent_datagram(&rig, 0, &source, &destination, phones_text, sizeof(phones_text)))
            accepted++;
        else
            assert_non_null(strstr(phones_text, "SIP/2.0 503 Registrations Cannot Be Stored Now\r\n"));
    }
    assert_in_range(accepted, 40, 64); // half of the queue for each worker, and users fall as they fall
    look(1000);
    for (unsigned i = 0; i < accepted; i++)
        expect("SIP/2.0 200 OK\r\n");
    phones_expect_nothing();
    send_register("one-more", "5061", 600, 1);
    look(1000);
    expect("SIP/2.0 200 OK\r\n");
}

static void test_write_that_hangs_turns_registrations_away(void **state)
{
    uint64_t now_ms = rig.strowger.workers[0]->now.ms;

    (void)state;
    // The clock goes on meanwhile.
    atomic_store(&rig.strowger.gate.busy_ms, now_ms - JOURNAL_SLOW_MS / 2);
    phone_register("5061", 600);
    phones_expect_nothing();
    atomic_store(&rig.strowger.gate.busy_ms, now_ms - JOURNAL_SLOW_MS - 1);
    phone_register("5062", 600);
    expect("SIP/2.0 503 ");
    atomic_store(&rig.strowger.gate.busy_ms, 0);
    look(1000);
    expect("SIP/2.0 200 OK\r\n");
    expect_table("5061 ");
}

static void test_ring_of_records_goes_round(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        phone_register(i % 2 ? "5061" : "5062", i % 3 == 0 ? 0 : 600);
        if (i % 7 == 0 || i % 11 == 10)
            look(1000);
        struct endpoint source, destination;
        while (rig_sent_datagram(&rig, 0, &source, &destination, phones_text, sizeof(phones_text)))
            assert_non_null(strstr(phones_text, "SIP/2.0 200 OK\r\n"));
    }
    look(1000);
    char wanted[64] = "";
    struct location *location = rig.strowger.location;
    const struct location_set *set =
        location_find(location, location_key(location, SLICE("bob@example.com")));
    struct location_binding binding;
    unsigned position = 0;
    while (set != NULL && location_next(set, rig.strowger.workers[0]->now.ms, &position, &binding))
        snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%.4s ",
                 binding.contact.at + binding.contact.len - 4);
    expect_store(wanted);
}

static void test_ending_writes_what_waits_and_frees_its_answers(void **state)
{
    (void)state;
    phone_register("5061", 600);
    rig_drain(&rig); // rig_stop finds every buffer, or fails
}

static void test_relaxed_answers_at_once_and_tries_until_it_is_written(void **state)
{
    (void)state;
    phone_register("5061", 600);
    expect("SIP/2.0 200 OK\r\n");
    store_memory_fail(store, -ENOSPC);
    look(1000);
    expect_store("");
    expect_table("5061 ");
    phone_register("5062", 600);
    expect("SIP/2.0 503 ");
    store_memory_fail(store, 0);
    look(1000 + CONTROL_COMMIT_RETRY_MS);
    expect_store("5061 ");
    phone_register("5062", 600);
    expect("SIP/2.0 200 OK\r\n");
    look(2000);
    expect_store("5062 5061 ");
}

static void test_none_never_turns_anybody_away(void **state)
{
    char user[16];

    (void)state;
    store_memory_fail(store, -EIO);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(user, sizeof(user), "u%u", i);
        send_register(user, "5061", 600, 1);
        expect("SIP/2.0 200 OK\r\n");
        look(1000 + 1000 * i);
    }
    uint64_t skipped = 0;
    for (unsigned id = 0; id < rig.strowger.workers_n; id++)
        skipped += rig.strowger.journals[id]->skipped;
    assert_true(skipped > 100);
}

static void test_loaded_bindings_are_where_their_worker_looks(void **state)
{
    struct control_load loaded;
    struct worker *worker = rig.strowger.workers[0];

    (void)state;
    phone_register("5061", 600);
    send_register("alice", "5070", 600, 1);
    send_register("carol", "5071", 5, 1);
    look(1000);
    // another table, of another number of workers, later
    struct location *location;
    struct hash_key key = {9, 9};
    struct location_limits limits = {.shards = 3, .bindings = 100};
    struct clock later = {5000, worker->now.unix_s + 100};
    assert_int_equal(location_create(&location, &limits, &key, rig.strowger.qsbr, &memory_system), 0);
    assert_int_equal(control_load(store, location, 3, rig.conf, &later, &loaded, stderr), 0);
    assert_int_equal(loaded.aors, 2);
    assert_int_equal(loaded.dead, 1);
    const struct location_set *set =
        location_find(location, location_key(location, SLICE("bob@example.com")));
    struct location_binding binding;
    unsigned position = 0;
    assert_non_null(set);
    assert_true(location_next(set, later.ms, &position, &binding));
    assert_in_range(binding.expires_ms, later.ms + 499000, later.ms + 501000);
    assert_true(slice_equal(binding.contact, SLICE("sip:bob@198.18.0.10:5061")));
    assert_true(slice_equal(binding.call_id, SLICE("bob")));
    assert_int_equal(binding.received.port, 5061);
    location_destroy(location);
    // what died leaves the store, too
    assert_int_equal(control_commit_counters(rig.strowger.commit)->swept, 0);
}

// Whoever gets the same address and port after the restart is somebody else.
static void test_flows_of_a_process_that_is_no_more_lead_nowhere(void **state)
{
    const struct worker *worker = rig.strowger.workers[0];
    struct location *location = rig.strowger.location;
    struct location_binding binding = {.contact = SLICE("sip:tess@tess.invalid;transport=tls"),
                                       .call_id = SLICE("tess"),
                                       .received = endpoint_ip4(198, 18, 0, 10, 40000),
                                       .expires_ms = worker->now.ms + 600000};
    struct control_load loaded;
    unsigned position = 0;
    char value[1024];

    (void)state;
    binding.received.transport = ENDPOINT_TLS;
    binding.received.flow = 7;
    uint32_t len = registrar_stored_write(rig.conf, &worker->now, &binding, 1, value);
    const struct store_change change = {STORE_BINDINGS, SLICE("tess@example.com"), slice_of(value, len)};
    assert_int_equal(store_apply(store, &change, 1, true), 0);
    assert_int_equal(
        control_load(store, location, rig.strowger.workers_n, rig.conf, &worker->now, &loaded, stderr), 0);
    const struct location_set *set =
        location_find(location, location_key(location, SLICE("tess@example.com")));
    assert_non_null(set);
    assert_true(location_next(set, worker->now.ms, &position, &binding));
    assert_int_equal(binding.received.transport, ENDPOINT_TLS);
    assert_int_equal(binding.received.flow, ENDPOINT_FLOW_GONE);
}

static void test_damaged_value_is_named(void **state)
{
    struct store_change change = {STORE_BINDINGS, SLICE("dave@example.com"),
                                  SLICE("\1\1 not bindings at all")};
    struct control_load loaded;
    char *said = NULL;
    size_t len;

    (void)state;
    assert_int_equal(store_apply(store, &change, 1, true), 0);
    FILE *errors = open_memstream(&said, &len);
    assert_int_equal(control_load(store, rig.strowger.location, rig.strowger.workers_n, rig.conf,
                                  &rig.strowger.workers[0]->now, &loaded, errors),
                     -EPROTO);
    fclose(errors);
    assert_non_null(strstr(said, "\"dave@example.com\""));
    free(said);
}

static void test_what_died_is_swept(void **state)
{
    struct location_binding binding = {
        .contact = SLICE("sip:x@192.0.2.1"), .call_id = SLICE("c"), .expires_ms = 1000};
    struct clock past = {0, 1000}; // of 1970
    char value[512];
    struct store_usage usage;

    (void)state;
    uint32_t len = registrar_stored_write(rig.conf, &past, &binding, 1, value);
    for (unsigned i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof(name), "old%u@example.com", i);
        struct store_change change = {STORE_BINDINGS, slice_text(name), slice_of(value, len)};
        assert_int_equal(store_apply(store, &change, 1, true), 0);
    }
    phone_register("5061", 600);
    look(1000);
    for (unsigned i = 1; i <= 10; i++)
        look(1000 + i * CONTROL_COMMIT_SWEEP_MS);
    assert_int_equal(store_usage(store, &usage), 0);
    assert_int_equal(usage.keys[STORE_BINDINGS], 1);
    expect_store("5061 ");
    assert_int_equal(control_commit_counters(rig.strowger.commit)->swept, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define COMMIT(test) cmocka_unit_test_setup_teardown(test, open_commit, end)
        COMMIT(test_answer_waits_until_it_is_on_the_disk),
        COMMIT(test_answers_leave_in_their_order_and_one_write_serves_all),
        COMMIT(test_last_contact_removed_leaves_nothing_in_the_store),
        COMMIT(test_retransmission_does_not_overtake_the_disk),
        COMMIT(test_failed_write_is_undone_and_answered_503),
        COMMIT(test_what_was_new_is_gone_again),
        COMMIT(test_recovers_by_itself),
        COMMIT(test_stays_shut_until_every_worker_has_undone),
        COMMIT(test_full_queue_is_answered_503_before_anything_changes),
        COMMIT(test_write_that_hangs_turns_registrations_away),
        COMMIT(test_ring_of_records_goes_round),
        COMMIT(test_ending_writes_what_waits_and_frees_its_answers),
        COMMIT(test_loaded_bindings_are_where_their_worker_looks),
        COMMIT(test_flows_of_a_process_that_is_no_more_lead_nowhere),
        COMMIT(test_damaged_value_is_named),
        COMMIT(test_what_died_is_swept),
        cmocka_unit_test_setup_teardown(test_relaxed_answers_at_once_and_tries_until_it_is_written,
                                        open_relaxed, end),
        cmocka_unit_test_setup_teardown(test_none_never_turns_anybody_away, open_none, end),
    };

    rig_eal(2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
