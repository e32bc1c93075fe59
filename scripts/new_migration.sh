#!/usr/bin/env bash
# new_migration.sh SLUG: the next migration, made from what the models have and the last migration has not.
# For maintainers; read what it wrote, and add what no comparison sees (data, backfills). A released one is never edited.
set -e
cd "$(dirname "$0")/.."
export PYTHONPATH=platform:. LINKAGE_MODE=test LINKAGE_DATA_DIR=$(mktemp -d)
next=$(printf '%04d' $((10#$(ls migrations/versions | sed -n 's/^\([0-9]\{4\}\)_.*/\1/p' | sort | tail -n 1) + 1)))
python -m flask --app app db upgrade
python -m flask --app app db revision --autogenerate --rev-id "$next" -m "${1:?a few words}"
rm -rf "$LINKAGE_DATA_DIR"
