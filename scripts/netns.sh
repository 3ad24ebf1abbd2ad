# Network namespaces, veth pairs and huge pages for the demo, the benchmarks and the end-to-end tests.
#
# Source it from bash, call netns_begin first. Everything made through these functions carries a suffix of its own
# and is undone on any exit, Ctrl-C included: processes are ended, namespaces deleted (their interfaces go with
# them), huge pages given back. Needs root.
#
# What was found out about DPDK ports on veth, and is done here:
# - The AF_XDP driver works on veth in copy mode, one queue: vdev "net_af_xdp0,iface=DEV,queue_count=1,busy_budget=0".
#   busy_budget=0 turns preferred busy polling off, which veth does not serve and older kernels refuse.
# - libxdp says "No bpffs found" inside a namespace and falls back to loading its program without a dispatcher. That
#   is harmless: only one program is wanted.
# - AF_PACKET is the fall-back: "net_af_packet0,iface=DEV,qpairs=1". There the kernel's stack sees every frame too,
#   so the interface must have no address of its own (see netns_port).
# - A frame between two ends of a veth pair keeps a half-made checksum, since the kernel trusts itself. A DPDK port
#   at one end reads that as wrong: the client's end must compute its own (tx off, see netns_client).
# - `ip netns exec` mounts a fresh /sys, and EAL 22.11 refuses --no-huge together with
#   --in-memory ("--legacy-mem is not compatible"): --no-huge --no-shconf is its equal.

# Prepares the cleanup. The suffix keeps two runs apart.
netns_begin() {
    netns_suffix=$$
    netns_list=()
    netns_pids=()
    netns_pages_added=0
    trap netns_cleanup EXIT
    netns_traps
}

