#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/value.h"

#define COLUMNS 100 // where lists and comments are broken; an INI line may have no more than 199

// Prints the elements of a list one after another and breaks the line where it would become long; `indent` begins the
// lines that go on.
struct list_line {
    FILE *out;
    const char *indent;
    size_t column;
    unsigned n;
};

static void list_print(struct list_line *line, struct slice element)
{
    if (line->n++ > 0) {
        line->column += (size_t)fprintf(line->out, ",");
        if (line->column + 1 + element.len > COLUMNS)
            line->column = (size_t)fprintf(line->out, "\n%s", line->indent) - 2;
    }
    line->column += (size_t)fprintf(line->out, " %.*s", SLICE_PRINT(element));
}

static void print_key(const struct conf_key *key, const struct conf *conf, const void *base, FILE *out)
{
    struct list_line line = {.out = out, .indent = "   "};
    unsigned n = conf_value_count(key, base);
    char text[CONF_VALUE_MAX];

    line.column = (size_t)fprintf(out, "%s =", key->name);
    for (unsigned i = 0; i < n; i++) {
        conf_value_text(key, conf, base, i, text);
        list_print(&line, slice_text(text));
    }
    fputc('\n', out);
}

void conf_print(const struct conf *conf, FILE *out)
{
    char title[CONF_TITLE_MAX];

    for (unsigned i = 0, printed = 0; i < CONF_SECTIONS; i++) {
        const struct conf_section *section = &conf_sections[i];
        for (unsigned j = 0; j < conf_section_count(section, conf); j++, printed++) {
            const void *base = conf_section_at(section, conf, j);
            fprintf(out, "%s%s\n", printed == 0 ? "" : "\n",
                    conf_block_title(section, conf_section_name(section, base), title));
            for (unsigned k = 0; k < section->keys_n; k++)
                print_key(&section->keys[k], conf, base, out);
        }
    }
}

// Prints words behind `indent`, as many a line as fit.
static void print_wrapped(const char *indent, const char *text, FILE *out)
{
    size_t column = 0;

    while (*text != 0) {
        size_t word = strcspn(text, " ");
        if (column == 0 || column + 1 + word > COLUMNS)
            column = (size_t)fprintf(out, "%s%s", column == 0 ? "" : "\n", indent) - (column == 0 ? 0 : 1);
        column += (size_t)fprintf(out, " %.*s", (int)word, text);
        text += word + (text[word] == ' ');
    }
    fputc('\n', out);
}

// "Takes 1024 to 65535 bytes (k or M may follow); default 16384."
static void print_expectation(const char *indent, const struct conf_key *key, FILE *out)
{
    char expected[CONF_EXPECT_MAX], text[2 * CONF_EXPECT_MAX];
    const char *fallback = key->fallback == NULL || key->fallback[0] == 0 ? "none" : key->fallback;
    const char *fixed = key->flags & CONF_FIXED ? " Changed by a restart only." : "";

    conf_key_expect(key, expected);
    if (key->flags & CONF_REQUIRED)
        snprintf(text, sizeof(text), "Takes %s; required.%s", expected, fixed);
    else
        snprintf(text, sizeof(text), "Takes %s; default %s.%s", expected,
                 key->flags & CONF_FROM_NAME ? "the section's NAME" : fallback, fixed);
    print_wrapped(indent, text, out);
}

// A key with what the default or the example says, as INI; `mark` is "#" where it is commented out.
static void print_sample(const char *mark, const struct conf_key *key, FILE *out)
{
    const char *text = key->example != NULL ? key->example : key->fallback;
    struct list_line line = {.out = out, .indent = mark[0] == 0 ? "   " : "#   "};
    struct slice rest = text == NULL ? SLICE("") : slice_text(text);

    line.column = (size_t)fprintf(out, "%s%s =", mark, key->name);
    while (rest.len > 0) {
        uint32_t end = key->list ? slice_find(rest, ',') : rest.len;
        uint32_t taken = end < rest.len ? end + 1 : end;
        list_print(&line, slice_trim(slice_of(rest.at, end)));
        rest = slice_of(rest.at + taken, rest.len - taken);
    }
    fputc('\n', out);
}

static void print_section_sample(const struct conf_section *section, FILE *out)
{
    const char *mark = section->shown ? "" : "#";
    char title[CONF_TITLE_MAX];

    fputs("\n\n", out);
    print_wrapped("#", section->help, out);
    fprintf(out, "%s%s\n", mark,
            conf_block_title(section, section->repeatable ? section->example : "", title));
    for (unsigned i = 0; i < section->keys_n; i++) {
        const struct conf_key *key = &section->keys[i];
        bool shown = section->shown && (key->flags & (CONF_REQUIRED | CONF_SHOWN));
        fputc('\n', out);
        print_wrapped("#", key->help, out);
        print_expectation("#", key, out);
        print_sample(shown ? "" : "#", key, out);
    }
}

void conf_print_template(FILE *out)
{
    fputs("# strowger.ini: every key with what it is for, what it takes and its default.\n"
          "#\n"
          "# [section] or [section NAME], then KEY = VALUE. \"#\" or \";\" begin a comment line, \" ;\" a "
          "comment behind\n"
          "# a value. A list may go on in indented lines. Keys without a \"#\" before them are the least "
          "that a\n"
          "# server needs; the addresses are those of documentation (RFC 5737).\n"
          "#\n"
          "# strowger -- --config strowger.ini --check says what is wrong with it, or what is in effect.\n",
          out);
    for (unsigned i = 0; i < CONF_SECTIONS; i++)
        print_section_sample(&conf_sections[i], out);
}

void conf_print_reference(FILE *out)
{
    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        const struct conf_section *section = &conf_sections[i];
        fprintf(out, "%s[%s%s]", i == 0 ? "" : "\n", section->name, section->repeatable ? " NAME" : "");
        print_wrapped("", section->help, out);
        for (unsigned k = 0; k < section->keys_n; k++) {
            fprintf(out, "  %s\n", section->keys[k].name);
            print_wrapped("     ", section->keys[k].help, out);
            print_expectation("     ", &section->keys[k], out);
        }
    }
}
