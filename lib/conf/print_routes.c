#include "conf/check.h"

#define CONDITIONS_WIDTH 56 // columns; what is longer pushes the action aside

static int print_value(const struct conf_key *key, const struct conf *conf, const struct conf_route *route,
                       const char *before, FILE *out)
{
    char text[CONF_VALUE_MAX];
    int column = 0;

    for (unsigned i = 0; i < conf_value_count(key, route); i++) {
        conf_value_text(key, conf, route, i, text);
        column += i == 0 ? fprintf(out, "%s%s %s", before, key->name, text) : fprintf(out, "|%s", text);
    }
    return column;
}

// The keys before `strip` are conditions.
static int print_conditions(const struct conf *conf, const struct conf_route *route, FILE *out)
{
    const struct conf_key *key = conf_sections[CONF_ROUTE].keys;
    const struct conf_key *end = conf_key_of(CONF_ROUTE, offsetof(struct conf_route, strip));
    int column = 0;

    for (; key < end; key++) {
        if (key->offset == offsetof(struct conf_route, who) && route->who == CONF_WHO_ANY)
            continue;
        column += print_value(key, conf, route, column == 0 ? "" : ", ", out);
    }
    return column > 0 ? column : fprintf(out, "any");
}

static void print_action(const struct conf *conf, const struct conf_route *route, FILE *out)
{
    const struct conf_section *section = &conf_sections[CONF_ROUTE];
    const struct conf_key *action = conf_key_of(CONF_ROUTE, offsetof(struct conf_route, action));
    const struct conf_key *mode = conf_key_of(CONF_ROUTE, offsetof(struct conf_route, mode));
    char text[CONF_VALUE_MAX];

    conf_value_text(action, conf, route, 0, text);
    fputs(text, out);
    for (const struct conf_key *key = action + 1; key < mode; key++) {
        if (conf_value_count(key, route) == 0)
            continue;
        conf_value_text(key, conf, route, 0, text);
        fprintf(out, " %s", text);
    }
    for (const struct conf_key *key = section->keys; key < action; key++) {
        bool change = key->offset == offsetof(struct conf_route, prepend) ||
                      key->offset == offsetof(struct conf_route, set_domain) ||
                      (key->offset == offsetof(struct conf_route, strip) && route->strip > 0);
        if (change)
            print_value(key, conf, route, ", ", out);
    }
    if (route->mode == CONF_MODE_STATELESS)
        fputs(", stateless", out);
}

void conf_print_routes(const struct conf *conf, FILE *out)
{
    size_t width = strlen("(none)");

    for (unsigned i = 0; i < conf->routes_n; i++) {
        size_t len = strlen(conf->routes[i].name);
        width = len > width ? len : width;
    }
    fprintf(out,
            "# Rules as they are tried; the first whose conditions hold wins.\n#   no  %-*s  %-*s  action\n",
            (int)width, "rule", CONDITIONS_WIDTH, "conditions");
    for (unsigned i = 0; i < conf->routes_n; i++) {
        fprintf(out, "# %4u  %-*s  ", i + 1, (int)width, conf->routes[i].name);
        int column = print_conditions(conf, &conf->routes[i], out);
        fprintf(out, "%*s  ", column < CONDITIONS_WIDTH ? CONDITIONS_WIDTH - column : 0, "");
        print_action(conf, &conf->routes[i], out);
        fputc('\n', out);
    }
    fprintf(out, "# last  %-*s  %-*s  location of own users, domain of others%s\n", (int)width, "(none)",
            CONDITIONS_WIDTH, "any", conf->mode == CONF_MODE_STATELESS ? ", stateless" : "");
}
