#!/usr/bin/env python3
"""The tree keeps the rules of the house; and a tree that breaks one is caught, or the first part would mean nothing."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import house
import tap

TREE = pathlib.Path(os.environ["STROWGER_SOURCE"])
CLANG = shutil.which("clang-14") or shutil.which("clang")
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
         "-Wno-missing-field-initializers", "-Wno-address-of-packed-member", "-DALLOW_EXPERIMENTAL_API"]


def compiler_flags():
    dpdk = subprocess.run(["pkg-config", "--cflags", "libdpdk"], capture_output=True, text=True, check=True)
    # The level that the build asks for comes last, as in the build.
    return FLAGS + dpdk.stdout.split() + ["-march=x86-64-v3"]


class TheHouse(unittest.TestCase):
    maxDiff = None

    def clean(self, faults):
        self.assertEqual("", "\n".join(faults))

    def test_top_level_is_exactly_as_agreed(self):
        self.clean(house.check_top_level(TREE))

    def test_every_room_has_a_layer(self):
        self.clean(house.check_rooms_known(TREE))

    def test_no_room_includes_upwards_or_sideways(self):
        self.clean(house.check_layers(TREE))

    def test_no_room_includes_what_it_does_not_declare(self):
        self.clean(house.check_declared(TREE))

    def test_includes_name_their_room(self):
        self.clean(house.check_include_form(TREE))

    def test_base_sip_and_conf_know_no_dpdk(self):
        self.clean(house.check_without_dpdk(TREE))

    def test_nothing_that_waits_in_rooms_that_workers_run(self):
        self.clean(house.check_worker_path(TREE))

    def test_no_typedefs_of_structs_and_no_thread_locals(self):
        self.clean(house.check_banned(TREE))

    def test_no_file_is_too_long(self):
        self.clean(house.check_length(TREE))

    def test_headers_are_guarded_by_their_path(self):
        self.clean(house.check_guards(TREE))

    def test_every_header_compiles_alone_with_gcc(self):
        self.clean(house.check_headers(TREE, ["gcc", *compiler_flags()]))

    @unittest.skipUnless(CLANG, "no clang")
    def test_every_header_compiles_alone_with_clang(self):
        self.clean(house.check_headers(TREE, [CLANG, *compiler_flags()]))


class AWrongTree(unittest.TestCase):
    """Each rule broken once in a small tree of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.tree = pathlib.Path(self.folder.name)
        for name in ("app", "config", "tests", "bench", "scripts"):
            self.put(f"{name}/meson.build", "")
        for name in ("meson.build", "README.md", "LICENSE", "CONTRIBUTING.md", "meson_options.txt"):
            self.put(name, "")
        self.put("lib/base/meson.build", "base = declare_dependency()\n")
        self.put("lib/base/slice.h", "#ifndef BASE_SLICE_H\n#define BASE_SLICE_H\nstruct slice { int len; };\n#endif\n")
        self.put("lib/sip/meson.build", "sip_lib = static_library('sip', 'via.c', dependencies: [base])\n")
        self.put("lib/sip/via.c", '#include "base/slice.h"\n\n// malloc(1) in a comment\nconst char *x = "free(1)";\n')

    def tearDown(self):
        self.folder.cleanup()

    def put(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def caught(self, faults, words):
        self.assertRegex("\n".join(faults), words)

    def test_a_right_tree_has_no_faults(self):
        for check in (house.check_top_level, house.check_rooms_known, house.check_layers, house.check_declared,
                      house.check_include_form, house.check_without_dpdk, house.check_worker_path, house.check_banned,
                      house.check_length, house.check_guards):
            self.assertEqual([], list(check(self.tree)), check.__name__)
        self.assertEqual([], list(house.check_headers(self.tree, ["gcc"])))

    def test_a_stranger_at_the_top_level_is_caught(self):
        self.put("notes.txt", "")
        self.caught(house.check_top_level(self.tree), r"notes\.txt: has no place")

    def test_a_missing_readme_is_caught(self):
        (self.tree / "README.md").unlink()
        self.caught(house.check_top_level(self.tree), r"README\.md: is missing")

    def test_an_unknown_room_is_caught(self):
        self.put("lib/util/meson.build", "")
        self.caught(house.check_rooms_known(self.tree), r"lib/util: no such room")

    def test_an_include_upwards_is_caught(self):
        self.put("lib/base/list.c", '#  include "sip/via.h"\n')
        self.caught(house.check_layers(self.tree), r"lib/base/list\.c: includes sip/via\.h, upwards")

    def test_an_include_sideways_is_caught(self):
        self.put("lib/net/frame.c", '#include "sip/via.h"\n')
        self.caught(house.check_layers(self.tree), r"lib/net/frame\.c: includes sip/via\.h, sideways")

    def test_an_undeclared_room_is_caught(self):
        self.put("lib/net/frame.c", '#include "base/slice.h"\n')
        self.put("lib/net/meson.build", "# dependencies: [base]\nnet_lib = static_library('net', 'frame.c')\n")
        self.caught(house.check_declared(self.tree), r"lib/net/frame\.c: .* does not declare base")

    def test_a_declaration_upwards_is_caught(self):
        self.put("lib/base/meson.build", "base_lib = static_library('base', dependencies: [sip])\n")
        self.caught(house.check_declared(self.tree), r"lib/base/meson\.build: depends on sip")

    def test_an_include_without_its_room_is_caught(self):
        self.put("lib/base/list.c", '#include "slice.h"\n')
        self.caught(house.check_include_form(self.tree), r'includes "slice\.h" without its room')

    def test_dpdk_in_the_parser_is_caught(self):
        self.put("lib/sip/scan.c", "#include <rte_mbuf.h>\n")
        self.caught(house.check_without_dpdk(self.tree), r"lib/sip/scan\.c: includes rte_mbuf\.h")

    def test_an_allocation_on_a_worker_is_caught(self):
        self.put("lib/proxy/proxy.c", "void f(void);\nvoid f(void) { g(malloc (4)); }\n")
        self.caught(house.check_worker_path(self.tree), r"proxy\.c:2: calls malloc\(\)")

    def test_an_allocation_where_a_table_is_made_is_none_of_it(self):
        self.put("lib/role/route.c", "struct route *role_route_create(int n)\n{\n    return calloc(n, 1);\n}\n"
                 "static void send(void)\n{\n}\nvoid f(void)\n{\n    send();\n    free(0);\n}\n")
        self.assertEqual(["lib/role/route.c:11: calls free() in a room that workers run"],
                         list(house.check_worker_path(self.tree)))

    def test_a_lock_and_a_log_on_a_worker_are_caught(self):
        self.put("lib/datapath/rx.c", "rte_spinlock_lock(&l);\nprintf(\"x\");\n")
        self.caught(house.check_worker_path(self.tree), r"calls rte_spinlock_lock\(\)[^$]*calls printf\(\)")

    def test_a_typedef_and_a_thread_local_are_caught(self):
        self.put("lib/base/bad.c", "\ntypedef struct s { int a; } s_t;\nstatic __thread int n;\n")
        faults = "\n".join(house.check_banned(self.tree))
        self.assertIn("bad.c:2: a typedef'd struct", faults)
        self.assertIn("bad.c:3: a thread-local", faults)

    def test_a_file_too_long_is_caught(self):
        self.put("bench/long.c", "\n" * 601)
        self.caught(house.check_length(self.tree), r"bench/long\.c: 601 lines")

    def test_a_header_without_its_guard_is_caught(self):
        self.put("lib/base/list.h", "struct list;\n")
        self.caught(house.check_guards(self.tree), r"list\.h: is not guarded by BASE_LIST_H")

    def test_a_header_that_needs_another_is_caught(self):
        self.put("lib/sip/via.h", "struct via { uint32_t at; };\n")
        self.caught(house.check_headers(self.tree, ["gcc"]), r"lib/sip/via\.h: does not compile alone: .*uint32_t")


if __name__ == "__main__":
    tap.main()
