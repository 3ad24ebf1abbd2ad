// The edit list against a naive reference, at every headroom and tailroom.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sip/edit.h"

#define SIDE 600 // bytes of canary and room on each side

static struct sip_edits edits;
static uint64_t random_state = 11;

static uint32_t draw(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

// One edit as the test knows it, in the order of noting.
struct wish {
    uint32_t at, remove;
    struct slice text;
};

// Writes the message byte by byte with everything that is wished for at each offset.
static uint32_t apply_naively(const struct wish *wish, unsigned n, struct slice message, char *result)
{
    uint32_t len = 0, skip = 0;

    for (uint32_t at = 0; at <= message.len; at++) {
        for (unsigned i = 0; i < n; i++) {
            if (wish[i].at != at)
                continue;
            memcpy(result + len, wish[i].text.at, wish[i].text.len);
            len += wish[i].text.len;
            skip = wish[i].remove > 0 ? wish[i].remove : skip;
        }
        if (skip > 0)
            skip--;
        else if (at < message.len)
            result[len++] = message.at[at];
    }
    return len;
}

// Edits that do not overlap, in any order of noting.
static unsigned make_wishes(struct wish *wish, unsigned most, uint32_t len)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    unsigned n = 0;

    for (uint32_t at = draw(20); at <= len && n < most; at += draw(30)) {
        uint32_t remove = draw(3) ? draw(20) : 0;
        if (remove > len - at)
            remove = len - at;
        uint32_t text_len = draw(4) == 0 ? remove : draw(40);
        wish[n++] = (struct wish){at, remove, slice_of(text + draw(20), text_len)};
        if (draw(4) == 0 && n < most)
            wish[n++] = (struct wish){at, 0, slice_of(text, draw(9))};
        at += remove;
    }
    for (unsigned i = n; i > 1; i--) {
        unsigned other = draw(i);
        struct wish kept = wish[i - 1];
        wish[i - 1] = wish[other];
        wish[other] = kept;
    }
    return n;
}

static void note(const struct wish *wish, unsigned n)
{
    sip_edits_clear(&edits);
    for (unsigned i = 0; i < n; i++)
        sip_edits_replace(&edits, (uint16_t)wish[i].at, (uint16_t)wish[i].remove, wish[i].text);
}

struct buffer {
    char bytes[SIDE + 400 + SIDE];
    char before[SIDE + 400 + SIDE];
};

static void fill_buffer(struct buffer *buffer, uint32_t len)
{
    for (unsigned i = 0; i < sizeof(buffer->bytes); i++)
        buffer->bytes[i] = (char)(i < SIDE || i >= SIDE + len ? 0xee : 0x80 | (i * 7));
    memcpy(buffer->before, buffer->bytes, sizeof(buffer->bytes));
}

// Applies with the rooms given and looks at every byte that may and may not have changed.
static void check_apply(struct buffer *buffer, uint32_t len, struct slice wanted, uint32_t headroom,
                        uint32_t tailroom)
{
    struct sip_edited edited = {0, 0};
    enum sip_error error = sip_edits_apply(&edits, buffer->bytes + SIDE, len, headroom, tailroom, &edited);

    if (wanted.len > len + headroom + tailroom) {
        assert_int_equal(error, SIP_ERROR_EDIT_ROOM);
        assert_memory_equal(buffer->bytes, buffer->before, sizeof(buffer->bytes));
        return;
    }
    assert_int_equal(error, SIP_OK);
    assert_int_equal(edited.len, wanted.len);
    assert_true(edited.start >= -(int32_t)headroom);
    assert_true(edited.start + (int64_t)edited.len <= (int64_t)len + tailroom);
    assert_memory_equal(buffer->bytes + SIDE + edited.start, wanted.at, wanted.len);
    assert_memory_equal(buffer->bytes, buffer->before, SIDE - headroom);
    uint32_t behind = SIDE + len + tailroom;
    assert_memory_equal(buffer->bytes + behind, buffer->before + behind, sizeof(buffer->bytes) - behind);
}

static void test_edit_gives_what_a_naive_rewrite_gives(void **state)
{
    static struct buffer buffer;
    static char result[8192];
    struct wish wish[24];

    (void)state;
    for (unsigned round = 0; round < 1500; round++) {
        uint32_t len = draw(400);
        unsigned n = make_wishes(wish, draw(24), len);
        fill_buffer(&buffer, len);
        struct slice message = slice_of(buffer.before + SIDE, len);
        struct slice wanted = slice_of(result, apply_naively(wish, n, message, result));
        uint32_t step = 1 + draw(60);
        for (uint32_t headroom = 0; headroom <= 240; headroom += step) {
            for (uint32_t tailroom = 0; tailroom <= 240; tailroom += step) {
                fill_buffer(&buffer, len);
                note(wish, n);
                check_apply(&buffer, len, wanted, headroom, tailroom);
            }
        }
    }
}

