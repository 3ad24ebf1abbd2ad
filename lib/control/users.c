#include "control/users.h"

#include <errno.h>

#include "user/password.h"
#include "user/record.h"

static struct slice text_of(const struct conf_text *text)
{
    return slice_of(text->text, text->len);
}

static bool is_name_of(const struct conf_domain *domain, struct slice name)
{
    for (unsigned i = 0; i < domain->names_n; i++) {
        if (slice_equal_nocase(text_of(&domain->names[i]), name))
            return true;
    }
    return false;
}

static struct slice realm_of_domain(const struct conf *conf, int domain)
{
    for (unsigned i = 0; i < conf->auths_n; i++) {
        const struct conf_auth *auth = &conf->auths[i];
        if ((auth->domain == CONF_NONE || auth->domain == domain) && auth->realm.len > 0)
            return text_of(&auth->realm);
        if (auth->domain == CONF_NONE || auth->domain == domain)
            break;
    }
    return text_of(&conf->domains[domain].names[0]);
}

struct slice control_users_realm(const struct conf *conf, struct slice domain)
{
    for (unsigned i = 0; i < conf->domains_n; i++) {
        if (is_name_of(&conf->domains[i], domain))
            return realm_of_domain(conf, (int)i);
    }
    for (unsigned i = 0; i < conf->auths_n; i++) {
        if (slice_equal(text_of(&conf->auths[i].realm), domain))
            return text_of(&conf->auths[i].realm);
    }
    return SLICE("");
}

static const char *fault_of(int error)
{
    switch (error) {
    case 0:
        return NULL;
    case -ENOSPC:
        return "there is no room: raise [store] users_max or size_max, or look at the disk";
    case -EAGAIN:
    case -EBUSY:
    case -ETIMEDOUT:
        return "too much is under way, and whether this is stored is not known: try again";
    case -EINVAL:
        return "that can be no user's name or realm";
    default:
        return "the store cannot be written; the log says why";
    }
}

// One user who is put, from his line to the table. Slices point into the line and the configuration.
struct putting {
    struct slice name, realm;
    struct user user;
    char key[USER_KEY_MAX];
    uint8_t value[USER_RECORD_MAX];
};

static int store_changes(const struct control_users *users, const struct store_change *changes, unsigned n)
{
    return users->commit == NULL ? 0 : control_commit_apply(users->commit, changes, n);
}

static struct store_change change_of(struct putting *one)
{
    return (struct store_change){
        .kind = STORE_USERS,
        .key = slice_of(one->key, user_record_key_write(one->name, one->realm, one->key)),
        .value = slice_of((const char *)one->value, user_record_write(&one->user, one->value)),
    };
}

static const char *check(const struct control_users *users, struct slice text, struct user_line *line,
                         struct slice *realm)
{
    const char *wrong = user_line_read(text, line);

    if (wrong != NULL)
        return wrong;
    *realm = control_users_realm(users->conf, line->domain);
    return realm->len > 0 ? NULL : "expected a name of a [domain], or the realm of an [auth]";
}

// The password does not outlive this.
static const char *prepare(const struct control_users *users, char *text, size_t len, struct putting *one)
{
    struct user_line line;
    const char *wrong = check(users, slice_of(text, len), &line, &one->realm);

    one->name = line.name;
    one->user = line.user;
    if (wrong == NULL && line.password.at != NULL) {
        size_t at = (size_t)(line.password.at - text);
        if (!user_password_hash(&one->user, one->name, one->realm, line.password))
            wrong = "no memory to hash a password with";
        user_password_wipe(text + at, line.password.len);
    }
    return wrong;
}

// Before the store is asked: what it has the table must take when the server starts again.
static bool have_room(const struct control_users *users, const struct putting *some, unsigned n)
{
    struct user_usage usage;
    struct user found;
    unsigned more = 0;

    if (users->table == NULL)
        return true;
    user_usage(users->table, &usage);
    for (unsigned i = 0; i < n; i++)
        more += !user_find(users->table, some[i].name, some[i].realm, &found);
    return usage.users + more <= usage.users_max;
}

static int put_all(const struct control_users *users, struct putting *some, unsigned n)
{
    struct store_change changes[CONTROL_USERS_STEP];
    int error = have_room(users, some, n) ? 0 : -ENOSPC;

    for (unsigned i = 0; i < n; i++)
        changes[i] = change_of(&some[i]);
    if (error == 0)
        error = store_changes(users, changes, n);
    for (unsigned i = 0; i < n && error == 0 && users->table != NULL; i++)
        error = user_put(users->table, some[i].name, some[i].realm, &some[i].user);
    return error;
}

