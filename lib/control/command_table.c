#include "control/command_run.h"

static const struct {
    const char *names[2]; // the second NULL: of one word
    unsigned min, max;    // words behind them
    const char *usage;
    enum control_command_outcome (*run)(struct control_command *command, struct control_json *reply);
} commands[] = {
    {{"status"}, 0, 0, "status", control_command_status},
    {{"registrations"}, 0, 1, "registrations [AOR]", control_command_registrations},
    {{"subscriptions"}, 0, 1, "subscriptions [AOR]", control_command_subscriptions},
    {{"presentities"}, 0, 1, "presentities [AOR]", control_command_presentities},
    {{"connections"}, 0, 0, "connections", control_command_connections},
    {{"policy"}, 0, 1, "policy [routes]", control_command_policy},
    {{"binding", "add"}, 2, 3, "binding add AOR CONTACT [SECONDS]", control_command_binding_add},
    {{"binding", "del"}, 1, 2, "binding del AOR [CONTACT]", control_command_binding_del},
    {{"user", "add"}, 1, CONTROL_WORDS_MAX, "user add USER,DOMAIN,PASSWORD", control_command_user_add},
    {{"user", "del"}, 2, 2, "user del USER DOMAIN", control_command_user_del},
    {{"user", "list"}, 0, 1, "user list [DOMAIN]", control_command_user_list},
    {{"user", "import"}, 1, 1, "user import NAME (and the file with it)", control_command_user_import},
    {{"presence", "allow"}, 2, 2, "presence allow PRESENTITY WATCHER", control_command_presence_allow},
    {{"presence", "block"}, 2, 2, "presence block PRESENTITY WATCHER", control_command_presence_block},
    {{"presence", "polite"}, 2, 2, "presence polite PRESENTITY WATCHER", control_command_presence_polite},
    {{"presence", "confirm"}, 2, 2, "presence confirm PRESENTITY WATCHER", control_command_presence_confirm},
    {{"presence", "forget"}, 2, 2, "presence forget PRESENTITY WATCHER", control_command_presence_forget},
    {{"presence", "list"}, 0, 1, "presence list [PRESENTITY]", control_command_presence_list},
    {{"list", "add"}, 2, CONTROL_WORDS_MAX, "list add LIST MEMBER…", control_command_list_add},
    {{"list", "del"}, 1, CONTROL_WORDS_MAX, "list del LIST [MEMBER…]", control_command_list_del},
    {{"list", "show"}, 0, 1, "list show [LIST]", control_command_list_show},
    {{"list", "import"}, 1, 1, "list import NAME (and the file with it)", control_command_list_import},
    {{"reload"}, 0, 0, "reload", control_command_reload},
    {{"drain"}, 0, 2, "drain [deadline=SECONDS] [redirect=HOST[:PORT]]", control_command_drain},
    {{"undrain"}, 0, 0, "undrain", control_command_undrain},
    {{"log"}, 1, 1, "log LEVEL", control_command_log},
};

// How many of the words name this command; 0: they name another.
static unsigned named(const struct control_command *command, const char *const names[2])
{
    unsigned n = names[1] == NULL ? 1 : 2;

    if (command->words_n < n)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        if (!slice_equal(command->words[i], slice_text(names[i])))
            return 0;
    }
    return n;
}

static void refuse_unknown(const struct control_command *command, struct control_json *reply)
{
    char known[1024];
    size_t len = 0;

    known[0] = 0;
    for (unsigned i = 0; i < RTE_DIM(commands); i++)
        len +=
            (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i == 0 ? "" : ", ", commands[i].usage);
    control_command_refuse(reply, "no such request: \"%.*s\"; there are: %s", SLICE_PRINT(command->words[0]),
                           known);
}

bool control_command_find(struct control_command *command, struct control_json *reply)
{
    for (unsigned i = 0; i < RTE_DIM(commands); i++) {
        unsigned n = named(command, commands[i].names);
        if (n == 0)
            continue;
        command->words_n -= n;
        memmove(command->words, command->words + n, command->words_n * sizeof(*command->words));
        command->next = commands[i].run;
        if (command->words_n > 0) {
            const char *end = command->rest.at + command->rest.len;
            command->rest = slice_of(command->words[0].at, (size_t)(end - command->words[0].at));
        }
        if (command->words_n >= commands[i].min && command->words_n <= commands[i].max)
            return true;
        control_command_refuse(reply, "expected: %s", commands[i].usage);
        return false;
    }
    refuse_unknown(command, reply);
    return false;
}
