#!/usr/bin/env bash
# Installs, through apt, the servers and tools that tests with a marker need; the table below is all there is.
set -euo pipefail
cd "$(dirname "$0")/.."

# marker | Debian packages | command that proves it is there
servers='
s3         | ceph-mon ceph-osd radosgw ceph-common | radosgw --version
postgresql | postgresql                            | ls /usr/lib/postgresql/*/bin/initdb
oidc       | nodejs npm                            | npm --version
ldap       | slapd                                 | /usr/sbin/slapd -VV
h5diff     | hdf5-tools                            | h5diff --version
browser    | chromium                              | chromium --version
'

trim() { sed 's/^[[:space:]]*//; s/[[:space:]]*$//'; }

needed=()
missing=()
while IFS='|' read -r marker packages probe; do
  marker=$(trim <<< "$marker")
  [[ -n "$marker" ]] || continue
  grep -rqs --include='*.py' "pytest\.mark\.$marker\b" tests || continue
  needed+=("$marker")
  if ! $(trim <<< "$probe") < /dev/null > /dev/null 2>&1; then
    read -ra names <<< "$packages"
    missing+=("${names[@]}")
  fi
done <<< "$servers"

if ((${#needed[@]} == 0)); then
  echo "servers: no test needs one"
  exit 0
fi
if ((${#missing[@]} == 0)); then
  echo "servers: all there (${needed[*]})"
  exit 0
fi
echo "servers: tests marked ${needed[*]} need these packages: ${missing[*]}"
if ! command -v apt-get > /dev/null || ((EUID != 0)); then
  echo "servers: only root on Debian or Ubuntu can install them here" >&2
  exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
