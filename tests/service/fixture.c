#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "name/name.h"

#define HEADROOM 2048
#define NOW_MS   1000000
#define NOW_S    1289690940 // Sat, 13 Nov 2010 23:29:00 GMT

const char fixture_conf[] = "[server]\n"
                            "server_header =\n"
                            "record_route = yes\n"
                            "[registrar]\n"
                            "contacts_max = 3\n"
                            "[trust]\n"
                            "networks = 192.0.2.4\n"
                            "[port outside]\n"
                            "device = net_null0\n"
                            "[listener a]\n"
                            "address = 198.18.0.1:5060\n"
                            "port = outside\n"
                            "[listener b]\n"
                            "address = 198.18.1.1:5060\n"
                            "port = outside\n"
                            "[listener six]\n"
                            "address = [2001:db8::1]:5060\n"
                            "port = outside\n"
                            "[domain main]\n"
                            "names = example.com, example.net, 198.18.1.1\n"
                            "[domain move]\n"
                            "names = redirect.example\n"
                            "role = redirect\n"
                            "[domain many]\n"
                            "names = many.example\n"
                            "role = redirect\n"
                            "redirect_multiple = yes\n"
                            "[domain closed]\n"
                            "names = closed.example\n"
                            "registrar = no\n"
                            "[gateways gateways]\n"
                            "[gateway one]\n"
                            "group = gateways\n"
                            "address = 192.0.2.50:5070\n"
                            "[gateways far]\n"
                            "[gateway six]\n"
                            "group = far\n"
                            "address = [2001:db8::50]:5060\n"
                            "[gateways first]\n"
                            "[gateway two]\n"
                            "group = first\n"
                            "address = 192.0.2.51\n"
                            "[route specific]\n"
                            "domain = example.com\n"
                            "user = +4930*\n"
                            "action = gateways\n"
                            "gateways = first\n"
                            "[route numbers]\n"
                            "user = +*\n"
                            "action = gateways\n"
                            "gateways = gateways\n"
                            "[route partner]\n"
                            "domain = partner.example\n"
                            "action = gateways\n"
                            "gateways = far\n";

struct fixture *fixture_open(const char *text, unsigned workers)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct location_limits limits = {.shards = workers, .bindings = 1000};
    struct hash_key key = {1, 2};

    assert_non_null(f);
    f->conf = conf_parse(text, strlen(text), "fixture", stderr);
    assert_non_null(f->conf);
    assert_int_equal(gateway_states_create(&f->states, workers, &memory_system), 0);
    f->policy = role_policy_create(f->conf, f->states, &key, 1, NOW_MS, stderr);
    assert_non_null(f->policy);
    f->route = f->policy->route;
    f->qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(1));
    assert_non_null(f->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(f->qsbr, 1), 0);
    assert_int_equal(location_create(&f->location, &limits, &key, f->qsbr, &memory_system), 0);
    assert_int_equal(name_table_create(&f->names, 64, &key, f->qsbr, &memory_system), 0);
    f->role = (struct role){
        .workers_n = (uint16_t)workers,
        .location = f->location,
        .names = f->names,
        .gateways = f->states,
        .secret = {3, 4},
        .random = 5,
    };
    service_renew(&f->role, f->policy);
    f->arrival.now = (struct clock){NOW_MS, NOW_S};
    fixture_from(f, "192.0.2.4:5060", 0);
    return f;
}

void fixture_stateful(struct fixture *f, unsigned transactions)
{
    struct transaction_limits limits = {
        .records = transactions, .branches = 2 * transactions, .node = MEMORY_ANY_NODE};
    struct transaction_timers timers = {f->conf->t1_ms, f->conf->t2_ms, f->conf->t4_ms, f->conf->timer_c_ms};

    assert_int_equal(transaction_table_create(&f->role.transactions, &limits, &timers, &memory_system), 0);
    f->outlet = malloc(sizeof(*f->outlet));
    assert_non_null(f->outlet);
    outlet_open(f->outlet);
    f->role.outlet = f->outlet->outlet;
}

void fixture_close(struct fixture *f)
{
    if (f->outlet != NULL) {
        fixture_finish(f);
        outlet_close(f->outlet);
        free(f->outlet);
        transaction_table_destroy(f->role.transactions);
    }
    role_policy_destroy(f->policy);
    gateway_states_destroy(f->states);
    location_destroy(f->location);
    name_table_destroy(f->names);
    free(f->qsbr);
    free(f);
}

