#!/usr/bin/env bash
# Make the two base images of the Dockerfile where no image registry can be
# reached but a Debian mirror can: a minimal Debian, and the same with a C
# compiler and the Go of this machine. As root, with podman and debootstrap:
#
#   docker/bases.sh
#   ENGINE=podman GO_IMAGE=localhost/golang BASE_IMAGE=localhost/debian docker/test.sh
set -euo pipefail
suite=${SUITE:-trixie} mirror=${MIRROR:-http://deb.debian.org/debian}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror"
# What the official slim image leaves out, now and in later installations.
printf 'path-exclude /usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/slim"
rm -rf "$root"/usr/share/{doc,man,locale,info}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/*
echo 'DPkg::Post-Invoke { "rm -rf /var/cache/apt/*.bin /var/cache/apt/archives/*.deb"; };' >"$root/etc/apt/apt.conf.d/slim"
# Certificates that this machine trusts beside Debian's.
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
	cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
	chroot "$root" update-ca-certificates
fi
tar -C "$root" -c . | podman import --change CMD=bash - localhost/debian

podman build -t localhost/golang -v "$(go env GOROOT):/goroot:ro" -f - . <<'END'
FROM localhost/debian
RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ libc6-dev make git && rm -rf /var/lib/apt/lists/*
RUN cp -r /goroot /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOTOOLCHAIN=local
END
