// All forms of the vector step, and of the loop around it, give one answer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fence.h"
#include "sip/head.h"
#include "sip/scan.h"

static uint64_t random_state = 7;

static uint32_t draw(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static struct sip_scan scan_by_byte(const char *from)
{
    struct sip_scan scan = {0, 0};

    for (unsigned i = 0; i < SIP_SCAN_BYTES; i++)
        scan.feeds |= (uint64_t)(from[i] == '\n') << i;
    while (scan.colon < 32 && from[scan.colon] != ':')
        scan.colon++;
    return scan;
}

static void assert_same(struct sip_scan a, struct sip_scan b)
{
    assert_int_equal(a.feeds, b.feeds);
    assert_int_equal(a.colon, b.colon);
}

static void check_levels(const char *from)
{
    struct sip_scan wanted = scan_by_byte(from);

    assert_same(sip_scan_portable(from), wanted);
#if defined(__x86_64__)
    if (sip_scan_level_best() >= SIP_SCAN_SSE42)
        assert_same(sip_scan_sse42(from), wanted);
    if (sip_scan_level_best() >= SIP_SCAN_AVX2)
        assert_same(sip_scan_avx2(from), wanted);
#endif
}

// Bytes that differ from a line feed or a colon in one bit, or carry into a neighbour, are what a word trick gets
// wrong.
static const char adversarial[] = {
    '\n', ':',      '\n' ^ 1, ':' ^ 1,    '\n' + 1,           ':' + 1, (char)('\n' | 0x80), 0, '\r',
    '\t', '\n' - 1, ':' - 1,  (char)0xff, (char)(':' | 0x80), 1,       (char)0x80};

static void test_scan_forms_agree_at_every_alignment(void **state)
{
    char text[192];

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned i = 0; i < sizeof(text); i++)
            text[i] = round % 2 ? adversarial[draw(sizeof(adversarial))] : (char)draw(256);
        struct slice guarded = fence_copy(text, sizeof(text));
        for (unsigned shift = 0; shift <= SIP_SCAN_BYTES; shift++)
            check_levels(guarded.at + guarded.len - SIP_SCAN_BYTES - shift);
    }
}

static void test_scan_forms_agree_on_each_single_byte(void **state)
{
    char text[SIP_SCAN_BYTES];

    (void)state;
    for (unsigned at = 0; at < SIP_SCAN_BYTES; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(text, byte == 'x' ? 'y' : 'x', sizeof(text));
            text[at] = (char)byte;
            check_levels(text);
        }
    }
}

static bool same_by_byte(const char *bytes, const uint64_t mask[4], const uint64_t word[4])
{
    const char *masks = (const char *)mask, *words = (const char *)word;

    for (unsigned i = 0; i < SIP_SCAN_SAME; i++) {
        if ((bytes[i] & masks[i]) != words[i])
            return false;
    }
    return true;
}

static void check_same(const char *bytes, const uint64_t mask[4], const uint64_t word[4])
{
    bool wanted = same_by_byte(bytes, mask, word);

    assert_int_equal(sip_scan_same_portable(bytes, mask, word), wanted);
#if defined(__x86_64__)
    if (sip_scan_level_best() >= SIP_SCAN_SSE42)
        assert_int_equal(sip_scan_same_sse42(bytes, mask, word), wanted);
    if (sip_scan_level_best() >= SIP_SCAN_AVX2)
        assert_int_equal(sip_scan_same_avx2(bytes, mask, word), wanted);
#endif
}

// Each single bit that differs, under the mask and outside of it.
static void test_scan_forms_agree_on_what_is_the_same(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        uint64_t mask[4], word[4];
        char bytes[SIP_SCAN_SAME];
        for (unsigned i = 0; i < SIP_SCAN_SAME; i++) {
            bytes[i] = (char)draw(256);
            ((char *)mask)[i] = (char)(draw(3) ? draw(256) : 0);
            ((char *)word)[i] = bytes[i] & ((char *)mask)[i];
        }
        check_same(bytes, mask, word);
        struct slice fenced = fence_copy(bytes, sizeof(bytes));
        assert_true(sip_scan_same_portable(fenced.at, mask, word));
        for (unsigned bit = 0; bit < 8 * SIP_SCAN_SAME; bit++) {
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            check_same(fence_copy(bytes, sizeof(bytes)).at, mask, word);
            bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
}

static void index_at(struct sip_message *message, struct slice text, enum sip_scan_level level,
                     enum sip_error *error)
{
    memset(message, 0, sizeof(*message));
    memset(message->first, SIP_NO_LINE, sizeof(message->first));
    message->bytes = text.at;
    message->len = (uint16_t)text.len;
    *error = sip_head_index(message, 0, level);
}

// A head put together from pieces that lie badly: at window ends, without colons, folded, empty, endless.
static uint32_t make_head(char *text, uint32_t room)
{
    static const char *const pieces[] = {
        "Via: SIP/2.0/UDP a.b;branch=z9hG4bK1",
        "v:x",
        "To : <sip:a@b>",
        "\r\n",
        "\n",
        "\r\n ",
        "\r\n\t",
        ":",
        " ",
        "\r",
        "X-Long-Name-Of-An-Extension: y",
        "Content-Length: 0",
        "Call-ID:",
        "i: abc",
        "CSeq: 1 INVITE",
        "\r\n\r\n",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    uint32_t len = 0, pieces_n = draw(40);

    for (uint32_t i = 0; i < pieces_n; i++) {
        const char *piece = pieces[draw(2) ? draw(17) : 3];
        uint32_t piece_len = (uint32_t)strlen(piece);
        if (len + piece_len > room)
            break;
        memcpy(text + len, piece, piece_len);
        len += piece_len;
    }
    if (len > 0 && draw(3) == 0)
        text[draw(len)] = (char)draw(256);
    return len;
}

static void test_head_forms_agree_up_to_the_guard_page(void **state)
{
    static struct sip_message portable, other;
    char text[4096];

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        enum sip_error wanted, error;
        struct slice head = fence_copy(text, make_head(text, sizeof(text)));
        index_at(&portable, head, SIP_SCAN_PORTABLE, &wanted);
        for (enum sip_scan_level level = SIP_SCAN_SSE42; level <= sip_scan_level_best(); level++) {
            index_at(&other, head, level, &error);
            assert_int_equal(error, wanted);
            assert_memory_equal(&other, &portable, sizeof(portable));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_forms_agree_at_every_alignment),
        cmocka_unit_test(test_scan_forms_agree_on_each_single_byte),
        cmocka_unit_test(test_scan_forms_agree_on_what_is_the_same),
        cmocka_unit_test(test_head_forms_agree_up_to_the_guard_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
