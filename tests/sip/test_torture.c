// What the parser makes of the messages of RFC 4475 and RFC 5118.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// behind the four that it needs
#include <cmocka.h>

#include "fence.h"
#include "sip/contact.h"
#include "sip/credentials.h"
#include "sip/cseq.h"
#include "sip/message.h"
#include "sip/token.h"
#include "sip/via.h"
#include "torture.h"

static struct sip_message message;

// Every element of a comma list, by one of the parsers below; the error of the first that is none.
static enum sip_error read_list(struct slice value, bool (*take)(struct cursor *c), enum sip_error behind)
{
    struct cursor c = cursor_over(value);

    do {
        if (!take(&c))
            return (enum sip_error)c.error;
        sip_skip_space(&c);
    } while (cursor_skip(&c, ','));
    return cursor_done(&c) ? SIP_OK : behind;
}

static bool take_via(struct cursor *c)
{
    struct sip_via via;

    return sip_via_take(c, &via);
}

static bool take_address(struct cursor *c)
{
    struct sip_address address;

    return sip_address_take(c, &address);
}

static bool take_contact(struct cursor *c)
{
    struct sip_contact contact;

    return sip_contact_take(c, &contact);
}

static enum sip_error read_cseq(struct slice value)
{
    struct sip_cseq cseq;
    enum sip_error error = sip_cseq_parse(value, &cseq);

    if (error != SIP_OK || message.kind == SIP_RESPONSE)
        return error;
    bool same = slice_equal(cseq.method_text, sip_message_span(&message, message.method_text));
    return same ? SIP_OK : SIP_ERROR_CSEQ_METHOD;
}

static enum sip_error read_line(unsigned line)
{
    struct slice value = sip_message_value(&message, line);
    struct sip_address address;
    struct sip_credentials credentials;

    switch (message.lines[line].id) {
    case SIP_HEADER_VIA:
        return read_list(value, take_via, SIP_ERROR_VIA);
    case SIP_HEADER_FROM:
    case SIP_HEADER_TO:
        return sip_address_parse(value, &address);
    case SIP_HEADER_CONTACT:
        return read_list(value, take_contact, SIP_ERROR_CONTACT);
    case SIP_HEADER_ROUTE:
    case SIP_HEADER_RECORD_ROUTE:
        return read_list(value, take_address, SIP_ERROR_ROUTE);
    case SIP_HEADER_CSEQ:
        return read_cseq(value);
    case SIP_HEADER_AUTHORIZATION:
        return sip_credentials_parse(value, &credentials);
    default:
        return SIP_OK;
    }
}

static enum sip_error read_message(struct slice bytes)
{
    struct sip_uri uri;
    enum sip_error error = sip_message_parse(&message, bytes.at, bytes.len);

    if (error == SIP_OK)
        error = sip_message_check(&message);
    if (error == SIP_OK && message.kind == SIP_REQUEST)
        error = sip_uri_parse(sip_message_span(&message, message.uri), &uri);
    for (unsigned line = 0; line < message.lines_n && error == SIP_OK; line++)
        error = read_line(line);
    return error;
}

// Into `message`, right before a page that cannot be read; it must be sound.
static void read_sound(const char *name)
{
    struct slice bytes = torture_read(name);

    assert_int_equal(read_message(fence_copy(bytes.at, bytes.len)), SIP_OK);
}

static struct slice first(enum sip_header id)
{
    return sip_message_first(&message, id);
}

static void assert_text(struct slice slice, const char *text)
{
    if (!slice_equal(slice, slice_text(text)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_PRINT(slice), text);
}

static bool is_in_table(struct slice name)
{
    for (unsigned i = 0; i < torture_n; i++) {
        if (slice_equal(name, slice_text(torture[i].name)))
            return true;
    }
    return false;
}

static void test_every_message_has_its_verdict(void **state)
{
    DIR *directory = opendir(TORTURE_DIRECTORY);
    const struct dirent *entry;
    unsigned n = 0;

    (void)state;
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        struct slice name = slice_text(entry->d_name);
        if (name.len < 4 || strcmp(name.at + name.len - 4, ".dat") != 0)
            continue;
        if (!is_in_table(slice_of(name.at, name.len - 4)))
            fail_msg("%s is not in the table", name.at);
        n++;
    }
    closedir(directory);
    assert_int_equal(n, torture_n);
}

