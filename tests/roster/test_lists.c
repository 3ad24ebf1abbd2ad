// Lists of resources to watch at once.
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

#define MANY 500

struct texts {
    char uri[MANY][64], name[MANY][64];
    struct roster_member members[MANY];
};

// Members whose texts say which list they are of, in which version.
static void make_members(struct texts *texts, unsigned list, unsigned version, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        snprintf(texts->uri[i], sizeof(texts->uri[i]), "sip:m%u-%u@v%u.example", list, i, version);
        texts->name[i][0] = 0;
        if (i % 3 != 0)
            snprintf(texts->name[i], sizeof(texts->name[i]), "Member %u, version %u", i, version);
        texts->members[i] = (struct roster_member){.uri = slice_text(texts->uri[i]),
                                                   .aor = slice_text(texts->uri[i] + 4),
                                                   .name = slice_text(texts->name[i])};
    }
}

static int put(struct scene *s, const char *aor, const struct roster_member *members, unsigned n)
{
    struct roster_draft draft;
    int error = roster_list_draft(s->roster, slice_text(aor), members, n, &draft);

    if (error == 0)
        roster_publish(s->roster, &draft);
    return error;
}

// The list has these members, in this order.
static bool is_there(struct scene *s, const char *aor, const struct roster_member *members, unsigned n)
{
    const struct roster_list *list = roster_list(s->roster, slice_text(aor));
    struct roster_member member;
    uint64_t position = 0;

    if (list == NULL || roster_list_members(list) != n ||
        !slice_equal(roster_list_aor(s->roster, list), slice_text(aor)))
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!roster_list_next(s->roster, list, &position, &member) ||
            !slice_equal(member.uri, members[i].uri) || !slice_equal(member.aor, members[i].aor) ||
            !slice_equal(member.name, members[i].name))
            return false;
    }
    return !roster_list_next(s->roster, list, &position, &member) &&
           !roster_list_next(s->roster, list, &position, &member);
}

static struct roster_usage usage(const struct scene *s)
{
    struct roster_usage usage;

    roster_usage(s->roster, &usage);
    return usage;
}

static void test_members_come_as_they_were_put(void **state)
{
    static struct texts texts;
    struct scene s;

    (void)state;
    scene_open(&s, 1, 2 * MANY);
    assert_null(roster_list(s.roster, SLICE("friends@a.example")));
    make_members(&texts, 1, 1, MANY);
    assert_int_equal(put(&s, "friends@a.example", texts.members, MANY), 0);
    assert_true(is_there(&s, "friends@a.example", texts.members, MANY));
    make_members(&texts, 2, 1, 1);
    assert_int_equal(put(&s, "desk@a.example", texts.members, 1), 0);
    assert_true(is_there(&s, "desk@a.example", texts.members, 1));
    assert_int_equal(usage(&s).lists, 2);
    assert_int_equal(usage(&s).members, MANY + 1);
    assert_null(roster_list(s.roster, SLICE("Friends@a.example")));
    assert_null(roster_list(NULL, SLICE("friends@a.example")));
    scene_close(&s);
}

static void test_address_of_record_may_differ_from_the_uri(void **state)
{
    const struct roster_member members[] = {
        {SLICE("sips:bob@a.example;transport=tcp"), SLICE("bob@a.example"), SLICE("Bob \"the\" <builder>")},
        {SLICE("tel:+49-30-1"), SLICE("+49301"), SLICE("")},
        {SLICE("sip:b%6fb@a.example"), SLICE("bob@a.example"), SLICE("\xc3\xa4")},
    };
    struct scene s;

    (void)state;
    scene_open(&s, 1, 10);
    assert_int_equal(put(&s, "l@a", members, 3), 0);
    assert_true(is_there(&s, "l@a", members, 3));
    scene_close(&s);
}

static void test_list_is_replaced_as_a_whole_and_removed(void **state)
{
    static struct texts texts;
    struct scene s;

    (void)state;
    scene_open(&s, 1, 100);
    make_members(&texts, 1, 1, 100);
    assert_int_equal(put(&s, "l@a", texts.members, 100), 0);
    make_members(&texts, 1, 2, 7);
    assert_int_equal(put(&s, "l@a", texts.members, 7), 0);
    assert_true(is_there(&s, "l@a", texts.members, 7));
    assert_int_equal(usage(&s).members, 7);
    assert_true(roster_list_remove(s.roster, SLICE("l@a")));
    assert_false(roster_list_remove(s.roster, SLICE("l@a")));
    assert_null(roster_list(s.roster, SLICE("l@a")));
    assert_int_equal(usage(&s).members, 0);
    assert_int_equal(usage(&s).lists, 0);
    scene_close(&s);
}

