// Runs every file of the directories given through the fuzz target, whole and cut off at every length, each time
// right before a page that cannot be read.
#include <dirent.h>

#include "fence.h"
#include "fuzz.h"

#define CUT_MAX 1500 // longer files are cut off in steps, to be done in time

static void replay(const char *bytes, size_t len)
{
    size_t step = len / CUT_MAX + 1;

    for (size_t cut = 0; cut < len; cut += step)
        LLVMFuzzerTestOneInput((const uint8_t *)fence_copy(bytes, cut).at, cut);
    LLVMFuzzerTestOneInput((const uint8_t *)fence_copy(bytes, len).at, len);
}

static bool replay_file(const char *directory, const char *name)
{
    static char bytes[FENCE_MAX];
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
        return false;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    bool good = ferror(file) == 0;
    fclose(file);
    if (good)
        replay(bytes, len);
    return good;
}

// The files replayed, or -1.
static int replay_directory(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    int files = 0;

    if (dir == NULL)
        return -1;
    while (files >= 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        files = replay_file(directory, entry->d_name) ? files + 1 : -1;
    }
    closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    int all = 0;

    for (int i = 1; i < argc; i++) {
        int files = replay_directory(argv[i]);
        if (files < 0) {
            perror(argv[i]);
            return 1;
        }
        all += files;
    }
    printf("%d files\n", all);
    return all > 0 ? 0 : 1; // a corpus that is not there is a test that tests nothing
}
