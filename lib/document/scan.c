#include "document/scan.h"

#ifdef __SSE4_2__
#include <immintrin.h>
#endif

struct binding { // of a prefix, empty for the default, to a namespace
    struct slice prefix, uri;
    enum document_namespace space;
    unsigned depth; // of the element that declares it
};

struct raw { // an attribute before its prefix is looked up
    struct slice prefix, local, value;
};

struct scan {
    const char *at, *end;
    struct document_cut *cut;
    unsigned depth;
    unsigned declared, bindings;
    struct slice open[DOCUMENT_DEPTH_MAX]; // names as they were written
    struct binding binding[DOCUMENT_NAMESPACES_MAX];
};

enum { // classes of bytes
    NAME_START = 1,
    NAME = 2,
    SPACE = 4,
    TEXT = 8,   // in content, and written as it is
    VALUE = 16, // in a value, and written as it is
};

// A class once more, as first and last bytes of its ranges, of which the CPU compares sixteen bytes at a time.
struct alphabet {
    char ranges[16];
    uint8_t class;
};
static const struct alphabet name_bytes = {"azAZ09-.__", NAME};
static const struct alphabet text_bytes = {"\t\n %\';==?\\^\x7f", TEXT};
static const struct alphabet value_bytes = {" !#%(;==?\x7f", VALUE};

#define LETTER (NAME_START | NAME | TEXT | VALUE)

static const uint8_t class[256] = {
    ['\t'] = SPACE | TEXT,
    ['\n'] = SPACE | TEXT,
    ['\r'] = SPACE,
    [' '] = SPACE | TEXT | VALUE,
    ['!'] = TEXT | VALUE,
    ['"'] = TEXT,
    ['#' ... '%'] = TEXT | VALUE,
    ['\''] = TEXT,
    ['(' ... ','] = TEXT | VALUE,
    ['-' ... '.'] = NAME | TEXT | VALUE,
    ['/'] = TEXT | VALUE,
    ['0' ... '9'] = NAME | TEXT | VALUE,
    [':' ... ';'] = TEXT | VALUE,
    ['='] = TEXT | VALUE,
    ['?' ... '@'] = TEXT | VALUE,
    ['A' ... 'Z'] = LETTER,
    ['[' ... '\\'] = TEXT | VALUE,
    [']'] = VALUE, // in content it may begin what must not be there
    ['^'] = TEXT | VALUE,
    ['_'] = LETTER,
    ['`'] = TEXT | VALUE,
    ['a' ... 'z'] = LETTER,
    ['{' ... 0x7f] = TEXT | VALUE,
};

// The first byte that is not of the alphabet.
static inline const char *run_end(const char *at, const char *end, const struct alphabet *alphabet)
{
#ifdef __SSE4_2__
    const __m128i ranges = _mm_loadu_si128((const __m128i *)(const void *)alphabet->ranges);

    while (end - at >= 16) {
        int run = _mm_cmpistri(ranges, _mm_loadu_si128((const __m128i *)(const void *)at),
                               _SIDD_UBYTE_OPS | _SIDD_CMP_RANGES | _SIDD_NEGATIVE_POLARITY);
        at += run;
        if (run < 16)
            return at;
    }
#endif
    while (at < end && class[(uint8_t)*at] & alphabet -> class)
        at++;
    return at;
}

static bool is(const struct scan *scan, uint8_t mask)
{
    return scan->at < scan->end && class[(uint8_t)*scan->at] & mask;
}

static bool take(struct scan *scan, char byte)
{
    if (scan->at == scan->end || *scan->at != byte)
        return false;
    scan->at++;
    return true;
}

static bool skip_space(struct scan *scan)
{
    const char *from = scan->at;

    while (is(scan, SPACE))
        scan->at++;
    return scan->at > from;
}

// The bytes of an alphabet that come next, and whole characters that are not ASCII.
static struct slice take_run(struct scan *scan, const struct alphabet *alphabet)
{
    const char *from = scan->at, *at = from;
    unsigned len;