static void test_bound_of_members_holds_and_what_goes_makes_room(void **state)
{
    static struct texts texts;
    struct roster_draft draft;
    struct scene s;

    (void)state;
    scene_open(&s, 1, 100);
    make_members(&texts, 1, 1, 101);
    assert_int_equal(put(&s, "a@a", texts.members, 101), -ENOSPC);
    assert_int_equal(put(&s, "a@a", texts.members, 60), 0);
    assert_int_equal(put(&s, "b@a", texts.members, 41), -ENOSPC);
    assert_int_equal(put(&s, "a@a", texts.members, 100), 0); // what it had counts no more
    assert_int_equal(roster_list_draft(s.roster, SLICE("a@a"), texts.members, 10, &draft), 0);
    assert_int_equal(put(&s, "b@a", texts.members, 1), -ENOSPC); // as long as the other may be discarded
    roster_discard(s.roster, &draft);
    assert_true(is_there(&s, "a@a", texts.members, 100));
    assert_int_equal(usage(&s).members, 100);
    assert_int_equal(put(&s, "a@a", texts.members, 99), 0);
    assert_int_equal(put(&s, "b@a", texts.members, 1), 0);
    scene_close(&s);
}

// As many as there may be of the longest there are, each in a list of its own.
static void test_longest_texts_have_their_room(void **state)
{
    enum { LISTS = 300 };
    char uri[ROSTER_MEMBER + 1], aor[LISTS][ROSTER_LIST_AOR + 1];
    struct scene s;

    (void)state;
    scene_open(&s, 1, LISTS);
    snprintf(uri, sizeof(uri), "sip:%0*d", ROSTER_MEMBER - 4, 7);
    const struct roster_member member = {slice_text(uri), slice_text(uri + 4), SLICE("")};
    for (unsigned i = 0; i < LISTS; i++) {
        snprintf(aor[i], sizeof(aor[i]), "%0*u", ROSTER_LIST_AOR, i);
        assert_int_equal(put(&s, aor[i], &member, 1), 0);
    }
    for (unsigned i = 0; i < LISTS; i++)
        assert_true(is_there(&s, aor[i], &member, 1));
    assert_int_equal(put(&s, "one@more", &member, 1), -ENOSPC);
    scene_close(&s);
}

static void test_what_can_be_no_list_is_refused(void **state)
{
    char longest[ROSTER_MEMBER + 2];
    struct scene s;

    (void)state;
    scene_open(&s, 1, 10);
    memset(longest, 'x', sizeof(longest));
    const struct slice too_long = slice_of(longest, sizeof(longest) - 1),
                       full = slice_of(longest, ROSTER_MEMBER);
    const struct roster_member good = {SLICE("sip:a@a"), SLICE("a@a"), SLICE("")};
    const struct roster_member bad[] = {
        {SLICE(""), SLICE("a@a"), SLICE("")},   {SLICE("sip:a@a"), SLICE(""), SLICE("")},
        {too_long, SLICE("a@a"), SLICE("")},    {SLICE("sip:a@a"), too_long, SLICE("")},
        {SLICE("sip:a@a"), SLICE("a@a"), full},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct roster_member members[] = {good, bad[i]};
        assert_int_equal(put(&s, "l@a", members, 2), -EINVAL);
    }
    assert_int_equal(put(&s, "l@a", &good, 0), -EINVAL);
    assert_int_equal(put(&s, "", &good, 1), -EINVAL);
    longest[ROSTER_LIST_AOR + 1] = 0;
    assert_int_equal(put(&s, longest, &good, 1), -EINVAL);
    assert_int_equal(usage(&s).members, 0);
    scene_close(&s);
}

// A reader may go on with a list that was replaced until it says that it has none any more.
static void test_replaced_list_stays_until_the_reader_lets_go(void **state)
{
    static struct texts texts, others;
    struct roster_member member;
    uint64_t position = 0;
    unsigned n = 0;
    struct scene s;
    int error = 0;

    (void)state;
    scene_open(&s, 1, 100);
    make_members(&texts, 1, 1, 100);
    assert_int_equal(put(&s, "l@a", texts.members, 100), 0);
    const struct roster_list *list = roster_list(s.roster, SLICE("l@a"));
    for (unsigned version = 2; version < 10000 && error == 0; version++) {
        make_members(&others, 1, version, 100);
        error = put(&s, "l@a", others.members, 100);
    }
    assert_int_equal(error, -EAGAIN);
    while (roster_list_next(s.roster, list, &position, &member))
        assert_true(slice_equal(member.uri, texts.members[n++].uri));
    assert_int_equal(n, 100);
    rte_rcu_qsbr_quiescent(s.qsbr, 0);
    assert_int_equal(put(&s, "l@a", others.members, 100), 0);
    assert_true(is_there(&s, "l@a", others.members, 100));
    scene_close(&s);
}

enum { NAMES = 40, MODEL_MEMBERS = 600 };

// Version and length of each list; n 0: it is not there.
struct model {
    unsigned version, n;
};

