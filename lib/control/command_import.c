// Imports: a file is read and looked at whole, so that one with a fault changes nothing, and then put in bit by bit.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/command_run.h"

// The whole file, as `text`. False: refused.
static bool read_file(struct control_command *command, size_t max, struct control_json *reply)
{
    struct stat file;

    if (command->file < 0 || fstat(command->file, &file) != 0 || !S_ISREG(file.st_mode) ||
        (size_t)file.st_size > max) {
        control_command_refuse(reply, "expected an open file of at most %zu MiB with it", max >> 20);
        return false;
    }
    command->text = malloc((size_t)file.st_size + 1);
    ssize_t n = command->text == NULL ? -1 : pread(command->file, command->text, (size_t)file.st_size, 0);
    if (n < 0) {
        control_command_refuse(reply, "%.*s: %s", SLICE_PRINT(command->words[0]), strerror(errno));
        return false;
    }
    command->text_len = (size_t)n;
    return true;
}

bool control_command_import_begin(struct control_command *command, struct control_json *reply, size_t max,
                                  bool (*begin)(struct control_command *command, FILE *errors))
{
    char *said = NULL;
    size_t said_len;

    if (!read_file(command, max, reply))
        return false;
    FILE *errors = open_memstream(&said, &said_len);
    if (errors == NULL) {
        control_command_refuse(reply, "no memory");
        return false;
    }
    snprintf(command->name, sizeof(command->name), "%.*s", SLICE_PRINT(command->words[0]));
    bool good = begin(command, errors);
    fclose(errors);
    if (!good)
        control_command_refuse(reply, "nothing was imported:\n%s", said != NULL ? said : "");
    free(said);
    return good;
}

enum control_command_outcome control_command_import_some(
    struct control_command *command, struct control_json *reply,
    int (*step)(struct control_command *command, struct control_json *reply, FILE *errors))
{
    char *said = NULL;
    size_t said_len;
    FILE *errors = open_memstream(&said, &said_len);

    if (errors == NULL)
        return control_command_refuse(reply, "no memory");
    int more = step(command, reply, errors);
    fclose(errors);
    if (more < 0)
        control_command_refuse(reply, "%s", said != NULL ? said : "");
    free(said);
    return more > 0 ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}