    for (;;) {
        at = run_end(at, scan->end, alphabet);
        if (at == scan->end || (uint8_t)*at < 0x80)
            break;
        len = document_text_character(slice_of(at, (size_t)(scan->end - at)));
        if (len == 0)
            break;
        at += len;
    }
    scan->at = at;
    return slice_of(from, (size_t)(at - from));
}

// NCName: of ASCII, without a colon.
static bool take_part(struct scan *scan, struct slice *part)
{
    const char *from = scan->at;

    if (!is(scan, NAME_START))
        return false;
    scan->at = run_end(from, scan->end, &name_bytes);
    *part = slice_of(from, (size_t)(scan->at - from));
    return true;
}

static bool take_name(struct scan *scan, struct slice *prefix, struct slice *local)
{
    *prefix = SLICE("");
    if (!take_part(scan, local))
        return false;
    if (!take(scan, ':'))
        return true;
    *prefix = *local;
    return take_part(scan, local);
}

static bool resolve(const struct scan *scan, struct slice prefix, struct slice local,
                    struct document_name *name)
{
    *name = (struct document_name){DOCUMENT_NS_NONE, SLICE(""), local};
    for (unsigned i = scan->bindings; i-- > 0;) {
        const struct binding *binding = &scan->binding[i];
        if (!slice_equal(binding->prefix, prefix))
            continue;
        name->space = binding->space;
        name->uri = binding->uri;
        return true;
    }
    if (slice_equal(prefix, SLICE("xml"))) {
        name->space = DOCUMENT_NS_XML;
        return true;
    }
    return prefix.len == 0;
}

// Namespaces in XML 3: the two names that are bound for ever are nobody's to use.
static bool declare(struct scan *scan, struct slice prefix, struct slice uri)
{
    enum document_namespace space = document_namespace_find(uri);
    bool reserved = slice_starts(prefix, SLICE("xml")) || space == DOCUMENT_NS_XML ||
                    slice_equal(uri, SLICE("http://www.w3.org/2000/xmlns/"));

    if (reserved || space == DOCUMENT_NS_NONE || scan->declared == DOCUMENT_NAMESPACES_MAX)
        return false;
    scan->declared++;
    for (unsigned i = scan->bindings; i-- > 0 && scan->binding[i].depth == scan->depth;) {
        if (slice_equal(scan->binding[i].prefix, prefix))
            return false;
    }
    scan->binding[scan->bindings++] = (struct binding){prefix, uri, space, scan->depth};
    return true;
}

// `name="value"` with the space before it; false at what is none.
static bool take_attribute(struct scan *scan, struct raw *raw)
{
    if (!take_name(scan, &raw->prefix, &raw->local))
        return false;
    skip_space(scan);
    if (!take(scan, '='))
        return false;
    skip_space(scan);
    char quote = take(scan, '"') ? '"' : '\'';
    if (quote == '\'' && !take(scan, '\''))
        return false;
    raw->value = take_run(scan, &value_bytes);
    return take(scan, quote);
}

static bool same_name(const struct document_name *a, const struct document_name *b)
{
    return a->space == b->space && slice_equal(a->local, b->local) && slice_equal(a->uri, b->uri);
}

// XML 1.0 3.1, Namespaces in XML 6.3: no attribute twice.
static bool resolve_all(struct scan *scan, const struct raw *raw, unsigned count,
                        struct document_attribute *attributes)
{
    for (unsigned i = 0; i < count; i++) {
        struct document_name *name = &attributes[i].name;
        *name = (struct document_name){DOCUMENT_NS_NONE, SLICE(""), raw[i].local};
        if (raw[i].prefix.len > 0 && !resolve(scan, raw[i].prefix, raw[i].local, name))
            return false;
        attributes[i].value = raw[i].value;
        for (unsigned k = 0; k < i; k++) {
            if (same_name(&attributes[k].name, name))
                return false;
        }
    }
    return true;
}