const char *control_users_put(const struct control_users *users, char *line, size_t len)
{
    struct putting one;
    const char *wrong = prepare(users, line, len, &one);

    if (wrong == NULL)
        wrong = fault_of(put_all(users, &one, 1));
    user_password_wipe((char *)&one, sizeof(one));
    user_password_wipe(line, len); // what was wrong may have had a password
    return wrong;
}

const char *control_users_remove(const struct control_users *users, struct slice name, struct slice domain)
{
    struct slice realm = control_users_realm(users->conf, domain);
    struct user found;

    if (realm.len == 0)
        realm = domain;
    if (!user_name_is_good(name) || !user_realm_is_good(realm))
        return fault_of(-EINVAL);
    if (users->table != NULL && !user_find(users->table, name, realm, &found))
        return "there is no such user";
    char key[USER_KEY_MAX];
    struct store_change change = {.kind = STORE_USERS,
                                  .key = slice_of(key, user_record_key_write(name, realm, key))};
    int error = store_changes(users, &change, 1);
    if (error == 0 && users->table != NULL)
        user_remove(users->table, name, realm);
    return fault_of(error);
}

// The next line that says something, or NULL.
static char *next_line(struct control_users_import *import, size_t *len)
{
    while (import->at < import->end) {
        char *at = import->at, *end = memchr(at, '\n', (size_t)(import->end - at));
        *len = end != NULL ? (size_t)(end - at) : (size_t)(import->end - at);
        struct slice line = slice_trim(slice_of(at, *len));
        import->at += *len + (end != NULL);
        import->line++;
        if (line.len > 0 && line.at[0] != '#')
            return at;
    }
    return NULL;
}

static void say(FILE *errors, const struct control_users_import *import, const char *wrong)
{
    fprintf(errors, "%s:%u: %s\n", import->name, import->line, wrong);
}

bool control_users_import_begin(struct control_users_import *import, const struct control_users *users,
                                char *text, size_t len, const char *name, FILE *errors)
{
    struct control_users_import look;
    struct user_line line;
    struct slice realm;
    bool good = true;
    size_t line_len;
    char *at;

    *import = (struct control_users_import){.users = users, .at = text, .end = text + len, .name = name};
    look = *import;
    while ((at = next_line(&look, &line_len)) != NULL) {
        const char *wrong = check(users, slice_of(at, line_len), &line, &realm);
        if (wrong != NULL)
            say(errors, &look, wrong);
        good &= wrong == NULL;
    }
    return good;
}

int control_users_import_step(struct control_users_import *import, FILE *errors)
{
    struct putting some[CONTROL_USERS_STEP];
    const char *wrong = NULL;
    unsigned n = 0;
    size_t len;
    char *line;

    while (wrong == NULL && n < CONTROL_USERS_STEP && (line = next_line(import, &len)) != NULL)
        wrong = prepare(import->users, line, len, &some[n++]);
    if (wrong == NULL)
        wrong = fault_of(put_all(import->users, some, n));
    user_password_wipe((char *)some, n * sizeof(some[0]));
    if (wrong != NULL) {
        say(errors, import, wrong);
        return -1;
    }
    import->done += n;
    return import->at < import->end;
}

struct loading {
    struct user_table *table;
    FILE *errors;
    int error;
};

static bool load_one(void *owner, struct slice key, struct slice value)
{
    struct loading *loading = owner;
    struct slice name, realm;
    struct user user;

    loading->error =
        value.at != NULL && user_record_key_read(key, &name, &realm) && user_record_read(value, &user)
            ? user_put(loading->table, name, realm, &user)
            : -EPROTO;
    if (loading->error == -ENOSPC)
        fputs("strowger: the store has more users than [store] users_max allows: raise it\n",
              loading->errors);
    else if (loading->error != 0)
        fprintf(loading->errors,
                "strowger: the store is damaged: user \"%.*s\" cannot be read; it is left as it is: put a "
                "copy of it "
                "back, or move it away and begin anew\n",
                SLICE_PRINT(key));
    return loading->error == 0;
}

int control_users_load(struct store *store, struct user_table *table, FILE *errors)
{
    struct loading loading = {.table = table, .errors = errors};
    int error = store_each(store, STORE_USERS, load_one, &loading);

    if (loading.error == 0 && error != 0)
        fprintf(errors, "strowger: cannot read the users in the store: %s\n", strerror(-error));
    return loading.error != 0 ? loading.error : error;
}
