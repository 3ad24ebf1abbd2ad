#include "roster_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "roster/record.h"

#define CONF                                                                                    \
    "[port p]\ndevice = d\n[listener l]\naddress = 192.0.2.1\nport = p\n[store]\npath = /p\n"   \
    "[presence]\nserve = yes\nlist_max = 150\n[domain one]\nnames = one.example, uno.example\n" \
    "[domain two]\nnames = two.example\n"

static bool changed(void *owner, struct slice aor)
{
    struct roster_scene *s = owner;

    s->told++;
    snprintf(s->last, sizeof(s->last), "%.*s", SLICE_PRINT(aor));
    return !s->deaf;
}

void roster_open(struct roster_scene *s, uint32_t rules, uint32_t members)
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

void roster_close(struct roster_scene *s)
{
    control_commit_destroy(s->roster.commit);
    journal_destroy(s->journal);
    store_close(s->store);
    roster_destroy(s->roster.roster);
    free(s->qsbr);
    role_route_destroy(s->route);
    conf_free(s->conf);
}

const char *roster_put(struct roster_scene *s, const char *presentity, const char *watcher,
                       enum roster_decision decision)
{
    return control_roster_rule_put(&s->roster, slice_text(presentity), slice_text(watcher), decision).what;
}

enum roster_decision roster_decides(const struct roster_scene *s, const char *presentity, const char *watcher)
{
    return roster_rule(s->roster.roster, slice_text(presentity), slice_text(watcher));
}

const char *roster_add(struct roster_scene *s, const char *list, const char *first, const char *second)
{
    const struct slice words[] = {slice_text(first), slice_text(second)};

    return control_roster_list_add(&s->roster, slice_text(list), words, second[0] != 0 ? 2 : 1).what;
}

const char *roster_take(struct roster_scene *s, const char *list, const char *member)
{
    const struct slice word = slice_text(member);

    return control_roster_list_remove(&s->roster, slice_text(list), &word, word.len > 0).what;
}

const char *roster_shown(struct roster_scene *s, const char *list)
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

struct roster *roster_another(struct roster_scene *s, uint32_t rules, uint32_t members)
{
    const struct roster_limits limits = {rules, members};
    const struct hash_key key = {3, 4};
    struct roster *roster;

    assert_int_equal(roster_create(&roster, &limits, &key, s->qsbr, &memory_system), 0);
    return roster;
}
