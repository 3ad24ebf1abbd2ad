// strowgerctl: finds the command, sees that it gets what it takes, and runs it.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "help.h"
#include "version.h"

enum { SOCKET = 256, PREFIX, JSON, VERSION, DEADLINE, REDIRECT, EXPIRES, PASSWORD };

static const struct option options[] = {
    {"socket", required_argument, NULL, SOCKET},
    {"prefix", required_argument, NULL, PREFIX},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, VERSION},
    {"deadline", required_argument, NULL, DEADLINE},
    {"redirect", required_argument, NULL, REDIRECT},
    {"expires", required_argument, NULL, EXPIRES},
    {"password-stdin", no_argument, NULL, PASSWORD},
    {0},
};

// The options that not every command takes.
static unsigned option_of(int c)
{
    switch (c) {
    case DEADLINE:
        return CTL_OPTION_DEADLINE;
    case REDIRECT:
        return CTL_OPTION_REDIRECT;
    case EXPIRES:
        return CTL_OPTION_EXPIRES;
    case PASSWORD:
        return CTL_OPTION_PASSWORD;
    default:
        return 0;
    }
}

// False: getopt has said what is wrong. --version is done with.
static bool read_options(int argc, char **argv, struct ctl *ctl, unsigned *given, bool *version)
{
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        *given |= option_of(c);
        switch (c) {
        case SOCKET:
            ctl->socket = optarg;
            break;
        case PREFIX:
            ctl->prefix = optarg;
            break;
        case JSON:
            ctl->json = true;
            break;
        case 'h':
            ctl->help = true;
            break;
        case VERSION:
            *version = true;
            break;
        case DEADLINE:
            ctl->deadline = optarg;
            break;
        case REDIRECT:
            ctl->redirect = optarg;
            break;
        case EXPIRES:
            ctl->expires = optarg;
            break;
        case PASSWORD:
            ctl->password_stdin = true;
            break;
        default:
            return false;
        }
    }
    return true;
}

static const struct ctl_command *find(char **words, int n)
{
    for (unsigned i = 0; i < ctl_commands_n; i++) {
        const struct ctl_command *command = &ctl_commands[i];
        if (n > 0 && strcmp(words[0], command->names[0]) == 0 &&
            (command->names[1] == NULL || (n > 1 && strcmp(words[1], command->names[1]) == 0)))
            return command;
    }
    return NULL;
}

static enum ctl_status wrong(const struct ctl_command *command, const char *what, const char *word)
{
    fprintf(stderr, "strowgerctl: %s%s%s%s\n\n", what, word != NULL ? ": \"" : "", word != NULL ? word : "",
            word != NULL ? "\"" : "");
    if (command != NULL)
        help_print_command(command, stderr);
    else
        help_print(stderr);
    return CTL_WRONG;
}

// A request is words between spaces, so no word has one.
static const char *unfit(const struct ctl *ctl)
{
    const char *const given[] = {ctl->deadline, ctl->redirect, ctl->expires};

    for (int i = 0; i < ctl->words_n; i++) {
        if (ctl->words[i][0] == 0 || strpbrk(ctl->words[i], " \t\r\n") != NULL)
            return ctl->words[i];
    }
    for (unsigned i = 0; i < sizeof(given) / sizeof(*given); i++) {
        if (given[i] != NULL && (given[i][0] == 0 || strpbrk(given[i], " \t\r\n") != NULL))
            return given[i];
    }
    return NULL;
}

// What was mistyped stays in sight: not all there is is said.
static enum ctl_status no_command(char **words, int n)
{
    if (n == 0)
        return wrong(NULL, "what is to be done?", NULL);
    fprintf(stderr, "strowgerctl: no such command: \"%s%s%s\"\n\n", words[0], n > 1 ? " " : "",
            n > 1 ? words[1] : "");
    if (help_print_alike(words[0], stderr) > 0)
        fputc('\n', stderr);
    fputs("strowgerctl --help says what there is.\n", stderr);
    return CTL_WRONG;
}

static enum ctl_status run(struct ctl *ctl, char **words, int n, unsigned given)
{
    const struct ctl_command *command = find(words, n);

    if (command == NULL && ctl->help) {
        if (n == 0 || help_print_alike(words[0], stdout) == 0)
            help_print(stdout);
        return CTL_DONE;
    }
    if (command == NULL)
        return no_command(words, n);
    if (ctl->help) {
        help_print_command(command, stdout);
        return CTL_DONE;
    }
    int names = command->names[1] == NULL ? 1 : 2;
    ctl->words = words + names;
    ctl->words_n = n - names;
    if (given & ~command->options)
        return wrong(command, "an option that this command does not take", NULL);
    if (ctl->words_n < command->min || ctl->words_n > command->max)
        return wrong(command, ctl->words_n < command->min ? "something is missing" : "that is too much",
                     NULL);
    const char *word = unfit(ctl);
    if (word != NULL)
        return wrong(command, "no argument has a space in it or is empty", word);
    return command->run(ctl);
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.control = -1, .telemetry = -1};
    unsigned given = 0;
    bool version = false;

    if (!read_options(argc, argv, &ctl, &given, &version)) {
        fputs("strowgerctl: try strowgerctl --help\n", stderr);
        return CTL_WRONG;
    }
    if (version) {
        printf("strowgerctl %s\n", STROWGER_VERSION);
        return CTL_DONE;
    }
    enum ctl_status status = run(&ctl, argv + optind, argc - optind, given);
    ctl_close(&ctl);
    return status;
}
