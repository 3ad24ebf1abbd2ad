// lines: what stands in a message, LF for line ends.
#ifndef TESTS_ROLE_LINES_H
#define TESTS_ROLE_LINES_H

#include <stdbool.h>
#include <string.h>

// Whether `text` has this very line.
static inline bool lines_have(const char *text, const char *line)
{
    size_t len = strlen(line);

    for (const char *at = text; at != NULL; at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : NULL) {
        if (strncmp(at, line, len) == 0 && at[len] == '\n')
            return true;
    }
    return false;
}

#endif
