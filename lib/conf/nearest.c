#include "conf/nearest.h"

#define WORD_MAX 64 // longer words are nobody's slip of the hand

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment),
// whatever the case. Three rows of the table are enough: row[0] is two before the one being filled.
static unsigned distance_between(struct slice a, struct slice b)
{
    unsigned row[3][WORD_MAX + 1];

    for (unsigned j = 0; j <= b.len; j++)
        row[1][j] = row[2][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        memcpy(row[0], row[1], sizeof(row[0]));
        memcpy(row[1], row[2], sizeof(row[1]));
        row[2][0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            char x = slice_lower(a.at[i - 1]), y = slice_lower(b.at[j - 1]);
            row[2][j] = least(least(row[1][j], row[2][j - 1]) + 1, row[1][j - 1] + (x != y));
            if (i > 1 && j > 1 && x == slice_lower(b.at[j - 2]) && y == slice_lower(a.at[i - 2]))
                row[2][j] = least(row[2][j], row[0][j - 2] + 1);
        }
    }
    return row[2][b.len];
}

struct conf_nearest conf_nearest_to(struct slice wanted)
{
    // One slip in three bytes is as far as a suggestion still helps.
    return (struct conf_nearest){wanted, NULL, (wanted.len + 2) / 3 + 1};
}

void conf_nearest_offer(struct conf_nearest *nearest, const char *word)
{
    struct slice offered = slice_text(word);

    if (nearest->wanted.len > WORD_MAX || offered.len > WORD_MAX)
        return;
    unsigned distance = distance_between(nearest->wanted, offered);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = word;
    }
}
