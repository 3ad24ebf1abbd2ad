#include "document/parse.h"

#include <expat.h>

// Stands between a name's namespace and its local part. No namespace has it: expat sees to that.
#define BETWEEN "\n"

struct parse {
    XML_Parser parser;
    struct document_cut *cut;
    unsigned namespaces;
};

static void fail(struct parse *parse, enum document_error error)
{
    document_cut_fail(parse->cut, error);
    XML_StopParser(parse->parser, XML_FALSE);
}

static void stop_on_error(struct parse *parse)
{
    if (parse->cut->error != DOCUMENT_OK)
        XML_StopParser(parse->parser, XML_FALSE);
}

static struct document_name name_of(const XML_Char *text)
{
    struct slice whole = slice_text(text);
    uint32_t end = slice_find(whole, *BETWEEN);
    struct document_name name = {DOCUMENT_NS_NONE, SLICE(""), whole};

    if (end < whole.len) {
        name.uri = slice_of(whole.at, end);
        name.local = slice_of(whole.at + end + 1, whole.len - end - 1);
        name.space = document_namespace_find(name.uri);
    }
    return name;
}

static void on_open(void *owner, const XML_Char *text, const XML_Char **attributes)
{
    struct parse *parse = owner;
    struct document_attribute attribute[DOCUMENT_ATTRIBUTES_MAX];
    struct document_name name = name_of(text);
    unsigned count = 0;

    for (; attributes[0] != NULL; attributes += 2) {
        if (count == DOCUMENT_ATTRIBUTES_MAX) {
            fail(parse, DOCUMENT_TOO_LARGE);
            return;
        }
        attribute[count++] = (struct document_attribute){name_of(attributes[0]), slice_text(attributes[1])};
    }
    document_cut_open(parse->cut, &name, attribute, count);
    stop_on_error(parse);
}

static void on_close(void *owner, const XML_Char *text)
{
    struct parse *parse = owner;

    (void)text;
    document_cut_close(parse->cut);
    stop_on_error(parse);
}

static void on_text(void *owner, const XML_Char *text, int len)
{
    struct parse *parse = owner;

    document_cut_text(parse->cut, slice_of(text, (size_t)len));
    stop_on_error(parse);
}

static void on_namespace(void *owner, const XML_Char *prefix, const XML_Char *uri)
{
    struct parse *parse = owner;

    (void)prefix;
    (void)uri;
    if (++parse->namespaces > DOCUMENT_NAMESPACES_MAX)
        fail(parse, DOCUMENT_TOO_LARGE);
}

static void on_declaration(void *owner, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    (void)version;
    (void)standalone;
    if (encoding == NULL)
        return;
    if (!SLICE_IS(slice_text(encoding), "utf-8") && !SLICE_IS(slice_text(encoding), "us-ascii"))
        fail(owner, DOCUMENT_ENCODING);
}

static void on_doctype(void *owner, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                       int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    fail(owner, DOCUMENT_FORBIDDEN);
}

static void on_instruction(void *owner, const XML_Char *target, const XML_Char *text)
{
    (void)target;
    (void)text;
    fail(owner, DOCUMENT_FORBIDDEN);
}

static enum document_error meaning_of(enum XML_Error error)
{
    switch (error) {
    case XML_ERROR_NO_MEMORY:
        return DOCUMENT_TOO_LARGE;
    case XML_ERROR_UNKNOWN_ENCODING:
    case XML_ERROR_INCORRECT_ENCODING:
        return DOCUMENT_ENCODING;
    case XML_ERROR_UNDEFINED_ENTITY:
        return DOCUMENT_FORBIDDEN;
    default:
        return DOCUMENT_MALFORMED;
    }
}

static XML_Parser make_parser(struct parse *parse, struct document_arena *arena, unsigned long salt)
{
    document_arena_clear(arena);
    XML_Parser parser = XML_ParserCreate_MM("UTF-8", arena->suite, BETWEEN);
    if (parser == NULL)
        return NULL;
    // Without a salt expat would ask the kernel for one.
    XML_SetHashSalt(parser, salt);
    XML_SetUserData(parser, parse);
    XML_SetElementHandler(parser, on_open, on_close);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartNamespaceDeclHandler(parser, on_namespace);
    XML_SetXmlDeclHandler(parser, on_declaration);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetProcessingInstructionHandler(parser, on_instruction);
    return parser;
}

enum document_error document_parse(struct document_arena *arena, unsigned long salt, struct slice bytes,
                                   struct document_cut *cut, uint32_t *line)
{
    struct parse parse = {.cut = cut};

    *line = 0;
    parse.parser = make_parser(&parse, arena, salt);
    if (parse.parser == NULL)
        return DOCUMENT_TOO_LARGE;
    if (XML_Parse(parse.parser, bytes.at, (int)bytes.len, XML_TRUE) == XML_STATUS_OK)
        return cut->error;
    *line = (uint32_t)XML_GetCurrentLineNumber(parse.parser);
    document_cut_fail(cut, meaning_of(XML_GetErrorCode(parse.parser)));
    return cut->error;
}
