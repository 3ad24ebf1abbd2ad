#include "role/allow.h"

#include "sip/method.h"
#include "sip/token.h"

// A method that cannot be read ends the list: what is behind it counts as not allowed.
static uint32_t read_list(struct slice value)
{
    struct cursor c = cursor_over(value);
    uint32_t methods = 0;

    do {
        sip_skip_space(&c);
        struct slice method = sip_take_run(&c, &sip_set_token);
        if (method.len > 0)
            methods |= SIP_METHOD_BIT(sip_method_of(method));
        sip_skip_space(&c);
    } while (cursor_skip(&c, ','));
    return methods;
}

uint32_t role_allow_methods(struct role_allow *allow, struct slice value)
{
    if (value.len < sizeof(uint64_t) || value.len > ROLE_ALLOW_TEXT)
        return read_list(value);
    // lists of one length end differently, or share a place
    uint64_t end = slice_word(value.at + value.len - sizeof(end), sizeof(end));
    unsigned place = (unsigned)((end ^ value.len) * 0x9e3779b97f4a7c15u >> 60) % ROLE_ALLOW_LISTS;

    if (!slice_equal(slice_of(allow->lists[place].text, allow->lists[place].len), value)) {
        allow->lists[place].methods = read_list(value);
        allow->lists[place].len = (uint16_t)value.len;
        memcpy(allow->lists[place].text, value.at, value.len);
    }
    return allow->lists[place].methods;
}
