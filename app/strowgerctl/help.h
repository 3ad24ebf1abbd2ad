// help: strowgerctl's manual, as a whole and by command.
#ifndef APP_CTL_HELP_H
#define APP_CTL_HELP_H

#include <stdio.h>

#include "ctl.h"

void help_print(FILE *out);
// The commands whose first word this is, a line or two each; how many there are.
unsigned help_print_alike(const char *word, FILE *out);
void help_print_command(const struct ctl_command *command, FILE *out);

#endif