// The second message is the same one, in exactly its room, whose last byte is the last that is written.
static void test_edit_written_elsewhere_gives_the_same(void **state)
{
    static struct buffer buffer;
    static char result[8192];
    struct wish wish[24];

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        char message[400];
        uint32_t len = draw(400), written = 0;
        unsigned n = make_wishes(wish, draw(24), len);
        for (unsigned i = 0; i < len; i++)
            message[i] = (char)(0x80 | (i * 7));
        struct slice wanted = slice_of(result, apply_naively(wish, n, slice_of(message, len), result));
        fill_buffer(&buffer, 0);
        note(wish, n);
        if (wanted.len > 0) {
            assert_int_equal(sip_edits_write(&edits, slice_of(message, len), buffer.bytes + SIDE,
                                             wanted.len - 1, &written),
                             SIP_ERROR_EDIT_ROOM);
            assert_memory_equal(buffer.bytes, buffer.before, sizeof(buffer.bytes));
        }
        assert_int_equal(
            sip_edits_write(&edits, slice_of(message, len), buffer.bytes + SIDE, wanted.len, &written),
            SIP_OK);
        assert_int_equal(written, wanted.len);
        assert_memory_equal(buffer.bytes + SIDE, wanted.at, wanted.len);
        assert_memory_equal(buffer.bytes, buffer.before, SIDE);
        assert_memory_equal(buffer.bytes + SIDE + written, buffer.before + SIDE + written,
                            sizeof(buffer.bytes) - SIDE - written);
    }
}

// Every pair of rooms around what three edits need.
static void test_edit_uses_the_last_byte_of_room(void **state)
{
    static struct buffer buffer;
    char result[200];
    const struct wish wish[] = {
        {5, 2, SLICE("abcdefgh")}, {0, 0, SLICE("<<<")}, {40, 1, SLICE("")}, {40, 0, SLICE(">>>>>>")}};

    (void)state;
    fill_buffer(&buffer, 60);
    struct slice wanted =
        slice_of(result, apply_naively(wish, 4, slice_of(buffer.before + SIDE, 60), result));
    for (uint32_t headroom = 0; headroom <= 20; headroom++) {
        for (uint32_t tailroom = 0; tailroom <= 20; tailroom++) {
            fill_buffer(&buffer, 60);
            note(wish, 4);
            check_apply(&buffer, 60, wanted, headroom, tailroom);
        }
    }
}

static struct sip_edited apply_to(char *bytes, uint32_t len, uint32_t headroom, uint32_t tailroom)
{
    struct sip_edited edited = {99, 99};

    assert_int_equal(sip_edits_apply(&edits, bytes, len, headroom, tailroom, &edited), SIP_OK);
    return edited;
}

static void test_edit_of_the_same_length_moves_nothing(void **state)
{
    char bytes[] = "Max-Forwards: 70, hop: 12";

    (void)state;
    sip_edits_clear(&edits);
    sip_edits_replace(&edits, 14, 2, SLICE("69"));
    sip_edits_replace(&edits, 23, 2, SLICE("13"));
    struct sip_edited edited = apply_to(bytes, sizeof(bytes) - 1, 0, 0);
    assert_int_equal(edited.start, 0);
    assert_string_equal(bytes, "Max-Forwards: 69, hop: 13");
}

static void test_edit_leaves_the_longest_piece_where_it_is(void **state)
{
    char bytes[300];

    (void)state;
    memset(bytes, 'b', sizeof(bytes));
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 10, SLICE("Via"));
    assert_int_equal(apply_to(bytes + 50, 100, 50, 50).start, -3); // the 10 bytes before it move
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 90, SLICE("Via"));
    assert_int_equal(apply_to(bytes + 50, 100, 50, 50).start, 0); // the 10 bytes behind it move
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 90, SLICE("Via"));
    assert_int_equal(apply_to(bytes + 50, 100, 50, 0).start, -3); // no room behind
    // The middle is the longest of three, whatever the ends together are.
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 30, SLICE("12345"));
    sip_edits_remove(&edits, 70, 5);
    assert_int_equal(apply_to(bytes + 50, 100, 50, 50).start, -5);
}

