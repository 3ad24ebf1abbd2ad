// Who may watch whom, as an operator says it, as the store keeps it, and as workers find it.
#include "roster_scene.h"

#include <errno.h>
#include <stdlib.h>

#include "roster/record.h"

static const char *forget(struct roster_scene *s, const char *presentity, const char *watcher)
{
    return control_roster_rule_remove(&s->roster, slice_text(presentity), slice_text(watcher)).what;
}

static enum roster_decision stored_rule(const struct roster_scene *s, const char *presentity,
                                        const char *watcher)
{
    enum roster_decision decision = ROSTER_UNDECIDED;
    char key[ROSTER_KEY_MAX], value[8];
    unsigned len = roster_record_key_write(slice_text(presentity), slice_text(watcher), key);
    int n = store_get(s->store, STORE_RULES, slice_of(key, len), value, sizeof(value));

    if (n > 0)
        assert_true(roster_record_rule_read(slice_of(value, (size_t)n), &decision));
    return decision;
}

static void test_rule_is_put_into_store_and_table_and_watchers_hear_of_it(void **state)
{
    struct roster_scene s;

    (void)state;
    roster_open(&s, 10, 10);
    assert_null(roster_put(&s, "bob@one.example", "carol@two.example", ROSTER_ALLOW));
    assert_int_equal(roster_decides(&s, "bob@one.example", "carol@two.example"), ROSTER_ALLOW);
    assert_int_equal(stored_rule(&s, "bob@one.example", "carol@two.example"), ROSTER_ALLOW);
    assert_int_equal(s.told, 1);
    assert_string_equal(s.last, "bob@one.example");
    assert_null(roster_put(&s, "bob@one.example", "carol@two.example", ROSTER_BLOCK));
    assert_int_equal(roster_decides(&s, "bob@one.example", "carol@two.example"), ROSTER_BLOCK);
    assert_int_equal(stored_rule(&s, "bob@one.example", "carol@two.example"), ROSTER_BLOCK);
    assert_null(forget(&s, "bob@one.example", "carol@two.example"));
    assert_int_equal(roster_decides(&s, "bob@one.example", "carol@two.example"), ROSTER_UNDECIDED);
    assert_int_equal(stored_rule(&s, "bob@one.example", "carol@two.example"), ROSTER_UNDECIDED);
    assert_int_equal(s.told, 3);
    assert_non_null(forget(&s, "bob@one.example", "carol@two.example"));
    assert_int_equal(s.told, 3);
    roster_close(&s);
}

// However it is written, and by whichever name of the domain: it is what a request of his leads to.
static void test_words_become_the_addresses_that_requests_lead_to(void **state)
{
    static const struct {
        const char *presentity, *watcher, *whom, *who;
    } cases[] = {
        {"sip:bob@UNO.example", "sips:carol@uno.example", "bob@one.example", "carol@one.example"},
        {"b%6fb@one.example", "sip:carol@Elsewhere.example;user=phone", "bob@one.example",
         "carol@elsewhere.example"},
        {"Bob@one.example", "tel:+49-30-123", "Bob@one.example", "+4930123"},
        {"bob@one.example", "*@uno.example", "bob@one.example", "*@one.example"},
        {"bob@one.example", "*@ELSEWHERE.example", "bob@one.example", "*@elsewhere.example"},
        {"bob@one.example", "*", "bob@one.example", "*"},
        {"bob@one.example", "sip:carol@[2001:DB8:0::1]", "bob@one.example", "carol@[2001:db8::1]"},
    };
    struct roster_scene s;

    (void)state;
    roster_open(&s, 10, 10);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(roster_put(&s, cases[i].presentity, cases[i].watcher, ROSTER_POLITE));
        assert_int_equal(stored_rule(&s, cases[i].whom, cases[i].who), ROSTER_POLITE);
        assert_int_equal(
            roster_rule_exact(s.roster.roster, slice_text(cases[i].whom), slice_text(cases[i].who)),
            ROSTER_POLITE);
        assert_string_equal(s.last, cases[i].whom);
        assert_null(forget(&s, cases[i].presentity, cases[i].watcher));
    }
    roster_close(&s);
}

