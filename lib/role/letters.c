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

static int value_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '-' ? 62 : letter == '_' ? 63 : -1;
}

bool role_letters_read(struct slice text, uint8_t *bytes)
{
    for (uint32_t i = 0; i < text.len; i += 4) {
        int four = 0;
        for (uint32_t n = 0; n < 4; n++) {
            int value = value_of(text.at[i + n]);
            if (value < 0)
                return false;
            four = four << 6 | value;
        }
        *bytes++ = (uint8_t)(four >> 16);
        *bytes++ = (uint8_t)(four >> 8);
        *bytes++ = (uint8_t)four;
    }
    return true;
}
