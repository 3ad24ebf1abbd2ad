#include "number/table.h"

static bool is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')'; // RFC 3966 3, visual-separator
}

struct number_digits number_digits_take(struct slice *text)
{
    struct number_digits digits = {0, 0};

    if (text->len > 0 && text->at[0] == '+') {
        digits.key = NUMBER_PLUS;
        *text = slice_of(text->at + 1, text->len - 1);
    }
    while (text->len > 0 && digits.n < NUMBER_DIGITS_MAX) {
        unsigned digit = (unsigned char)text->at[0] - '0';
        if (digit <= 9)
            digits.key |= (uint64_t)(digit + 1) << (60 - 4 * ++digits.n);
        else if (!is_separator(text->at[0]))
            break;
        *text = slice_of(text->at + 1, text->len - 1);
    }
    return digits;
}

static uint16_t find_from(const struct number_table *table, const struct number_bucket *bucket, uint64_t key)
{
    for (;;) {
        for (unsigned i = 0; i < NUMBER_BUCKET; i++) {
            if (bucket->key[i] == key)
                return bucket->leads_to[i];
        }
        // There are more places than prefixes, so some bucket is not full.
        if (bucket->key[NUMBER_BUCKET - 1] == 0)
            return NUMBER_NONE;
        bucket = bucket + 1 == table->buckets + table->buckets_n ? table->buckets : bucket + 1;
    }
}

uint16_t number_find(const struct number_table *table, struct slice number)
{
    struct number_digits digits = number_digits_take(&number);
    const struct number_bucket *bucket[NUMBER_DIGITS_MAX + 1];
    unsigned lengths = table->lengths[(digits.key & NUMBER_PLUS) != 0] & ((2u << digits.n) - 1);

    for (unsigned rest = lengths; rest != 0; rest &= rest - 1) {
        unsigned len = (unsigned)__builtin_ctz(rest);
        bucket[len] = number_bucket_of(table, number_prefix(digits.key, len));
        __builtin_prefetch(bucket[len]);
    }
    while (lengths != 0) {
        unsigned len = 31 - (unsigned)__builtin_clz(lengths);
        uint16_t found = find_from(table, bucket[len], number_prefix(digits.key, len));
        if (found != NUMBER_NONE)
            return found;
        lengths &= ~(1u << len);
    }
    return NUMBER_NONE;
}

uint64_t number_table_prefixes(const struct number_table *table)
{
    return table->prefixes;
}

uint64_t number_table_bytes(const struct number_table *table)
{
    return table->bytes;
}

struct number_table *number_table_copy(const struct number_table *table, int node)
{
    struct number_table *copy = table->memory.take(table->memory.owner, table->bytes, node);

    if (copy != NULL)
        memcpy(copy, table, table->bytes);
    return copy;
}

void number_table_destroy(struct number_table *table)
{
    if (table == NULL)
        return;
    struct memory memory = table->memory;

    memory.give(memory.owner, table, table->bytes);
}
