// What a configuration says of certificates, authorities and ciphers: taken, or refused in words that help.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"

#define CASES(table) (sizeof(table) / sizeof((table)[0]))

static struct scene scene;

// The lines that creating from the scene's configuration gives; NULL-terminated, the caller's.
static char *create(bool *good)
{
    char *lines = NULL;
    size_t len = 0;
    FILE *errors = open_memstream(&lines, &len);

    assert_non_null(errors);
    struct stream_tls *tls = stream_tls_create(&scene.conf, errors);
    fclose(errors);
    *good = tls != NULL;
    stream_tls_destroy(tls);
    assert_int_equal(ERR_peek_error(), 0);
    return lines;
}

// Each of `words`, which "|" divides, stands in the lines.
static void expect_words(const char *lines, const char *words)
{
    char *copy = strdup(words), *rest = copy;

    for (char *word; (word = strsep(&rest, "|")) != NULL;) {
        if (strstr(lines, word) == NULL)
            fail_msg("no \"%s\" in: %s", word, lines);
    }
    free(copy);
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void make_all(void)
{
    static const struct wanted all[] = {
        {.name = "expired", .san = "DNS:a.example", .signer = "ca", .from = -2 * DAY, .to = -DAY},
        {.name = "future", .san = "DNS:a.example", .signer = "ca", .from = DAY, .to = 2 * DAY},
        {.name = "soon", .san = "DNS:a.example", .signer = "ca", .from = -300 * DAY, .to = 13 * DAY},
        {.name = "later", .san = "DNS:a.example", .signer = "ca", .from = -300 * DAY, .to = 15 * DAY},
        {.name = "short", .san = "DNS:a.example", .signer = "ca", .from = -DAY, .to = 5 * DAY},
        {.name = "nameless", .subject = "An operator", .signer = "ca"},
        {.name = "person", .san = "URI:sip:alice@example.com", .signer = "ca"},
        {.name = "code", .san = "DNS:a.example", .signer = "ca", .usage = "codeSigning"},
        {.name = "weak", .san = "DNS:a.example", .signer = "ca", .bits = 1024},
        {.name = "rsa", .san = "DNS:a.example", .signer = "ca", .bits = 2048},
        {.name = "middle", .signer = "ca", .authority = true},
        {.name = "oldmiddle", .signer = "ca", .authority = true, .from = -2 * DAY, .to = -DAY},
        {.name = "chained", .san = "DNS:a.example", .signer = "middle"},
        {.name = "oldchained", .san = "DNS:a.example", .signer = "oldmiddle"},
    };

    for (unsigned i = 0; i < CASES(all); i++)
        certificates_make(&scene.made, &all[i]);
    certificates_write(&scene.made, "empty.pem", "");
    certificates_write(&scene.made, "text.pem", "This is no certificate.\n");
    certificates_write(&scene.made, "broken.pem",
                       "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUZm9v\n-----END CERTIFICATE-----\n");
}

// One file behind the other.
static void join(const char *name, const char *first, const char *second)
{
    char command[512];

    snprintf(command, sizeof(command), "cat '%s' '%s' > '%s'", certificates_path(&scene.made, first),
             certificates_path(&scene.made, second), certificates_path(&scene.made, name));
    assert_int_equal(system(command), 0);
}

static void encrypt_key(const char *name, const char *from)
{
    FILE *in = fopen(certificates_path(&scene.made, from), "r");
    FILE *out = fopen(certificates_path(&scene.made, name), "w");
    EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);

    assert_non_null(key);
    assert_int_equal(
        PEM_write_PrivateKey(out, key, EVP_aes_128_cbc(), (const unsigned char *)"word", 4, NULL, NULL), 1);
    EVP_PKEY_free(key);
    fclose(in);
    fclose(out);
}

