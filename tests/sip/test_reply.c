// Responses made out of their requests, and the words in them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "sip/date.h"
#include "sip/error.h"
#include "sip/message.h"
#include "sip/reply.h"
#include "sip/status.h"

#define ROOM 512

static struct sip_edits edits;
static char buffer[ROOM + 8192 + ROOM];

// Parses, notes the reply and applies it. The result is in `buffer`.
static struct slice reply_to(const char *request, const struct sip_reply *reply)
{
    static struct sip_message message;
    struct sip_edited edited = {0, 0};
    size_t len = strlen(request);

    memcpy(buffer + ROOM, request, len);
    sip_message_parse(&message, buffer + ROOM, len);
    assert_int_equal(message.kind, SIP_REQUEST);
    sip_reply_note(&message, reply, &edits);
    assert_int_equal(sip_edits_apply(&edits, buffer + ROOM, message.len, ROOM, ROOM, &edited), SIP_OK);
    return slice_of(buffer + ROOM + edited.start, edited.len);
}

static void assert_reply(const char *request, const struct sip_reply *reply, const char *wanted)
{
    sip_edits_clear(&edits);
    struct slice is = reply_to(request, reply);
    if (!slice_equal(is, slice_text(wanted)))
        fail_msg("is:\n%.*s\nwanted:\n%s", SLICE_PRINT(is), wanted);
}

static void test_reply_keeps_what_a_response_copies(void **state)
{
    const struct sip_reply reply = {.status = 404, .to_tag = SLICE("t2")};

    (void)state;
    assert_reply("INVITE sip:b@example.com SIP/2.0\r\n"
                 "Max-Forwards: 70\r\n"
                 "v: SIP/2.0/UDP a;branch=1\r\n"
                 "Contact: <sip:a@a>\r\n"
                 "Via: SIP/2.0/UDP b;branch=2\r\n"
                 "From: <sip:a@example.com>;tag=1\r\n"
                 "Timestamp: 5\r\n"
                 "t: <sip:b@example.com>\r\n"
                 "Record-Route: <sip:p;lr>\r\n"
                 "Call-ID: c\r\n"
                 "CSeq: 1 INVITE\r\n"
                 "Content-Length: 4\r\n\r\nbody and more",
                 &reply,
                 "SIP/2.0 404 Not Found\r\n"
                 "v: SIP/2.0/UDP a;branch=1\r\n"
                 "Via: SIP/2.0/UDP b;branch=2\r\n"
                 "From: <sip:a@example.com>;tag=1\r\n"
                 "t: <sip:b@example.com>;tag=t2\r\n"
                 "Call-ID: c\r\n"
                 "CSeq: 1 INVITE\r\n"
                 "Content-Length: 0\r\n\r\n");
}

// RFC 3261 8.2.6.1 and 12.1.1.
static void test_reply_100_keeps_timestamp_and_180_record_route(void **state)
{
    static const char request[] =
        "INVITE sip:b SIP/2.0\r\nVia: x\r\nTimestamp: 5\r\nRecord-Route: <sip:p;lr>\r\n"
        "To: <sip:b>\r\n\r\n";
    const struct sip_reply trying = {.status = 100};
    const struct sip_reply ringing = {.status = 180, .record_route = true};

    (void)state;
    assert_reply(request, &trying,
                 "SIP/2.0 100 Trying\r\nVia: x\r\nTimestamp: 5\r\nTo: <sip:b>\r\nContent-Length: 0\r\n\r\n");
    assert_reply(request, &ringing,
                 "SIP/2.0 180 Ringing\r\nVia: x\r\nRecord-Route: <sip:p;lr>\r\nTo: <sip:b>\r\n"
                 "Content-Length: 0\r\n\r\n");
}

static void test_reply_adds_no_second_tag(void **state)
{
    const struct sip_reply reply = {.status = 200, .to_tag = SLICE("new")};

    (void)state;
    assert_reply("BYE sip:b SIP/2.0\r\nTo: \"tag=\" <sip:b;tag=uri>;tag=old\r\n\r\n", &reply,
                 "SIP/2.0 200 OK\r\nTo: \"tag=\" <sip:b;tag=uri>;tag=old\r\nContent-Length: 0\r\n\r\n");
    assert_reply("BYE sip:b SIP/2.0\r\nTo: \"tag=\" <sip:b;tag=uri>;x=y \r\n\r\n", &reply,
                 "SIP/2.0 200 OK\r\nTo: \"tag=\" <sip:b;tag=uri>;x=y;tag=new \r\nContent-Length: 0\r\n\r\n");
    assert_reply("BYE sip:b SIP/2.0\r\nTo:\r\n sip:b\r\n\r\n", &reply,
                 "SIP/2.0 200 OK\r\nTo:\r\n sip:b;tag=new\r\nContent-Length: 0\r\n\r\n");
    assert_reply("BYE sip:b SIP/2.0\r\nTo: \"open <sip:b>\r\n\r\n", &reply,
                 "SIP/2.0 200 OK\r\nTo: \"open <sip:b>\r\nContent-Length: 0\r\n\r\n");
}

static void test_reply_takes_own_reason_and_lines(void **state)
{
    const struct sip_reply reply = {
        .status = 420, .reason = "No Such Thing", .lines = SLICE("Unsupported: foo\r\nServer: s\r\n")};

    (void)state;
    assert_reply("\r\nOPTIONS sip:b SIP/2.0\r\nVia: x\r\n\r\n", &reply,
                 "SIP/2.0 420 No Such Thing\r\nVia: x\r\nUnsupported: foo\r\nServer: s\r\n"
                 "Content-Length: 0\r\n\r\n");
}

