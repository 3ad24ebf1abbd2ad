#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool store(const char *path, struct slice document)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return false;
    bool good = fwrite(document.at, 1, document.len, file) == document.len;
    return fclose(file) == 0 && good;
}

// What xmllint says goes into `said`, for the case that it is a complaint.
static bool run(const char *schema, const char *path, FILE *said)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        dup2(fileno(said), STDERR_FILENO);
        execlp("xmllint", "xmllint", "--nonet", "--noout", "--schema", schema, path, (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void complain(FILE *said, struct slice document)
{
    char bytes[4096];

    rewind(said);
    size_t len = fread(bytes, 1, sizeof(bytes), said);
    fprintf(stderr, "%.*s%.*s\n", (int)len, bytes, SLICE_PRINT(document));
}

bool schema_holds(struct slice document, const char *name)
{
    char path[] = "/tmp/strowger-document-XXXXXX", schema[512];
    int fd = mkstemp(path);
    FILE *said = tmpfile();

    snprintf(schema, sizeof(schema), SCHEMA_DIRECTORY "/%s.xsd", name);
    bool good = fd >= 0 && said != NULL && store(path, document) && run(schema, path, said);
    if (!good && said != NULL)
        complain(said, document);
    if (said != NULL)
        fclose(said);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return good;
}