// All attributes up to the tag's end; declarations are taken out of them.
static bool take_attributes(struct scan *scan, struct raw *raw, unsigned *count)
{
    *count = 0;
    while (skip_space(scan) && is(scan, NAME_START)) {
        struct raw *one = &raw[*count];
        if (*count == DOCUMENT_ATTRIBUTES_MAX || !take_attribute(scan, one))
            return false;
        if (slice_equal(one->prefix, SLICE("xmlns"))) {
            if (!declare(scan, one->local, one->value))
                return false;
        } else if (one->prefix.len == 0 && slice_equal(one->local, SLICE("xmlns"))) {
            if (!declare(scan, SLICE(""), one->value))
                return false;
        } else {
            ++*count;
        }
    }
    return true;
}

static void forget(struct scan *scan)
{
    while (scan->bindings > 0 && scan->binding[scan->bindings - 1].depth >= scan->depth)
        scan->bindings--;
}

// Behind "<".
static bool take_start(struct scan *scan)
{
    struct raw raw[DOCUMENT_ATTRIBUTES_MAX];
    struct document_attribute attributes[DOCUMENT_ATTRIBUTES_MAX];
    struct document_name name;
    struct slice prefix, local;
    const char *from = scan->at;
    unsigned count;

    if (scan->depth == DOCUMENT_DEPTH_MAX || !take_name(scan, &prefix, &local))
        return false;
    scan->open[scan->depth] = slice_of(from, (size_t)(scan->at - from));
    if (!take_attributes(scan, raw, &count) || !resolve(scan, prefix, local, &name) ||
        !resolve_all(scan, raw, count, attributes))
        return false;
    document_cut_open(scan->cut, &name, attributes, count);
    if (take(scan, '/')) {
        document_cut_close(scan->cut);
        forget(scan);
    } else {
        scan->depth++;
    }
    return take(scan, '>') && scan->cut->error == DOCUMENT_OK;
}

// Behind "</".
static bool take_end(struct scan *scan)
{
    struct slice name;

    if (scan->depth == 0)
        return false;
    name = scan->open[--scan->depth];
    if (name.len > (size_t)(scan->end - scan->at) || memcmp(scan->at, name.at, name.len) != 0)
        return false;
    scan->at += name.len;
    skip_space(scan);
    document_cut_close(scan->cut);
    forget(scan);
    return take(scan, '>') && scan->cut->error == DOCUMENT_OK;
}

// All up to the next "<", and this. XML 1.0 2.11: CR LF is LF.
static bool take_text(struct scan *scan)
{
    do {
        struct slice run = take_run(scan, &text_bytes);
        if (run.len > 0)
            document_cut_text(scan->cut, run);
        if (take(scan, '<'))
            return true;
    } while (take(scan, '\r') && scan->at < scan->end && *scan->at == '\n');
    return false;
}

// The declarations that are written in practice, and none at all.
static void skip_declaration(struct scan *scan)
{
    static const struct slice usual[] = {
        SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
        SLICE("<?xml version=\"1.0\" encoding=\"utf-8\"?>"),
        SLICE("<?xml version='1.0' encoding='UTF-8'?>"),
        SLICE("<?xml version=\"1.0\"?>"),
    };

    for (unsigned i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
        if (!slice_starts(slice_of(scan->at, (size_t)(scan->end - scan->at)), usual[i]))
            continue;
        scan->at += usual[i].len;
        return;
    }
}

bool document_scan(struct slice bytes, struct document_cut *cut)
{
    struct scan scan;

    scan.at = bytes.at;
    scan.end = bytes.at + bytes.len;
    scan.cut = cut;
    scan.depth = scan.declared = scan.bindings = 0;
    cut->plain = true;
    skip_declaration(&scan);
    skip_space(&scan);
    if (!take(&scan, '<') || !take_start(&scan))
        return false;
    while (scan.depth > 0) {
        if (!take_text(&scan))
            return false;
        if (take(&scan, '/') ? !take_end(&scan) : !take_start(&scan))
            return false;
    }
    skip_space(&scan);
    return scan.at == scan.end;
}
