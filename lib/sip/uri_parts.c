#include "sip/uri_parts.h"

bool sip_uri_part_next(struct cursor *c, char separator, struct sip_uri_part *part)
{
    while (c->at < c->end) {
        const char *from = c->at;
        const char *equal = NULL;

        while (c->at < c->end && *c->at != separator) {
            if (*c->at == '=' && equal == NULL)
                equal = c->at;
            c->at++;
        }
        const char *name_end = equal == NULL ? c->at : equal;
        part->name = slice_of(from, (size_t)(name_end - from));
        part->value = slice_of(NULL, 0);
        if (equal != NULL)
            part->value = slice_of(equal + 1, (size_t)(c->at - equal - 1));
        cursor_skip(c, separator);
        if (part->name.len > 0)
            return true;
    }
    return false;
}
