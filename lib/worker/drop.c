#include "worker/drop.h"

#include <stddef.h>

static const struct {
    const char *name;
    const char *explanation;
} drops[DROP_COUNT] = {[DROP_NONE] = {"none", "not dropped"},
#define DROP_ROW(name, explanation) [DROP_##name] = {#name, explanation},
                       DROPS(DROP_ROW)
#undef DROP_ROW
};

const char *drop_name(enum drop drop)
{
    return drops[(unsigned)drop < DROP_COUNT ? drop : DROP_NONE].name;
}

const char *drop_explanation(enum drop drop)
{
    return drops[(unsigned)drop < DROP_COUNT ? drop : DROP_NONE].explanation;
}
