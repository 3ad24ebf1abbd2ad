// Reading the CSV: once over to count its lines, so that the table is made in its size, and once to fill it. Control.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "number/table.h"

#define LINE_BYTES     1024 // of a line that can be right
#define FAULTS_SHOWN   100
#define NAMES_AT_HAND  1024
#define NAME_BYTES     64
#define PROGRESS_LINES 1000000

struct name_at_hand {
    int index;
    uint8_t len; // 0: none
    char text[NAME_BYTES];
};

struct loader {
    struct number_table *table;
    const char *path;
    int (*name_index)(void *owner, struct slice name);
    void (*progress)(void *owner, uint64_t lines);
    void *owner;
    FILE *file, *errors;
    uint64_t line; // number of the one in hand
    uint64_t faults;
    bool begun;                               // a line that is no comment was read: no heading may follow
    uint32_t at, end;                         // of what is in the buffer and not taken yet
    struct name_at_hand names[NAMES_AT_HAND]; // asking for a name may take long; files name few of them often
    char buffer[64 * LINE_BYTES];
};

// What is quoted of a file must not move the terminal's cursor.
static void print_quoted(FILE *out, struct slice text)
{
    fputc('"', out);
    for (uint32_t i = 0; i < text.len && i < 40; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < ' ' || c > '~')
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
    fputs(text.len > 40 ? "…\"" : "\"", out);
}

static void fault(struct loader *loader, struct slice quoted, const char *what)
{
    if (loader->faults++ >= FAULTS_SHOWN)
        return;
    fprintf(loader->errors, "%s:%" PRIu64 ": ", loader->path, loader->line);
    if (quoted.at != NULL) {
        print_quoted(loader->errors, quoted);
        fputc(' ', loader->errors);
    }
    fprintf(loader->errors, "%s\n", what);
}

// Makes room behind what is left in the buffer and fills it. False at the end of the file.
static bool refill(struct loader *loader)
{
    memmove(loader->buffer, loader->buffer + loader->at, loader->end - loader->at);
    loader->end -= loader->at;
    loader->at = 0;
    size_t got = fread(loader->buffer + loader->end, 1, sizeof(loader->buffer) - loader->end, loader->file);
    loader->end += (uint32_t)got;
    return got > 0;
}

// The next line without its LF, the last one with or without. One that is too long is cut, and its rest is skipped.
static bool next_line(struct loader *loader, struct slice *line, bool *cut)
{
    for (*cut = false;;) {
        char *from = loader->buffer + loader->at;
        uint32_t left = loader->end - loader->at;
        char *newline = memchr(from, '\n', left);
        if (newline != NULL) {
            *line = slice_of(from, (size_t)(newline - from));
            loader->at += line->len + 1;
            break;
        }
        if (left > LINE_BYTES) {
            *cut = true;
            loader->at = loader->end - 1; // so that what is left is never nothing, as it is at the end
        }
        if (!refill(loader)) {
            *line = slice_of(loader->buffer, loader->end);
            loader->at = loader->end;
            if (line->len == 0)
                return false;
            break;
        }
    }
    *cut |= line->len > LINE_BYTES;
    loader->line++;
    return true;
}

static uint64_t count_lines(struct loader *loader)
{
    uint64_t lines = 1; // the last one may be without its end
    size_t got;

    while ((got = fread(loader->buffer, 1, sizeof(loader->buffer), loader->file)) > 0) {
        const char *at = loader->buffer, *end = loader->buffer + got;
        while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
            at++;
            lines++;
        }
    }
    return lines;
}

// Without white space around it and one pair of quotes.
static struct slice field_of(struct slice text)
{
    text = slice_trim(text);
    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
        text = slice_of(text.at + 1, text.len - 2);
    return text;
}

static int index_of(struct loader *loader, struct slice name)
{
    uint32_t mark = 2166136261u; // FNV-1a

    if (name.len == 0 || name.len > NAME_BYTES)
        return -1;
    for (uint32_t i = 0; i < name.len; i++)
        mark = (mark ^ (unsigned char)name.at[i]) * 16777619u;
    struct name_at_hand *known = &loader->names[mark % NAMES_AT_HAND];
    if (slice_equal(name, slice_of(known->text, known->len)))
        return known->index;
    int index = loader->name_index(loader->owner, name);
    if (index >= 0 && index < NUMBER_NONE) {
        known->index = index;
        known->len = (uint8_t)name.len;
        memcpy(known->text, name.at, name.len);
    }
    return index;
}

// False: it is there already.
static bool put(struct number_table *table, struct number_digits prefix, uint16_t leads_to)
{
    struct number_bucket *bucket = (struct number_bucket *)(uintptr_t)number_bucket_of(table, prefix.key);

    for (;;) {
        for (unsigned i = 0; i < NUMBER_BUCKET; i++) {
            if (bucket->key[i] == prefix.key)
                return false;
            if (bucket->key[i] != 0)
                continue;
            bucket->key[i] = prefix.key;
            bucket->leads_to[i] = leads_to;
            table->prefixes++;
            table->lengths[(prefix.key & NUMBER_PLUS) != 0] |= (uint16_t)(1u << prefix.n);
            return true;
        }
        bucket = bucket + 1 == table->buckets + table->buckets_n ? table->buckets : bucket + 1;
    }
}

