# Gives a program fixed addresses, data that can be executed, and another system's calls.
# shellcheck shell=bash disable=SC2034

attack() { exec attack personality; }
