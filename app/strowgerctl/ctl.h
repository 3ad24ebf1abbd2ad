// ctl: one run of strowgerctl, and what its files share.
//
// A client of two sockets: control's own (control/command.h), for what changes something and for what only control
// knows, and DPDK's telemetry (control/telemetry.h), for counters. Single thread, ends with its answer.
#ifndef APP_CTL_H
#define APP_CTL_H

#include <jansson.h>
#include <stdbool.h>

#define CTL_SOCKET "/run/strowger.sock"

enum ctl_status { CTL_DONE = 0, CTL_FAILED = 1, CTL_WRONG = 2 };

struct ctl {
    // As the command line has them; NULL: not given.
    const char *socket, *prefix, *deadline, *redirect, *expires;
    bool json, help, password_stdin;
    char **words; // behind those that name the command
    int words_n;
    // The sockets, -1: not asked yet.
    int control, telemetry;
    json_t *hello; // control's
};

// commands.c
struct ctl_command {
    const char *names[2];           // the second NULL: of one word
    const char *synopsis, *summary; // a line each
    const char *text;               // what else is to be known, in lines
    unsigned options;               // CTL_OPTION_… that it takes
    int min, max;                   // words
    enum ctl_status (*run)(struct ctl *ctl);
};
#define CTL_OPTION_DEADLINE 1u
#define CTL_OPTION_REDIRECT 2u
#define CTL_OPTION_EXPIRES  4u
#define CTL_OPTION_PASSWORD 8u

extern const struct ctl_command ctl_commands[];
extern const unsigned ctl_commands_n;

// wire.c. Whatever fails was said on stderr, with what to do.
// One request to control. `each` gets every reply, which is "ok"; false ends it.
enum ctl_status ctl_ask(struct ctl *ctl, const char *request, bool (*each)(void *owner, const json_t *reply),
                        void *owner);
// The same with an open file that goes along, -1: none.
enum ctl_status ctl_ask_with(struct ctl *ctl, const char *request, int file,
                             bool (*each)(void *owner, const json_t *reply), void *owner);
// The same with the name of a file and the file: the server reads it, but it is opened here, by the right of whoever
// asks.
enum ctl_status ctl_ask_file(struct ctl *ctl, const char *command, const char *path,
                             bool (*each)(void *owner, const json_t *reply), void *owner);
// What telemetry answers to one command, JSON's null where it takes no such parameter. NULL: failed.
json_t *ctl_telemetry(struct ctl *ctl, const char *command);
void ctl_close(struct ctl *ctl);

__attribute__((format(printf, 1, 2))) enum ctl_status ctl_fail(const char *format, ...); // FAILED

// show.c
enum ctl_status ctl_show_status(struct ctl *ctl);
enum ctl_status ctl_show_registrations(struct ctl *ctl);
enum ctl_status ctl_show_connections(struct ctl *ctl);
enum ctl_status ctl_show_subscriptions(struct ctl *ctl);
enum ctl_status ctl_show_presentity(struct ctl *ctl);
enum ctl_status ctl_show_drops(struct ctl *ctl);
enum ctl_status ctl_show_policy(struct ctl *ctl);
// views.c: those that are a table of what one telemetry command says.
enum ctl_status ctl_show_ports(struct ctl *ctl);
enum ctl_status ctl_show_workers(struct ctl *ctl);
enum ctl_status ctl_show_gateways(struct ctl *ctl);
enum ctl_status ctl_show_transactions(struct ctl *ctl);
enum ctl_status ctl_show_calls(struct ctl *ctl);
enum ctl_status ctl_show_names(struct ctl *ctl);
enum ctl_status ctl_show_numbers(struct ctl *ctl);

// user.c
enum ctl_status ctl_user_add(struct ctl *ctl);
enum ctl_status ctl_user_del(struct ctl *ctl);
enum ctl_status ctl_user_list(struct ctl *ctl);
enum ctl_status ctl_user_import(struct ctl *ctl);

// presence.c
enum ctl_status ctl_presence_allow(struct ctl *ctl);
enum ctl_status ctl_presence_block(struct ctl *ctl);
enum ctl_status ctl_presence_polite(struct ctl *ctl);
enum ctl_status ctl_presence_confirm(struct ctl *ctl);
enum ctl_status ctl_presence_forget(struct ctl *ctl);
enum ctl_status ctl_presence_list(struct ctl *ctl);
enum ctl_status ctl_list_add(struct ctl *ctl);
enum ctl_status ctl_list_del(struct ctl *ctl);
enum ctl_status ctl_list_show(struct ctl *ctl);
enum ctl_status ctl_list_import(struct ctl *ctl);

// Prints a whole answer as JSON.
void ctl_print_json(const json_t *json);

#endif