static void test_random_changes_are_as_a_model_has_them(void **state)
{
    static struct texts texts;
    struct model model[NAMES] = {{0}};
    uint64_t random = 0x5eed;
    unsigned members = 0, full = 0;
    struct scene s;
    char aor[32];

    (void)state;
    scene_open(&s, 1, MODEL_MEMBERS);
    for (unsigned round = 1; round < 6000; round++) {
        unsigned which = (unsigned)(scene_random(&random) % NAMES);
        unsigned n = (unsigned)(scene_random(&random) % 40);
        snprintf(aor, sizeof(aor), "list%u@a", which);
        make_members(&texts, which, round, n);
        bool fits = members - model[which].n + n <= MODEL_MEMBERS;
        if (n == 0)
            assert_int_equal(roster_list_remove(s.roster, slice_text(aor)), model[which].n > 0);
        else
            assert_int_equal(put(&s, aor, texts.members, n), fits ? 0 : -ENOSPC);
        full += !fits;
        if (fits) {
            members = members - model[which].n + n;
            model[which] = (struct model){round, n};
        }
        which = (unsigned)(scene_random(&random) % NAMES);
        snprintf(aor, sizeof(aor), "list%u@a", which);
        make_members(&texts, which, model[which].version, model[which].n);
        if (model[which].n > 0)
            assert_true(is_there(&s, aor, texts.members, model[which].n));
        else
            assert_null(roster_list(s.roster, slice_text(aor)));
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
    }
    assert_int_equal(usage(&s).members, members);
    assert_true(full > 10);
    scene_close(&s);
}

struct reader {
    struct scene *scene;
    atomic_bool stop;
    atomic_ulong looks;
    bool missed, mixed;
};

// All members are of one version, and there are as many as it says.
static bool is_whole(const struct roster *roster, const struct roster_list *list)
{
    struct roster_member member;
    struct slice version = {NULL, 0};
    uint64_t position = 0;
    unsigned n = 0;
    bool whole = true;

    while (roster_list_next(roster, list, &position, &member)) {
        uint32_t at = slice_find(member.aor, '@');
        struct slice its = slice_of(member.aor.at + at, member.aor.len - at);
        whole &= n++ == 0 || slice_equal(its, version);
        version = its;
    }
    return whole && n == roster_list_members(list);
}

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    struct rte_rcu_qsbr *qsbr = reader->scene->qsbr;

    rte_rcu_qsbr_thread_register(qsbr, 1);
    rte_rcu_qsbr_thread_online(qsbr, 1);
    while (!atomic_load(&reader->stop)) {
        const struct roster_list *list = roster_list(reader->scene->roster, SLICE("l@a"));
        reader->missed |= list == NULL;
        reader->mixed |= list != NULL && !is_whole(reader->scene->roster, list);
        rte_rcu_qsbr_quiescent(qsbr, 1);
        atomic_fetch_add(&reader->looks, 1);
    }
    rte_rcu_qsbr_thread_offline(qsbr, 1);
    rte_rcu_qsbr_thread_unregister(qsbr, 1);
    return NULL;
}

static void test_reader_beside_the_writer_sees_whole_lists(void **state)
{
    static struct texts texts;
    struct reader reader = {0};
    uint64_t random = 0x5eed;
    pthread_t thread;
    struct scene s;

    (void)state;
    scene_open(&s, 1, 200);
    reader.scene = &s;
    make_members(&texts, 1, 0, 50);
    assert_int_equal(put(&s, "l@a", texts.members, 50), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (unsigned round = 1; round < 3000 || atomic_load(&reader.looks) < 100; round++) {
        unsigned n = 1 + (unsigned)(scene_random(&random) % 60);
        make_members(&texts, 1, round, n);
        (void)put(&s, round % 3 == 0 ? "other@a" : "l@a", texts.members,
                  n); // may have to wait for the reader
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
    }
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_false(reader.missed);
    assert_false(reader.mixed);
    scene_close(&s);
}

static void test_walk_meets_every_list_once(void **state)
{
    static struct texts texts;
    const struct roster_list *list;
    uint64_t position = 0;
    unsigned met = 0, members = 0;
    struct scene s;
    char aor[32];

    (void)state;
    scene_open(&s, 1, 1000);
    for (unsigned i = 1; i <= 30; i++) {
        snprintf(aor, sizeof(aor), "list%u@a", i);
        make_members(&texts, i, 1, i);
        assert_int_equal(put(&s, aor, texts.members, i), 0);
    }
    while ((list = roster_list_walk(s.roster, &position)) != NULL) {
        members += roster_list_members(list);
        met++;
    }
    assert_int_equal(met, 30);
    assert_int_equal(members, 30 * 31 / 2);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_come_as_they_were_put),
        cmocka_unit_test(test_address_of_record_may_differ_from_the_uri),
        cmocka_unit_test(test_list_is_replaced_as_a_whole_and_removed),
        cmocka_unit_test(test_bound_of_members_holds_and_what_goes_makes_room),
        cmocka_unit_test(test_longest_texts_have_their_room),
        cmocka_unit_test(test_what_can_be_no_list_is_refused),
        cmocka_unit_test(test_replaced_list_stays_until_the_reader_lets_go),
        cmocka_unit_test(test_random_changes_are_as_a_model_has_them),
        cmocka_unit_test(test_reader_beside_the_writer_sees_whole_lists),
        cmocka_unit_test(test_walk_meets_every_list_once),
    };
    return cmocka_run_group_tests_name("roster lists", tests, NULL, NULL);
}
