#include "conf/check.h"

// One [auth] that is checked.
struct asking {
    const struct conf_reader *reader;
    const struct conf *conf;
    const struct conf_block *block;
    const struct conf_auth *auth;
};

static const struct conf_key *key_at(size_t offset)
{
    return conf_key_of(CONF_AUTH, offset);
}

static unsigned line_of(const struct asking *asking, const struct conf_key *key)
{
    unsigned line = conf_entry_of(asking->block, key)->line;

    return line != 0 ? line : asking->block->line;
}

// RFC 3261 22.1.
static void check_methods(const struct asking *asking)
{
    const struct conf_key *methods = key_at(offsetof(struct conf_auth, methods));
    static const char *const never[] = {"ACK", "CANCEL"};

    for (unsigned i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (conf_text_is_among(slice_text(never[i]), asking->auth->methods, asking->auth->methods_n))
            conf_fault(asking->reader->faults, line_of(asking, methods), NULL,
                       "%s has %s, which cannot be challenged; expected it away", methods->name, never[i]);
    }
}

static void check_algorithms(const struct asking *asking)
{
    const struct conf_key *algorithms = key_at(offsetof(struct conf_auth, algorithms));
    char text[CONF_VALUE_MAX];
    unsigned seen = 0;

    for (unsigned i = 0; i < asking->auth->algorithms_n; i++) {
        unsigned bit = 1u << asking->auth->algorithms[i];
        conf_value_text(algorithms, asking->conf, asking->auth, i, text);
        if (seen & bit)
            conf_fault(asking->reader->faults, line_of(asking, algorithms), NULL,
                       "%s has %s more than once; expected each once", algorithms->name, text);
        seen |= bit;
    }
}

// It goes into a quoted string, and into the line of a file of users (RFC 3261 25.1, RFC 7616 3.3).
static void check_realm(const struct asking *asking)
{
    const struct conf_key *realm = key_at(offsetof(struct conf_auth, realm));
    const char *text = asking->auth->realm.text;

    if (text != NULL && strpbrk(text, "\"\\,@") != NULL)
        conf_fault(asking->reader->faults, line_of(asking, realm), NULL,
                   "%s = %s: expected no quotation mark, backslash, comma or @ in it", realm->name, text);
}

static void check_users(const struct asking *asking)
{
    const struct conf_key *path = conf_key_of(CONF_STORE, offsetof(struct conf, store_path));
    const struct conf_key *socket = conf_key_of(CONF_CONTROL, offsetof(struct conf, control_socket));

    if (asking->conf->store_path == NULL && asking->conf->control_socket == NULL)
        conf_fault(asking->reader->faults, asking->block->line, NULL,
                   "[%s %s] lets nobody in: there are no users without %s of [%s] or %s of [%s]",
                   asking->block->section->name, asking->block->name, path->name,
                   conf_sections[CONF_STORE].name, socket->name, conf_sections[CONF_CONTROL].name);
}

// With a realm of its own, a section without domain holds for foreign ones, too.
static bool domains_cover(const struct conf_auth *wide, const struct conf_auth *narrow)
{
    if (narrow->domain != CONF_NONE)
        return wide->domain == CONF_NONE || wide->domain == narrow->domain;
    return wide->domain == CONF_NONE && (wide->realm.len > 0 || narrow->realm.len == 0);
}

// Without methods, what belongs to dialogs is left for others.
static bool methods_cover(const struct conf_auth *wide, const struct conf_auth *narrow)
{
    return (wide->methods_n > 0 || narrow->methods_n == 0) &&
           conf_methods_cover(wide->methods, wide->methods_n, narrow->methods, narrow->methods_n);
}

static bool auth_covers(const struct conf_auth *wide, const struct conf_auth *narrow)
{
    return domains_cover(wide, narrow) && methods_cover(wide, narrow) &&
           (wide->trusted || !narrow->trusted) &&
           conf_networks_cover(wide->source, wide->source_n, narrow->source, narrow->source_n);
}

static void check_shade(const struct asking *asking)
{
    const struct conf_section *section = asking->block->section;

    for (const struct conf_block *wide = asking->reader->tree->first; wide != asking->block;
         wide = wide->next) {
        if (wide->section != section || conf_block_faulty(wide) ||
            !auth_covers(&asking->conf->auths[wide->index], asking->auth))
            continue;
        conf_fault(asking->reader->faults, asking->block->line, NULL,
                   "[%s %s] is never reached: [%s %s] on line %u takes all of it; expected the narrower one "
                   "first",
                   section->name, asking->block->name, section->name, wide->name, wide->line);
        return;
    }
}

void conf_check_auth(const struct conf_reader *reader, const struct conf *conf,
                     const struct conf_block *block)
{
    struct asking asking = {reader, conf, block, &conf->auths[block->index]};

    check_methods(&asking);
    check_algorithms(&asking);
    check_realm(&asking);
    check_users(&asking);
    check_shade(&asking);
}
