#include "conf/host.h"
#include "conf/match.h"
#include "conf/value.h"

#define SIP_PORT 5060 // RFC 3261 19.1.2

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

static bool read_endpoint(const struct value *v, void *at)
{
    struct endpoint endpoint;

    if (!endpoint_parse(v->text, &endpoint) || !conf_host_is_unicast(&endpoint))
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

// RFC 3261 25.1 token.
static bool is_token(struct slice text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        char c = slice_lower(text.at[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (c == 0 || strchr("-.!%*_+`'~", c) == NULL))
            return false;
    }
    return true;
}

static bool is_uri(struct slice text)
{
    static const char *const schemes[] = {"sip:", "sips:", "tel:"};

    for (unsigned i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        struct slice scheme = slice_text(schemes[i]);
        if (text.len > scheme.len && slice_equal_nocase(slice_of(text.at, scheme.len), scheme))
            return is_word(text);
    }
    return false;
}

static bool text_is_good(const struct conf_key *key, struct slice text)
{
    uint64_t max = key->list ? CONF_TEXT_MAX : key->max;

    // A comment's beginning could not be told from a value when it is printed.
    if (text.len < (key->list ? 1 : key->min) || text.len > max || text.at[0] == ';' || text.at[0] == '#')
        return false;
    switch (key->type) {
    case CONF_WORD:
        return is_word(text);
    case CONF_INTERFACE:
        return is_interface(text);
    case CONF_URI:
        return is_uri(text);
    case CONF_METHOD:
        return is_token(text);
    default:
        return true;
    }
}

static bool keep_text(const struct value *v, struct slice text, struct conf_text *kept)
{
    char *copy = conf_arena_copy(v->reader->arena, text);

    if (copy == NULL)
        return false;
    *kept = (struct conf_text){copy, text.len};
    return true;
}

static bool read_text(const struct value *v, void *at)
{
    const struct conf_key *key = v->key;
    struct conf_text kept;

    if (!text_is_good(key, v->text))
        return mismatch(v, NULL);
    if (!keep_text(v, v->text, &kept))
        return false;
    for (uint32_t i = 0; i < kept.len && (key->flags & CONF_LOWER); i++)
        kept.text[i] = slice_lower(kept.text[i]);
    if (key->list || key->size == sizeof(struct conf_text))
        *(struct conf_text *)at = kept;
    else
        *(char **)at = kept.text;
    return true;
}

static bool read_host(const struct value *v, void *at)
{
    char host[CONF_HOST_MAX];
    uint32_t len = conf_host_read(v->text, host);

    return len == 0 ? mismatch(v, NULL) : keep_text(v, slice_of(host, len), at);
}

static bool read_hop(const struct value *v, void *at)
{
    char text[CONF_HOST_MAX + sizeof(":65535")];
    struct conf_hop hop = {0};
    uint32_t len = conf_hop_read(v->text, text, &hop.port);

    if (len == 0)
        return mismatch(v, NULL);
    if (endpoint_parse_host(slice_of(text, len), &hop.address)) {
        if (!conf_host_is_unicast(&hop.address))
            return mismatch(v, NULL);
        hop.address.port = hop.port != 0 ? hop.port : SIP_PORT;
    }
    if (v->key->size == sizeof(struct conf_text)) {
        if (hop.port != 0)
            len += (uint32_t)snprintf(text + len, sizeof(text) - len, ":%u", hop.port);
        return keep_text(v, slice_of(text, len), at);
    }
    if (!keep_text(v, slice_of(text, len), &hop.host))
        return false;
    *(struct conf_hop *)at = hop;
    return true;
}

static bool read_regex(const struct value *v, struct slice pattern)
{
    char fault[CONF_MATCH_FAULT_MAX];

    if (conf_match_compiles(pattern, fault))
        return true;
    if (fault[0] != 0)
        conf_fault(v->reader->faults, v->line, NULL, "%s = %.*s: the pattern is wrong: %s", v->key->name,
                   SLICE_PRINT(v->text), fault);
    else
        v->reader->arena->failed = true;
    return false;
}

static bool read_match(const struct value *v, void *at)
{
    bool domain = v->key->type == CONF_DOMAIN_MATCH;
    struct conf_match match = {0};
    char host[CONF_HOST_MAX];
    struct slice body;

    if (!text_is_good(v->key, v->text))
        return mismatch(v, NULL);
    match.kind = (uint8_t)conf_match_kind(v->text, &body);
    if (match.kind == CONF_MATCH_REGEX) {
        if (!read_regex(v, body))
            return false;
    } else if (!is_word(body)) {
        return mismatch(v, NULL);
    } else if (domain && match.kind == CONF_MATCH_EXACT) {
        body = slice_of(host, conf_host_read(body, host));
        if (body.len == 0)
            return mismatch(v, NULL);
    }
    if (!keep_text(v, body, &match.text))
        return false;
    for (uint32_t i = 0; i < body.len && domain && match.kind == CONF_MATCH_PREFIX; i++)
        match.text.text[i] = slice_lower(match.text.text[i]);
    *(struct conf_match *)at = match;
    return true;
}

static bool read_network(const struct value *v, void *at)
{
    struct conf_nearest right = {0};
    struct conf_network network;
    char text[ENDPOINT_TEXT_MAX + 4];

    if (!conf_network_read(v->text, &network))
        return mismatch(v, NULL);
    if (conf_network_clear(&network)) {
        right.best = conf_network_write(&network, text);
        conf_fault(v->reader->faults, v->line, &right, "%s = %.*s: the address has bits behind the first %u",
                   v->key->name, SLICE_PRINT(v->text), network.bits);
        return false;
    }
    *(struct conf_network *)at = network;
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
    case CONF_SUBNET:
        return read_network(v, at);
    case CONF_HOST:
        return read_host(v, at);
    case CONF_HOP:
        return read_hop(v, at);
    case CONF_USER_MATCH:
    case CONF_DOMAIN_MATCH:
        return read_match(v, at);
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
    if (key->type != CONF_SUBNET) {
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
    struct value v = {.reader = reader, .key = key, .line = entry->line};
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
