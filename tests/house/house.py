"""The rules of the house that a machine can check. Each check takes a tree and yields one line for each fault."""
import concurrent.futures
import pathlib
import re
import subprocess

# As README's table has them.
LAYERS = {
    "base": 0,
    "sip": 1, "net": 1, "conf": 1, "document": 1,
    "worker": 2,
    "location": 3, "transaction": 3, "gateway": 3, "number": 3, "name": 3, "call": 3, "user": 3, "store": 3, "roster": 3,
    "stream": 3, "subscription": 3,
    "role": 4,
    "auth": 5,
    "registrar": 6, "proxy": 6, "presence": 6,
    "service": 7,
    "datapath": 8, "control": 8,
}
TOP_LEVEL = {"meson.build", "README.md", "app", "lib", "config", "tests", "bench", "scripts", "LICENSE",
             "CONTRIBUTING.md", "meson_options.txt"}
WITHOUT_DPDK = ("base", "sip", "conf", "document")
ON_WORKERS = ("datapath", "service", "registrar", "proxy", "auth", "role", "location", "transaction", "gateway", "number",
              "name", "call", "user", "roster", "subscription", "presence", "sip", "net",
              "document")
LINES_MAX = 600
SOURCES = ("*.c", "*.h", "*.py", "*.sh")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)

# What waits, logs or locks has no place in a room that workers run.
WAITS = re.compile(
    r"(?<![.>])\b(printf|fprintf|vfprintf|puts|fputs|perror|syslog|rte_log|RTE_LOG|"
    r"pthread_(?:mutex|rwlock|spin|cond)_\w+|sem_(?:wait|post)|"
    r"rte_(?:spinlock|rwlock|ticketlock|mcslock|seqlock_write)_\w+|"
    r"usleep|nanosleep|sleep|rte_delay_\w+|open|read|write|send|recv|sendto|recvfrom|poll|select)\s*\(")
# What allocates has its place in the functions that make and unmake a table, which control calls.
ALLOCATES = re.compile(
    r"\b(malloc|calloc|realloc|free|strdup|strndup|asprintf|posix_memalign|aligned_alloc|mmap|munmap|"
    r"rte_(?:malloc|zmalloc|calloc|realloc)(?:_socket)?|rte_free)\s*\(")
MAKES = re.compile(r"_create$|_destroy$|^make_")
# Whole files that control alone runs: they read what an operator wrote and say what is wrong with it.
BY_CONTROL = ("number/load.c", "role/matcher.c", "role/policy.c", "role/rules_compile.c")
FUNCTION = re.compile(r"^[a-z_][^;=#(]*?\b(\w+)\((?!.*;\s*$)")

BANNED_EVERYWHERE = {
    "a typedef'd struct": re.compile(r"\btypedef\s+(?:struct|union|enum)\b"),
    "a thread-local": re.compile(r"\b(?:_Thread_local|__thread|thread_local)\b"),
}


def code(path):
    """The file without comments, with its strings emptied, lines kept."""
    def blank(match):
        return "\n" * match.group().count("\n") if match.group().startswith("/") else '""'
    return COMMENT_OR_STRING.sub(blank, path.read_text(encoding="utf-8"))


def includes(path):
    """(quoted, name) of each #include that is not in a comment."""
    text = path.read_text(encoding="utf-8")
    without = COMMENT_OR_STRING.sub(lambda m: "" if m.group().startswith("/") else m.group(), text)
    return [(mark == '"', name) for mark, name in INCLUDE.findall(without)]


def rooms(tree):
    lib = pathlib.Path(tree) / "lib"
    return sorted(entry for entry in lib.iterdir() if entry.is_dir())


def sources(room, *patterns):
    for pattern in patterns or ("*.c", "*.h"):
        yield from sorted(room.rglob(pattern))


