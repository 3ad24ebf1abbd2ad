// Documents as they leave: each body of each NOTIFY holds by the schema of its RFC, and counts its versions.
#include "document/summary.h"
#include "flow.h"
#include "requests.h"
#include "schema.h"
#include "sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCHERS 8 // at 192.0.2.20 and up
#define TYPES    (sizeof(types) / sizeof(*types))

static const struct {
    const char *type, *schema;
} types[] = {
    {"application/pidf+xml", "presence"},           {"application/pidf-diff+xml", "presence"},
    {"application/watcherinfo+xml", "watcherinfo"}, {"application/reginfo+xml", "reginfo"},
    {"application/dialog-info+xml", "dialog-info"}, {"application/rlmi+xml", "rlmi"},
    {"application/simple-message-summary", NULL},
};

struct checking {
    struct flow *flow;
    unsigned long seen; // of what left
    struct {
        char call[64];
        long version; // of the document before; -1: none
    } watcher[WATCHERS];
    unsigned found[TYPES];
};

static int set_up(void **state)
{
    struct checking *checking = calloc(1, sizeof(*checking));

    checking->flow = flow_open("policy = open\nnotify_interval = 0\nsource_max = 1000\n",
                               "[trust]\nnetworks = 192.0.2.77\n");
    *state = checking;
    return 0;
}

static int tear_down(void **state)
{
    struct checking *checking = *state;

    flow_close(checking->flow);
    free(checking);
    return 0;
}

// The text behind `name` up to one of `ends`, in memory of its own until four more.
static const char *value_of(const char *text, const char *name, const char *ends)
{
    static char room[4][1024];
    static unsigned turn;
    char *value = room[turn++ % 4];
    const char *at = strstr(text, name);

    assert_non_null(at);
    snprintf(value, sizeof(room[0]), "%.*s", (int)strcspn(at + strlen(name), ends), at + strlen(name));
    return value;
}

static unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

static void check_one(struct checking *checking, const char *type, struct slice body)
{
    static char again[DOCUMENT_SUMMARY_ROOM];
    struct document_text text = document_text_over(again, sizeof(again));
    struct document_summary summary;
    unsigned i = 0;

    while (i < TYPES && strcmp(types[i].type, type) != 0)
        i++;
    if (i == TYPES)
        fail_msg("no type of ours: %s", type);
    checking->found[i]++;
    if (types[i].schema != NULL) {
        assert_true(schema_holds(body, types[i].schema));
        return;
    }
    assert_int_equal(document_summary_read(body, &summary, &text), DOCUMENT_OK);
    assert_true(slice_equal(body, slice_of(text.at, text.len)));
}

// RFC 2046 5.1.1, RFC 4662 5: the list first; each part but this is that of one instance, which is named by it.
static void check_parts(struct checking *checking, const char *head, struct slice body)
{
    char boundary[128], cid[1100];
    int len = snprintf(boundary, sizeof(boundary), "\r\n--%s", value_of(head, "boundary=\"", "\""));
    const char *rlmi = NULL, *at = body.at, *end = body.at + body.len;
    unsigned parts = 0;

    assert_true(strncmp(at, boundary + 2, (size_t)len - 2) == 0);
    for (at += len - 2; strncmp(at, "--", 2) != 0; at += len, parts++) {
        const char *content = strstr(at, "\r\n\r\n") + 4, *next = strstr(content, boundary);
        assert_true(next != NULL && next < end);
        check_one(checking, value_of(at, "Content-Type: ", "\r"),
                  slice_of(content, (size_t)(next - content)));
        snprintf(cid, sizeof(cid), " cid=\"%s\"", value_of(at, "Content-ID: <", ">"));
        if (parts == 0)
            rlmi = strndup(content, (size_t)(next - content));
        else
            assert_int_equal(count_of(rlmi, cid), 1);
        at = next;
    }
    assert_int_equal(count_of(rlmi, " cid=\""), parts - 1);
    assert_int_equal(count_of(rlmi, " state=\"active\""), parts - 1); // RFC 4662 5.5
    assert_int_equal(count_of(rlmi, " state=\"terminated\" reason=\""), count_of(rlmi, "terminated"));
    free((void *)rlmi);
}

