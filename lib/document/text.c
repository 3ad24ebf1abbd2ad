#include "document/text.h"

enum { // how a byte is written
    AS_IS,
    IN_TEXT,  // as a reference everywhere
    IN_VALUE, // as a reference in an attribute's value
    NEVER,    // no XML has it
    LONG,     // the first of several bytes, if anything
};

static const uint8_t class[256] = {
    [0x00 ... 0x08] = NEVER, ['\t'] = IN_VALUE,       ['\n'] = IN_VALUE,      [0x0b ... 0x0c] = NEVER,
    ['\r'] = IN_TEXT,        [0x0e ... 0x1f] = NEVER, ['"'] = IN_VALUE,       ['&'] = IN_TEXT,
    ['<'] = IN_TEXT,         ['>'] = IN_TEXT,         [0x80 ... 0xff] = LONG,
};

unsigned document_text_character(struct slice bytes)
{
    static const uint32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
    const uint8_t *at = (const uint8_t *)bytes.at;
    unsigned len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t character = at[0] & (0xffu >> (len + 1));

    if (at[0] < 0xc2 || at[0] > 0xf4 || bytes.len < len)
        return 0;
    for (unsigned i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (at[i] & 0x3f);
    }
    bool surrogate = character >= 0xd800 && character <= 0xdfff;
    if (character < least[len] || character > 0x10ffff || surrogate || character == 0xfffe ||
        character == 0xffff)
        return 0;
    return len;
}

static void add_reference(struct document_text *text, char byte)
{
    switch (byte) {
    case '&':
        document_text_literal(text, "&amp;");
        break;
    case '<':
        document_text_literal(text, "&lt;");
        break;
    case '>':
        document_text_literal(text, "&gt;");
        break;
    case '"':
        document_text_literal(text, "&quot;");
        break;
    case '\t':
        document_text_literal(text, "&#9;");
        break;
    case '\n':
        document_text_literal(text, "&#10;");
        break;
    default:
        document_text_literal(text, "&#13;");
        break;
    }
}

// How many bytes from `at` on are written as they are.
static size_t plain_run(const uint8_t *at, size_t left, bool value)
{
    size_t run = 0;

    while (run < left) {
        uint8_t how = class[at[run]];
        if (how == AS_IS || (how == IN_VALUE && !value)) {
            run++;
            continue;
        }
        unsigned len =
            how == LONG ? document_text_character(slice_of((const char *)at + run, left - run)) : 0;
        if (len == 0)
            break;
        run += len;
    }
    return run;
}

static void escape(struct document_text *text, struct slice bytes, bool value)
{
    const uint8_t *at = (const uint8_t *)bytes.at;
    size_t left = bytes.len;

    while (left > 0) {
        size_t run = plain_run(at, left, value);
        document_text_add(text, slice_of((const char *)at, run));
        if (run == left)
            return;
        if (class[at[run]] == NEVER || class[at[run]] == LONG)
            document_text_literal(text, "?");
        else
            add_reference(text, (char)at[run]);
        at += run + 1;
        left -= run + 1;
    }
}

void document_text_escape(struct document_text *text, struct slice bytes)
{
    escape(text, bytes, false);
}

void document_text_quote(struct document_text *text, struct slice bytes)
{
    escape(text, bytes, true);
}

void document_text_attribute(struct document_text *text, struct slice name, struct slice value)
{
    document_text_literal(text, " ");
    document_text_add(text, name);
    document_text_literal(text, "=\"");
    document_text_quote(text, value);
    document_text_literal(text, "\"");
}

void document_text_number(struct document_text *text, uint64_t value)
{
    char digits[20];
    unsigned at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    document_text_add(text, slice_of(digits + at, sizeof(digits) - at));
}

void document_text_count(struct document_text *text, struct slice name, uint64_t value)
{
    document_text_literal(text, " ");
    document_text_add(text, name);
    document_text_literal(text, "=\"");
    document_text_number(text, value);
    document_text_literal(text, "\"");
}

void document_text_declaration(struct document_text *text)
{
    document_text_literal(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}
