// Publications and subscriptions on their way to the disk, and back after a restart.
#include "flow.h"
#include "requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "presence/durable.h"
#include "presence/stored.h"
#include "store/store.h"
#include "worker/journal.h"

struct disk {
    struct flow *flow;
    struct store *store;
    struct journal_gate gate;
    struct journal *journal;
};

static int set_up(void **state)
{
    struct disk *disk = calloc(1, sizeof(*disk));

    disk->flow = flow_open("policy = open\nnotify_interval = 0\n",
                           "[listener t]\naddress = 198.18.0.1:5060\ntransport = tcp\n"
                           "[trust]\nnetworks = 192.0.2.77\n");
    assert_int_equal(store_open_memory(&disk->store), 0);
    assert_int_equal(journal_create(&disk->journal, &disk->gate, 64, MEMORY_ANY_NODE, &memory_system), 0);
    disk->flow->fixture->role.journal = disk->journal;
    disk->flow->fixture->arrival.now.unix_s = 1800000000;
    *state = disk;
    return 0;
}

static int tear_down(void **state)
{
    struct disk *disk = *state;

    disk->flow->fixture->role.journal = NULL;
    flow_close(disk->flow);
    journal_destroy(disk->journal);
    store_close(disk->store);
    free(disk);
    return 0;
}

static void apply(struct disk *disk, struct journal_record *record, bool good)
{
    struct slice key = slice_of(record->text, record->key_len);
    const struct store_change change = {
        (enum store_kind)record->kind, key,
        record->value_len > 0 ? slice_of(journal_value(record), record->value_len) : (struct slice){NULL, 0}};

    record->outcome = good ? JOURNAL_WRITTEN : JOURNAL_REFUSED;
    if (key.len == 0)
        return;
    if (good) {
        assert_int_equal(store_apply(disk->store, &change, 1, true), 0);
        return;
    }
    int len = store_get(disk->store, change.kind, key, journal_value(record), record->value_room);
    assert_true(len >= 0 && (uint32_t)len <= record->value_room);
    record->value_len = (uint32_t)len;
}

// The writer has its turn, then the worker hears of it. Returns the records.
static unsigned write_all(struct disk *disk, bool good)
{
    struct fixture *f = disk->flow->fixture;
    struct journal_record *record;
    unsigned n = 0;

    while ((record = journal_take(disk->journal)) != NULL)
        apply(disk, record, good);
    journal_settle(disk->journal);
    while ((record = journal_settled(disk->journal)) != NULL) {
        presence_durable_settled(&f->role, record, &f->arrival.now);
        journal_free(disk->journal, record);
        n++;
    }
    return n;
}

// A request whose answer, with this status, waits for the disk.
static void ask(struct disk *disk, const char *source, const char *request, unsigned status)
{
    struct fixture *f = disk->flow->fixture;

    flow_request(disk->flow, source, request);
    if (f->verdict.status != status)
        fail_msg("expected %u, got %s\n%s", status, fixture_verdict(f), f->text);
    if (f->verdict.waits)
        journal_publish(disk->journal, NULL);
}

