# Talks to the hypervisor and to what listens beside it.
# shellcheck shell=bash disable=SC2034

attack() { exec attack vsock; }
