// What a proxy and a registrar make of the messages of RFC 4475 and RFC 5118, by the table in tests/sip/torture.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "sip/via.h"
#include "torture.h"

#define PORTS \
    "[server]\nserver_header =\n[trust]\nnetworks = 0.0.0.0/0, ::/0\n[port outside]\ndevice = net_null0\n"
#define FOUR "[listener a]\naddress = 198.18.0.1:5060\nport = outside\n"

// The Via under which this server would have sent the request on.
#define OUR_VIA "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKstg.000000ffffffffaaaaaaaaaaaaaaaabbbbbbbb"

// Everything that the messages are for has a next hop, and REGISTER is somebody else's.
static const char proxy_conf[] =
    PORTS FOUR "[listener six]\naddress = [2001:db8::ffff]:5060\nport = outside\n"
               "[domain main]\nregistrar = no\n"
               "names = example.com, example.net, company.com, services.example.com\n"
               "[gateways next]\n[gateway next]\ngroup = next\naddress = 192.0.2.200\n"
               "[route own]\ndomain = example.com\naction = gateways\ngateways = next\n"
               "[route registrar]\ndomain = registrar.example.com\naction = gateways\ngateways = next\n"
               "[route host]\ndomain = host.example.net\naction = gateways\ngateways = next\n";

static const char registrar_conf[] =
    PORTS FOUR "[listener six]\naddress = [2001:db8::10]:5060\nport = outside\n"
               "[listener other]\naddress = [2001:db8::10]:5070\nport = outside\n"
               "[domain main]\nnames = example.com\n";

static struct fixture *proxy, *registrar;

// What the DNS says; `hop` NULL: there is no such name.
static void know(struct fixture *f, const char *name, const char *hop)
{
    struct name_question question = {
        .name = slice_text(name), .kind = NAME_SIP, .transport = NAME_TRANSPORT_ANY};
    struct name_answer *answer = calloc(1, sizeof(*answer) + sizeof(answer->hops[0]));

    assert_non_null(answer);
    answer->expires_ms = f->arrival.now.ms + 3600000;
    answer->hops_n = hop != NULL;
    assert_true(hop == NULL || endpoint_parse(slice_text(hop), &answer->hops[0].endpoint));
    assert_int_equal(name_put(f->names, &question, answer, f->arrival.now.ms), 0);
    free(answer);
}

