// [proxy] nat = repair: whose Contact gets the address that its sender was seen at, and what stays of it.
#include "lines.h"
#include "scene.h"

#include <stdio.h>

#include "proxy/core.h"

#define NAT     "203.0.113.7:40000"
#define NAT_SIX "[2001:db8::7]:40000"

static int set_up(void **state)
{
    struct scene *s = scene_open("[proxy]\nnat = repair\n");

    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    scene_close(*state);
    return 0;
}

struct contact_case {
    const char *name, *source, *message, *contact; // NULL: it stays
};

#define VIA "Via: SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bKn\n"

static const struct contact_case requests[] = {
    {"a private address", NAT, "INVITE sip:bob@example.com\n" VIA "Contact: <sip:alice@10.0.0.7>",
     "Contact: <sip:alice@203.0.113.7:40000>"},
    {"with a port", NAT, "INVITE sip:bob@example.com\n" VIA "Contact: <sip:alice@10.0.0.7:5062>",
     "Contact: <sip:alice@203.0.113.7:40000>"},
    {"with everything around it", NAT,
     "UPDATE sip:bob@example.com\n" VIA "m: \"A, B\" "
     "<sip:al%20ice:pw@10.0.0.7:5062;transport=udp;ob?Subject=x>;q=0.5;+sip.instance=\"<urn:uuid:1>\"",
     "m: \"A, B\" "
     "<sip:al%20ice:pw@203.0.113.7:40000;transport=udp;ob?Subject=x>;q=0.5;+sip.instance=\"<urn:uuid:1>\""},
    {"with headers alone", NAT, "REFER sip:bob@example.com\n" VIA "Contact: <sip:10.0.0.7?Subject=x>",
     "Contact: <sip:203.0.113.7:40000?Subject=x>"},
    {"without angle brackets", NAT,
     "SUBSCRIBE sip:bob@example.com\n" VIA "Contact: sip:alice@10.0.0.7:5070;expires=7",
     "Contact: sip:alice@203.0.113.7:40000;expires=7"},
    {"an IPv6 one", NAT_SIX,
     "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP [fd00::7];rport;branch=z9hG4bKn\nContact: "
     "<sip:alice@[fd00::7]:5061;ob>",
     "Contact: <sip:alice@[2001:db8::7]:40000;ob>"},
    {"a name behind a Via that differs", NAT,
     "NOTIFY sip:bob@example.com\n" VIA "Contact: <sip:alice@phone.local>",
     "Contact: <sip:alice@203.0.113.7:40000>"},
    {"not of a registration", NAT, "REGISTER sip:example.com\n" VIA "Contact: <sip:alice@10.0.0.7>", NULL},
    {"not of a request without remote target", NAT,
     "BYE sip:bob@example.com\n" VIA "Contact: <sip:alice@10.0.0.7>", NULL},
    {"not behind a proxy", NAT,
     "INVITE sip:bob@example.com\n" VIA
     "Via: SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKo\nContact: <sip:alice@10.0.0.7>",
     NULL},
    {"not where nothing differs", "192.0.2.4:5060",
     "INVITE sip:bob@example.com\nContact: <sip:alice@192.0.2.4>", NULL},
    {"not a number", "192.0.2.4:5060", "INVITE sip:bob@example.com\nContact: <tel:+4930>", NULL},
    {"not a broken one", NAT, "INVITE sip:bob@example.com\n" VIA "Contact: <sip:alice@10.0.0.7", NULL},
    {"none", NAT, "INVITE sip:bob@example.com\n" VIA "Subject: x", NULL},
};

static void check(struct scene *s, const struct contact_case *one)
{
    char before[SCENE_BYTES];

    strcpy(before, scene_answer(s));
    proxy_contact_note(&s->role, &s->message, &s->arrival.source, &s->edits);
    const char *after = scene_answer(s);
    if (one->contact == NULL ? strcmp(before, after) != 0 : !lines_have(after, one->contact))
        fail_msg("%s\n%s", one->name, after);
}

static void test_contact_of_a_request_gets_its_source(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        scene_from(s, requests[i].source, 0);
        scene_request(s, requests[i].message);
        check(s, &requests[i]);
    }
}

static const struct {
    struct contact_case one;
    const char *status, *lines;
} responses[] = {
    {{"a 200 to INVITE", NAT, NULL, "Contact: <sip:bob@203.0.113.7:40000;ob>"},
     "SIP/2.0 200 OK",
     "CSeq: 1 INVITE\nContact: <sip:bob@10.0.0.9:5060;ob>"},
    {{"a 180, which makes an early dialog", NAT, NULL, "Contact: <sip:bob@203.0.113.7:40000>"},
     "SIP/2.0 180 Ringing",
     "CSeq: 1 INVITE\nRecord-Route: <sip:198.18.0.1:5060;lr>\nContact: <sip:bob@10.0.0.9>"},
    {{"not behind a proxy that stays in the dialog", NAT, NULL, NULL},
     "SIP/2.0 200 OK",
     "CSeq: 1 INVITE\nRecord-Route: <sip:192.0.2.40;lr>, <sip:198.18.0.1:5060;lr>\nContact: "
     "<sip:bob@10.0.0.9>"},
    {{"not a public one", NAT, NULL, NULL}, "SIP/2.0 200 OK", "CSeq: 1 INVITE\nContact: <sip:bob@192.0.2.9>"},
    {{"not of a redirection", NAT, NULL, NULL},
     "SIP/2.0 302 Moved Temporarily",
     "CSeq: 1 INVITE\nContact: <sip:bob@10.0.0.9>"},
    {{"not the bindings of a registrar", NAT, NULL, NULL},
     "SIP/2.0 200 OK",
     "CSeq: 1 REGISTER\nContact: <sip:bob@10.0.0.9>;expires=60, <sip:bob@10.0.0.10>;expires=60"},
};

static void test_contact_of_a_response_gets_its_source(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 0; i < sizeof(responses) / sizeof(*responses); i++) {
        scene_from(s, responses[i].one.source, 0);
        scene_response(s, responses[i].status, responses[i].lines);
        check(s, &responses[i].one);
    }
}

static void test_nothing_is_done_when_it_is_not_asked_for(void **state)
{
    struct scene *s = *state;
    struct contact_case one = requests[0];

    s->policy->conf->nat_dialog = CONF_NAT_DIALOG_FLOW;
    one.contact = NULL;
    scene_from(s, one.source, 0);
    scene_request(s, one.message);
    check(s, &one);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_contact_of_a_request_gets_its_source),
        TEST(test_contact_of_a_response_gets_its_source),
        TEST(test_nothing_is_done_when_it_is_not_asked_for),
    };

    return cmocka_run_group_tests_name("contact", tests, NULL, NULL);
}
