// For test_patches.py: patches CASE writes the composed document before, the patch, and the one after, each closed by a
// form feed. The case's sections up to `== after` are before.
#include <stdio.h>

#include "composing.h"

static char written[2 * COMPOSING_ROOM];
static _Alignas(8) char before[COMPOSING_ROOM], after[COMPOSING_ROOM];

static void print(const struct document_text *text)
{
    printf("%.*s\f", (int)text->len, text->at);
}

int main(int argc, char **argv)
{
    static struct sections sections;
    struct document_block *old = (struct document_block *)before, *new = (struct document_block *)after;
    struct slice entity = SLICE("sip:alice@example.com");
    unsigned turn = 0;

    if (argc != 2 || !sections_load(&sections, argv[1]))
        return 2;
    while (turn < sections.count && !slice_equal(sections.section[turn].name, SLICE("after")))
        turn++;
    if (composing_of(&sections, 0, turn, old) != DOCUMENT_OK ||
        composing_of(&sections, turn, sections.count, new) != DOCUMENT_OK)
        return 1;
    struct document_text text = document_text_over(written, sizeof(written));
    enum document_error error = document_pidf_full_write(old, entity, 1, &text);
    print(&text);
    text.len = 0;
    if (error == DOCUMENT_OK)
        error = document_pidf_diff_write(old, new, entity, 2, &text);
    print(&text);
    text.len = 0;
    if (error == DOCUMENT_OK)
        error = document_pidf_full_write(new, entity, 2, &text);
    print(&text);
    return error == DOCUMENT_OK ? 0 : 1;
}
