# The same where root inside is the host's own, so that the program's owner is no protection. CVE-2019-5736
# shellcheck shell=bash disable=SC2034

# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/exe-overwrite.sh"

jail_options=--userns=host
not_for='user-open user-run user-join' # a user has no such jail
