#define PCRE2_CODE_UNIT_WIDTH 8
#include "role/match.h"

#include <pcre2.h>
#include <stdlib.h>

#include "sip/uri_parts.h"
#include "worker/worker.h"

// Steps of the matcher. Patterns for users and hosts take tens; one that backtracks without end is cut off before
// others on the same worker notice.
#define STEPS_MAX 5000

#define CACHE_LINE 64

struct role_matcher {
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_match_data *found[WORKERS_MAX]; // written while matching
};

struct slice role_user_plain(const struct sip_uri *uri, char room[ROLE_USER_MAX])
{
    bool number = uri->scheme == SIP_SCHEME_TEL;
    unsigned len = 0;

    if (uri->scheme == SIP_SCHEME_OTHER || uri->user.at == NULL)
        return slice_of(room, 0);
    struct slice user = uri->user;
    const char *end = user.at + user.len;
    if (!number && slice_find(user, '%') == user.len)
        return slice_of(user.at, user.len < ROLE_USER_MAX ? user.len : ROLE_USER_MAX);
    for (const char *at = user.at; at < end && len < ROLE_USER_MAX; at++) {
        int escaped = *at == '%' ? sip_escape_value(at, end) : -1;
        if (number && sip_phone_separator(*at))
            continue;
        room[len++] = escaped >= 0 ? (char)escaped : *at;
        at += escaped >= 0 ? SIP_ESCAPE_LEN - 1 : 0;
    }
    return slice_of(room, len);
}

bool role_network_has(const struct conf_network *network, const struct endpoint *endpoint)
{
    unsigned bytes = network->bits / 8;
    unsigned rest = network->bits % 8;

    if (network->address.family != endpoint->family ||
        memcmp(network->address.address, endpoint->address, bytes) != 0)
        return false;
    return rest == 0 || (network->address.address[bytes] ^ endpoint->address[bytes]) >> (8 - rest) == 0;
}

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

static bool same_host(struct slice a, struct slice b)
{
    struct endpoint x, y;

    if (slice_equal_nocase(a, b))
        return true;
    return endpoint_parse_host(a, &x) && endpoint_parse_host(b, &y) && endpoint_same_address(&x, &y);
}

static bool begins(const struct role_condition *condition, struct slice value)
{
    if (!condition->host)
        return slice_starts(value, condition->text);
    return value.len >= condition->text.len &&
           slice_equal_nocase(slice_of(value.at, condition->text.len), condition->text);
}

bool role_condition_holds(const struct role_matcher *matcher, const struct role_condition *condition,
                          struct slice value, unsigned worker)
{
    switch (condition->kind) {
    case CONF_MATCH_EXACT:
        return condition->host ? same_host(condition->text, value) : slice_equal(condition->text, value);
    case CONF_MATCH_PREFIX:
        return begins(condition, value);
    case CONF_MATCH_REGEX:
        return pcre2_jit_match(condition->code, (PCRE2_SPTR)(value.len > 0 ? value.at : ""), value.len, 0, 0,
                               matcher->found[worker], matcher->limits) >= 0;
    default:
        return true;
    }
}
