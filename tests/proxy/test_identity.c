// Identities and ways back, kept within the trust domain (RFC 3325 5 and 7, RFC 3323 4.2).
#include "lines.h"
#include "scene.h"

#include <stdio.h>

#include "proxy/core.h"
#include "role/flow.h"
#include "role/trust.h"

#define INSIDE  "198.51.100.1:5060"
#define OUTSIDE "192.0.2.4:5060"

#define ASSERTED  "P-Asserted-Identity: <sip:alice@example.com>"
#define TELEPHONE "P-Asserted-Identity: <tel:+4930>"
#define PREFERRED "P-Preferred-Identity: <sip:alice@example.com>"

static int set_up(void **state)
{
    *state = scene_open("[trust]\nnetworks = 198.51.100.0/24\n");
    return 0;
}

static int tear_down(void **state)
{
    scene_close(*state);
    return 0;
}

static const struct {
    const char *name, *privacy;
    const char *from, *to;
    bool asserted, preferred; // whether it stays
} cases[] = {
    {"within the domain", "", INSIDE, INSIDE, true, true},
    {"within it, whatever the user asks", "\nPrivacy: id", INSIDE, INSIDE, true, true},
    {"out of it, nothing asked", "", INSIDE, OUTSIDE, false, false},
    {"out of it, asked to be kept", "\nPrivacy: id", INSIDE, OUTSIDE, false, false},
    {"out of it, among others", "\nPrivacy: header;session ; ID", INSIDE, OUTSIDE, false, false},
    {"out of it, not to be removed", "\nPrivacy: none", INSIDE, OUTSIDE, true, false},
    {"out of it, contradicting itself", "\nPrivacy: none;id", INSIDE, OUTSIDE, false, false},
    {"out of it, in two lines", "\nPrivacy: none\nPrivacy: critical,id", INSIDE, OUTSIDE, false, false},
    {"out of it, something else", "\nPrivacy: nonesuch", INSIDE, OUTSIDE, false, false},
    {"into it from a stranger", "", OUTSIDE, INSIDE, false, false},
    {"from a stranger who forbids to remove it", "\nPrivacy: none", OUTSIDE, INSIDE, false, false},
    {"among strangers", "\nPrivacy: none", OUTSIDE, OUTSIDE, false, false},
};

static void expect(const char *name, const char *text, bool asserted, bool preferred)
{
    if (lines_have(text, ASSERTED) != asserted || lines_have(text, TELEPHONE) != asserted)
        fail_msg("%s: asserted\n%s", name, text);
    if (lines_have(text, PREFERRED) != preferred)
        fail_msg("%s: preferred\n%s", name, text);
    assert_true(lines_have(text, "Diversion: <sip:x@example.com>"));
}

static void test_identity_of_a_request_stays_in_the_domain(void **state)
{
    struct scene *s = *state;
    char text[500];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        scene_from(s, cases[i].from, 0);
        snprintf(text, sizeof(text),
                 "INVITE sip:bob@example.com\n" ASSERTED "\n" PREFERRED
                 "\nDiversion: <sip:x@example.com>\n" TELEPHONE "%s",
                 cases[i].privacy);
        scene_request(s, text);
        s->target = (struct role_target){.trusted = strcmp(cases[i].to, INSIDE) == 0};
        proxy_identity_note(&s->request, &s->target);
        expect(cases[i].name, scene_answer(s), cases[i].asserted, cases[i].preferred);
    }
}

static void test_identity_of_a_response_stays_in_the_domain(void **state)
{
    struct scene *s = *state;
    struct endpoint from, to;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_true(endpoint_parse(slice_text(cases[i].from), &from));
        assert_true(endpoint_parse(slice_text(cases[i].to), &to));
        char lines[300];
        snprintf(lines, sizeof(lines),
                 ASSERTED "\nDiversion: <sip:x@example.com>\n" TELEPHONE "\n" PREFERRED "%s",
                 cases[i].privacy);
        scene_response(s, "SIP/2.0 200 OK", lines);
        proxy_identity_note_response(&s->role, &s->message, &(const struct arrival){.source = from}, &to,
                                     &s->edits);
        expect(cases[i].name, scene_answer(s), cases[i].asserted, cases[i].preferred);
    }
}