def tracked(tree):
    """What belongs to the tree: git knows; without git, everything but what is built."""
    listing = subprocess.run(["git", "-C", str(tree), "ls-files"], capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return [pathlib.Path(line) for line in listing.stdout.splitlines()]
    found = [path.relative_to(tree) for path in pathlib.Path(tree).rglob("*") if path.is_file()]
    return [path for path in found if not path.parts[0].startswith("build")]


def check_top_level(tree):
    found = {path.parts[0] for path in tracked(tree) if not path.parts[0].startswith(".")}
    for name in sorted(found - TOP_LEVEL):
        yield f"{name}: has no place at the top level"
    for name in sorted(TOP_LEVEL - found):
        yield f"{name}: is missing at the top level"


def check_rooms_known(tree):
    for room in rooms(tree):
        if room.name not in LAYERS:
            yield f"lib/{room.name}: no such room in the table of layers"


def declared(room):
    """The rooms that a room's meson.build names as dependencies."""
    path = room / "meson.build"
    text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8")) if path.exists() else ""
    names = set()
    for listing in re.findall(r"dependencies\s*:\s*\[([^\]]*)\]", text):
        names |= {name.strip() for name in listing.split(",")}
    return names & set(LAYERS)


def check_layers(tree):
    for room in rooms(tree):
        for path in sources(room):
            for quoted, name in includes(path):
                other = name.split("/")[0]
                where = path.relative_to(tree)
                if not quoted or other == room.name or other not in LAYERS:
                    continue
                if LAYERS[other] > LAYERS[room.name]:
                    yield f"{where}: includes {name}, upwards"
                elif LAYERS[other] == LAYERS[room.name]:
                    yield f"{where}: includes {name}, sideways"


def check_declared(tree):
    for room in rooms(tree):
        known = declared(room)
        for other in sorted(known):
            if LAYERS[other] >= LAYERS[room.name]:
                yield f"lib/{room.name}/meson.build: depends on {other}, which is no lower room"
        for path in sources(room):
            for quoted, name in includes(path):
                other = name.split("/")[0]
                if quoted and other in LAYERS and other not in known | {room.name}:
                    yield f"{path.relative_to(tree)}: includes {name}, but meson.build does not declare {other}"


def check_include_form(tree):
    """"room/file.h" for what is ours, so that a reader sees which room he leaves for."""
    for room in rooms(tree):
        for path in sources(room):
            for quoted, name in includes(path):
                # A generated table stands in the build tree beside its room.
                if quoted and "/" not in name and not name.endswith("_names.h"):
                    yield f"{path.relative_to(tree)}: includes \"{name}\" without its room"


def check_without_dpdk(tree):
    for room in rooms(tree):
        for path in sources(room) if room.name in WITHOUT_DPDK else ():
            for _, name in includes(path):
                if name.startswith("rte_"):
                    yield f"{path.relative_to(tree)}: includes {name}; this room knows no DPDK"


def check_worker_path(tree):
    for room in rooms(tree):
        for path in sources(room) if room.name in ON_WORKERS else ():
            if str(path.relative_to(room.parent)) in BY_CONTROL:
                continue
            lines = code(path).splitlines()
            own = {match.group(1) for match in map(FUNCTION.match, lines) if match}
            function = ""
            for number, line in enumerate(lines, 1):
                match = FUNCTION.match(line)
                function = match.group(1) if match else function
                banned = set(WAITS.findall(line)) - own
                if not MAKES.search(function):
                    banned |= set(ALLOCATES.findall(line))
                for call in sorted(banned):
                    yield f"{path.relative_to(tree)}:{number}: calls {call}() in a room that workers run"


def check_banned(tree):
    for folder in ("lib", "app"):
        for path in sources(pathlib.Path(tree) / folder):
            text = code(path)
            for what, pattern in BANNED_EVERYWHERE.items():
                for match in pattern.finditer(text):
                    yield f"{path.relative_to(tree)}:{text.count(chr(10), 0, match.start()) + 1}: {what}"


def check_length(tree):
    for folder in ("lib", "app", "bench", "tests", "scripts"):
        for path in sources(pathlib.Path(tree) / folder, *SOURCES):
            lines = path.read_bytes().count(b"\n")
            if lines > LINES_MAX:
                yield f"{path.relative_to(tree)}: {lines} lines, more than {LINES_MAX}"


def check_guards(tree):
    for room in rooms(tree):
        for path in sources(room, "*.h"):
            guard = re.sub(r"\W", "_", str(path.relative_to(room.parent))).upper()
            if f"#ifndef {guard}\n#define {guard}\n" not in path.read_text(encoding="utf-8"):
                yield f"{path.relative_to(tree)}: is not guarded by {guard}"


def compile_alone(tree, header, command):
    unit = f'#include "{header.relative_to(pathlib.Path(tree) / "lib")}"\n'
    done = subprocess.run([*command, "-I", str(pathlib.Path(tree) / "lib"), "-x", "c", "-fsyntax-only", "-"],
                          input=unit, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[:200])
        return f"{header.relative_to(tree)}: does not compile alone: {first}"
    return None


def check_headers(tree, command):
    """Each header, as the only line of a file, with this compiler and its flags."""
    headers = [path for room in rooms(tree) for path in sources(room, "*.h")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield from filter(None, pool.map(lambda header: compile_alone(tree, header, command), headers))
