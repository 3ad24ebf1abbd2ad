#include "scene.h"

#include <stdio.h>
#include <stdlib.h>

static const char base[] = "[server]\nserver_header =\n"
                           "[port p]\ndevice = net_null0\n"
                           "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
                           "[listener b]\naddress = 198.18.1.1:5060\nport = p\n"
                           "[listener six]\naddress = [2001:db8::1]:5060\nport = p\n"
                           "[domain main]\nnames = example.com, example.net, 198.18.1.1\n"
                           "[domain other.example]\n";

struct scene *scene_open(const char *sections)
{
    struct scene *s = calloc(1, sizeof(*s));
    struct hash_key key = {1, 2};
    struct location_limits limits = {.shards = 1, .bindings = 1000};
    char text[40000];

    assert_non_null(s);
    snprintf(text, sizeof(text), "%s%s", base, sections);
    struct conf *conf = conf_parse(text, strlen(text), "scene", stderr);
    assert_non_null(conf);
    assert_int_equal(gateway_states_create(&s->states, 1, &memory_system), 0);
    s->policy = role_policy_create(conf, s->states, &key, 1, SCENE_NOW_MS, stderr);
    assert_non_null(s->policy);
    s->qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(1));
    assert_non_null(s->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(s->qsbr, 1), 0);
    assert_int_equal(location_create(&s->location, &limits, &key, s->qsbr, &memory_system), 0);
    assert_int_equal(name_table_create(&s->names, 64, &key, s->qsbr, &memory_system), 0);
    s->role = (struct role){
        .policy = s->policy,
        .conf = conf,
        .route = s->policy->route,
        .workers_n = 1,
        .location = s->location,
        .names = s->names,
        .secret = {3, 4},
    };
    s->arrival.now = (struct clock){SCENE_NOW_MS, 1289690940};
    scene_from(s, "192.0.2.4:5060", 0);
    return s;
}

void scene_close(struct scene *s)
{
    role_policy_destroy(s->policy);
    gateway_states_destroy(s->states);
    location_destroy(s->location);
    name_table_destroy(s->names);
    free(s->qsbr);
    free(s);
}

void scene_from(struct scene *s, const char *source, unsigned listener)
{
    assert_true(endpoint_parse(slice_text(source), &s->arrival.source));
    s->arrival.listener = (uint8_t)listener;
    s->arrival.destination = s->role.conf->listeners[listener].address;
}

static bool mentions(const char *shorthand, const char *name)
{
    char line[64];

    snprintf(line, sizeof(line), "\n%s:", name);
    return strstr(shorthand, line) != NULL;
}

static size_t write_message(char *to, const char *shorthand)
{
    static const char *const usual[][2] = {
        {"Via", "SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8"},
        {"Max-Forwards", "70"},
        {"From", "<sip:alice@example.com>;tag=a1"},
        {"To", "<sip:bob@example.com>"},
        {"Call-ID", "c1@192.0.2.4"},
    };
    int first = (int)strcspn(shorthand, "\n");
    int len = sprintf(to, "%.*s SIP/2.0\r\n", first, shorthand);

    for (unsigned i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
        if (!mentions(shorthand, usual[i][0]))
            len += sprintf(to + len, "%s: %s\r\n", usual[i][0], usual[i][1]);
    }
    len += sprintf(to + len, "CSeq: 1 %.*s\r\n", (int)strcspn(shorthand, " "), shorthand);
    for (const char *at = shorthand + first; *at != 0;) {
        int line = (int)strcspn(++at, "\n");
        len += sprintf(to + len, "%.*s\r\n", line, at);
        at += line;
    }
    return (size_t)(len + sprintf(to + len, "\r\n"));
}

