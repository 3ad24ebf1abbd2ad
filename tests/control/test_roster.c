// Who may watch whom, and lists, as an operator gives them, as the store keeps them, and as workers find them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "control/roster.h"
#include "roster/record.h"

#define CONF                                                                                    \
    "[port p]\ndevice = d\n[listener l]\naddress = 192.0.2.1\nport = p\n[store]\npath = /p\n"   \
    "[presence]\nserve = yes\nlist_max = 150\n[domain one]\nnames = one.example, uno.example\n" \
    "[domain two]\nnames = two.example\n"

struct scene {
    struct conf *conf;
    struct role_route *route;
    struct rte_rcu_qsbr *qsbr;
    struct store *store;
    struct journal_gate gate;
    struct journal *journal; // nobody writes to it
    struct control_roster roster;
    unsigned told;
    char last[SIP_AOR_MAX + 1]; // who was told of
    bool deaf;                  // nobody can be told
};

static bool changed(void *owner, struct slice aor)
{
    struct scene *s = owner;

    s->told++;
    snprintf(s->last, sizeof(s->last), "%.*s", SLICE_PRINT(aor));
    return !s->deaf;
}

static void open_scene(struct scene *s, uint32_t rules, uint32_t members)
{
    const struct roster_limits limits = {rules, members};
    const struct hash_key key = {1, 2};

    memset(s, 0, sizeof(*s));
    s->conf = conf_parse(CONF, strlen(CONF), "t", stderr);
    assert_non_null(s->conf);
    s->route = role_route_create(s->conf);
    assert_non_null(s->route);
    s->qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(1));
    assert_non_null(s->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(s->qsbr, 1), 0);
    assert_int_equal(roster_create(&s->roster.roster, &limits, &key, s->qsbr, &memory_system), 0);
    assert_int_equal(store_open_memory(&s->store), 0);
    assert_int_equal(journal_create(&s->journal, &s->gate, 16, MEMORY_ANY_NODE, &memory_system), 0);
    const struct control_commit_setup setup = {.store = s->store,
                                               .gate = &s->gate,
                                               .journals = &s->journal,
                                               .journals_n = 1,
                                               .path = "memory",
                                               .memory = &memory_system};
    assert_int_equal(control_commit_create(&s->roster.commit, &setup), 0);
    s->roster.conf = s->conf;
    s->roster.route = s->route;
    s->roster.changed = changed;
    s->roster.owner = s;
}

static void close_scene(struct scene *s)
{
    control_commit_destroy(s->roster.commit);
    journal_destroy(s->journal);
    store_close(s->store);
    roster_destroy(s->roster.roster);
    free(s->qsbr);
    role_route_destroy(s->route);
    conf_free(s->conf);
}

static const char *put(struct scene *s, const char *presentity, const char *watcher,
                       enum roster_decision decision)
{
    return control_roster_rule_put(&s->roster, slice_text(presentity), slice_text(watcher), decision).what;
}

static const char *forget(struct scene *s, const char *presentity, const char *watcher)
{
    return control_roster_rule_remove(&s->roster, slice_text(presentity), slice_text(watcher)).what;
}

static enum roster_decision rule(const struct scene *s, const char *presentity, const char *watcher)
{
    return roster_rule(s->roster.roster, slice_text(presentity), slice_text(watcher));
}

