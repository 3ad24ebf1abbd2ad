#include "role/letters.h"

// Three bytes are four letters.
void role_letters_write(const uint8_t *bytes, unsigned len, char *text)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (unsigned i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *text++ = letter[three >> shift & 63];
    }
}

// Each letter's value and one; 0: it is none.
static const uint8_t values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

bool role_letters_read(struct slice text, uint8_t *bytes)
{
    uint32_t wrong = 0; // its top bit: one of them was 0

    for (uint32_t i = 0; i < text.len; i += 4) {
        const uint8_t *at = (const uint8_t *)text.at + i;
        uint32_t a = values[at[0]] - 1u, b = values[at[1]] - 1u, c = values[at[2]] - 1u,
                 d = values[at[3]] - 1u;
        uint32_t three = a << 18 | b << 12 | c << 6 | d;
        wrong |= a | b | c | d;
        *bytes++ = (uint8_t)(three >> 16);
        *bytes++ = (uint8_t)(three >> 8);
        *bytes++ = (uint8_t)three;
    }
    return wrong >> 31 == 0;
}
