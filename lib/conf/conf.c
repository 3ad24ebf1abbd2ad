#include "conf/conf.h"

#include <errno.h>

#include "conf/check.h"
#include "conf/host.h"

// The configuration and all that it points to; `conf` is first, so that conf_free() finds the rest.
struct owned {
    struct conf conf;
    struct conf_arena arena;
};

static struct slice text_slice(const char *text)
{
    return text == NULL ? SLICE("") : slice_text(text);
}

// The entry that the file does not have: the default as the schema says it.
static bool read_default(const struct conf_reader *reader, const struct conf_key *key,
                         const struct conf_block *block, void *base)
{
    const char *text = key->flags & CONF_FROM_NAME ? block->name : key->fallback;
    struct conf_piece piece = {.text = text_slice(text), .line = block->line};
    struct conf_entry entry = {.line = block->line, .first = &piece};
    char expected[CONF_EXPECT_MAX], title[CONF_TITLE_MAX];

    if (text != NULL)
        return block->faulty || conf_value_read(reader, key, &entry, base);
    if (!(key->flags & CONF_REQUIRED) || block->faulty)
        return true;
    conf_key_expect(key, expected);
    conf_fault(reader->faults, block->line, NULL, "%s has no %s; expected %s",
               conf_block_title(block->section, block->name, title), key->name, expected);
    return false;
}

static void read_block(const struct conf_reader *reader, struct conf_block *block, void *base)
{
    const struct conf_section *section = block->section;

    if (section->repeatable)
        *(char **)((char *)base + section->name_offset) =
            conf_arena_copy(reader->arena, slice_text(block->name));
    for (unsigned i = 0; i < section->keys_n; i++) {
        struct conf_entry *entry = &block->entries[i];
        if (entry->faulty)
            continue;
        bool good = entry->line != 0 ? conf_value_read(reader, &section->keys[i], entry, base)
                                     : read_default(reader, &section->keys[i], block, base);
        entry->faulty = !good;
    }
}

// The array of each repeatable section, exactly as long as the file has sections of the kind. What is not in the
// file is as if it stood there empty: its defaults hold.
static bool make_room(const struct conf_reader *reader, struct conf_tree *tree, struct conf *conf)
{
    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        const struct conf_section *section = &conf_sections[i];
        if (!section->repeatable) {
            if (tree->count[i] == 0 && conf_tree_add(tree, section, "", tree->lines, reader->arena) == NULL)
                return false;
            continue;
        }
        void *array = conf_arena_take(reader->arena, tree->count[i] * section->element_size);
        if (array == NULL)
            return false;
        *(void **)((char *)conf + section->array_offset) = array;
        *(unsigned *)((char *)conf + section->count_offset) = tree->count[i];
    }
    return true;
}

// What follows from the other fields of a listener.
static void complete_listener(struct conf_listener *listener, struct conf_arena *arena)
{
    char text[ENDPOINT_TEXT_MAX];

    listener->address.transport = listener->transport & 0xf;
    if (listener->address.port == 0)
        listener->address.port = conf_transport_port(listener->transport);
    if (listener->advertised.family == ENDPOINT_NONE)
        listener->advertised = listener->address;
    if (listener->advertised.port == 0)
        listener->advertised.port = listener->address.port;
    listener->advertised.transport = listener->address.transport;
    uint32_t len = endpoint_write(&listener->advertised, text);
    listener->advertised_text = (struct conf_text){conf_arena_copy(arena, slice_of(text, len)), len};
}

// The members of each group, in file order.
static void complete_groups(struct conf *conf, struct conf_arena *arena)
{
    for (unsigned i = 0; i < conf->groups_n; i++) {
        struct conf_gateways *group = &conf->groups[i];
        group->members = conf_arena_take(arena, conf->gateways_n * sizeof(*group->members));
        for (unsigned j = 0; j < conf->gateways_n && group->members != NULL; j++) {
            if (conf->gateways[j].group == (int)i)
                group->members[group->members_n++] = (uint16_t)j;
        }
    }
}

