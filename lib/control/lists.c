// Lists, a few members at a time.
#include <errno.h>
#include <stdlib.h>

#include "control/roster_parts.h"
#include "roster/record.h"

static bool has_member(const struct roster_member *members, unsigned n, struct slice aor)
{
    for (unsigned i = 0; i < n; i++) {
        if (slice_equal(members[i].aor, aor))
            return true;
    }
    return false;
}

const char *control_member_read(const struct control_roster *roster, const struct control_aor *list,
                                struct slice word, struct slice name, struct control_member *member)
{
    if (!control_aor_read(roster->route, word, &member->aor))
        return "is no address of record, as in bob@example.com";
    member->member = (struct roster_member){
        .uri = member->aor.uri.text, .aor = control_aor_slice(&member->aor), .name = name};
    if (slice_equal(member->member.aor, control_aor_slice(list)))
        return "is the list itself";
    return roster_member_is_good(&member->member) ? NULL : "is too long for a member, with its name";
}

static const char *read_list(const struct control_roster *roster, struct slice word, struct control_aor *list)
{
    const char *what = control_aor_read_own(roster->route, word, list);

    if (what != NULL)
        return what;
    return roster_list_is_good(control_aor_slice(list)) ? NULL : "is too long for a list";
}

// Those that are there, but for those in `without`. They point into the table.
static unsigned members_of(const struct control_roster *roster, const struct control_aor *list,
                           const struct control_member *without, unsigned without_n,
                           struct roster_member members[CONTROL_LIST_MAX])
{
    const struct roster_list *found = roster_list(roster->roster, control_aor_slice(list));
    struct roster_member member;
    uint64_t position = 0;
    unsigned n = 0;

    while (found != NULL && n < CONTROL_LIST_MAX &&
           roster_list_next(roster->roster, found, &position, &member)) {
        bool keep = true;
        for (unsigned i = 0; keep && i < without_n; i++)
            keep = !slice_equal(member.aor, without[i].member.aor);
        if (keep)
            members[n++] = member;
    }
    return n;
}

// The list as a whole, in place of what it was.
static struct control_fault put(const struct control_roster *roster, const struct control_aor *list,
                                const struct roster_member *members, unsigned n)
{
    struct store_change change = {.kind = STORE_LISTS, .key = control_aor_slice(list)};
    char *value = malloc(STORE_VALUE_MAX);
    struct roster_draft draft;

    if (value == NULL)
        return (struct control_fault){.what = "no memory"};
    change.value = slice_of(value, roster_record_list_write(members, n, value, STORE_VALUE_MAX));
    int error = roster_list_draft(roster->roster, change.key, members, n, &draft);
    if (error == 0)
        error = change.value.len == 0 ? -E2BIG : control_roster_store(roster, &change, 1);
    free(value);
    return control_roster_settle(roster, &draft, change.key, error);
}

struct control_fault control_roster_list_add(const struct control_roster *roster, struct slice list,
                                             const struct slice *words, unsigned n)
{
    struct roster_member members[CONTROL_LIST_MAX];
    struct control_member *new = calloc(n, sizeof(*new));
    struct control_aor aor;
    struct control_fault fault = {list,
                                  new == NULL ? "is too much: no memory" : read_list(roster, list, &aor)};
    unsigned all = fault.what == NULL ? members_of(roster, &aor, NULL, 0, members) : 0;

    for (unsigned i = 0; i < n && fault.what == NULL; i++) {
        fault =
            (struct control_fault){words[i], control_member_read(roster, &aor, words[i], SLICE(""), &new[i])};
        if (fault.what != NULL || has_member(members, all, new[i].member.aor))
            continue;
        if (all == RTE_MIN(roster->conf->list_max, (uint32_t)CONTROL_LIST_MAX))
            fault = (struct control_fault){list, "has as many members as [presence] list_max allows"};
        else
            members[all++] = new[i].member;
    }
    if (fault.what == NULL)
        fault = put(roster, &aor, members, all);
    free(new);
    return fault;
}

static struct control_fault remove_all(const struct control_roster *roster, const struct control_aor *list)
{
    const struct store_change change = {STORE_LISTS, control_aor_slice(list), {NULL, 0}};
    int error = control_roster_store(roster, &change, 1);

    if (error == 0)
        roster_list_remove(roster->roster, change.key);
    return control_roster_removed(roster, change.key, error);
}

struct control_fault control_roster_list_remove(const struct control_roster *roster, struct slice list,
                                                const struct slice *words, unsigned n)
{
    struct roster_member members[CONTROL_LIST_MAX], before[CONTROL_LIST_MAX];
    struct control_member *gone = calloc(n + 1, sizeof(*gone));
    struct control_aor aor;
    struct control_fault fault = {list,
                                  gone == NULL ? "is too much: no memory" : read_list(roster, list, &aor)};

    if (fault.what == NULL && roster_list(roster->roster, control_aor_slice(&aor)) == NULL)
        fault.what = "is no list";
    unsigned all = fault.what == NULL ? members_of(roster, &aor, NULL, 0, before) : 0;
    for (unsigned i = 0; i < n && fault.what == NULL; i++) {
        fault = (struct control_fault){words[i],
                                       control_member_read(roster, &aor, words[i], SLICE(""), &gone[i])};
        if (fault.what == NULL && !has_member(before, all, gone[i].member.aor))
            fault.what = "is no member of it";
    }
    if (fault.what == NULL) {
        unsigned left = n == 0 ? 0 : members_of(roster, &aor, gone, n, members);
        fault = left == 0 ? remove_all(roster, &aor) : put(roster, &aor, members, left);
    }
    free(gone);
    return fault;
}
