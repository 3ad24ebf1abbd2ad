#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#define WATCHER "192.0.2.4:5060"

static const char base[] = "[server]\nserver_header =\nrecord_route = no\n"
                           "[port p]\ndevice = net_null0\n"
                           "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
                           "[listener six]\naddress = [2001:db8::1]:5060\nport = p\n"
                           "[domain example.com]\n"
                           "[presence]\nserve = yes\npresentities_max = 64\npublications_max = 64\n"
                           "subscriptions_max = 256\n";

void flow_start(struct flow *flow)
{
    struct fixture *f = flow->fixture;
    const struct hash_key key = {11, 12};
    const struct presence_setup setup = {
        .conf = f->conf,
        .key = &key,
        .qsbr = f->qsbr,
        .memory = &memory_system,
        .salt = 13,
        .workers = 1,
        .node = MEMORY_ANY_NODE,
    };

    assert_int_equal(presence_create(&flow->presence, &setup), 0);
    flow->all[0] = flow->presence;
    presence_join(flow->presence, flow->all, 1);
    f->role.presence = flow->presence;
    f->role.subscriptions = presence_table(flow->presence);
}

void flow_stop(struct flow *flow)
{
    flow->fixture->role.presence = NULL;
    flow->fixture->role.subscriptions = NULL;
    presence_destroy(flow->presence);
}

struct flow *flow_open(const char *presence, const char *sections)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    char text[4096];

    assert_non_null(flow);
    snprintf(text, sizeof(text), "%s%s\n%s", base, presence, sections);
    struct fixture *f = flow->fixture = fixture_open(text, 1);
    const struct hash_key key = {11, 12};
    const struct roster_limits limits = {.rules = 64, .members = 1024};
    assert_int_equal(roster_create(&flow->roster, &limits, &key, f->qsbr, &memory_system), 0);
    fixture_stateful(f, 64);
    f->role.roster = flow->roster;
    flow_start(flow);
    return flow;
}

void flow_close(struct flow *flow)
{
    flow_stop(flow);
    roster_destroy(flow->roster);
    fixture_close(flow->fixture);
    free(flow);
}

int flow_tear_down(void **state)
{
    flow_close(*state);
    return 0;
}

void flow_rule(struct flow *flow, const char *watcher, enum roster_decision decision)
{
    struct roster_draft draft;

    assert_int_equal(
        roster_rule_draft(flow->roster, SLICE("bob@example.com"), slice_text(watcher), decision, &draft), 0);
    roster_publish(flow->roster, &draft);
    service_touch(&flow->fixture->role, location_key(flow->fixture->location, SLICE("bob@example.com")));
}

static void copy_value(char *to, size_t room, const char *text, const char *before, const char *ends)
{
    const char *at = strstr(text, before);

    if (at != NULL)
        snprintf(to, room, "%.*s", (int)strcspn(at + strlen(before), ends), at + strlen(before));
}

// With what the flow knows in place of names.
static char *filled(const struct flow *flow, const char *text)
{
    static char room[4][20000];
    static unsigned turn;
    char *result = room[turn++ % 4], *to = result;
    char number[16];

    snprintf(number, sizeof(number), "%u", flow->n);
    const struct {
        const char *name, *value;
    } known[] = {
        {"{tag}", flow->tag},       {"{etag}", flow->etag}, {"{version}", flow->version},
        {"{target}", flow->target}, {"{call}", flow->call}, {"{n}", number},
    };
    while (*text != 0) {
        unsigned i = 0;
        while (i < 6 && strncmp(text, known[i].name, strlen(known[i].name)) != 0)
            i++;
        if (i == 6) {
            *to++ = *text++;
            continue;
        }
        to = stpcpy(to, known[i].value);
        text += strlen(known[i].name);
    }
    *to = 0;
    return result;
}

void flow_request(struct flow *flow, const char *source, const char *request)
{
    struct fixture *f = flow->fixture;

    flow->n++;
    fixture_from(f, source != NULL ? source : WATCHER, 0);
    char *text = filled(flow, request);
    for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n'; len--)
        text[len - 1] = 0; // an empty line is where a body begins
    fixture_request(f, text);
    if (f->verdict.kind == VERDICT_REPLY && f->verdict.status / 100 == 2) {
        copy_value(flow->tag, sizeof(flow->tag), f->text, "tag=stp-", ";\n");
        if (flow->tag[0] != 0 && strncmp(flow->tag, "stp-", 4) != 0) {
            memmove(flow->tag + 4, flow->tag, strlen(flow->tag) + 1);
            memcpy(flow->tag, "stp-", 4);
        }
        copy_value(flow->etag, sizeof(flow->etag), f->text, "SIP-ETag: ", "\n");
        copy_value(flow->target, sizeof(flow->target), f->text, "Contact: <", ">");
    }
}

