// Lists of resources (RFC 4662): all of it first, then what changed.
#include "flow.h"
#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST                                               \
    "SUBSCRIBE sip:friends@example.com\n"                  \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKl{n}\n" \
    "To: <sip:friends@example.com>\n"                      \
    "Call-ID: l{n}\n"                                      \
    "Contact: <sip:alice@192.0.2.4:5060>\n"                \
    "Event: presence\n"                                    \
    "Accept: application/pidf+xml, application/rlmi+xml, multipart/related\n"
#define LIST_AGAIN                                         \
    "SUBSCRIBE {target}\n"                                 \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKl{n}\n" \
    "To: <sip:friends@example.com>;tag={tag}\n"            \
    "Call-ID: {call}\n"                                    \
    "Event: presence\n"

static void put_list(struct flow *flow, const struct roster_member *members, unsigned n)
{
    struct roster_draft draft;

    assert_int_equal(roster_list_draft(flow->roster, SLICE("friends@example.com"), members, n, &draft), 0);
    roster_publish(flow->roster, &draft);
}

static int set_up(void **state)
{
    static const struct roster_member members[] = {
        {SLICE("sip:bob@example.com"), SLICE("bob@example.com"), SLICE("Bob")},
        {SLICE("sip:carol@example.com"), SLICE("carol@example.com"), SLICE("Carol & Co")},
        {SLICE("sip:dave@example.com"), SLICE("dave@example.com"), SLICE("")},
        {SLICE("sip:ed@example.net"), SLICE("ed@example.net"), SLICE("Ed")},
    };
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\n", "");
    struct roster_draft draft;

    put_list(flow, members, 4);
    assert_int_equal(roster_rule_draft(flow->roster, SLICE("dave@example.com"), SLICE("alice@example.com"),
                                       ROSTER_CONFIRM, &draft),
                     0);
    roster_publish(flow->roster, &draft);
    fixture_bind(flow->fixture, "carol@example.com", fixture_contact("sip:carol@192.0.2.12"));
    *state = flow;
    return 0;
}

// RFC 4662 6: the flow between subscriber and server.
static void test_a_list_is_told_whole(void **state)
{
    const struct flow_step steps[] = {
        {.what = "Bob is there",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "1, 2: the list",
         .request = LIST "Supported: eventlist\nExpires: 7200\n",
         .answer = "200\n+Require: eventlist\n+Expires: 7200",
         .notify =
             "+Require: eventlist\n~Content-Type: multipart/related;type=\"application/rlmi+xml\"\n"
             "~<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" version=\"0\" uri=\"sip:friends@example.com\" "
             "fullState=\"true\">\n~<resource uri=\"sip:bob@example.com\"><name>Bob</name><instance\n"
             "~state=\"active\"\n~<tuple id=\"t\">\n~<name>Carol &amp; Co</name>\n~sip:carol@192.0.2.12\n"
             "~state=\"pending\"/>\n~<resource uri=\"sip:ed@example.net\"><name>Ed</name></resource>",
         .status = 200},
        {.what = "nothing new", .wait_ms = 3000},
        {.what = "Bob is busy",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY,
         .answer = "200",
         .until_ms = 1200,
         .notify = "~version=\"1\"\n~fullState=\"true\"\n~busy\n~carol\n~dave",
         .status = 200},
        {.what = "who asks again gets all of it",
         .request = LIST_AGAIN "CSeq: 2 SUBSCRIBE\nExpires: 7200\nSupported: eventlist\n"
                               "Accept: application/pidf+xml, application/rlmi+xml, multipart/related\n",
         .answer = "200\n+Require: eventlist",
         .notify = "~version=\"2\"\n~fullState=\"true\"\n~busy\n~carol",
         .status = 200},
    };

    FLOW(*state, steps);
}

static void test_a_list_needs_who_can_read_it(void **state)
{
    const struct flow_step steps[] = {
        {.what = "no eventlist", .request = LIST, .answer = "421\n+Require: eventlist"},
    };

    FLOW(*state, steps);
}