static void test_nobody_is_told_of_what_is_not_on_the_disk(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;

    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    assert_true(flow->fixture->verdict.waits);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
    assert_int_equal(write_all(disk, true), 1);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    // a fetch leaves nothing, so it waits for nothing
    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 0\n", 200);
    assert_false(flow->fixture->verdict.waits);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    assert_int_equal(write_all(disk, true), 0);
    // an end is written
    flow_request(flow, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n");
    journal_publish(disk->journal, NULL);
    write_all(disk, true);
    flow_wait(flow, 8);
    flow_notifies(flow);
    flow_answer(flow, 481, NULL);
    assert_int_equal(write_all(disk, true), 1);
    struct store_usage usage;
    assert_int_equal(store_usage(disk->store, &usage), 0);
    assert_int_equal(usage.keys[STORE_SUBSCRIPTIONS], 1);
}

static void test_the_last_notify_waits_for_the_answer_too(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    struct store_usage usage;

    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    ask(disk, NULL, AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 0\n", 200);
    assert_true(flow->fixture->verdict.waits);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
    // it could not be taken off the disk, so it has not ended
    assert_int_equal(write_all(disk, false), 1);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
    ask(disk, NULL, AGAIN "CSeq: 3 SUBSCRIBE\nEvent: presence\nExpires: 0\n", 200);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
    assert_int_equal(write_all(disk, true), 1);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect("the last", flow->notify, "+Subscription-State: terminated;reason=timeout");
    assert_int_equal(store_usage(disk->store, &usage), 0);
    assert_int_equal(usage.keys[STORE_SUBSCRIPTIONS], 0);
}

static void test_what_the_disk_refuses_has_not_been(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    struct subscription_usage usage;
    char first[64];

    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    write_all(disk, false);
    ask(disk, BOB, PUBLISH "Event: presence\n" OPEN_BODY, 200);
    write_all(disk, false);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
    subscription_usage(flow->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.subscriptions, 0);
    assert_int_equal(usage.publications, 0);

    ask(disk, BOB, PUBLISH "Event: presence\n" OPEN_BODY, 200);
    write_all(disk, true);
    strcpy(first, flow->etag);
    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY, 200);
    write_all(disk, false);
    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n", 412); // it was never there
    strcpy(flow->etag, first);
    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 0\n", 200);
    write_all(disk, false);
    strcpy(flow->etag, first);
    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n", 200); // nor did it go
    write_all(disk, true);
    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 0\n", 200);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect("as the disk had it", flow->notify, "~<basic>open</basic>\n!busy");
    flow_answer(flow, 200, NULL);
    assert_int_equal(disk->journal->restored, 4);
    assert_int_equal(disk->journal->lost, 0);
}

// What a watcher was told is there after a crash, so what may not be is not told (RFC 3903 6 step 6 would let it).
static void test_watchers_hear_of_a_change_when_the_disk_has_it(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;

    ask(disk, BOB, PUBLISH "Event: presence\n" OPEN_BODY, 200);
    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);

    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY, 200);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
    // nor is who asks meanwhile told the old one: it would be his for an interval
    ask(disk, "192.0.2.5:5060", SUBSCRIBE "Event: presence\nExpires: 0\n", 200);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 2);
    flow_expect("the change", flow->notify, "~busy");

    // two that wait, of which one is not written
    ask(disk, BOB,
        PUBLISH "Event: presence\nExpires: 600\n" PIDF("sip:bob@example.com", "u", "<note>away</note>"), 200);
    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 0\n", 200);
    write_all(disk, false);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 0);
}

static void test_what_expires_is_gone_though_the_disk_keeps_it(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    struct subscription_usage usage;
    unsigned records = 0, notifies = 0;

    ask(disk, BOB, PUBLISH "Event: presence\nExpires: 60\n" BUSY_BODY, 200);
    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    for (unsigned i = 0; i < 650; i++) {
        disk->flow->fixture->arrival.now.unix_s += i % 10 == 0;
        flow_wait(flow, 100);
        records += write_all(disk, false);
        if (flow_notifies(flow) > 0) {
            notifies++;
            flow_answer(flow, 200, NULL);
        }
    }
    subscription_usage(flow->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.publications, 0);
    assert_in_range(records, 1, 3);
    assert_int_equal(notifies, 1);
    flow_expect("what is left", flow->notify, "!busy");
}

static void test_a_store_that_is_shut_is_said_so(void **state)
{
    struct disk *disk = *state;

    atomic_store(&disk->gate.turns, 1);
    journal_turn(disk->journal, disk->flow->fixture->arrival.now.ms);
    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 503);
    flow_expect("with the time", disk->flow->fixture->text, "~Retry-After: ");
    ask(disk, BOB, PUBLISH "Event: presence\n" OPEN_BODY, 503);
    assert_int_equal(disk->journal->refused, 2);
}

