// Who may watch whom.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "scene.h"
#include "sip/uri.h"

static enum roster_decision rule(const struct scene *s, const char *presentity, const char *watcher)
{
    return roster_rule(s->roster, slice_text(presentity), slice_text(watcher));
}

static void test_nearest_rule_decides(void **state)
{
    static const struct {
        const char *watcher;
        enum roster_decision decision;
    } cases[] = {
        {"carol@a.example", ROSTER_BLOCK},  // his own
        {"dave@a.example", ROSTER_ALLOW},   // his domain's
        {"carol@b.example", ROSTER_POLITE}, // everybody's
        {"Carol@a.example", ROSTER_ALLOW},  // RFC 3261 19.1.4: the user part has its case
        {"x@y@a.example", ROSTER_ALLOW},    // a user's name may have an at
        {"carol@sub.a.example", ROSTER_POLITE},
        {"a.example", ROSTER_POLITE}, // nobody at that host
        {"+4930123", ROSTER_CONFIRM}, // a telephone number
        {"+4930124", ROSTER_POLITE},
    };
    struct scene s;

    (void)state;
    scene_open(&s, 10, 10);
    assert_int_equal(scene_rule(&s, "bob@a.example", "*", ROSTER_POLITE), 0);
    assert_int_equal(scene_rule(&s, "bob@a.example", "*@a.example", ROSTER_ALLOW), 0);
    assert_int_equal(scene_rule(&s, "bob@a.example", "carol@a.example", ROSTER_BLOCK), 0);
    assert_int_equal(scene_rule(&s, "bob@a.example", "+4930123", ROSTER_CONFIRM), 0);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (rule(&s, "bob@a.example", cases[i].watcher) != cases[i].decision)
            fail_msg("%s: %d", cases[i].watcher, rule(&s, "bob@a.example", cases[i].watcher));
        assert_int_equal(rule(&s, "alice@a.example", cases[i].watcher), ROSTER_UNDECIDED);
    }
    assert_int_equal(rule(&s, "bob@a.example", ""), ROSTER_POLITE); // an anonymous one is everybody, too
    scene_close(&s);
}

// Where one text ends and the other begins is part of the key.
static void test_presentity_and_watcher_do_not_run_together(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 10, 10);
    scene_rule(&s, "bob@a.example", "x@y", ROSTER_ALLOW);
    assert_int_equal(rule(&s, "bob@a.examplex", "@y"), ROSTER_UNDECIDED);
    assert_int_equal(rule(&s, "bob@a.exampl", "ex@y"), ROSTER_UNDECIDED);
    assert_int_equal(rule(&s, "x@y", "bob@a.example"), ROSTER_UNDECIDED);
    scene_close(&s);
}

static void test_rule_is_changed_and_forgotten(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 10, 10);
    scene_rule(&s, "bob@a", "carol@a", ROSTER_ALLOW);
    assert_int_equal(scene_rule(&s, "bob@a", "carol@a", ROSTER_BLOCK), 0);
    assert_int_equal(rule(&s, "bob@a", "carol@a"), ROSTER_BLOCK);
    assert_int_equal(roster_rule_exact(s.roster, SLICE("bob@a"), SLICE("*@a")), ROSTER_UNDECIDED);
    scene_rule(&s, "bob@a", "*@a", ROSTER_POLITE);
    assert_int_equal(roster_rule_exact(s.roster, SLICE("bob@a"), SLICE("*@a")), ROSTER_POLITE);
    assert_true(roster_rule_remove(s.roster, SLICE("bob@a"), SLICE("carol@a")));
    assert_false(roster_rule_remove(s.roster, SLICE("bob@a"), SLICE("carol@a")));
    assert_int_equal(rule(&s, "bob@a", "carol@a"), ROSTER_POLITE);
    struct roster_usage usage;
    roster_usage(s.roster, &usage);
    assert_int_equal(usage.rules, 1);
    assert_int_equal(usage.rules_max, 10);
    scene_close(&s);
}

static void test_draft_decides_nothing_until_it_is_published(void **state)
{
    struct roster_draft draft;
    struct scene s;

    (void)state;
    scene_open(&s, 1, 1);
    assert_int_equal(roster_rule_draft(s.roster, SLICE("a@a"), SLICE("b@b"), ROSTER_ALLOW, &draft), 0);
    assert_int_equal(rule(&s, "a@a", "b@b"), ROSTER_UNDECIDED);
    assert_int_equal(scene_rule(&s, "a@a", "c@c", ROSTER_ALLOW), -ENOSPC);
    roster_discard(s.roster, &draft);
    assert_int_equal(scene_rule(&s, "a@a", "c@c", ROSTER_ALLOW), 0);
    assert_int_equal(rule(&s, "a@a", "b@b"), ROSTER_UNDECIDED);
    assert_int_equal(rule(&s, "a@a", "c@c"), ROSTER_ALLOW);
    scene_close(&s);
}