static void test_members_come_and_go(void **state)
{
    static const struct roster_member members[] = {
        {SLICE("sip:bob@example.com"), SLICE("bob@example.com"), SLICE("Bob")},
        {SLICE("sip:frank@example.com"), SLICE("frank@example.com"), SLICE("Frank")},
    };
    struct flow *flow = *state;
    const struct flow_step begun = {.what = "begun",
                                    .request = LIST "Supported: eventlist\n",
                                    .answer = "200",
                                    .notify = "~carol\n!frank",
                                    .status = 200};
    const struct flow_step changed = {
        .what = "others", .until_ms = 1200, .notify = "~fullState=\"true\"\n~frank\n!carol", .status = 200};
    const struct flow_step gone = {.what = "no list any more",
                                   .until_ms = 1200,
                                   .notify = "+Subscription-State: terminated;reason=noresource",
                                   .status = 200};

    flow_step(flow, &begun);
    put_list(flow, members, 2);
    flow_step(flow, &changed);
    assert_true(roster_list_remove(flow->roster, SLICE("friends@example.com")));
    flow_step(flow, &gone);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

enum { MEMBERS_MAX = 500, URI_MAX = 240 };

struct crowd {
    unsigned n;
    unsigned told[MEMBERS_MAX]; // how often, with a document
    char uri[MEMBERS_MAX][URI_MAX + 1];
};

// So many, with URIs of so many bytes, which XML has to escape a byte of.
static struct crowd *crowd_put(struct flow *flow, unsigned n, unsigned bytes)
{
    static struct roster_member members[MEMBERS_MAX];
    struct crowd *crowd = calloc(1, sizeof(*crowd));

    assert_non_null(crowd);
    crowd->n = n;
    for (unsigned i = 0; i < n; i++) {
        char *uri = crowd->uri[i];
        memset(uri, 'x', bytes);
        uri[sprintf(uri, "sip:member%03u&", i)] = 'x';
        strcpy(uri + bytes - strlen("@example.com"), "@example.com");
        members[i] = (struct roster_member){slice_text(uri), slice_text(uri + 4), SLICE("")};
    }
    put_list(flow, members, n);
    return crowd;
}

// What the newest NOTIFY says of each, with the document that belongs to it. Returns how many it tells of.
static unsigned crowd_told(struct crowd *crowd, const char *notify)
{
    unsigned told = 0;

    for (unsigned i = 0; i < crowd->n; i++) {
        char instance[64], entity[64], cid[64] = "";
        sprintf(instance, "<resource uri=\"sip:member%03u&amp;", i);
        sprintf(entity, "entity=\"sip:member%03u&amp;", i);
        const char *at = strstr(notify, instance);
        const char *end = at != NULL ? strstr(at, "</resource>") : NULL;
        if (at == NULL || (at = strstr(at, " cid=\"")) == NULL || at > end)
            continue;
        sscanf(at, " cid=\"%60[^\"]", cid);
        char head[80];
        sprintf(head, "Content-ID: <%s>", cid);
        const char *part = strstr(notify, head);
        assert_non_null(part);
        const char *document = strstr(part, "entity=");
        assert_memory_equal(document, entity, strlen(entity));
        crowd->told[i]++;
        told++;
    }
    assert_int_equal(told, count(notify, "<presence "));
    return told;
}

// Every NOTIFY that follows one that was answered, until there are no more. Returns how many.
static unsigned crowd_follow(struct flow *flow, struct crowd *crowd)
{
    unsigned messages = 0;

    for (flow_wait(flow, 8); flow_notifies(flow) > 0; flow_wait(flow, 8)) {
        assert_non_null(strstr(flow->notify, "fullState=\"false\""));
        assert_true(crowd_told(crowd, flow->notify) > 0);
        assert_true(outlet_find(flow->fixture->outlet, NULL, "NOTIFY")->len <= SIP_MESSAGE_MAX);
        flow_answer(flow, 200, NULL);
        assert_true(messages++ < 60);
    }
    return messages;
}

static void crowd_expect(struct crowd *crowd, unsigned times)
{
    for (unsigned i = 0; i < crowd->n; i++) {
        if (crowd->told[i] != times)
            fail_msg("member %u was told of %u times, not %u", i, crowd->told[i], times);
    }
    memset(crowd->told, 0, sizeof(crowd->told));
}

static void expect_first(struct flow *flow, unsigned members)
{
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    assert_int_equal(count(flow->notify, "fullState=\"true\""), 1);
    assert_int_equal(count(flow->notify, "<resource "), members);
}

static const char list[] = LIST "Supported: eventlist\nExpires: 7200\n";
static const char again[] =
    LIST_AGAIN "CSeq: 2 SUBSCRIBE\nExpires: 7200\nSupported: eventlist\n"
               "Accept: application/pidf+xml, application/rlmi+xml, multipart/related\n";

// With a document each they fit no message: what does not fit follows, each once. A NOTIFY that can name all within
// what peers may send is no longer.
static void test_a_long_list_is_told_in_pieces(void **state)
{
    struct flow *flow = *state;
    struct crowd *crowd = crowd_put(flow, 150, 30);

    flow_request(flow, NULL, list);
    expect_first(flow, 150);
    assert_true(outlet_find(flow->fixture->outlet, NULL, "NOTIFY")->len <= SIP_MESSAGE_MAX);
    assert_true(crowd_told(crowd, flow->notify) > 0);
    flow_answer(flow, 200, NULL);
    assert_true(crowd_follow(flow, crowd) > 1);
    crowd_expect(crowd, 1);
    flow_wait(flow, 3000);
    assert_int_equal(flow_notifies(flow), 0);

    struct location_binding desk = fixture_contact("sip:desk@192.0.2.12");
    fixture_bind(flow->fixture, crowd->uri[7] + 4, desk);
    const struct flow_step change = {
        .what = "then what changed",
        .until_ms = 1200,
        .notify = "~fullState=\"false\"\n~member007\n!member006\n!member008\n~sip:desk@192.0.2.12",
        .status = 200};
    flow_step(flow, &change);
    flow_wait(flow, 3000);
    assert_int_equal(flow_notifies(flow), 0);
    free(crowd);
}

// RFC 4662 5.2: of all of them, at first and behind each SUBSCRIBE.
static void test_five_hundred_are_all_named_at_first(void **state)
{
    static const unsigned bytes[] = {40, 80, 90};
    struct flow *flow = *state;

    for (unsigned i = 0; i < sizeof(bytes) / sizeof(*bytes); i++) {
        struct crowd *crowd = crowd_put(flow, 500, bytes[i]);
        flow_request(flow, NULL, list);
        expect_first(flow, 500);
        crowd_told(crowd, flow->notify);
        flow_answer(flow, 200, NULL);
        crowd_follow(flow, crowd);
        crowd_expect(crowd, 1);

        flow_request(flow, NULL, again);
        expect_first(flow, 500);
        crowd_told(crowd, flow->notify);
        flow_answer(flow, 200, NULL);
        crowd_follow(flow, crowd);
        crowd_expect(crowd, 1);
        flow_request(flow, NULL, LIST_AGAIN "CSeq: 3 SUBSCRIBE\nExpires: 0\nSupported: eventlist\n");
        expect_first(flow, 500);
        flow_answer(flow, 200, NULL);
        free(crowd);
    }
}

// Nothing can follow, so it says all that it can.
static void test_a_fetch_gets_all_at_once(void **state)
{
    struct flow *flow = *state;
    struct crowd *crowd = crowd_put(flow, 100, 30);

    flow_request(flow, NULL, LIST "Supported: eventlist\nExpires: 0\n");
    expect_first(flow, 100);
    crowd_told(crowd, flow->notify);
    crowd_expect(crowd, 1);
    flow_answer(flow, 200, NULL);
    flow_wait(flow, 3000);
    assert_int_equal(flow_notifies(flow), 0);
    free(crowd);
}

// A datagram has an end.
static void test_names_that_no_message_holds_follow_too(void **state)
{
    struct flow *flow = *state;
    struct crowd *crowd = crowd_put(flow, 500, 200);

    flow_request(flow, NULL, list);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    assert_non_null(strstr(flow->notify, "fullState=\"false\""));
    assert_true(count(flow->notify, "<resource ") > 250);
    flow_answer(flow, 200, NULL);
    crowd_follow(flow, crowd);
    crowd_expect(crowd, 1);
    free(crowd);
}

// RFC 4662 5.2: "the first NOTIFY sent after receipt of a SUBSCRIBE", whatever was under way.
static void test_who_asks_amid_the_pieces_gets_all_again(void **state)
{
    struct flow *flow = *state;
    struct crowd *crowd = crowd_put(flow, 500, 60);

    flow_request(flow, NULL, list);
    expect_first(flow, 500);
    flow_answer(flow, 200, NULL);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    assert_non_null(strstr(flow->notify, "fullState=\"false\""));
    flow_request(flow, NULL, again);
    assert_int_equal(flow_notifies(flow), 0); // one at a time
    flow_answer(flow, 200, NULL);
    expect_first(flow, 500);
    crowd_told(crowd, flow->notify);
    flow_answer(flow, 200, NULL);
    crowd_follow(flow, crowd);
    crowd_expect(crowd, 1);
    free(crowd);
}

// Of one who was told of already, while others are still to come.
static void test_what_changes_amid_the_pieces_is_told(void **state)
{
    struct flow *flow = *state;
    struct crowd *crowd = crowd_put(flow, 150, 30);

    flow_request(flow, NULL, list);
    expect_first(flow, 150);
    assert_int_equal(crowd_told(crowd, flow->notify) > 0 ? crowd->told[0] : 0, 1);
    fixture_bind(flow->fixture, crowd->uri[0] + 4, fixture_contact("sip:desk@192.0.2.12"));
    flow_wait(flow, 1200); // it is seen
    flow_answer(flow, 200, NULL);
    for (unsigned i = 0; strstr(flow->notify, "sip:desk@192.0.2.12") == NULL; i++) {
        assert_true(i < 30);
        flow_wait(flow, 8);
        if (flow_notifies(flow) > 0)
            flow_answer(flow, 200, NULL);
    }
    crowd_told(crowd, flow->notify);
    assert_int_equal(crowd->told[0], 2);
    free(crowd);
}

// RFC 6665 4.2.2: no sooner than it may, and then from the beginning.
static void test_a_piece_that_fails_is_told_later(void **state)
{
    struct flow *flow = *state;
    struct crowd *crowd = crowd_put(flow, 150, 30);

    flow_request(flow, NULL, list);
    expect_first(flow, 150);
    flow_answer(flow, 200, NULL);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 500, NULL);
    flow_wait(flow, 30000);
    assert_int_equal(flow_notifies(flow), 0);
    flow_wait(flow, 2100);
    expect_first(flow, 150);
    crowd_told(crowd, flow->notify);
    flow_answer(flow, 200, NULL);
    crowd_follow(flow, crowd);
    crowd_expect(crowd, 1);
    free(crowd);
}

