// command_run: one request of an operator while it is carried out.
//
// Internal to control's commands: command.c reads requests and sends replies, command_table.c knows the words, the
// others do what they ask for. Main lcore.
#ifndef CONTROL_COMMAND_RUN_H
#define CONTROL_COMMAND_RUN_H

#include "control/json.h"
#include "control/loop.h"
#include "control/roster.h"
#include "control/users.h"

#define CONTROL_REQUEST_MAX 4096 // bytes
#define CONTROL_WORDS_MAX   16
// One address of record fits whatever its bytes are, behind a page that is full enough to be sent.
#define CONTROL_REPLY_MAX  131072
#define CONTROL_REPLY_FULL 8192

enum control_command_outcome {
    CONTROL_COMMAND_DONE, // the reply is whole and the last
    CONTROL_COMMAND_MORE, // it is whole; `next` makes another
    CONTROL_COMMAND_WAIT, // there is none yet; `next` is asked again, or control_command_hear
};

struct control_command {
    struct control *control;
    unsigned words_n;
    struct slice words[CONTROL_WORDS_MAX]; // behind those that name the command
    struct slice rest;                     // the same as one, with the spaces between them
    int file;                              // that came with the request, or -1; closed with the command
    // Makes the next reply, into an object that is open and says "ok".
    enum control_command_outcome (*next)(struct control_command *command, struct control_json *reply);
    uint64_t until_ms; // it waits no longer
    uint64_t serial;   // what it waits for, of that kind; 0: nothing
    // Where a list goes on.
    unsigned shard;
    uint64_t position;
    char *text; // wiped and freed with the command
    size_t text_len;
    char *line;
    struct control_users users;
    struct control_users_import import;
    struct control_lists_import lists; // ended with the command
    char name[STORE_KEY_MAX];          // the last key of a list, or the file of an import
    unsigned name_len;
};

// command_table.c: finds what the words of a request name, sets `next`, and takes these words off. False: refused.
bool control_command_find(struct control_command *command, struct control_json *reply);

// Instead of whatever the reply says so far. Always DONE.
__attribute__((format(printf, 2, 3))) enum control_command_outcome
control_command_refuse(struct control_json *reply, const char *format, ...);

// command_server.c
enum control_command_outcome control_command_status(struct control_command *command,
                                                    struct control_json *reply);
enum control_command_outcome control_command_policy(struct control_command *command,
                                                    struct control_json *reply);
enum control_command_outcome control_command_reload(struct control_command *command,
                                                    struct control_json *reply);
enum control_command_outcome control_command_drain(struct control_command *command,
                                                   struct control_json *reply);
enum control_command_outcome control_command_undrain(struct control_command *command,
                                                     struct control_json *reply);
enum control_command_outcome control_command_log(struct control_command *command, struct control_json *reply);

// command_presence.c
enum control_command_outcome control_command_subscriptions(struct control_command *command,
                                                           struct control_json *reply);
enum control_command_outcome control_command_presentities(struct control_command *command,
                                                          struct control_json *reply);

// command_streams.c
enum control_command_outcome control_command_connections(struct control_command *command,
                                                         struct control_json *reply);

// command_users.c
enum control_command_outcome control_command_user_add(struct control_command *command,
                                                      struct control_json *reply);
enum control_command_outcome control_command_user_del(struct control_command *command,
                                                      struct control_json *reply);
enum control_command_outcome control_command_user_list(struct control_command *command,
                                                       struct control_json *reply);
enum control_command_outcome control_command_user_import(struct control_command *command,
                                                         struct control_json *reply);

// command_import.c: a file of at most `max` bytes, which the client opened, so that it is read by his right and not by
// ours. It becomes `text`, and `begin` looks whether all of it is good; else it says on `errors` what is wrong. False:
// refused.
bool control_command_import_begin(struct control_command *command, struct control_json *reply, size_t max,
                                  bool (*begin)(struct control_command *command, FILE *errors));
// As much of it as fits into a turn of the loop: `step` returns whether there is more, and says in the reply how much is
// done by now; less than 0: on `errors`, what is wrong and how much was done before.
enum control_command_outcome control_command_import_some(
    struct control_command *command, struct control_json *reply,
    int (*step)(struct control_command *command, struct control_json *reply, FILE *errors));

// command_roster.c
enum control_command_outcome control_command_presence_allow(struct control_command *command,
                                                            struct control_json *reply);
enum control_command_outcome control_command_presence_block(struct control_command *command,
                                                            struct control_json *reply);
enum control_command_outcome control_command_presence_polite(struct control_command *command,
                                                             struct control_json *reply);
enum control_command_outcome control_command_presence_confirm(struct control_command *command,
                                                              struct control_json *reply);
enum control_command_outcome control_command_presence_forget(struct control_command *command,
                                                             struct control_json *reply);
enum control_command_outcome control_command_presence_list(struct control_command *command,
                                                           struct control_json *reply);
enum control_command_outcome control_command_list_add(struct control_command *command,
                                                      struct control_json *reply);
enum control_command_outcome control_command_list_del(struct control_command *command,
                                                      struct control_json *reply);
enum control_command_outcome control_command_list_show(struct control_command *command,
                                                       struct control_json *reply);
enum control_command_outcome control_command_list_import(struct control_command *command,
                                                         struct control_json *reply);

// command_location.c
enum control_command_outcome control_command_registrations(struct control_command *command,
                                                           struct control_json *reply);
enum control_command_outcome control_command_binding_add(struct control_command *command,
                                                         struct control_json *reply);
enum control_command_outcome control_command_binding_del(struct control_command *command,
                                                         struct control_json *reply);
// The serial of the command that a worker's answer is for, 0: none; and what it says.
uint64_t control_command_answered(struct rte_mbuf *mbuf);
void control_command_hear(struct rte_mbuf *mbuf, struct control_json *reply);

#endif
