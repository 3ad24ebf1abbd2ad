// One rule as a line for people, --check's answer to "which one takes this call?".
#include "conf/host.h"
#include "role/rules.h"

static void print_match(FILE *out, const char *what, const struct conf_match *match)
{
    const char *before = match->kind == CONF_MATCH_REGEX ? "/" : "";
    const char *behind = match->kind == CONF_MATCH_REGEX ? "/" : match->kind == CONF_MATCH_PREFIX ? "*" : "";

    if (match->kind != CONF_MATCH_ANY)
        fprintf(out, ", %s %s%s%s", what, before, match->text.text, behind);
}

static void print_conditions(FILE *out, const struct conf *conf, const struct conf_route *route)
{
    char text[ENDPOINT_TEXT_MAX + 4];

    for (unsigned i = 0; i < route->methods_n; i++)
        fprintf(out, "%s%s", i == 0 ? ", method " : " or ", route->methods[i].text);
    print_match(out, "domain", &route->domain);
    print_match(out, "user", &route->user);
    print_match(out, "To domain", &route->to_domain);
    print_match(out, "To user", &route->to_user);
    print_match(out, "From domain", &route->from_domain);
    print_match(out, "From user", &route->from_user);
    for (unsigned i = 0; i < route->source_n; i++)
        fprintf(out, "%s%s", i == 0 ? ", source " : " or ", conf_network_write(&route->source[i], text));
    if (route->listener != CONF_NONE)
        fprintf(out, ", listener %s", conf->listeners[route->listener].name);
    if (route->who != CONF_WHO_ANY)
        fprintf(out, ", who is %s", route->who == CONF_WHO_TRUSTED ? "trusted" : "untrusted");
}

static void print_rewriting(FILE *out, const struct conf_route *route)
{
    if (route->strip > 0)
        fprintf(out, " strip %u", route->strip);
    if (route->prepend.len > 0)
        fprintf(out, " prepend %s", route->prepend.text);
    if (route->set_domain.len > 0)
        fprintf(out, " domain := %s", route->set_domain.text);
}

static void print_action(FILE *out, const struct conf *conf, const struct conf_route *route)
{
    switch (route->action) {
    case CONF_ACTION_LOCATION:
        fputs(" the location service", out);
        break;
    case CONF_ACTION_GATEWAYS:
        fprintf(out, " gateways %s", conf->groups[route->gateways].name);
        break;
    case CONF_ACTION_HOP:
        fprintf(out, " hop %s", route->hop.host.text);
        if (route->hop.port != 0)
            fprintf(out, ":%u", route->hop.port);
        break;
    case CONF_ACTION_NUMBERS:
        fputs(" the number table", out);
        break;
    case CONF_ACTION_ENUM:
        fputs(" what ENUM says", out);
        break;
    case CONF_ACTION_DOMAIN:
        fputs(" the request-URI's domain", out);
        break;
    case CONF_ACTION_REDIRECT:
        fprintf(out, " 302 to %s", route->contact.len > 0 ? route->contact.text : "the request-URI");
        break;
    case CONF_ACTION_REJECT:
        fprintf(out, " %u%s%s", route->code, route->reason.len > 0 ? " " : "",
                route->reason.len > 0 ? route->reason.text : "");
        break;
    }
}

void role_rule_print(const struct conf *conf, unsigned number, FILE *out)
{
    const struct conf_route *route = &conf->routes[number];
    bool answers = route->action == CONF_ACTION_REDIRECT || route->action == CONF_ACTION_REJECT;

    fprintf(out, "%u. [route %s]", number + 1, route->name);
    print_conditions(out, conf, route);
    fputs(" ->", out);
    print_rewriting(out, route);
    print_action(out, conf, route);
    if (!answers)
        fputs(route->mode == CONF_MODE_STATELESS ? ", stateless" : ", stateful", out);
    fputc('\n', out);
}
