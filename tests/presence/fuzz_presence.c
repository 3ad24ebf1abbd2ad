// The presence server: the input is a story of messages with time between them.
//
// The input's parts are separated by '|', and the first letter of each says what happens:
//   qSHORTHAND   a request, as fixture.h writes it, with flow.h's {tag}, {etag}, {version}, {target}, {call}, {n}
//   !TEXT        a message with nothing filled in      aCODELINES  the answer of three digits to the newest NOTIFY
//   tC           time passes                           u           the network has no way for the newest NOTIFY
//   dC           a rule for whoever watches bob        m           bob's list of friends changes
//   gSHORTHAND   a request of a trusted gateway        pC          another policy
// In the end what is under way is given up, and no buffer may be left.
#include "../sip/fuzz.h"
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 6000
#define PARTS    24

static unsigned take(struct slice *part, unsigned limit)
{
    unsigned number = part->len > 0 ? (uint8_t)part->at[0] : '0';

    if (part->len > 0)
        *part = slice_of(part->at + 1, part->len - 1);
    return (number - '0') % limit;
}

static void answer(struct flow *flow, struct slice part)
{
    unsigned status = 100 * (1 + take(&part, 6)) + 10 * take(&part, 10);
    char lines[512];

    status += take(&part, 10);
    snprintf(lines, sizeof(lines), "%.*s\n", (int)part.len, part.at);
    if (outlet_find(flow->fixture->outlet, NULL, "NOTIFY") != NULL && strlen(lines) < 400)
        flow_answer(flow, status, lines);
}

static void unreachable(struct flow *flow)
{
    const struct sent *sent = outlet_find(flow->fixture->outlet, NULL, "NOTIFY");

    if (sent != NULL)
        service_unreachable(&flow->fixture->role, slice_of(sent->bytes, sent->len),
                            &flow->fixture->arrival.now);
}

static void decide(struct flow *flow, enum roster_decision decision)
{
    struct roster_draft draft;

    if (decision == ROSTER_UNDECIDED)
        roster_rule_remove(flow->roster, SLICE("bob@example.com"), SLICE("*"));
    else if (roster_rule_draft(flow->roster, SLICE("bob@example.com"), SLICE("*"), decision, &draft) == 0)
        roster_publish(flow->roster, &draft);
    service_touch(&flow->fixture->role, location_key(flow->fixture->location, SLICE("bob@example.com")));
}

static void befriend(struct flow *flow, unsigned n)
{
    static const struct roster_member members[] = {
        {SLICE("sip:bob@example.com"), SLICE("bob@example.com"), SLICE("Bob")},
        {SLICE("sip:carol@example.com"), SLICE("carol@example.com"), SLICE("<Carol>")},
        {SLICE("tel:+4930"), SLICE("+4930"), SLICE("")},
    };
    struct roster_draft draft;

    if (n == 0)
        roster_list_remove(flow->roster, SLICE("friends@example.com"));
    else if (roster_list_draft(flow->roster, SLICE("friends@example.com"), members, n, &draft) == 0)
        roster_publish(flow->roster, &draft);
}

static void play(struct flow *flow, struct slice part)
{
    static const unsigned waits[] = {0, 8, 100, 300, 1000, 3000};
    char text[TEXT_MAX + 1];
    unsigned what = part.len > 0 ? (uint8_t)part.at[0] : 0;

    if (part.len < 1 || part.len > TEXT_MAX || memchr(part.at, 0, part.len) != NULL)
        return;
    part = slice_of(part.at + 1, part.len - 1);
    memcpy(text, part.at, part.len);
    text[part.len] = 0;
    switch (what) {
    case 'q':
        if (strchrnul(text, ' ') < strchrnul(text, '\n'))
            flow_request(flow, NULL, text);
        break;
    case 'g':
        if (strchrnul(text, ' ') < strchrnul(text, '\n'))
            flow_request(flow, "192.0.2.77:5060", text);
        break;
    case 'p':
        flow->fixture->conf->presence_policy = (enum conf_presence_policy)take(&part, 3);
        service_renew(&flow->fixture->role, flow->fixture->policy);
        break;
    case '!':
        fixture_text(flow->fixture, text);
        break;
    case 'a':
        answer(flow, part);
        break;
    case 't':
        flow_wait(flow, waits[take(&part, 6)]);
        break;
    case 'u':
        unreachable(flow);
        break;
    case 'd':
        decide(flow, (enum roster_decision)take(&part, ROSTER_DECISIONS));
        break;
    case 'm':
        befriend(flow, take(&part, 4));
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\nexpires_min = 1\npublish_min = 1\n",
                                  "[transaction]\nt1 = 50ms\nt2 = 200ms\n[trust]\nnetworks = 192.0.2.77\n");

    flow->fixture->merges = true;
    befriend(flow, 3);
    for (unsigned parts = 0; parts < PARTS && rest.len > 0; parts++) {
        uint32_t end = slice_find(rest, '|');
        play(flow, slice_of(rest.at, end));
        rest = end < rest.len ? slice_of(rest.at + end + 1, rest.len - end - 1) : SLICE("");
    }
    flow_wait(flow, 4000);
    flow_close(flow);
    return 0;
}
