// What one telemetry command says, as a table: which values, in which order, under which titles.
#include <stdio.h>

#include "ctl.h"
#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

// An answer that does not fit one packet comes in parts.
enum parts {
    PARTS_ONE,
    PARTS_BY_WORKER, // "/strowger/calls,0" and so on, until there is no such worker
    PARTS_BY_NEXT,   // the answer's `next` is where the next part begins
};

struct view {
    const char *command;
    enum parts parts;
    const char *key_title;              // of what names a row; NULL: the row does itself
    const struct table_column *columns; // of values that are objects: a row each
    unsigned columns_n;
    const struct table_column *items; // of the others
    unsigned items_n;
    const char *none; // said where there are no rows
};

// All parts as one object; NULL: failed.
static json_t *gather(struct ctl *ctl, const struct view *view)
{
    json_t *whole = json_object();
    char command[128];

    for (json_int_t at = 0; at >= 0;) {
        if (view->parts == PARTS_BY_WORKER || at > 0)
            snprintf(command, sizeof(command), "%s,%lld", view->command, (long long)at);
        else
            snprintf(command, sizeof(command), "%s", view->command);
        json_t *part = ctl_telemetry(ctl, command);
        if (part == NULL) {
            json_decref(whole);
            return NULL;
        }
        const json_t *next = json_object_get(part, "next");
        json_int_t then = view->parts == PARTS_BY_WORKER ? at + 1
                          : next != NULL                 ? json_integer_value(next)
                                                         : -1;
        at = json_is_object(part) && then > at ? then : -1;
        if (json_is_object(part))
            json_object_update(whole, part);
        json_decref(part);
    }
    json_object_del(whole, "next");
    return whole;
}

static enum ctl_status show(struct ctl *ctl, const struct view *view)
{
    json_t *whole = gather(ctl, view);
    struct table *table = table_create(view->columns, view->columns_n, view->key_title);
    const char *key;
    json_t *row;
    unsigned rows = 0;

    if (whole == NULL || ctl->json) {
        enum ctl_status status = whole == NULL ? CTL_FAILED : CTL_DONE;
        if (whole != NULL)
            ctl_print_json(whole);
        table_destroy(table);
        json_decref(whole);
        return status;
    }
    json_object_foreach(whole, key, row)
    {
        if (!json_is_object(row))
            continue;
        table_add(table, key, row);
        rows++;
    }
    if (rows > 0)
        table_print(table);
    else if (view->none != NULL && (view->columns_n > 0 || json_object_size(whole) == 0))
        puts(view->none);
    if (rows > 0 && view->items_n > 0)
        putchar('\n');
    table_list(view->items, view->items_n, whole);
    table_destroy(table);
    json_decref(whole);
    return CTL_DONE;
}

enum ctl_status ctl_show_ports(struct ctl *ctl)
{
    static const struct table_column columns[] = {
        {"rx_packets", "received", TABLE_COUNT, NULL},
        {"rx_bytes", "in bytes", TABLE_BYTES, NULL},
        {"tx_packets", "sent", TABLE_COUNT, NULL},
        {"tx_bytes", "in bytes", TABLE_BYTES, NULL},
        {"missed", "missed", TABLE_COUNT, NULL},
        {"rx_errors", "rx errors", TABLE_COUNT, NULL},
        {"rx_no_mbuf", "no buffer", TABLE_COUNT, NULL},
        {"tx_errors", "tx errors", TABLE_COUNT, NULL},
        {"punted", "punted", TABLE_COUNT, NULL},
        {"injected", "injected", TABLE_COUNT, NULL},
        {"twin_refused", "twin refused", TABLE_COUNT, NULL},
        {"twin", "twin", TABLE_TEXT, NULL},
        {"device", "device", TABLE_TEXT, NULL},
    };

    return show(ctl, &(struct view){.command = "/strowger/ports",
                                    .key_title = "port",
                                    .columns = columns,
                                    .columns_n = COUNT(columns),
                                    .none = "no ports"});
}

enum ctl_status ctl_show_workers(struct ctl *ctl)
{
    static const struct table_column columns[] = {
        {"lcore", "lcore", TABLE_COUNT, NULL},
        {"socket", "node", TABLE_COUNT, NULL},
        {"busy_cycles", "busy", TABLE_SHARE, "idle_cycles"},
        {"handed_over", "handed over", TABLE_COUNT, NULL},
        {"mailbox_high", "mailbox high", TABLE_COUNT, NULL},
        {"punt_high", "punt high", TABLE_COUNT, NULL},
        {"inject_high", "inject high", TABLE_COUNT, NULL},
        {"keepalives", "keepalives", TABLE_COUNT, NULL},
        {"reassembled", "reassembled", TABLE_COUNT, NULL},
        {"fragmented", "fragmented", TABLE_COUNT, NULL},
        {"linearised", "linearised", TABLE_COUNT, NULL},
        {"tokens_refused", "tokens refused", TABLE_COUNT, NULL},
    };

    return show(ctl, &(struct view){.command = "/strowger/workers",
                                    .parts = PARTS_BY_WORKER,
                                    .key_title = "worker",
                                    .columns = columns,
                                    .columns_n = COUNT(columns),
                                    .none = "no workers"});
}

