#include "control/dns_rewrite.h"

#include <errno.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define PIECE_MAX     256   // bytes of expression, of replacement
#define STEPS_MAX     10000 // of matching
#define KIBIBYTES_MAX 256   // for it

// A piece up to its closing delimiter, which is taken; "\" in front of one makes it an ordinary character (RFC 3402 3.2
// escaped-delimiter) and both remain a pair with whatever else "\" stands in front of. False: there is no end.
static bool take_piece(const char **at, char delimiter, char *piece, uint32_t room)
{
    uint32_t n = 0;

    for (const char *c = *at; *c != 0; c++) {
        if (*c == delimiter) {
            piece[n] = 0;
            *at = c + 1;
            return true;
        }
        if (n + 2 >= room)
            return false;
        if (*c == '\\' && c[1] == delimiter)
            c++;
        else if (*c == '\\' && c[1] != 0)
            piece[n++] = *c++;
        piece[n++] = *c;
    }
    return false;
}

// The replacement with the groups that it refers to filled in: the length, or -ENOSPC.
static int substitute(const char *replacement, const char *input, pcre2_match_data *match, char *result,
                      uint32_t room)
{
    const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(match);
    unsigned groups_n = pcre2_get_ovector_count(match);
    uint32_t n = 0;

    for (const char *c = replacement; *c != 0; c++) {
        const char *from = c;
        PCRE2_SIZE len = 1;
        if (*c == '\\' && c[1] != 0) {
            from = ++c;
            if (*c >= '0' && *c <= '9') {
                unsigned group = (unsigned)(*c - '0');
                bool set = group < groups_n && groups[2 * group] != PCRE2_UNSET;
                from = set ? input + groups[2 * group] : input;
                len = set ? groups[2 * group + 1] - groups[2 * group] : 0;
            }
        }
        if (len > room - n)
            return -ENOSPC;
        memcpy(result + n, from, len);
        n += (uint32_t)len;
    }
    return (int)n;
}

static int match_and_substitute(pcre2_code *code, const char *input, const char *replacement, char *result,
                                uint32_t room)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    int length = -ENOENT;

    if (limits != NULL && match != NULL) {
        pcre2_set_match_limit(limits, STEPS_MAX);
        pcre2_set_heap_limit(limits, KIBIBYTES_MAX);
        if (pcre2_match(code, (PCRE2_SPTR)input, PCRE2_ZERO_TERMINATED, 0, 0, match, limits) >= 0)
            length = substitute(replacement, input, match, result, room);
    }
    pcre2_match_data_free(match);
    pcre2_match_context_free(limits);
    return length;
}

int control_rewrite(const char *regexp, const char *input, char *result, uint32_t room)
{
    char expression[PIECE_MAX], replacement[PIECE_MAX];
    char delimiter = *regexp;
    const char *at = regexp + 1;
    PCRE2_SIZE offset;
    int error;

    // RFC 3402 3.2: neither a digit nor a flag; a "\" could not be escaped
    if (delimiter == 0 || delimiter == '\\' || delimiter == 'i' || (delimiter >= '0' && delimiter <= '9') ||
        strlen(input) > CONTROL_REWRITE_INPUT_MAX)
        return -EINVAL;
    if (!take_piece(&at, delimiter, expression, sizeof(expression)) ||
        !take_piece(&at, delimiter, replacement, sizeof(replacement)))
        return -EINVAL;
    // RFC 6116 5.2: more than three delimiters: discard
    if (!(at[0] == 0 || (at[0] == 'i' && at[1] == 0)))
        return -EINVAL;
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
                                     options | (at[0] == 'i' ? PCRE2_CASELESS : 0), &error, &offset, NULL);
    if (code == NULL)
        return -EINVAL;
    int length = match_and_substitute(code, input, replacement, result, room);
    pcre2_code_free(code);
    return length;
}
