// Who may watch whom, and lists (control/roster.h).
#include <stdio.h>

#include "control/aor.h"
#include "control/command_run.h"
#include "control/parts.h"
#include "role/policy.h"
#include "roster/record.h"

#define IMPORT_MAX (16 << 20) // bytes of a file

static const char *const decisions[ROSTER_DECISIONS] = {[ROSTER_BLOCK] = "block",
                                                        [ROSTER_CONFIRM] = "confirm",
                                                        [ROSTER_POLITE] = "polite",
                                                        [ROSTER_ALLOW] = "allow"};

static const struct role_policy *policy_of(const struct control *control)
{
    return control->setup.policy != NULL ? *control->setup.policy : NULL;
}

// False: refused.
static bool roster_of(struct control *control, struct control_roster *roster, struct control_json *reply)
{
    const struct role_policy *policy = policy_of(control);

    if (control->setup.roster == NULL || policy == NULL) {
        control_command_refuse(reply, "this server does not serve presence: see [presence] serve");
        return false;
    }
    *roster = (struct control_roster){.roster = control->setup.roster,
                                      .commit = control->setup.commit,
                                      .conf = control->setup.conf,
                                      .route = policy->route,
                                      .changed = control_touch,
                                      .owner = control};
    return true;
}

static enum control_command_outcome finish(struct control_fault fault, struct control_json *reply)
{
    if (fault.what == NULL)
        return CONTROL_COMMAND_DONE;
    if (fault.word.len == 0)
        return control_command_refuse(reply, "%s", fault.what);
    return control_command_refuse(reply, "\"%.*s\" %s", SLICE_PRINT(fault.word), fault.what);
}

static enum control_command_outcome put_rule(struct control_command *command, enum roster_decision decision,
                                             struct control_json *reply)
{
    struct control_roster roster;

    if (!roster_of(command->control, &roster, reply))
        return CONTROL_COMMAND_DONE;
    return finish(control_roster_rule_put(&roster, command->words[0], command->words[1], decision), reply);
}

enum control_command_outcome control_command_presence_allow(struct control_command *command,
                                                            struct control_json *reply)
{
    return put_rule(command, ROSTER_ALLOW, reply);
}

enum control_command_outcome control_command_presence_block(struct control_command *command,
                                                            struct control_json *reply)
{
    return put_rule(command, ROSTER_BLOCK, reply);
}

enum control_command_outcome control_command_presence_polite(struct control_command *command,
                                                             struct control_json *reply)
{
    return put_rule(command, ROSTER_POLITE, reply);
}

enum control_command_outcome control_command_presence_confirm(struct control_command *command,
                                                              struct control_json *reply)
{
    return put_rule(command, ROSTER_CONFIRM, reply);
}

enum control_command_outcome control_command_presence_forget(struct control_command *command,
                                                             struct control_json *reply)
{
    struct control_roster roster;

    if (!roster_of(command->control, &roster, reply))
        return CONTROL_COMMAND_DONE;
    return finish(control_roster_rule_remove(&roster, command->words[0], command->words[1]), reply);
}

struct listing {
    struct control_command *command;
    struct control_json *reply;
    struct slice prefix; // of the keys of one user; empty: all
    bool more;
};

static bool put_row(void *owner, struct slice key, struct slice value)
{
    struct listing *listing = owner;
    struct control_command *command = listing->command;
    struct slice presentity, watcher;
    enum roster_decision decision;

    if (!slice_starts(key, listing->prefix))
        return false;
    if (control_json_slice(listing->reply).len >= CONTROL_REPLY_FULL) {
        listing->more = true;
        return false;
    }
    memcpy(command->name, key.at, key.len);
    command->name_len = key.len;
    if (!roster_record_key_read(key, &presentity, &watcher) || !roster_record_rule_read(value, &decision))
        return true;
    control_json_open(listing->reply, NULL, '{');
    control_json_text(listing->reply, "presentity", presentity);
    control_json_text(listing->reply, "watcher", watcher);
    control_json_text(listing->reply, "rule", slice_text(decisions[decision]));
    control_json_close(listing->reply, '}');
    return true;
}

// The rules of one user lie together in the store, which alone has their texts.
enum control_command_outcome control_command_presence_list(struct control_command *command,
                                                           struct control_json *reply)
{
    struct listing listing = {.command = command, .reply = reply};
    struct control_roster roster;
    struct control_aor aor;
    char prefix[ROSTER_KEY_MAX];

