#include "role/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "role/route.h"
#include "role/rules.h"

// The groups by name: a table of millions of numbers asks millions of times.
struct names {
    unsigned n;
    struct name {
        struct slice text;
        int group;
    } * sorted;
};

static int compare(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    uint32_t len = x->text.len < y->text.len ? x->text.len : y->text.len;
    int order = len == 0 ? 0 : memcmp(x->text.at, y->text.at, len);

    return order != 0 ? order : (x->text.len > y->text.len) - (x->text.len < y->text.len);
}

static int group_of(void *owner, struct slice text)
{
    const struct names *names = owner;
    struct name wanted = {.text = text};
    const struct name *found = bsearch(&wanted, names->sorted, names->n, sizeof(wanted), compare);

    return found != NULL ? found->group : CONF_NONE;
}

static bool sort_names(const struct conf *conf, struct names *names)
{
    names->n = conf->groups_n;
    names->sorted = calloc(names->n + 1, sizeof(*names->sorted));
    if (names->sorted == NULL)
        return false;
    for (unsigned i = 0; i < names->n; i++)
        names->sorted[i] = (struct name){slice_text(conf->groups[i].name), (int)i};
    qsort(names->sorted, names->n, sizeof(*names->sorted), compare);
    return true;
}

// The file is read once, and copied from node to node.
static int load_nodes(struct role_policy *policy, struct names *names, FILE *errors)
{
    unsigned first = (unsigned)__builtin_ctz(policy->nodes);
    int error = number_table_load(&policy->numbers[first], policy->conf->numbers_file, group_of, names,
                                  errors, NULL, &memory_system, (int)first);

    for (unsigned node = first + 1; node < ROLE_NODES_MAX && error == 0; node++) {
        if (!(policy->nodes >> node & 1))
            continue;
        policy->numbers[node] = number_table_copy(policy->numbers[first], (int)node);
        error = policy->numbers[node] != NULL ? 0 : -ENOMEM;
    }
    return error;
}

static bool load_numbers(struct role_policy *policy, FILE *errors)
{
    const char *file = policy->conf->numbers_file;
    struct names names;

    if (file == NULL)
        return true;
    int error = sort_names(policy->conf, &names) ? load_nodes(policy, &names, errors) : -ENOMEM;
    free(names.sorted);
    if (error != 0 && error != -EINVAL) // those faults are told, a line each
        fprintf(errors, "%s: %s\n", file, strerror(-error));
    return error == 0;
}

const struct number_table *role_policy_numbers(const struct role_policy *policy)
{
    return policy->numbers[__builtin_ctz(policy->nodes)];
}

static bool compile(struct role_policy *policy, struct gateway_states *states, const struct hash_key *secret,
                    uint64_t now_ms, FILE *errors)
{
    policy->route = role_route_create(policy->conf);
    if (policy->route == NULL) {
        fputs("no memory for domains and listeners\n", errors);
        return false;
    }
    policy->rules = role_rules_create(policy->conf, policy->route, errors);
    if (policy->rules == NULL)
        return false;
    policy->gateways = gateway_table_create(states, policy->conf, secret, now_ms);
    if (policy->gateways == NULL) {
        fputs("no memory for gateways, or too many of them were replaced in the last minutes\n", errors);
        return false;
    }
    return load_numbers(policy, errors);
}

struct role_policy *role_policy_create(struct conf *conf, struct gateway_states *states,
                                       const struct hash_key *secret, uint32_t nodes, uint64_t now_ms,
                                       FILE *errors)
{
    struct role_policy *policy = calloc(1, sizeof(*policy));

    if (policy == NULL) {
        fputs("no memory for a configuration\n", errors);
        return NULL;
    }
    policy->conf = conf;
    policy->nodes = nodes;
    if (compile(policy, states, secret, now_ms, errors))
        return policy;
    policy->conf = NULL; // the caller keeps it
    role_policy_destroy(policy);
    return NULL;
}

void role_policy_destroy(struct role_policy *policy)
{
    if (policy == NULL)
        return;
    for (unsigned node = 0; node < ROLE_NODES_MAX; node++)
        number_table_destroy(policy->numbers[node]);
    gateway_table_destroy(policy->gateways);
    role_rules_destroy(policy->rules);
    role_route_destroy(policy->route);
    conf_free(policy->conf);
    free(policy);
}