static bool is_heading(struct loader *loader, struct slice prefix, struct slice name)
{
    bool first = !loader->begun;

    loader->begun = true;
    return first && SLICE_IS(prefix, "prefix") && SLICE_IS(name, "gateways");
}

static void take_line(struct loader *loader, struct slice line)
{
    uint32_t comma = slice_find(line, ',');
    struct slice prefix = field_of(slice_of(line.at, comma)), name = {NULL, 0};

    if (comma < line.len)
        name = field_of(slice_of(line.at + comma + 1, line.len - comma - 1));
    if (is_heading(loader, prefix, name))
        return;
    if (comma == line.len) {
        fault(loader, line, "has no comma; expected PREFIX,NAME");
        return;
    }
    struct slice rest = prefix;
    struct number_digits digits = number_digits_take(&rest);
    unsigned len = digits.n + ((digits.key & NUMBER_PLUS) != 0); // without separators
    if (digits.n == 0 || len != prefix.len) {
        fault(loader, prefix, "is no prefix; expected 1 to 15 digits, perhaps with + in front");
        return;
    }
    int index = index_of(loader, name);
    if (index < 0 || index >= NUMBER_NONE)
        fault(loader, name, "is no [gateways] section; expected the NAME of one");
    else if (!put(loader->table, digits, (uint16_t)index))
        fault(loader, prefix, "stands on an earlier line already");
}

static int take_lines(struct loader *loader, uint64_t lines_max)
{
    struct slice line;
    bool cut;

    while (next_line(loader, &line, &cut)) {
        if (loader->line > lines_max) // there would be no room for it
            return -EBUSY;
        if (loader->line == 1 && slice_starts(line, SLICE("\xef\xbb\xbf"))) // UTF-8's byte order mark
            line = slice_of(line.at + 3, line.len - 3);
        line = slice_trim(line);
        if (cut)
            fault(loader, (struct slice){NULL, 0}, "is longer than any line can be that is right");
        else if (line.len > 0 && line.at[0] != '#')
            take_line(loader, line);
        if (loader->progress != NULL && loader->line % PROGRESS_LINES == 0)
            loader->progress(loader->owner, loader->line);
    }
    if (loader->faults > FAULTS_SHOWN)
        fprintf(loader->errors, "%s: %" PRIu64 " more\n", loader->path, loader->faults - FAULTS_SHOWN);
    if (ferror(loader->file))
        return errno != 0 ? -errno : -EIO;
    return loader->faults > 0 ? -EINVAL : 0;
}

// Four of a bucket's six places for each line.
static struct number_table *make_table(uint64_t lines, const struct memory *memory, int node)
{
    uint32_t buckets = (uint32_t)(lines / 4 + 1);
    size_t bytes = sizeof(struct number_table) + buckets * sizeof(struct number_bucket);
    struct number_table *table = memory->take(memory->owner, bytes, node);

    if (table == NULL)
        return NULL;
    table->memory = *memory;
    table->bytes = bytes;
    table->buckets_n = buckets;
    return table;
}

static int load(struct loader *loader, const struct memory *memory, int node)
{
    uint64_t lines = count_lines(loader);

    if (ferror(loader->file))
        return errno != 0 ? -errno : -EIO;
    if (lines > NUMBER_PREFIXES_MAX)
        return -EFBIG;
    if (fseek(loader->file, 0, SEEK_SET) != 0)
        return -errno;
    loader->table = make_table(lines, memory, node);
    return loader->table == NULL ? -ENOMEM : take_lines(loader, lines);
}

int number_table_load(struct number_table **table, const char *path,
                      int (*name_index)(void *owner, struct slice name), void *owner, FILE *errors,
                      void (*progress)(void *owner, uint64_t lines), const struct memory *memory, int node)
{
    struct loader *loader = memory->take(memory->owner, sizeof(*loader), MEMORY_ANY_NODE);
    int error = -ENOMEM;

    *table = NULL;
    if (loader == NULL)
        return -ENOMEM;
    loader->path = path;
    loader->name_index = name_index;
    loader->progress = progress;
    loader->owner = owner;
    loader->errors = errors;
    loader->file = fopen(path, "re");
    if (loader->file == NULL) {
        error = -errno;
        goto give_loader;
    }
    error = load(loader, memory, node);
    fclose(loader->file);
    if (error == 0)
        *table = loader->table;
    else
        number_table_destroy(loader->table);
give_loader:
    memory->give(memory->owner, loader, sizeof(*loader));
    return error;
}
