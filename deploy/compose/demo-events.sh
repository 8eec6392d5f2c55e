# The demo's shop goes on: what happened in it after the users' states were made. Your own shop sends its own.
set -eu
if [ -n "${WAREHOUSE:-}" ]; then
  echo "your own shop sends its events itself"
  exit 0
fi
exec segue ingest --warehouse "$DEMO_WAREHOUSE" --since "$DEMO_AS_OF" --rate 2