static void record_route(struct scene *s, const char *call_id, char value[100])
{
    struct endpoint none = {.family = ENDPOINT_NONE};
    char token[ROLE_FLOW_LEN];
    unsigned len = role_flow_write(&s->role, slice_text(call_id), &none, 0, token);

    snprintf(value, 100, "<sip:%.*s@198.18.0.1:5060;lr>", (int)len, token);
}

static void note(struct scene *s, const char *source, const char *text)
{
    scene_from(s, source, 0);
    scene_request(s, text);
    s->target = (struct role_target){.trusted = false};
    proxy_identity_note(&s->request, &s->target);
    scene_answer(s);
}

static void test_ways_back_of_strangers_are_taken_away(void **state)
{
    static const char request[] =
        "INVITE sip:bob@example.com\nRecord-Route: <sip:192.0.2.66;lr>\n"
        "Record-Route: <sip:192.0.2.67;lr>, <sip:192.0.2.68;lr>\nPath: <sip:192.0.2.69;lr>";
    struct scene *s = *state;

    note(s, OUTSIDE, request);
    assert_null(strstr(s->text, "Record-Route"));
    assert_null(strstr(s->text, "Path"));
    note(s, INSIDE, request);
    assert_true(lines_have(s->text, "Record-Route: <sip:192.0.2.66;lr>"));
    assert_true(lines_have(s->text, "Record-Route: <sip:192.0.2.67;lr>, <sip:192.0.2.68;lr>"));
    assert_true(lines_have(s->text, "Path: <sip:192.0.2.69;lr>"));
}

// The call comes round to us through somebody who is not trusted: what we wrote ourselves is still true.
static void test_own_values_stay_on_a_spiral(void **state)
{
    struct scene *s = *state;
    char ours[100], others[100], text[600], line[300];

    record_route(s, "c1@192.0.2.4", ours);
    record_route(s, "another call", others);
    snprintf(text, sizeof(text),
             "INVITE sip:bob@example.com\nRecord-Route: <sip:192.0.2.66;lr>\nRecord-Route: %s, %s\n"
             "Record-Route: %s\nRecord-Route: <sip:198.18.0.1;lr>\nRecord-Route: %s, <sip:192.0.2.66;lr>",
             ours, ours, others, ours);
    note(s, OUTSIDE, text);
    snprintf(line, sizeof(line), "Record-Route: %s, %s", ours, ours);
    assert_true(lines_have(s->text, line));
    const char *only = strstr(s->text, "Record-Route");
    assert_non_null(only);
    assert_null(strstr(only + 1, "Record-Route"));
}

// RFC 3261 16.6 step 4: in a dialog they change nothing, so nothing is done about them.
static void test_dialog_of_ours_keeps_what_it_says(void **state)
{
    struct scene *s = *state;
    char ours[100], text[600];

    record_route(s, "c1@192.0.2.4", ours);
    snprintf(text, sizeof(text),
             "INVITE sip:bob@192.0.2.9\nTo: <sip:bob@example.com>;tag=b1\nRoute: %s\nRecord-Route: "
             "<sip:192.0.2.66;lr>",
             ours);
    note(s, OUTSIDE, text);
    assert_true(lines_have(s->text, "Record-Route: <sip:192.0.2.66;lr>"));
}

static void test_broken_lines_of_strangers_go_as_well(void **state)
{
    struct scene *s = *state;

    note(s, OUTSIDE,
         "INVITE sip:bob@example.com\nRecord-Route: <sip:192.0.2.66;lr\nPath: \"\nP-Asserted-Identity: <");
    assert_null(strstr(s->text, "Record-Route"));
    assert_null(strstr(s->text, "Path"));
    assert_null(strstr(s->text, "Asserted"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_identity_of_a_request_stays_in_the_domain),
        TEST(test_identity_of_a_response_stays_in_the_domain),
        TEST(test_ways_back_of_strangers_are_taken_away),
        TEST(test_own_values_stay_on_a_spiral),
        TEST(test_dialog_of_ours_keeps_what_it_says),
        TEST(test_broken_lines_of_strangers_go_as_well),
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
