#include "roster/record.h"

#include "sip/uri.h"

#define VERSION 1

static bool is_watcher(struct slice watcher)
{
    return watcher.len > 0 && watcher.len <= SIP_AOR_MAX;
}

bool roster_rule_is_good(struct slice presentity, struct slice watcher)
{
    return presentity.len > 0 && presentity.len <= SIP_AOR_MAX && is_watcher(watcher) &&
           presentity.len + watcher.len <= ROSTER_RULE_KEY;
}

unsigned roster_record_key_write(struct slice presentity, struct slice watcher, char key[ROSTER_KEY_MAX])
{
    if (!roster_rule_is_good(presentity, watcher.len > 0 ? watcher : SLICE("*")))
        return 0;
    key[0] = (char)(presentity.len >> 8);
    key[1] = (char)presentity.len;
    memcpy(key + 2, presentity.at, presentity.len);
    if (watcher.len > 0)
        memcpy(key + 2 + presentity.len, watcher.at, watcher.len);
    return 2 + presentity.len + watcher.len;
}

bool roster_record_key_read(struct slice key, struct slice *presentity, struct slice *watcher)
{
    if (key.len < 2)
        return false;
    uint32_t len = (uint32_t)(uint8_t)key.at[0] << 8 | (uint8_t)key.at[1];
    if (len > key.len - 2)
        return false;
    *presentity = slice_of(key.at + 2, len);
    *watcher = slice_of(key.at + 2 + len, key.len - 2 - len);
    return roster_rule_is_good(*presentity, *watcher);
}

void roster_record_rule_write(enum roster_decision decision, uint8_t value[ROSTER_RULE_VALUE])
{
    value[0] = VERSION;
    value[1] = (uint8_t)decision;
}

bool roster_record_rule_read(struct slice value, enum roster_decision *decision)
{
    if (value.len != ROSTER_RULE_VALUE || value.at[0] != VERSION || value.at[1] <= ROSTER_UNDECIDED ||
        value.at[1] >= ROSTER_DECISIONS)
        return false;
    *decision = (enum roster_decision)value.at[1];
    return true;
}

bool roster_list_is_good(struct slice aor)
{
    return aor.len > 0 && aor.len <= ROSTER_LIST_AOR;
}

// What stands in a URI behind its scheme: mostly the address of record, which is then kept once.
static struct slice behind_scheme(struct slice uri)
{
    uint32_t colon = slice_find(uri, ':');

    return colon == uri.len ? slice_of(uri.at, 0) : slice_of(uri.at + colon + 1, uri.len - colon - 1);
}

static struct slice written_aor(const struct roster_member *member)
{
    return slice_equal(behind_scheme(member->uri), member->aor) ? slice_of(NULL, 0) : member->aor;
}

bool roster_member_is_good(const struct roster_member *member)
{
    return member->uri.len > 0 && member->aor.len > 0 && member->uri.len <= ROSTER_MEMBER &&
           member->aor.len <= ROSTER_MEMBER && member->name.len <= ROSTER_MEMBER &&
           member->uri.len + written_aor(member).len + member->name.len <= ROSTER_MEMBER;
}

unsigned roster_record_member_write(const struct roster_member *member, char at[ROSTER_MEMBER_WRITTEN])
{
    const struct slice texts[] = {member->uri, member->name, written_aor(member)};
    unsigned len = 3;

    for (unsigned i = 0; i < 3; i++) {
        at[i] = (char)texts[i].len;
        if (texts[i].len > 0)
            memcpy(at + len, texts[i].at, texts[i].len);
        len += texts[i].len;
    }
    return len;
}

bool roster_record_member_read(struct slice *rest, struct roster_member *member)
{
    struct slice texts[3];
    uint32_t len = 3;

    if (rest->len < len)
        return false;
    for (unsigned i = 0; i < 3; i++) {
        texts[i] = slice_of(rest->at + len, (uint8_t)rest->at[i]);
        len += texts[i].len;
    }
    if (len > rest->len)
        return false;
    *member = (struct roster_member){.uri = texts[0], .name = texts[1], .aor = texts[2]};
    if (member->aor.len == 0)
        member->aor = behind_scheme(member->uri);
    *rest = slice_of(rest->at + len, rest->len - len);
    return roster_member_is_good(member);
}

unsigned roster_record_list_write(const struct roster_member *members, unsigned n, char *value, size_t room)
{
    char one[ROSTER_MEMBER_WRITTEN];
    size_t len = 1;

    if (room == 0)
        return 0;
    value[0] = VERSION;
    for (unsigned i = 0; i < n; i++) {
        unsigned bytes = roster_record_member_write(&members[i], one);
        if (bytes > room - len)
            return 0;
        memcpy(value + len, one, bytes);
        len += bytes;
    }
    return (unsigned)len;
}

bool roster_record_list_read(struct slice value, struct slice *members)
{
    if (value.len < 2 || value.at[0] != VERSION)
        return false;
    *members = slice_of(value.at + 1, value.len - 1);
    return true;
}
