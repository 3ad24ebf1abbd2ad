#include <openssl/x509v3.h>

#include "stream/identity.h"
#include "stream/tls.h"

// What may be in keyUsage where there is one: TLS signs, or agrees on a key.
#define KEY_USAGES (KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT | KU_KEY_ENCIPHERMENT)

// Usages bind whoever signed as well as whom he signed for (RFC 5280 4.2.1.12), but not the root, which is trusted for
// itself.
static bool usable(const STACK_OF(X509) * chain)
{
    int n = sk_X509_num(chain);

    if ((X509_get_key_usage(sk_X509_value(chain, 0)) & KEY_USAGES) == 0)
        return false;
    for (int i = 0; i == 0 || i < n - 1; i++) {
        if (!stream_identity_usable(sk_X509_value(chain, i)))
            return false;
    }
    return true;
}

static int refuse(X509_STORE_CTX *chain, int error)
{
    X509_STORE_CTX_set_error(chain, error);
    return 0;
}

int stream_tls_verify(X509_STORE_CTX *chain, void *unused)
{
    const SSL *session = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls_terms *terms = SSL_get_app_data(session);

    (void)unused;
    // OpenSSL's own idea of a purpose knows no SIP (RFC 5924).
    X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(chain), X509_PURPOSE_ANY);
    if (X509_verify_cert(chain) <= 0)
        return 0;
    if (!usable(X509_STORE_CTX_get0_chain(chain)))
        return refuse(chain, X509_V_ERR_INVALID_PURPOSE);
    // RFC 5922 7.3: before anything is said over it.
    if (terms->outgoing && !stream_identity_is(X509_STORE_CTX_get0_cert(chain), slice_text(terms->expected)))
        return refuse(chain, X509_V_ERR_HOSTNAME_MISMATCH);
    return 1;
}
