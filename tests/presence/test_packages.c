// Packages beside presence, and who may watch what.
#include "flow.h"
#include "requests.h"

#include <stdio.h>
#include <string.h>

static int set_up(void **state)
{
    *state = flow_open("notify_interval = 0\n", "[trust]\nnetworks = 192.0.2.77\n");
    return 0;
}

// RFC 3857 5: the presentity learns who waits, decides, and that is told.
static void test_who_waits_is_seen_and_let_in(void **state)
{
    struct flow *flow = *state;
    const struct flow_step before[] = {
        {.what = "bob is there",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "bob watches his watchers",
         .source = BOB,
         .request = BOB_SUBSCRIBES "Event: presence.winfo\n",
         .answer = "200",
         .notify =
             "+Event: presence.winfo\n+Content-Type: application/watcherinfo+xml\n~version=\"0\"\n!<watcher ",
         .status = 200},
        {.what = "a stranger",
         .source = "192.0.2.5:5060",
         .request = STRANGER,
         .answer = "200",
         .notifies = 2,
         .notify = "",
         .wait_ms = 8},
    };
    struct fixture *f = flow->fixture;

    FLOW(flow, before);
    struct endpoint bob, eve;
    endpoint_parse(SLICE("192.0.2.9:5060"), &bob);
    endpoint_parse(SLICE("192.0.2.5:5060"), &eve);
    const struct sent *to_eve = outlet_find(f->outlet, &eve, "NOTIFY");
    assert_non_null(strstr(to_eve->bytes, "Subscription-State: pending;expires=3600"));
    assert_non_null(strstr(to_eve->bytes, "Content-Length: 0\r\n"));
    const struct sent *to_bob = outlet_find(f->outlet, &bob, "NOTIFY");
    assert_non_null(strstr(to_bob->bytes, "status=\"pending\""));
    assert_non_null(strstr(to_bob->bytes, "version=\"1\""));
    assert_non_null(strstr(to_bob->bytes, ">sip:eve@example.org</watcher>"));
    fixture_answer(f, "192.0.2.5:5060", "NOTIFY", 200, "");
    fixture_answer(f, "192.0.2.9:5060", "NOTIFY", 200, "");

    flow_rule(flow, "eve@example.org", ROSTER_ALLOW);
    flow_wait(flow, 24);
    assert_int_equal(flow_notifies(flow), 2);
    to_eve = outlet_find(f->outlet, &eve, "NOTIFY");
    assert_non_null(strstr(to_eve->bytes, "Subscription-State: active"));
    assert_non_null(strstr(to_eve->bytes, "<basic>open</basic>"));
    to_bob = outlet_find(f->outlet, &bob, "NOTIFY");
    assert_non_null(strstr(to_bob->bytes, "status=\"active\" event=\"approved\""));
    fixture_answer(f, "192.0.2.5:5060", "NOTIFY", 200, "");
    fixture_answer(f, "192.0.2.9:5060", "NOTIFY", 200, "");
}

static void test_who_is_blocked_politely_is_told_nothing_true(void **state)
{
    struct flow *flow = *state;
    const struct flow_step steps[] = {
        {.what = "bob is there",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "and seems not to be",
         .source = "192.0.2.5:5060",
         .request = STRANGER,
         .answer = "200",
         .notify = "~Subscription-State: active\n~<presence\n!<tuple\n~SIP-ETag: ",
         .status = 200},
        {.what = "nor does he hear of it",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY,
         .answer = "200",
         .wait_ms = 1000},
    };

    flow_rule(flow, "eve@example.org", ROSTER_BLOCK);
    FLOW(flow, steps);
    // let in after all
    flow_rule(flow, "eve@example.org", ROSTER_ALLOW);
    const struct flow_step after = {.what = "let in", .notify = "~busy", .status = 200, .until_ms = 100};
    flow_step(flow, &after);
}