static enum roster_decision stored_rule(const struct scene *s, const char *presentity, const char *watcher)
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
    struct scene s;

    (void)state;
    open_scene(&s, 10, 10);
    assert_null(put(&s, "bob@one.example", "carol@two.example", ROSTER_ALLOW));
    assert_int_equal(rule(&s, "bob@one.example", "carol@two.example"), ROSTER_ALLOW);
    assert_int_equal(stored_rule(&s, "bob@one.example", "carol@two.example"), ROSTER_ALLOW);
    assert_int_equal(s.told, 1);
    assert_string_equal(s.last, "bob@one.example");
    assert_null(put(&s, "bob@one.example", "carol@two.example", ROSTER_BLOCK));
    assert_int_equal(rule(&s, "bob@one.example", "carol@two.example"), ROSTER_BLOCK);
    assert_int_equal(stored_rule(&s, "bob@one.example", "carol@two.example"), ROSTER_BLOCK);
    assert_null(forget(&s, "bob@one.example", "carol@two.example"));
    assert_int_equal(rule(&s, "bob@one.example", "carol@two.example"), ROSTER_UNDECIDED);
    assert_int_equal(stored_rule(&s, "bob@one.example", "carol@two.example"), ROSTER_UNDECIDED);
    assert_int_equal(s.told, 3);
    assert_non_null(forget(&s, "bob@one.example", "carol@two.example"));
    assert_int_equal(s.told, 3);
    close_scene(&s);
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
    struct scene s;

    (void)state;
    open_scene(&s, 10, 10);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(put(&s, cases[i].presentity, cases[i].watcher, ROSTER_POLITE));
        assert_int_equal(stored_rule(&s, cases[i].whom, cases[i].who), ROSTER_POLITE);
        assert_int_equal(
            roster_rule_exact(s.roster.roster, slice_text(cases[i].whom), slice_text(cases[i].who)),
            ROSTER_POLITE);
        assert_string_equal(s.last, cases[i].whom);
        assert_null(forget(&s, cases[i].presentity, cases[i].watcher));
    }
    close_scene(&s);
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
    struct scene s;

    (void)state;
    open_scene(&s, 10, 10);
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
    assert_non_null(put(&s, longest, longest, ROSTER_ALLOW));
    assert_null(put(&s, longest, "carol@one.example", ROSTER_ALLOW));
    close_scene(&s);
}

static void test_full_table_refuses_before_the_store_has_it(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 1, 1);
    assert_null(put(&s, "bob@one.example", "*", ROSTER_ALLOW));
    assert_non_null(strstr(put(&s, "bob@one.example", "*@two.example", ROSTER_ALLOW), "rules_max"));
    assert_int_equal(stored_rule(&s, "bob@one.example", "*@two.example"), ROSTER_UNDECIDED);
    assert_null(put(&s, "bob@one.example", "*", ROSTER_BLOCK));
    close_scene(&s);
}

static const char *add(struct scene *s, const char *list, const char *first, const char *second)
{
    const struct slice words[] = {slice_text(first), slice_text(second)};

    return control_roster_list_add(&s->roster, slice_text(list), words, second[0] != 0 ? 2 : 1).what;
}

static const char *take(struct scene *s, const char *list, const char *member)
{
    const struct slice word = slice_text(member);

    return control_roster_list_remove(&s->roster, slice_text(list), &word, word.len > 0).what;
}

// Members' URIs and names as "uri|name " each; "": there is no such list. The store has the same.
static const char *shown(struct scene *s, const char *list)
{
    static char text[65536], value[STORE_VALUE_MAX];
    const struct roster_list *found = roster_list(s->roster.roster, slice_text(list));
    int stored = store_get(s->store, STORE_LISTS, slice_text(list), value, sizeof(value));
    struct roster_member member, its;
    uint64_t position = 0;
    struct slice rest = {NULL, 0};
    size_t len = 0;

    text[0] = 0;
    assert_int_equal(found != NULL, stored > 0);
    if (found != NULL)
        assert_true(roster_record_list_read(slice_of(value, (size_t)stored), &rest));
    while (found != NULL && roster_list_next(s->roster.roster, found, &position, &member)) {
        assert_true(roster_record_member_read(&rest, &its));
        assert_true(slice_equal(its.uri, member.uri) && slice_equal(its.aor, member.aor) &&
                    slice_equal(its.name, member.name));
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s|%.*s ", SLICE_PRINT(member.uri),
                                SLICE_PRINT(member.name));
    }
    assert_int_equal(rest.len, 0);
    return text;
}

static void test_members_come_and_go(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 1, 100);
    assert_null(add(&s, "friends@uno.example", "bob@one.example", "sip:carol@else.example;transport=tcp"));
    assert_string_equal(shown(&s, "friends@one.example"),
                        "sip:bob@one.example| sip:carol@else.example;transport=tcp| ");
    assert_string_equal(s.last, "friends@one.example");
    // One is there already, by another name of his domain.
    assert_null(add(&s, "friends@one.example", "tel:+4930", "sip:bob@uno.example"));
    assert_string_equal(shown(&s, "friends@one.example"),
                        "sip:bob@one.example| sip:carol@else.example;transport=tcp| tel:+4930| ");
    assert_null(take(&s, "friends@one.example", "carol@else.example"));
    assert_string_equal(shown(&s, "friends@one.example"), "sip:bob@one.example| tel:+4930| ");
    assert_non_null(strstr(take(&s, "friends@one.example", "carol@else.example"), "no member"));
    assert_null(take(&s, "friends@one.example", "bob@one.example"));
    assert_null(take(&s, "friends@one.example", "tel:+4930"));
    assert_string_equal(shown(&s, "friends@one.example"), "");
    assert_non_null(strstr(take(&s, "friends@one.example", ""), "no list"));
    assert_int_equal(s.told, 5);
    assert_null(add(&s, "friends@one.example", "bob@one.example", ""));
    assert_null(take(&s, "friends@one.example", ""));
    assert_string_equal(shown(&s, "friends@one.example"), "");
    close_scene(&s);
}

