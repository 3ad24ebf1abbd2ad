#include "conf/tree.h"

#include <ini.h>

// What the two callbacks of libinih share: read_line() hands over a line, then take_entry() gets what it says.
struct reading {
    struct conf_tree *tree;
    struct conf_arena *arena;
    struct conf_faults *faults;
    struct slice rest;        // text not yet handed over
    unsigned line;            // the one handed over last, from 1
    bool expecting;           // an entry must come of that line
    bool continuing;          // that line goes on with the value above it
    bool continuable;         // a key was read in this section, so an indented line goes on with it
    bool headed;              // a section was begun
    struct conf_block *block; // NULL: outside of any section that the schema knows
    struct conf_entry *entry; // NULL: of a key that the schema does not know
};

const char *conf_block_title(const struct conf_section *section, const char *name, char text[CONF_TITLE_MAX])
{
    snprintf(text, CONF_TITLE_MAX, name[0] == 0 ? "[%s]" : "[%s %s]", section->name, name);
    return text;
}

const struct conf_block *conf_tree_find(const struct conf_tree *tree, const struct conf_section *section,
                                        struct slice name)
{
    const struct conf_block *block = tree->first;

    while (block != NULL && (block->section != section || !slice_equal(slice_text(block->name), name)))
        block = block->next;
    return block;
}

struct conf_block *conf_tree_add(struct conf_tree *tree, const struct conf_section *section, const char *name,
                                 unsigned line, struct conf_arena *arena)
{
    struct conf_block *block =
        conf_arena_take(arena, sizeof(*block) + section->keys_n * sizeof(block->entries[0]));

    if (block == NULL)
        return NULL;
    block->section = section;
    block->name = name;
    block->line = line;
    block->index = tree->count[section - conf_sections]++;
    *(tree->last != NULL ? &tree->last->next : &tree->first) = block;
    tree->last = block;
    return block;
}

static const struct conf_section *section_find(struct slice name, struct conf_nearest *nearest)
{
    *nearest = conf_nearest_to(name);
    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        if (slice_equal(slice_text(conf_sections[i].name), name))
            return &conf_sections[i];
        conf_nearest_offer(nearest, conf_sections[i].name);
    }
    return NULL;
}

// What there is instead of a section, or of a key of it, that there was; NULL: there never was such a one.
static const char *renamed(struct slice section, struct slice key)
{
    const struct conf_renamed *old = conf_renamed;

    while (old->section != NULL && (!slice_equal(slice_text(old->section), section) ||
                                    !slice_equal(old->key == NULL ? SLICE("") : slice_text(old->key), key)))
        old++;
    return old->now;
}