    if (!roster_of(command->control, &roster, reply))
        return CONTROL_COMMAND_DONE;
    if (roster.commit == NULL)
        return control_command_refuse(
            reply, "rules cannot be listed without [store] path: only their hashes are known");
    if (command->words_n > 0) {
        const char *what = control_aor_read_own(roster.route, command->words[0], &aor);
        if (what != NULL)
            return finish((struct control_fault){command->words[0], what}, reply);
        listing.prefix =
            slice_of(prefix, roster_record_key_write(control_aor_slice(&aor), SLICE(""), prefix));
    }
    struct slice after = command->name_len > 0 ? slice_of(command->name, command->name_len) : listing.prefix;
    control_json_open(reply, "rows", '[');
    int error =
        store_each_after(control_commit_setup(roster.commit)->store, STORE_RULES, after, put_row, &listing);
    control_json_close(reply, ']');
    if (error != 0)
        return control_command_refuse(reply, "the store cannot be read: %s", strerror(-error));
    return listing.more ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}

enum control_command_outcome control_command_list_add(struct control_command *command,
                                                      struct control_json *reply)
{
    struct control_roster roster;

    if (!roster_of(command->control, &roster, reply))
        return CONTROL_COMMAND_DONE;
    return finish(
        control_roster_list_add(&roster, command->words[0], command->words + 1, command->words_n - 1), reply);
}

enum control_command_outcome control_command_list_del(struct control_command *command,
                                                      struct control_json *reply)
{
    struct control_roster roster;

    if (!roster_of(command->control, &roster, reply))
        return CONTROL_COMMAND_DONE;
    return finish(
        control_roster_list_remove(&roster, command->words[0], command->words + 1, command->words_n - 1),
        reply);
}

// `position` counts those that were shown: where the list has become another, it goes on at that place of the new one.
static bool put_members(struct control_command *command, const struct roster *roster,
                        const struct roster_list *list, struct control_json *reply)
{
    struct roster_member member;
    uint64_t position = 0, skip = command->position;

    while (roster_list_next(roster, list, &position, &member)) {
        if (skip > 0) {
            skip--;
            continue;
        }
        if (control_json_slice(reply).len >= CONTROL_REPLY_FULL)
            return true;
        control_json_open(reply, NULL, '{');
        control_json_text(reply, "member", member.uri);
        control_json_text(reply, "name", member.name);
        control_json_close(reply, '}');
        command->position++;
    }
    return false;
}

static bool put_lists(struct control_command *command, const struct roster *roster,
                      struct control_json *reply)
{
    const struct roster_list *list = NULL;

    while (control_json_slice(reply).len < CONTROL_REPLY_FULL &&
           (list = roster_list_walk(roster, &command->position)) != NULL) {
        control_json_open(reply, NULL, '{');
        control_json_text(reply, "list", roster_list_aor(roster, list));
        control_json_number(reply, "members", roster_list_members(list));
        control_json_close(reply, '}');
    }
    return list != NULL;
}

enum control_command_outcome control_command_list_show(struct control_command *command,
                                                       struct control_json *reply)
{
    const struct roster_list *list = NULL;
    struct control_roster roster;
    struct control_aor aor;
    bool more;

    if (!roster_of(command->control, &roster, reply))
        return CONTROL_COMMAND_DONE;
    if (command->words_n > 0) {
        const char *what = control_aor_read_own(roster.route, command->words[0], &aor);
        list = what == NULL ? roster_list(roster.roster, control_aor_slice(&aor)) : NULL;
        if (list == NULL)
            return finish((struct control_fault){command->words[0], what != NULL ? what : "is no list"},
                          reply);
    }
    control_json_open(reply, "rows", '[');
    more = list != NULL ? put_members(command, roster.roster, list, reply)
                        : put_lists(command, roster.roster, reply);
    control_json_close(reply, ']');
    return more ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}

static int step_import(struct control_command *command, struct control_json *reply, FILE *errors)
{
    struct control_lists_import *import = &command->lists;
    int more = control_lists_import_step(import, errors);

    control_json_number(reply, "lists", import->lists);
    control_json_number(reply, "members", import->done);
    control_json_number(reply, "untold", import->untold);
    if (more < 0)
        fprintf(errors, "the %u lists before are there", import->lists);
    return more;
}

static enum control_command_outcome import_some(struct control_command *command, struct control_json *reply)
{
    if (!roster_of(command->control, &command->lists.roster, reply)) // a reload may have come between
        return CONTROL_COMMAND_DONE;
    return control_command_import_some(command, reply, step_import);
}

static bool begin_import(struct control_command *command, FILE *errors)
{
    struct control_roster roster = command->lists.roster;

    return control_lists_import_begin(&command->lists, &roster, slice_of(command->text, command->text_len),
                                      command->name, errors);
}

enum control_command_outcome control_command_list_import(struct control_command *command,
                                                         struct control_json *reply)
{
    if (!roster_of(command->control, &command->lists.roster, reply) ||
        !control_command_import_begin(command, reply, IMPORT_MAX, begin_import))
        return CONTROL_COMMAND_DONE;
    command->next = import_some;
    return import_some(command, reply);
}