static void test_lists_that_make_no_sense_are_refused(void **state)
{
    struct scene s;
    char word[64];

    (void)state;
    open_scene(&s, 1, 1000);
    assert_non_null(strstr(add(&s, "friends@else.example", "bob@one.example", ""), "in no [domain]"));
    assert_non_null(strstr(add(&s, "l@one.example", "bob@one.example", "nonsense"), "no address of record"));
    assert_non_null(strstr(add(&s, "l@one.example", "l@uno.example", ""), "the list itself"));
    assert_string_equal(shown(&s, "l@one.example"), "");
    for (unsigned i = 0; i < s.conf->list_max; i++) {
        snprintf(word, sizeof(word), "u%u@one.example", i);
        assert_null(add(&s, "l@one.example", word, ""));
    }
    assert_non_null(strstr(add(&s, "l@one.example", "more@one.example", ""), "list_max"));
    assert_null(add(&s, "l@one.example", "u7@one.example", ""));
    assert_int_equal(roster_list_members(roster_list(s.roster.roster, SLICE("l@one.example"))), 150);
    close_scene(&s);
}

static void test_what_the_store_refuses_nobody_is_told(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 10, 10);
    assert_null(put(&s, "bob@one.example", "*", ROSTER_ALLOW));
    assert_null(add(&s, "l@one.example", "bob@one.example", ""));
    unsigned told = s.told;
    store_memory_fail(s.store, -EIO);
    assert_non_null(put(&s, "bob@one.example", "*", ROSTER_BLOCK));
    assert_non_null(put(&s, "bob@one.example", "*@two.example", ROSTER_BLOCK));
    assert_non_null(forget(&s, "bob@one.example", "*"));
    assert_non_null(add(&s, "l@one.example", "carol@one.example", ""));
    assert_non_null(take(&s, "l@one.example", "bob@one.example"));
    assert_non_null(take(&s, "l@one.example", ""));
    store_memory_fail(s.store, 0);
    assert_int_equal(s.told, told);
    assert_int_equal(rule(&s, "bob@one.example", "x@two.example"), ROSTER_ALLOW);
    assert_string_equal(shown(&s, "l@one.example"), "sip:bob@one.example| ");
    for (unsigned i = 0; i < 9; i++) { // nothing was used up
        char word[32];
        snprintf(word, sizeof(word), "u%u@one.example", i);
        assert_null(put(&s, "bob@one.example", word, ROSTER_ALLOW));
        assert_null(add(&s, "l@one.example", word, ""));
    }
    close_scene(&s);
}

static void test_it_is_said_when_no_worker_can_be_told(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 10, 10);
    s.deaf = true;
    assert_non_null(strstr(put(&s, "bob@one.example", "*", ROSTER_BLOCK), "no worker could be told"));
    assert_int_equal(rule(&s, "bob@one.example", "x@y"), ROSTER_BLOCK);
    assert_int_equal(stored_rule(&s, "bob@one.example", "*"), ROSTER_BLOCK);
    close_scene(&s);
}

static void test_without_a_store_it_holds_until_the_end(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 10, 10);
    struct control_commit *commit = s.roster.commit;
    s.roster.commit = NULL;
    assert_null(put(&s, "bob@one.example", "*", ROSTER_BLOCK));
    assert_null(add(&s, "l@one.example", "bob@one.example", ""));
    assert_int_equal(rule(&s, "bob@one.example", "x@y"), ROSTER_BLOCK);
    assert_int_equal(stored_rule(&s, "bob@one.example", "*"), ROSTER_UNDECIDED);
    assert_non_null(roster_list(s.roster.roster, SLICE("l@one.example")));
    s.roster.commit = commit;
    close_scene(&s);
}

