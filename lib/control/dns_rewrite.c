#include "control/dns_rewrite.h"

#include <errno.h>
#include <regex.h>

#define GROUPS 10 // \0 … \9

// The C library unrolls repetitions: "((.{99}){99}){99}" would take gigabytes. No honest number needs more than this.
#define REPEAT_MAX 256

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

// Back-references in the expression make matching exponential, repetitions of repetitions make it huge.
static bool is_harmless(const char *expression)
{
    uint64_t repeats = 1;

    for (const char *c = expression; *c != 0; c++) {
        if (*c == '\\') {
            c++;
            if (*c == 0 || (*c >= '0' && *c <= '9'))
                return false;
        } else if (*c == '{') {
            uint64_t most = 0, number = 0;
            for (; *c != 0 && *c != '}'; c++) {
                number = *c >= '0' && *c <= '9' ? number * 10 + (uint64_t)(*c - '0') : 0;
                most = number > most ? number : most;
                if (most > REPEAT_MAX)
                    return false;
            }
            repeats *= most == 0 ? 1 : most;
            if (*c == 0 || repeats > REPEAT_MAX)
                return false;
        }
    }
    return true;
}

// The replacement with its back-references filled in: the length, or -ENOSPC.
static int substitute(const char *replacement, const char *input, const regmatch_t groups[GROUPS],
                      char *result, uint32_t room)
{
    uint32_t n = 0;

    for (const char *c = replacement; *c != 0; c++) {
        const char *from = c;
        uint32_t len = 1;
        if (*c == '\\' && c[1] != 0) {
            from = ++c;
            if (*c >= '0' && *c <= '9') {
                const regmatch_t *group = &groups[*c - '0'];
                from = group->rm_so < 0 ? input : input + group->rm_so;
                len = group->rm_so < 0 ? 0 : (uint32_t)(group->rm_eo - group->rm_so);
            }
        }
        if (len > room - n)
            return -ENOSPC;
        memcpy(result + n, from, len);
        n += len;
    }
    return (int)n;
}

int control_rewrite(const char *regexp, const char *input, char *result, uint32_t room)
{
    char expression[256], replacement[256];
    regmatch_t groups[GROUPS];
    regex_t compiled;
    char delimiter = *regexp;
    const char *at = regexp + 1;

    // RFC 3402 3.2: neither a digit nor a flag; a "\" could not be escaped
    if (delimiter == 0 || delimiter == '\\' || delimiter == 'i' || (delimiter >= '0' && delimiter <= '9') ||
        strlen(input) > CONTROL_REWRITE_INPUT_MAX)
        return -EINVAL;
    if (!take_piece(&at, delimiter, expression, sizeof(expression)) ||
        !take_piece(&at, delimiter, replacement, sizeof(replacement)))
        return -EINVAL;
    // RFC 6116 5.2: more than three delimiters: discard
    if (!(at[0] == 0 || (at[0] == 'i' && at[1] == 0)) || !is_harmless(expression))
        return -EINVAL;
    if (regcomp(&compiled, expression, REG_EXTENDED | (at[0] == 'i' ? REG_ICASE : 0)) != 0)
        return -EINVAL;
    int found = regexec(&compiled, input, GROUPS, groups, 0);
    regfree(&compiled);
    return found != 0 ? -ENOENT : substitute(replacement, input, groups, result, room);
}
