#!/usr/bin/env bash
# Sees to Debian's packages: `tools/system-packages.sh run|test|peers|firefox`. Installs what is missing where that is
# allowed (root or password-less sudo), else names it and says what to type. Installs nothing when nothing is missing.
set -euo pipefail

run_packages=(gcc libc6-dev python3-dev python3-venv fonts-noto-cjk)
test_packages=("${run_packages[@]}" chromium-headless-shell postgresql coturn openssl iproute2)
peer_packages=(janus iproute2)  # what `make bench-peers` compares with
firefox_packages=("${test_packages[@]}" firefox-esr)

missing() { # prints the packages of its arguments whose purpose nothing on this machine serves
  for package in "$@"; do
    case "$package" in
      gcc) command -v gcc >/dev/null && continue ;;
      python3-dev) python3 -c 'import os, sysconfig; raise SystemExit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' && continue ;;
      python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
      postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && continue ;;
      *) dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed && continue ;;
    esac
    echo "$package"
  done
}

case "${1:-}" in
  run) wanted=("${run_packages[@]}") ;;
  test) wanted=("${test_packages[@]}") ;;
  peers) wanted=("${peer_packages[@]}") ;;
  firefox) wanted=("${firefox_packages[@]}") ;;
  *) echo "usage: $0 run|test|peers|firefox" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null; then
  echo "This is not Debian or Ubuntu: please install what corresponds to: ${wanted[*]}"
  exit 0
fi

mapfile -t packages < <(missing "${wanted[@]}")
[ "${#packages[@]}" -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then sudo=(); elif sudo -n true 2>/dev/null; then sudo=(sudo -n); else
  echo "These system packages are missing: ${packages[*]}" >&2
  echo "Please ask an administrator to run:  sudo apt-get install ${packages[*]}" >&2
  exit 1
fi
echo "Installing system packages: ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
