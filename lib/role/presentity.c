#include "role/presentity.h"

#include "role/hex.h"

#define MARK_LEN (sizeof(ROLE_DIALOG_MARK) - 1)

void role_dialog_tag_write(const struct role_dialog_tag *tag, char text[ROLE_DIALOG_TAG_LEN])
{
    memcpy(text, ROLE_DIALOG_MARK, MARK_LEN);
    text = role_hex_write(text + MARK_LEN, tag->owner);
    text = role_hex_write(text, (uint32_t)(tag->check >> 32));
    role_hex_write(text, (uint32_t)tag->check);
}

bool role_dialog_tag_read(struct slice text, struct role_dialog_tag *tag)
{
    uint32_t high, low;

    if (text.len != ROLE_DIALOG_TAG_LEN || !slice_starts(text, SLICE(ROLE_DIALOG_MARK)) ||
        !role_hex_read(text.at + MARK_LEN, &tag->owner) || !role_hex_read(text.at + MARK_LEN + 8, &high) ||
        !role_hex_read(text.at + MARK_LEN + 16, &low))
        return false;
    tag->check = (uint64_t)high << 32 | low;
    return tag->check != 0;
}

bool role_is_presences(const struct role_request *request)
{
    const struct conf *conf = request->role->conf;
    unsigned method = request->message->method;
    struct role_dialog_tag tag;

    if (!conf->presence || (method != SIP_METHOD_SUBSCRIBE && method != SIP_METHOD_PUBLISH) ||
        request->where.place == ROLE_ELSEWHERE)
        return false;
    if (request->to_tag.at != NULL)
        return method == SIP_METHOD_SUBSCRIBE && role_dialog_tag_read(request->to_tag, &tag);
    return request->where.place == ROLE_DOMAIN && request->uri.user.len > 0 &&
           conf->domains[request->where.domain].role != CONF_ROLE_REDIRECT;
}
