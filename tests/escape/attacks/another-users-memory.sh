# Reads and writes a process of another user's in the same jail, and takes its descriptors. CVE-2022-30594
# shellcheck shell=bash disable=SC2034

# A user's processes are all the user's.
not_for='user-open user-run user-join'

attack() {
    local status=0
    coproc setpriv --reuid=33 --regid=33 --clear-groups cat
    echo ready >&"${COPROC[1]}"
    read -r _ <&"${COPROC[0]}" # it runs, and as the other
    command attack process-memory "$COPROC_PID" || status=$?
    kill "$COPROC_PID"
    exit $status
}