netns_traps() {
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Runs a command to its end, and leaves only then if a signal came meanwhile: for what would be left behind if it
# were done and not yet noted.
netns_uninterrupted() {
    local status signal=0
    trap 'signal=129' HUP
    trap 'signal=130' INT
    trap 'signal=143' TERM
    "$@"
    status=$?
    netns_traps
    ((signal == 0)) || exit $signal
    return $status
}

# The full name of namespace $1.
netns_name() {
    echo "strowger-$1-$netns_suffix"
}

# Makes namespace $1 with its loopback up.
netns_make() {
    netns_list+=("$1") # first: a signal may come in between
    ip netns add "$(netns_name "$1")" || return
    ip -n "$(netns_name "$1")" link set lo up
}

# A veth pair: device $2 in namespace $1, device $4 in namespace $3, both without IPv6 addresses of their own.
netns_veth() {
    local a b
    a=$(netns_name "$1")
    b=$(netns_name "$3")
    ip -n "$a" link add "$2" type veth peer name "$4" netns "$b" || return
    ip -n "$a" link set "$2" addrgenmode none
    ip -n "$b" link set "$4" addrgenmode none
}

# Device $2 in namespace $1 becomes an ordinary interface of the kernel's with addresses $3...
netns_client() {
    local ns=$1 device=$2 address family
    shift 2
    netns_exec "$ns" ethtool -K "$device" tx off >/dev/null || return
    for address; do
        family=-4
        [[ $address == *:* ]] && family=-6
        # nodad: an address that is checked for duplicates cannot be bound for its first second.
        ip $family -n "$(netns_name "$ns")" addr add "$address" dev "$device" $([ $family = -6 ] && echo nodad)
    done
    ip -n "$(netns_name "$ns")" link set "$device" up
}

# Device $2 in namespace $1 is made ready to be a DPDK port: up, promiscuous (the twin may have another MAC),
# no address.
netns_port() {
    netns_exec "$1" ethtool -K "$2" tx off >/dev/null || return
    ip -n "$(netns_name "$1")" link set "$2" promisc on up
}

# The MAC of device $2 in namespace $1.
netns_mac() {
    netns_exec "$1" cat "/sys/class/net/$2/address"
}

# Neighbour $3 of device $2 in namespace $1 has MAC $4, for peers that answer no ARP.
netns_neighbour() {
    ip -n "$(netns_name "$1")" neigh replace "$3" lladdr "$4" dev "$2" nud permanent
}

# Waits up to $3 seconds for device $2 to appear in namespace $1.
netns_wait_device() {
    local tries=$(($3 * 10))
    until ip -n "$(netns_name "$1")" link show "$2" >/dev/null 2>&1; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

# Runs a command in namespace $1.
netns_exec() {
    local ns
    ns=$(netns_name "$1")
    shift
    ip netns exec "$ns" "$@"
}

# Starts a command in namespace $1 in the background, its output in file $2; the pid is in $netns_pid and ends with
# the script.
netns_start() {
    local ns log=$2
    ns=$(netns_name "$1")
    shift 2
    netns_uninterrupted netns_spawn "$ns" "$log" "$@"
}

netns_spawn() {
    local ns=$1 log=$2
    shift 2
    # A process group of its own, so that all that the command starts ends with it.
    (exec setsid ip netns exec "$ns" "$@") >"$log" 2>&1 </dev/null &
    netns_pid=$!
    netns_pids+=("$netns_pid")
}

# Ends what netns_start began as process $1, with all its children: SIGTERM, and after $2 (default 5) seconds SIGKILL.
# Returns the status of the process.
netns_stop() {
    local tries=$((${2:-5} * 20))
    kill -TERM -- "-$1" 2>/dev/null
    while kill -0 -- "-$1" 2>/dev/null && ((tries-- > 0)); do
        sleep 0.05
    done
    kill -KILL -- "-$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

# Asks for $1 MiB of 2 MiB pages in all; sets $netns_pages_mib to what is free then, 0 where there are none. What was
# added here is given back at the end. Not to be called in a subshell.
netns_hugepages() {
    local wanted=$((($1 + 1) / 2)) free
    free=$(netns_hugepages_free)
    ((free >= wanted)) || netns_uninterrupted netns_hugepages_add $((wanted - free))
    netns_pages_mib=$(($(netns_hugepages_free) * 2))
}

netns_hugepages_add() {
    local before after file=/proc/sys/vm/nr_hugepages
    # No cat: a signal to the whole group would end it.
    { read -r before <$file && echo $((before + $1)) >$file && read -r after <$file; } 2>/dev/null || return 0
    ((netns_pages_added += after - before))
}

netns_hugepages_free() {
    awk '/^HugePages_Free/ {free = $2} END {print free + 0}' /proc/meminfo
}

# EAL options for a DPDK program of $1 MiB, into the array $netns_eal: on huge pages where netns_hugepages found
# enough of them. Nothing is shared with other DPDK processes, so several run side by side.
netns_eal_options() {
    if ((netns_pages_mib >= $1)); then
        netns_eal=(--in-memory)
    else
        netns_eal=(--no-huge --no-shconf -m "$1")
    fi
}

# Prints the vdev of a DPDK port on interface $1: AF_XDP where the kernel and DPDK have it, AF_PACKET otherwise or
# with NETNS_DRIVER=af_packet in the environment.
netns_vdev() {
    if [ "${NETNS_DRIVER:-af_xdp}" = af_xdp ] && netns_af_xdp_works; then
        echo "net_af_xdp0,iface=$1,queue_count=1,busy_budget=0"
    else
        echo "net_af_packet0,iface=$1,qpairs=1"
    fi
}

# Whether an AF_XDP socket can be made here and DPDK has its driver: PF_XDP is 44, SOCK_RAW is 3.
netns_af_xdp_works() {
    python3 -c 'import socket; socket.socket(44, 3, 0)' 2>/dev/null &&
        ls /usr/lib/*/dpdk/pmds-*/librte_net_af_xdp.so* >/dev/null 2>&1
}

netns_cleanup() {
    local status=$? pid ns
    trap - EXIT
    trap '' HUP INT TERM # an impatient second Ctrl-C
    for pid in "${netns_pids[@]}"; do
        netns_stop "$pid" 5
    done
    for ns in "${netns_list[@]}"; do
        ip netns del "$(netns_name "$ns")" 2>/dev/null
    done
    if ((netns_pages_added > 0)); then
        echo $(($(cat /proc/sys/vm/nr_hugepages) - netns_pages_added)) 2>/dev/null >/proc/sys/vm/nr_hugepages
    fi
    # A script may have more to undo.
    declare -F netns_cleanup_more >/dev/null && netns_cleanup_more
    exit $status
}
