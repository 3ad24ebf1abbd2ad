// Lists of users, as an operator says them, a few members at a time or a file of them.
#include "roster_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "roster/record.h"

static void test_members_come_and_go(void **state)
{
    struct roster_scene s;

    (void)state;
    roster_open(&s, 1, 100);
    assert_null(
        roster_add(&s, "friends@uno.example", "bob@one.example", "sip:carol@else.example;transport=tcp"));
    assert_string_equal(roster_shown(&s, "friends@one.example"),
                        "sip:bob@one.example| sip:carol@else.example;transport=tcp| ");
    assert_string_equal(s.last, "friends@one.example");
    // One is there already, by another name of his domain.
    assert_null(roster_add(&s, "friends@one.example", "tel:+4930", "sip:bob@uno.example"));
    assert_string_equal(roster_shown(&s, "friends@one.example"),
                        "sip:bob@one.example| sip:carol@else.example;transport=tcp| tel:+4930| ");
    assert_null(roster_take(&s, "friends@one.example", "carol@else.example"));
    assert_string_equal(roster_shown(&s, "friends@one.example"), "sip:bob@one.example| tel:+4930| ");
    assert_non_null(strstr(roster_take(&s, "friends@one.example", "carol@else.example"), "no member"));
    assert_null(roster_take(&s, "friends@one.example", "bob@one.example"));
    assert_null(roster_take(&s, "friends@one.example", "tel:+4930"));
    assert_string_equal(roster_shown(&s, "friends@one.example"), "");
    assert_non_null(strstr(roster_take(&s, "friends@one.example", ""), "no list"));
    assert_int_equal(s.told, 5);
    assert_null(roster_add(&s, "friends@one.example", "bob@one.example", ""));
    assert_null(roster_take(&s, "friends@one.example", ""));
    assert_string_equal(roster_shown(&s, "friends@one.example"), "");
    roster_close(&s);
}

static void test_lists_that_make_no_sense_are_refused(void **state)
{
    struct roster_scene s;
    char word[64];

    (void)state;
    roster_open(&s, 1, 1000);
    assert_non_null(strstr(roster_add(&s, "friends@else.example", "bob@one.example", ""), "in no [domain]"));
    assert_non_null(
        strstr(roster_add(&s, "l@one.example", "bob@one.example", "nonsense"), "no address of record"));
    assert_non_null(strstr(roster_add(&s, "l@one.example", "l@uno.example", ""), "the list itself"));
    assert_string_equal(roster_shown(&s, "l@one.example"), "");
    for (unsigned i = 0; i < s.conf->list_max; i++) {
        snprintf(word, sizeof(word), "u%u@one.example", i);
        assert_null(roster_add(&s, "l@one.example", word, ""));
    }
    assert_non_null(strstr(roster_add(&s, "l@one.example", "more@one.example", ""), "list_max"));
    assert_null(roster_add(&s, "l@one.example", "u7@one.example", ""));
    assert_int_equal(roster_list_members(roster_list(s.roster.roster, SLICE("l@one.example"))), 150);
    roster_close(&s);
}

// Runs an import to its end; what it says, for the caller to free.
static int import(struct roster_scene *s, const char *text, unsigned *lists, char **said)
{
    struct control_lists_import run;
    size_t len;
    FILE *errors = open_memstream(said, &len);
    int more = 1;

    assert_non_null(errors);
    if (!control_lists_import_begin(&run, &s->roster, slice_text(text), "lists.csv", errors))
        more = -1;
    while (more > 0)
        more = control_lists_import_step(&run, errors);
    fclose(errors);
    *lists = run.lists;
    control_lists_import_end(&run);
    control_lists_import_end(&run);
    return more;
}

