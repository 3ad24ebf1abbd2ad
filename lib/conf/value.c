#include "conf/value.h"

#include "conf/host.h"

static const void *field_of(const struct conf_key *key, const void *base)
{
    return (const char *)base + key->offset;
}

static uint64_t load_number(const void *at, size_t size)
{
    switch (size) {
    case sizeof(uint8_t):
        return *(const uint8_t *)at;
    case sizeof(uint16_t):
        return *(const uint16_t *)at;
    case sizeof(uint32_t):
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

const void *conf_section_at(const struct conf_section *section, const struct conf *conf, unsigned i)
{
    if (!section->repeatable)
        return conf;
    return *(char *const *)((const char *)conf + section->array_offset) + i * section->element_size;
}

unsigned conf_section_count(const struct conf_section *section, const struct conf *conf)
{
    return section->repeatable ? *(const unsigned *)((const char *)conf + section->count_offset) : 1;
}

const char *conf_section_name(const struct conf_section *section, const void *base)
{
    return section->repeatable ? *(char *const *)((const char *)base + section->name_offset) : "";
}

uint64_t conf_value_number(const struct conf_key *key, const void *base)
{
    return load_number(field_of(key, base), key->size);
}

size_t conf_value_size(const struct conf_key *key)
{
    switch (key->type) {
    case CONF_ENDPOINT:
        return sizeof(struct endpoint);
    case CONF_SUBNET:
    case CONF_CHOICE:
        return key->size;
    default:
        return sizeof(struct conf_text);
    }
}

bool conf_value_in_place(const struct conf_key *key)
{
    return key->type == CONF_SUBNET || key->type == CONF_CHOICE;
}

// The i-th value of the field.
static const void *value_at(const struct conf_key *key, const void *base, unsigned i)
{
    const void *at = field_of(key, base);

    if (key->list && !conf_value_in_place(key))
        at = *(const void *const *)at;
    return (const char *)at + (key->list ? i * conf_value_size(key) : 0);
}

static const char *text_of(const struct conf_key *key, const void *at)
{
    const char *text = key->list || key->size == sizeof(struct conf_text)
                           ? ((const struct conf_text *)at)->text
                           : *(char *const *)at;

    return text == NULL ? "" : text;
}

unsigned conf_value_count(const struct conf_key *key, const void *base)
{
    const void *at = field_of(key, base);

    if (key->list)
        return *(const unsigned *)((const char *)base + key->count_offset);
    switch (key->type) {
    case CONF_BOOL:
    case CONF_CHOICE:
        return 1;
    case CONF_NUMBER:
        return key->fallback != NULL || conf_value_number(key, base) != 0;
    case CONF_REFERENCE:
        return *(const int *)at != CONF_NONE;
    case CONF_ENDPOINT:
        return ((const struct endpoint *)at)->family != ENDPOINT_NONE;
    case CONF_USER_MATCH:
    case CONF_DOMAIN_MATCH:
        return ((const struct conf_match *)at)->kind != CONF_MATCH_ANY;
    default: // texts, of which a hop begins with one
        return key->type == CONF_HOP ? ((const struct conf_text *)at)->len != 0 : text_of(key, at)[0] != 0;
    }
}

static const char *choice_name(const struct conf_key *key, uint64_t value)
{
    const struct conf_choice *choice = key->choices;

    while (choice->name != NULL && (uint64_t)choice->value != value)
        choice++;
    return choice->name == NULL ? "" : choice->name;
}

static const char *reference_name(const struct conf_key *key, const struct conf *conf, int index)
{
    const struct conf_section *section = &conf_sections[key->refers];

    if (index < 0 || (unsigned)index >= conf_section_count(section, conf))
        return "";
    return conf_section_name(section, conf_section_at(section, conf, (unsigned)index));
}

static void number_text(const struct conf_key *key, uint64_t number, char text[CONF_VALUE_MAX])
{
    // Milliseconds say so, lest they be taken for seconds; other units are plain from the key.
    const struct conf_suffix *base = key->suffixes;
    bool named = base != NULL && base->factor == 1 && strlen(base->name) > 1;

    snprintf(text, CONF_VALUE_MAX, "%llu%s", (unsigned long long)number, named ? base->name : "");
}

static void hop_text(const struct conf_hop *hop, char text[CONF_VALUE_MAX])
{
    char port[sizeof(":65535")] = "";

    if (hop->port != 0)
        snprintf(port, sizeof(port), ":%u", hop->port);
    snprintf(text, CONF_VALUE_MAX, "%s%s%s", hop->host.text, port, conf_transport_parameter(hop->transport));
}

static void match_text(const struct conf_match *match, char text[CONF_VALUE_MAX])
{
    const char *before = match->kind == CONF_MATCH_REGEX ? "/" : "";
    const char *behind = match->kind == CONF_MATCH_PREFIX ? "*" : before;

    snprintf(text, CONF_VALUE_MAX, "%s%s%s", before, match->text.text, behind);
}

void conf_value_text(const struct conf_key *key, const struct conf *conf, const void *base, unsigned i,
                     char text[CONF_VALUE_MAX])
{
    const void *at = value_at(key, base, i);

    switch (key->type) {
    case CONF_BOOL:
        snprintf(text, CONF_VALUE_MAX, "%s", *(const bool *)at ? "yes" : "no");
        break;
    case CONF_NUMBER:
        number_text(key, conf_value_number(key, base), text);
        break;
    case CONF_CHOICE:
        snprintf(text, CONF_VALUE_MAX, "%s", choice_name(key, load_number(at, key->size)));
        break;
    case CONF_ENDPOINT:
        text[endpoint_write(at, text)] = 0;
        break;
    case CONF_SUBNET:
        conf_network_write(at, text);
        break;
    case CONF_USER_MATCH:
    case CONF_DOMAIN_MATCH:
        match_text(at, text);
        break;
    case CONF_REFERENCE:
        snprintf(text, CONF_VALUE_MAX, "%s", reference_name(key, conf, *(const int *)at));
        break;
    case CONF_HOP:
        if (key->size == sizeof(struct conf_hop)) {
            hop_text(at, text);
            break;
        }
        // fall through
    default:
        snprintf(text, CONF_VALUE_MAX, "%s", text_of(key, at));
    }
}
