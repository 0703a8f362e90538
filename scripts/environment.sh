# Sourced by run.sh and test.sh: prepare_environment LOCK makes .venv hold what LOCK pins, and
# prepare_node makes node_modules hold what package-lock.json pins.
#
# A stamp in .venv remembers the lock files that are installed, so the network is asked only when
# one of them changed. requirements/test.txt holds all of requirements/run.txt.

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "需要 Python 3.11 或更新版本。 Python 3.11 or newer is needed (set PYTHON to name one)."
  exit 1
}

# apt_install PACKAGE...: through apt when root, else say what is missing and return 1.
apt_install() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "apt-get install $*"
    { apt-get install -y -qq "$@" || { apt-get update -qq && apt-get install -y -qq "$@"; }; } >/dev/null 2>&1 && return 0
  fi
  say "缺少系统软件包 / missing system packages: $*   (sudo apt-get install $*)"
  return 1
}

make_venv() {
  local python
  python=$(find_python)
  if ! "$python" -m venv .venv >/dev/null 2>&1; then
    # Debian ships venv apart from Python.
    apt_install python3-venv || exit 1
    "$python" -m venv .venv
  fi
}

prepare_environment() {
  local lock=$1 stamp=.venv/.installed wanted
  [ -x .venv/bin/python ] || make_venv
  wanted=$(cat "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)
  if grep -qs "^$wanted$" "$stamp"; then return; fi
  say "正在安装依赖（首次约一两分钟）… Installing (a minute or two the first time) ..."
  .venv/bin/python -m pip install -q --disable-pip-version-check \
    --require-hashes --only-binary :all: -r "$lock" >&2
  .venv/bin/python -m pip install -q --disable-pip-version-check \
    --no-deps --no-build-isolation -e . >&2
  printf '%s\n' "$wanted" >>"$stamp"
}

# prepare_node: Node.js and what checks the page's JavaScript; says why and returns 1 without them.
prepare_node() {
  local stamp=node_modules/.installed wanted
  command -v npm >/dev/null || apt_install nodejs npm || true
  if ! command -v npm >/dev/null || ! node -e 'process.exit(Number(process.versions.node.split(".")[0] < 18))'; then
    say "跳过 JavaScript 的检查：没有 Node.js 18 以上版本。 JavaScript is not checked: no Node.js 18 or newer with npm."
    return 1
  fi
  wanted=$(sha256sum <package-lock.json | cut -d' ' -f1)
  if grep -qs "^$wanted$" "$stamp"; then return; fi
  npm ci --no-audit --no-fund --loglevel=error >&2 || exit 1
  printf '%s\n' "$wanted" >"$stamp"
}