static void test_import_makes_lists_what_the_file_says(void **state)
{
    static const char text[] = "# list,member,name\r\n\r\n"
                               " friends@one.example , sip:bob@one.example , Bob, the \"builder\" \r\n"
                               "team@uno.example,dave@two.example\n"
                               "friends@uno.example,carol@two.example,\xc3\x84nne\n"
                               "friends@one.example,tel:+4930,"; // without a line end
    struct roster_scene s;
    unsigned lists;
    char *said;

    (void)state;
    roster_open(&s, 1, 100);
    assert_null(roster_add(&s, "friends@one.example", "gone@one.example", "carol@two.example"));
    assert_null(roster_add(&s, "other@one.example", "stays@one.example", ""));
    assert_int_equal(import(&s, text, &lists, &said), 0);
    assert_string_equal(said, "");
    assert_int_equal(lists, 2);
    assert_string_equal(
        roster_shown(&s, "friends@one.example"),
        "sip:bob@one.example|Bob, the \"builder\" sip:carol@two.example|\xc3\x84nne tel:+4930| ");
    assert_string_equal(roster_shown(&s, "team@one.example"), "sip:dave@two.example| ");
    assert_string_equal(roster_shown(&s, "other@one.example"), "sip:stays@one.example| ");
    free(said);
    // A name stays when others come and go.
    assert_null(roster_take(&s, "friends@one.example", "bob@one.example"));
    assert_null(roster_add(&s, "friends@one.example", "bob@one.example", ""));
    assert_string_equal(roster_shown(&s, "friends@one.example"),
                        "sip:carol@two.example|\xc3\x84nne tel:+4930| sip:bob@one.example| ");
    roster_close(&s);
}

static void test_import_takes_many_lists_in_steps(void **state)
{
    enum { LISTS = 2 * CONTROL_LISTS_STEP + 5, EACH = 140 };
    char *text = malloc(LISTS * EACH * 220), *said, list[64];
    struct roster_scene s;
    unsigned lists;
    size_t len = 0;

    (void)state;
    assert_non_null(text);
    roster_open(&s, 1, LISTS * EACH);
    // Turn by turn, so that no two lines of a list stand together; long ones, so that few fit into a step.
    for (unsigned i = 0; i < EACH; i++) {
        for (unsigned j = 0; j < LISTS; j++)
            len += (size_t)sprintf(text + len, "list%u@one.example,u%u@two.example,%0*u\n", j, i,
                                   j % 2 == 0 ? 150 : 3, i);
    }
    assert_int_equal(import(&s, text, &lists, &said), 0);
    assert_string_equal(said, "");
    assert_int_equal(lists, LISTS);
    assert_int_equal(s.told, LISTS);
    for (unsigned j = 0; j < LISTS; j += 16) {
        snprintf(list, sizeof(list), "list%u@one.example", j);
        assert_int_equal(roster_list_members(roster_list(s.roster.roster, slice_text(list))), EACH);
        assert_memory_equal(roster_shown(&s, list), "sip:u0@two.example|00", 21);
    }
    free(said);
    free(text);
    roster_close(&s);
}

static void test_import_with_a_fault_changes_nothing(void **state)
{
    static const char text[] = "good@one.example,bob@one.example,Bob\n"
                               "bob,carol@one.example\n"
                               "\n"
                               "good@else.example,carol@one.example\n"
                               "good@one.example,carol\n"
                               "good@one.example\n"
                               "good@one.example,good@uno.example\n"
                               "good@uno.example,sip:bob@uno.example\n";
    struct roster_scene s;
    unsigned lists;
    char *said;

    (void)state;
    roster_open(&s, 1, 100);
    assert_int_equal(import(&s, text, &lists, &said), -1);
    assert_string_equal(said, "lists.csv:2: \"bob\" is no address of record, as in bob@example.com\n"
                              "lists.csv:4: \"good@else.example\" is in no [domain] of this server\n"
                              "lists.csv:5: \"carol\" is no address of record, as in bob@example.com\n"
                              "lists.csv:6: is no address of record, as in bob@example.com\n"
                              "lists.csv:7: \"good@uno.example\" is the list itself\n"
                              "lists.csv:8: \"sip:bob@uno.example\" is a member of this list already\n");
    assert_string_equal(roster_shown(&s, "good@one.example"), "");
    assert_int_equal(s.told, 0);
    free(said);
    roster_close(&s);
}