// RFC 3856 6.6.2: nothing tells him from one whose friend is away, in whatever form he asks for it.
static void test_who_is_blocked_cannot_tell(void **state)
{
    static const char *const types[] = {"application/pidf+xml",
                                        "application/pidf-diff+xml, application/pidf+xml"};
    struct flow *flow = *state;
    char request[1024], away[4096];

    flow_rule(flow, "alice@example.com", ROSTER_ALLOW);
    flow_rule(flow, "eve@example.org", ROSTER_POLITE);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(request, sizeof(request), SUBSCRIBE "Event: presence\nExpires: 0\nAccept: %s\n", types[i]);
        flow_request(flow, NULL, request);
        flow_wait(flow, 8);
        assert_int_equal(flow_notifies(flow), 1);
        flow_answer(flow, 200, NULL);
        strcpy(away, strstr(flow->notify, "\nSIP-ETag"));
        flow_request(flow, BOB, PUBLISH "Event: presence\n" OPEN_BODY);
        snprintf(request, sizeof(request), STRANGER "Expires: 0\nAccept: %s\n", types[i]);
        flow_request(flow, "192.0.2.5:5060", request);
        flow_wait(flow, 8);
        assert_int_equal(flow_notifies(flow), 1);
        flow_answer(flow, 200, NULL);
        assert_string_equal(strstr(flow->notify, "\nSIP-ETag"), away);
        flow_request(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 0\n");
        assert_int_equal(flow->fixture->verdict.status, 200);
    }
}

static void test_who_is_blocked_rudely_is_refused(void **state)
{
    struct flow *flow = flow_open("notify_interval = 0\npolite = no\n", "");
    const struct flow_step steps[] = {
        {.what = "he waits",
         .source = "192.0.2.5:5060",
         .request = STRANGER,
         .answer = "200",
         .notify = "~Subscription-State: pending",
         .status = 200},
    };
    const struct flow_step after[] = {
        {.what = "in vain",
         .until_ms = 100,
         .notify = "+Subscription-State: terminated;reason=rejected\n+Content-Length: 0",
         .status = 200},
        {.what = "again", .source = "192.0.2.5:5060", .request = STRANGER, .answer = "403"},
    };

    (void)state;
    FLOW(flow, steps);
    flow_rule(flow, "eve@example.org", ROSTER_BLOCK);
    FLOW(flow, after);
    flow_close(flow);
}

static void test_what_is_private_is_for_the_user_himself(void **state)
{
    static const char *const packages[] = {"presence.winfo", "reg", "message-summary"};
    struct flow *flow = *state;
    char request[1024];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(request, sizeof(request), SUBSCRIBE "Event: %s\n", packages[i]);
        flow_request(flow, NULL, request);
        assert_int_equal(flow->fixture->verdict.status, 403);
        flow_request(flow, "192.0.2.77:5060", request);
        assert_int_equal(flow->fixture->verdict.status, 200);
        flow_wait(flow, 8);
        flow_notifies(flow);
        flow_answer(flow, 481, NULL);
    }
}

static void put_bindings(struct flow *flow, unsigned n)
{
    struct fixture *f = flow->fixture;
    char request[512];

    flow->n++;
    snprintf(request, sizeof(request),
             "REGISTER sip:example.com\nFrom: <sip:bob@example.com>;tag=r\nTo: <sip:bob@example.com>\n"
             "Call-ID: r\nCSeq: %u REGISTER\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKr%u\n"
             "Contact: <sip:bob@192.0.2.9:5060>;expires=%u",
             flow->n, flow->n, n);
    fixture_from(f, BOB, 0);
    fixture_request(f, request);
    assert_int_equal(f->verdict.status, 200);
}

