#include "control/loop.h"
#include "control/report.h"
#include "role/role.h"
#include "user/user.h"

static const struct {
    const char *name;
    size_t offset; // into struct role_auth_counts
} counted[] = {
    {"challenged", offsetof(struct role_auth_counts, challenged)},
    {"passed", offsetof(struct role_auth_counts, passed)},
    {"failed", offsetof(struct role_auth_counts, failed)},
    {"stale", offsetof(struct role_auth_counts, stale)},
    {"foreign", offsetof(struct role_auth_counts, foreign)},
    {"blocked", offsetof(struct role_auth_counts, blocked)},
};

int control_report_auth(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct user_usage usage;

    (void)parameter;
    user_usage(control->setup.users, &usage);
    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_u64(reply, "users", usage.users);
    rte_tel_data_add_dict_u64(reply, "users_max", usage.users_max);
    for (unsigned i = 0; i < RTE_DIM(counted); i++) {
        uint64_t sum = 0;
        for (unsigned w = 0; w < control->setup.workers_n; w++) {
            const struct role *role = control->setup.workers[w]->role;
            if (role != NULL)
                sum += *(const uint64_t *)(const void *)((const char *)&role->auths + counted[i].offset);
        }
        rte_tel_data_add_dict_u64(reply, counted[i].name, sum);
    }
    return 0;
}
