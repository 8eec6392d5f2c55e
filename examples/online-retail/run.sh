#!/bin/sh
# Train on the export as of 1 June 2011, stream what was bought since then, and compare Redis with the log.
#
#   sh run.sh           the sample beside this script
#   sh run.sh FOLDER    a folder with another online_retail.csv or .csv.gz
#
# It needs `segue`, and an empty Kafka and Redis: `segue up`, and the two export lines that it prints.
set -eu

here=$(dirname "$0")
tables=${1:-$here}
day=2011-06-01
export SEGUE_CONFIG="$here/segue.toml"

release=$(segue train --warehouse "$tables" --as-of "$day")
segue publish "$release"
segue bootstrap --warehouse "$tables" --as-of "$day"
segue worker 2> worker.log &
worker=$!
trap 'kill $worker; wait $worker || true' EXIT
segue ingest --warehouse "$tables" --since "$day"
while segue doctor | grep 'behind ('; do sleep 1; done
segue verify --warehouse "$tables"