// RFC 3680 6, and RFC 3856 with [presence] registered.
static void test_registrations_are_told(void **state)
{
    struct flow *flow = *state;
    const struct flow_step watch[] = {
        {.what = "bob watches his registrations",
         .source = BOB,
         .request = BOB_SUBSCRIBES "Event: reg\n",
         .answer = "200",
         .notify = "+Content-Type: application/reginfo+xml\n~version=\"0\" state=\"full\"\n~state=\"init\"",
         .status = 200},
    };
    const struct flow_step registered = {
        .what = "one",
        .until_ms = 100,
        .notify = "~version=\"1\"\n~state=\"active\"\n~<uri>sip:bob@192.0.2.9:5060</uri>",
        .status = 200};
    const struct flow_step expired = {.what = "it expires",
                                      .until_ms = 130000,
                                      .notify = "~version=\"2\"\n~state=\"terminated\"><contact\n"
                                                "~state=\"terminated\" event=\"expired\"><uri>sip:bob@",
                                      .status = 200};
    const struct flow_step alice[] = {
        {.what = "alice watches bob, of whom nothing is known",
         .request = SUBSCRIBE "Event: presence\n",
         .answer = "200",
         .notify = "!<tuple",
         .status = 200},
    };
    const struct flow_step open = {
        .what = "he is there", .until_ms = 100, .notify = "~<basic>open</basic>", .status = 200};
    const struct flow_step away = {
        .what = "and away", .until_ms = 130000, .notify = "!<tuple", .status = 200};

    FLOW(flow, watch);
    put_bindings(flow, 120);
    flow_step(flow, &registered);
    put_bindings(flow, 120); // a refresh is no news
    flow_wait(flow, 1000);
    assert_int_equal(flow_notifies(flow), 0);
    flow_step(flow, &expired);
    FLOW(flow, alice);
    put_bindings(flow, 120);
    flow_wait(flow, 16);
    assert_int_equal(flow_notifies(flow), 2);
    fixture_answer(flow->fixture, "192.0.2.9:5060", "NOTIFY", 481, "");
    fixture_answer(flow->fixture, "192.0.2.4:5060", "NOTIFY", 200, "");
    put_bindings(flow, 0);
    flow_step(flow, &away);
    put_bindings(flow, 120);
    flow_step(flow, &open);
}

static void register_contacts(struct flow *flow, const char *contacts)
{
    struct fixture *f = flow->fixture;
    char request[512];

    flow->n++;
    snprintf(request, sizeof(request),
             "REGISTER sip:example.com\nFrom: <sip:bob@example.com>;tag=r\nTo: <sip:bob@example.com>\n"
             "Call-ID: r\nCSeq: %u REGISTER\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKr%u\n%s",
             flow->n, flow->n, contacts);
    fixture_from(f, BOB, 0);
    fixture_request(f, request);
    assert_int_equal(f->verdict.status, 200);
}

// RFC 3680 3.7.1, 5.1: each contact says what brought it where it is, and one that ended says so once.
static void test_contacts_end_for_a_reason(void **state)
{
    struct flow *flow = *state;
    const struct flow_step watch[] = {
        {.what = "bob watches his registrations",
         .source = BOB,
         .request = BOB_SUBSCRIBES "Event: reg\n",
         .answer = "200",
         .notify = "~state=\"init\"",
         .status = 200},
    };
    const struct flow_step both = {
        .what = "two", .until_ms = 100, .notify = "~desk\n~mobile\n!event=\"un", .status = 200};
    const struct flow_step away = {
        .what = "one is taken back",
        .until_ms = 100,
        .notify = "~\" state=\"active\"><contact\n~\" event=\"unregistered\"><uri>sip:mobile\n"
                  "~event=\"registered\" q=\"0.500\"><uri>sip:desk@192.0.2.9",
        .status = 200};
    const struct flow_step again = {
        .what = "another comes soon", .until_ms = 100, .notify = "~mobile\n~desk\n~sip:car@", .status = 200};
    const struct flow_step last = {
        .what = "and goes later", .until_ms = 100, .notify = "!mobile\n~desk\n~sip:car@", .status = 200};

    FLOW(flow, watch);
    register_contacts(flow, "Contact: <sip:desk@192.0.2.9>;q=0.5, <sip:mobile@192.0.2.9>");
    flow_step(flow, &both);
    register_contacts(flow, "Contact: <sip:mobile@192.0.2.9>;expires=0");
    flow_step(flow, &away);
    register_contacts(flow, "Contact: <sip:desk@192.0.2.9>;q=0.5"); // a refresh is no news, now as before
    flow_wait(flow, 1000);
    assert_int_equal(flow_notifies(flow), 0);
    register_contacts(flow, "Contact: <sip:car@192.0.2.9>");
    flow_step(flow, &again);
    flow_wait(flow, 40000);
    assert_int_equal(flow_notifies(flow), 0);
    register_contacts(flow, "Contact: <sip:car@192.0.2.9>;expires=0");
    flow_step(flow, &last);
}