// A realm is the name of the domain whose users it is for, where it is not given (RFC 3261 22.1).
static void complete_auth(const struct conf *conf, struct conf_auth *auth, struct conf_arena *arena)
{
    // What was not read, in a section with a fault, is 0, even where there is no domain at all.
    if (auth->realm.len > 0 || (unsigned)auth->domain >= conf->domains_n ||
        conf->domains[auth->domain].names_n == 0)
        return;
    const struct conf_text *name = &conf->domains[auth->domain].names[0];
    auth->realm = (struct conf_text){conf_arena_copy(arena, slice_of(name->text, name->len)), name->len};
}

static void build(const struct conf_reader *reader, struct conf_tree *tree, struct conf *conf)
{
    if (!make_room(reader, tree, conf))
        return;
    for (struct conf_block *block = tree->first; block != NULL; block = block->next)
        read_block(reader, block, (void *)(uintptr_t)conf_section_at(block->section, conf, block->index));
    for (unsigned i = 0; i < conf->listeners_n; i++)
        complete_listener(&conf->listeners[i], reader->arena);
    for (unsigned i = 0; i < conf->auths_n; i++)
        complete_auth(conf, &conf->auths[i], reader->arena);
    complete_groups(conf, reader->arena);
    if (!reader->arena->failed)
        conf_check(reader, conf);
}

struct conf *conf_parse(const char *text, size_t len, const char *name, FILE *errors)
{
    struct conf_arena scratch = {0}; // what only the reading needs
    struct conf_faults faults = {.arena = &scratch};
    struct conf_tree tree = {0};
    struct conf_arena arena = {0};

    if (len > CONF_FILE_MAX) {
        fprintf(errors, "%s: larger than %u bytes\n", name, CONF_FILE_MAX);
        return NULL;
    }
    struct owned *owned = conf_arena_take(&arena, sizeof(*owned));
    if (owned != NULL) {
        bool readable = conf_tree_read(slice_of(text, len), &tree, &scratch, &faults);
        if (readable && !scratch.failed)
            build(&(struct conf_reader){&tree, &arena, &faults}, &tree, &owned->conf);
    }
    bool failed = arena.failed || scratch.failed;
    if (failed)
        fprintf(errors, "%s: no memory to read it\n", name);
    else
        conf_faults_print(&faults, name, errors);
    conf_arena_free(&scratch);
    if (failed || faults.n > 0) {
        conf_arena_free(&arena);
        return NULL;
    }
    owned->arena = arena;
    return &owned->conf;
}

// The whole file, or NULL after a line on `errors`.
static char *read_file(const char *path, struct conf_arena *arena, size_t *len, FILE *errors)
{
    char *text =
        conf_arena_take(arena, CONF_FILE_MAX + 1); // one more, by which a file that is too large shows
    FILE *file = text == NULL ? NULL : fopen(path, "re");

    if (file == NULL) {
        fprintf(errors, "%s: cannot be read: %s\n", path, strerror(text == NULL ? ENOMEM : errno));
        return NULL;
    }
    *len = fread(text, 1, CONF_FILE_MAX + 1, file);
    if (ferror(file)) {
        fprintf(errors, "%s: cannot be read: %s\n", path, strerror(errno));
        text = NULL;
    }
    fclose(file);
    return text;
}

struct conf *conf_load(const char *path, FILE *errors)
{
    struct conf_arena arena = {0};
    size_t len = 0;
    char *text = read_file(path, &arena, &len, errors);
    struct conf *conf = text == NULL ? NULL : conf_parse(text, len, path, errors);

    conf_arena_free(&arena);
    return conf;
}

void conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    // The arena stands in memory that it gives back itself.
    struct conf_arena arena = ((struct owned *)conf)->arena;
    conf_arena_free(&arena);
}
