#include "conf/value.h"

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

static const char *text_of(const struct conf_key *key, const void *base, unsigned i)
{
    const void *at = field_of(key, base);
    const char *text;

    if (key->list)
        text = (*(struct conf_text *const *)at)[i].text;
    else if (key->size == sizeof(struct conf_text))
        text = ((const struct conf_text *)at)->text;
    else
        text = *(char *const *)at;
    return text == NULL ? "" : text;
}

unsigned conf_value_count(const struct conf_key *key, const void *base)
{
    if (key->list)
        return *(const unsigned *)((const char *)base + key->count_offset);
    switch (key->type) {
    case CONF_TEXT:
    case CONF_WORD:
    case CONF_INTERFACE:
    case CONF_HOST:
        return text_of(key, base, 0)[0] != 0;
    case CONF_ENDPOINT:
        return ((const struct endpoint *)field_of(key, base))->family != ENDPOINT_NONE;
    default:
        return 1;
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

void conf_value_text(const struct conf_key *key, const struct conf *conf, const void *base, unsigned i,
                     char text[CONF_VALUE_MAX])
{
    const void *at = field_of(key, base);

    switch (key->type) {
    case CONF_BOOL:
        snprintf(text, CONF_VALUE_MAX, "%s", *(const bool *)at ? "yes" : "no");
        break;
    case CONF_NUMBER:
        number_text(key, conf_value_number(key, base), text);
        break;
    case CONF_CHOICE:
        snprintf(text, CONF_VALUE_MAX, "%s", choice_name(key, conf_value_number(key, base)));
        break;
    case CONF_TEXT:
    case CONF_WORD:
    case CONF_INTERFACE:
    case CONF_HOST:
        snprintf(text, CONF_VALUE_MAX, "%s", text_of(key, base, i));
        break;
    case CONF_ENDPOINT:
        text[endpoint_write((const struct endpoint *)at + i, text)] = 0;
        break;
    case CONF_REFERENCE:
        snprintf(text, CONF_VALUE_MAX, "%s", reference_name(key, conf, *(const int *)at));
        break;
    }
}
