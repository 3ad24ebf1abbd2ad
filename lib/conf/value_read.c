#include "conf/value_kinds.h"

static void store_number(void *at, size_t size, uint64_t number)
{
    switch (size) {
    case sizeof(uint8_t):
        *(uint8_t *)at = (uint8_t)number;
        break;
    case sizeof(uint16_t):
        *(uint16_t *)at = (uint16_t)number;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)at = (uint32_t)number;
        break;
    default:
        *(uint64_t *)at = number;
    }
}

static bool read_bool(const struct conf_value *v, void *at)
{
    static const struct {
        const char *name;
        bool value;
    } words[] = {{"yes", true},  {"no", false},  {"on", true},
                 {"off", false}, {"true", true}, {"false", false}};

    for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (slice_equal_nocase(v->text, slice_text(words[i].name))) {
            *(bool *)at = words[i].value;
            return true;
        }
    }
    return conf_value_mismatch(v, NULL);
}

static bool is_power_of_two(uint64_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static bool suffix_factor(const struct conf_key *key, struct slice name, uint64_t *factor)
{
    const struct conf_suffix *suffix = key->suffixes;

    *factor = 1;
    if (name.len == 0)
        return true;
    while (suffix != NULL && suffix->name != NULL && !slice_equal_nocase(slice_text(suffix->name), name))
        suffix++;
    if (suffix == NULL || suffix->name == NULL)
        return false;
    *factor = suffix->factor;
    return true;
}

// The most was seen to before: beyond it a factor might overflow.
static bool number_fits(const struct conf_key *key, uint64_t number)
{
    if (number == 0 && (key->flags & CONF_OR_ZERO))
        return true;
    return number >= key->min && (!(key->flags & CONF_POWER_OF_TWO) || is_power_of_two(number));
}

static bool read_number(const struct conf_value *v, void *at)
{
    const struct conf_key *key = v->key;
    uint64_t number = 0, factor = 1;
    uint32_t digits = 0;

    while (digits < v->text.len && v->text.at[digits] >= '0' && v->text.at[digits] <= '9')
        digits++;
    struct slice suffix = slice_trim(slice_of(v->text.at + digits, v->text.len - digits));
    if (!suffix_factor(key, suffix, &factor) ||
        !slice_number(slice_of(v->text.at, digits), key->max / factor, &number) ||
        !number_fits(key, number * factor))
        return conf_value_mismatch(v, NULL);
    store_number(at, key->size, number * factor);
    return true;
}

static bool read_choice(const struct conf_value *v, void *at)
{
    struct conf_nearest nearest = conf_nearest_to(v->text);

    for (const struct conf_choice *choice = v->key->choices; choice->name != NULL; choice++) {
        if (slice_equal_nocase(slice_text(choice->name), v->text)) {
            store_number(at, v->key->size, (uint64_t)choice->value);
            return true;
        }
        conf_nearest_offer(&nearest, choice->name);
    }
    return conf_value_mismatch(v, &nearest);
}

static bool read_reference(const struct conf_value *v, void *at)
{
    const struct conf_section *section = &conf_sections[v->key->refers];
    const struct conf_block *block = conf_tree_find(v->reader->tree, section, v->text);
    struct conf_nearest nearest = conf_nearest_to(v->text);

    if (v->text.len == 0)
        return conf_value_mismatch(v, NULL);
    if (block != NULL) {
        *(int *)at = (int)block->index;
        return true;
    }
    for (block = v->reader->tree->first; block != NULL; block = block->next) {
        if (block->section == section && block->name[0] != 0)
            conf_nearest_offer(&nearest, block->name);
    }
    conf_fault(v->reader->faults, v->line, &nearest, "%s = %.*s: there is no [%s %.*s]", v->key->name,
               SLICE_PRINT(v->text), section->name, SLICE_PRINT(v->text));
    return false;
}

static bool read_value(const struct conf_value *v, void *at)
{
    switch (v->key->type) {
    case CONF_BOOL:
        return read_bool(v, at);
    case CONF_NUMBER:
        return read_number(v, at);
    case CONF_CHOICE:
        return read_choice(v, at);
    case CONF_REFERENCE:
        return read_reference(v, at);
    case CONF_ENDPOINT:
        return conf_value_read_endpoint(v, at);
    case CONF_SUBNET:
        return conf_value_read_network(v, at);
    case CONF_HOST:
        return conf_value_read_host(v, at);
    case CONF_HOP:
        return conf_value_read_hop(v, at);
    case CONF_USER_MATCH:
    case CONF_DOMAIN_MATCH:
        return conf_value_read_match(v, at);
    default:
        return conf_value_read_text(v, at);
    }
}

// Takes the next element of a piece off `rest`; false when there is none. Empty elements do not count, so that a
// line of a list may end in a comma.
static bool next_element(struct slice *rest, struct slice *element)
{
    while (rest->len > 0) {
        uint32_t end = slice_find(*rest, ',');
        uint32_t taken = end < rest->len ? end + 1 : end;
        *element = slice_trim(slice_of(rest->at, end));
        *rest = slice_of(rest->at + taken, rest->len - taken);
        if (element->len > 0)
            return true;
    }
    return false;
}

static unsigned count_elements(const struct conf_entry *entry)
{
    struct slice element;
    unsigned n = 0;

    for (const struct conf_piece *piece = entry->first; piece != NULL; piece = piece->next) {
        struct slice rest = piece->text;
        while (next_element(&rest, &element))
            n++;
    }
    return n;
}

static bool read_list(struct conf_value *v, const struct conf_entry *entry, char *base)
{
    const struct conf_key *key = v->key;
    unsigned n = count_elements(entry), *count = (unsigned *)(base + key->count_offset);
    size_t size = conf_value_size(key);
    char *at = base + key->offset;
    bool good = true;

    if (n < key->min || n > key->max) {
        char expected[CONF_EXPECT_MAX];
        conf_key_expect(key, expected);
        conf_fault(v->reader->faults, entry->line, NULL, "%s has %u elements: expected %s", key->name, n,
                   expected);
        return false;
    }
    if (!conf_value_in_place(key)) {
        void *array = conf_arena_take(v->reader->arena, n * size);
        if (array == NULL)
            return false;
        *(void **)at = array;
        at = array;
    }
    for (const struct conf_piece *piece = entry->first; piece != NULL; piece = piece->next) {
        struct slice rest = piece->text;
        v->line = piece->line;
        while (next_element(&rest, &v->text)) {
            good &= read_value(v, at);
            at += size;
        }
    }
    *count = good ? n : 0;
    return good;
}

static bool may_be_empty(const struct conf_key *key)
{
    if (key->type == CONF_NUMBER)
        return key->fallback == NULL;
    return key->type >= CONF_TEXT && !(key->flags & CONF_REQUIRED);
}

bool conf_value_read(const struct conf_reader *reader, const struct conf_key *key,
                     const struct conf_entry *entry, void *base)
{
    struct conf_value v = {.reader = reader, .key = key, .line = entry->line};
    char *at = (char *)base + key->offset;

    if (key->list)
        return read_list(&v, entry, base);
    if (entry->first == NULL)
        return false; // there was no memory for it
    v.text = entry->first->text;
    if (entry->first->next != NULL) {
        conf_fault(reader->faults, entry->first->next->line, NULL,
                   "indented, so it goes on with %s, which takes one line; a key begins in the first column",
                   key->name);
        return false;
    }
    if (v.text.len > 0 || !may_be_empty(key))
        return read_value(&v, at);
    if (key->type == CONF_REFERENCE)
        *(int *)at = CONF_NONE;
    return true;
}
