#include <errno.h>

#include "roster/parts.h"
#include "roster/record.h"

static struct hash128 key_of(const struct roster *roster, struct slice aor)
{
    return hash_sip13(&roster->key, aor.at, aor.len);
}

const struct roster_list *roster_list(const struct roster *roster, struct slice aor)
{
    return roster == NULL || !roster_list_is_good(aor) ? NULL
                                                       : directory_find(roster->lists, key_of(roster, aor));
}

unsigned roster_list_members(const struct roster_list *list)
{
    return list->members;
}

// Its length stands before it.
struct slice roster_list_aor(const struct roster *roster, const struct roster_list *list)
{
    const char *text = roster->blocks[list->first].text;

    return slice_of(text + 1, (uint8_t)text[0]);
}

// A position is a block's number and a place in it.
bool roster_list_next(const struct roster *roster, const struct roster_list *list, uint64_t *position,
                      struct roster_member *member)
{
    uint32_t number = *position == 0 ? list->first : (uint32_t)(*position >> 32);
    uint32_t at = *position == 0 ? 1 + roster_list_aor(roster, list).len : (uint32_t)*position;
    const struct roster_block *block = &roster->blocks[number];

    if (at == block->used && block->next != 0) {
        number = block->next;
        block = &roster->blocks[number];
        at = 0;
    }
    if (at == block->used)
        return false;
    struct slice rest = slice_of(block->text + at, block->used - at);
    if (block->next != 0)
        __builtin_prefetch(&roster->blocks[block->next]);
    bool read = roster_record_member_read(&rest, member);
    *position = (uint64_t)number << 32 | (block->used - rest.len);
    return read;
}

static uint32_t take_block(struct roster *roster)
{
    uint32_t number = roster->free;

    if (number != 0)
        roster->free = roster->blocks[number].next;
    else if (roster->fresh < roster->blocks_n)
        number = roster->fresh++;
    else
        return 0;
    roster->blocks[number].next = 0;
    roster->blocks[number].used = 0;
    return number;
}

static void give_blocks(struct roster *roster, uint32_t first)
{
    uint32_t last = first;

    if (first == 0)
        return;
    while (roster->blocks[last].next != 0)
        last = roster->blocks[last].next;
    roster->blocks[last].next = roster->free;
    roster->free = first;
}

void roster_list_gone(void *owner, const void *entry)
{
    give_blocks(owner, ((const struct roster_list *)entry)->first);
}

// Behind what is there, in another block where this one has no room. The block it is in; 0: there is no other.
static uint32_t append(struct roster *roster, uint32_t number, const char *bytes, unsigned len)
{
    struct roster_block *block = &roster->blocks[number];

    if (len > sizeof(block->text) - block->used) {
        number = block->next = take_block(roster);
        if (number == 0)
            return 0;
        block = &roster->blocks[number];
    }
    memcpy(block->text + block->used, bytes, len);
    block->used = (uint16_t)(block->used + len);
    return number;
}

// The first block of the list, or 0 and then none is taken.
static uint32_t write_list(struct roster *roster, struct slice aor, const struct roster_member *members,
                           unsigned n)
{
    uint32_t first = take_block(roster), last = first;
    char one[1 + ROSTER_LIST_AOR > ROSTER_MEMBER_WRITTEN ? 1 + ROSTER_LIST_AOR : ROSTER_MEMBER_WRITTEN];

    if (first == 0)
        return 0;
    one[0] = (char)aor.len;
    memcpy(one + 1, aor.at, aor.len);
    append(roster, first, one, 1 + aor.len);
    for (unsigned i = 0; i < n && last != 0; i++)
        last = append(roster, last, one, roster_record_member_write(&members[i], one));
    if (last != 0)
        return first;
    give_blocks(roster, first);
    return 0;
}

static bool are_good(const struct roster_member *members, unsigned n)
{
    bool good = n > 0;

    for (unsigned i = 0; good && i < n; i++)
        good = roster_member_is_good(&members[i]);
    return good;
}

static void change_members(struct roster *roster, int64_t change)
{
    __atomic_store_n(&roster->members, (uint32_t)(roster->members + change), __ATOMIC_RELAXED);
}

int roster_list_draft(struct roster *roster, struct slice aor, const struct roster_member *members,
                      unsigned n, struct roster_draft *draft)
{
    int error;

    *draft = (struct roster_draft){.is_list = true};
    if (!roster_list_is_good(aor) || !are_good(members, n))
        return -EINVAL;
    const struct roster_list *old = roster_list(roster, aor);
    if ((uint64_t)roster->members - (old != NULL ? old->members : 0) + n > roster->members_max)
        return -ENOSPC;
    struct roster_list *list = directory_draft(roster->lists, key_of(roster, aor), &error);
    if (list == NULL)
        return error;
    *list = (struct roster_list){write_list(roster, aor, members, n), n};
    if (list->first == 0) {
        directory_discard(roster->lists, list);
        return -EAGAIN;
    }
    change_members(roster, n);
    draft->entry = list;
    return 0;
}

void roster_publish(struct roster *roster, struct roster_draft *draft)
{
    if (draft->is_list) {
        const struct roster_list *list = draft->entry;
        const struct roster_list *old = roster_list(roster, roster_list_aor(roster, list));
        change_members(roster, old != NULL ? -(int64_t)old->members : 0);
    }
    directory_publish(draft->is_list ? roster->lists : roster->rules, draft->entry);
    draft->entry = NULL;
    roster_changed(roster);
}

void roster_discard(struct roster *roster, struct roster_draft *draft)
{
    if (draft->is_list) {
        const struct roster_list *list = draft->entry;
        change_members(roster, -(int64_t)list->members);
        give_blocks(roster, list->first);
    }
    directory_discard(draft->is_list ? roster->lists : roster->rules, draft->entry);
    draft->entry = NULL;
}

bool roster_list_remove(struct roster *roster, struct slice aor)
{
    const struct roster_list *list = roster_list(roster, aor);

    if (list == NULL)
        return false;
    change_members(roster, -(int64_t)list->members);
    directory_remove(roster->lists, key_of(roster, aor));
    roster_changed(roster);
    return true;
}

const struct roster_list *roster_list_walk(const struct roster *roster, uint64_t *position)
{
    return directory_next(roster->lists, position);
}
