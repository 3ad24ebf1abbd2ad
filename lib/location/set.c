#include "location/set.h"

unsigned location_set_order(const struct location_binding *bindings, unsigned n, uint64_t now_ms,
                            uint8_t order[LOCATION_CONTACTS_MAX])
{
    unsigned live = 0;

    // Insertion: stable, and n is small.
    for (unsigned i = 0; i < n; i++) {
        if (bindings[i].expires_ms <= now_ms)
            continue;
        unsigned at = live++;

        for (; at > 0 && bindings[order[at - 1]].q < bindings[i].q; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
    return live;
}

size_t location_set_size(struct slice aor, const struct location_binding *bindings, const uint8_t *order,
                         unsigned n)
{
    size_t size = sizeof(struct location_set) + n * sizeof(struct location_packed) + aor.len;

    for (unsigned i = 0; i < n; i++) {
        const struct location_binding *b = &bindings[order[i]];

        size += (size_t)b->contact.len + b->call_id.len + b->path.len;
    }
    return size;
}

static char *put_text(char *at, struct slice text)
{
    if (text.len != 0)
        memcpy(at, text.at, text.len);
    return at + text.len;
}

void location_set_write(struct location_set *set, struct hash128 key, struct slice aor,
                        const struct location_binding *bindings, const uint8_t *order, unsigned n)
{
    *set = (struct location_set){.key = key, .aor_len = (uint16_t)aor.len, .n = (uint8_t)n};
    char *at = (char *)(set->bindings + n);

    for (unsigned i = 0; i < n; i++) {
        const struct location_binding *b = &bindings[order[i]];

        set->bindings[i] = (struct location_packed){
            .expires_ms = b->expires_ms,
            .received = b->received,
            .cseq = b->cseq,
            .methods = b->methods,
            .q = b->q,
            .text = (uint16_t)(at - (char *)set),
            .contact_len = (uint16_t)b->contact.len,
            .call_id_len = (uint16_t)b->call_id.len,
            .path_len = (uint16_t)b->path.len,
            .listener = b->listener,
        };
        at = put_text(at, b->contact);
        at = put_text(at, b->path);
        at = put_text(at, b->call_id);
    }
    put_text(at, aor);
}

// Where the bindings' texts end and the address of record begins.
static size_t texts_end(const struct location_set *set)
{
    const struct location_packed *last = &set->bindings[set->n - 1];

    return (size_t)last->text + last->contact_len + last->path_len + last->call_id_len;
}

size_t location_set_bytes(const struct location_set *set)
{
    return texts_end(set) + set->aor_len;
}

uint64_t location_set_earliest(const struct location_set *set, uint64_t now_ms, unsigned *live)
{
    uint64_t earliest = UINT64_MAX;

    *live = 0;
    for (unsigned i = 0; i < set->n; i++) {
        uint64_t expires_ms = set->bindings[i].expires_ms;

        if (expires_ms <= now_ms)
            continue;
        ++*live;
        if (expires_ms < earliest)
            earliest = expires_ms;
    }
    return earliest;
}

bool location_next(const struct location_set *set, uint64_t now_ms, unsigned *position,
                   struct location_binding *binding)
{
    while (*position < set->n) {
        const struct location_packed *p = &set->bindings[(*position)++];

        if (p->expires_ms <= now_ms)
            continue;
        const char *text = (const char *)set + p->text;

        *binding = (struct location_binding){
            .contact = {text, p->contact_len},
            .call_id = {text + p->contact_len + p->path_len, p->call_id_len},
            .path = {text + p->contact_len, p->path_len},
            .received = p->received,
            .expires_ms = p->expires_ms,
            .cseq = p->cseq,
            .methods = p->methods,
            .q = p->q,
            .listener = p->listener,
        };
        return true;
    }
    return false;
}

struct slice location_set_aor(const struct location_set *set)
{
    return (struct slice){(const char *)set + texts_end(set), set->aor_len};
}
