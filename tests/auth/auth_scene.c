#include "auth_scene.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/password.h"

void auth_print(char *room, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(room, size, format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < size);
}

void auth_open(struct auth_scene *s, const char *auths)
{
    const struct hash_key key = {5, 6};
    char text[16384];

    memset(s, 0, sizeof(*s));
    auth_print(text, sizeof(text), "%s[store]\npath = /p\n%s", fixture_conf, auths);
    s->f = fixture_open(text, 1);
    assert_int_equal(user_table_create(&s->users, 100, &key, s->f->qsbr, &memory_system), 0);
    assert_int_equal(
        auth_guard_create(&s->f->role.guard, &key, s->f->arrival.now.unix_s, &memory_system, MEMORY_ANY_NODE),
        0);
    s->f->role.users = s->users;
    auth_user(s, "alice", "example.com", "secret");
    auth_user(s, "bob", "example.com", "secret");
    fixture_from(s->f, AUTH_PHONE, 0);
}

void auth_close(struct auth_scene *s)
{
    struct auth_guard *guard = s->f->role.guard;

    fixture_close(s->f);
    auth_guard_destroy(guard);
    user_table_destroy(s->users);
}

void auth_user(struct auth_scene *s, const char *name, const char *realm, const char *password)
{
    struct user user;

    assert_true(user_password_hash(&user, slice_text(name), slice_text(realm), slice_text(password)));
    assert_int_equal(user_put(s->users, slice_text(name), slice_text(realm), &user), 0);
}

static void hash(const char *algorithm, const char *text, char hex[2 * USER_HA1_MAX + 1])
{
    const char *name = strcmp(algorithm, "SHA-256") == 0       ? "SHA256"
                       : strcmp(algorithm, "SHA-512-256") == 0 ? "SHA512-256"
                                                               : "MD5";
    uint8_t bytes[EVP_MAX_MD_SIZE];
    size_t len = 0;

    assert_int_equal(EVP_Q_digest(NULL, name, NULL, text, strlen(text), bytes, &len), 1);
    for (size_t i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
}

// The value of a quoted parameter of the last message.
static const char *quoted(const struct auth_scene *s, const char *name, char value[1024])
{
    const char *at = strstr(s->f->text, name);

    if (at == NULL)
        fail_msg("no %s in %s", name, s->f->text);
    at += strlen(name);
    auth_print(value, 1024, "%.*s", (int)strcspn(at, "\""), at);
    return value;
}

const char *auth_nonce(struct auth_scene *s, char nonce[1024])
{
    return quoted(s, "nonce=\"", nonce);
}

#define OR(given, usual) ((given) != NULL ? (given) : (usual))

const char *auth_value(struct auth_scene *s, const struct auth_answer *answer)
{
    const char *user = OR(answer->user, "alice"), *method = OR(answer->method, "REGISTER");
    const char *uri = OR(answer->uri, "sip:example.com"), *algorithm = OR(answer->algorithm, "MD5");
    const char *qop = OR(answer->qop, "auth"), *nc = OR(answer->nc, "00000001");
    const char *cnonce = OR(answer->cnonce, "0a4f113b");
    char realm_room[1024], nonce_room[1024], text[AUTH_TEXT], ha1[65], ha2[65], response[65];
    const char *realm = answer->realm != NULL ? answer->realm : quoted(s, "realm=\"", realm_room);
    const char *nonce = answer->nonce != NULL ? answer->nonce : auth_nonce(s, nonce_room);
    char counted[AUTH_TEXT] = "";

    auth_print(text, sizeof(text), "%s:%s:%s", user, realm, OR(answer->password, "secret"));
    hash(algorithm, text, ha1);
    if (qop[0] != 0)
        auth_print(counted, sizeof(counted), "%s:%s:%s:", nc, cnonce, qop);
    auth_print(text, sizeof(text), "%s:%s", method, uri);
    hash(algorithm, text, ha2);
    auth_print(text, sizeof(text), "%s:%s:%s%s", ha1, nonce, counted, ha2);
    hash(algorithm, text, response);
    auth_print(text, sizeof(text), ":%s", uri);
    hash(algorithm, text, ha2);
    auth_print(text, sizeof(text), "%s:%s:%s%s", ha1, nonce, counted, ha2);
    hash(algorithm, text, s->rspauth);
    if (qop[0] != 0)
        auth_print(counted, sizeof(counted), ", qop=%s, nc=%s, cnonce=\"%s\"", qop, nc, cnonce);
    auth_print(
        s->line, sizeof(s->line),
        "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=%s%s",
        user, realm, nonce, uri, response, algorithm, counted);
    return s->line;
}

void auth_register(struct auth_scene *s, const char *lines)
{
    char text[2 * AUTH_TEXT];

    auth_print(text, sizeof(text),
               "REGISTER sip:example.com\nTo: <sip:alice@example.com>\nContact: <sip:alice@192.0.2.77>\n%s",
               OR(lines, ""));
    text[strlen(text) - 1] = 0; // the shorthand has no LF at its end
    fixture_request(s->f, text);
}

void auth_register_with(struct auth_scene *s, const struct auth_answer *answer)
{
    char line[AUTH_TEXT + 32];

    auth_print(line, sizeof(line), "Authorization: %s\n", auth_value(s, answer));
    auth_register(s, line);
}

void auth_request(struct auth_scene *s, const char *shorthand, const struct auth_answer *answer)
{
    char text[2 * AUTH_TEXT];

    if (answer == NULL) {
        fixture_request(s->f, shorthand);
        return;
    }
    auth_print(text, sizeof(text), "%s\nProxy-Authorization: %s", shorthand, auth_value(s, answer));
    fixture_request(s->f, text);
}

bool auth_says(const struct auth_scene *s, const char *text)
{
    return strstr(s->f->text, text) != NULL;
}

unsigned auth_status(const struct auth_scene *s)
{
    return s->f->verdict.kind == VERDICT_REPLY ? s->f->verdict.status : 0;
}