bool scene_take(struct scene *s, const char *shorthand)
{
    size_t len = write_message(s->bytes, shorthand);

    assert_int_equal(sip_message_parse(&s->message, s->bytes, len), SIP_OK);
    sip_edits_clear(&s->edits);
    memset(&s->verdict, 0, sizeof(s->verdict));
    memset(&s->request, 0, sizeof(s->request));
    s->tried.n = 0;
    role_steer(&s->role, &s->message, 1, &s->steered);
    s->request.role = &s->role;
    s->request.message = &s->message;
    s->request.steered = &s->steered;
    s->request.arrival = &s->arrival;
    s->request.verdict = &s->verdict;
    s->request.edits = &s->edits;
    assert_int_equal(role_request_parse(&s->request), SIP_OK);
    return role_routes_prepare(&s->request);
}

void scene_request(struct scene *s, const char *shorthand)
{
    if (!scene_take(s, shorthand))
        fail_msg("not served: %s", shorthand);
}

void scene_response(struct scene *s, const char *status, const char *lines)
{
    int len = sprintf(
        s->bytes,
        "%s\r\nVia: SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKours\r\n"
        "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8\r\nFrom: <sip:alice@example.com>;tag=a1\r\n"
        "To: <sip:bob@example.com>;tag=b1\r\nCall-ID: c1@192.0.2.4\r\n%s",
        status, strncmp(lines, "CSeq", 4) == 0 ? "" : "CSeq: 1 INVITE\r\n");

    while (*lines != 0) {
        int line = (int)strcspn(lines, "\n");
        len += sprintf(s->bytes + len, "%.*s\r\n", line, lines);
        lines += line + (lines[line] == '\n');
    }
    len += sprintf(s->bytes + len, "\r\n");
    sip_edits_clear(&s->edits);
    assert_int_equal(sip_message_parse(&s->message, s->bytes, (size_t)len), SIP_OK);
}

struct location_binding scene_contact(const char *contact)
{
    return (struct location_binding){
        .contact = slice_text(contact),
        .call_id = SLICE("r1"),
        .path = SLICE(""),
        .expires_ms = SCENE_NOW_MS + 3600000,
        .cseq = 1,
        .q = 1000,
    };
}

void scene_bind(struct scene *s, const char *aor, const struct location_binding *bindings, unsigned n)
{
    struct hash128 key = location_key(s->location, slice_text(aor));

    assert_int_equal(location_put(s->location, key, slice_text(aor), bindings, n, SCENE_NOW_MS), 0);
}

static const char *const transports[ENDPOINT_TRANSPORTS] = {"", "tcp:", "tls:", "ws:", "wss:"};

static bool read_endpoint(struct slice text, struct endpoint *endpoint)
{
    uint8_t transport = ENDPOINT_TRANSPORTS - 1;

    while (!slice_starts(text, slice_text(transports[transport])))
        transport--;
    uint32_t before = (uint32_t)strlen(transports[transport]);
    bool read = endpoint_parse(slice_of(text.at + before, text.len - before), endpoint);
    endpoint->transport = transport & 0xf;
    return read;
}

void scene_name(struct scene *s, const char *name, uint16_t port, const char *hops)
{
    const struct name_question question = {
        .name = slice_text(name), .port = port, .kind = NAME_SIP, .transport = NAME_TRANSPORT_ANY};

    scene_name_over(s, &question, hops);
}

void scene_name_over(struct scene *s, const struct name_question *question, const char *hops)
{
    struct name_answer *answer = calloc(1, sizeof(*answer) + NAME_HOPS_MAX * sizeof(answer->hops[0]));

    assert_non_null(answer);
    answer->expires_ms = SCENE_NOW_MS + 60000;
    answer->failed = *hops == '!';
    while (*hops != 0 && *hops != '!') {
        int len = (int)strcspn(hops, " ");
        struct name_hop *hop = &answer->hops[answer->hops_n];
        assert_true(read_endpoint(slice_of(hops, (size_t)len), &hop->endpoint));
        hop->priority = answer->hops_n++; // so that the order is the one written
        hops += len + (hops[len] == ' ');
    }
    assert_int_equal(name_put(s->names, question, answer, SCENE_NOW_MS), 0);
    free(answer);
}