static void test_the_parsers_verdict_on_each(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (unsigned i = 0; i < torture_n; i++) {
        struct slice bytes = torture_read(torture[i].name);
        enum sip_error error = read_message(fence_copy(bytes.at, bytes.len));
        printf("%-30s %-14s %-16s %s\n", torture[i].name, torture[i].section, torture_error_name(error),
               torture[i].why);
        if (error == torture[i].error)
            continue;
        wrong++;
        printf("%30s should be %s\n", "", torture_error_name(torture[i].error));
    }
    assert_int_equal(wrong, 0);
}

static unsigned count(enum sip_header id)
{
    unsigned n = 0;

    SIP_FOREACH_LINE(line, &message, id)
        n++;
    return n;
}

// The nth Contact, one in a line.
static struct sip_contact contact(unsigned n)
{
    struct sip_contact contact = {.q = 0};

    SIP_FOREACH_LINE(line, &message, SIP_HEADER_CONTACT) {
        struct cursor c = cursor_over(sip_message_value(&message, line));
        assert_true(sip_contact_take(&c, &contact));
        if (n-- == 0)
            break;
    }
    return contact;
}

static struct sip_uri uri_of(struct slice text)
{
    struct sip_uri uri;

    assert_int_equal(sip_uri_parse(text, &uri), SIP_OK);
    return uri;
}

static struct sip_uri request_uri(void)
{
    return uri_of(sip_message_span(&message, message.uri));
}

static struct sip_address address_of(enum sip_header id)
{
    struct sip_address address;

    assert_int_equal(sip_address_parse(first(id), &address), SIP_OK);
    return address;
}

static void assert_aor(const struct sip_uri *uri, struct slice expected)
{
    char aor[SIP_AOR_MAX];
    struct slice is = slice_of(aor, sip_uri_write_aor(uri, aor));

    if (!slice_equal(is, expected))
        fail_msg("\"%.*s\" is not \"%.*s\"", SLICE_PRINT(is), SLICE_PRINT(expected));
}

static void test_wsinv_is_read_through_its_folds(void **state)
{
    struct sip_cseq cseq;
    struct sip_via via;

    (void)state;
    read_sound("wsinv");
    assert_int_equal(message.lines_n, 14);
    assert_true(message.folded);
    assert_text(address_of(SIP_HEADER_TO).tag, "1918181833n");
    struct sip_address from = address_of(SIP_HEADER_FROM);
    assert_text(from.display, "\"J Rosenberg \\\\\\\"\"");
    assert_text(from.tag, "98asjd8");
    assert_int_equal(sip_cseq_parse(first(SIP_HEADER_CSEQ), &cseq), SIP_OK);
    assert_int_equal(cseq.number, 9);
    assert_text(first(SIP_HEADER_MAX_FORWARDS), "0068");
    assert_int_equal(first(SIP_HEADER_SUBJECT).len, 0);
    assert_int_equal(count(SIP_HEADER_VIA), 2);
    unsigned line = sip_message_next(&message, message.first[SIP_HEADER_VIA]);
    struct cursor c = cursor_over(sip_message_value(&message, line));
    assert_true(sip_via_take(&c, &via));
    assert_text(via.branch, "z9hG4bK9ikj8");
    assert_true(cursor_skip(&c, ',') && sip_via_take(&c, &via));
    assert_text(via.host, "192.168.255.111");
    assert_text(via.branch, "z9hG4bK30239");
    assert_int_equal(contact(0).q, 330);
    assert_int_equal(message.body_len, 150);
}

