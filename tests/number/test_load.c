// What is taken for a prefix file, and what is said of the rest.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

#define FAULT_COMMA(line, text) "csv:" line ": \"" text "\" has no comma; expected PREFIX,NAME\n"
#define FAULT_PREFIX(line, text) \
    "csv:" line ": \"" text "\" is no prefix; expected 1 to 15 digits, perhaps with + in front\n"
#define FAULT_NAME(line, text) \
    "csv:" line ": \"" text "\" is no [gateways] section; expected the NAME of one\n"
#define FAULT_TWICE(line, text) "csv:" line ": \"" text "\" stands on an earlier line already\n"

static void test_every_form_of_a_right_file_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *csv;
        uint64_t prefixes;
        int found; // for 4930
    } cases[] = {
        {"4930,g1\n", 1, 1},
        {"4930,g1", 1, 1}, // no newline at the end
        {"4930,g1\r\n49,g2\r\n", 2, 1},
        {"\xef\xbb\xbf"
         "4930,g1\n",
         1, 1},
        {"\xef\xbb\xbfprefix,gateways\n4930,g1\n", 1, 1},
        {"prefix,gateways\n4930,g1\n", 1, 1},
        {"# of today\n\nPrefix,Gateways\n4930,g1\n", 1, 1},
        {"\"4930\",\"g1\"\n", 1, 1},
        {" 4930 ,\tg1 \n", 1, 1},
        {"\n\n\n4930,g1\n\n\n", 1, 1},
        {"#4930,g2\n4930,g1\n#\n", 1, 1},
        {"4930,g1\n+4930,g2\n49300,g3\n", 3, 1},
        {"493012345678901,g1\n49,g3\n", 2, 3},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f = {0};
        fixture_load_text(&f, cases[i].csv);
        if (f.error != 0)
            fail_msg("case %u: %s", i, f.faults);
        assert_string_equal(f.faults, "");
        assert_int_equal(number_table_prefixes(f.table), cases[i].prefixes);
        assert_int_equal(fixture_find(&f, "4930"), cases[i].found);
        fixture_close(&f);
    }
}

static void test_every_fault_is_told_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *csv, *faults;
    } cases[] = {
        {"49\n", FAULT_COMMA("1", "49")},
        {"# c\n\n49,g1\n48;g1\n", FAULT_COMMA("4", "48;g1")},
        {",g1\n", FAULT_PREFIX("1", "")},
        {"+,g1\n", FAULT_PREFIX("1", "+")},
        {"4a,g1\n", FAULT_PREFIX("1", "4a")},
        {"4-9,g1\n", FAULT_PREFIX("1", "4-9")},
        {"49+,g1\n", FAULT_PREFIX("1", "49+")},
        {"1234567890123456,g1\n", FAULT_PREFIX("1", "1234567890123456")},
        {"49,\n", FAULT_NAME("1", "")},
        {"49,h1\n", FAULT_NAME("1", "h1")},
        {"49,many\n", FAULT_NAME("1", "many")},
        {"49,g1,g2\n", FAULT_NAME("1", "g1,g2")},
        {"49,\"g1\n", FAULT_NAME("1", "\"g1")},
        {"49,g1\n48,g1\n49,g1\n", FAULT_TWICE("3", "49")},
        {"49,g1\r\nx\r\n49,g2", FAULT_COMMA("2", "x") FAULT_TWICE("3", "49")},
        {"49,g1\nprefix,gateways\n", FAULT_PREFIX("2", "prefix")},
        {"49,\x1b[2Jg1\xff\n", FAULT_NAME("1", "\\x1b[2Jg1\\xff")},
        {"49,0123456789012345678901234567890123456789x\n",
         FAULT_NAME("1", "0123456789012345678901234567890123456789…")},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f = {0};
        fixture_load_text(&f, cases[i].csv);
        assert_int_equal(f.error, -EINVAL);
        assert_null(f.table);
        assert_string_equal(f.faults, cases[i].faults);
        fixture_close(&f);
    }
}

static void test_nul_is_a_byte_like_others(void **state)
{
    (void)state;
    static const char csv[] = "49,g1\n4\0008,g1\n47,g\0001\n\000\n";
    struct fixture f = {0};

    fixture_load(&f, csv, sizeof(csv) - 1);
    assert_int_equal(f.error, -EINVAL);
    assert_string_equal(f.faults,
                        FAULT_PREFIX("2", "4\\x008") FAULT_NAME("3", "g\\x001") FAULT_COMMA("4", "\\x00"));
    fixture_close(&f);
}

static void test_huge_lines_are_skipped_and_told(void **state)
{
    (void)state;
    static const size_t sizes[] = {1025, 1026, 65535, 65536, 65537, 131072, 1000000};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        for (unsigned end = 0; end < 2; end++) { // in the middle of the file; at its end without a newline
            struct fixture f = {0};
            char *csv = malloc(sizes[i] + 100);
            size_t len = (size_t)sprintf(csv, "49,g1\n");
            memset(csv + len, '4', sizes[i]);
            len += sizes[i];
            if (end == 0)
                len += (size_t)sprintf(csv + len, "\n49,g1\n");
            fixture_load(&f, csv, len);
            assert_int_equal(f.error, -EINVAL);
            assert_string_equal(
                f.faults, end == 0
                              ? "csv:2: is longer than any line can be that is right\n" FAULT_TWICE("3", "49")
                              : "csv:2: is longer than any line can be that is right\n");
            free(csv);
            fixture_close(&f);
        }
    }
}

