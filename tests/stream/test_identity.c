// Whom a certificate names: RFC 5922 7.1 and 7.2 case by case, usages as RFC 5924 has them.
#include <openssl/x509v3.h>

#include "certificates.h"
#include "stream/identity.h"

#define CASES(table) (sizeof(table) / sizeof((table)[0]))

static struct certificates made;

static X509 *with(const char *subject, const char *san, const char *usage)
{
    struct wanted wanted = {.name = "one", .subject = subject, .san = san, .usage = usage};

    certificates_make(&made, &wanted);
    return certificates_read(&made, "one");
}

struct list {
    char text[512];
};

static bool append(void *owner, struct slice name)
{
    struct list *list = owner;
    size_t len = strlen(list->text);

    snprintf(list->text + len, sizeof(list->text) - len, "%s%.*s", len > 0 ? " " : "", SLICE_PRINT(name));
    return false;
}

static void test_identities_are_found_as_rfc5922_says(void **state)
{
    static const struct {
        const char *subject, *san, *identities, *shown;
    } cases[] = {
        // 7.1 step 1, URI
        {"cn.example", "URI:sip:example.com", "example.com", "example.com"},
        {"cn.example", "URI:SIP:example.com", "example.com", "example.com"},
        {"cn.example", "URI:sip:example.com:5061;transport=tcp", "example.com", "example.com"},
        {"cn.example", "URI:sips:example.com", "", ""},
        {"cn.example", "URI:http://example.com", "", ""},
        {"cn.example", "URI:sip:alice@example.com", "", ""},
        {"cn.example", "URI:sip:alice@example.com,DNS:example.com", "example.com", "example.com"},
        {"cn.example", "URI:sip:a.example,URI:sip:b.example", "a.example b.example", "a.example b.example"},
        // DNS if and only if there is no such URI
        {"cn.example", "DNS:example.com", "example.com", "example.com"},
        {"cn.example", "DNS:a.example,DNS:b.example", "a.example b.example", "a.example b.example"},
        {"cn.example", "DNS:proxy.example.com,URI:sip:example.com", "example.com",
         "example.com proxy.example.com"},
        {"cn.example", "email:alice@example.com", "", ""},
        {"cn.example", "IP:192.0.2.1", "", ""},
        // 7.2: a wildcard matches nothing, and so names nobody
        {"cn.example", "DNS:*.example.com", "", "*.example.com"},
        {"cn.example", "DNS:*.com", "", ""},
        {"cn.example", "DNS:a*.example.com", "", ""},
        // step 2: the common name only where there is no subjectAltName
        {"cn.example", NULL, "cn.example", "cn.example"},
        {"*.cn.example", NULL, "", "*.cn.example"},
        {"An operator's name", NULL, "", ""},
    };

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        X509 *certificate = with(cases[i].subject, cases[i].san, NULL);
        struct list identities = {""}, shown = {""};

        assert_false(stream_identity_each(certificate, append, &identities));
        assert_string_equal(identities.text, cases[i].identities);
        assert_false(stream_identity_each_shown(certificate, append, &shown));
        assert_string_equal(shown.text, cases[i].shown);
        X509_free(certificate);
    }
}

static void test_identities_are_compared_as_rfc5922_says(void **state)
{
    static const struct {
        const char *san, *name;
        bool is;
    } cases[] = {
        {"DNS:example.com", "example.com", true},
        {"DNS:Example.COM", "eXample.com", true},
        {"URI:sip:EXAMPLE.com", "example.com", true},
        // in their entirety
        {"DNS:example.com", "foo.example.com", false},
        {"DNS:foo.example.com", "example.com", false},
        {"DNS:example.com", "example.co", false},
        {"DNS:example.com", "example.com.", false},
        {"DNS:example.com", "", false},
        // no form of wildcard
        {"DNS:*.example.com", "foo.example.com", false},
        {"DNS:*.example.com", "*.example.com", false},
        {"DNS:.example.com", "foo.example.com", false},
        // DNS counts where no URI does
        {"URI:sip:a.example,DNS:b.example", "a.example", true},
        {"URI:sip:a.example,DNS:b.example", "b.example", false},
        {"DNS:a.example,DNS:b.example", "b.example", true},
        // addresses
        {"IP:192.0.2.1", "192.0.2.1", true},
        {"IP:192.0.2.1", "192.0.2.2", false},
        {"DNS:192.0.2.1", "192.0.2.1", false},
        {"IP:2001:db8::1", "[2001:db8::1]", true},
        {"IP:2001:db8::1", "2001:DB8:0::1", true},
        {"IP:2001:db8::1", "[2001:db8::2]", false},
        {"IP:192.0.2.1,IP:192.0.2.2", "192.0.2.2", true},
        {"URI:sip:192.0.2.1", "192.0.2.1", true},
        {"URI:sip:[2001:db8::1]", "[2001:db8:0:0::1]", true},
        {"DNS:example.com", "192.0.2.1", false},
    };

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        X509 *certificate = with("cn.example", cases[i].san, NULL);

        if (stream_identity_is(certificate, slice_text(cases[i].name)) != cases[i].is)
            fail_msg("%s and %s", cases[i].san, cases[i].name);
        X509_free(certificate);
    }
}