static int set_up(void **state)
{
    (void)state;
    proxy = fixture_open(proxy_conf, 1);
    registrar = fixture_open(registrar_conf, 1);
    know(proxy, "chair-dnrc.example.com", "192.0.2.200:5060"); // in a dialog, where no rule is asked
    know(registrar, "registrar.example.com", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(proxy);
    fixture_close(registrar);
    return 0;
}

static char *copy_to(char *to, const char *from, const char *end)
{
    memcpy(to, from, (size_t)(end - from));
    return to + (end - from);
}

// A response comes to us for a request that we sent on: our Via stands on top of the one it has, or in the place of
// the first of two.
static struct slice addressed_to_us(struct slice bytes, char room[FIXTURE_BYTES])
{
    struct sip_message message;
    const char *end = bytes.at + bytes.len;
    char *to = room;

    sip_message_parse(&message, bytes.at, bytes.len);
    if (message.kind != SIP_RESPONSE)
        return bytes;
    unsigned via = message.first[SIP_HEADER_VIA];
    bool only = sip_message_next(&message, via) == SIP_NO_LINE;
    to = copy_to(to, bytes.at, bytes.at + message.lines[via].name);
    to = stpcpy(to, "Via: " OUR_VIA "\r\n");
    to = copy_to(to, bytes.at + (only ? message.lines[via].name : sip_message_line_end(&message, via)), end);
    return slice_of(room, (size_t)(to - room));
}

static void serve(struct fixture *f, struct slice bytes, const char *section)
{
    bool six = strncmp(section, "5118", 4) == 0;

    fixture_from(f, six ? "[2001:db8::9:1]:5060" : "192.0.2.4:5060", six ? 1 : 0);
    fixture_bytes(f, bytes.at, bytes.len);
}

static void serve_named(struct fixture *f, const char *name)
{
    static char room[FIXTURE_BYTES];

    for (unsigned i = 0; i < torture_n; i++) {
        if (strcmp(torture[i].name, name) == 0) {
            serve(f, addressed_to_us(torture_read(name), room), torture[i].section);
            return;
        }
    }
    fail_msg("no message has the name %s", name);
}

// "forward", "drop" or the status of the answer.
static const char *verdict(const struct fixture *f)
{
    static char status[16];

    if (f->verdict.kind != VERDICT_REPLY)
        return f->verdict.kind == VERDICT_FORWARD ? "forward"
               : f->verdict.kind == VERDICT_PARK  ? "park"
                                                  : "drop";
    snprintf(status, sizeof(status), "%u", f->verdict.status);
    return status;
}

static bool is_as_asked(const struct fixture *f, const char *asked)
{
    return strcmp(asked, "-") == 0 || strcmp(asked, verdict(f)) == 0;
}

static void test_the_roles_verdict_on_each(void **state)
{
    unsigned wrong = 0;

    (void)state;
    printf("%-30s %-14s %-16s %-8s %-9s\n", "message", "RFC", "parser", "proxy", "registrar");
    for (unsigned i = 0; i < torture_n; i++) {
        const struct torture *t = &torture[i];
        serve_named(proxy, t->name);
        serve_named(registrar, t->name);
        printf("%-30s %-14s %-16s %-8s %-9s %s\n", t->name, t->section, torture_error_name(t->error),
               t->proxy, t->registrar, t->why);
        if (!is_as_asked(proxy, t->proxy) && ++wrong)
            printf("%30s but the proxy's is %s\n", "", fixture_verdict(proxy));
        if (!is_as_asked(registrar, t->registrar) && ++wrong)
            printf("%30s but the registrar's is %s\n", "", fixture_verdict(registrar));
    }
    assert_int_equal(wrong, 0);
}

// The next line that a proxy must not touch, with its line end; empty behind the last. Of Via, `vias` are its own.
static struct slice next_kept(const struct sip_message *message, unsigned *line, unsigned *vias)
{
    while (*line < message->lines_n) {
        unsigned at = (*line)++, id = message->lines[at].id;
        if (id == SIP_HEADER_VIA && *vias > 0) {
            --*vias;
            continue;
        }
        if (id == SIP_HEADER_MAX_FORWARDS || id == SIP_HEADER_MAX_BREADTH || id == SIP_HEADER_ROUTE ||
            id == SIP_HEADER_RECORD_ROUTE)
            continue;
        uint16_t from = message->lines[at].name;
        return slice_of(message->bytes + from, (size_t)(sip_message_line_end(message, at) - from));
    }
    return slice_of("", 0);
}

static void assert_rest_is_kept(const char *name, const struct sip_message *in, const struct sip_message *out)
{
    unsigned in_line = 0, out_line = 0;
    bool response = in->kind == SIP_RESPONSE;
    unsigned in_vias = 1, out_vias = response ? 0 : 2; // the one that is stamped, and ours

    for (;;) {
        struct slice kept = next_kept(in, &in_line, &in_vias), is = next_kept(out, &out_line, &out_vias);
        if (!slice_equal(kept, is))
            fail_msg("%s: %.*s became %.*s", name, SLICE_PRINT(kept), SLICE_PRINT(is));
        if (kept.len == 0)
            break;
    }
    assert_true(slice_equal(slice_of(in->bytes + in->body, in->body_len),
                            slice_of(out->bytes + out->body, out->body_len)));
}

// RFC 3261 16.6, 16.11: what a proxy has no reason to change, it does not, however odd.
static void test_what_is_forwarded_is_sound_and_else_untouched(void **state)
{
    static struct sip_message in, out;
    static char room[FIXTURE_BYTES];

    (void)state;
    for (unsigned i = 0; i < torture_n; i++) {
        if (strcmp(torture[i].proxy, "forward") != 0)
            continue;
        serve_named(proxy, torture[i].name);
        assert_int_equal(proxy->verdict.kind, VERDICT_FORWARD);
        struct slice bytes = addressed_to_us(torture_read(torture[i].name), room);
        assert_int_equal(sip_message_parse(&in, bytes.at, bytes.len), SIP_OK);
        assert_int_equal(sip_message_parse(&out, proxy->out.at, proxy->out.len), SIP_OK);
        assert_int_equal(sip_message_check(&out), SIP_OK);
        assert_int_equal(out.len, proxy->out.len); // nothing trails
        assert_rest_is_kept(torture[i].name, &in, &out);
    }
}

static struct slice branch_of(const struct sip_message *message)
{
    struct cursor c = cursor_over(sip_message_first(message, SIP_HEADER_VIA));
    struct sip_via via;

    return sip_via_take(&c, &via) ? via.branch : slice_of(NULL, 0);
}

static void assert_matched(const char *name, const struct sip_message *in, const struct sip_message *out)
{
    static const enum sip_header same[] = {SIP_HEADER_FROM, SIP_HEADER_CALL_ID, SIP_HEADER_CSEQ};

    for (unsigned h = 0; h < sizeof(same) / sizeof(same[0]); h++) {
        struct slice asked = sip_message_first(in, same[h]), answered = sip_message_first(out, same[h]);
        if (!slice_equal(asked, answered))
            fail_msg("%s: %.*s became %.*s", name, SLICE_PRINT(asked), SLICE_PRINT(answered));
    }
    assert_true(slice_equal(branch_of(in), branch_of(out)));
}

// RFC 3261 8.2.6: whoever asked can match the answer.
static void test_answers_can_be_matched_by_who_asked(void **state)
{
    static struct sip_message in, out;
    struct fixture *const fixtures[] = {proxy, registrar};

    (void)state;
    for (unsigned i = 0; i < 2 * torture_n; i++) {
        struct fixture *f = fixtures[i % 2];
        const char *name = torture[i / 2].name;
        serve_named(f, name);
        if (f->verdict.kind != VERDICT_REPLY)
            continue;
        struct slice bytes = torture_read(name);
        sip_message_parse(&in, bytes.at, bytes.len);
        assert_int_equal(sip_message_parse(&out, f->out.at, f->out.len), SIP_OK);
        assert_int_equal(out.status, f->verdict.status);
        assert_int_equal(out.body_len, 0);
        assert_matched(name, &in, &out);
    }
}

static void test_a_proxy_pops_its_route_and_counts_down(void **state)
{
    (void)state;
    serve_named(proxy, "wsinv");
    fixture_expect(proxy, "wsinv",
                   "forward 192.0.2.200:5060 by 0\n"
                   "+INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\n"
                   "+MaX-fOrWaRdS: 67\n-Route\n"
                   "+UnknownHeaderWithUnusualValue: ;;,,;;,;");
}

static void test_a_strict_router_is_served_as_one(void **state)
{
    (void)state;
    serve_named(proxy, "mpart01");
    fixture_expect(proxy, "mpart01",
                   "forward 127.0.0.1:5080 by 0\n"
                   "+MESSAGE sip:127.0.0.1:5080 SIP/2.0\n"
                   "+Route: <sip:kumiko@example.org>\n-Route: <sip:127");
}

static void test_old_syntax_gets_what_it_lacks(void **state)
{
    (void)state;
    serve_named(proxy, "inv2543");
    fixture_expect(proxy, "inv2543",
                   "forward 192.0.2.200:5060 by 0\n"
                   "+Max-Forwards: 70\n"
                   "+Via: SIP/2.0/UDP iftgw.example.com;received=192.0.2.4\n"
                   "+Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>");
}

static void test_a_bare_cookie_identifies_nothing(void **state)
{
    char text[512], branch[1024], other[1024];
    struct slice bytes = torture_read("badbranch");

    (void)state;
    serve_named(proxy, "badbranch");
    fixture_line(proxy, "Via: SIP/2.0/UDP 198.18.0.1:5060;branch=", branch);
    memcpy(text, bytes.at, bytes.len);
    char *call_id = memmem(text, bytes.len, "badbranch.", 10);
    assert_non_null(call_id);
    call_id[0] = 'x';
    serve(proxy, slice_of(text, bytes.len), "4475");
    fixture_line(proxy, "Via: SIP/2.0/UDP 198.18.0.1:5060;branch=", other);
    assert_string_not_equal(branch, other);
}

static void test_refusals_say_what_is_wrong(void **state)
{
    static const char *const cases[][2] = {
        {"badinv01",
         "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Via\n+Via: SIP/2.0/UDP 192.0.2.15;;,;,,"},
        {"clerr", "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Content-Length Larger Than Message"},
        {"ncl", "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Content-Length"},
        {"quotbal", "reply 400 192.0.2.4:5050 by 0\n+SIP/2.0 400 Malformed To"},
        {"ltgtruri", "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Request-URI"},
        {"trws", "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Request-Line"},
        {"escruri", "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Request-URI"},
        {"badvers", "reply 505 192.0.2.4:5060 by 0\n+SIP/2.0 505 Version Not Supported"},
        {"mismatch02", "reply 501 192.0.2.4:5060 by 0\n+SIP/2.0 501 Not Implemented"},
        {"insuf", "reply 400 192.0.2.4:5060 by 0\n+CSeq: 193942 INVITE"},
        {"unkscm", "reply 416 192.0.2.4:5060 by 0\n+SIP/2.0 416 Unsupported URI Scheme"},
        {"bext01",
         "reply 420 192.0.2.4:5060 by 0\n+Unsupported: noProxiesSupportThis, norDoAnyProxiesSupportThis"},
        {"scalarlg", "drop RESPONSE_MALFORMED"},
        {"bigcode", "drop PARSE"},
        {"bcast", "drop RESPONSE_UNREACHABLE"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        serve_named(proxy, cases[i][0]);
        fixture_expect(proxy, cases[i][0], cases[i][1]);
    }
}

// The contacts that a registrar lists, and what it lists when asked again.
static void test_a_registrar_keeps_contacts_to_the_letter(void **state)
{
    static const char *const cases[][2] = {
        {"escnull", "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:%00@host5.example.com>;expires=3600\n"
                    "+Contact: <sip:%00%00@host5.example.com>;expires=3600"},
        {"dblreq", "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:j.user@host.example.com>;expires=3600"},
        {"cparam01",
         "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:+19725552222@gw1.example.net>;expires=3600"},
        {"cparam02", "reply 200 192.0.2.4:5060 by 0\n"
                     "+Contact: <sip:+19725552222@gw1.example.net;unknownparam>;expires=3600"},
        {"regescrt", "reply 200 192.0.2.4:5060 by 0\n"
                     "+Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires=3600"},
        {"ipv6-good",
         "reply 200 [2001:db8::9:1]:5060 by 1\n+Contact: <sip:caller@[2001:db8::1]>;expires=3600"},
    };
    static const char *const again[][2] = {
        {"null-%00-null", "+Contact: <sip:%00%00@host5.example.com>;expires=3600"},
        {"j.user", "+Contact: <sip:j.user@host.example.com>;expires=3600"},
        {"user", "+Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires=3600"},
    };
    char request[256], summary[256];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        serve_named(registrar, cases[i][0]);
        fixture_expect(registrar, cases[i][0], cases[i][1]);
    }
    fixture_from(registrar, "192.0.2.4:5060", 0);
    for (unsigned i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
        snprintf(request, sizeof(request), "REGISTER sip:example.com\nTo: <sip:%s@example.com>", again[i][0]);
        snprintf(summary, sizeof(summary), "reply 200 192.0.2.4:5060 by 0\n%s", again[i][1]);
        fixture_request(registrar, request);
        fixture_expect(registrar, again[i][0], summary);
    }
}

static void test_what_a_registrar_refuses_binds_nothing(void **state)
{
    static const char *const names[] = {"scalar02", "regbadct", "unksm2", "esc02", "ipv6-bad"};
    struct location_binding bindings[LOCATION_CONTACTS_MAX];

    (void)state;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        serve_named(registrar, names[i]);
        assert_true(registrar->verdict.kind == VERDICT_REPLY && registrar->verdict.status >= 400);
        assert_int_equal(fixture_bindings(registrar, "user@example.com", bindings), 0);
        assert_int_equal(fixture_bindings(registrar, "resource@example.com", bindings), 0);
    }
}

