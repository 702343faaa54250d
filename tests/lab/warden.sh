#!/bin/sh
# Ends whatever a lab has started, and removes its folder, as soon as the harness is gone: by its end, a panic, Ctrl-C or
# SIGKILL, all of which close our standard input. Usage: warden.sh FOLDER
#
# The id of every process of the lab stands in a file FOLDER/NAME/*.pid, and it works below FOLDER; a process that works
# elsewhere is somebody else's, even if it has got the same id since.
dir=$1
trap '' INT TERM HUP
cat > /dev/null

ours() {
	for file in "$dir"/*/*.pid; do
		[ -e "$file" ] || continue
		read -r pid < "$file" || continue
		grep -q '^State:[[:space:]]*[ZX]' "/proc/$pid/status" 2> /dev/null && continue
		case $(readlink "/proc/$pid/cwd" 2> /dev/null) in "$dir" | "$dir"/*) echo "$pid" ;; esac
	done
}

for signal in TERM KILL; do
	for pid in $(ours); do kill -s "$signal" "$pid" 2> /dev/null; done
	tries=0
	while [ -n "$(ours)" ] && [ $tries -lt 50 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
done
[ -e "$dir/keep" ] || rm -rf "$dir"
