// auth_scene: a fixture in which some must carry credentials, and a phone that knows how.
//
// The phone computes its digests by OpenSSL's general functions, the server by others (role/hashing.h).
#ifndef TESTS_AUTH_AUTH_SCENE_H
#define TESTS_AUTH_AUTH_SCENE_H

#include "auth/guard.h"
#include "fixture.h"
#include "user/user.h"

#define AUTH_PHONE "192.0.2.77:5060" // not trusted
#define AUTH_TEXT  4096

struct auth_scene {
    struct fixture *f;
    struct user_table *users;
    char line[AUTH_TEXT];               // the last credentials
    char rspauth[2 * USER_HA1_MAX + 1]; // that the server must prove them with
};

// `auths`: the [auth] sections. alice and bob of example.com have the password "secret"; alice of md5.example only an
// MD5 hash of it.
void auth_open(struct auth_scene *s, const char *auths);
void auth_close(struct auth_scene *s);
void auth_user(struct auth_scene *s, const char *name, const char *realm, const char *password);

// NULL: what the last challenge says, or what a phone would mostly say.
struct auth_answer {
    const char *user, *password; // alice, secret
    const char *method, *uri;    // REGISTER, sip:example.com
    const char *algorithm;       // MD5
    const char *realm, *nonce;
    const char *qop, *nc, *cnonce; // auth, 00000001, "0a4f113b"; qop "": none of the three
};

// "Digest username=…"
const char *auth_value(struct auth_scene *s, const struct auth_answer *answer);

// A REGISTER of alice's, from AUTH_PHONE, with `lines` behind it (NULL: none), each ended by LF.
void auth_register(struct auth_scene *s, const char *lines);
// The same with credentials as "Authorization".
void auth_register_with(struct auth_scene *s, const struct auth_answer *answer);
// "METHOD URI" from AUTH_PHONE; `answer` NULL: without, else as "Proxy-Authorization".
void auth_request(struct auth_scene *s, const char *shorthand, const struct auth_answer *answer);

// snprintf, and it must fit.
__attribute__((format(printf, 3, 4))) void auth_print(char *room, size_t size, const char *format, ...);

// The nonce of the last challenge.
const char *auth_nonce(struct auth_scene *s, char nonce[1024]);
bool auth_says(const struct auth_scene *s, const char *text); // the last message has it somewhere
unsigned auth_status(const struct auth_scene *s);             // of the last answer; 0: it was none

#endif
