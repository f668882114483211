#!/usr/bin/env bash
# Runs the steps named as arguments, all of them, and ends with what failed and what was skipped.
set -uo pipefail
cd "$(dirname "$0")/.."

bin=.venv/bin
sources=(hsc catalog pipelines benchmarks deploy docs tests)
packages=(hsc catalog/hsc_catalog pipelines/hsc_pipelines benchmarks/hsc_benchmarks)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

style() {
  local bad=0
  "$bin/ruff" check "${sources[@]}" || bad=1
  "$bin/ruff" format --check "${sources[@]}" || { echo "'make format' puts that right"; bad=1; }
  return "$bad"
}

types() { "$bin/mypy"; }

floors() { "$bin/lint-imports"; }

# The examples in docstrings run without tests/conftest.py, so the environment is cleared here.
examples() {
  (
    for name in "${!HSC_@}"; do unset "$name"; done
    HSC_HOME="$scratch/examples" "$bin/python" -m pytest --doctest-modules -p no:randomly -q \
      "${packages[@]}"
  )
}

# Two at a time, for many wait; each has its own servers, so more take a lot of memory.
tests() {
  "$bin/python" -m pytest tests -n 2 --dist worksteal --skipped-to "$scratch/skipped" \
    --durations 20
}

# A facility ingests with the full installation; a researcher reads it with the base one, as a
# wheel and without this folder on the path.
researcher() {
  local bad=0 name environment wheel prepared="$scratch/prepared"
  for name in "${!HSC_@}"; do unset "$name"; done
  "$bin/python" tests/researcher/prepare.py "$prepared" || return 1
  "$bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$scratch/wheel" . \
    > "$scratch/wheel.log" 2>&1 || { cat "$scratch/wheel.log"; return 1; }
  wheel=("$scratch"/wheel/*.whl)
  for environment in .venv-lowest .venv-newest; do
    echo "--- $environment"
    "$environment/bin/python" -m pip install --quiet --no-deps --force-reinstall "${wheel[0]}" \
      > "$scratch/install.log" 2>&1 || { cat "$scratch/install.log"; bad=1; continue; }
    "$environment/bin/python" -m pip check || bad=1
    "$environment/bin/python" -P -m pytest -c tests/researcher/pytest.ini tests/researcher \
      --prepared "$prepared" || bad=1
  done
  return "$bad"
}

failed=()
for step in "$@"; do
  printf '\n=== %s\n' "$step"
  start=$SECONDS
  "$step" || failed+=("$step")
  printf '=== %s took %d s\n' "$step" "$((SECONDS - start))"
done

if [[ -s "$scratch/skipped" ]]; then
  printf '\n!!! SKIPPED, SO NOT TESTED: %d\n' "$(wc -l < "$scratch/skipped")"
  cat "$scratch/skipped"
fi
if ((${#failed[@]})); then
  printf '\nFAILED: %s (of: %s)\n' "${failed[*]}" "$*"
  exit 1
fi
printf '\nall passed: %s, in %d s\n' "$*" "$SECONDS"
