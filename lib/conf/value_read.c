#include "conf/value.h"

#define LABEL_MAX 63 // bytes of a label of a host name (RFC 1035 2.3.4)

// One value that is being read.
struct value {
    const struct conf_reader *reader;
    const struct conf_key *key;
    struct slice text;
    unsigned line;
};

static bool mismatch(const struct value *v, const struct conf_nearest *nearest)
{
    char expected[CONF_EXPECT_MAX];

    conf_element_expect(v->key, expected);
    conf_fault(v->reader->faults, v->line, nearest, "%s = %.*s: expected %s", v->key->name,
               SLICE_PRINT(v->text), expected);
    return false;
}

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

static bool read_bool(const struct value *v, void *at)
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
    return mismatch(v, NULL);
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

static bool read_number(const struct value *v, void *at)
{
    const struct conf_key *key = v->key;
    uint64_t number = 0, factor = 1;
    uint32_t digits = 0;

    while (digits < v->text.len && v->text.at[digits] >= '0' && v->text.at[digits] <= '9')
        digits++;
    struct slice suffix = slice_trim(slice_of(v->text.at + digits, v->text.len - digits));
    if (!suffix_factor(key, suffix, &factor) ||
        !slice_number(slice_of(v->text.at, digits), key->max / factor, &number) ||
        number * factor < key->min || ((key->flags & CONF_POWER_OF_TWO) && !is_power_of_two(number * factor)))
        return mismatch(v, NULL);
    store_number(at, key->size, number * factor);
    return true;
}

static bool read_choice(const struct value *v, void *at)
{
    struct conf_nearest nearest = conf_nearest_to(v->text);

    for (const struct conf_choice *choice = v->key->choices; choice->name != NULL; choice++) {
        if (slice_equal_nocase(slice_text(choice->name), v->text)) {
            store_number(at, v->key->size, (uint64_t)choice->value);
            return true;
        }
        conf_nearest_offer(&nearest, choice->name);
    }
    return mismatch(v, &nearest);
}

static bool read_reference(const struct value *v, void *at)
{
    const struct conf_section *section = &conf_sections[v->key->refers];
    const struct conf_block *block = conf_tree_find(v->reader->tree, section, v->text);
    struct conf_nearest nearest = conf_nearest_to(v->text);

    if (v->text.len == 0)
        return mismatch(v, NULL);
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

// Neither a wildcard, nor a multicast, broadcast or reserved address.
static bool is_unicast(const struct endpoint *endpoint)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; // RFC 4291 2.5.5.2: never on the wire
    static const uint8_t wildcard[16];
    const uint8_t *a = endpoint->address;

    if (endpoint->family == ENDPOINT_IP4)
        return a[0] != 0 && a[0] < 224;
    return memcmp(a, wildcard, sizeof(wildcard)) != 0 && memcmp(a, mapped, sizeof(mapped)) != 0 &&
           a[0] != 0xff;
}

static bool read_endpoint(const struct value *v, void *at)
{
    struct endpoint endpoint;

    if (!endpoint_parse(v->text, &endpoint) || !is_unicast(&endpoint))
        return mismatch(v, NULL);
    if (endpoint.port == 0)
        endpoint.port = v->key->assumed_port;
    *(struct endpoint *)at = endpoint;
    return true;
}

static bool is_word(struct slice text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    }
    return true;
}

// What Linux takes (dev_valid_name); "%" it would take for a pattern.
static bool is_interface(struct slice text)
{
    return is_word(text) && !slice_equal(text, SLICE(".")) && !slice_equal(text, SLICE("..")) &&
           slice_find(text, '/') == text.len && slice_find(text, ':') == text.len &&
           slice_find(text, '%') == text.len;
}

static bool is_label(struct slice label)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.at[0] == '-' || label.at[label.len - 1] == '-')
        return false;
    for (uint32_t i = 0; i < label.len; i++) {
        char c = slice_lower(label.at[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return true;
}

// RFC 3261 25.1 hostname, without the dot at its end; "_" is met in practice.
static bool is_host_name(struct slice text)
{
    uint32_t dot = slice_find(text, '.');

    while (dot < text.len) {
        if (!is_label(slice_of(text.at, dot)))
            return false;
        text = slice_of(text.at + dot + 1, text.len - dot - 1);
        dot = slice_find(text, '.');
    }
    // A top label of digits only is a mistyped IPv4 address.
    return is_label(text) && !(text.at[0] >= '0' && text.at[0] <= '9');
}

// The text as it is kept: IP addresses as endpoint_write_host has them, so that each has one spelling.
static bool canonical_host(struct slice *text, char address[ENDPOINT_TEXT_MAX])
{
    struct endpoint endpoint;

    if (!endpoint_parse_host(*text, &endpoint))
        return is_host_name(*text);
    *text = slice_of(address, endpoint_write_host(&endpoint, address));
    return true;
}

static bool text_is_good(const struct conf_key *key, struct slice text)
{
    uint64_t max = key->list ? CONF_TEXT_MAX : key->max;

    // A comment's beginning could not be told from a value when it is printed.
    if (text.len < (key->list ? 1 : key->min) || text.len > max || text.at[0] == ';' || text.at[0] == '#')
        return false;
    return key->type == CONF_WORD ? is_word(text) : key->type == CONF_INTERFACE ? is_interface(text) : true;
}

static bool read_text(const struct value *v, void *at)
{
    const struct conf_key *key = v->key;
    char address[ENDPOINT_TEXT_MAX];
    struct slice text = v->text;

    if (!text_is_good(key, text) || (key->type == CONF_HOST && !canonical_host(&text, address)))
        return mismatch(v, NULL);
    char *copy = conf_arena_copy(v->reader->arena, text);
    if (copy == NULL)
        return false;
    for (uint32_t i = 0; i < text.len && (key->type == CONF_HOST || (key->flags & CONF_LOWER)); i++)
        copy[i] = slice_lower(copy[i]);
    if (key->list || key->size == sizeof(struct conf_text))
        *(struct conf_text *)at = (struct conf_text){copy, text.len};
    else
        *(char **)at = copy;
    return true;
}

static bool read_value(const struct value *v, void *at)
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
        return read_endpoint(v, at);
    default:
        return read_text(v, at);
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

static bool read_list(struct value *v, const struct conf_entry *entry, char *base)
{
    const struct conf_key *key = v->key;
    unsigned n = count_elements(entry), *count = (unsigned *)(base + key->count_offset);
    size_t size = key->type == CONF_ENDPOINT ? sizeof(struct endpoint) : sizeof(struct conf_text);
    char *at = base + key->offset;
    bool good = true;

    if (n < key->min || n > key->max) {
        char expected[CONF_EXPECT_MAX];
        conf_key_expect(key, expected);
        conf_fault(v->reader->faults, entry->line, NULL, "%s has %u elements: expected %s", key->name, n,
                   expected);
        return false;
    }
    if (key->type != CONF_ENDPOINT) {
        struct conf_text *texts = conf_arena_take(v->reader->arena, n * sizeof(*texts));
        if (texts == NULL)
            return false;
        *(struct conf_text **)at = texts;
        at = (char *)texts;
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
    bool text = key->type >= CONF_TEXT && key->type <= CONF_ENDPOINT;

    return text && !(key->flags & CONF_REQUIRED);
}

bool conf_value_read(const struct conf_reader *reader, const struct conf_key *key,
                     const struct conf_entry *entry, void *base)
{
    struct value v = {.reader = reader, .key = key, .line = entry->line};

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
    return (v.text.len == 0 && may_be_empty(key)) || read_value(&v, (char *)base + key->offset);
}