static void test_a_line_of_the_longest_length_is_right(void **state)
{
    (void)state;
    char csv[1100];
    struct fixture f = {0};

    memset(csv, ' ', sizeof(csv));
    memcpy(csv, "49,", 3);
    memcpy(csv + 1022, "g1\n", 4);
    fixture_load_text(&f, csv);
    assert_string_equal(f.faults, "");
    assert_int_equal(fixture_find(&f, "49"), 1);
    fixture_close(&f);
}

static void test_a_hundred_faults_are_told_and_the_rest_counted(void **state)
{
    (void)state;
    char csv[1024] = "";
    unsigned told = 0;
    struct fixture f = {0};

    for (unsigned i = 0; i < 250; i++)
        strcat(csv, "x\n");
    fixture_load_text(&f, csv);
    for (const char *at = f.faults; (at = strchr(at, '\n')) != NULL; at++)
        told++;
    assert_int_equal(told, 101);
    assert_non_null(strstr(f.faults, "csv: 150 more\n"));
    fixture_close(&f);
}

static void test_lines_across_the_buffers_end_are_whole(void **state)
{
    (void)state;
    enum { LINES = 300000 };
    struct fixture f = {0};
    char *csv = malloc(LINES * 16), *at = csv;

    for (unsigned i = 0; i < LINES; i++)
        at += sprintf(at, "1%06u,g%u\n", i, i % 97);
    fixture_load(&f, csv, (size_t)(at - csv));
    assert_string_equal(f.faults, "");
    assert_int_equal(number_table_prefixes(f.table), LINES);
    assert_in_range(f.asked, 97, 1000); // not once a line
    for (unsigned i = 0; i < LINES; i += 13) {
        char number[16];
        sprintf(number, "1%06u99", i);
        assert_int_equal(fixture_find(&f, number), i % 97);
    }
    free(csv);
    fixture_close(&f);
}

static void test_progress_is_told_every_million_lines(void **state)
{
    (void)state;
    struct fixture f = {0};
    enum { BYTES = 2000001 };
    char *csv = malloc(BYTES);

    memset(csv, '\n', BYTES);
    fixture_load(&f, csv, BYTES);
    assert_int_equal(f.error, 0);
    assert_int_equal(f.lines, 2000000);
    free(csv);
    fixture_close(&f);
}

static int never(void *owner, struct slice name)
{
    (void)owner;
    (void)name;
    fail();
    return -1;
}

static void test_files_that_cannot_be_read_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int error;
    } cases[] = {{"/nonexistent/numbers.csv", -ENOENT}, {"/", -EISDIR}, {"", -ENOENT}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct number_table *table;
        assert_int_equal(number_table_load(&table, cases[i].path, never, NULL, stderr, NULL, &memory_system,
                                           MEMORY_ANY_NODE),
                         cases[i].error);
        assert_null(table);
    }
}

// Somebody writes to the file while it is read.
static int grow(void *owner, struct slice name)
{
    FILE *file = fopen(owner, "a");

    (void)name;
    assert_non_null(file);
    for (unsigned i = 0; i < 100; i++)
        fprintf(file, "48%u,g\n", i);
    fclose(file);
    return 1;
}

static void test_a_file_that_grows_is_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/strowger-number-XXXXXX";
    struct number_table *table;
    FILE *file = fdopen(mkstemp(path), "w");

    assert_non_null(file);
    fputs("49,g\n", file);
    fclose(file);
    int error = number_table_load(&table, path, grow, path, stderr, NULL, &memory_system, MEMORY_ANY_NODE);
    unlink(path);
    assert_int_equal(error, -EBUSY);
    assert_null(table);
}

static void test_all_is_given_back_when_memory_fails(void **state)
{
    (void)state;

    for (unsigned fail = 1; fail <= 2; fail++) {
        struct fixture f = {.counted.fail = fail};
        fixture_load_text(&f, "49,g1\n");
        assert_int_equal(f.error, -ENOMEM);
        assert_null(f.table);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form_of_a_right_file_is_taken),
        cmocka_unit_test(test_every_fault_is_told_with_its_line),
        cmocka_unit_test(test_nul_is_a_byte_like_others),
        cmocka_unit_test(test_huge_lines_are_skipped_and_told),
        cmocka_unit_test(test_a_line_of_the_longest_length_is_right),
        cmocka_unit_test(test_a_hundred_faults_are_told_and_the_rest_counted),
        cmocka_unit_test(test_lines_across_the_buffers_end_are_whole),
        cmocka_unit_test(test_progress_is_told_every_million_lines),
        cmocka_unit_test(test_files_that_cannot_be_read_say_why),
        cmocka_unit_test(test_a_file_that_grows_is_refused),
        cmocka_unit_test(test_all_is_given_back_when_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