static void test_import_of_too_long_a_list_says_at_which_line(void **state)
{
    char *text = malloc(200 * 64), *said;
    struct roster_scene s;
    unsigned lists;
    size_t len = 0;

    (void)state;
    assert_non_null(text);
    roster_open(&s, 1, 1000);
    for (unsigned i = 0; i < 152; i++)
        len += (size_t)sprintf(text + len, "l@one.example,u%u@two.example\n", i);
    assert_int_equal(import(&s, text, &lists, &said), -1);
    assert_string_equal(
        said, "lists.csv:151: \"l@one.example\" has more members than [presence] list_max allows\n");
    free(said);
    free(text);
    roster_close(&s);
}

static void test_import_without_room_says_where_it_ended(void **state)
{
    struct roster_scene s;
    unsigned lists;
    char *said;

    (void)state;
    roster_open(&s, 1, 2);
    assert_int_equal(import(&s,
                            "l@one.example,a@one.example\nl@one.example,b@one.example\nl@one.example,c@one."
                            "example\n",
                            &lists, &said),
                     -1);
    assert_non_null(strstr(said, "members_max"));
    assert_int_equal(lists, 0);
    assert_string_equal(roster_shown(&s, "l@one.example"), "");
    free(said);
    store_memory_fail(s.store, -ENOSPC);
    assert_int_equal(import(&s, "l@one.example,a@one.example\n", &lists, &said), -1);
    store_memory_fail(s.store, 0);
    assert_string_equal(roster_shown(&s, "l@one.example"), "");
    free(said);
    assert_int_equal(import(&s, "l@one.example,a@one.example\nm@one.example,a@one.example", &lists, &said),
                     0);
    free(said);
    roster_close(&s);
}

// A reload between two steps may take the domain away.
static void test_import_ends_when_its_domain_is_gone(void **state)
{
    static const char other[] = "[port p]\ndevice = d\n[listener l]\naddress = 192.0.2.1\nport = p\n"
                                "[domain two]\nnames = two.example\n";
    struct control_lists_import run;
    struct roster_scene s;
    char *said;
    size_t len;

    (void)state;
    roster_open(&s, 1, 10);
    struct conf *conf = conf_parse(other, strlen(other), "t", stderr);
    struct role_route *route = role_route_create(conf);
    FILE *errors = open_memstream(&said, &len);
    assert_true(errors != NULL && route != NULL);
    assert_true(control_lists_import_begin(&run, &s.roster, SLICE("l@one.example,a@one.example"), "lists.csv",
                                           errors));
    run.roster.route = route;
    assert_int_equal(control_lists_import_step(&run, errors), -1);
    fclose(errors);
    assert_string_equal(said, "lists.csv:1: the configuration has changed meanwhile: import it again\n");
    assert_string_equal(roster_shown(&s, "l@one.example"), "");
    control_lists_import_end(&run);
    free(said);
    role_route_destroy(route);
    conf_free(conf);
    roster_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_come_and_go),
        cmocka_unit_test(test_lists_that_make_no_sense_are_refused),
        cmocka_unit_test(test_import_makes_lists_what_the_file_says),
        cmocka_unit_test(test_import_takes_many_lists_in_steps),
        cmocka_unit_test(test_import_with_a_fault_changes_nothing),
        cmocka_unit_test(test_import_of_too_long_a_list_says_at_which_line),
        cmocka_unit_test(test_import_without_room_says_where_it_ended),
        cmocka_unit_test(test_import_ends_when_its_domain_is_gone),
    };
    return cmocka_run_group_tests_name("control lists", tests, NULL, NULL);
}
