#include <stdarg.h>
#include <stdio.h>

#include "conf/conf.h"
#include "conf/schema.h"

struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    size_t n = (size_t)vsnprintf(text->at, text->left, format, args);
    va_end(args);
    n = n < text->left ? n : text->left - 1;
    text->at += n;
    text->left -= n;
}

// "a", "a or b", "a, b or c".
static void add_alternative(struct text *text, unsigned i, bool last, const char *name)
{
    add(text, "%s%s", i == 0 ? "" : last ? " or " : ", ", name);
}

static void expect_number(const struct conf_key *key, struct text *text)
{
    const struct conf_suffix *suffix = key->suffixes;

    add(text, "%s%llu to %llu %s",
        key->flags & CONF_POWER_OF_TWO ? "a power of two, "
        : key->flags & CONF_OR_ZERO    ? "0, or "
                                       : "",
        (unsigned long long)key->min, (unsigned long long)key->max, key->unit);
    if (suffix == NULL)
        return;
    add(text, " (");
    for (unsigned i = 0; suffix[i].name != NULL; i++)
        add_alternative(text, i, suffix[i + 1].name == NULL, suffix[i].name);
    add(text, " may follow)");
}

static void expect_text(const struct conf_key *key, const char *what, struct text *text)
{
    add(text, "%s", what);
    if (!key->list && key->min > 0)
        add(text, " of %llu to %llu bytes", (unsigned long long)key->min, (unsigned long long)key->max);
    else
        add(text, " of up to %llu bytes", (unsigned long long)(key->list ? CONF_TEXT_MAX : key->max));
}

static void expect_element(const struct conf_key *key, struct text *text)
{
    switch (key->type) {
    case CONF_BOOL:
        add(text, "yes or no");
        break;
    case CONF_NUMBER:
        expect_number(key, text);
        break;
    case CONF_CHOICE:
        for (unsigned i = 0; key->choices[i].name != NULL; i++)
            add_alternative(text, i, key->choices[i + 1].name == NULL, key->choices[i].name);
        break;
    case CONF_TEXT:
        expect_text(key, "text", text);
        break;
    case CONF_WORD:
        expect_text(key, "a word", text);
        break;
    case CONF_INTERFACE:
        expect_text(key, "a name of an interface", text);
        break;
    case CONF_HOST:
        expect_text(key, "a host name or IP address", text);
        break;
    case CONF_URI:
        expect_text(key, "a URI that begins with sip:, sips: or tel:,", text);
        break;
    case CONF_METHOD:
        expect_text(key, "the name of a method", text);
        break;
    case CONF_HOP:
        expect_text(key, "HOST or HOST:PORT, a name or unicast address", text);
        if (key->size == sizeof(struct conf_hop))
            add(text, ", and perhaps ;transport=udp, tcp or tls");
        break;
    case CONF_USER_MATCH:
        expect_text(key, "TEXT, TEXT* or /PCRE2/", text);
        break;
    case CONF_DOMAIN_MATCH:
        expect_text(key, "HOST, TEXT* or /PCRE2/", text);
        break;
    case CONF_SUBNET:
        add(text, "a network: ADDRESS/BITS, or an address alone");
        break;
    case CONF_ENDPOINT:
        add(text, "one unicast address, no wildcard: ADDRESS, ADDRESS:PORT or [IPV6]:PORT");
        break;
    case CONF_REFERENCE:
        add(text, "the name of a [%s]", conf_sections[key->refers].name);
        break;
    }
}

void conf_element_expect(const struct conf_key *key, char out[CONF_EXPECT_MAX])
{
    expect_element(key, &(struct text){out, CONF_EXPECT_MAX});
}

void conf_key_expect(const struct conf_key *key, char out[CONF_EXPECT_MAX])
{
    struct text text = {out, CONF_EXPECT_MAX};

    if (key->list)
        add(&text, "a list of %llu to %llu, each ", (unsigned long long)key->min,
            (unsigned long long)key->max);
    expect_element(key, &text);
}