// Whatever is left of a message, the verdict is whole; the fixture serves it from memory that ends with it.
static void test_messages_cut_off_at_every_byte_are_served(void **state)
{
    static char room[FIXTURE_BYTES];

    (void)state;
    for (unsigned i = 0; i < torture_n; i++) {
        struct slice whole = addressed_to_us(torture_read(torture[i].name), room);
        for (uint32_t len = 0; len <= whole.len; len++) {
            serve(i % 2 ? proxy : registrar, slice_of(whole.at, len), torture[i].section);
            const struct verdict *v = i % 2 ? &proxy->verdict : &registrar->verdict;
            if (v->kind == VERDICT_PARK) // half a name is a name
                assert_true(v->name.len > 0);
            else
                assert_true(v->kind == VERDICT_DROP ? v->drop > 0 && v->drop < DROP_COUNT : v->to.port != 0);
            assert_true(v->kind != VERDICT_REPLY || (v->status >= 200 && v->status <= 699));
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_roles_verdict_on_each),
        TEST(test_what_is_forwarded_is_sound_and_else_untouched),
        TEST(test_answers_can_be_matched_by_who_asked),
        TEST(test_a_proxy_pops_its_route_and_counts_down),
        TEST(test_a_strict_router_is_served_as_one),
        TEST(test_old_syntax_gets_what_it_lacks),
        TEST(test_a_bare_cookie_identifies_nothing),
        TEST(test_refusals_say_what_is_wrong),
        TEST(test_a_registrar_keeps_contacts_to_the_letter),
        TEST(test_what_a_registrar_refuses_binds_nothing),
        TEST(test_messages_cut_off_at_every_byte_are_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
