// nearest: which of the known words somebody meant.
//
// Words are offered one by one; the nearest by edit distance wins, if it is near enough to be a slip of the hand.
// A plain value on the stack: any thread. Cost: length times length for each word.
#ifndef CONF_NEAREST_H
#define CONF_NEAREST_H

#include "base/slice.h"

struct conf_nearest {
    struct slice wanted;
    const char *best; // NULL: nothing near enough was offered
    unsigned distance;
};

struct conf_nearest conf_nearest_to(struct slice wanted);

// `word` outlives `nearest`. Of equally near words the first offered stays.
void conf_nearest_offer(struct conf_nearest *nearest, const char *word);

#endif
