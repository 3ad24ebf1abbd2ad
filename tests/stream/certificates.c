#include "certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void certificates_begin(struct certificates *certificates)
{
    *certificates = (struct certificates){.directory = "/tmp/strowger-tls-XXXXXX"};
    assert_non_null(mkdtemp(certificates->directory));
}

void certificates_end(struct certificates *certificates)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", certificates->directory);
    assert_int_equal(system(command), 0);
    for (unsigned i = 0; i < certificates->paths_n; i++)
        free(certificates->paths[i]);
}

char *certificates_path(struct certificates *certificates, const char *name)
{
    char *path;

    assert_true(asprintf(&path, "%s/%s", certificates->directory, name) > 0);
    for (unsigned i = 0; i < certificates->paths_n; i++) {
        if (strcmp(certificates->paths[i], path) == 0) {
            free(path);
            return certificates->paths[i];
        }
    }
    assert_in_range(certificates->paths_n, 0, 63);
    certificates->paths[certificates->paths_n++] = path;
    return path;
}

static char *path_of(struct certificates *certificates, const char *name, const char *ending)
{
    char file[64];

    snprintf(file, sizeof(file), "%s.%s", name, ending);
    return certificates_path(certificates, file);
}

void certificates_write(struct certificates *certificates, const char *name, const char *text)
{
    FILE *out = fopen(certificates_path(certificates, name), "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

X509 *certificates_read(struct certificates *certificates, const char *name)
{
    FILE *in = fopen(path_of(certificates, name, "pem"), "r");
    X509 *certificate;

    assert_non_null(in);
    certificate = PEM_read_X509(in, NULL, NULL, NULL);
    fclose(in);
    assert_non_null(certificate);
    return certificate;
}

static EVP_PKEY *read_key(struct certificates *certificates, const char *name)
{
    FILE *in = fopen(path_of(certificates, name, "key"), "r");
    EVP_PKEY *key;

    assert_non_null(in);
    key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    assert_non_null(key);
    return key;
}

static void extend(X509 *certificate, X509 *signer, int kind, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    if (value == NULL)
        return;
    X509V3_set_ctx(&context, signer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void name_it(X509 *certificate, const struct wanted *wanted)
{
    const char *subject = wanted->subject == NULL ? wanted->name : wanted->subject;
    X509_NAME *name = X509_get_subject_name(certificate);
    uint64_t serial;

    assert_int_equal(RAND_bytes((unsigned char *)&serial, sizeof(serial)), 1);
    assert_int_equal(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                                                (const unsigned char *)"strowger tests", -1, -1, 0),
                     1);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0), 1);
}

static void date_it(X509 *certificate, const struct wanted *wanted)
{
    bool usual = wanted->from == 0 && wanted->to == 0;

    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), usual ? -HOUR : wanted->from));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), usual ? 365 * DAY : wanted->to));
}

static void save(struct certificates *certificates, const char *name, X509 *certificate, X509 *above,
                 EVP_PKEY *key)
{
    FILE *out = fopen(path_of(certificates, name, "pem"), "w");

    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, certificate), 1);
    if (above != NULL)
        assert_int_equal(PEM_write_X509(out, above), 1);
    assert_int_equal(fclose(out), 0);

    char *path = path_of(certificates, name, "key");
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(out), 0);
}

void certificates_make(struct certificates *certificates, const struct wanted *wanted)
{
    EVP_PKEY *key = wanted->bits > 0 ? EVP_RSA_gen((unsigned)wanted->bits) : EVP_EC_gen("P-256");
    X509 *certificate = X509_new(), *signer = NULL;
    EVP_PKEY *signing = key;

    assert_non_null(key);
    assert_non_null(certificate);
    if (wanted->signer != NULL) {
        signer = certificates_read(certificates, wanted->signer);
        signing = read_key(certificates, wanted->signer);
    }
    assert_int_equal(X509_set_version(certificate, 2), 1);
    name_it(certificate, wanted);
    date_it(certificate, wanted);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    X509 *issuer = signer == NULL ? certificate : signer;
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)), 1);
    extend(certificate, issuer, NID_basic_constraints, wanted->authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(certificate, issuer, NID_subject_key_identifier, "hash");
    extend(certificate, issuer, NID_subject_alt_name, wanted->san);
    extend(certificate, issuer, NID_ext_key_usage, wanted->usage);
    assert_true(X509_sign(certificate, signing, EVP_sha256()) > 0);

    bool root =
        signer != NULL && X509_NAME_cmp(X509_get_issuer_name(signer), X509_get_subject_name(signer)) == 0;
    save(certificates, wanted->name, certificate, root ? NULL : signer, key);
    if (signing != key)
        EVP_PKEY_free(signing);
    X509_free(signer);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
