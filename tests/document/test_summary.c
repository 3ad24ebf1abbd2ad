// Messages waiting (RFC 3842 5.2).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "document/summary.h"
#include "fence.h"

static char bytes[DOCUMENT_SUMMARY_ROOM];

static const struct good {
    struct slice from, to;
    bool waiting;
    struct slice account;
} good[] = {
    {SLICE("Messages-Waiting: no\r\n"), SLICE("Messages-Waiting: no\r\n"), false, SLICE("")},
    {SLICE("messages-waiting:YES"), SLICE("messages-waiting:YES\r\n"), true, SLICE("")},
    // RFC 3842 3.5
    {SLICE("Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n"
           "Voice-Message: 2/8 (0/2)\r\n"),
     SLICE("Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n"
           "Voice-Message: 2/8 (0/2)\r\n"),
     true, SLICE("sip:alice@vmail.example.com")},
    {SLICE("Messages-Waiting: yes \nVoice-Message : 4294967295 / 0(1 /2)\nfax-message: 0/0\n"),
     SLICE("Messages-Waiting: yes\r\nVoice-Message : 4294967295 / 0(1 /2)\r\nfax-message: 0/0\r\n"), true,
     SLICE("")},
    {SLICE("Messages-Waiting: no\r\nmessage-account:<sip:alice@example.com>\r\nVoice-Message: 0/1"),
     SLICE("Messages-Waiting: no\r\nMessage-Account: sip:alice@example.com\r\nVoice-Message: 0/1\r\n"), false,
     SLICE("sip:alice@example.com")},
    // RFC 3842 5.1: the headers of messages are for nobody's first NOTIFY (3.5, 3.8)
    {SLICE("Messages-Waiting: yes\r\nVoice-Message: 4/8 (1/2)\r\n\r\nTo: <alice@atlanta.example.com>\r\n"
           "From: <bob@biloxi.example.com>\r\nSubject: carpool\r\n tomorrow?\r\n\r\nTo: "
           "<cathy@example.com>\r\n"),
     SLICE("Messages-Waiting: yes\r\nVoice-Message: 4/8 (1/2)\r\n"), true, SLICE("")},
};

static const struct slice bad[] = {
    SLICE(""),
    SLICE("\r\n"),
    SLICE("Messages-Waiting"),
    SLICE("Messages-Waiting:\r\n"),
    SLICE("Messages-Waiting: maybe\r\n"),
    SLICE("Voice-Message: 1/0\r\n"),
    SLICE("Messages-Waiting: yes\r\nVoice-Message: 1\r\n"),
    SLICE("Messages-Waiting: yes\r\nVoice-Message: 1/\r\n"),
    SLICE("Messages-Waiting: yes\r\nVoice-Message: -1/0\r\n"),
    SLICE("Messages-Waiting: yes\r\nVoice-Message: 4294967296/0\r\n"),
    SLICE("Messages-Waiting: yes\r\nVoice-Message: 1/0 (1/2\r\n"),
    SLICE("Messages-Waiting: yes\r\nVoice-Message: 1/0 (1/2) x\r\n"),
    SLICE("Messages-Waiting: yes\r\nVoice Message: 1/0\r\n"),
    SLICE("Messages-Waiting: yes\r\n: 1/0\r\n"),
    SLICE("Messages-Waiting: yes\r\nMessages-Waiting: no\r\n"),
    SLICE("Messages-Waiting: yes\r\nMessage-Account: \r\n"),
    SLICE("Messages-Waiting: yes\r\nMessage-Account: <>\r\n"),
    SLICE("Messages-Waiting: yes\r\nMessage-Account: <\t>\r\n"),
    SLICE("Messages-Waiting: yes\r\nMessage-Account: <<sip:a@b>>\r\n"),
    SLICE("Messages-Waiting: yes\r\nMessage-Account: Bob <sip:a@b>\r\n"),
    SLICE("Messages-Waiting: yes\r\nMessage-Account: sip:a@b\r\nMessage-Account: sip:c@d\r\n"),
    SLICE("Messages-Waiting: yes\r\nMessage-Account: sip:a\1@b\r\n"),
    SLICE("Messages-Waiting: yes\r\n\r\nno header\r\n"),
    SLICE("Messages-Waiting: yes\r\n\r\nSubject: a\0b\r\n"),
    SLICE("Messages-Waiting: yes\r\n\r\nSubject: a\rb\r\n"),
    SLICE("<?xml version='1.0'?>"),
};

static void test_good_summaries_are_passed_on_in_lines(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct slice from = fence_copy(good[i].from.at, good[i].from.len);
        struct document_text text = document_text_over(bytes, sizeof(bytes));
        struct document_summary summary;

        assert_int_equal(document_summary_read(from, &summary, &text), DOCUMENT_OK);
        assert_true(slice_equal(slice_of(text.at, text.len), good[i].to));
        assert_int_equal(summary.waiting, good[i].waiting);
        assert_true(slice_equal(summary.account, good[i].account));
    }
}

static void test_bad_summaries_are_refused(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct slice from = fence_copy(bad[i].at, bad[i].len);
        struct document_text text = document_text_over(bytes, sizeof(bytes));
        struct document_summary summary;

        if (document_summary_read(from, &summary, &text) == DOCUMENT_MALFORMED)
            continue;
        fprintf(stderr, "taken: %.*s\n", SLICE_PRINT(bad[i]));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_a_summary_that_is_too_long_is_refused(void **state)
{
    static char lines[DOCUMENT_SUMMARY_MAX + 1] = "Messages-Waiting: yes\n";
    struct document_text text = document_text_over(bytes, sizeof(bytes));
    struct document_summary summary;

    (void)state;
    memset(lines + strlen(lines), '\n', sizeof(lines) - strlen(lines));
    assert_int_equal(document_summary_read(slice_of(lines, DOCUMENT_SUMMARY_MAX), &summary, &text),
                     DOCUMENT_OK);
    text.len = 0;
    assert_int_equal(document_summary_read(slice_of(lines, sizeof(lines)), &summary, &text),
                     DOCUMENT_TOO_LARGE);
    text = document_text_over(bytes, 20);
    assert_int_equal(document_summary_read(good[0].from, &summary, &text), DOCUMENT_TOO_LARGE);
}

static void test_nothing_published_is_nothing_waiting(void **state)
{
    struct document_text text = document_text_over(bytes, sizeof(bytes));
    struct document_summary summary;

    (void)state;
    assert_int_equal(document_summary_none(SLICE("sip:alice@example.com"), &text), DOCUMENT_OK);
    struct slice none = fence_copy(text.at, text.len);
    assert_true(
        slice_equal(none, SLICE("Messages-Waiting: no\r\nMessage-Account: sip:alice@example.com\r\n")));
    text.len = 0;
    assert_int_equal(document_summary_read(none, &summary, &text), DOCUMENT_OK);
    assert_false(summary.waiting);
    text.len = 0;
    assert_int_equal(document_summary_none(SLICE(""), &text), DOCUMENT_OK);
    assert_true(slice_equal(slice_of(text.at, text.len), SLICE("Messages-Waiting: no\r\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_summaries_are_passed_on_in_lines),
        cmocka_unit_test(test_bad_summaries_are_refused),
        cmocka_unit_test(test_a_summary_that_is_too_long_is_refused),
        cmocka_unit_test(test_nothing_published_is_nothing_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