// RFC 3858 3, RFC 3680 5.1, RFC 4235 4.1, RFC 4662 5.2 from 0 on; RFC 5263 4.4 from 1 on.
static void check_version(struct checking *checking, const struct sent *sent, const char *body)
{
    const char *at = strstr(body, " version=\"1.0\"");
    const char *call = value_of(sent->bytes, "\r\nCall-ID: ", "\r");
    bool partial = strstr(body, "urn:ietf:params:xml:ns:pidf-diff") != NULL;
    unsigned i = 0;

    at = at != NULL ? strstr(at + 1, " version=\"") : NULL;
    if (at == NULL)
        return;
    while (i < WATCHERS && strcmp(checking->watcher[i].call, call) != 0)
        i++;
    if (i == WATCHERS) {
        for (i = 0; checking->watcher[i].call[0] != 0;)
            assert_true(++i < WATCHERS);
        strcpy(checking->watcher[i].call, call);
        checking->watcher[i].version = partial ? 0 : -1;
    }
    assert_int_equal(atol(at + strlen(" version=\"")), ++checking->watcher[i].version);
}

// The tag in the name of this resource's part: that of its content.
static const char *tag_of(const struct flow *flow, const char *uri)
{
    return strchr(value_of(strstr(flow->notify, uri), " cid=\"", "@"), '.');
}

// What left since the last look; returns how many had a body.
static unsigned check_all(struct checking *checking)
{
    struct flow *flow = checking->flow;
    struct test_outlet *o = flow->fixture->outlet;
    char address[ENDPOINT_TEXT_MAX + 16];
    unsigned n = 0;

    for (; checking->seen < o->sent_n; checking->seen++) {
        const struct sent *sent = &o->sent[checking->seen % OUTLET_SENT];
        if (strcmp(sent->method, "NOTIFY") != 0)
            continue;
        char *text = strndup(sent->bytes, sent->len), *body = strstr(text, "\r\n\r\n") + 4;
        struct slice bytes = slice_of(body, strlen(body));
        assert_int_equal(text + sent->len - body, bytes.len);
        assert_int_equal(atol(value_of(text, "\r\nContent-Length: ", "\r")), bytes.len);
        n += bytes.len > 0;
        if (bytes.len > 0) {
            check_version(checking, sent, body);
            body[-2] = 0;
            if (strstr(text, "\r\nContent-Type: multipart/related;") != NULL)
                check_parts(checking, text, bytes);
            else
                check_one(checking, value_of(text, "\r\nContent-Type: ", "\r"), bytes);
        }
        free(text);
        address[outlet_endpoint_write(&sent->to, address)] = 0;
        fixture_answer(flow->fixture, address, "NOTIFY", 200, "");
    }
    return n;
}

static unsigned check_soon(struct checking *checking, unsigned ms)
{
    unsigned n = 0;

    for (; ms > 0; ms -= 8) {
        flow_wait(checking->flow, 8);
        n += check_all(checking);
    }
    return n;
}

static void subscribe(struct checking *checking, unsigned watcher, const char *user, const char *lines)
{
    char request[2048], source[32];

    snprintf(source, sizeof(source), "192.0.2.%u:5060", 20 + watcher);
    snprintf(request, sizeof(request),
             "SUBSCRIBE sip:%s\nVia: SIP/2.0/UDP %s;branch=z9hG4bKw{n}\nCall-ID: w{n}\n"
             "Contact: <sip:%s>\nTo: <sip:%s>\n%s\n",
             user, source, source, user, lines);
    flow_request(checking->flow, source, request);
    assert_int_equal(checking->flow->fixture->verdict.status, 200);
    check_soon(checking, 8);
}

static void publish(struct checking *checking, const char *source, const char *user, const char *lines,
                    struct slice body)
{
    static char request[20000];

    snprintf(request, sizeof(request),
             "PUBLISH sip:%s\nVia: SIP/2.0/UDP %s;branch=z9hG4bKp{n}\nFrom: <sip:%s>;tag=p\nCall-ID: "
             "p{n}\n%s\n%.*s",
             user, source, user, lines, SLICE_PRINT(body));
    flow_request(checking->flow, source, request);
    assert_int_equal(checking->flow->fixture->verdict.status, 200);
}

#define WHOLE   "Event: presence\nAccept: application/pidf+xml"
#define PARTIAL "Event: presence\nAccept: application/pidf+xml, application/pidf-diff+xml"
#define LISTS                                                                                               \
    "Event: presence\nSupported: eventlist\nAccept: application/pidf+xml, application/rlmi+xml, multipart/" \
    "related"

