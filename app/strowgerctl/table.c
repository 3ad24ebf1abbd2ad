#include "table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_FIRST 64

struct table {
    const struct table_column *columns;
    unsigned columns_n;
    const char *key_title; // NULL: rows have no name
    unsigned rows_n, rows_max;
    char *cells; // [rows][columns + 1][TABLE_CELL_MAX]; the first is the row's name
};

static const char *put_count(char *text, unsigned long long value)
{
    char digits[32];
    int n = snprintf(digits, sizeof(digits), "%llu", value);
    char *to = text;

    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return text;
}

static const char *put_bytes(char *text, unsigned long long value)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double scaled = (double)value;
    unsigned unit = 0;

    while (scaled >= 1024 && unit < 4) {
        scaled /= 1024;
        unit++;
    }
    snprintf(text, TABLE_CELL_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, units[unit]);
    return text;
}

// A binding that somebody made for good has 136 years.
static const char *put_seconds(char *text, unsigned long long s)
{
    const unsigned long long day = 86400, forever = 100 * 365 * day;

    if (s >= forever)
        snprintf(text, TABLE_CELL_MAX, "for good");
    else if (s >= day)
        snprintf(text, TABLE_CELL_MAX, "%llud %02llu:%02llu:%02llu", s / day, s / 3600 % 24, s / 60 % 60,
                 s % 60);
    else
        snprintf(text, TABLE_CELL_MAX, "%02llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    return text;
}

static const char *put_of(const struct table_column *column, const json_t *row, unsigned long long value,
                          char *text)
{
    char all[TABLE_CELL_MAX];
    unsigned long long other = (unsigned long long)json_integer_value(json_object_get(row, column->other));

    put_count(text, value);
    put_count(all, other);
    size_t len = strlen(text);
    snprintf(text + len, TABLE_CELL_MAX - len, " of %.32s", all);
    return text;
}

static const char *put_share(const struct table_column *column, const json_t *row, unsigned long long value,
                             char *text)
{
    double other = (double)json_integer_value(json_object_get(row, column->other));
    double all = (double)value + other;

    snprintf(text, TABLE_CELL_MAX, "%.1f%%", all > 0 ? 100 * (double)value / all : 0.0);
    return text;
}

unsigned table_control(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;

    if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0)
        return 2;
    return byte[0] < ' ' || byte[0] == 0x7f;
}

static const char *put_text(char *text, const char *value)
{
    unsigned n = 0, control;

    for (; *value != 0 && n<TABLE_CELL_MAX - 1; value += control> 0 ? control : 1) {
        control = table_control(value);
        text[n++] = control > 0 ? '?' : *value;
    }
    text[n] = 0;
    return text;
}

const char *table_cell(const struct table_column *column, const json_t *row, char text[TABLE_CELL_MAX])
{
    const json_t *value = json_object_get(row, column->key);
    unsigned long long number = (unsigned long long)json_integer_value(value);

    if (json_is_string(value))
        return put_text(text, json_string_value(value));
    if (!json_is_integer(value))
        return put_text(text, "-");
    switch (column->kind) {
    case TABLE_BYTES:
        return put_bytes(text, number);
    case TABLE_SECONDS:
        return put_seconds(text, number);
    case TABLE_OF:
        return put_of(column, row, number, text);
    case TABLE_SHARE:
        return put_share(column, row, number, text);
    case TABLE_NUMBER:
        snprintf(text, TABLE_CELL_MAX, "%llu", number);
        return text;
    case TABLE_PERCENT:
        snprintf(text, TABLE_CELL_MAX, "%llu%%", number);
        return text;
    default:
        return put_count(text, number);
    }
}

static char *cell_at(const struct table *table, unsigned row, unsigned column)
{
    return table->cells + ((size_t)row * (table->columns_n + 1) + column) * TABLE_CELL_MAX;
}

struct table *table_create(const struct table_column *columns, unsigned n, const char *key_title)
{
    struct table *table = calloc(1, sizeof(*table));

    if (table != NULL)
        *table = (struct table){.columns = columns, .columns_n = n, .key_title = key_title};
    return table;
}

static bool grow(struct table *table)
{
    unsigned rows = table->rows_max == 0 ? ROWS_FIRST : 2 * table->rows_max;
    char *cells = realloc(table->cells, (size_t)rows * (table->columns_n + 1) * TABLE_CELL_MAX);

    if (cells == NULL)
        return false;
    table->cells = cells;
    table->rows_max = rows;
    return true;
}

void table_add(struct table *table, const char *key, const json_t *row)
{
    if (table == NULL || (table->rows_n == table->rows_max && !grow(table)))
        return;
    put_text(cell_at(table, table->rows_n, 0), key != NULL ? key : "");
    for (unsigned c = 0; c < table->columns_n; c++)
        table_cell(&table->columns[c], row, cell_at(table, table->rows_n, c + 1));
    table->rows_n++;
}

static const char *title_of(const struct table *table, unsigned column)
{
    return column == 0 ? table->key_title : table->columns[column - 1].title;
}

// Numbers stand under each other by their ends; the last column is not filled up.
static void print_line(const struct table *table, const int *widths, const struct table *cells, unsigned row)
{
    unsigned first = table->key_title != NULL ? 0 : 1;

    for (unsigned c = first; c <= table->columns_n; c++) {
        bool left = c == 0 || table->columns[c - 1].kind == TABLE_TEXT;
        const char *text = cells != NULL ? cell_at(cells, row, c) : title_of(table, c);
        int width = left && c == table->columns_n ? 0 : widths[c];
        printf("%s%*s", c == first ? "" : "  ", left ? -width : width, text);
    }
    putchar('\n');
}

void table_print(const struct table *table)
{
    int widths[TABLE_COLUMNS_MAX + 1] = {0};

    if (table == NULL)
        return;
    for (unsigned c = table->key_title != NULL ? 0 : 1; c <= table->columns_n; c++) {
        widths[c] = (int)strlen(title_of(table, c));
        for (unsigned r = 0; r < table->rows_n; r++) {
            int len = (int)strlen(cell_at(table, r, c));
            widths[c] = len > widths[c] ? len : widths[c];
        }
    }
    print_line(table, widths, NULL, 0);
    for (unsigned r = 0; r < table->rows_n; r++)
        print_line(table, widths, table, r);
}

void table_destroy(struct table *table)
{
    if (table != NULL)
        free(table->cells);
    free(table);
}

void table_list(const struct table_column *columns, unsigned n, const json_t *values)
{
    char text[TABLE_CELL_MAX];
    int width = 0;

    for (unsigned i = 0; i < n; i++) {
        int len = (int)strlen(columns[i].title);
        if (json_object_get(values, columns[i].key) != NULL && len > width)
            width = len;
    }
    for (unsigned i = 0; i < n; i++) {
        if (json_object_get(values, columns[i].key) != NULL)
            printf("%-*s  %s\n", width, columns[i].title, table_cell(&columns[i], values, text));
    }
}
