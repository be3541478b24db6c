# The calls of the mount API, old and new, one of which a list may have forgotten. CVE-2021-41133, CVE-2022-0185
# shellcheck shell=bash disable=SC2034,SC2154

user_open="$as_root --mount"

attack() { exec attack mount-api; }
