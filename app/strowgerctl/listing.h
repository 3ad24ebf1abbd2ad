// listing: rows that come in pages, and of which there may be millions: each page is printed as it comes, so columns
// have a width of their own. One thread.
#ifndef STROWGERCTL_LISTING_H
#define STROWGERCTL_LISTING_H

#include "ctl.h"

struct listing {
    bool json;
    const char *heading; // the line above the first row
    void (*print)(const json_t *row);
    unsigned long long rows;
};

// For ctl_ask: prints the "rows" of one reply. False when nobody reads on. `owner` is a struct listing.
bool listing_show(void *owner, const json_t *reply);

// What is said at the end; `none` where there was no row.
void listing_end(const struct listing *listing, const char *none);

#endif
