#include "listing.h"

#include <stdio.h>

static void show_row(struct listing *listing, const json_t *row)
{
    if (listing->json) {
        fputs(listing->rows == 0 ? "[\n  " : ",\n  ", stdout);
        json_dumpf(row, stdout, JSON_PRESERVE_ORDER);
    } else {
        if (listing->rows == 0)
            puts(listing->heading);
        listing->print(row);
    }
    listing->rows++;
}

bool listing_show(void *owner, const json_t *reply)
{
    const json_t *rows = json_object_get(reply, "rows"), *row;
    size_t i;

    json_array_foreach(rows, i, row) show_row(owner, row);
    return !ferror(stdout); // "| head" has seen enough
}

void listing_end(const struct listing *listing, const char *none)
{
    if (listing->json)
        puts(listing->rows == 0 ? "[]" : "\n]");
    else if (listing->rows == 0)
        puts(none);
}