static void test_intmeth_keeps_every_odd_byte(void **state)
{
    (void)state;
    read_sound("intmeth");
    assert_int_equal(message.method, SIP_METHOD_OTHER);
    assert_text(sip_message_span(&message, message.method_text),
                "!interesting-Method0123456789_*+`.%indeed'~");
    struct sip_uri uri = request_uri();
    assert_text(uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    assert_text(uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
    assert_text(uri.host, "example.com");
    // a quoted NUL and all that is behind it
    assert_true(slice_equal(address_of(SIP_HEADER_TO).display, SLICE("\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\"")));
    assert_text(address_of(SIP_HEADER_FROM).display, "token1~` token2'+_ token3*%!.-");
    assert_text(address_of(SIP_HEADER_FROM).tag, "_token~1'+`*%!-.");
    assert_text(first(SIP_HEADER_CALL_ID), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
}

static void test_esc01_undoes_escapes_once(void **state)
{
    (void)state;
    read_sound("esc01");
    struct sip_uri uri = request_uri();
    assert_text(uri.user, "sips%3Auser%40example.com");
    assert_aor(&uri, SLICE("sips:user@example.com@example.net"));
    uri = address_of(SIP_HEADER_TO).uri;
    assert_aor(&uri, SLICE("user@example.com"));
    uri = address_of(SIP_HEADER_FROM).uri;
    assert_aor(&uri, SLICE("I have spaces@example.net"));
    struct sip_uri caller = contact(0).address.uri;
    struct sip_uri once = uri_of(SLICE("sip:caller@host5.example.net;lr;name=value%2541"));
    struct sip_uri twice = uri_of(SLICE("sip:caller@host5.example.net;lr;name=valueA"));
    assert_true(sip_uri_equal(&caller, &once));
    assert_false(sip_uri_equal(&caller, &twice));
}

static void test_escnull_does_not_end_at_its_nulls(void **state)
{
    (void)state;
    read_sound("escnull");
    struct sip_uri to = address_of(SIP_HEADER_TO).uri;
    assert_aor(&to, SLICE("null-\0-null@example.com"));
    struct sip_uri one = contact(0).address.uri, other = contact(1).address.uri;
    assert_text(one.user, "%00");
    assert_text(other.user, "%00%00");
    assert_false(sip_uri_equal(&one, &other));
}

static void test_esc02_is_no_register_and_has_two_contacts(void **state)
{
    (void)state;
    read_sound("esc02");
    assert_int_equal(message.method, SIP_METHOD_OTHER);
    assert_int_equal(count(SIP_HEADER_CONTACT), 2);
    assert_text(contact(1).address.uri.user, "alias3");
    assert_text(address_of(SIP_HEADER_TO).display, "\"%Z%45\"");
}

static void test_longreq_is_read_to_its_end(void **state)
{
    struct sip_via via;
    unsigned last = 0;

    (void)state;
    read_sound("longreq");
    assert_int_equal(count(SIP_HEADER_VIA), 34);
    SIP_FOREACH_LINE(line, &message, SIP_HEADER_VIA)
        last = line;
    struct cursor c = cursor_over(sip_message_value(&message, last));
    assert_true(sip_via_take(&c, &via));
    assert_int_equal(via.branch.len, strlen("very") + 50 * strlen("long") + strlen("branchvalue"));
    assert_int_equal(address_of(SIP_HEADER_FROM).tag.len, strlen("12") + 50 * 3 + strlen("424"));
    assert_int_equal(address_of(SIP_HEADER_TO).uri.port, 6000);
    assert_int_equal(message.body_len, 150);
}

static void test_dblreq_ends_where_it_says(void **state)
{
    (void)state;
    read_sound("dblreq");
    assert_int_equal(message.method, SIP_METHOD_REGISTER);
    assert_int_equal(message.body_len, 0);
    assert_int_equal(message.len, message.body);
    assert_text(slice_of(message.bytes + message.len - 5, 5), "0\r\n\r\n");
}

static void test_semiuri_has_its_semicolon_in_the_user(void **state)
{
    (void)state;
    read_sound("semiuri");
    struct sip_uri uri = request_uri();
    assert_int_equal(uri.params.len, 0);
    assert_aor(&uri, SLICE("user;par=u@example.net@example.com"));
}

static void test_transports_are_told_apart(void **state)
{
    static const uint8_t transports[] = {SIP_TRANSPORT_UDP, SIP_TRANSPORT_SCTP, SIP_TRANSPORT_TLS,
                                         SIP_TRANSPORT_OTHER, SIP_TRANSPORT_TCP};
    unsigned n = 0;

    (void)state;
    read_sound("transports");
    SIP_FOREACH_LINE(line, &message, SIP_HEADER_VIA) {
        struct cursor c = cursor_over(sip_message_value(&message, line));
        struct sip_via via;
        assert_true(sip_via_take(&c, &via));
        assert_int_equal(via.transport, transports[n++]);
    }
    assert_int_equal(n, 5);
}

static void test_mpart01_has_its_binary_body_whole(void **state)
{
    (void)state;
    read_sound("mpart01");
    assert_int_equal(message.body_len, 553);
    assert_int_equal(message.len, torture_read("mpart01").len);
}

static void test_reason_phrases_are_anything_or_nothing(void **state)
{
    (void)state;
    read_sound("unreason");
    assert_int_equal(message.status, 200);
    assert_true(slice_starts(sip_message_span(&message, message.reason), SLICE("= 2**3 * 5**2 \xd0\xbd")));
    read_sound("noreason");
    assert_int_equal(message.status, 100);
    assert_int_equal(message.reason.len, 0);
}

static void test_parameters_are_the_uris_only_inside_of_brackets(void **state)
{
    (void)state;
    read_sound("cparam01");
    assert_text(contact(0).address.uri.text, "sip:+19725552222@gw1.example.net");
    assert_text(contact(0).address.params, ";unknownparam");
    read_sound("cparam02");
    assert_text(contact(0).address.uri.text, "sip:+19725552222@gw1.example.net;unknownparam");
    assert_int_equal(contact(0).address.params.len, 0);
    read_sound("regescrt");
    assert_text(contact(0).address.uri.headers, "Route=%3Csip:sip.example.com%3E");
}

// The top Via's answer address and the request-URI's address.
static void assert_endpoints(const char *name, const char *answer, const char *target)
{
    struct endpoint is, should;
    struct sip_via via;

    read_sound(name);
    struct cursor c = cursor_over(first(SIP_HEADER_VIA));
    assert_true(sip_via_take(&c, &via));
    assert_true(sip_via_response_endpoint(&via, &is) && endpoint_parse(slice_text(answer), &should));
    assert_true(endpoint_equal(&is, &should));
    struct sip_uri uri = request_uri();
    assert_int_equal(sip_uri_endpoint(&uri, &is), target != NULL);
    assert_true(target == NULL ||
                (endpoint_parse(slice_text(target), &should) && endpoint_equal(&is, &should)));
}

static void test_ipv6_addresses_are_read_where_they_stand(void **state)
{
    (void)state;
    assert_endpoints("ipv6-good", "[2001:db8::9:1]:5060", "[2001:db8::10]:5060");
    assert_endpoints("port-ambiguous", "[2001:db8::9:1]:5060", "[2001:db8::10:5070]:5060");
    assert_endpoints("port-unambiguous", "[2001:db8::9:1]:5060", "[2001:db8::10]:5070");
    assert_endpoints("via-received-param-with-delim", "[2001:db8::9:255]:5060", "[2001:db8::10]:5060");
    assert_endpoints("via-received-param-no-delim", "[2001:db8::9:255]:5060", "[2001:db8::10]:5060");
    assert_endpoints("mult-ip-in-header", "[2001:db8::9:1]:6050", NULL);
    assert_endpoints("ipv4-mapped-ipv6", "[::ffff:192.0.2.10]:19823", NULL);
}

static void test_a_third_colon_changes_no_address(void **state)
{
    struct endpoint bug, correct;

    (void)state;
    read_sound("ipv6-bug-abnf-3-colons");
    struct sip_uri uri = request_uri();
    assert_true(sip_uri_endpoint(&uri, &bug));
    read_sound("ipv6-correct-abnf-2-colons");
    uri = request_uri();
    assert_true(sip_uri_endpoint(&uri, &correct));
    assert_true(endpoint_equal(&bug, &correct));
}

// What RFC 5118 4.6 means to test, behind the slip in its Content-Length.
static void test_ipv6_in_sdp_with_its_true_length(void **state)
{
    char bytes[1024];
    struct slice torn = torture_read("ipv6-in-sdp");

    (void)state;
    memcpy(bytes, torn.at, torn.len);
    char *length = memmem(bytes, torn.len, "268", 3);
    assert_non_null(length);
    memcpy(length, "251", 3);
    assert_int_equal(read_message(fence_copy(bytes, torn.len)), SIP_OK);
    assert_int_equal(message.body_len, 251);
    assert_int_equal(message.len, torn.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_message_has_its_verdict),
        cmocka_unit_test(test_the_parsers_verdict_on_each),
        cmocka_unit_test(test_wsinv_is_read_through_its_folds),
        cmocka_unit_test(test_intmeth_keeps_every_odd_byte),
        cmocka_unit_test(test_esc01_undoes_escapes_once),
        cmocka_unit_test(test_escnull_does_not_end_at_its_nulls),
        cmocka_unit_test(test_esc02_is_no_register_and_has_two_contacts),
        cmocka_unit_test(test_longreq_is_read_to_its_end),
        cmocka_unit_test(test_dblreq_ends_where_it_says),
        cmocka_unit_test(test_semiuri_has_its_semicolon_in_the_user),
        cmocka_unit_test(test_transports_are_told_apart),
        cmocka_unit_test(test_mpart01_has_its_binary_body_whole),
        cmocka_unit_test(test_reason_phrases_are_anything_or_nothing),
        cmocka_unit_test(test_parameters_are_the_uris_only_inside_of_brackets),
        cmocka_unit_test(test_ipv6_addresses_are_read_where_they_stand),
        cmocka_unit_test(test_a_third_colon_changes_no_address),
        cmocka_unit_test(test_ipv6_in_sdp_with_its_true_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
