// table: rows and columns for people: aligned, thousands apart, units said.
#ifndef APP_TABLE_H
#define APP_TABLE_H

#include <jansson.h>

#define TABLE_COLUMNS_MAX 16
#define TABLE_CELL_MAX    256 // bytes with NUL; longer is cut

enum table_kind {
    TABLE_TEXT = 0,
    TABLE_COUNT,   // 1,234,567
    TABLE_NUMBER,  // 1234567
    TABLE_BYTES,   // 1.2 MiB
    TABLE_SECONDS, // 3d 04:05:06
    TABLE_PERCENT,
    TABLE_SHARE, // of `key` in `key` and `other` together
    TABLE_OF,    // "N of MAX": `key` of `other`
};

// One value of an object. Without it in the object the cell is "-".
struct table_column {
    const char *key, *title;
    enum table_kind kind;
    const char *other;
};

struct table;

// `titles`: n of them; NULL on the outside where memory has run out (then everything below does nothing).
struct table *table_create(const struct table_column *columns, unsigned n, const char *key_title);
// A row; `key`: its name, where the table was given a title for it.
void table_add(struct table *table, const char *key, const json_t *row);
void table_print(const struct table *table); // nothing but the titles where there are no rows
void table_destroy(struct table *table);

// "TITLE   VALUE", a line each; what is not in the object is left out.
void table_list(const struct table_column *columns, unsigned n, const json_t *values);

// How many bytes the control character has that begins here, those of U+0080 to U+009F included; 0: it is none. What
// somebody else wrote must not steer the terminal.
unsigned table_control(const char *at);

// The text of one value.
const char *table_cell(const struct table_column *column, const json_t *row, char text[TABLE_CELL_MAX]);

#endif
