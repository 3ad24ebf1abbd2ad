// Rules and lists as the store keeps them. The formats are on disks: these bytes stay.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include "roster/record.h"
#include "sip/uri.h"

static void test_key_is_presentity_and_watcher(void **state)
{
    static const struct slice bad[] = {
        {"", 0}, {"\0", 1}, {"\0\4a@bc", 6}, {"\0\0*", 3}, {"\0\7a@bc*", 7}, {"\2\1a@bc*", 7},
    };
    char key[ROSTER_KEY_MAX], longest[SIP_AOR_MAX + 1];
    struct slice presentity, watcher;

    (void)state;
    unsigned len = roster_record_key_write(SLICE("bob@a.example"), SLICE("*@b.example"), key);
    assert_int_equal(len, 26);
    assert_memory_equal(key, "\0\15bob@a.example*@b.example", len);
    assert_true(roster_record_key_read(slice_of(key, len), &presentity, &watcher));
    assert_true(slice_equal(presentity, SLICE("bob@a.example")) &&
                slice_equal(watcher, SLICE("*@b.example")));
    assert_int_equal(roster_record_key_write(SLICE("bob@a.example"), SLICE(""), key), 15);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(roster_record_key_read(bad[i], &presentity, &watcher));
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(roster_record_key_write(slice_of(longest, sizeof(longest)), SLICE("*"), key), 0);
    assert_int_equal(roster_record_key_write(SLICE("a@b"), slice_of(longest, sizeof(longest)), key), 0);
    len = roster_record_key_write(slice_of(longest, SIP_AOR_MAX),
                                  slice_of(longest, ROSTER_RULE_KEY - SIP_AOR_MAX), key);
    assert_int_equal(len, ROSTER_KEY_MAX);
    assert_true(roster_record_key_read(slice_of(key, len), &presentity, &watcher));
    assert_int_equal(presentity.len, SIP_AOR_MAX);
}

static void test_rule_is_a_version_and_a_decision(void **state)
{
    static const struct slice bad[] = {{"", 0},     {"\1", 1},   {"\1\0", 2},
                                       {"\1\5", 2}, {"\2\1", 2}, {"\1\1\1", 3}};
    uint8_t value[ROSTER_RULE_VALUE];
    enum roster_decision decision;

    (void)state;
    for (unsigned i = ROSTER_BLOCK; i < ROSTER_DECISIONS; i++) {
        roster_record_rule_write((enum roster_decision)i, value);
        assert_int_equal(value[0], 1);
        assert_int_equal(value[1], i);
        assert_true(roster_record_rule_read(slice_of((char *)value, sizeof(value)), &decision));
        assert_int_equal(decision, i);
    }
    assert_int_equal(ROSTER_BLOCK, 1);
    assert_int_equal(ROSTER_CONFIRM, 2);
    assert_int_equal(ROSTER_POLITE, 3);
    assert_int_equal(ROSTER_ALLOW, 4);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(roster_record_rule_read(bad[i], &decision));
}

static void test_list_is_a_version_and_its_members(void **state)
{
    static const struct roster_member members[] = {
        {SLICE("sip:bob@a"), SLICE("bob@a"), SLICE("Bob")},
        {SLICE("tel:+1-2"), SLICE("+12"), SLICE("")},
    };
    static const char wanted[] = "\1\11\3\0sip:bob@aBob\10\0\3tel:+1-2+12";
    struct roster_member member;
    char value[64];
    struct slice rest;

    (void)state;
    unsigned len = roster_record_list_write(members, 2, value, sizeof(value));
    assert_int_equal(len, sizeof(wanted) - 1);
    assert_memory_equal(value, wanted, len);
    for (unsigned room = 0; room < len; room++)
        assert_int_equal(roster_record_list_write(members, 2, value, room), 0);
    assert_true(roster_record_list_read(slice_of(wanted, len), &rest));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(roster_record_member_read(&rest, &member));
        assert_true(slice_equal(member.uri, members[i].uri) && slice_equal(member.aor, members[i].aor) &&
                    slice_equal(member.name, members[i].name));
    }
    assert_int_equal(rest.len, 0);
    assert_false(roster_record_member_read(&rest, &member));
}

// Whatever a disk makes of it: some members, then an end, and no byte beyond.
static void test_damaged_list_is_noticed(void **state)
{
    static const struct slice bad[] = {
        {"", 0},
        {"\1", 1},
        {"\2\5\0\0sip:a", 9},
    };
    static const struct slice bad_members[] = {
        {"\5\0", 2},      {"\5\0\0sip:", 7}, {"\0\0\3a@b", 6},
        {"\3\0\0abc", 6}, {"\4\0\0sip:", 7}, {"\377\1\1", 3},
    };
    struct roster_member member;
    struct slice rest;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(roster_record_list_read(bad[i], &rest));
    for (unsigned i = 0; i < sizeof(bad_members) / sizeof(*bad_members); i++) {
        rest = bad_members[i];
        assert_false(roster_record_member_read(&rest, &member));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_is_presentity_and_watcher),
        cmocka_unit_test(test_rule_is_a_version_and_a_decision),
        cmocka_unit_test(test_list_is_a_version_and_its_members),
        cmocka_unit_test(test_damaged_list_is_noticed),
    };
    return cmocka_run_group_tests_name("roster record", tests, NULL, NULL);
}
