#include "document/summary.h"

#include "base/cursor.h"
#include "document/text.h"

static void skip_space(struct cursor *c)
{
    while (cursor_peek(c) == ' ' || cursor_peek(c) == '\t')
        c->at++;
}

// HCOLON (RFC 3261 25.1): the name before it; empty when the line has none.
static struct slice take_name(struct cursor *c)
{
    const char *from = c->at;

    while (cursor_peek(c) > ' ' && cursor_peek(c) != ':' && cursor_peek(c) < 0x7f)
        c->at++;
    struct slice name = slice_of(from, (size_t)(c->at - from));
    skip_space(c);
    cursor_expect(c, ':', DOCUMENT_MALFORMED);
    skip_space(c);
    return name;
}

// msgcount SLASH msgcount; RFC 3842 5.2: none is over 2**32 - 1.
static void take_counts(struct cursor *c)
{
    for (unsigned i = 0; i < 2; i++) {
        int first = cursor_peek(c);
        if (first < '0' || first > '9' || cursor_take_number(c, UINT32_MAX) > UINT32_MAX)
            cursor_fail(c, DOCUMENT_MALFORMED);
        skip_space(c);
        if (i == 0)
            cursor_expect(c, '/', DOCUMENT_MALFORMED);
        skip_space(c);
    }
}

static void take_summary(struct cursor *c)
{
    take_counts(c);
    if (cursor_skip(c, '(')) {
        skip_space(c);
        take_counts(c);
        cursor_expect(c, ')', DOCUMENT_MALFORMED);
    }
}

// RFC 3842 3.5: the account "MUST NOT be delimited with angle brackets".
static struct slice without_brackets(struct slice account)
{
    bool has = account.len >= 2 && account.at[0] == '<' && account.at[account.len - 1] == '>';

    return has ? slice_of(account.at + 1, account.len - 2) : account;
}

// What no URI has in it (RFC 3986 2).
static bool is_uri(struct slice account)
{
    for (uint32_t i = 0; i < account.len; i++) {
        if (account.at[i] == ' ' || account.at[i] == '\t' || account.at[i] == '<' || account.at[i] == '>')
            return false;
    }
    return account.len > 0;
}

// One line of those before the empty one. `number` counts from 0.
static bool read_line(struct slice line, unsigned number, struct document_summary *summary)
{
    struct cursor c = cursor_over(line);
    struct slice name = take_name(&c);
    struct slice value = slice_of(c.at, cursor_left(&c));

    if (c.error != 0 || name.len == 0)
        return false;
    if (number == 0) {
        summary->waiting = SLICE_IS(value, "yes");
        return SLICE_IS(name, "messages-waiting") && (summary->waiting || SLICE_IS(value, "no"));
    }
    if (SLICE_IS(name, "message-account")) {
        bool first = summary->account.len == 0;
        summary->account = without_brackets(value);
        return first && is_uri(summary->account);
    }
    take_summary(&c);
    return c.error == 0 && cursor_done(&c);
}

// The next line without its end and the white space before that; LF alone ends one too.
static struct slice take_line(struct slice *rest)
{
    uint32_t end = slice_find(*rest, '\n');
    struct slice line = slice_of(rest->at, end);
    uint32_t used = end < rest->len ? end + 1 : end;

    *rest = slice_of(rest->at + used, rest->len - used);
    while (line.len > 0 &&
           (line.at[line.len - 1] == '\r' || line.at[line.len - 1] == ' ' || line.at[line.len - 1] == '\t'))
        line.len--;
    return line;
}

// What a header field of any name may have in it: text, no control characters.
static bool is_text(struct slice line)
{
    for (uint32_t i = 0; i < line.len; i++) {
        uint8_t byte = (uint8_t)line.at[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

static bool is_extension(struct slice line)
{
    struct cursor c = cursor_over(line);

    if (line.len == 0 || line.at[0] == ' ' ||
        line.at[0] == '\t') // an end of messages' headers, or a folded line
        return true;
    return take_name(&c).len > 0 && c.error == 0;
}

static void write_line(struct document_text *text, struct slice line, struct slice account)
{
    bool names_it = account.len > 0 && account.at > line.at && account.at < line.at + line.len;

    document_text_add(text, names_it ? SLICE("Message-Account: ") : line);
    if (names_it)
        document_text_add(text, account);
    document_text_literal(text, "\r\n");
}

enum document_error document_summary_read(struct slice bytes, struct document_summary *summary,
                                          struct document_text *text)
{
    struct slice rest = bytes;
    bool extensions = false;

    *summary = (struct document_summary){0};
    if (bytes.len > DOCUMENT_SUMMARY_MAX)
        return DOCUMENT_TOO_LARGE;
    if (bytes.len == 0)
        return DOCUMENT_MALFORMED;
    for (unsigned number = 0; rest.len > 0; number++) {
        struct slice line = take_line(&rest);
        bool good = extensions ? is_extension(line) : number > 0 && line.len == 0;
        if (!extensions && good)
            extensions = true;
        else if (!extensions)
            good = read_line(line, number, summary);
        if (!good || !is_text(line))
            return DOCUMENT_MALFORMED;
        if (!extensions)
            write_line(text, line, summary->account);
    }
    return document_text_error(text);
}

enum document_error document_summary_none(struct slice account, struct document_text *text)
{
    document_text_literal(text, "Messages-Waiting: no\r\n");
    if (account.len > 0) {
        document_text_literal(text, "Message-Account: ");
        document_text_add(text, account);
        document_text_literal(text, "\r\n");
    }
    return document_text_error(text);
}
