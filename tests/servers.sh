#!/usr/bin/env bash
# Installs the servers and clients that the tests meet as real counterparts, where they are missing (Debian, as root).
# Tests whose counterpart is absent say what was not tested; on CI that is a failure.
set -euo pipefail

missing=()
command -v storescu >/dev/null || missing+=(dcmtk)
command -v Orthanc >/dev/null || missing+=(orthanc)
command -v postgres >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || missing+=(postgresql)
command -v age >/dev/null || missing+=(age)
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed, so not tested against: ${missing[*]}" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# A package that starts a service on a machine without an init system must not fail the installation.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
trap 'rm -f /usr/sbin/policy-rc.d' EXIT
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