struct restoring {
    struct disk *disk;
    uint8_t kind;
    unsigned n;
};

static bool restore_one(void *owner, struct slice key, struct slice value)
{
    struct restoring *restoring = owner;
    struct flow *flow = restoring->disk->flow;
    struct fixture *f = flow->fixture;

    assert_int_equal(
        presence_restore(flow->all, f->location, f->conf, &f->arrival.now, restoring->kind, key, value), 0);
    restoring->n++;
    return true;
}

static unsigned restart(struct disk *disk)
{
    struct restoring publications = {.disk = disk, .kind = STORE_PUBLICATIONS};
    struct restoring subscriptions = {.disk = disk, .kind = STORE_SUBSCRIPTIONS};

    flow_stop(disk->flow);
    disk->flow->fixture->arrival.now.unix_s += 10; // it takes its time
    flow_start(disk->flow);
    assert_int_equal(store_each(disk->store, STORE_PUBLICATIONS, restore_one, &publications), 0);
    assert_int_equal(store_each(disk->store, STORE_SUBSCRIPTIONS, restore_one, &subscriptions), 0);
    return publications.n + subscriptions.n;
}

static unsigned cseq_of(const char *message)
{
    return (unsigned)strtoul(strstr(message, "CSeq: ") + 6, NULL, 10);
}