static void test_each_change_is_counted_and_nothing_else(void **state)
{
    const struct roster_member member = {SLICE("sip:a@a"), SLICE("a@a"), SLICE("")};
    struct roster_draft draft;
    struct scene s;

    (void)state;
    scene_open(&s, 10, 10);
    assert_int_equal(roster_changes(s.roster), 0);
    assert_int_equal(scene_rule(&s, "a@a", "b@b", ROSTER_ALLOW), 0);
    assert_int_equal(roster_changes(s.roster), 1);
    assert_int_equal(roster_rule_draft(s.roster, SLICE("a@a"), SLICE("b@b"), ROSTER_BLOCK, &draft), 0);
    roster_discard(s.roster, &draft);
    assert_false(roster_rule_remove(s.roster, SLICE("a@a"), SLICE("c@c")));
    assert_int_equal(roster_changes(s.roster), 1);
    assert_true(roster_rule_remove(s.roster, SLICE("a@a"), SLICE("b@b")));
    assert_int_equal(roster_changes(s.roster), 2);
    assert_int_equal(roster_list_draft(s.roster, SLICE("l@a"), &member, 1, &draft), 0);
    roster_publish(s.roster, &draft);
    assert_int_equal(roster_changes(s.roster), 3);
    assert_true(roster_list_remove(s.roster, SLICE("l@a")));
    assert_false(roster_list_remove(s.roster, SLICE("l@a")));
    assert_int_equal(roster_changes(s.roster), 4);
    assert_int_equal(roster_changes(NULL), 0);
    scene_close(&s);
}

static void test_what_can_be_no_rule_is_refused(void **state)
{
    char longest[SIP_AOR_MAX + 2];
    struct scene s;

    (void)state;
    scene_open(&s, 10, 10);
    memset(longest, 'x', sizeof(longest));
    longest[SIP_AOR_MAX + 1] = 0;
    assert_int_equal(scene_rule(&s, "", "b@b", ROSTER_ALLOW), -EINVAL);
    assert_int_equal(scene_rule(&s, "a@a", "", ROSTER_ALLOW), -EINVAL);
    assert_int_equal(scene_rule(&s, "a@a", "b@b", ROSTER_UNDECIDED), -EINVAL);
    assert_int_equal(scene_rule(&s, "a@a", "b@b", ROSTER_DECISIONS), -EINVAL);
    assert_int_equal(scene_rule(&s, longest, "b@b", ROSTER_ALLOW), -EINVAL);
    assert_int_equal(scene_rule(&s, "a@a", longest, ROSTER_ALLOW), -EINVAL);
    longest[SIP_AOR_MAX] = 0;
    assert_int_equal(scene_rule(&s, "a@a", longest, ROSTER_ALLOW), 0);
    assert_int_equal(rule(&s, "a@a", longest), ROSTER_ALLOW);
    assert_int_equal(scene_rule(&s, longest, longest, ROSTER_ALLOW), -EINVAL); // together they are too long
    assert_int_equal(scene_rule(&s, longest, "*", ROSTER_BLOCK), 0);
    assert_int_equal(rule(&s, longest, longest), ROSTER_BLOCK); // nobody escapes what is said of everybody
    longest[SIP_AOR_MAX] = 'x';
    assert_int_equal(scene_rule(&s, "c@c", "*", ROSTER_BLOCK), 0);
    assert_int_equal(rule(&s, "c@c", longest), ROSTER_BLOCK);
    assert_int_equal(roster_rule(NULL, SLICE("a@a"), SLICE("b@b")), ROSTER_UNDECIDED);
    scene_close(&s);
}

// Names of the model: each watcher is of one of three domains.
enum { PRESENTITIES = 12, DOMAINS = 3, WATCHERS = 12, COLUMNS = WATCHERS + DOMAINS + 1 };

static void presentity_name(unsigned row, char name[32])
{
    snprintf(name, 32, "p%u@p.example", row);
}

static void watcher_name(unsigned column, char name[32])
{
    if (column < WATCHERS)
        snprintf(name, 32, "w%u@d%u.example", column, column % DOMAINS);
    else if (column < WATCHERS + DOMAINS)
        snprintf(name, 32, "*@d%u.example", column - WATCHERS);
    else
        snprintf(name, 32, "*");
}

static enum roster_decision expected(const enum roster_decision *row, unsigned watcher)
{
    const unsigned columns[] = {watcher, WATCHERS + watcher % DOMAINS, WATCHERS + DOMAINS};
    enum roster_decision decision = ROSTER_UNDECIDED;

    for (unsigned i = 0; i < 3 && decision == ROSTER_UNDECIDED; i++)
        decision = row[columns[i]];
    return decision;
}