// Runs an import to its end; what it says, for the caller to free.
static int import(struct scene *s, const char *text, unsigned *lists, char **said)
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
    struct scene s;
    unsigned lists;
    char *said;

    (void)state;
    open_scene(&s, 1, 100);
    assert_null(add(&s, "friends@one.example", "gone@one.example", "carol@two.example"));
    assert_null(add(&s, "other@one.example", "stays@one.example", ""));
    assert_int_equal(import(&s, text, &lists, &said), 0);
    assert_string_equal(said, "");
    assert_int_equal(lists, 2);
    assert_string_equal(
        shown(&s, "friends@one.example"),
        "sip:bob@one.example|Bob, the \"builder\" sip:carol@two.example|\xc3\x84nne tel:+4930| ");
    assert_string_equal(shown(&s, "team@one.example"), "sip:dave@two.example| ");
    assert_string_equal(shown(&s, "other@one.example"), "sip:stays@one.example| ");
    free(said);
    // A name stays when others come and go.
    assert_null(take(&s, "friends@one.example", "bob@one.example"));
    assert_null(add(&s, "friends@one.example", "bob@one.example", ""));
    assert_string_equal(shown(&s, "friends@one.example"),
                        "sip:carol@two.example|\xc3\x84nne tel:+4930| sip:bob@one.example| ");
    close_scene(&s);
}

static void test_import_takes_many_lists_in_steps(void **state)
{
    enum { LISTS = 2 * CONTROL_LISTS_STEP + 5, EACH = 140 };
    char *text = malloc(LISTS * EACH * 220), *said, list[64];
    struct scene s;
    unsigned lists;
    size_t len = 0;

    (void)state;
    assert_non_null(text);
    open_scene(&s, 1, LISTS * EACH);
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
        assert_memory_equal(shown(&s, list), "sip:u0@two.example|00", 21);
    }
    free(said);
    free(text);
    close_scene(&s);
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
    struct scene s;
    unsigned lists;
    char *said;

    (void)state;
    open_scene(&s, 1, 100);
    assert_int_equal(import(&s, text, &lists, &said), -1);
    assert_string_equal(said, "lists.csv:2: \"bob\" is no address of record, as in bob@example.com\n"
                              "lists.csv:4: \"good@else.example\" is in no [domain] of this server\n"
                              "lists.csv:5: \"carol\" is no address of record, as in bob@example.com\n"
                              "lists.csv:6: is no address of record, as in bob@example.com\n"
                              "lists.csv:7: \"good@uno.example\" is the list itself\n"
                              "lists.csv:8: \"sip:bob@uno.example\" is a member of this list already\n");
    assert_string_equal(shown(&s, "good@one.example"), "");
    assert_int_equal(s.told, 0);
    free(said);
    close_scene(&s);
}

static void test_import_of_too_long_a_list_says_at_which_line(void **state)
{
    char *text = malloc(200 * 64), *said;
    struct scene s;
    unsigned lists;
    size_t len = 0;

    (void)state;
    assert_non_null(text);
    open_scene(&s, 1, 1000);
    for (unsigned i = 0; i < 152; i++)
        len += (size_t)sprintf(text + len, "l@one.example,u%u@two.example\n", i);
    assert_int_equal(import(&s, text, &lists, &said), -1);
    assert_string_equal(
        said, "lists.csv:151: \"l@one.example\" has more members than [presence] list_max allows\n");
    free(said);
    free(text);
    close_scene(&s);
}

static void test_import_without_room_says_where_it_ended(void **state)
{
    struct scene s;
    unsigned lists;
    char *said;

    (void)state;
    open_scene(&s, 1, 2);
    assert_int_equal(import(&s,
                            "l@one.example,a@one.example\nl@one.example,b@one.example\nl@one.example,c@one."
                            "example\n",
                            &lists, &said),
                     -1);
    assert_non_null(strstr(said, "members_max"));
    assert_int_equal(lists, 0);
    assert_string_equal(shown(&s, "l@one.example"), "");
    free(said);
    store_memory_fail(s.store, -ENOSPC);
    assert_int_equal(import(&s, "l@one.example,a@one.example\n", &lists, &said), -1);
    store_memory_fail(s.store, 0);
    assert_string_equal(shown(&s, "l@one.example"), "");
    free(said);
    assert_int_equal(import(&s, "l@one.example,a@one.example\nm@one.example,a@one.example", &lists, &said),
                     0);
    free(said);
    close_scene(&s);
}

