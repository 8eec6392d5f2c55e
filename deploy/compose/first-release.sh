# The first release, and the users' states: once, before the workers start. An error ends it, with its sentence.
set -eu
releases=/home/segue/releases
if [ -e "$releases/ready" ]; then
  echo "there is a release already; the nightly trainer makes the next one"
  exit 0
fi
if [ -n "${WAREHOUSE:-}" ]; then
  as_of=$(date -u +%Y-%m-%dT%H:%M:%SZ)
else
  WAREHOUSE=$DEMO_WAREHOUSE as_of=$DEMO_AS_OF
fi
release=$(segue train --warehouse "$WAREHOUSE" --as-of "$as_of" --out "$releases")
cp "$release/report.html" /home/segue/reports/index.html
segue publish "$release"
segue bootstrap --warehouse "$WAREHOUSE" --as-of "$as_of"
touch "$releases/ready"
