#define PCRE2_CODE_UNIT_WIDTH 8
#include "conf/match.h"

#include <pcre2.h>
#include <stdlib.h>

enum conf_match_kind conf_match_kind(struct slice text, struct slice *body)
{
    *body = text;
    if (text.len >= 2 && text.at[0] == '/' && text.at[text.len - 1] == '/') {
        *body = slice_of(text.at + 1, text.len - 2);
        return CONF_MATCH_REGEX;
    }
    if (text.len == 0 || text.at[text.len - 1] != '*')
        return CONF_MATCH_EXACT;
    body->len--;
    return body->len > 0 ? CONF_MATCH_PREFIX : CONF_MATCH_ANY; // what begins with nothing is anything
}

// PCRE2 allocates as the rest of the room does. It says "no memory" of patterns, too, that it has no machine code for:
// what failed is remembered here.
static void *take(size_t bytes, void *failed)
{
    void *at = calloc(1, bytes);

    *(bool *)failed |= at == NULL;
    return at;
}

static void give_back(void *at, void *unused)
{
    (void)unused;
    free(at);
}

static bool tell(int error, size_t offset, char fault[CONF_MATCH_FAULT_MAX])
{
    PCRE2_UCHAR text[CONF_MATCH_FAULT_MAX - 32];

    pcre2_get_error_message(error, text, sizeof(text));
    snprintf(fault, CONF_MATCH_FAULT_MAX, "%s at offset %zu", (const char *)text, offset);
    return false;
}

// Workers run patterns as machine code: the interpreter would take memory from the heap.
static bool becomes_machine_code(pcre2_code *code, char fault[CONF_MATCH_FAULT_MAX])
{
    int error = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    size_t bytes = 0;

    pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &bytes);
    if (error == 0 && bytes > 0)
        return true;
    snprintf(fault, CONF_MATCH_FAULT_MAX, "PCRE2 makes no machine code of it"); // (*NO_JIT)
    return false;
}

static bool compiles(struct slice pattern, pcre2_compile_context *context, char fault[CONF_MATCH_FAULT_MAX])
{
    int error;
    size_t offset;
    // Workers match the bytes of packets as they come, and those need not be UTF-8.
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len, PCRE2_NEVER_UTF, &error, &offset, context);

    if (code == NULL)
        return tell(error, offset, fault);
    bool good = becomes_machine_code(code, fault);
    pcre2_code_free(code);
    return good;
}

bool conf_match_compiles(struct slice pattern, char fault[CONF_MATCH_FAULT_MAX])
{
    bool failed = false;
    pcre2_general_context *memory = pcre2_general_context_create(take, give_back, &failed);
    pcre2_compile_context *context = memory == NULL ? NULL : pcre2_compile_context_create(memory);
    bool good = context != NULL && compiles(pattern, context, fault);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    if (failed)
        fault[0] = 0;
    return good;
}

bool conf_match_covers(const struct conf_match *wide, const struct conf_match *narrow)
{
    struct slice a = slice_of(wide->text.text, wide->text.len);
    struct slice b = slice_of(narrow->text.text, narrow->text.len);

    switch (wide->kind) {
    case CONF_MATCH_ANY:
        return true;
    case CONF_MATCH_PREFIX:
        return (narrow->kind == CONF_MATCH_PREFIX || narrow->kind == CONF_MATCH_EXACT) && slice_starts(b, a);
    default:
        return narrow->kind == wide->kind && slice_equal(a, b);
    }
}
