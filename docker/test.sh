#!/usr/bin/env bash
# Build the image and use it as its users do. Ends with "N passed, 0 failed", or
# at the first check that fails, with what it printed and status 1.
#
#   ENGINE       docker (default) or podman
#   IMAGE        name of the image that is built
#   GO_IMAGE, BASE_IMAGE   other base images than the Dockerfile's
#
# It needs git and curl beside the engine.
set -euo pipefail
cd "$(dirname "$0")/.."
engine=${ENGINE:-docker} image=${IMAGE:-gophersnake:test}
server=gophersnake-test-$$ passed=0
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
log=$(mktemp)
export BUILDAH_FORMAT=docker # podman drops HEALTHCHECK otherwise
trap '$engine rm -f "$server" >/dev/null 2>&1 || true; rm -f "$log"' EXIT

check() { # what it is, then the command
	local what=$1 begin=$SECONDS
	shift
	if ! "$@" >"$log" 2>&1; then
		cat "$log"
		echo "FAIL $what"
		echo "$passed passed, 1 failed"
		exit 1
	fi
	echo "ok   $what, $((SECONDS - begin)) s"
	passed=$((passed + 1))
}
not() { ! "$@"; }
fresh() { "$engine" run --rm "$image" "$@"; }
inside() { "$engine" exec "$server" "$@"; }

build() {
	local args=() arg
	for arg in GO_IMAGE BASE_IMAGE; do
		[ -z "${!arg:-}" ] || args+=(--build-arg "$arg=${!arg}")
	done
	"$engine" build "${args[@]}" -t "$image" .
}

# The binary says the commit that it was built from.
version() {
	local commit
	commit=$(git rev-parse HEAD)
	fresh gophersnake version | tee /dev/stderr | grep "^commit  *$commit"
}

no_toolchain() {
	fresh sh -c '
		for tool in go gofmt gcc git; do ! command -v $tool || exit 1; done
		! find / -xdev \( -name go -o -name gofmt -o -name compile \) -type f -perm /111 2>/dev/null | grep .'
}

not_root() { [ "$(fresh id -u)" -gt 0 ] && [ "$(fresh sh -c 'stat -c %u .')" -gt 0 ]; }

train() {
	fresh sh -ec 'gophersnake run --name tiny --set steps=4 --set eval_every=4 && gophersnake runs list' |
		tee /dev/stderr | grep 'tiny.*finished'
}

# The ladder reads the Go source that the image brings, and writes its tables.
ladder() {
	fresh sh -ec '
		gophersnake ladder --task go-source --rung conv --rung lru --seeds 2 --steps 2
		ls out && grep -q lru out/*.md'
}

any_user() { "$engine" run --rm --user 4321:4321 "$image" sh -ec 'gophersnake run -q --set steps=2 --set eval_every=2; jupyter lab --version'; }

start() { "$engine" run -d --name "$server" -e JUPYTER_TOKEN="$token" -p 127.0.0.1::8888 "$image"; }

# The image's own HEALTHCHECK, so that no timer of an engine is waited for.
mapfile_health() {
	mapfile -t health < <("$engine" image inspect -f '{{range .Config.Healthcheck.Test}}{{println .}}{{end}}' "$image" | sed '/^$/d')
	[ "${health[0]}" = CMD ] && health=("${health[@]:1}")
}
healthy() {
	local tries
	for tries in {1..60}; do
		inside "${health[@]}" && return
		sleep 1
	done
	"$engine" logs "$server"
	return 1
}

ask() { curl -sSf --max-time 20 -H "Authorization: token $token" "http://$address$1"; }
refused() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$address/api/kernelspecs")" = 403 ]; }
kernelspecs() { ask /api/kernelspecs | tee /dev/stderr | grep '"display_name": *"Go (gophersnake)"'; }
# The page, and the program that it loads.
page() {
	local script
	script=$(ask /lab | grep -o '/static/lab/main[^"?]*' | head -n 1)
	[ -n "$script" ] && [ "$(ask "$script" | wc -c)" -gt 10000 ]
}
notebook() { inside sh -ec 'jupyter execute notebooks/00-welcome.ipynb && test -s notebooks/course.db'; }
stops() { "$engine" stop -t 20 "$server" && [ "$("$engine" inspect -f '{{.State.ExitCode}}' "$server")" = 0 ]; }

check "image builds" build
check "version names the commit" version
check "no Go, C compiler or git inside" no_toolchain
check "user is not root and owns the working directory" not_root
check "short run trains and is logged" train
check "short ladder on the Go source writes tables" ladder
check "any user number works" any_user
check "health check is declared" mapfile_health
check "health check fails where there is no server" not fresh "${health[@]}"
check "JupyterLab starts" start
check "health check passes" healthy
address=$("$engine" port "$server" 8888 | head -n 1)
check "server is not root" inside sh -c '! grep -q "^Uid:[[:space:]]*0" /proc/1/status'
check "no kernels without the token" refused
check "the kernel is listed with the token" kernelspecs
check "JupyterLab's page and program are served" page
check "kernel doctor finds nothing wrong" inside gophersnake kernel doctor
check "notebook 00 executes" notebook
check "server stops when told" stops

"$engine" history --format '{{.Size}}	{{.CreatedBy}}' "$image" | grep -v '^0 \?B' | cut -c 1-100
echo "image: $("$engine" image inspect -f '{{.Size}}' "$image") bytes"
echo "$passed passed, 0 failed"
