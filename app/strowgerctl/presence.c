// Who may watch whom, and lists of users that are watched as one.
#include <stdio.h>
#include <string.h>

#include "listing.h"
#include "table.h"

#define REQUEST_MAX 4096

static bool print_json(void *owner, const json_t *reply)
{
    const struct ctl *ctl = owner;

    if (ctl->json)
        ctl_print_json(reply);
    return true;
}

// "COMMAND WORD…", whose answer is that it was done.
static enum ctl_status tell(struct ctl *ctl, const char *command)
{
    char request[REQUEST_MAX];
    size_t len = strlen(command);

    memcpy(request, command, len + 1);
    for (int i = 0; i < ctl->words_n; i++) {
        size_t more = strlen(ctl->words[i]);
        if (len + 1 + more >= sizeof(request))
            return ctl_fail("that is too long for one request");
        request[len++] = ' ';
        memcpy(request + len, ctl->words[i], more + 1);
        len += more;
    }
    enum ctl_status status = ctl_ask(ctl, request, print_json, ctl);
    if (status == CTL_DONE && !ctl->json)
        puts("done");
    return status;
}

enum ctl_status ctl_presence_allow(struct ctl *ctl)
{
    return tell(ctl, "presence allow");
}

enum ctl_status ctl_presence_block(struct ctl *ctl)
{
    return tell(ctl, "presence block");
}

enum ctl_status ctl_presence_polite(struct ctl *ctl)
{
    return tell(ctl, "presence polite");
}

enum ctl_status ctl_presence_confirm(struct ctl *ctl)
{
    return tell(ctl, "presence confirm");
}

enum ctl_status ctl_presence_forget(struct ctl *ctl)
{
    return tell(ctl, "presence forget");
}

// Columns that are as wide as they are, since rows come in pages.
static void print_cells(const json_t *row, const char *first, const char *second, const char *third)
{
    const char *const keys[] = {first, second, third};
    char text[TABLE_CELL_MAX];

    for (unsigned i = 0; i < 3 && keys[i] != NULL; i++) {
        bool last = i == 2 || keys[i + 1] == NULL;
        const struct table_column column = {keys[i], "",
                                            strcmp(keys[i], "members") == 0 ? TABLE_COUNT : TABLE_TEXT, NULL};
        printf(last ? "%s\n" : "%-36s ", table_cell(&column, row, text));
    }
}

static enum ctl_status list(struct ctl *ctl, const char *command, struct listing *listing, const char *none)
{
    char request[REQUEST_MAX];

    listing->json = ctl->json;
    snprintf(request, sizeof(request), "%s %s", command, ctl->words_n > 0 ? ctl->words[0] : "");
    enum ctl_status status = ctl_ask(ctl, request, listing_show, listing);
    if (status == CTL_DONE)
        listing_end(listing, none);
    return status;
}

static void print_rule(const json_t *row)
{
    print_cells(row, "presentity", "watcher", "rule");
}

enum ctl_status ctl_presence_list(struct ctl *ctl)
{
    char heading[128];
    struct listing listing = {.heading = heading, .print = print_rule};

    snprintf(heading, sizeof(heading), "%-36s %-36s %s", "presentity", "watcher", "rule");
    return list(ctl, "presence list", &listing, "no rules: [presence] policy decides");
}

enum ctl_status ctl_list_add(struct ctl *ctl)
{
    return tell(ctl, "list add");
}

enum ctl_status ctl_list_del(struct ctl *ctl)
{
    return tell(ctl, "list del");
}

static void print_list(const json_t *row)
{
    print_cells(row, "list", "members", NULL);
}

static void print_member(const json_t *row)
{
    print_cells(row, "member", "name", NULL);
}

enum ctl_status ctl_list_show(struct ctl *ctl)
{
    bool one = ctl->words_n > 0;
    char heading[128];
    struct listing listing = {.heading = heading, .print = one ? print_member : print_list};

    snprintf(heading, sizeof(heading), "%-36s %s", one ? "member" : "list", one ? "name" : "members");
    return list(ctl, "list show", &listing, "no lists");
}

static bool note_done(void *owner, const json_t *reply)
{
    json_t **last = owner;

    json_decref(*last);
    *last = json_deep_copy(reply);
    return true;
}

enum ctl_status ctl_list_import(struct ctl *ctl)
{
    json_t *last = NULL;
    enum ctl_status status = ctl_ask_file(ctl, "list import", ctl->words[0], note_done, &last);

    if (status == CTL_DONE) {
        long long lists = json_integer_value(json_object_get(last, "lists"));
        long long members = json_integer_value(json_object_get(last, "members"));
        long long untold = json_integer_value(json_object_get(last, "untold"));
        if (ctl->json)
            printf("{\"lists\": %lld, \"members\": %lld, \"untold\": %lld}\n", lists, members, untold);
        else
            printf("%lld lists with %lld members\n", lists, members);
        if (untold > 0)
            fprintf(stderr,
                    "strowgerctl: who watches %lld of them already hears of it when he subscribes again\n",
                    untold);
    }
    json_decref(last);
    return status;
}