static void test_random_changes_are_as_a_model_has_them(void **state)
{
    static enum roster_decision model[PRESENTITIES][COLUMNS];
    uint64_t random = 0x5eed;
    unsigned n = 0, full = 0;
    char presentity[32], watcher[32];
    struct roster_usage usage;
    struct scene s;

    (void)state;
    scene_open(&s, PRESENTITIES * COLUMNS / 2, 10);
    for (unsigned round = 0; round < 30000; round++) {
        unsigned row = (unsigned)(scene_random(&random) % PRESENTITIES);
        unsigned column = (unsigned)(scene_random(&random) % COLUMNS);
        enum roster_decision decision = (enum roster_decision)(scene_random(&random) % ROSTER_DECISIONS);
        presentity_name(row, presentity);
        watcher_name(column, watcher);
        bool known = model[row][column] != ROSTER_UNDECIDED;
        if (decision == ROSTER_UNDECIDED) {
            assert_int_equal(roster_rule_remove(s.roster, slice_text(presentity), slice_text(watcher)),
                             known);
            n -= known;
        } else if (scene_rule(&s, presentity, watcher, decision) == 0) {
            n += !known;
        } else {
            assert_true(!known && n == PRESENTITIES * COLUMNS / 2);
            decision = ROSTER_UNDECIDED;
            full++;
        }
        model[row][column] = decision;
        row = (unsigned)(scene_random(&random) % PRESENTITIES);
        column = (unsigned)(scene_random(&random) % WATCHERS);
        presentity_name(row, presentity);
        watcher_name(column, watcher);
        assert_int_equal(rule(&s, presentity, watcher), expected(model[row], column));
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
    }
    roster_usage(s.roster, &usage);
    assert_int_equal(usage.rules, n);
    assert_true(full > 100);
    scene_close(&s);
}

struct reader {
    struct scene *scene;
    atomic_bool stop;
    atomic_ulong looks;
    bool wrong;
};

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    struct rte_rcu_qsbr *qsbr = reader->scene->qsbr;

    rte_rcu_qsbr_thread_register(qsbr, 1);
    rte_rcu_qsbr_thread_online(qsbr, 1);
    while (!atomic_load(&reader->stop)) {
        // Blocked by his domain's rule, or by a rule of his own that comes and goes: never let in.
        reader->wrong |= rule(reader->scene, "bob@a.example", "eve@b.example") != ROSTER_BLOCK;
        reader->wrong |= rule(reader->scene, "bob@a.example", "ann@c.example") != ROSTER_ALLOW;
        rte_rcu_qsbr_quiescent(qsbr, 1);
        atomic_fetch_add(&reader->looks, 1);
    }
    rte_rcu_qsbr_thread_offline(qsbr, 1);
    rte_rcu_qsbr_thread_unregister(qsbr, 1);
    return NULL;
}

static void test_reader_beside_the_writer_is_never_told_another(void **state)
{
    struct reader reader = {0};
    pthread_t thread;
    struct scene s;
    char name[32];

    (void)state;
    scene_open(&s, 64, 10);
    reader.scene = &s;
    scene_rule(&s, "bob@a.example", "*", ROSTER_ALLOW);
    scene_rule(&s, "bob@a.example", "*@b.example", ROSTER_BLOCK);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (unsigned round = 0; round < 10000 || atomic_load(&reader.looks) < 100; round++) {
        snprintf(name, sizeof(name), "x%u@b.example", round % 40);
        (void)scene_rule(&s, "bob@a.example", "eve@b.example", ROSTER_BLOCK);
        (void)scene_rule(&s, "bob@a.example", name, ROSTER_ALLOW);
        roster_rule_remove(s.roster, SLICE("bob@a.example"), SLICE("eve@b.example"));
        snprintf(name, sizeof(name), "x%u@b.example", round % 37);
        roster_rule_remove(s.roster, SLICE("bob@a.example"), slice_text(name));
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
    }
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_false(reader.wrong);
    scene_close(&s);
}

static void test_roster_is_made_whole_or_not_at_all(void **state)
{
    const struct roster_limits limits = {10, 10},
                               none[] = {
                                   {0, 10}, {10, 0}, {ROSTER_RULES_MAX + 1, 1}, {1, ROSTER_MEMBERS_MAX + 1}};
    const struct hash_key key = {1, 2};
    struct roster *roster;
    struct scene s;

    (void)state;
    scene_open(&s, 10, 10);
    unsigned before = s.pieces;
    for (unsigned i = 1; i <= before; i++) {
        s.fail = i;
        assert_int_equal(roster_create(&roster, &limits, &key, s.qsbr, &s.memory), -ENOMEM);
        assert_int_equal(s.pieces, before);
    }
    for (unsigned i = 0; i < sizeof(none) / sizeof(*none); i++)
        assert_int_equal(roster_create(&roster, &none[i], &key, s.qsbr, &s.memory), -EINVAL);
    roster_destroy(NULL);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest_rule_decides),
        cmocka_unit_test(test_presentity_and_watcher_do_not_run_together),
        cmocka_unit_test(test_rule_is_changed_and_forgotten),
        cmocka_unit_test(test_draft_decides_nothing_until_it_is_published),
        cmocka_unit_test(test_each_change_is_counted_and_nothing_else),
        cmocka_unit_test(test_what_can_be_no_rule_is_refused),
        cmocka_unit_test(test_random_changes_are_as_a_model_has_them),
        cmocka_unit_test(test_reader_beside_the_writer_is_never_told_another),
        cmocka_unit_test(test_roster_is_made_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("roster rules", tests, NULL, NULL);
}