static bool is_name(struct slice name)
{
    for (uint32_t i = 0; i < name.len; i++) {
        char c = slice_lower(name.at[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (c == 0 || strchr("._-", c) == NULL))
            return false;
    }
    return name.len > 0 && name.len <= CONF_NAME_MAX;
}

// Notes what is wrong with a header; its keys are read all the same.
static bool header_is_good(struct reading *r, const struct conf_section *section, struct slice name)
{
    char title[CONF_TITLE_MAX];

    if (!section->repeatable && name.len > 0) {
        conf_fault(r->faults, r->line, NULL, "[%s] takes no name", section->name);
        return false;
    }
    if (section->repeatable && !is_name(name)) {
        conf_fault(
            r->faults, r->line, NULL,
            "[%s] needs a name of its own: [%s NAME], of letters, digits, '.', '_' and '-', at most %u",
            section->name, section->name, CONF_NAME_MAX);
        return false;
    }
    const struct conf_block *before = conf_tree_find(r->tree, section, name);
    if (before != NULL) {
        conf_fault(r->faults, r->line, NULL, "%s is repeated; it stands on line %u already",
                   conf_block_title(section, before->name, title), before->line);
        return false;
    }
    if (section->repeatable && r->tree->count[section - conf_sections] == section->max)
        conf_fault(r->faults, r->line, NULL, "too many [%s] sections, expected at most %u", section->name,
                   section->max);
    return true;
}

static void begin_section(struct reading *r, struct slice kind, struct slice name)
{
    struct conf_nearest nearest;
    const struct conf_section *section = section_find(kind, &nearest);

    r->headed = true;
    r->block = NULL;
    r->continuable = false;
    if (section == NULL) {
        const char *now = renamed(kind, SLICE(""));
        if (now != NULL)
            conf_fault(r->faults, r->line, NULL, "[%.*s] is no more; expected %s", SLICE_PRINT(kind), now);
        else
            conf_fault(r->faults, r->line, &nearest, "unknown section [%.*s]", SLICE_PRINT(kind));
        return;
    }
    bool good = header_is_good(r, section, name);
    if (section->repeatable && r->tree->count[section - conf_sections] >= section->max)
        return; // was told; what is over the bound is not kept
    const char *kept = good ? conf_arena_copy(r->arena, name) : "";
    if (kept != NULL)
        r->block = conf_tree_add(r->tree, section, kept, r->line, r->arena);
    if (r->block != NULL)
        r->block->faulty = !good;
}

// A line that begins with "[".
static void read_header(struct reading *r, struct slice line)
{
    uint32_t end = slice_find(line, ']');
    struct slice behind =
        end == line.len ? line : slice_trim(slice_of(line.at + end + 1, line.len - end - 1));

    if (end == line.len || (behind.len > 0 && behind.at[0] != ';')) {
        conf_fault(r->faults, r->line, NULL,
                   "expected [section] or [section NAME] and nothing else on the line");
        r->headed = true;
        r->block = NULL;
        r->continuable = false;
        return;
    }
    struct slice title = slice_trim(slice_of(line.at + 1, end - 1));
    uint32_t kind = 0;
    while (kind < title.len && title.at[kind] != ' ' && title.at[kind] != '\t')
        kind++;
    begin_section(r, slice_of(title.at, kind), slice_trim(slice_of(title.at + kind, title.len - kind)));
}

static bool has_control_byte(struct slice line)
{
    for (uint32_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static struct slice next_line(struct reading *r)
{
    uint32_t end = slice_find(r->rest, '\n');
    struct slice line = slice_of(r->rest.at, end);
    uint32_t taken = end < r->rest.len ? end + 1 : end;

    r->rest = slice_of(r->rest.at + taken, r->rest.len - taken);
    r->line++;
    return line;
}

// The line handed over before gave no entry.
static void settle(struct reading *r)
{
    if (r->expecting)
        conf_fault(r->faults, r->line, NULL, "expected [section], KEY = VALUE or a comment");
    r->expecting = false;
}

// What the library is to see of the line: itself, or an empty line where there is nothing for it in it.
static struct slice digest_line(struct reading *r, struct slice line, uint32_t max)
{
    struct slice text = slice_trim(line);

    if (text.len == 0 || text.at[0] == ';' || text.at[0] == '#')
        return SLICE("");
    if (has_control_byte(text)) {
        conf_fault(r->faults, r->line, NULL, "control byte; expected plain text");
        return SLICE("");
    }
    r->continuing = text.at > line.at && r->continuable;
    if (text.at[0] == '[' && !r->continuing) {
        read_header(r, text);
        return SLICE("[]"); // so that the library, too, forgets the key above
    }
    struct slice given = slice_of(line.at, (size_t)(text.at - line.at) + text.len);
    if (given.len > max) {
        conf_fault(r->faults, r->line, NULL,
                   "line of %u bytes, expected at most %u; a list may go on in indented lines", given.len,
                   max);
        return SLICE("");
    }
    r->expecting = true;
    return given;
}

// ini_reader: like fgets, without the newline.
static char *read_line(char *buffer, int size, void *stream)
{
    struct reading *r = stream;

    settle(r);
    if (r->rest.len == 0)
        return NULL;
    struct slice line = next_line(r);
    struct slice given = digest_line(r, line, (uint32_t)size - 1);
    memcpy(buffer, given.at, given.len);
    buffer[given.len] = 0;
    return buffer;
}

// A section that has the key which is unknown elsewhere.
static const struct conf_section *section_with(struct slice key)
{
    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        for (unsigned k = 0; k < conf_sections[i].keys_n; k++) {
            if (slice_equal(slice_text(conf_sections[i].keys[k].name), key))
                return &conf_sections[i];
        }
    }
    return NULL;
}

static void refuse_key(struct reading *r, struct slice name, const struct conf_nearest *nearest)
{
    const struct conf_section *section = r->block->section, *home = section_with(name);
    const char *now = renamed(slice_text(section->name), name);

    if (now != NULL)
        conf_fault(r->faults, r->line, NULL, "%.*s of [%s] is no more; expected %s", SLICE_PRINT(name),
                   section->name, now);
    else if (home != NULL)
        conf_fault(r->faults, r->line, NULL, "unknown key '%.*s' in [%s]; it is a key of [%s]",
                   SLICE_PRINT(name), section->name, home->name);
    else
        conf_fault(r->faults, r->line, nearest, "unknown key '%.*s' in [%s]", SLICE_PRINT(name),
                   section->name);
}

static struct conf_entry *entry_begin(struct reading *r, struct slice name)
{
    const struct conf_section *section = r->block->section;
    struct conf_nearest nearest = conf_nearest_to(name);

    for (unsigned i = 0; i < section->keys_n; i++) {
        struct conf_entry *entry = &r->block->entries[i];
        conf_nearest_offer(&nearest, section->keys[i].name);
        if (!slice_equal(slice_text(section->keys[i].name), name))
            continue;
        if (entry->line != 0) {
            conf_fault(r->faults, r->line, NULL, "%s is repeated; it stands on line %u already",
                       section->keys[i].name, entry->line);
            return NULL;
        }
        entry->line = r->line;
        return entry;
    }
    refuse_key(r, name, &nearest);
    return NULL;
}

// Where `mark` stands behind white space and so may begin a comment; text.len where it does not.
static uint32_t comment_find(struct slice text, char mark)
{
    uint32_t i = 1;

    while (i < text.len && (text.at[i] != mark || (text.at[i - 1] != ' ' && text.at[i - 1] != '\t')))
        i++;
    return i < text.len ? i : text.len;
}

static void entry_extend(struct reading *r, struct slice value)
{
    // The library takes comments off a key's line, but not off those that go on with it.
    struct slice text = slice_trim(slice_of(value.at, comment_find(value, ';')));
    struct conf_piece *piece = conf_arena_take(r->arena, sizeof(*piece));
    const char *copy = conf_arena_copy(r->arena, text);

    if (comment_find(text, '#') < text.len) { // the library takes it for a part of the value
        conf_fault(r->faults, r->line, NULL,
                   "a comment behind a value begins with ';', expected no '#' there");
        r->entry->faulty = true;
    }
    if (piece == NULL || copy == NULL)
        return;
    piece->text = slice_of(copy, text.len);
    piece->line = r->line;
    *(r->entry->last != NULL ? &r->entry->last->next : &r->entry->first) = piece;
    r->entry->last = piece;
}

// ini_handler: for KEY = VALUE, and again with the same key for each indented line below it.
static int take_entry(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;

    (void)section; // kept by read_header
    r->expecting = false;
    if (!r->continuing) {
        r->continuable = name[0] != 0;
        r->entry = NULL;
        if (r->block != NULL)
            r->entry = entry_begin(r, slice_text(name));
        else if (!r->headed)
            conf_fault(r->faults, r->line, NULL, "'%s' stands outside of any section", name);
    }
    if (r->entry != NULL)
        entry_extend(r, slice_text(value));
    return 1;
}

bool conf_tree_read(struct slice text, struct conf_tree *tree, struct conf_arena *arena,
                    struct conf_faults *faults)
{
    struct reading r = {.tree = tree, .arena = arena, .faults = faults, .rest = text};
    struct slice mark = SLICE("\xef\xbb\xbf"); // UTF-8 byte order mark

    if (slice_starts(text, mark))
        r.rest = slice_of(text.at + mark.len, text.len - mark.len);
    if (slice_find(r.rest, 0) != r.rest.len) {
        struct slice line = next_line(&r);
        while (slice_find(line, 0) == line.len)
            line = next_line(&r);
        conf_fault(faults, r.line, NULL, "NUL byte; expected a text file in ASCII or UTF-8");
        return false;
    }
    // The return value names the first line that the library did not like: settle() and read_header() named all.
    if (ini_parse_stream(read_line, &r, take_entry, &r) == -2)
        arena->failed = true; // a library that was built to take its line buffer from the heap
    tree->lines = r.line > 0 ? r.line : 1;
    return true;
}