enum ctl_status ctl_show_gateways(struct ctl *ctl)
{
    static const struct table_column columns[] = {
        {"name", "gateway", TABLE_TEXT, NULL},   {"group", "group", TABLE_TEXT, NULL},
        {"health", "health", TABLE_TEXT, NULL},  {"for_s", "for", TABLE_SECONDS, NULL},
        {"share", "share", TABLE_PERCENT, NULL}, {"calls", "calls", TABLE_COUNT, NULL},
        {"sent", "sent", TABLE_COUNT, NULL},     {"good", "good", TABLE_COUNT, NULL},
        {"bad", "bad", TABLE_COUNT, NULL},       {"over_bound", "over bound", TABLE_COUNT, NULL},
        {"probes", "probes", TABLE_COUNT, NULL}, {"probe_failures", "failed", TABLE_COUNT, NULL},
    };

    return show(ctl, &(struct view){.command = "/strowger/gateways",
                                    .parts = PARTS_BY_NEXT,
                                    .columns = columns,
                                    .columns_n = COUNT(columns),
                                    .none = "no gateways are configured"});
}

enum ctl_status ctl_show_transactions(struct ctl *ctl)
{
    static const struct table_column columns[] = {
        {"records", "transactions", TABLE_OF, "records_max"},
        {"lingering", "lingering", TABLE_COUNT, NULL},
        {"branches", "branches", TABLE_OF, "branches_max"},
        {"kept", "kept messages", TABLE_OF, "kept_max"},
        {"opened", "opened", TABLE_COUNT, NULL},
        {"refused", "refused", TABLE_COUNT, NULL},
        {"evicted", "evicted", TABLE_COUNT, NULL},
        {"kept_refused", "not kept", TABLE_COUNT, NULL},
        {"sent_requests", "requests sent", TABLE_COUNT, NULL},
        {"unreachable", "unreachable", TABLE_COUNT, NULL},
        {"parked", "parked", TABLE_COUNT, NULL},
        {"bytes", "memory", TABLE_BYTES, NULL},
    };

    return show(ctl, &(struct view){.command = "/strowger/transactions",
                                    .parts = PARTS_BY_WORKER,
                                    .key_title = "worker",
                                    .columns = columns,
                                    .columns_n = COUNT(columns),
                                    .none = "no transactions"});
}

enum ctl_status ctl_show_calls(struct ctl *ctl)
{
    static const struct table_column columns[] = {
        {"calls", "calls", TABLE_OF, "calls_max"},
        {"begun", "begun", TABLE_COUNT, NULL},
        {"unfollowed", "unfollowed", TABLE_COUNT, NULL},
        {"lost_lines", "lost lines", TABLE_COUNT, NULL},
    };
    static const struct table_column items[] = {
        {"lines", "lines written", TABLE_COUNT, NULL},
        {"failures", "failures of writing", TABLE_COUNT, NULL},
        {"short_writes", "short writes", TABLE_COUNT, NULL},
        {"rotations", "rotations", TABLE_COUNT, NULL},
        {"reopened", "reopened", TABLE_COUNT, NULL},
        {"lost_at_the_end", "lost at the end", TABLE_COUNT, NULL},
    };

    return show(ctl, &(struct view){.command = "/strowger/calls",
                                    .parts = PARTS_BY_WORKER,
                                    .key_title = "worker",
                                    .columns = columns,
                                    .columns_n = COUNT(columns),
                                    .items = items,
                                    .items_n = COUNT(items),
                                    .none = "calls are not followed: see [cdr] file"});
}

enum ctl_status ctl_show_names(struct ctl *ctl)
{
    static const struct table_column items[] = {
        {"names", "names known", TABLE_OF, "names_max"},
        {"parked", "messages that wait", TABLE_COUNT, NULL},
        {"parked_high", "most that ever waited", TABLE_COUNT, NULL},
        {"parked_total", "that have waited", TABLE_COUNT, NULL},
        {"refused", "for which there was no room", TABLE_COUNT, NULL},
        {"hits", "found in the table", TABLE_COUNT, NULL},
        {"misses", "not found there", TABLE_COUNT, NULL},
        {"evicted", "evicted", TABLE_COUNT, NULL},
        {"lookups", "looked up", TABLE_COUNT, NULL},
        {"on_their_way", "now", TABLE_COUNT, NULL},
        {"queries", "questions to servers", TABLE_COUNT, NULL},
        {"found", "that led somewhere", TABLE_COUNT, NULL},
        {"absent", "that are not there", TABLE_COUNT, NULL},
        {"failures", "without an answer", TABLE_COUNT, NULL},
    };

    return show(ctl, &(struct view){.command = "/strowger/names",
                                    .items = items,
                                    .items_n = COUNT(items),
                                    .none = "no names are looked up"});
}

enum ctl_status ctl_show_numbers(struct ctl *ctl)
{
    static const struct table_column items[] = {
        {"prefixes", "prefixes", TABLE_COUNT, NULL},
        {"bytes", "memory", TABLE_BYTES, NULL},
    };

    return show(ctl, &(struct view){.command = "/strowger/numbers",
                                    .items = items,
                                    .items_n = COUNT(items),
                                    .none = "no table of numbers is configured: see [numbers] file"});
}