static bool take_first(void *owner, struct slice name)
{
    append(owner, name);
    return true;
}

static void test_a_walk_ends_where_it_is_told_to(void **state)
{
    X509 *certificate = with("cn.example", "DNS:a.example,DNS:b.example", NULL);
    struct list list = {""};

    (void)state;
    assert_true(stream_identity_each(certificate, take_first, &list));
    assert_string_equal(list.text, "a.example");
    X509_free(certificate);
}

// "example.com" NUL ".evil.example" must not read as the first half.
static void test_a_name_with_a_nul_in_it_is_none(void **state)
{
    static const unsigned char text[] = "example.com\0.evil.example";
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();
    X509 *certificate = X509_new();
    struct list list = {""};

    (void)state;
    assert_int_equal(ASN1_STRING_set(string, text, sizeof(text) - 1), 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, string);
    assert_true(sk_GENERAL_NAME_push(names, name) > 0);
    assert_int_equal(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
    assert_false(stream_identity_is(certificate, SLICE("example.com")));
    assert_false(stream_identity_each_shown(certificate, append, &list));
    assert_string_equal(list.text, "");
    GENERAL_NAMES_free(names);
    X509_free(certificate);
}

// Neither is such an extension as good as none: then the common name would count.
static void test_a_broken_extension_names_nobody(void **state)
{
    static const unsigned char garbage[] = {0x30, 0x7f, 0x01};
    X509 *certificate = X509_new();
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    struct list list = {""};

    (void)state;
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"cn.example", -1, -1, 0);
    assert_true(stream_identity_is(certificate, SLICE("cn.example")));
    assert_int_equal(ASN1_OCTET_STRING_set(value, garbage, sizeof(garbage)), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    assert_false(stream_identity_is(certificate, SLICE("cn.example")));
    assert_false(stream_identity_each(certificate, append, &list));
    assert_string_equal(list.text, "");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    X509_free(certificate);
}

static void test_usages_allow_sip_or_tls(void **state)
{
    static const struct {
        const char *usage;
        bool usable;
    } cases[] = {
        {NULL, true},
        {"1.3.6.1.5.5.7.3.20", true}, // id-kp-sipDomain
        {"anyExtendedKeyUsage", true},
        {"serverAuth", true},
        {"clientAuth", true},
        {"codeSigning,serverAuth", true},
        {"codeSigning", false},
        {"emailProtection,timeStamping", false},
        {"1.3.6.1.5.5.7.3.200", false},
    };

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        X509 *certificate = with("cn.example", NULL, cases[i].usage);

        if (stream_identity_usable(certificate) != cases[i].usable)
            fail_msg("%s", cases[i].usage == NULL ? "none" : cases[i].usage);
        X509_free(certificate);
    }
}

static void test_a_wildcard_covers_one_label(void **state)
{
    static const struct {
        const char *shown, *asked;
        bool covers;
    } cases[] = {
        {"example.com", "EXAMPLE.com", true},
        {"example.com", "a.example.com", false},
        {"*.example.com", "a.example.com", true},
        {"*.Example.com", "A.example.COM", true},
        {"*.example.com", "example.com", false},
        {"*.example.com", ".example.com", false},
        {"*.example.com", "a.b.example.com", false},
        {"*.com", "example.com", false},
        {"*", "example", false},
        {"*.example.com", "", false},
    };

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        if (stream_identity_covers(slice_text(cases[i].shown), slice_text(cases[i].asked)) != cases[i].covers)
            fail_msg("%s and %s", cases[i].shown, cases[i].asked);
    }
}

static int begin(void **state)
{
    (void)state;
    certificates_begin(&made);
    return 0;
}

static int end(void **state)
{
    (void)state;
    certificates_end(&made);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identities_are_found_as_rfc5922_says),
        cmocka_unit_test(test_identities_are_compared_as_rfc5922_says),
        cmocka_unit_test(test_a_walk_ends_where_it_is_told_to),
        cmocka_unit_test(test_a_name_with_a_nul_in_it_is_none),
        cmocka_unit_test(test_a_broken_extension_names_nobody),
        cmocka_unit_test(test_usages_allow_sip_or_tls),
        cmocka_unit_test(test_a_wildcard_covers_one_label),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
