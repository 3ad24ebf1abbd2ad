// Subscribers: what needs a password or a file of its own.
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "listing.h"

#define REQUEST_MAX  4096
#define PASSWORD_MAX 1024

// The first line of a stream, without its end. False: there is none, or it is too long.
static bool read_line(FILE *in, char line[PASSWORD_MAX])
{
    if (fgets(line, PASSWORD_MAX, in) == NULL)
        return false;
    size_t len = strcspn(line, "\r\n");
    bool whole = line[len] != 0 || feof(in);
    line[len] = 0;
    return whole && len > 0;
}

static bool ask_once(FILE *terminal, const char *prompt, char line[PASSWORD_MAX])
{
    fputs(prompt, terminal);
    fflush(terminal);
    bool good = read_line(terminal, line);
    fputc('\n', terminal);
    return good;
}

// Twice and without an echo.
static bool ask_terminal(char password[PASSWORD_MAX])
{
    FILE *terminal = fopen("/dev/tty", "r+");
    char again[PASSWORD_MAX];
    struct termios before, silent;

    if (terminal == NULL || tcgetattr(fileno(terminal), &before) != 0) {
        if (terminal != NULL)
            fclose(terminal);
        ctl_fail("no terminal to ask for the password: give it on stdin with --password-stdin");
        return false;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
    bool good = ask_once(terminal, "Password: ", password) && ask_once(terminal, "Again: ", again);
    tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    fclose(terminal);
    if (!good)
        ctl_fail("no password was given");
    else if (!(good = strcmp(password, again) == 0))
        ctl_fail("these are two passwords");
    explicit_bzero(again, sizeof(again));
    return good;
}

static bool read_password(const struct ctl *ctl, char password[PASSWORD_MAX])
{
    if (!ctl->password_stdin)
        return ask_terminal(password);
    if (read_line(stdin, password))
        return true;
    ctl_fail("no password on stdin, or one of more than %d bytes", PASSWORD_MAX - 2);
    return false;
}

static bool print_json(void *owner, const json_t *reply)
{
    const struct ctl *ctl = owner;

    if (ctl->json)
        ctl_print_json(reply);
    return true;
}

enum ctl_status ctl_user_add(struct ctl *ctl)
{
    char request[REQUEST_MAX], password[PASSWORD_MAX];
    enum ctl_status status = CTL_FAILED;

    if (strchr(ctl->words[0], ',') != NULL || strchr(ctl->words[1], ',') != NULL)
        return ctl_fail("neither a user nor a domain has a comma in it");
    if (read_password(ctl, password)) {
        int len =
            snprintf(request, sizeof(request), "user add %s,%s,%s", ctl->words[0], ctl->words[1], password);
        status = len < REQUEST_MAX ? ctl_ask(ctl, request, print_json, ctl) : ctl_fail("that is too long");
    }
    explicit_bzero(request, sizeof(request));
    explicit_bzero(password, sizeof(password));
    if (status == CTL_DONE && !ctl->json)
        puts("done");
    return status;
}

enum ctl_status ctl_user_del(struct ctl *ctl)
{
    char request[REQUEST_MAX];

    snprintf(request, sizeof(request), "user del %s %s", ctl->words[0], ctl->words[1]);
    enum ctl_status status = ctl_ask(ctl, request, print_json, ctl);
    if (status == CTL_DONE && !ctl->json)
        puts("done");
    return status;
}

#define USER_COLUMNS "%-30s %-30s"

static void print_user(const json_t *row)
{
    const json_t *algorithms = json_object_get(row, "algorithms"), *name;
    size_t i;

    printf(USER_COLUMNS, json_string_value(json_object_get(row, "user")),
           json_string_value(json_object_get(row, "realm")));
    json_array_foreach(algorithms, i, name) printf("%s %s", i > 0 ? "," : "", json_string_value(name));
    putchar('\n');
}

enum ctl_status ctl_user_list(struct ctl *ctl)
{
    char heading[80];
    struct listing listing = {.json = ctl->json, .heading = heading, .print = print_user};
    char request[REQUEST_MAX];

    snprintf(request, sizeof(request), "user list %s", ctl->words_n > 0 ? ctl->words[0] : "");
    snprintf(heading, sizeof(heading), USER_COLUMNS " %s", "user", "realm", "algorithms");
    enum ctl_status status = ctl_ask(ctl, request, listing_show, &listing);
    if (status == CTL_DONE)
        listing_end(&listing, "no users");
    return status;
}

static bool note_done(void *owner, const json_t *reply)
{
    *(json_int_t *)owner = json_integer_value(json_object_get(reply, "done"));
    return true;
}

enum ctl_status ctl_user_import(struct ctl *ctl)
{
    json_int_t done = 0;
    enum ctl_status status = ctl_ask_file(ctl, "user import", ctl->words[0], note_done, &done);

    if (status == CTL_DONE)
        printf(ctl->json ? "{\"done\": %lld}\n" : "%lld users\n", (long long)done);
    return status;
}
