#include "conf/host.h"
#include "conf/match.h"
#include "conf/value_kinds.h"

bool conf_value_mismatch(const struct conf_value *v, const struct conf_nearest *nearest)
{
    char expected[CONF_EXPECT_MAX];

    conf_element_expect(v->key, expected);
    conf_fault(v->reader->faults, v->line, nearest, "%s = %.*s: expected %s", v->key->name,
               SLICE_PRINT(v->text), expected);
    return false;
}

static bool is_word(struct slice text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    }
    return true;
}

// What Linux takes (dev_valid_name); "%" it would take for a pattern.
static bool is_interface(struct slice text)
{
    return is_word(text) && !slice_equal(text, SLICE(".")) && !slice_equal(text, SLICE("..")) &&
           slice_find(text, '/') == text.len && slice_find(text, ':') == text.len &&
           slice_find(text, '%') == text.len;
}

// RFC 3261 25.1 token.
static bool is_token(struct slice text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        char c = slice_lower(text.at[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (c == 0 || strchr("-.!%*_+`'~", c) == NULL))
            return false;
    }
    return true;
}

static bool is_uri(struct slice text)
{
    static const char *const schemes[] = {"sip:", "sips:", "tel:"};

    for (unsigned i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        struct slice scheme = slice_text(schemes[i]);
        if (text.len > scheme.len && slice_equal_nocase(slice_of(text.at, scheme.len), scheme))
            return is_word(text);
    }
    return false;
}

static bool text_is_good(const struct conf_key *key, struct slice text)
{
    uint64_t max = key->list ? CONF_TEXT_MAX : key->max;

    // A comment's beginning could not be told from a value when it is printed.
    if (text.len < (key->list ? 1 : key->min) || text.len > max || text.at[0] == ';' || text.at[0] == '#')
        return false;
    switch (key->type) {
    case CONF_WORD:
        return is_word(text);
    case CONF_INTERFACE:
        return is_interface(text);
    case CONF_URI:
        return is_uri(text);
    case CONF_METHOD:
        return is_token(text);
    default:
        return true;
    }
}

bool conf_value_keep(const struct conf_value *v, struct slice text, struct conf_text *kept)
{
    char *copy = conf_arena_copy(v->reader->arena, text);

    if (copy == NULL)
        return false;
    *kept = (struct conf_text){copy, text.len};
    return true;
}

bool conf_value_read_text(const struct conf_value *v, void *at)
{
    const struct conf_key *key = v->key;
    struct conf_text kept;

    if (!text_is_good(key, v->text))
        return conf_value_mismatch(v, NULL);
    if (!conf_value_keep(v, v->text, &kept))
        return false;
    for (uint32_t i = 0; i < kept.len && (key->flags & CONF_LOWER); i++)
        kept.text[i] = slice_lower(kept.text[i]);
    if (key->list || key->size == sizeof(struct conf_text))
        *(struct conf_text *)at = kept;
    else
        *(char **)at = kept.text;
    return true;
}

static bool read_regex(const struct conf_value *v, struct slice pattern)
{
    char fault[CONF_MATCH_FAULT_MAX];

    if (conf_match_compiles(pattern, fault))
        return true;
    if (fault[0] != 0)
        conf_fault(v->reader->faults, v->line, NULL, "%s = %.*s: the pattern is wrong: %s", v->key->name,
                   SLICE_PRINT(v->text), fault);
    else
        v->reader->arena->failed = true;
    return false;
}

bool conf_value_read_match(const struct conf_value *v, void *at)
{
    bool domain = v->key->type == CONF_DOMAIN_MATCH;
    struct conf_match match = {0};
    char host[CONF_HOST_MAX];
    struct slice body;

    if (!text_is_good(v->key, v->text))
        return conf_value_mismatch(v, NULL);
    match.kind = (uint8_t)conf_match_kind(v->text, &body);
    if (match.kind == CONF_MATCH_REGEX) {
        if (!read_regex(v, body))
            return false;
    } else if (!is_word(body)) {
        return conf_value_mismatch(v, NULL);
    } else if (domain && match.kind == CONF_MATCH_EXACT) {
        body = slice_of(host, conf_host_read(body, host));
        if (body.len == 0)
            return conf_value_mismatch(v, NULL);
    }
    if (!conf_value_keep(v, body, &match.text))
        return false;
    for (uint32_t i = 0; i < body.len && domain && match.kind == CONF_MATCH_PREFIX; i++)
        match.text.text[i] = slice_lower(match.text.text[i]);
    *(struct conf_match *)at = match;
    return true;
}