static void test_faults_of_certificates_name_file_and_remedy(void **state)
{
    static const struct {
        const char *chain, *key, *words;
        unsigned lines;
    } cases[] = {
        {"missing.pem", "server.key", "[certificate main] chain: |missing.pem: |No such file", 1},
        {"server.pem", "missing.key", "[certificate main] key: |missing.key: |No such file", 1},
        {"missing.pem", "missing.key", "missing.pem|missing.key", 2},
        {"empty.pem", "server.key", "empty.pem|no certificate|BEGIN CERTIFICATE", 1},
        {"text.pem", "server.key", "text.pem|no certificate|BEGIN CERTIFICATE", 1},
        {"broken.pem", "server.key", "broken.pem: certificate 1 |cannot be read", 1},
        {"half.pem", "server.key", "half.pem: certificate 2 |cannot be read", 1},
        {"server.key", "server.key", "server.key|no certificate", 1},
        {"server.pem", "server.pem", "] key: |server.pem|no private key", 1},
        {"server.pem", "empty.pem", "empty.pem|no private key", 1},
        {"server.pem", "secret.key", "secret.key|encrypted|passphrase", 1},
        {"server.pem", "rsa.key", "rsa.key|not the key of the certificate", 1},
        {"server.pem", "expired.key", "expired.key|not the key of the certificate", 1},
        {"expired.pem", "expired.key", "expired.pem: certificate 1 in it expired on 20| UTC", 1},
        {"future.pem", "future.key", "future.pem: certificate 1 in it is not valid before 20|clock", 1},
        {"oldchained.pem", "oldchained.key", "certificate 2 in it expired on 20", 1},
        {"nameless.pem", "nameless.key", "nameless.pem: names no domain|subjectAltName", 1},
        {"person.pem", "person.key", "person.pem: names no domain", 1},
        {"weak.pem", "weak.key", "weak.pem: cannot be used: ee key too small", 1},
    };

    (void)state;
    encrypt_key("secret.key", "server.key");
    join("half.pem", "server.pem", "broken.pem");
    for (unsigned i = 0; i < CASES(cases); i++) {
        bool good;

        scene.certificates[0].chain = certificates_path(&scene.made, cases[i].chain);
        scene.certificates[0].key = certificates_path(&scene.made, cases[i].key);
        chmod(scene.certificates[0].key, 0600);
        char *lines = create(&good);
        assert_false(good);
        expect_words(lines, cases[i].words);
        if (lines_of(lines) != cases[i].lines)
            fail_msg("%u lines are not %u: %s", lines_of(lines), cases[i].lines, lines);
        free(lines);
    }
}

static void test_what_is_only_doubtful_is_a_warning(void **state)
{
    static const struct {
        const char *chain, *key, *words;
        unsigned lines;
        mode_t mode;
    } cases[] = {
        {"server.pem", "server.key", "", 0, 0600},
        {"server.pem", "server.key", "", 0, 0640},
        {"server.pem", "server.key", "warning: [certificate main] key: |server.key: everybody", 1, 0644},
        {"soon.pem", "soon.key", "warning: |soon.pem: certificate 1 in it expires on 20", 1, 0600},
        {"later.pem", "later.key", "", 0, 0600},
        {"short.pem", "short.key", "", 0, 0600}, // renewed every few days
        {"rsa.pem", "rsa.key", "", 0, 0600},
        {"chained.pem", "chained.key", "", 0, 0600},
        {"code.pem", "code.key", "warning: |code.pem: |extendedKeyUsage", 1, 0600},
        {"mixed.pem", "server.key", "warning: |certificate 1 in it was not signed by 2", 1, 0600},
    };

    (void)state;
    join("mixed.pem", "server.pem", "middle.pem");
    for (unsigned i = 0; i < CASES(cases); i++) {
        bool good;

        scene.certificates[0].chain = certificates_path(&scene.made, cases[i].chain);
        scene.certificates[0].key = certificates_path(&scene.made, cases[i].key);
        assert_int_equal(chmod(scene.certificates[0].key, cases[i].mode), 0);
        char *lines = create(&good);
        assert_true(good);
        expect_words(lines, cases[i].words);
        if (lines_of(lines) != cases[i].lines)
            fail_msg("%u lines are not %u: %s", lines_of(lines), cases[i].lines, lines);
        free(lines);
    }
}

