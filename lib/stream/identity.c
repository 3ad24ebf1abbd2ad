#include "stream/identity.h"

#include <openssl/x509v3.h>

#include "base/endpoint.h"
#include "sip/uri.h"

static struct slice text_of(const ASN1_STRING *string)
{
    return slice_of((const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

// The bytes of a host name. A wildcard is none, nor is anything that ends early for who reads C strings.
static bool is_name(struct slice text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        char c = slice_lower(text.at[i]);
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return text.len > 0 && text.len < 256;
}

// With one as its whole first label, and a domain of two labels at least behind it (RFC 6125 6.4.3).
static bool is_wildcard(struct slice text)
{
    if (text.len < 3 || text.at[0] != '*' || text.at[1] != '.')
        return false;

    struct slice domain = slice_of(text.at + 2, text.len - 2);
    return is_name(domain) && slice_find(domain, '.') < domain.len;
}

// The domain that a sip URI without a user stands for; empty: it is none (RFC 5922 7.1 step 1).
static struct slice host_of(const GENERAL_NAME *name)
{
    struct sip_uri uri;

    if (name->type != GEN_URI || sip_uri_parse(text_of(name->d.uniformResourceIdentifier), &uri) != SIP_OK ||
        uri.scheme != SIP_SCHEME_SIP || uri.user.at != NULL)
        return slice_of(NULL, 0);
    return uri.host;
}

static bool each_host(const GENERAL_NAMES *names, bool *found, stream_identity_take *take, void *owner)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        struct slice host = host_of(sk_GENERAL_NAME_value(names, i));

        if (host.len == 0)
            continue;
        *found = true;
        if (take(owner, host))
            return true;
    }
    return false;
}

static bool each_dns(const GENERAL_NAMES *names, bool wildcards, stream_identity_take *take, void *owner)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type != GEN_DNS)
            continue;
        struct slice text = text_of(name->d.dNSName);
        if ((is_name(text) || (wildcards && is_wildcard(text))) && take(owner, text))
            return true;
    }
    return false;
}

// The most specific one, which stands last.
static bool common_name(const X509 *certificate, bool wildcards, stream_identity_take *take, void *owner)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = -1;
    bool done = false;

    for (int next; (next = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        at = next;
    if (at < 0)
        return false;

    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0) {
        struct slice text = slice_of((char *)utf8, (size_t)len);
        done = (is_name(text) || (wildcards && is_wildcard(text))) && take(owner, text);
    }
    OPENSSL_free(utf8);
    return done;
}

// NULL with *absent false: it cannot be read, or stands there twice, and names nobody.
static GENERAL_NAMES *names_of(const X509 *certificate, bool *absent)
{
    int found;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, NULL);

    *absent = names == NULL && found == -1;
    return names;
}

bool stream_identity_each(const X509 *certificate, stream_identity_take *take, void *owner)
{
    bool absent, found = false;
    GENERAL_NAMES *names = names_of(certificate, &absent);
    bool done = each_host(names, &found, take, owner);

    // RFC 5922 7.1: DNS "if and only if no other identity is found that matches the sip URI type", and the common name
    // "if and only if the subjectAltName does not appear".
    if (absent)
        done = common_name(certificate, false, take, owner);
    else if (!found)
        done = each_dns(names, false, take, owner);
    GENERAL_NAMES_free(names);
    return done;
}

bool stream_identity_each_shown(const X509 *certificate, stream_identity_take *take, void *owner)
{
    bool absent, found = false;
    GENERAL_NAMES *names = names_of(certificate, &absent);
    bool done = absent ? common_name(certificate, true, take, owner)
                       : each_host(names, &found, take, owner) || each_dns(names, true, take, owner);

    GENERAL_NAMES_free(names);
    return done;
}

static bool same_name(void *owner, struct slice name)
{
    return slice_equal_nocase(*(const struct slice *)owner, name);
}

static bool same_address(void *owner, struct slice name)
{
    struct endpoint address;

    return endpoint_parse_host(name, &address) && endpoint_same_address(owner, &address);
}

// RFC 5922 knows domains alone; an address is proved as RFC 5280 4.2.1.6 has it, or in a URI's own way.
static bool has_address(const X509 *certificate, struct endpoint *address)
{
    bool absent, unused = false;
    GENERAL_NAMES *names = names_of(certificate, &absent);
    bool found = each_host(names, &unused, same_address, address);
    size_t bytes = address->family == ENDPOINT_IP4 ? 4 : 16;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_IPADD) {
            struct slice value = text_of(name->d.iPAddress);
            found = value.len == bytes && memcmp(value.at, address->address, bytes) == 0;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

bool stream_identity_is(const X509 *certificate, struct slice name)
{
    struct endpoint address;

    if (endpoint_parse_host(name, &address))
        return has_address(certificate, &address);
    return name.len > 0 && stream_identity_each(certificate, same_name, &name);
}

static bool allows(const EXTENDED_KEY_USAGE *usages)
{
    char oid[64];

    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);

        switch (OBJ_obj2nid(usage)) {
        case NID_anyExtendedKeyUsage:
        case NID_server_auth:
        case NID_client_auth:
            return true;
        default:
            // id-kp-sipDomain, which not every OpenSSL has a name for.
            if (OBJ_obj2txt(oid, sizeof(oid), usage, 1) > 0 && strcmp(oid, "1.3.6.1.5.5.7.3.20") == 0)
                return true;
        }
    }
    return false;
}

// RFC 5924 4.1 wants id-kp-sipDomain, and leaves to us what to think of a certificate without usages or for any. The
// two of TLS are taken as well, and either one at either end: no public authority issues any other, most of them no
// more for clients, and a SIP domain shows one certificate both ways (RFC 5922 5).
bool stream_identity_usable(X509 *certificate)
{
    int found;
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, &found, NULL);
    bool usable = usages == NULL ? found == -1 : allows(usages);

    EXTENDED_KEY_USAGE_free(usages);
    return usable;
}

bool stream_identity_covers(struct slice shown, struct slice asked)
{
    if (!is_wildcard(shown))
        return slice_equal_nocase(shown, asked);

    uint32_t label = slice_find(asked, '.');
    if (label == 0 || label == asked.len)
        return false;
    return slice_equal_nocase(slice_of(shown.at + 1, shown.len - 1),
                              slice_of(asked.at + label, asked.len - label));
}