void scene_enum(struct scene *s, const char *digits, const char *uri)
{
    struct name_question question = {.name = slice_text(digits), .kind = NAME_ENUM};
    struct name_answer answer = {.expires_ms = SCENE_NOW_MS + 60000, .uri = slice_text(uri)};

    assert_int_equal(name_put(s->names, &question, &answer, SCENE_NOW_MS), 0);
}

static int say_answer(const struct scene *s, char *text)
{
    bool any = s->verdict.name_transport >= ENDPOINT_TRANSPORTS || s->verdict.name_kind == NAME_ENUM;
    unsigned transport = any ? ENDPOINT_TRANSPORTS : s->verdict.name_transport;

    if (s->verdict.kind == VERDICT_PARK)
        return sprintf(text, "park %.*s:%u/%u%s%s", SLICE_PRINT(s->verdict.name), s->verdict.name_port,
                       s->verdict.name_kind, transport != ENDPOINT_TRANSPORTS ? "/" : "",
                       transport != ENDPOINT_TRANSPORTS ? transports[transport] : "");
    if (s->verdict.kind == VERDICT_DROP)
        return sprintf(text, "drop %s", drop_name((enum drop)s->verdict.drop));
    return sprintf(text, "%u", s->verdict.status);
}

static int say_target(struct scene *s, char *text)
{
    const struct role_target *target = &s->target;
    const struct sip_uri *uri = &s->request.uri;
    int len = sprintf(text, "%s", transports[target->hop.transport]);

    len += (int)endpoint_write(&target->hop, text + len);

    if (target->listener != CONF_NONE)
        len += sprintf(text + len, "/%d", target->listener);
    if (target->uri.at != NULL)
        len += sprintf(text + len, " %.*s%.*s", SLICE_PRINT(target->uri), SLICE_PRINT(target->uri_tail));
    else if (s->request.uri_rewritten)
        len += sprintf(text + len, " %.*s", SLICE_PRINT(uri->text));
    return len + sprintf(text + len, "%s", target->more ? " +" : "");
}

const char *scene_say(struct scene *s, const char *shorthand)
{
    static const char *const actions[] = {"location", "gateways", "hop", "numbers", "enum", "domain"};
    char *text = s->text;

    scene_request(s, shorthand);
    if (role_course_find(&s->request, &s->course) != ROLE_TARGET) {
        say_answer(s, text);
        return s->text;
    }
    text += sprintf(text, "%s", actions[s->course.action]);
    for (;;) {
        enum role_targeting next = role_target_next(&s->request, &s->course, &s->tried, &s->target);
        if (next == ROLE_TARGET_NONE)
            return s->text;
        text += sprintf(text, "; ");
        if (next == ROLE_TARGET_ANSWERED) {
            say_answer(s, text);
            return s->text;
        }
        text += say_target(s, text);
        s->tried.one[s->tried.n].hash = s->target.hash;
        s->tried.one[s->tried.n++].gateway = s->target.gateway;
    }
}

const char *scene_answer(struct scene *s)
{
    uint32_t len;
    char *to = s->text;

    assert_int_equal(
        sip_edits_write(&s->edits, slice_of(s->bytes, s->message.len), s->text, sizeof(s->text) - 1, &len),
        SIP_OK);
    for (uint32_t i = 0; i < len; i++) {
        if (s->text[i] != '\r')
            *to++ = s->text[i];
    }
    *to = 0;
    return s->text;
}

void scene_run(struct scene *s, const struct scene_case *cases, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *said = scene_say(s, cases[i].request);
        if (strcmp(said, cases[i].said) != 0)
            fail_msg("%s:\n%s\nis: %s\nnot: %s", cases[i].name, cases[i].request, said, cases[i].said);
    }
}