// Nobody is told anything that was not so before, dialogs and tags go on, and NOTIFYs count upwards.
static void test_all_goes_on_after_a_restart(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;

    ask(disk, BOB, PUBLISH "Event: presence\n" OPEN_BODY, 200);
    ask(disk, NULL,
        SUBSCRIBE "Event: presence;id=k\nExpires: 600\n"
                  "Record-Route: <sip:192.0.2.30;lr>\n",
        200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    unsigned cseq = cseq_of(flow->notify);

    assert_int_equal(restart(disk), 2);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect("the same as before", flow->notify,
                "~<basic>open</basic>\n+Event: presence;id=k\n+Route: <sip:192.0.2.30;lr>");
    assert_true(cseq_of(flow->notify) > cseq);
    flow_answer(flow, 200, NULL);
    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY, 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect("a change", flow->notify, "~busy");
    flow_answer(flow, 200, NULL);
    ask(disk, NULL, AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence;id=k\nExpires: 900\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
}

// RFC 3261 18.1.1: whom the Contact names has TCP, who was found behind his NAT has not.
static void test_the_way_of_what_is_large_outlives_a_restart(void **state)
{
    static const char nat[] =
        "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 10.0.0.4:5060;rport;branch=z9hG4bKs{n}\n"
        "Call-ID: s{n}\nContact: <sip:alice@10.0.0.4:5060>\nEvent: presence\nExpires: 600\n";
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    struct test_outlet *outlet = flow->fixture->outlet;

    flow->fixture->conf->udp_max = 500;
    ask(disk, BOB, PUBLISH "Event: presence\n" OPEN_BODY, 200);
    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    ask(disk, "203.0.113.4:1024", nat, 200);
    write_all(disk, true);
    for (unsigned restarts = 0; restarts < 3; restarts++) {
        outlet->log[0] = 0;
        flow_wait(flow, 100);
        assert_int_equal(flow_notifies(flow), 2);
        assert_non_null(strstr(outlet->log, "NOTIFY@tcp:192.0.2.4:5060"));
        assert_non_null(strstr(outlet->log, "NOTIFY@203.0.113.4:1024"));
        assert_int_equal(restart(disk), 3);
    }
}

// Which publication is the latest says what is composed (RFC 4479 3.5 leaves it to the composer). Several, so that
// chance does not put them right.
static void test_the_latest_publication_is_still_the_latest_after_a_restart(void **state)
{
    static const char *const tuples[] = {
        PUBLISH "Event: presence\n" PIDF("sip:bob@example.com", "t0", ""),
        PUBLISH "Event: presence\n" PIDF("sip:bob@example.com", "t1", ""),
        PUBLISH "Event: presence\n" PIDF("sip:bob@example.com", "t2", ""),
        PUBLISH "Event: presence\n" PIDF("sip:bob@example.com", "t3", ""),
    };
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    char first[64] = "", before[sizeof(flow->notify)];

    for (unsigned i = 0; i < sizeof(tuples) / sizeof(*tuples); i++) {
        ask(disk, BOB, tuples[i], 200);
        if (i == 0)
            strcpy(first, flow->etag);
    }
    strcpy(flow->etag, first); // and the first is changed last
    ask(disk, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY, 200);
    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    strcpy(before, strstr(flow->notify, "<presence"));
    assert_true(strstr(before, "busy") < strstr(before, "t3") && strstr(before, "t3") < strstr(before, "t1"));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(restart(disk), 5);
        flow_wait(flow, 100);
        assert_int_equal(flow_notifies(flow), 1);
        assert_string_equal(strstr(flow->notify, "<presence"), before);
        flow_answer(flow, 200, NULL);
    }
    // and what comes now is later than what was there
    ask(disk, BOB, PUBLISH "Event: presence\n" PIDF("sip:bob@example.com", "t9", ""), 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    assert_true(strstr(flow->notify, "t9") < strstr(flow->notify, "busy"));
    flow_answer(flow, 200, NULL);
}

// Who came by a gateway is not counted, and is who the gateway said, before a restart and after it.
static void test_an_asserted_watcher_outlives_a_restart(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    struct subscription_usage usage;

    ask(disk, "192.0.2.77:5060",
        "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKg{n}\n"
        "From: <sip:anonymous@anonymous.invalid>;tag=g\nContact: <sip:192.0.2.77>\nEvent: presence\n"
        "P-Asserted-Identity: <sip:eve@example.org>\n",
        200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    assert_int_equal(restart(disk), 1);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    subscription_usage(flow->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.subscriptions, 1);
    assert_int_equal(usage.sources, 0);
    uint64_t position = 0;
    const struct subscription *subscription =
        subscription_walk(flow->fixture->role.subscriptions, &position, 64);
    assert_true(
        slice_equal(subscription_text(flow->fixture->role.subscriptions, subscription, SUBSCRIPTION_WATCHER),
                    SLICE("sip:eve@example.org")));
}

// A clock that is set back a day while the server is down: NOTIFYs count on, and nothing lives longer than is allowed.
static void test_a_clock_that_is_set_back_harms_no_dialog(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;

    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    unsigned cseq = cseq_of(flow->notify);

    flow->fixture->arrival.now.unix_s -= 86400;
    assert_int_equal(restart(disk), 1);
    flow_wait(flow, 100);
    assert_int_equal(flow_notifies(flow), 1);
    assert_true(cseq_of(flow->notify) > cseq);
    flow_expect("no longer than anybody", flow->notify, "+Subscription-State: active;expires=7200");
    flow_answer(flow, 200, NULL);
}

// What version 1 wrote had neither our CSeq nor the text of who asks beside From.
static void test_an_older_subscription_is_read(void **state)
{
    enum { OURS = 34, LENGTHS = OURS + 3 * 9 }; // behind three IPv4 endpoints
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    struct fixture *f = flow->fixture;
    char key[8], value[PRESENCE_SUBSCRIPTION_MAX];
    struct presence_stored_subscription stored;
    struct role_dialog_tag tag;

    ask(disk, NULL, SUBSCRIBE "Event: presence;id=k\nExpires: 600\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    flow_notifies(flow);
    flow_answer(flow, 200, NULL);
    assert_true(role_dialog_tag_read(slice_text(flow->tag), &tag));
    presence_stored_subscription_key(tag.check, key);
    int len = store_get(disk->store, STORE_SUBSCRIPTIONS, slice_of(key, 8), value, sizeof(value));
    assert_true(len > LENGTHS);
    memmove(value + OURS, value + OURS + 4, (size_t)len - OURS - 4); // our CSeq
    char *last = value + LENGTHS + 2 * (SUBSCRIPTION_TEXTS - 1);
    memmove(last, last + 2, (size_t)(value + len - last - 4 - 2));
    len -= 4;
    value[0] = 1;
    assert_true(presence_stored_subscription_read(f->conf, &f->arrival.now, slice_of(key, 8),
                                                  slice_of(value, (size_t)len - 2), &stored));
    assert_true(slice_equal(stored.opening.text[SUBSCRIPTION_EVENT_ID], SLICE("k")));
    assert_int_equal(stored.opening.text[SUBSCRIPTION_WATCHER].len, 0);
    assert_true(slice_equal(stored.aor, SLICE("bob@example.com")));
    assert_int_equal(presence_stored_expires(slice_of(value, (size_t)len - 2)), f->arrival.now.unix_s + 600);
    value[0] = 3;
    assert_false(presence_stored_subscription_read(f->conf, &f->arrival.now, slice_of(key, 8),
                                                   slice_of(value, (size_t)len - 2), &stored));
}

// Every value cut off anywhere, and every byte of it wrong, is refused or harmless.
static void test_what_is_damaged_is_told(void **state)
{
    struct disk *disk = *state;
    struct flow *flow = disk->flow;
    struct fixture *f = flow->fixture;
    char key[8], value[PRESENCE_SUBSCRIPTION_MAX];
    struct presence_stored_subscription stored;
    struct role_dialog_tag tag;

    ask(disk, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n", 200);
    write_all(disk, true);
    flow_wait(flow, 8);
    flow_notifies(flow);
    flow_answer(flow, 200, NULL);
    assert_true(role_dialog_tag_read(slice_text(flow->tag), &tag));
    presence_stored_subscription_key(tag.check, key);
    struct slice k = slice_of(key, sizeof(key));
    int len = store_get(disk->store, STORE_SUBSCRIPTIONS, k, value, sizeof(value));
    assert_true(len > 0);
    for (int cut = 0; cut < len; cut++) {
        char *exact = malloc((size_t)cut + 1);
        memcpy(exact, value, (size_t)cut);
        assert_false(presence_stored_subscription_read(f->conf, &f->arrival.now, k,
                                                       slice_of(exact, (size_t)cut), &stored));
        free(exact);
    }
    assert_true(presence_stored_subscription_read(f->conf, &f->arrival.now, k, slice_of(value, (size_t)len),
                                                  &stored));
    assert_int_equal(presence_stored_expires(slice_of(value, (size_t)len)), f->arrival.now.unix_s + 600);
    for (int at = 0; at < len; at++) {
        value[at] ^= 0x55;
        (void)presence_stored_subscription_read(f->conf, &f->arrival.now, k, slice_of(value, (size_t)len),
                                                &stored);
        value[at] ^= 0x55;
    }
    assert_int_equal(presence_restore(flow->all, f->location, f->conf, &f->arrival.now, STORE_PUBLICATIONS,
                                      SLICE("\1abcd"
                                            "bob@example.com"),
                                      SLICE("\1\1")),
                     -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_is_told_of_what_is_not_on_the_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_notify_waits_for_the_answer_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_the_disk_refuses_has_not_been, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watchers_hear_of_a_change_when_the_disk_has_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_expires_is_gone_though_the_disk_keeps_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_store_that_is_shut_is_said_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_goes_on_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_latest_publication_is_still_the_latest_after_a_restart,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_way_of_what_is_large_outlives_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_damaged_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_older_subscription_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_asserted_watcher_outlives_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_clock_that_is_set_back_harms_no_dialog, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("presence durable", tests, NULL, NULL);
}