static void test_edit_splits_growth_when_neither_side_has_it_all(void **state)
{
    char bytes[40];

    (void)state;
    memset(bytes, '-', sizeof(bytes));
    memcpy(bytes + 10, "0123456789", 10);
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 5, SLICE("abcdef"));
    struct sip_edited edited = apply_to(bytes + 10, 10, 3, 3);
    assert_int_equal(edited.len, 16);
    assert_memory_equal(bytes + 10 + edited.start, "01234abcdef56789", 16);
}

static void assert_refused(uint32_t len)
{
    char bytes[64] = "unchanged message that is long enough to be edited";
    char before[64];
    struct sip_edited edited;

    memcpy(before, bytes, sizeof(bytes));
    assert_int_equal(sip_edits_apply(&edits, bytes, len, 0, 10, &edited), SIP_ERROR_EDIT_ROOM);
    assert_memory_equal(bytes, before, sizeof(bytes));
}

static void test_edit_refuses_what_overlaps_or_lies_outside(void **state)
{
    (void)state;
    sip_edits_clear(&edits);
    sip_edits_remove(&edits, 10, 5);
    sip_edits_remove(&edits, 14, 2);
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_remove(&edits, 10, 5);
    sip_edits_insert(&edits, 12, SLICE("x"));
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_remove(&edits, 10, 5);
    sip_edits_remove(&edits, 10, 5);
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_remove(&edits, 38, 5);
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 41, SLICE("x"));
    assert_refused(40);
}

static void test_edit_refuses_a_full_or_open_list(void **state)
{
    static char much[SIP_EDIT_TEXT + 1];

    (void)state;
    sip_edits_clear(&edits);
    for (unsigned i = 0; i <= SIP_EDITS_MAX; i++) {
        assert_false(edits.full);
        sip_edits_insert(&edits, 0, SLICE(""));
    }
    assert_refused(40);
    sip_edits_clear(&edits);
    memset(much, 'x', sizeof(much));
    sip_edits_insert(&edits, 0, slice_of(much, SIP_EDIT_TEXT));
    assert_false(edits.full);
    sip_edits_insert(&edits, 0, SLICE("x"));
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 0, slice_of(much, sizeof(much)));
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_begin(&edits, 0, 0);
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_end(&edits);
    assert_refused(40);
    sip_edits_clear(&edits);
    sip_edits_put(&edits, SLICE("nowhere"));
    assert_refused(40);
}

static void test_edit_puts_pieces_and_numbers_together(void **state)
{
    char bytes[100] = "ab";

    (void)state;
    sip_edits_clear(&edits);
    sip_edits_begin(&edits, 1, 0);
    sip_edits_put(&edits, SLICE("<"));
    sip_edits_put_number(&edits, 0);
    sip_edits_put(&edits, (struct slice){NULL, 0});
    sip_edits_put(&edits, SLICE(","));
    sip_edits_put_number(&edits, UINT64_MAX);
    sip_edits_put(&edits, SLICE(">"));
    sip_edits_end(&edits);
    struct sip_edited edited = apply_to(bytes, 2, 0, 90);
    assert_int_equal(edited.len, 26);
    assert_memory_equal(bytes, "a<0,18446744073709551615>b", 26);
}

static void test_edit_keeps_the_order_at_one_offset(void **state)
{
    char bytes[40] = "0123456789";

    (void)state;
    sip_edits_clear(&edits);
    sip_edits_insert(&edits, 4, SLICE("a"));
    sip_edits_replace(&edits, 4, 2, SLICE("b"));
    sip_edits_insert(&edits, 4, SLICE("c"));
    sip_edits_insert(&edits, 6, SLICE("d"));
    struct sip_edited edited = apply_to(bytes, 10, 0, 20);
    assert_int_equal(edited.start, 0);
    assert_memory_equal(bytes, "0123abcd6789", edited.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_gives_what_a_naive_rewrite_gives),
        cmocka_unit_test(test_edit_written_elsewhere_gives_the_same),
        cmocka_unit_test(test_edit_uses_the_last_byte_of_room),
        cmocka_unit_test(test_edit_of_the_same_length_moves_nothing),
        cmocka_unit_test(test_edit_leaves_the_longest_piece_where_it_is),
        cmocka_unit_test(test_edit_splits_growth_when_neither_side_has_it_all),
        cmocka_unit_test(test_edit_refuses_what_overlaps_or_lies_outside),
        cmocka_unit_test(test_edit_refuses_a_full_or_open_list),
        cmocka_unit_test(test_edit_puts_pieces_and_numbers_together),
        cmocka_unit_test(test_edit_keeps_the_order_at_one_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
