#!/usr/bin/env bash
# Runs all tests but the desktops', in two processes side by side, each with half of the time: tests
# wait as long as they compute. The second one's output comes at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
half=(tests/run tests/source tests/present tests/style)
pytest=(.venv/bin/python -m pytest -q -m "not desktop")
log=$(mktemp)
trap 'kill "$second" 2>/dev/null; rm -f "$log"' EXIT
trap 'exit 130' INT TERM
"${pytest[@]}" -p no:cacheprovider "${half[@]}" >"$log" 2>&1 &
second=$!
"${pytest[@]}" "${half[@]/#/--ignore=}"
failed=$?
wait "$second" || failed=$?
cat "$log"
exit "$failed"
