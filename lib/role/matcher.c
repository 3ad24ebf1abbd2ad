// Regular expressions made ready: control's part of role/match.h.
#include <stdlib.h>

#include "role/match.h"

// Steps of the matcher. Patterns for users and hosts take tens; one that backtracks without end is cut off before
// others on the same worker notice.
#define STEPS_MAX 5000

#define CACHE_LINE 64

// Whole cache lines, for what workers write lies side by side.
static void *take(size_t bytes, void *unused)
{
    (void)unused;
    return aligned_alloc(CACHE_LINE, (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
}

static void give_back(void *at, void *unused)
{
    (void)unused;
    free(at);
}

struct role_matcher *role_matcher_create(void)
{
    struct role_matcher *matcher = calloc(1, sizeof(*matcher));

    if (matcher == NULL)
        return NULL;
    matcher->memory = pcre2_general_context_create(take, give_back, NULL);
    matcher->limits = matcher->memory == NULL ? NULL : pcre2_match_context_create(matcher->memory);
    bool whole = matcher->limits != NULL;
    for (unsigned i = 0; i < WORKERS_MAX && whole; i++) {
        matcher->found[i] = pcre2_match_data_create(1, matcher->memory);
        whole = matcher->found[i] != NULL;
    }
    if (!whole) {
        role_matcher_destroy(matcher);
        return NULL;
    }
    pcre2_set_match_limit(matcher->limits, STEPS_MAX);
    return matcher;
}

void role_matcher_destroy(struct role_matcher *matcher)
{
    if (matcher == NULL)
        return;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        pcre2_match_data_free(matcher->found[i]);
    pcre2_match_context_free(matcher->limits);
    pcre2_general_context_free(matcher->memory);
    free(matcher);
}

static bool tell(int error, const char *name, const struct conf_match *from, FILE *errors)
{
    PCRE2_UCHAR text[128];

    pcre2_get_error_message(error, text, sizeof(text));
    fprintf(errors, "%s: /%s/: %s\n", name, from->text.text, (const char *)text);
    return false;
}

bool role_condition_compile(const struct role_matcher *matcher, struct role_condition *condition,
                            const struct conf_match *from, bool host, const char *name, FILE *errors)
{
    int error;
    size_t offset;

    *condition = (struct role_condition){
        .text = slice_of(from->text.text, from->text.len),
        .kind = from->kind,
        .host = host,
    };
    if (from->kind != CONF_MATCH_REGEX)
        return true;
    pcre2_compile_context *context = pcre2_compile_context_create(matcher->memory);
    if (context == NULL)
        return tell(PCRE2_ERROR_NOMEMORY, name, from, errors);
    condition->code = pcre2_compile((PCRE2_SPTR)from->text.text, from->text.len, host ? PCRE2_CASELESS : 0,
                                    &error, &offset, context);
    pcre2_compile_context_free(context);
    if (condition->code == NULL)
        return tell(error, name, from, errors);
    error = pcre2_jit_compile(condition->code, PCRE2_JIT_COMPLETE);
    return error == 0 || tell(error, name, from, errors);
}

void role_condition_free(struct role_condition *condition)
{
    pcre2_code_free(condition->code);
    condition->code = NULL;
}