// Publications in, documents out, as tests/document has them.
static void play_case(struct checking *checking, const struct sections *sections)
{
    bool dialog = slice_equal(sections->section[0].argument, SLICE("dialog"));
    const char *type = dialog ? "Event: dialog\nContent-Type: application/dialog-info+xml\n"
                              : "Event: presence\nContent-Type: application/pidf+xml\n";
    char user[64] = "alice@example.com", tag[64], lines[512];

    for (unsigned i = 0; i < sections->count; i++) {
        const struct section *section = &sections->section[i];
        if (slice_equal(section->name, SLICE("publication")) &&
            strstr(section->body.at, "entity=\"pres:") != NULL)
            strcpy(user, "someone@example.com");
        if (slice_equal(section->name, SLICE("registered")) && slice_starts(section->argument, SLICE("open")))
            fixture_bind(checking->flow->fixture, user, fixture_contact("sip:alice@192.0.2.9;x=\"<&>\""));
    }
    subscribe(checking, 0, user, dialog ? "Event: dialog" : WHOLE);
    subscribe(checking, 1, user, dialog ? "Event: dialog\nExpires: 0" : PARTIAL);
    for (unsigned i = 0; i < sections->count; i++) {
        const struct section *section = &sections->section[i];
        if (!slice_equal(section->name, SLICE("publication")))
            continue;
        publish(checking, BOB, user, type, section->body);
        strcpy(tag, checking->flow->etag);
        check_soon(checking, 16);
    }
    if (checking->flow->etag[0] == 0)
        return;
    snprintf(lines, sizeof(lines), "%sSIP-If-Match: %s\nExpires: 0\n", type, tag);
    publish(checking, BOB, user, lines, SLICE(""));
    check_soon(checking, 16);
}

static void test_every_case_leaves_as_a_valid_document(void **state)
{
    static char paths[64][512];
    static struct sections sections;
    unsigned n = sections_list(CASES_DIRECTORY, paths, 64);
    unsigned found[TYPES] = {0};

    (void)state;
    assert_true(n > 10);
    for (unsigned i = 0; i < n; i++) {
        struct checking *checking;
        assert_true(sections_load(&sections, paths[i]));
        set_up((void **)&checking);
        play_case(checking, &sections);
        for (unsigned type = 0; type < TYPES; type++)
            found[type] += checking->found[type];
        tear_down((void **)&checking);
    }
    assert_true(found[0] > 20 && found[1] > 20 && found[4] > 5);
}

// Names that break whatever does not escape them.
#define ODD "\"Eve <&> \\\"'\xc3\xa4\" <sip:eve&'@example.org;x=%22>;tag=e"

static void test_watchers_of_odd_names_are_told_in_valid_documents(void **state)
{
    struct checking *checking = *state;

    subscribe(checking, 0, "bob@example.com", "From: <sip:bob@example.com>;tag=b\nEvent: presence.winfo");
    subscribe(checking, 1, "bob@example.com", "From: " ODD "\nEvent: presence");
    subscribe(checking, 2, "bob@example.com", "From: <tel:+49-30-1>;tag=t\nEvent: presence;id=9");
    subscribe(checking, 3, "bob@example.com",
              "From: Eve <sip:eve@example.org>;tag=e\nEvent: presence\nExpires: 0");
    check_soon(checking, 16);
    assert_true(checking->found[2] >= 3);
}

static void test_registrations_of_odd_contacts_are_told_in_valid_documents(void **state)
{
    struct checking *checking = *state;
    struct fixture *f = checking->flow->fixture;

    subscribe(checking, 0, "bob@example.com", "From: <sip:bob@example.com>;tag=b\nEvent: reg");
    for (unsigned i = 0; i < 3; i++) {
        char request[1024];
        snprintf(request, sizeof(request),
                 "REGISTER sip:example.com\nFrom: <sip:bob@example.com>;tag=r\nTo: <sip:bob@example.com>\n"
                 "Call-ID: r\nCSeq: %u REGISTER\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKr%u\n"
                 "Contact: <sip:bob&'%%3c@192.0.2.9;x=%u?h=%%26&i=j>;expires=%u;q=0.25",
                 i + 1, i, i / 2, i == 2 ? 0 : 60);
        fixture_from(f, BOB, 0);
        fixture_request(f, request);
        assert_int_equal(f->verdict.status, 200);
        check_soon(checking, 16);
    }
    check_soon(checking, 70000);
    assert_true(checking->found[3] >= 3);
}

