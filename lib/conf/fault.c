#include "conf/fault.h"

#include <stdarg.h>

#define FAULT_TEXT_MAX 640 // bytes; a line of the file, what was expected and a suggestion fit

struct conf_fault {
    struct conf_fault *next, *previous;
    unsigned line;
    char *text;
};

// Stages note their faults nearly in the order of lines, so the place is close to the end.
static void insert_by_line(struct conf_faults *faults, struct conf_fault *fault)
{
    struct conf_fault *after = faults->last;

    while (after != NULL && after->line > fault->line)
        after = after->previous;
    fault->previous = after;
    fault->next = after != NULL ? after->next : faults->first;
    *(fault->next != NULL ? &fault->next->previous : &faults->last) = fault;
    *(after != NULL ? &after->next : &faults->first) = fault;
}

void conf_fault(struct conf_faults *faults, unsigned line, const struct conf_nearest *nearest,
                const char *format, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list args;

    if (++faults->n > CONF_FAULTS_MAX)
        return;
    va_start(args, format);
    size_t len = (size_t)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (nearest != NULL && nearest->best != NULL && len < sizeof(text))
        snprintf(text + len, sizeof(text) - len, "; did you mean '%s'?", nearest->best);
    struct conf_fault *fault = conf_arena_take(faults->arena, sizeof(*fault));
    if (fault == NULL)
        return;
    fault->line = line;
    fault->text = conf_arena_copy(faults->arena, slice_text(text));
    if (fault->text != NULL)
        insert_by_line(faults, fault);
}

void conf_faults_print(const struct conf_faults *faults, const char *file, FILE *out)
{
    for (const struct conf_fault *fault = faults->first; fault != NULL; fault = fault->next)
        fprintf(out, "%s:%u: %s\n", file, fault->line, fault->text);
    if (faults->n > CONF_FAULTS_MAX)
        fprintf(out, "%s: and %u faults more\n", file, faults->n - CONF_FAULTS_MAX);
}