static void test_reply_goes_with_edits_of_the_top_via(void **state)
{
    static const char request[] = "OPTIONS sip:b SIP/2.0\r\nExpires: 1\r\nVia: x;rport\r\nExpires: 1\r\n\r\n";
    const struct sip_reply reply = {.status = 200};

    (void)state;
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, (uint16_t)(strstr(request, ";rport") + 6 - request),
                     SLICE("=9;received=192.0.2.1"));
    struct slice is = reply_to(request, &reply);
    assert_true(slice_equal(is, SLICE("SIP/2.0 200 OK\r\nVia: x;rport=9;received=192.0.2.1\r\n"
                                      "Content-Length: 0\r\n\r\n")));
}

// What could be read of a broken request is answered in a whole response.
static void test_reply_to_broken_requests_is_well_formed(void **state)
{
    static const char *const requests[] = {
        "INVITE <sip:b> SIP/2.0\r\nVia: x\r\n\r\n",
        "INVITE sip:b SIP/9.0\r\nVia: x\r\n\r\n",
        "INVITE sip:b SIP/2.0\r\n leading fold\r\nVia: x\r\nno colon\r\n : :\r\n\r\nbody",
        "INVITE sip:b SIP/2.0\r\nVia: x\r\nExpires: 1\r\ntorn li",
        "INVITE sip:b SIP/2.0\r\nVia: x\r\nContent-Length: 99\r\n\r\nshort",
    };
    const struct sip_reply reply = {.status = 400};

    (void)state;
    for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        assert_reply(requests[i], &reply, "SIP/2.0 400 Bad Request\r\nVia: x\r\nContent-Length: 0\r\n\r\n");
}

static void test_reply_to_the_largest_index_fits_the_list(void **state)
{
    static char request[8000];
    const struct sip_reply reply = {.status = 513};
    static struct sip_message message;

    (void)state;
    int len = sprintf(request, "INVITE sip:b SIP/2.0\r\n");
    for (unsigned i = 0; i < 200; i++) // every second line goes: as many edits as there can be
        len += sprintf(request + len, i % 2 ? "Via: x\r\n" : "X: y\r\n");
    strcpy(request + len, "\r\n");
    sip_edits_clear(&edits);
    struct slice is = reply_to(request, &reply);
    assert_int_equal(sip_message_parse(&message, is.at, is.len), SIP_OK);
    assert_int_equal(message.kind, SIP_RESPONSE);
    assert_int_equal(message.lines_n, SIP_LINES_MAX / 2 + 1);
}

static void test_status_reasons(void **state)
{
    (void)state;
    assert_string_equal(sip_status_reason(404), "Not Found");
    assert_string_equal(sip_status_reason(699), "Busy Everywhere");
    assert_string_equal(sip_status_reason(199), "Early Dialog Terminated");
    assert_string_equal(sip_status_reason(299), "OK");
    for (unsigned status = 0; status <= UINT16_MAX; status++)
        assert_true(sip_status_reason((uint16_t)status)[0] != '\0');
}

static void test_error_rows_answer_with_a_client_or_server_error_or_not_at_all(void **state)
{
    (void)state;
    assert_int_equal(sip_error_status(SIP_ERROR_VERSION), 505);
    assert_int_equal(sip_error_status(SIP_ERROR_MISSING_VIA), 0);
    assert_string_equal(sip_error_text(SIP_ERROR_CSEQ), "Malformed CSeq");
    for (unsigned error = SIP_OK + 1; error < SIP_ERROR_COUNT; error++) {
        uint16_t status = sip_error_status((enum sip_error)error);
        assert_true(status == 0 || (status >= 400 && status < 600));
        assert_true(sip_error_text((enum sip_error)error)[0] != '\0');
    }
    assert_int_equal(sip_error_status(SIP_ERROR_COUNT), 0);
    assert_string_equal(sip_error_text(SIP_ERROR_COUNT), "Unknown Error");
}

// libc's calendar is the reference, from 1970 to the last second of 9999.
static void test_date_agrees_with_libc(void **state)
{
    static const uint64_t special[] = {0,          951782399,  951782400,   951868800,
                                       4107542400, 1289690940, 253402300799};
    char text[SIP_DATE_LEN], wanted[SIP_DATE_LEN + 1];

    (void)state;
    for (uint64_t i = 0; i < 60000; i++) {
        time_t at = (time_t)(i < 7 ? special[i] : i * 4223371u % 253402300800u * 7919 % 253402300800u);
        struct tm calendar;
        sip_date_write((uint64_t)at, text);
        strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &calendar));
        assert_memory_equal(text, wanted, SIP_DATE_LEN);
    }
    sip_date_write(1289690940, text);
    assert_memory_equal(text, "Sat, 13 Nov 2010 23:29:00 GMT", SIP_DATE_LEN); // RFC 3261 20.17
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_keeps_what_a_response_copies),
        cmocka_unit_test(test_reply_100_keeps_timestamp_and_180_record_route),
        cmocka_unit_test(test_reply_adds_no_second_tag),
        cmocka_unit_test(test_reply_takes_own_reason_and_lines),
        cmocka_unit_test(test_reply_goes_with_edits_of_the_top_via),
        cmocka_unit_test(test_reply_to_broken_requests_is_well_formed),
        cmocka_unit_test(test_reply_to_the_largest_index_fits_the_list),
        cmocka_unit_test(test_status_reasons),
        cmocka_unit_test(test_error_rows_answer_with_a_client_or_server_error_or_not_at_all),
        cmocka_unit_test(test_date_agrees_with_libc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