// RFC 5839 6.5: the tag is that of the list with all that its members are; of less there is another.
static void test_who_has_the_list_gets_it_when_it_changes(void **state)
{
    const struct flow_step steps[] = {
        {.what = "a list",
         .request = LIST "Supported: eventlist\nExpires: 0\n",
         .answer = "200",
         .notify = "~<list \n~version=\"0\"",
         .status = 200},
        {.what = "who has another one",
         .request = LIST "Supported: eventlist\nExpires: 0\nSuppress-If-Match: 0123456789abcdef\n",
         .answer = "200",
         .notify = "~<list \n~fullState=\"true\"",
         .status = 200},
        {.what = "who has it",
         .request = LIST "Supported: eventlist\nExpires: 7200\nSuppress-If-Match: {version}\n",
         .answer = "200",
         .notify = "+SIP-ETag: {version}\n+Content-Length: 0\n+Require: eventlist",
         .status = 200},
        {.what = "nothing new", .wait_ms = 3000},
    };
    const struct flow_step changed = {.what = "Bob is there",
                                      .until_ms = 1200,
                                      .notify =
                                          "~fullState=\"true\"\n~version=\"0\"\n~sip:bob@192.0.2.9\n~carol",
                                      .status = 200};
    struct flow *flow = *state;

    FLOW(flow, steps);
    fixture_bind(flow->fixture, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    flow_step(flow, &changed);
}

static void test_a_part_of_the_list_is_not_the_list(void **state)
{
    struct flow *flow = *state;
    struct crowd *crowd = crowd_put(flow, 150, 30);

    flow_request(flow, NULL, list);
    expect_first(flow, 150);
    flow_answer(flow, 200, NULL);
    flow_request(flow, NULL, LIST "Supported: eventlist\nExpires: 7200\nSuppress-If-Match: {version}\n");
    flow_wait(flow, 8);
    flow_notifies(flow);
    assert_null(strstr(flow->notify, "Content-Length: 0"));
    free(crowd);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, flow_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_list_is_told_whole),
        TEST(test_a_list_needs_who_can_read_it),
        TEST(test_members_come_and_go),
        TEST(test_a_long_list_is_told_in_pieces),
        TEST(test_five_hundred_are_all_named_at_first),
        TEST(test_a_fetch_gets_all_at_once),
        TEST(test_names_that_no_message_holds_follow_too),
        TEST(test_who_asks_amid_the_pieces_gets_all_again),
        TEST(test_what_changes_amid_the_pieces_is_told),
        TEST(test_a_piece_that_fails_is_told_later),
        TEST(test_who_has_the_list_gets_it_when_it_changes),
        TEST(test_a_part_of_the_list_is_not_the_list),
    };

    return cmocka_run_group_tests_name("presence list", tests, NULL, NULL);
}