void flow_wait(struct flow *flow, unsigned ms)
{
    fixture_advance(flow->fixture, ms);
}

unsigned flow_notifies(struct flow *flow)
{
    struct test_outlet *o = flow->fixture->outlet;
    unsigned n = 0;

    for (; flow->seen < o->sent_n; flow->seen++) {
        const struct sent *sent = &o->sent[flow->seen % OUTLET_SENT];
        if (strcmp(sent->method, "NOTIFY") != 0)
            continue;
        char *to = flow->notify;
        n++;
        for (uint32_t i = 0; i < sent->len; i++) {
            if (sent->bytes[i] != '\r')
                *to++ = sent->bytes[i];
        }
        *to = 0;
        copy_value(flow->call, sizeof(flow->call), flow->notify, "Call-ID: ", "\n");
        copy_value(flow->version, sizeof(flow->version), flow->notify, "SIP-ETag: ", "\n");
    }
    return n;
}

void flow_answer(struct flow *flow, unsigned status, const char *header)
{
    const struct sent *sent = outlet_find(flow->fixture->outlet, NULL, "NOTIFY");
    char address[ENDPOINT_TEXT_MAX + 17];

    assert_non_null(sent);
    address[outlet_endpoint_write(&sent->to, address)] = 0;
    fixture_answer(flow->fixture, address, "NOTIFY", status, header != NULL ? header : "");
}

static bool has_line(const char *text, const char *line, bool whole)
{
    size_t len = strlen(line);

    for (const char *at = text; at != NULL; at = strchr(at, '\n'), at = at != NULL ? at + 1 : NULL) {
        if (strncmp(at, line, len) == 0 && (!whole || at[len] == '\n' || at[len] == 0))
            return true;
    }
    return false;
}

void flow_expect(const char *what, const char *text, const char *summary)
{
    char *lines = strdup(summary), *rest = lines;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        bool good = true;
        switch (*line) {
        case '+':
            good = has_line(text, line + 1, true);
            break;
        case '-':
            good = !has_line(text, line + 1, false);
            break;
        case '~':
            good = strstr(text, line + 1) != NULL;
            break;
        case '!':
            good = strstr(text, line + 1) == NULL;
            break;
        default:
            good = *line == 0;
        }
        if (!good)
            fail_msg("%s\nnot met: %s\n%s", what, line, text);
    }
    free(lines);
}

static void check_answer(struct flow *flow, const struct flow_step *step)
{
    struct fixture *f = flow->fixture;
    const char *lines = strchrnul(step->answer, '\n');
    unsigned status = (unsigned)atoi(step->answer);

    if (status == 0) {
        fixture_expect(f, step->what, step->answer);
        return;
    }
    if (f->verdict.kind != VERDICT_REPLY || f->verdict.status != status)
        fail_msg("%s\nexpected: %u\nverdict: %s\n%s", step->what, status, fixture_verdict(f), f->text);
    if (*lines != 0)
        flow_expect(step->what, f->text, filled(flow, lines + 1));
}

void flow_step(struct flow *flow, const struct flow_step *step)
{
    unsigned expected = step->notifies > 0 ? step->notifies : step->notify != NULL;

    if (step->request != NULL) {
        flow_request(flow, step->source, step->request);
        if (step->answer != NULL)
            check_answer(flow, step);
    }
    unsigned n = 0;
    for (unsigned ms = 0; ms < step->until_ms && n == 0; ms += 8) {
        flow_wait(flow, 8);
        n = flow_notifies(flow);
    }
    flow_wait(flow, step->wait_ms > 0 ? step->wait_ms : 8);
    n += flow_notifies(flow);
    if (n != expected)
        fail_msg("%s\n%u NOTIFYs, expected %u; the last:\n%s", step->what, n, expected, flow->notify);
    if (step->notify != NULL)
        flow_expect(step->what, flow->notify, filled(flow, step->notify));
    if (step->status != 0)
        flow_answer(flow, step->status, step->header);
}

void flow_steps(struct flow *flow, const struct flow_step *steps, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        flow_step(flow, &steps[i]);
}