static void test_words_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *presentity, *watcher, *word, *said;
    } cases[] = {
        {"bob", "*", "bob", "no address of record"},
        {"bob@elsewhere.example", "*", "bob@elsewhere.example", "in no [domain]"},
        {"one.example", "*", "one.example", "no address of record"},
        {"*", "*", "*", "no address of record"},
        {"<sip:bob@one.example>", "*", "<sip:bob@one.example>", "no address of record"},
        {"bob@one.example", "carol", "carol", "no watcher"},
        {"bob@one.example", "**", "**", "no watcher"},
        {"bob@one.example", "mailto:carol@two.example", "mailto:carol@two.example", "no watcher"},
    };
    struct roster_scene s;

    (void)state;
    roster_open(&s, 10, 10);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct control_fault fault = control_roster_rule_put(&s.roster, slice_text(cases[i].presentity),
                                                             slice_text(cases[i].watcher), ROSTER_ALLOW);
        if (fault.what == NULL || strstr(fault.what, cases[i].said) == NULL)
            fail_msg("%s %s: %s", cases[i].presentity, cases[i].watcher, fault.what);
        assert_true(slice_equal(fault.word, slice_text(cases[i].word)));
        assert_int_equal(s.told, 0);
    }
    char longest[SIP_AOR_MAX];
    snprintf(longest, sizeof(longest), "%0*d@one.example", SIP_AOR_MAX - 13, 1);
    assert_non_null(roster_put(&s, longest, longest, ROSTER_ALLOW));
    assert_null(roster_put(&s, longest, "carol@one.example", ROSTER_ALLOW));
    roster_close(&s);
}

static void test_full_table_refuses_before_the_store_has_it(void **state)
{
    struct roster_scene s;

    (void)state;
    roster_open(&s, 1, 1);
    assert_null(roster_put(&s, "bob@one.example", "*", ROSTER_ALLOW));
    assert_non_null(strstr(roster_put(&s, "bob@one.example", "*@two.example", ROSTER_ALLOW), "rules_max"));
    assert_int_equal(stored_rule(&s, "bob@one.example", "*@two.example"), ROSTER_UNDECIDED);
    assert_null(roster_put(&s, "bob@one.example", "*", ROSTER_BLOCK));
    roster_close(&s);
}

static void test_what_the_store_refuses_nobody_is_told(void **state)
{
    struct roster_scene s;

    (void)state;
    roster_open(&s, 10, 10);
    assert_null(roster_put(&s, "bob@one.example", "*", ROSTER_ALLOW));
    assert_null(roster_add(&s, "l@one.example", "bob@one.example", ""));
    unsigned told = s.told;
    store_memory_fail(s.store, -EIO);
    assert_non_null(roster_put(&s, "bob@one.example", "*", ROSTER_BLOCK));
    assert_non_null(roster_put(&s, "bob@one.example", "*@two.example", ROSTER_BLOCK));
    assert_non_null(forget(&s, "bob@one.example", "*"));
    assert_non_null(roster_add(&s, "l@one.example", "carol@one.example", ""));
    assert_non_null(roster_take(&s, "l@one.example", "bob@one.example"));
    assert_non_null(roster_take(&s, "l@one.example", ""));
    store_memory_fail(s.store, 0);
    assert_int_equal(s.told, told);
    assert_int_equal(roster_decides(&s, "bob@one.example", "x@two.example"), ROSTER_ALLOW);
    assert_string_equal(roster_shown(&s, "l@one.example"), "sip:bob@one.example| ");
    for (unsigned i = 0; i < 9; i++) { // nothing was used up
        char word[32];
        snprintf(word, sizeof(word), "u%u@one.example", i);
        assert_null(roster_put(&s, "bob@one.example", word, ROSTER_ALLOW));
        assert_null(roster_add(&s, "l@one.example", word, ""));
    }
    roster_close(&s);
}

static void test_it_is_said_when_no_worker_can_be_told(void **state)
{
    struct roster_scene s;

    (void)state;
    roster_open(&s, 10, 10);
    s.deaf = true;
    assert_non_null(strstr(roster_put(&s, "bob@one.example", "*", ROSTER_BLOCK), "no worker could be told"));
    assert_int_equal(roster_decides(&s, "bob@one.example", "x@y"), ROSTER_BLOCK);
    assert_int_equal(stored_rule(&s, "bob@one.example", "*"), ROSTER_BLOCK);
    roster_close(&s);
}