// What does not fit is left out, and the rest is told.
static void test_registrations_of_long_contacts_are_told_in_part(void **state)
{
    struct checking *checking = *state;
    char contact[512];

    for (unsigned i = 0; i < 31; i++) {
        snprintf(contact, sizeof(contact), "sip:bob%u@192.0.2.9;x=%0360u", i, 0);
        fixture_bind(checking->flow->fixture, "bob@example.com", fixture_contact(contact));
    }
    subscribe(checking, 0, "bob@example.com", "From: <sip:bob@example.com>;tag=b\nEvent: reg");
    assert_int_equal(checking->found[3], 1);
    flow_notifies(checking->flow);
    assert_in_range(count_of(checking->flow->notify, "<contact "), 25, 30);
}

static void test_a_mailbox_is_told_in_lines(void **state)
{
    struct checking *checking = *state;

    subscribe(checking, 0, "bob@example.com", "From: <sip:bob@example.com>;tag=b\nEvent: message-summary");
    publish(checking, "192.0.2.77:5060", "bob@example.com",
            "Event: message-summary\nContent-Type: application/simple-message-summary\n",
            SLICE("messages-waiting:yes\nMessage-Account:<sip:bob@example.com>\nVoice-Message: "
                  "1/0\n\nSubject: carpool"));
    check_soon(checking, 16);
    assert_int_equal(checking->found[6], 2);
}

static void test_lists_are_told_in_valid_parts(void **state)
{
    static const struct roster_member members[] = {
        {SLICE("sip:bob@example.com"), SLICE("bob@example.com"), SLICE("Bob \"<&>\"")},
        {SLICE("sip:carol@example.com;x=%26'"), SLICE("carol@example.com"), SLICE("\xc3\xa4")},
        {SLICE("sip:dave@example.com"), SLICE("dave@example.com"), SLICE("")},
        {SLICE("sip:frank@example.com"), SLICE("frank@example.com"), SLICE("")},
        {SLICE("sip:ed&co@example.net"), SLICE("ed&co@example.net"), SLICE("Ed")},
        {SLICE("tel:+4930"), SLICE("+4930"), SLICE("")},
    };
    struct checking *checking = *state;
    struct flow *flow = checking->flow;
    struct roster_draft draft;

    assert_int_equal(roster_list_draft(flow->roster, SLICE("friends@example.com"), members, 6, &draft), 0);
    roster_publish(flow->roster, &draft);
    assert_int_equal(
        roster_rule_draft(flow->roster, SLICE("dave@example.com"), SLICE("*"), ROSTER_CONFIRM, &draft), 0);
    roster_publish(flow->roster, &draft);
    assert_int_equal(roster_rule_draft(flow->roster, SLICE("frank@example.com"), SLICE("eve@example.com"),
                                       ROSTER_POLITE, &draft),
                     0);
    roster_publish(flow->roster, &draft);
    fixture_bind(flow->fixture, "carol@example.com", fixture_contact("sip:carol&'@192.0.2.12"));
    subscribe(checking, 0, "friends@example.com", LISTS);
    flow_notifies(flow);
    char tag[64];
    strcpy(tag, tag_of(flow, "sip:frank@"));
    subscribe(checking, 2, "frank@example.com", WHOLE);
    subscribe(checking, 3, "friends@example.com", "From: <sip:eve@example.com>;tag=e\n" LISTS);
    flow_notifies(flow);
    assert_string_equal(tag_of(flow, "sip:frank@"), tag); // RFC 3856 6.6.2: nothing tells that he blocks her
    publish(checking, BOB, "bob@example.com", "Event: presence", SLICE(BUSY_BODY));
    check_soon(checking, 1200);
    subscribe(checking, 1, "friends@example.com",
              "Event: dialog\nSupported: eventlist\n"
              "Accept: application/dialog-info+xml, application/rlmi+xml, multipart/related");
    publish(checking, BOB, "bob@example.com", "Event: dialog\nContent-Type: application/dialog-info+xml\n",
            SLICE("<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"1\" state=\"full\" "
                  "entity=\"sip:bob@example.com\"><dialog "
                  "id=\"a&amp;b\"><state>early</state></dialog></dialog-info>"));
    check_soon(checking, 1200);
    assert_true(checking->found[5] >= 4 && checking->found[0] >= 6 && checking->found[4] >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case_leaves_as_a_valid_document),
        cmocka_unit_test_setup_teardown(test_watchers_of_odd_names_are_told_in_valid_documents, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_registrations_of_odd_contacts_are_told_in_valid_documents,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_registrations_of_long_contacts_are_told_in_part, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_mailbox_is_told_in_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lists_are_told_in_valid_parts, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("presence documents", tests, NULL, NULL);
}
