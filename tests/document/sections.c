#include "sections.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static struct slice take_line(struct slice *rest)
{
    uint32_t end = slice_find(*rest, '\n');
    struct slice line = slice_of(rest->at, end);

    end += end < rest->len;
    *rest = slice_of(rest->at + end, rest->len - end);
    return line;
}

bool sections_load(struct sections *sections, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct section *section = NULL;

    if (file == NULL)
        return false;
    size_t len = fread(sections->bytes, 1, sizeof(sections->bytes), file);
    fclose(file);
    struct slice rest = slice_of(sections->bytes, len);
    sections->count = 0;
    while (rest.len > 0) {
        struct slice line = take_line(&rest);
        if (!slice_starts(line, SLICE("== "))) {
            if (section != NULL)
                section->body.len = (uint32_t)(rest.at - section->body.at);
            continue;
        }
        if (sections->count == SECTIONS_MAX)
            return false;
        section = &sections->section[sections->count++];
        line = slice_of(line.at + 3, line.len - 3);
        uint32_t space = slice_find(line, ' ');
        section->name = slice_of(line.at, space);
        space += space < line.len;
        section->argument = slice_of(line.at + space, line.len - space);
        section->body = slice_of(rest.at, 0);
    }
    return len < sizeof(sections->bytes);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

unsigned sections_list(const char *directory, char (*paths)[512], unsigned max)
{
    DIR *dir = opendir(directory);
    unsigned count = 0;

    if (dir == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL && count < max;) {
        size_t len = strlen(entry->d_name);
        if (len > 5 && strcmp(entry->d_name + len - 5, ".case") == 0)
            snprintf(paths[count++], sizeof(*paths), "%.250s/%.250s", directory, entry->d_name);
    }
    closedir(dir);
    qsort(paths, count, sizeof(*paths), by_name);
    return count;
}
