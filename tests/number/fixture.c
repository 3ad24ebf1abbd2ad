#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// "g7" is 7; "many" is one too many.
static int index_of(void *owner, struct slice name)
{
    struct fixture *f = owner;
    uint64_t number;

    f->asked++;
    if (slice_equal(name, SLICE("many")))
        return NUMBER_NONE;
    if (name.len < 2 || name.at[0] != 'g' || !slice_number(slice_of(name.at + 1, name.len - 1), 99, &number))
        return -1;
    return (int)number;
}

static void progress(void *owner, uint64_t lines)
{
    ((struct fixture *)owner)->lines = lines;
}

// Faults without the name of a temporary file.
static char *faults_of(const char *path, const char *written)
{
    char *text = strdup(written);
    size_t len = strlen(path);

    assert_non_null(text);
    for (char *at = text; (at = strstr(at, path)) != NULL; at += 3) {
        memmove(at + 3, at + len, strlen(at + len) + 1);
        memcpy(at, "csv", 3);
    }
    return text;
}

void fixture_load(struct fixture *f, const char *csv, size_t len)
{
    char path[] = "/tmp/strowger-number-XXXXXX", *written = NULL;
    size_t bytes;
    int fd = mkstemp(path);
    FILE *errors = open_memstream(&written, &bytes);
    struct memory memory = counted_lines(&f->counted);

    assert_true(fd >= 0);
    assert_non_null(errors);
    for (size_t done = 0; done < len;) {
        ssize_t once = write(fd, csv + done, len - done);
        assert_true(once > 0);
        done += (size_t)once;
    }
    close(fd);
    f->error = number_table_load(&f->table, path, index_of, f, errors, progress, &memory, MEMORY_ANY_NODE);
    fclose(errors);
    unlink(path);
    f->faults = faults_of(path, written);
    free(written);
}

void fixture_load_text(struct fixture *f, const char *csv)
{
    fixture_load(f, csv, strlen(csv));
}

void fixture_close(struct fixture *f)
{
    number_table_destroy(f->table);
    free(f->faults);
    assert_int_equal(f->counted.bytes, 0);
}

int fixture_find(const struct fixture *f, const char *number)
{
    uint16_t found = number_find(f->table, slice_text(number));

    return found == NUMBER_NONE ? -1 : found;
}
