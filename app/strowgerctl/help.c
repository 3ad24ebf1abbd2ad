#include "help.h"

#include <string.h>

#include "version.h"

static void print_indented(const char *text, FILE *out)
{
    while (*text != 0) {
        size_t len = strcspn(text, "\n");
        fprintf(out, "       %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void print_options(FILE *out)
{
    fputs(
        "OPTIONS\n"
        "       --json             print what programs read, and all of it\n"
        "       --socket PATH      the server's [control] socket; " CTL_SOCKET " where it is not given\n"
        "       --prefix PREFIX    counters of the server that was started with EAL's --file-prefix PREFIX\n"
        "       --version          print the version\n"
        "   -h, --help             print this; behind a command, what it does\n\n",
        out);
}

static void print_statuses(FILE *out)
{
    fputs("EXIT STATUS\n"
          "       0 done, 1 the server refused it or is not there, 2 no such command or option\n",
          out);
}

static void print_synopsis(const struct ctl_command *command, FILE *out)
{
    fprintf(out, "       %s\n           %s\n", command->synopsis, command->summary);
}

unsigned help_print_alike(const char *word, FILE *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ctl_commands_n; i++) {
        if (strcmp(ctl_commands[i].names[0], word) != 0)
            continue;
        print_synopsis(&ctl_commands[i], out);
        n++;
    }
    return n;
}

void help_print(FILE *out)
{
    fputs("NAME\n"
          "       strowgerctl - ask a running strowger, and tell it what to do\n\n"
          "SYNOPSIS\n"
          "       strowgerctl [OPTIONS] COMMAND [ARGUMENTS]\n"
          "       strowgerctl COMMAND --help\n\n"
          "COMMANDS\n",
          out);
    for (unsigned i = 0; i < ctl_commands_n; i++)
        print_synopsis(&ctl_commands[i], out);
    fputc('\n', out);
    print_options(out);
    fputs("FILES\n"
          "       " CTL_SOCKET "                         control, for root and [control] group\n"
          "       /var/run/dpdk/PREFIX/dpdk_telemetry.v2     counters, for the server's own user and root\n\n"
          "EXAMPLES\n"
          "       strowgerctl show drops\n"
          "       strowgerctl show registrations bob@example.com --json\n"
          "       strowgerctl binding add desk@example.com sip:desk@192.0.2.9 --expires 86400\n"
          "       strowgerctl drain --deadline 600 --redirect sip2.example.com\n\n",
          out);
    print_statuses(out);
    fprintf(out, "\nstrowger %s\n", STROWGER_VERSION);
}

void help_print_command(const struct ctl_command *command, FILE *out)
{
    const char *second = command->names[1];

    fprintf(out, "NAME\n       strowgerctl %s%s%s - %s\n\n", command->names[0], second != NULL ? " " : "",
            second != NULL ? second : "", command->summary);
    fprintf(out, "SYNOPSIS\n       strowgerctl [OPTIONS] %s\n\n", command->synopsis);
    if (command->text != NULL) {
        fputs("DESCRIPTION\n", out);
        print_indented(command->text, out);
        fputc('\n', out);
    }
    print_options(out);
    print_statuses(out);
}
