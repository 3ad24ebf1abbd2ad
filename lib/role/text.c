#include "role/text.h"

#define DECIMAL_MAX 20 // digits of a uint64_t

void role_text_put_number(struct role_text *text, uint64_t number)
{
    char digits[DECIMAL_MAX];
    unsigned at = DECIMAL_MAX;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    role_text_put(text, slice_of(digits + at, DECIMAL_MAX - at));
}
