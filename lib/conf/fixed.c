#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/value.h"

static bool values_equal(const struct conf_key *key, const struct conf *a, const void *base_a,
                         const struct conf *b, const void *base_b)
{
    unsigned n = conf_value_count(key, base_a);
    char text_a[CONF_VALUE_MAX], text_b[CONF_VALUE_MAX];

    if (n != conf_value_count(key, base_b))
        return false;
    for (unsigned i = 0; i < n; i++) {
        conf_value_text(key, a, base_a, i, text_a);
        conf_value_text(key, b, base_b, i, text_b);
        if (strcmp(text_a, text_b) != 0)
            return false;
    }
    return true;
}

// As the INI would say it, the first value standing for a list.
static const char *value_text(const struct conf_key *key, const struct conf *conf, const void *base,
                              char text[CONF_VALUE_MAX])
{
    if (conf_value_count(key, base) == 0)
        return "nothing";
    conf_value_text(key, conf, base, 0, text);
    return text;
}

static unsigned compare_block(const struct conf_section *section, const struct conf *a, const void *base_a,
                              const struct conf *b, const void *base_b, FILE *out)
{
    char title[CONF_TITLE_MAX], text_a[CONF_VALUE_MAX], text_b[CONF_VALUE_MAX];
    unsigned differences = 0;

    for (unsigned i = 0; i < section->keys_n; i++) {
        const struct conf_key *key = &section->keys[i];
        if (!(key->flags & CONF_FIXED) || values_equal(key, a, base_a, b, base_b))
            continue;
        fprintf(out, "%s %s is %s and cannot become %s without a restart\n",
                conf_block_title(section, conf_section_name(section, base_a), title), key->name,
                value_text(key, a, base_a, text_a), value_text(key, b, base_b, text_b));
        differences++;
    }
    return differences;
}

static bool is_fixed(const struct conf_section *section)
{
    for (unsigned i = 0; i < section->keys_n; i++) {
        if (section->keys[i].flags & CONF_FIXED)
            return true;
    }
    return false;
}

// What runs knows the sections of a kind by their place: the same ones in the same order.
static unsigned compare_section(const struct conf_section *section, const struct conf *a,
                                const struct conf *b, FILE *out)
{
    unsigned n = conf_section_count(section, a);
    unsigned differences = 0;

    if (n != conf_section_count(section, b)) {
        fprintf(out, "there %s %u [%s] section%s and cannot become %u without a restart\n",
                n == 1 ? "is" : "are", n, section->name, n == 1 ? "" : "s", conf_section_count(section, b));
        return 1;
    }
    for (unsigned i = 0; i < n; i++) {
        const void *base_a = conf_section_at(section, a, i);
        const void *base_b = conf_section_at(section, b, i);
        if (strcmp(conf_section_name(section, base_a), conf_section_name(section, base_b)) != 0) {
            fprintf(out, "[%s %s] stands where [%s %s] stood and cannot without a restart\n", section->name,
                    conf_section_name(section, base_b), section->name, conf_section_name(section, base_a));
            differences++;
            continue;
        }
        differences += compare_block(section, a, base_a, b, base_b, out);
    }
    return differences;
}

bool conf_follows_calls(const struct conf *conf)
{
    bool follows = conf->cdr_file != NULL;

    for (unsigned i = 0; i < conf->groups_n; i++)
        follows |= conf->groups[i].algorithm == CONF_ALGORITHM_LEAST_CALLS;
    return follows;
}

bool conf_has_streams(const struct conf *conf)
{
    bool any = false;

    for (unsigned i = 0; i < conf->listeners_n; i++)
        any |= conf->listeners[i].transport != ENDPOINT_UDP;
    return any;
}

static unsigned compare_users(const struct conf *running, const struct conf *wanted, FILE *out)
{
    if (running->auths_n > 0 || wanted->auths_n == 0)
        return 0;
    fprintf(out, "there is no table of users, and cannot be without a restart: [auth %s] needs that\n",
            wanted->auths[0].name);
    return 1;
}

unsigned conf_fixed_differences(const struct conf *running, const struct conf *wanted, FILE *out)
{
    unsigned differences = 0;

    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        if (is_fixed(&conf_sections[i]))
            differences += compare_section(&conf_sections[i], running, wanted, out);
    }
    if (conf_follows_calls(wanted) && !conf_follows_calls(running)) {
        fprintf(
            out,
            "calls are not followed, and cannot be without a restart: [cdr] file and algorithm = least_calls "
            "need that\n");
        differences++;
    }
    return differences + compare_users(running, wanted, out);
}