// RFC 4235 6.1.
static void test_dialogs_are_told(void **state)
{
#define DIALOG(state)                                                                         \
    "Event: dialog\nContent-Type: application/dialog-info+xml\n\n"                            \
    "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"7\" state=\"full\" " \
    "entity=\"sip:bob@example.com\"><dialog id=\"d1\"><state>" state "</state></dialog></dialog-info>"
    const struct flow_step steps[] = {
        {.what = "watched",
         .request = SUBSCRIBE "Event: dialog\nAccept: application/dialog-info+xml\n",
         .answer = "200",
         .notify = "+Content-Type: application/dialog-info+xml\n~version=\"0\"\n~state=\"full\"\n!<dialog ",
         .status = 200},
        {.what = "it rings",
         .source = BOB,
         .request = PUBLISH DIALOG("early"),
         .answer = "200",
         .notify = "~version=\"1\"\n~<state>early</state>",
         .status = 200},
        {.what = "it is answered",
         .source = BOB,
         .request = PUBLISH "SIP-If-Match: {etag}\n" DIALOG("confirmed"),
         .answer = "200",
         .notify = "~version=\"2\"\n~<state>confirmed</state>",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 3842 4: the voicemail publishes, the user is told.
static void test_waiting_messages_are_told(void **state)
{
    const struct flow_step steps[] = {
        {.what = "watched",
         .source = BOB,
         .request = BOB_SUBSCRIBES "Event: message-summary\n",
         .answer = "200",
         .notify = "+Content-Type: application/simple-message-summary\n+Messages-Waiting: no\n"
                   "+Message-Account: sip:bob@example.com",
         .status = 200},
        {.what = "a message",
         .source = "192.0.2.77:5060",
         .request =
             "PUBLISH sip:bob@example.com\nFrom: <sip:voicemail@example.com>;tag=v\n"
             "Event: message-summary\nContent-Type: application/simple-message-summary\n\n"
             "Messages-Waiting: yes\nMessage-Account: sip:bob@example.com\nVoice-Message: 2/8 (0/2)\n\n"
             "Subject: carpool tomorrow?",
         .answer = "200",
         .notify = "+Messages-Waiting: yes\n+Voice-Message: 2/8 (0/2)\n!carpool", // RFC 3842 3.8
         .status = 200},
        {.what = "none that makes sense",
         .source = "192.0.2.77:5060",
         .request = "PUBLISH sip:bob@example.com\nFrom: <sip:voicemail@example.com>;tag=v\nCall-ID: v2\n"
                    "Event: message-summary\nContent-Type: application/simple-message-summary\n\n"
                    "You have mail",
         .answer = "400"},
    };

    FLOW(*state, steps);
}

static void test_options_say_what_is_served(void **state)
{
    struct flow *flow = *state;

    flow_request(flow, NULL, "OPTIONS sip:198.18.0.1:5060");
    assert_int_equal(flow->fixture->verdict.status, 200);
    flow_expect("OPTIONS", flow->fixture->text,
                "+Allow: INVITE, ACK, CANCEL, REGISTER, OPTIONS, SUBSCRIBE, PUBLISH\n"
                "+Allow-Events: presence, presence.winfo, reg, dialog, message-summary\n~eventlist");
}

// RFC 6665 4.2.1.3: by 401, never by 407; in the dialog, too.
static void test_who_must_prove_who_he_is_is_asked_as_by_a_user_agent(void **state)
{
    struct flow *flow =
        flow_open("", "[control]\nsocket = /nowhere/control\n[auth users]\ndomain = example.com\n");
    const struct flow_step steps[] = {
        {.what = "who watches",
         .request = SUBSCRIBE "Event: presence\n",
         .answer = "401\n~WWW-Authenticate: Digest realm=\"example.com\"\n-Proxy-Authenticate"},
        {.what = "who publishes",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "401"},
        {.what = "who says that he is in a dialog",
         .request = "SUBSCRIBE sip:198.18.0.1:5060\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
                    "To: <sip:bob@example.com>;tag=stp-000000000000000000000001\nEvent: presence\n",
         .answer = "401"},
    };
    struct subscription_usage usage;

    (void)state;
    FLOW(flow, steps);
    subscription_usage(flow->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.presentities, 0);
    flow_close(flow);
}

// Off, they are requests like any other.
static void test_what_is_not_served_here_is_forwarded(void **state)
{
    struct fixture *f = fixture_open("[server]\nserver_header =\n[port p]\ndevice = net_null0\n[listener a]\n"
                                     "address = 198.18.0.1:5060\nport = p\n[domain example.com]\n",
                                     1);

    (void)state;
    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    fixture_request(f, "SUBSCRIBE sip:bob@example.com\nEvent: presence\nContact: <sip:a@192.0.2.4>");
    fixture_expect(f, "SUBSCRIBE", "forward 192.0.2.9:5060 by 0");
    fixture_request(f, "PUBLISH sip:bob@example.com\nEvent: presence");
    fixture_expect(f, "PUBLISH", "forward 192.0.2.9:5060 by 0");
    fixture_close(f);
}

// Every table has a bound, and says so.
static void test_who_watches_too_much_is_told_later(void **state)
{
    struct flow *flow =
        flow_open("notify_interval = 0\nsource_max = 3\n", "[trust]\nnetworks = 192.0.2.77\n");

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        flow_request(flow, NULL, SUBSCRIBE "Event: presence\n");
        assert_int_equal(flow->fixture->verdict.status, i < 3 ? 200 : 480);
        flow_wait(flow, 8);
        assert_int_equal(flow_notifies(flow), i < 3);
        if (i < 3)
            flow_answer(flow, 200, NULL);
    }
    flow_expect("when", flow->fixture->text, "~Retry-After: ");
    assert_int_equal(presence_counters(flow->presence)->crowded, 2);
    // whoever is trusted speaks for many
    for (unsigned i = 0; i < 5; i++) {
        flow_request(flow, "192.0.2.77:5060", SUBSCRIBE "Event: presence\n");
        assert_int_equal(flow->fixture->verdict.status, 200);
        flow_wait(flow, 8);
        flow_notifies(flow);
        flow_answer(flow, 200, NULL);
    }
    flow_close(flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_waits_is_seen_and_let_in, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_blocked_politely_is_told_nothing_true, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_blocked_cannot_tell, set_up, flow_tear_down),
        cmocka_unit_test(test_who_is_blocked_rudely_is_refused),
        cmocka_unit_test_setup_teardown(test_what_is_private_is_for_the_user_himself, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_registrations_are_told, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_contacts_end_for_a_reason, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_dialogs_are_told, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_waiting_messages_are_told, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_options_say_what_is_served, set_up, flow_tear_down),
        cmocka_unit_test(test_who_watches_too_much_is_told_later),
        cmocka_unit_test(test_who_must_prove_who_he_is_is_asked_as_by_a_user_agent),
        cmocka_unit_test(test_what_is_not_served_here_is_forwarded),
    };

    return cmocka_run_group_tests_name("presence packages", tests, NULL, NULL);
}
