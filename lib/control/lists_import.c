// Lists, a file of them.
#include <errno.h>
#include <stdlib.h>

#include "control/roster_parts.h"
#include "roster/record.h"

#define VALUES_BYTES (2 * STORE_VALUE_MAX) // of the lists of one step

struct control_lists_line {
    struct hash128 list;
    const char *at;
    uint32_t len, number;
};

struct fields {
    struct slice list, member, name;
};

static void say(FILE *errors, const struct control_lists_import *import, uint32_t line, struct slice word,
                const char *what)
{
    fprintf(errors, "%s:%u: ", import->name, line);
    if (word.len > 0)
        fprintf(errors, "\"%.*s\" ", SLICE_PRINT(word));
    fprintf(errors, "%s\n", what);
}

static struct slice take_field(struct slice *rest)
{
    uint32_t end = slice_find(*rest, ',');
    struct slice field = slice_trim(slice_of(rest->at, end));
    uint32_t taken = end < rest->len ? end + 1 : end;

    *rest = slice_of(rest->at + taken, rest->len - taken);
    return field;
}

static struct fields split(struct slice line)
{
    struct fields fields;

    fields.list = take_field(&line);
    fields.member = take_field(&line);
    fields.name = slice_trim(line);
    return fields;
}

static struct slice line_of(const struct control_lists_line *line)
{
    return slice_of(line->at, line->len);
}

// Which list it is of is told by a hash: nobody chooses his own file's collisions.
static struct hash128 list_key(const struct control_aor *list)
{
    static const struct hash_key key;

    return hash_sip13(&key, list->aor, list->len);
}

static const char *check(const struct control_lists_import *import, struct slice text, struct slice *word,
                         struct hash128 *list)
{
    struct fields fields = split(text);
    struct control_member member;
    struct control_aor aor;

    *word = fields.list;
    const char *what = control_aor_read_own(import->roster.route, fields.list, &aor);
    if (what != NULL)
        return what;
    if (!roster_list_is_good(control_aor_slice(&aor)))
        return "is too long for a list";
    *list = list_key(&aor);
    *word = fields.member;
    return control_member_read(&import->roster, &aor, fields.member, fields.name, &member);
}

static bool keep(struct control_lists_import *import, const struct control_lists_line *line)
{
    if (import->n == import->room) {
        size_t room = import->room == 0 ? 256 : 2 * import->room;
        struct control_lists_line *lines = realloc(import->lines, room * sizeof(*lines));
        if (lines == NULL)
            return false;
        import->lines = lines;
        import->room = room;
    }
    import->lines[import->n++] = *line;
    return true;
}

static bool read_lines(struct control_lists_import *import, FILE *errors)
{
    const char *at = import->text.at, *end = at + import->text.len;
    bool good = true;
    uint32_t number = 0;

    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        struct slice text = slice_trim(slice_of(at, (size_t)((eol != NULL ? eol : end) - at)));
        struct slice word = {NULL, 0};
        at = eol != NULL ? eol + 1 : end;
        struct control_lists_line line = {.at = text.at, .len = text.len, .number = ++number};
        if (text.len == 0 || text.at[0] == '#')
            continue;
        const char *what = check(import, text, &word, &line.list);
        if (what == NULL && !keep(import, &line))
            what = "no memory for so many lines";
        if (what != NULL)
            say(errors, import, number, word, what);
        good &= what == NULL;
    }
    return good;
}