static void test_without_a_store_it_holds_until_the_end(void **state)
{
    struct roster_scene s;

    (void)state;
    roster_open(&s, 10, 10);
    struct control_commit *commit = s.roster.commit;
    s.roster.commit = NULL;
    assert_null(roster_put(&s, "bob@one.example", "*", ROSTER_BLOCK));
    assert_null(roster_add(&s, "l@one.example", "bob@one.example", ""));
    assert_int_equal(roster_decides(&s, "bob@one.example", "x@y"), ROSTER_BLOCK);
    assert_int_equal(stored_rule(&s, "bob@one.example", "*"), ROSTER_UNDECIDED);
    assert_non_null(roster_list(s.roster.roster, SLICE("l@one.example")));
    s.roster.commit = commit;
    roster_close(&s);
}

static void test_start_loads_what_the_store_has(void **state)
{
    struct roster_usage usage;
    struct roster_scene s;

    (void)state;
    roster_open(&s, 10, 10);
    roster_put(&s, "bob@one.example", "*", ROSTER_POLITE);
    roster_put(&s, "bob@one.example", "carol@one.example", ROSTER_CONFIRM);
    roster_add(&s, "l@one.example", "bob@one.example", "tel:+4930");
    struct roster *roster = roster_another(&s, 2, 2);
    assert_int_equal(control_roster_load(s.store, roster, stderr), 0);
    roster_usage(roster, &usage);
    assert_int_equal(usage.rules, 2);
    assert_int_equal(usage.lists, 1);
    assert_int_equal(usage.members, 2);
    struct roster *before = s.roster.roster;
    s.roster.roster = roster;
    assert_int_equal(roster_decides(&s, "bob@one.example", "dave@one.example"), ROSTER_POLITE);
    assert_int_equal(roster_decides(&s, "bob@one.example", "carol@one.example"), ROSTER_CONFIRM);
    assert_string_equal(roster_shown(&s, "l@one.example"), "sip:bob@one.example| tel:+4930| ");
    s.roster.roster = before;
    roster_destroy(roster);
    roster_close(&s);
}

static void test_store_that_cannot_be_read_says_so(void **state)
{
    static const struct {
        enum store_kind kind;
        struct slice key, value;
        uint32_t max;
        int error;
        const char *said;
    } cases[] = {
        {STORE_RULES, {"\0\3b@c*", 6}, {"\2\1", 2}, 10, -EPROTO, "the rule of \"b@c\" cannot be read"},
        {STORE_RULES, {"nonsense", 8}, {"\1\1", 2}, 10, -EPROTO, "cannot be read"},
        {STORE_RULES, {"\0\3b@c*", 6}, {"\1\1", 2}, 1, -ENOSPC, "raise them"},
        {STORE_LISTS, {"l@b", 3}, {"\1\5\0\0sip", 7}, 10, -EPROTO, "the list \"l@b\" cannot be read"},
        {STORE_LISTS, {"l@b", 3}, {"\1\7\0\0sip:a@b", 11}, 1, -ENOSPC, "raise them"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct store_change change = {cases[i].kind, cases[i].key, cases[i].value};
        struct roster_scene s;
        char *said = NULL;
        size_t len;
        FILE *errors = open_memstream(&said, &len);
        roster_open(&s, 10, 10);
        roster_put(&s, "bob@one.example", "*", ROSTER_ALLOW);
        roster_add(&s, "l@one.example", "bob@one.example", "");
        assert_int_equal(store_apply(s.store, &change, 1, true), 0);
        struct roster *roster = roster_another(&s, cases[i].max, cases[i].max);
        assert_int_equal(control_roster_load(s.store, roster, errors), cases[i].error);
        fclose(errors);
        if (strstr(said, cases[i].said) == NULL)
            fail_msg("%u: %s", i, said);
        free(said);
        roster_destroy(roster);
        roster_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_is_put_into_store_and_table_and_watchers_hear_of_it),
        cmocka_unit_test(test_words_become_the_addresses_that_requests_lead_to),
        cmocka_unit_test(test_words_that_make_no_sense_are_refused),
        cmocka_unit_test(test_full_table_refuses_before_the_store_has_it),
        cmocka_unit_test(test_what_the_store_refuses_nobody_is_told),
        cmocka_unit_test(test_it_is_said_when_no_worker_can_be_told),
        cmocka_unit_test(test_without_a_store_it_holds_until_the_end),
        cmocka_unit_test(test_start_loads_what_the_store_has),
        cmocka_unit_test(test_store_that_cannot_be_read_says_so),
    };
    return cmocka_run_group_tests_name("control roster", tests, NULL, NULL);
}