void fixture_advance(struct fixture *f, uint64_t ms)
{
    uint64_t until = f->arrival.now.ms + ms;

    while (f->arrival.now.ms < until) {
        f->arrival.now.ms += until - f->arrival.now.ms < 8 ? until - f->arrival.now.ms : 8;
        service_turn(&f->role, &f->arrival.now);
    }
}

void fixture_finish(struct fixture *f)
{
    struct transaction_usage usage;

    for (unsigned minutes = 0; minutes < 30; minutes++) {
        transaction_usage(f->role.transactions, &usage);
        if (usage.records == 0)
            break;
        fixture_advance(f, 60000);
    }
    transaction_usage(f->role.transactions, &usage);
    assert_int_equal(usage.records, 0);
    assert_int_equal(usage.branches, 0);
    assert_int_equal(f->outlet->buffers, 0);
}

void fixture_left(struct fixture *f, const char *name, const char *log)
{
    if (strcmp(f->outlet->log, log) != 0)
        fail_msg("%s\nleft:     %s\nexpected: %s", name, f->outlet->log, log);
    f->outlet->log[0] = 0;
}

static bool is_repeated(const char *line)
{
    static const char *const names[] = {"Via:", "v:", "From:", "To:", "Call-ID:", "CSeq:", "Record-Route:"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strncmp(line, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

void fixture_answer(struct fixture *f, const char *from, const char *method, unsigned status,
                    const char *lines)
{
    struct endpoint peer;
    char text[FIXTURE_BYTES];
    struct arrival before = f->arrival;

    assert_true(outlet_endpoint_read(from, &peer));
    const struct sent *sent = outlet_find(f->outlet, &peer, method);
    if (sent == NULL)
        fail_msg("no %s was sent to %s, but %s", method, from, f->outlet->log);
    int len = sprintf(text, "SIP/2.0 %u Said\n", status);
    for (const char *line = strstr(sent->bytes, "\r\n") + 2; *line != '\r'; line = strstr(line, "\r\n") + 2) {
        int line_len = (int)strcspn(line, "\r");
        bool tagged =
            strncmp(line, "To:", 3) != 0 || status == 100 || memmem(line, (size_t)line_len, "tag=", 4);
        if (is_repeated(line))
            len +=
                sprintf(text + len, "%.*s%s%s\n", line_len, line, tagged ? "" : ";tag=", tagged ? "" : from);
    }
    sprintf(text + len, "%sContent-Length: 0\n\n", lines);
    f->arrival.source = peer;
    f->arrival.listener = sent->listener;
    fixture_text(f, text);
    f->arrival = before;
}

void fixture_from(struct fixture *f, const char *source, unsigned listener)
{
    assert_true(outlet_endpoint_read(source, &f->arrival.source));
    f->arrival.listener = (uint8_t)listener;
    f->arrival.destination = f->conf->listeners[listener].address;
}

// Bytes of our token in a Record-Route that begins at `at`, or 0.
static unsigned token_len(struct slice at)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned len = 0;

    while (len < at.len && strchr(letters, at.at[len]) != NULL)
        len++;
    return len < at.len && at.at[len] == '@' && len >= 12 && len % 4 == 0 ? len : 0;
}

// LF for CRLF, and what a hash made by its name.
static void name_hashes(struct fixture *f)
{
    static const struct {
        const char *mark, *name;
        unsigned len;
    } hashes[] = {{"z9hG4bKstg.", "BRANCH", 49}, {"stg-", "TAG", 20}};
    static const char *const before[] = {"Record-Route: <sip:", "Record-Route: <sips:"};
    char *to = f->text;

    for (uint32_t i = 0; i < f->out.len;) {
        const char *at = f->out.at + i;
        unsigned taken = 0;
        for (unsigned h = 0; h < 2 && taken == 0; h++) {
            if (!slice_starts(slice_of(at, f->out.len - i), slice_text(hashes[h].mark)))
                continue;
            to = stpcpy(to, hashes[h].name);
            taken = hashes[h].len;
        }
        for (unsigned b = 0; b < 2 && taken == 0; b++) {
            size_t len = strlen(before[b]);
            if (i >= len && memcmp(at - len, before[b], len) == 0 &&
                (taken = token_len(slice_of(at, f->out.len - i))) > 0)
                to = stpcpy(to, "FLOW");
        }
        if (taken == 0 && *at != '\r')
            *to++ = *at;
        i += taken > 0 ? taken : 1;
    }
    *to = 0;
}

void fixture_bytes(struct fixture *f, const char *bytes, size_t len)
{
    struct sip_message message;
    struct sip_edited edited = {0, 0};
    struct steered steered;

    // served from memory that ends with the message, so that a sanitizer sees a read behind it
    char *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    assert_true(HEADROOM + len <= FIXTURE_BYTES);
    memcpy(exact, bytes, len);
    memcpy(f->buffer + HEADROOM, bytes, len);
    enum sip_error parsed = sip_message_parse(&message, exact, len);
    if (parsed == SIP_OK)
        parsed = sip_message_check(&message);
    sip_edits_clear(&f->edits);
    if (!f->merges)
        f->role.merged = (struct role_merged){0};
    memset(&f->verdict, 0xee, sizeof(f->verdict));
    if (f->outlet != NULL)
        f->outlet->unsound = parsed != SIP_OK;
    role_steer(&f->role, &message, 1, &steered);
    service_serve(&f->role, &message, parsed, &steered, &f->arrival, &f->verdict, &f->edits);
    free(exact);
    if (f->verdict.kind == VERDICT_FORWARD || f->verdict.kind == VERDICT_REPLY)
        assert_int_equal(sip_edits_apply(&f->edits, f->buffer + HEADROOM, message.len, HEADROOM,
                                         (uint32_t)(FIXTURE_BYTES - HEADROOM - message.len), &edited),
                         SIP_OK);
    f->out = slice_of(f->buffer + HEADROOM + edited.start, edited.len);
    if (f->outlet != NULL && (f->verdict.kind == VERDICT_FORWARD || f->verdict.kind == VERDICT_REPLY))
        outlet_note(f->outlet, f->out, &f->verdict.to, f->verdict.listener);
    if (f->outlet != NULL && f->verdict.kind != VERDICT_DROP && f->verdict.keep != NULL)
        *f->verdict.keep = outlet_buffer(f->outlet, f->out, &f->arrival);
    name_hashes(f);
}

void fixture_text(struct fixture *f, const char *text)
{
    char bytes[FIXTURE_BYTES];
    size_t len = 0;

    for (; *text != 0; text++) {
        if (*text == '\n')
            bytes[len++] = '\r';
        bytes[len++] = *text;
        assert_true(len < sizeof(bytes) - 2);
    }
    fixture_bytes(f, bytes, len);
}

// True when the shorthand has a line that begins with `name`, behind `before` if that is not 0.
static bool mentions(const char *shorthand, char before, const char *name)
{
    for (const char *line = strchr(shorthand, '\n'); line != NULL; line = strchr(line + 1, '\n')) {
        const char *at = line + 1;
        if (before != 0 && *at++ != before) // "-Name"
            continue;
        if (strncmp(at, name, strlen(name)) == 0 && (before != 0 || at[strlen(name)] == ':'))
            return true;
    }
    return false;
}

void fixture_request(struct fixture *f, const char *shorthand)
{
    static const char *const mandatory[][2] = {
        {"Via", "SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8"},
        {"Max-Forwards", "70"},
        {"From", "Alice <sip:alice@example.com>;tag=a1"},
        {"To", "Bob <sip:bob@example.com>"},
        {"Call-ID", "c1@192.0.2.4"},
    };
    char text[FIXTURE_BYTES];
    const char *end = strchrnul(shorthand, '\n');
    int method = (int)(strchr(shorthand, ' ') - shorthand);
    int len = sprintf(text, "%.*s SIP/2.0\n", (int)(end - shorthand), shorthand);

    for (unsigned i = 0; i < sizeof(mandatory) / sizeof(*mandatory); i++) {
        if (!mentions(shorthand, 0, mandatory[i][0]) && !mentions(shorthand, '-', mandatory[i][0]))
            len += sprintf(text + len, "%s: %s\n", mandatory[i][0], mandatory[i][1]);
    }
    if (!mentions(shorthand, 0, "CSeq") && !mentions(shorthand, '-', "CSeq"))
        len += sprintf(text + len, "CSeq: 1 %.*s\n", method, shorthand);
    while (*end != 0) {
        const char *line = end + 1;
        end = strchrnul(line, '\n');
        if (*line != '-')
            len += sprintf(text + len, "%.*s\n", (int)(end - line), line);
    }
    sprintf(text + len, "\n");
    fixture_text(f, text);
}

struct location_binding fixture_contact(const char *contact)
{
    return (struct location_binding){
        .contact = slice_text(contact),
        .call_id = SLICE("r1"),
        .path = SLICE(""),
        .expires_ms = NOW_MS + 3600000,
        .cseq = 1,
        .q = 1000,
    };
}

unsigned fixture_bindings(struct fixture *f, const char *aor,
                          struct location_binding bindings[LOCATION_CONTACTS_MAX])
{
    const struct location_set *set = location_find(f->location, location_key(f->location, slice_text(aor)));
    unsigned position = 0;
    unsigned n = 0;

    while (set != NULL && location_next(set, f->arrival.now.ms, &position, &bindings[n]))
        n++;
    return n;
}

void fixture_bind(struct fixture *f, const char *aor, struct location_binding binding)
{
    struct location_binding bindings[LOCATION_CONTACTS_MAX + 1] = {binding};
    unsigned n = fixture_bindings(f, aor, bindings + 1) + 1;
    struct hash128 key = location_key(f->location, slice_text(aor));

    assert_int_equal(location_put(f->location, key, slice_text(aor), bindings, n, 0), 0);
}

const char *fixture_verdict(const struct fixture *f)
{
    static char line[128];
    char to[ENDPOINT_TEXT_MAX + 16];

    if (f->verdict.kind == VERDICT_DROP) {
        snprintf(line, sizeof(line), "drop %s", drop_name((enum drop)f->verdict.drop));
        return line;
    }
    if (f->verdict.kind == VERDICT_PARK) {
        snprintf(line, sizeof(line), "park %.*s", SLICE_PRINT(f->verdict.name));
        return line;
    }
    int len = (int)outlet_endpoint_write(&f->verdict.to, to);
    if (f->verdict.kind == VERDICT_REPLY)
        snprintf(line, sizeof(line), "reply %u %.*s by %u", f->verdict.status, len, to, f->verdict.listener);
    else
        snprintf(line, sizeof(line), "forward %.*s by %u", len, to, f->verdict.listener);
    return line;
}

static const char *find_line(const char *text, const char *line, size_t len, bool whole)
{
    for (const char *at = text; at != NULL && *at != 0;
         at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : NULL) {
        if (strncmp(at, line, len) == 0 && (!whole || at[len] == '\n'))
            return at;
    }
    return NULL;
}

void fixture_expect(const struct fixture *f, const char *name, const char *summary)
{
    const char *verdict = fixture_verdict(f);
    const char *line = summary;
    const char *wrong = NULL;

    for (unsigned n = 0; line != NULL && *line != 0 && wrong == NULL; n++) {
        const char *end = strchrnul(line, '\n');
        size_t len = (size_t)(end - line);
        bool good;
        if (n == 0)
            good = strlen(verdict) == len && strncmp(verdict, line, len) == 0;
        else
            good = (find_line(f->text, line + 1, len - 1, *line == '+') != NULL) == (*line == '+');
        wrong = good ? NULL : line;
        line = *end != 0 ? end + 1 : NULL;
    }
    if (wrong != NULL)
        fail_msg("%s\nnot met: %.*s\nverdict: %s\n%s", name, (int)strcspn(wrong, "\n"), wrong, verdict,
                 f->text);
}

const char *fixture_line(const struct fixture *f, const char *prefix, char value[1024])
{
    const char *line = f->out.at;
    const char *end = f->out.at + f->out.len;

    while (line < end) {
        const char *stop = memchr(line, '\r', (size_t)(end - line));
        size_t len = (size_t)((stop != NULL ? stop : end) - line);
        if (slice_starts(slice_of(line, len), slice_text(prefix))) {
            snprintf(value, 1024, "%.*s", (int)(len - strlen(prefix)), line + strlen(prefix));
            return value;
        }
        line += len + 2;
    }
    fail_msg("no line that begins with %s in\n%s", prefix, f->text);
    return NULL;
}

void fixture_run(struct fixture *f, const struct fixture_case *cases, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fixture_from(f, cases[i].source != NULL ? cases[i].source : "192.0.2.4:5060", 0);
        fixture_request(f, cases[i].request);
        fixture_expect(f, cases[i].name, cases[i].summary);
    }
}
