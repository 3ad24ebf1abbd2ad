// Credentials that were chewed on the way: whatever they say, nobody gets in, and nothing is read beyond the message.
#include "auth_scene.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

// Bytes are changed, taken out, doubled, cut and moved.
static void mutate(char *text, uint64_t *random)
{
    static const char bytes[] = "\"\\,= \t:;<>@%'*a0fF.-\x80\xff()";

    for (unsigned n = 1 + (unsigned)(random_next(random) % 4); n > 0; n--) {
        size_t len = strlen(text), at = random_next(random) % (len + 1), run = random_next(random) % 40;
        run = run > len - at ? len - at : run;
        switch (random_next(random) % 5) {
        case 0:
            if (at < len)
                text[at] = bytes[random_next(random) % (sizeof(bytes) - 1)];
            break;
        case 1:
            memmove(text + at, text + at + run, len - at - run + 1);
            break;
        case 2:
            memmove(text + at + run, text + at, len - at + 1);
            break;
        case 3:
            text[at] = 0;
            break;
        default:
            if (at < len)
                text[at] ^= (char)(1 << random_next(random) % 7);
        }
        for (char *c = text; *c != 0; c++) // other lines are other header fields
            *c = *c == '\n' || *c == '\r' ? ' ' : *c;
    }
}

// The parts that the digest does not cover may change without harm.
static bool is_what_was_signed(const struct auth_scene *s, const char *text)
{
    static const char *const covered[] = {"username=\"alice\"",      "realm=\"example.com\"",
                                          "uri=\"sip:example.com\"", "nc=00000001",
                                          "cnonce=\"0a4f113b\"",     "qop=auth"};
    char part[1024];

    for (unsigned i = 0; i < sizeof(covered) / sizeof(*covered); i++) {
        if (strcasestr(text, covered[i]) == NULL)
            return false;
    }
    auth_print(part, sizeof(part), "%.*s", (int)strcspn(strstr(s->line, "nonce=\"") + 7, "\""),
               strstr(s->line, "nonce=\"") + 7);
    return strstr(text, part) != NULL;
}

static void soak(const char *auths, unsigned rounds, uint64_t seed)
{
    uint64_t random = seed;
    unsigned passed = 0, refused = 0, asked = 0;
    struct auth_scene s;
    char good[AUTH_TEXT], text[4 * AUTH_TEXT], lines[5 * AUTH_TEXT];

    auth_open(&s, auths);
    auth_register(&s, NULL);
    auth_print(good, sizeof(good), "%s", auth_value(&s, &(struct auth_answer){.user = NULL}));
    for (unsigned i = 0; i < rounds; i++) {
        strcpy(text, good);
        mutate(text, &random);
        auth_print(lines, sizeof(lines), "Authorization: %s\n", text);
        auth_register(&s, lines);
        unsigned status = auth_status(&s);
        if (status == 200 && !is_what_was_signed(&s, text))
            fail_msg("taken: %s", text);
        passed += status == 200;
        refused += status == 400;
        asked += status == 401;
    }
    assert_int_equal(passed + refused + asked, rounds);
    assert_true(passed > rounds / 1000 && refused > rounds / 10 && asked > rounds / 10);
    auth_close(&s);
}

static void test_mutated_credentials_let_nobody_in(void **state)
{
    (void)state;
    soak("[auth a]\ndomain = main\nfailures = 0\n", 100000, 0x5eed);
}

// The same with a proxy's, which are taken off what is forwarded.
static void test_mutated_credentials_are_forwarded_or_taken_off_whole(void **state)
{
    uint64_t random = 0xabcdef;
    struct auth_scene s;
    char good[AUTH_TEXT], text[4 * AUTH_TEXT], request[8 * AUTH_TEXT];

    (void)state;
    auth_open(&s, "[auth a]\ndomain = main\nfailures = 0\n");
    fixture_bind(s.f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9:5070"));
    fixture_from(s.f, "192.0.2.4:5060", 0); // trusted, so that all are forwarded
    auth_print(good, sizeof(good), "%s",
               auth_value(&s, &(struct auth_answer){.realm = "example.com", .nonce = "n"}));
    for (unsigned i = 0; i < 30000; i++) {
        strcpy(text, good);
        mutate(text, &random);
        auth_print(
            request, sizeof(request),
            "INVITE sip:bob@example.com\nProxy-Authorization: %s\nX-Behind: here\nProxy-Authorization: %s",
            text, good);
        fixture_request(s.f, request);
        assert_string_equal(fixture_verdict(s.f), "forward 192.0.2.9:5070 by 0");
        assert_true(auth_says(&s, "\nX-Behind: here\n"));
        assert_null(strstr(strstr(s.f->text, "\nX-Behind: here\n"), "Proxy-Authorization"));
    }
    auth_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutated_credentials_let_nobody_in),
        cmocka_unit_test(test_mutated_credentials_are_forwarded_or_taken_off_whole),
    };
    return cmocka_run_group_tests_name("role auth hostile", tests, NULL, NULL);
}
