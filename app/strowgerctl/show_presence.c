// Who is watched, and who watches.
#include <stdio.h>

#include "ctl.h"
#include "listing.h"
#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SUBSCRIPTION_COLUMNS "%-30s %-16s %-30s %-10s %12s  %s"

static void print_subscription(const json_t *row)
{
    static const struct table_column columns[] = {
        {"presentity", "", TABLE_TEXT, NULL},   {"package", "", TABLE_TEXT, NULL},
        {"watcher", "", TABLE_TEXT, NULL},      {"state", "", TABLE_TEXT, NULL},
        {"expires_s", "", TABLE_SECONDS, NULL}, {"next_hop", "", TABLE_TEXT, NULL},
    };
    char text[COUNT(columns)][TABLE_CELL_MAX];

    for (unsigned i = 0; i < COUNT(columns); i++)
        table_cell(&columns[i], row, text[i]);
    printf(SUBSCRIPTION_COLUMNS "\n", text[0], text[1], text[2], text[3], text[4], text[5]);
}

enum ctl_status ctl_show_subscriptions(struct ctl *ctl)
{
    char heading[160];
    struct listing listing = {.json = ctl->json, .heading = heading, .print = print_subscription};
    char request[4096];

    snprintf(request, sizeof(request), "subscriptions %s", ctl->words_n > 0 ? ctl->words[0] : "");
    snprintf(heading, sizeof(heading), SUBSCRIPTION_COLUMNS, "watched", "package", "watcher", "state",
             "expires in", "next hop");
    enum ctl_status status = ctl_ask(ctl, request, listing_show, &listing);
    if (status == CTL_DONE)
        listing_end(&listing, ctl->words_n > 0 ? "nobody watches this user" : "nobody watches anybody");
    return status;
}

#define PRESENTITY_COLUMNS "%-30s %-16s %12s %13s %10s"

static void print_document(const char *document)
{
    unsigned control;

    for (; *document != 0; document += control > 0 ? control : 1) {
        control = *document == '\n' ? 0 : table_control(document);
        putchar(control > 0 ? '?' : *document);
    }
    putchar('\n');
}

// The document behind its row, where one user was asked for.
static void print_presentity(const json_t *row)
{
    static const struct table_column columns[] = {
        {"presentity", "", TABLE_TEXT, NULL},    {"package", "", TABLE_TEXT, NULL},
        {"publications", "", TABLE_COUNT, NULL}, {"subscriptions", "", TABLE_COUNT, NULL},
        {"version", "", TABLE_NUMBER, NULL},
    };
    const char *document = json_string_value(json_object_get(row, "document"));
    char text[COUNT(columns)][TABLE_CELL_MAX];

    for (unsigned i = 0; i < COUNT(columns); i++)
        table_cell(&columns[i], row, text[i]);
    printf(PRESENTITY_COLUMNS "\n", text[0], text[1], text[2], text[3], text[4]);
    if (document != NULL && document[0] != 0)
        print_document(document);
}

enum ctl_status ctl_show_presentity(struct ctl *ctl)
{
    char heading[160];
    struct listing listing = {.json = ctl->json, .heading = heading, .print = print_presentity};
    char request[4096];

    snprintf(request, sizeof(request), "presentities %s", ctl->words_n > 0 ? ctl->words[0] : "");
    snprintf(heading, sizeof(heading), PRESENTITY_COLUMNS, "user", "package", "publications", "subscriptions",
             "version");
    enum ctl_status status = ctl_ask(ctl, request, listing_show, &listing);
    if (status == CTL_DONE)
        listing_end(&listing, ctl->words_n > 0 ? "this user is neither watched nor published"
                                               : "nobody is watched or published");
    return status;
}
