// Subscribers (control/users.h).
#include <stdio.h>

#include "control/command_run.h"
#include "user/password.h"
#include "user/record.h"

#define IMPORT_MAX (64 << 20) // bytes of a file

static struct control_users users_of(const struct control *control)
{
    return (struct control_users){
        .table = control->setup.users, .commit = control->setup.commit, .conf = control->setup.conf};
}

static bool have_users(const struct control *control, struct control_json *reply)
{
    if (control->setup.users != NULL || control->setup.commit != NULL)
        return true;
    control_command_refuse(reply, "nobody would ask for users: there is neither an [auth] nor [store] path");
    return false;
}

// The line is in the client's own memory, and wiped there.
enum control_command_outcome control_command_user_add(struct control_command *command,
                                                      struct control_json *reply)
{
    struct control_users users = users_of(command->control);

    if (!have_users(command->control, reply))
        return CONTROL_COMMAND_DONE;
    const char *wrong = control_users_put(&users, (char *)(uintptr_t)command->rest.at, command->rest.len);
    return wrong == NULL ? CONTROL_COMMAND_DONE : control_command_refuse(reply, "%s", wrong);
}

enum control_command_outcome control_command_user_del(struct control_command *command,
                                                      struct control_json *reply)
{
    struct control_users users = users_of(command->control);

    if (!have_users(command->control, reply))
        return CONTROL_COMMAND_DONE;
    const char *wrong = control_users_remove(&users, command->words[0], command->words[1]);
    return wrong == NULL ? CONTROL_COMMAND_DONE : control_command_refuse(reply, "%s", wrong);
}

struct listing {
    struct control_command *command;
    struct control_json *reply;
    struct slice realm; // empty: all
    bool more;
};

static void put_algorithms(struct control_json *reply, uint8_t has)
{
    static const char *const names[CONF_DIGESTS] = {[CONF_DIGEST_SHA256] = "SHA-256",
                                                    [CONF_DIGEST_SHA512_256] = "SHA-512-256",
                                                    [CONF_DIGEST_MD5] = "MD5"};

    control_json_open(reply, "algorithms", '[');
    for (unsigned i = 0; i < CONF_DIGESTS; i++) {
        if (has & 1u << i)
            control_json_text(reply, NULL, slice_text(names[i]));
    }
    control_json_close(reply, ']');
}

#define LOOKS_A_PAGE 4096 // users of other domains that are passed over before the loop goes on

static bool put_user(void *owner, struct slice key, struct slice value)
{
    struct listing *listing = owner;
    struct control_command *command = listing->command;
    struct slice name, realm;
    struct user user;

    if (control_json_slice(listing->reply).len >= CONTROL_REPLY_FULL || command->position++ == LOOKS_A_PAGE) {
        listing->more = true;
        return false;
    }
    memcpy(command->name, key.at, key.len);
    command->name_len = key.len;
    if (!user_record_key_read(key, &name, &realm) || !user_record_read(value, &user) ||
        (listing->realm.len > 0 && !slice_equal(listing->realm, realm)))
        return true;
    control_json_open(listing->reply, NULL, '{');
    control_json_text(listing->reply, "user", name);
    control_json_text(listing->reply, "realm", realm);
    put_algorithms(listing->reply, user.has);
    control_json_close(listing->reply, '}');
    user_password_wipe((char *)&user, sizeof(user));
    return true;
}

enum control_command_outcome control_command_user_list(struct control_command *command,
                                                       struct control_json *reply)
{
    const struct control *control = command->control;
    struct listing listing = {.command = command, .reply = reply};

    if (control->setup.commit == NULL)
        return control_command_refuse(
            reply, "users cannot be listed without [store] path: only their hashes are known");
    if (command->words_n > 0) {
        listing.realm = control_users_realm(control->setup.conf, command->words[0]);
        if (listing.realm.len == 0)
            listing.realm = command->words[0];
    }
    command->position = 0;
    control_json_open(reply, "rows", '[');
    int error = store_each_after(control_commit_setup(control->setup.commit)->store, STORE_USERS,
                                 slice_of(command->name, command->name_len), put_user, &listing);
    control_json_close(reply, ']');
    if (error != 0)
        return control_command_refuse(reply, "the store cannot be read: %s", strerror(-error));
    return listing.more ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}

static int step_import(struct control_command *command, struct control_json *reply, FILE *errors)
{
    command->users.conf = command->control->setup.conf; // a reload may have come between
    int more = control_users_import_step(&command->import, errors);

    control_json_number(reply, "done", command->import.done);
    if (more < 0)
        fprintf(errors, "the %u users before are there", command->import.done);
    return more;
}

static enum control_command_outcome import_some(struct control_command *command, struct control_json *reply)
{
    return control_command_import_some(command, reply, step_import);
}

static bool begin_import(struct control_command *command, FILE *errors)
{
    command->users = users_of(command->control);
    return control_users_import_begin(&command->import, &command->users, command->text, command->text_len,
                                      command->name, errors);
}

enum control_command_outcome control_command_user_import(struct control_command *command,
                                                         struct control_json *reply)
{
    if (!have_users(command->control, reply) ||
        !control_command_import_begin(command, reply, IMPORT_MAX, begin_import))
        return CONTROL_COMMAND_DONE;
    command->next = import_some;
    return import_some(command, reply);
}