static int compare(const void *left, const void *right)
{
    const struct control_lists_line *a = left, *b = right;

    if (a->list.high != b->list.high)
        return a->list.high < b->list.high ? -1 : 1;
    if (a->list.low != b->list.low)
        return a->list.low < b->list.low ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

// Behind the last line of the list that the line at `at` is of.
static size_t list_end(const struct control_lists_import *import, size_t at)
{
    size_t end = at;

    while (end < import->n && hash128_equal(import->lines[end].list, import->lines[at].list))
        end++;
    return end;
}

// All of one list; `members` then point into import->members. False: a reload has come, and a line is good no more.
static bool read_members(const struct control_lists_import *import, size_t at, size_t end,
                         struct control_aor *list, struct roster_member *members)
{
    struct slice name = split(line_of(&import->lines[at])).list;
    bool good = control_aor_read_own(import->roster.route, name, list) == NULL;

    for (size_t i = at; good && i < end; i++) {
        struct control_member *member = &import->members[i - at];
        struct fields fields = split(line_of(&import->lines[i]));
        good = control_member_read(&import->roster, list, fields.member, fields.name, member) == NULL;
        members[i - at] = member->member;
    }
    return good;
}

static bool check_list(const struct control_lists_import *import, size_t at, size_t end, FILE *errors)
{
    struct roster_member members[CONTROL_LIST_MAX];
    uint32_t max = RTE_MIN(import->roster.conf->list_max, (uint32_t)CONTROL_LIST_MAX);
    struct control_aor list;
    bool good = true;

    if (end - at > max) {
        say(errors, import, import->lines[at + max].number, split(line_of(&import->lines[at])).list,
            "has more members than [presence] list_max allows");
        return false;
    }
    if (!read_members(import, at, end, &list, members))
        return false; // a line of it was said to be bad
    for (size_t i = 1; i < end - at; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!slice_equal(members[i].aor, members[j].aor))
                continue;
            say(errors, import, import->lines[at + i].number, members[i].uri,
                "is a member of this list already");
            good = false;
            break;
        }
    }
    return good;
}

bool control_lists_import_begin(struct control_lists_import *import, const struct control_roster *roster,
                                struct slice text, const char *name, FILE *errors)
{
    *import = (struct control_lists_import){.roster = *roster, .name = name, .text = text};
    import->members = calloc(CONTROL_LIST_MAX, sizeof(*import->members));
    import->values = malloc(VALUES_BYTES);
    if (import->members == NULL || import->values == NULL) {
        say(errors, import, 0, SLICE(""), "no memory");
        return false;
    }
    bool good = read_lines(import, errors);
    if (import->n > 0)
        qsort(import->lines, import->n, sizeof(*import->lines), compare);
    for (size_t at = 0, end; at < import->n; at = end) {
        end = list_end(import, at);
        good &= check_list(import, at, end, errors);
    }
    return good;
}

void control_lists_import_end(struct control_lists_import *import)
{
    free(import->lines);
    free(import->members);
    free(import->values);
    import->lines = NULL;
    import->members = NULL;
    import->values = NULL;
}

// What one step puts: all of it, or nothing.
struct step {
    struct store_change changes[CONTROL_LISTS_STEP];
    struct roster_draft drafts[CONTROL_LISTS_STEP];
    struct control_aor lists[CONTROL_LISTS_STEP];
    unsigned n;
    size_t used; // bytes of the values
};

static int draft_list(struct control_lists_import *import, size_t at, size_t end, struct step *step)
{
    struct roster_member members[CONTROL_LIST_MAX];
    struct control_aor *list = &step->lists[step->n];
    char *value = import->values + step->used;

    if (!read_members(import, at, end, list, members))
        return -ESTALE;
    unsigned len = roster_record_list_write(members, (unsigned)(end - at), value, STORE_VALUE_MAX);
    int error = len == 0 ? -E2BIG
                         : roster_list_draft(import->roster.roster, control_aor_slice(list), members,
                                             (unsigned)(end - at), &step->drafts[step->n]);
    if (error != 0)
        return error;
    step->changes[step->n++] =
        (struct store_change){STORE_LISTS, control_aor_slice(list), slice_of(value, len)};
    step->used += len;
    return 0;
}

// Counts those of whom nobody could be told: the lists are there all the same.
static void settle(struct control_lists_import *import, struct step *step, int error)
{
    for (unsigned i = 0; i < step->n; i++)
        import->untold += control_roster_settle(&import->roster, &step->drafts[i],
                                                control_aor_slice(&step->lists[i]), error)
                              .what != NULL;
}

int control_lists_import_step(struct control_lists_import *import, FILE *errors)
{
    struct step step = {.n = 0};
    size_t at = import->at;
    int error = 0;

    while (error == 0 && at < import->n && step.n < CONTROL_LISTS_STEP &&
           VALUES_BYTES - step.used >= STORE_VALUE_MAX) {
        size_t end = list_end(import, at);
        error = draft_list(import, at, end, &step);
        at = error == 0 ? end : at;
    }
    uint32_t line = at < import->n ? import->lines[at].number : 0;
    if (error == 0)
        error = control_roster_store(&import->roster, step.changes, step.n);
    settle(import, &step, error);
    if (error != 0) {
        say(errors, import, line, SLICE(""), control_roster_fault(error));
        return -1;
    }
    import->lists += step.n;
    import->done += (unsigned)(at - import->at);
    import->at = at;
    return at < import->n;
}