static void test_faults_of_tls_name_key_and_remedy(void **state)
{
    static const struct {
        const char *ciphers, *suites, *authorities, *words; // words NULL: it is good
    } cases[] = {
        {NULL, NULL, NULL, NULL},
        {"HIGH:!aNULL", NULL, NULL, NULL},
        {"NONSENSE", NULL, NULL, "[tls] ciphers: NONSENSE: |openssl ciphers"},
        {"ECDHE+AESGCM:eNULL", NULL, NULL, "[tls] ciphers: ECDHE+AESGCM:eNULL: |!eNULL"},
        {"ADH", NULL, NULL, "[tls] ciphers: ADH: |!aNULL"},
        {NULL, "TLS_NONSENSE", NULL, "[tls] ciphersuites: TLS_NONSENSE: |openssl ciphers"},
        {NULL, "TLS_AES_128_GCM_SHA256:TLS_NONSENSE", NULL, "[tls] ciphersuites: TLS_NONSENSE: "},
        {NULL, NULL, "missing.pem", "[tls] authorities: |missing.pem: "},
        {NULL, NULL, "empty.pem", "[tls] authorities: |empty.pem: "},
        {NULL, NULL, "broken.pem", "[tls] authorities: |broken.pem: "},
        {"NONSENSE", "TLS_NONSENSE", "empty.pem", "ciphers: NONSENSE|ciphersuites: |authorities: "},
    };
    struct conf usual = scene.conf;

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        bool good;

        scene.conf = usual;
        if (cases[i].ciphers != NULL)
            scene.conf.tls_ciphers.text = (char *)(uintptr_t)cases[i].ciphers;
        if (cases[i].suites != NULL)
            scene.conf.tls_ciphersuites.text = (char *)(uintptr_t)cases[i].suites;
        if (cases[i].authorities != NULL)
            scene.conf.tls_authorities = certificates_path(&scene.made, cases[i].authorities);
        char *lines = create(&good);
        if (good != (cases[i].words == NULL))
            fail_msg("case %u: %s", i, lines);
        expect_words(lines, cases[i].words == NULL ? "" : cases[i].words);
        free(lines);
    }
    scene.conf = usual;
}

static void test_all_faults_are_told_in_one_go(void **state)
{
    struct conf usual = scene.conf;
    bool good;
    static char second[] = "second", nonsense[] = "NONSENSE";

    (void)state;
    scene.certificates[0].chain = certificates_path(&scene.made, "expired.pem");
    scene.certificates[0].key = certificates_path(&scene.made, "expired.key");
    scene.certificates[1] = (struct conf_certificate){second, certificates_path(&scene.made, "missing.pem"),
                                                      certificates_path(&scene.made, "server.key")};
    scene.conf.certificates_n = 2;
    scene.conf.tls_ciphers.text = nonsense;
    char *lines = create(&good);
    assert_false(good);
    expect_words(lines, "ciphers: NONSENSE|[certificate main] chain: |[certificate second] chain: ");
    assert_int_equal(lines_of(lines), 3);
    free(lines);
    scene.conf = usual;
}

static void test_nothing_to_show_is_a_fault_of_a_listener_with_tls(void **state)
{
    struct conf usual = scene.conf;
    bool good;
    char *lines;

    (void)state;
    scene.conf.certificates_n = 0;
    lines = create(&good);
    assert_false(good);
    expect_words(lines, "[listener main] |add a [certificate");
    free(lines);
    scene.conf.listeners_n = 0;
    scene.conf.tls_authorities = NULL; // the machine's
    lines = create(&good);
    assert_true(good);
    assert_string_equal(lines, "");
    free(lines);
    scene.conf = usual;
}

// The common name of the certificate that a client is shown who asks for `name`.
static void shown(const char *name, int version, char *text, size_t room)
{
    struct scene_client client = {.name = name, .version = version};
    struct connection connection;
    struct scene_peer peer;
    struct handshake_end end;

    assert_int_equal(scene_shake(&scene, SCENE_NO, &client, &connection, &peer, &end), SCENE_STANDS);
    X509 *certificate = SSL_get1_peer_certificate(peer.session);
    assert_non_null(certificate);
    assert_true(
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, (int)room) > 0);
    X509_free(certificate);
    scene_peer_free(&peer);
    scene_connection_free(&connection);
}

