// What takes more than a table of one answer.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

void ctl_print_json(const json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
}

static bool show_status(void *owner, const json_t *reply)
{
    static const struct table_column items[] = {
        {"state", "state", TABLE_TEXT, NULL},
        {"draining_s", "draining for", TABLE_SECONDS, NULL},
        {"deadline_s", "deadline in", TABLE_SECONDS, NULL},
        {"redirect", "redirects to", TABLE_TEXT, NULL},
        {"up_s", "up for", TABLE_SECONDS, NULL},
        {"workers", "workers", TABLE_COUNT, NULL},
        {"busy_percent", "busy since start", TABLE_PERCENT, NULL},
        {"transactions", "transactions", TABLE_OF, "transactions_max"},
        {"calls", "calls followed", TABLE_COUNT, NULL},
        {"aors", "users registered", TABLE_COUNT, NULL},
        {"bindings", "bindings", TABLE_OF, "bindings_max"},
        {"users", "users with passwords", TABLE_OF, "users_max"},
        {"rules", "rules of who may watch", TABLE_OF, "rules_max"},
        {"lists", "lists of users", TABLE_COUNT, NULL},
        {"members", "members of lists", TABLE_OF, "members_max"},
        {"store", "store", TABLE_TEXT, NULL},
        {"connections", "connections", TABLE_OF, "connections_max"},
        {"gateways_up", "gateways up", TABLE_COUNT, NULL},
        {"gateways_down", "gateways down", TABLE_COUNT, NULL},
        {"requests", "requests received", TABLE_COUNT, NULL},
        {"responses", "responses received", TABLE_COUNT, NULL},
        {"drops", "drops", TABLE_COUNT, NULL},
        {"configuration", "configuration", TABLE_TEXT, NULL},
        {"reloaded", "reloads taken", TABLE_COUNT, NULL},
        {"reloads_refused", "reloads refused", TABLE_COUNT, NULL},
        {"log", "log level", TABLE_TEXT, NULL},
    };
    const struct ctl *ctl = owner;

    if (ctl->json)
        ctl_print_json(reply);
    else
        table_list(items, COUNT(items), reply);
    return true;
}

enum ctl_status ctl_show_status(struct ctl *ctl)
{
    return ctl_ask(ctl, "status", show_status, ctl);
}

#define BINDING_COLUMNS "%-30s %-44s %12s  %s"

static void print_binding(const json_t *row)
{
    static const struct table_column columns[] = {
        {"aor", "", TABLE_TEXT, NULL},          {"contact", "", TABLE_TEXT, NULL},
        {"expires_s", "", TABLE_SECONDS, NULL}, {"next_hop", "", TABLE_TEXT, NULL},
        {"path", "", TABLE_TEXT, NULL},
    };
    char text[COUNT(columns)][TABLE_CELL_MAX];

    for (unsigned i = 0; i < COUNT(columns); i++)
        table_cell(&columns[i], row, text[i]);
    printf(BINDING_COLUMNS "%s%s\n", text[0], text[1], text[2], text[3], text[4][0] != 0 ? "  path " : "",
           text[4]);
}

enum ctl_status ctl_show_registrations(struct ctl *ctl)
{
    char heading[128];
    struct listing listing = {.json = ctl->json, .heading = heading, .print = print_binding};
    char request[4096];

    snprintf(request, sizeof(request), "registrations %s", ctl->words_n > 0 ? ctl->words[0] : "");
    snprintf(heading, sizeof(heading), BINDING_COLUMNS, "address of record", "contact", "expires in",
             "next hop");
    enum ctl_status status = ctl_ask(ctl, request, listing_show, &listing);
    if (status == CTL_DONE)
        listing_end(&listing, ctl->words_n > 0 ? "not registered" : "nobody is registered");
    return status;
}

#define CONNECTION_COLUMNS "%-28s %-4s %-14s %-4s %12s %12s %11s %11s %10s  %-12s %s"

