// hex: eight hexadecimal digits in lower case, written and read in one word. Pure: any thread.
#ifndef ROLE_HEX_H
#define ROLE_HEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// A nibble goes into each byte, then "0" or "a" - 10 is added to all of them.
static inline uint64_t role_hex_word(uint32_t number)
{
    uint64_t nibbles = number;

    nibbles = (nibbles << 16 | nibbles) & 0x0000ffff0000ffffu;
    nibbles = (nibbles << 8 | nibbles) & 0x00ff00ff00ff00ffu;
    nibbles = (nibbles << 4 | nibbles) & 0x0f0f0f0f0f0f0f0fu;
    uint64_t letters = (nibbles + 0x0606060606060606u) >> 4 & 0x0101010101010101u;
    return __builtin_bswap64(nibbles + 0x3030303030303030u + letters * ('a' - '0' - 10));
}

// Returns what is behind the digits.
static inline char *role_hex_write(char *at, uint32_t number)
{
    uint64_t digits = role_hex_word(number);

    memcpy(at, &digits, sizeof(digits));
    return at + sizeof(digits);
}

// False when there is anything but such digits: then they are not what their number is written as.
static inline bool role_hex_read(const char *at, uint32_t *number)
{
    uint64_t digits;

    memcpy(&digits, at, sizeof(digits));
    uint64_t nibbles = __builtin_bswap64(digits);
    nibbles = (nibbles & 0x0f0f0f0f0f0f0f0fu) + (nibbles >> 6 & 0x0101010101010101u) * 9;
    nibbles = (nibbles >> 4 | nibbles) & 0x00ff00ff00ff00ffu;
    nibbles = (nibbles >> 8 | nibbles) & 0x0000ffff0000ffffu;
    *number = (uint32_t)(nibbles >> 16 | nibbles);
    return role_hex_word(*number) == digits;
}

#endif