static void test_the_name_asked_for_chooses_the_certificate(void **state)
{
    static const struct wanted some[] = {
        {.name = "one", .san = "DNS:one.example,DNS:shared.example", .signer = "ca"},
        {.name = "star", .san = "DNS:*.example,DNS:*.star.example", .signer = "ca"},
        {.name = "two", .san = "URI:sip:two.example,DNS:sbc.two.example,DNS:shared.example", .signer = "ca"},
        {.name = "three.example", .signer = "ca", .bits = 2048},
    };
    static const struct {
        const char *asked, *shown;
    } cases[] = {
        {NULL, "one"}, // none: the first
        {"one.example", "one"},
        {"ONE.Example", "one"},
        {"two.example", "two"},
        {"sbc.two.example", "two"}, // beside the URI
        {"shared.example", "one"},  // in file order
        {"three.example", "three.example"},
        {"a.star.example", "star"},
        {"b.a.star.example", "one"},
        {"star.example", "one"}, // "*.example" is too wide to be one
        {"elsewhere.invalid", "one"},
        {"127.0.0.1", "one"},
    };
    char paths[4][2][64], text[64];

    (void)state;
    for (unsigned i = 0; i < CASES(some); i++) {
        certificates_make(&scene.made, &some[i]);
        snprintf(paths[i][0], sizeof(paths[i][0]), "%s.pem", some[i].name);
        snprintf(paths[i][1], sizeof(paths[i][1]), "%s.key", some[i].name);
        scene.certificates[i] =
            (struct conf_certificate){scene.certificates[0].name, certificates_path(&scene.made, paths[i][0]),
                                      certificates_path(&scene.made, paths[i][1])};
    }
    scene.conf.certificates_n = CASES(some);
    scene_reload(&scene);
    for (unsigned i = 0; i < CASES(cases); i++) {
        shown(cases[i].asked, TLS1_3_VERSION, text, sizeof(text));
        assert_string_equal(text, cases[i].shown);
        shown(cases[i].asked, TLS1_2_VERSION, text, sizeof(text));
        assert_string_equal(text, cases[i].shown);
    }
    scene.conf.certificates_n = 1;
}

static void test_the_minimum_is_kept(void **state)
{
    struct scene_client old = {.version = TLS1_2_VERSION}, young = {.version = TLS1_3_VERSION};
    struct connection connection;
    struct scene_peer peer;
    struct handshake_end end;

    (void)state;
    scene.conf.tls_minimum = CONF_TLS_1_3;
    scene_reload(&scene);
    assert_int_equal(scene_shake(&scene, SCENE_NO, &old, &connection, &peer, &end), STREAM_END_HANDSHAKE);
    scene_peer_free(&peer);
    scene_connection_free(&connection);
    assert_int_equal(scene_shake(&scene, SCENE_NO, &young, &connection, &peer, &end), SCENE_STANDS);
    scene_peer_free(&peer);
    scene_connection_free(&connection);
    scene.conf.tls_minimum = CONF_TLS_1_2;
}

static int begin(void **state)
{
    (void)state;
    scene_begin(&scene, 1);
    make_all();
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_end(&scene);
    return 0;
}

static int each(void **state)
{
    (void)state;
    scene.certificates[0].chain = certificates_path(&scene.made, "server.pem");
    scene.certificates[0].key = certificates_path(&scene.made, "server.key");
    return chmod(scene.certificates[0].key, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_faults_of_certificates_name_file_and_remedy, each),
        cmocka_unit_test_setup(test_what_is_only_doubtful_is_a_warning, each),
        cmocka_unit_test_setup(test_faults_of_tls_name_key_and_remedy, each),
        cmocka_unit_test_setup(test_all_faults_are_told_in_one_go, each),
        cmocka_unit_test_setup(test_nothing_to_show_is_a_fault_of_a_listener_with_tls, each),
        cmocka_unit_test_setup(test_the_name_asked_for_chooses_the_certificate, each),
        cmocka_unit_test_setup(test_the_minimum_is_kept, each),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
