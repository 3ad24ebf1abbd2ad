#include "control/json.h"

#include <stdio.h>

static void put(struct control_json *json, struct slice text)
{
    if (text.len > (size_t)(json->end - json->at))
        json->full = true;
    if (json->full)
        return;
    memcpy(json->at, text.at, text.len);
    json->at += text.len;
}

static void put_key(struct control_json *json, const char *key)
{
    char before = json->at > json->start ? json->at[-1] : '[';

    if (before != '{' && before != '[')
        put(json, SLICE(","));
    if (key == NULL)
        return;
    put(json, SLICE("\""));
    put(json, slice_text(key));
    put(json, SLICE("\":"));
}

void control_json_open(struct control_json *json, const char *key, char bracket)
{
    put_key(json, key);
    put(json, slice_of(&bracket, 1));
}

void control_json_close(struct control_json *json, char bracket)
{
    put(json, slice_of(&bracket, 1));
}

// Bytes of the UTF-8 character at the front of `text` (RFC 3629 4), or 0: it begins with none.
static unsigned utf8_len(struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.at;
    unsigned len = at[0] < 0x80   ? 1
                   : at[0] < 0xc2 ? 0
                   : at[0] < 0xe0 ? 2
                   : at[0] < 0xf0 ? 3
                   : at[0] < 0xf5 ? 4
                                  : 0;

    if (len > text.len)
        return 0;
    for (unsigned i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    // Longer than it need be, a surrogate, or beyond U+10FFFF.
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

static void put_character(struct control_json *json, struct slice character)
{
    char escaped[CONTROL_JSON_ESCAPED_MAX + 1];
    uint8_t byte = (uint8_t)character.at[0];

    if (byte == '"' || byte == '\\') {
        put(json, SLICE("\\"));
    } else if (byte < 0x20 || byte == 0x7f) {
        snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
        character = slice_text(escaped);
    }
    put(json, character);
}

void control_json_text(struct control_json *json, const char *key, struct slice text)
{
    put_key(json, key);
    put(json, SLICE("\""));
    while (text.len > 0 && !json->full) {
        unsigned len = utf8_len(text);

        if (len > 0)
            put_character(json, slice_of(text.at, len));
        else
            put(json, SLICE("\xef\xbf\xbd")); // U+FFFD for the one byte
        len = len > 0 ? len : 1;
        text = slice_of(text.at + len, text.len - len);
    }
    put(json, SLICE("\""));
}

void control_json_number(struct control_json *json, const char *key, uint64_t number)
{
    char digits[24];

    put_key(json, key);
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    put(json, slice_text(digits));
}

void control_json_bool(struct control_json *json, const char *key, bool value)
{
    put_key(json, key);
    put(json, value ? SLICE("true") : SLICE("false"));
}

void control_json_null(struct control_json *json, const char *key)
{
    put_key(json, key);
    put(json, SLICE("null"));
}

void control_json_endpoint(struct control_json *json, const char *key, const struct endpoint *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    if (endpoint->family == ENDPOINT_NONE)
        control_json_null(json, key);
    else
        control_json_text(json, key, slice_of(text, endpoint_write(endpoint, text)));
}
