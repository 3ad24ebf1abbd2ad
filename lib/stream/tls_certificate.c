// The files of a [certificate]: read, checked, and said in the operator's words what is wrong with them.
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>

#include "stream/identity.h"
#include "stream/tls.h"

#define CHAIN_MAX 16           // certificates in a file
#define SOON_S    (14 * 86400) // time to get another one

// Of one file: what it is, and where it is said.
struct file {
    const char *section, *key, *path;
    FILE *errors;
    bool good;
};

__attribute__((format(printf, 2, 3))) static void warn(const struct file *file, const char *format, ...)
{
    va_list list;

    fprintf(file->errors, "warning: [certificate %s] %s: %s: ", file->section, file->key, file->path);
    va_start(list, format);
    vfprintf(file->errors, format, list);
    va_end(list);
    fputc('\n', file->errors);
}

__attribute__((format(printf, 2, 3))) static void fault(struct file *file, const char *format, ...)
{
    va_list list;

    file->good = false;
    fprintf(file->errors, "[certificate %s] %s: %s: ", file->section, file->key, file->path);
    va_start(list, format);
    vfprintf(file->errors, format, list);
    va_end(list);
    fputc('\n', file->errors);
}

const char *stream_tls_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    return reason == NULL ? "OpenSSL does not say why" : reason;
}

static BIO *open_file(struct file *file)
{
    BIO *bio;

    ERR_clear_error();
    errno = 0;
    bio = BIO_new_file(file->path, "r");
    if (bio == NULL)
        fault(file, "cannot be read: %s; it must be there for the user that strowger runs as",
              strerror(errno));
    return bio;
}

// Nobody sits there to be asked, and a prompt would block the start.
static int no_passphrase(char *text, int room, int writing, void *asked)
{
    (void)text, (void)room, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static void read_chain(struct tls_certificate *certificate, struct file *file)
{
    bool asked = false;
    int n = 0;
    BIO *bio = open_file(file);

    if (bio == NULL)
        return;
    for (X509 *next; n <= CHAIN_MAX && (next = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked)) != NULL;
         n++) {
        if (n == 0) {
            certificate->leaf = next;
        } else if (sk_X509_push(certificate->chain, next) == 0) {
            X509_free(next);
            break;
        }
    }
    BIO_free(bio);

    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (n > CHAIN_MAX)
        fault(file, "has more than %d certificates; give it the one to show and those that lead to its root",
              CHAIN_MAX);
    else if (n == 0 && at_end)
        fault(file, "has no certificate in it; give a PEM file, with \"-----BEGIN CERTIFICATE-----\"");
    else if (!at_end)
        fault(file, "certificate %d in it cannot be read: %s; write it anew", n + 1, stream_tls_reason());
    ERR_clear_error();
}

static void write_time(const ASN1_TIME *time, char *text, size_t room)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(text, room, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(text, room, "a time that cannot be read");
}

// NULL: now. A time that cannot be read is long ago.
static int64_t seconds(const ASN1_TIME *from, const ASN1_TIME *to)
{
    int days, rest;

    return ASN1_TIME_diff(&days, &rest, from, to) == 1 ? days * 86400LL + rest : INT64_MIN / 4;
}

// One that is made for days is renewed in days: then the last third of its time is soon.
static bool expires_soon(const ASN1_TIME *from, const ASN1_TIME *to)
{
    int64_t left = seconds(NULL, to);

    return left < SOON_S && left < seconds(from, to) / 3;
}

static void check_dates(struct file *file, const X509 *one, int n)
{
    const ASN1_TIME *from = X509_get0_notBefore(one), *to = X509_get0_notAfter(one);
    char first[64], last[64];

    write_time(from, first, sizeof(first));
    write_time(to, last, sizeof(last));
    if (seconds(NULL, to) <= 0)
        fault(file, "certificate %d in it expired on %s; get another one", n, last);
    else if (seconds(NULL, from) > 0)
        fault(file, "certificate %d in it is not valid before %s; set this machine's clock, or wait", n,
              first);
    else if (expires_soon(from, to))
        warn(file, "certificate %d in it expires on %s; get another one", n, last);
}

static bool any(void *owner, struct slice name)
{
    (void)owner, (void)name;
    return true;
}

static void check_chain(const struct tls_certificate *certificate, struct file *file)
{
    X509 *below = certificate->leaf;

    check_dates(file, below, 1);
    if (!stream_identity_each_shown(certificate->leaf, any, NULL))
        fault(file,
              "names no domain; get one with a subjectAltName of DNS:example.com or URI:sip:example.com");
    if (!stream_identity_usable(certificate->leaf))
        warn(file, "is meant neither for servers nor for SIP (extendedKeyUsage); peers may refuse it");
    for (int i = 0; i < sk_X509_num(certificate->chain); i++) {
        X509 *above = sk_X509_value(certificate->chain, i);

        check_dates(file, above, i + 2);
        if (X509_check_issued(above, below) != X509_V_OK)
            warn(file,
                 "certificate %d in it was not signed by %d; put them in order, or peers may not find the "
                 "root",
                 i + 1, i + 2);
        below = above;
    }
}

static void read_key(struct tls_certificate *certificate, struct file *file)
{
    struct stat status;
    bool asked = false;
    BIO *bio = open_file(file);

    if (bio == NULL)
        return;
    certificate->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    if (asked)
        fault(file, "is encrypted; take the passphrase off (openssl pkey -in FILE -out FILE)");
    else if (certificate->key == NULL)
        fault(file, "has no private key in it: %s; give a PEM file, with \"-----BEGIN PRIVATE KEY-----\"",
              stream_tls_reason());
    ERR_clear_error();
    // A warning: some keep the file where only they can look.
    if (stat(file->path, &status) == 0 && (status.st_mode & S_IRWXO) != 0)
        warn(file, "everybody on this machine may read it; chmod o= it");
}

static void check_key(const struct tls_certificate *certificate, struct file *file)
{
    if (X509_check_private_key(certificate->leaf, certificate->key) != 1)
        fault(file, "is not the key of the certificate in chain: %s; give the one that it was made with",
              stream_tls_reason());
    ERR_clear_error();
}

bool stream_tls_certificate_load(struct tls_certificate *certificate, const struct conf_certificate *from,
                                 FILE *errors)
{
    struct file chain = {from->name, "chain", from->chain, errors, true};
    struct file key = {from->name, "key", from->key, errors, true};

    *certificate = (struct tls_certificate){.chain = sk_X509_new_null()};
    if (certificate->chain == NULL) {
        fault(&chain, "no memory");
        return false;
    }
    read_chain(certificate, &chain);
    read_key(certificate, &key);
    if (chain.good)
        check_chain(certificate, &chain);
    if (certificate->leaf != NULL && certificate->key != NULL)
        check_key(certificate, &key);
    return chain.good && key.good;
}

void stream_tls_certificate_drop(struct tls_certificate *certificate)
{
    X509_free(certificate->leaf);
    EVP_PKEY_free(certificate->key);
    sk_X509_pop_free(certificate->chain, X509_free);
    *certificate = (struct tls_certificate){0};
}