static void print_connection(const json_t *row)
{
    static const struct table_column columns[] = {
        {"peer", "", TABLE_TEXT, NULL},      {"transport", "", TABLE_TEXT, NULL},
        {"listener", "", TABLE_TEXT, NULL},  {"direction", "", TABLE_TEXT, NULL},
        {"age_s", "", TABLE_SECONDS, NULL},  {"idle_s", "", TABLE_SECONDS, NULL},
        {"received", "", TABLE_COUNT, NULL}, {"sent", "", TABLE_COUNT, NULL},
        {"held", "", TABLE_BYTES, NULL},     {"state", "", TABLE_TEXT, NULL},
        {"name", "", TABLE_TEXT, NULL},
    };
    char text[COUNT(columns)][TABLE_CELL_MAX];

    for (unsigned i = 0; i < COUNT(columns); i++)
        table_cell(&columns[i], row, text[i]);
    printf(CONNECTION_COLUMNS "\n", text[0], text[1], text[2], text[3], text[4], text[5], text[6], text[7],
           text[8], text[9], text[10]);
}

enum ctl_status ctl_show_connections(struct ctl *ctl)
{
    char heading[256];
    struct listing listing = {.json = ctl->json, .heading = heading, .print = print_connection};

    snprintf(heading, sizeof(heading), CONNECTION_COLUMNS, "peer", "over", "listener", "made", "open for",
             "silent for", "received", "sent", "held", "state", "proved to be");
    enum ctl_status status = ctl_ask(ctl, "connections", listing_show, &listing);
    if (status == CTL_DONE)
        listing_end(&listing, "no connections");
    return status;
}

static bool gather_rows(void *owner, const json_t *reply)
{
    json_array_extend(owner, json_object_get(reply, "rows"));
    return true;
}

enum ctl_status ctl_show_policy(struct ctl *ctl)
{
    json_t *rows = json_array();
    char request[4096];

    snprintf(request, sizeof(request), "policy %s", ctl->words_n > 0 ? ctl->words[0] : "");
    enum ctl_status status = ctl_ask(ctl, request, gather_rows, rows);
    const json_t *row;
    size_t i;

    if (status == CTL_DONE && ctl->json)
        ctl_print_json(rows);
    else if (status == CTL_DONE)
        json_array_foreach(rows, i, row) puts(json_string_value(row));
    json_decref(rows);
    return status;
}

struct drop {
    const char *reason;
    json_int_t count;
};

static int most_first(const void *a, const void *b)
{
    const struct drop *x = a, *y = b;

    return (x->count < y->count) - (x->count > y->count);
}

static void add_drop(struct ctl *ctl, struct table *table, const struct drop *drop)
{
    char command[128];

    snprintf(command, sizeof(command), "/strowger/drops,%s", drop->reason);
    json_t *row = ctl_telemetry(ctl, command);
    table_add(table, NULL, row);
    json_decref(row);
}

static void print_drops(struct ctl *ctl, json_t *drops)
{
    static const struct table_column columns[] = {
        {"count", "count", TABLE_COUNT, NULL},
        {"reason", "reason", TABLE_TEXT, NULL},
        {"explanation", "what was dropped", TABLE_TEXT, NULL},
    };
    struct drop *sorted = calloc(json_object_size(drops) + 1, sizeof(*sorted));
    struct table *table = table_create(columns, COUNT(columns), NULL);
    const char *reason;
    const json_t *count;
    unsigned n = 0;

    json_object_foreach(drops, reason, count)
    {
        if (sorted != NULL && json_integer_value(count) > 0)
            sorted[n++] = (struct drop){reason, json_integer_value(count)};
    }
    if (n > 0)
        qsort(sorted, n, sizeof(*sorted), most_first);
    for (unsigned i = 0; i < n; i++)
        add_drop(ctl, table, &sorted[i]);
    if (n > 0)
        table_print(table);
    else
        puts("nothing was dropped");
    table_destroy(table);
    free(sorted);
}

enum ctl_status ctl_show_drops(struct ctl *ctl)
{
    json_t *drops = ctl_telemetry(ctl, "/strowger/drops");

    if (drops == NULL)
        return CTL_FAILED;
    if (ctl->json)
        ctl_print_json(drops);
    else
        print_drops(ctl, drops);
    json_decref(drops);
    return CTL_DONE;
}