// A reload between two steps may take the domain away.
static void test_import_ends_when_its_domain_is_gone(void **state)
{
    static const char other[] = "[port p]\ndevice = d\n[listener l]\naddress = 192.0.2.1\nport = p\n"
                                "[domain two]\nnames = two.example\n";
    struct control_lists_import run;
    struct scene s;
    char *said;
    size_t len;

    (void)state;
    open_scene(&s, 1, 10);
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
    assert_string_equal(shown(&s, "l@one.example"), "");
    control_lists_import_end(&run);
    free(said);
    role_route_destroy(route);
    conf_free(conf);
    close_scene(&s);
}

static struct roster *another(struct scene *s, uint32_t rules, uint32_t members)
{
    const struct roster_limits limits = {rules, members};
    const struct hash_key key = {3, 4};
    struct roster *roster;

    assert_int_equal(roster_create(&roster, &limits, &key, s->qsbr, &memory_system), 0);
    return roster;
}

static void test_start_loads_what_the_store_has(void **state)
{
    struct roster_usage usage;
    struct scene s;

    (void)state;
    open_scene(&s, 10, 10);
    put(&s, "bob@one.example", "*", ROSTER_POLITE);
    put(&s, "bob@one.example", "carol@one.example", ROSTER_CONFIRM);
    add(&s, "l@one.example", "bob@one.example", "tel:+4930");
    struct roster *roster = another(&s, 2, 2);
    assert_int_equal(control_roster_load(s.store, roster, stderr), 0);
    roster_usage(roster, &usage);
    assert_int_equal(usage.rules, 2);
    assert_int_equal(usage.lists, 1);
    assert_int_equal(usage.members, 2);
    struct roster *before = s.roster.roster;
    s.roster.roster = roster;
    assert_int_equal(rule(&s, "bob@one.example", "dave@one.example"), ROSTER_POLITE);
    assert_int_equal(rule(&s, "bob@one.example", "carol@one.example"), ROSTER_CONFIRM);
    assert_string_equal(shown(&s, "l@one.example"), "sip:bob@one.example| tel:+4930| ");
    s.roster.roster = before;
    roster_destroy(roster);
    close_scene(&s);
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
        struct scene s;
        char *said = NULL;
        size_t len;
        FILE *errors = open_memstream(&said, &len);
        open_scene(&s, 10, 10);
        put(&s, "bob@one.example", "*", ROSTER_ALLOW);
        add(&s, "l@one.example", "bob@one.example", "");
        assert_int_equal(store_apply(s.store, &change, 1, true), 0);
        struct roster *roster = another(&s, cases[i].max, cases[i].max);
        assert_int_equal(control_roster_load(s.store, roster, errors), cases[i].error);
        fclose(errors);
        if (strstr(said, cases[i].said) == NULL)
            fail_msg("%u: %s", i, said);
        free(said);
        roster_destroy(roster);
        close_scene(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_is_put_into_store_and_table_and_watchers_hear_of_it),
        cmocka_unit_test(test_words_become_the_addresses_that_requests_lead_to),
        cmocka_unit_test(test_words_that_make_no_sense_are_refused),
        cmocka_unit_test(test_full_table_refuses_before_the_store_has_it),
        cmocka_unit_test(test_members_come_and_go),
        cmocka_unit_test(test_lists_that_make_no_sense_are_refused),
        cmocka_unit_test(test_what_the_store_refuses_nobody_is_told),
        cmocka_unit_test(test_it_is_said_when_no_worker_can_be_told),
        cmocka_unit_test(test_without_a_store_it_holds_until_the_end),
        cmocka_unit_test(test_import_makes_lists_what_the_file_says),
        cmocka_unit_test(test_import_takes_many_lists_in_steps),
        cmocka_unit_test(test_import_with_a_fault_changes_nothing),
        cmocka_unit_test(test_import_of_too_long_a_list_says_at_which_line),
        cmocka_unit_test(test_import_without_room_says_where_it_ended),
        cmocka_unit_test(test_import_ends_when_its_domain_is_gone),
        cmocka_unit_test(test_start_loads_what_the_store_has),
        cmocka_unit_test(test_store_that_cannot_be_read_says_so),
    };
    return cmocka_run_group_tests_name("control roster", tests, NULL, NULL);
}
