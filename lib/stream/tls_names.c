#include <stdlib.h>

#include "stream/identity.h"
#include "stream/tls.h"

struct tls_name {
    SSL_CTX *context; // one of tls->servers
    uint32_t len;
    char text[256];
};

struct adding {
    struct stream_tls *tls;
    SSL_CTX *context;
    bool failed;
};

static bool add(void *owner, struct slice name)
{
    struct adding *adding = owner;
    struct stream_tls *tls = adding->tls;
    struct tls_name *more = realloc(tls->names, (tls->names_n + 1) * sizeof(*more));

    if (more == NULL) {
        adding->failed = true;
        return true;
    }
    tls->names = more;
    more += tls->names_n++;
    more->context = adding->context;
    more->len = name.len < sizeof(more->text) ? name.len : sizeof(more->text);
    memcpy(more->text, name.at, more->len);
    return false;
}

bool stream_tls_names_add(struct stream_tls *tls, const X509 *certificate, SSL_CTX *context)
{
    struct adding adding = {tls, context, false};

    stream_identity_each_shown(certificate, add, &adding);
    return !adding.failed;
}

SSL_CTX *stream_tls_names_find(const struct stream_tls *tls, struct slice asked)
{
    SSL_CTX *covering = NULL;

    for (unsigned i = 0; i < tls->names_n; i++) {
        struct slice name = slice_of(tls->names[i].text, tls->names[i].len);

        if (slice_equal_nocase(name, asked))
            return tls->names[i].context;
        if (covering == NULL && stream_identity_covers(name, asked))
            covering = tls->names[i].context;
    }
    return covering;
}

void stream_tls_names_free(struct stream_tls *tls)
{
    free(tls->names);
}
