#!/usr/bin/env bash
# Until the first release there is one migration: make it anew from the models (maintainers only).
set -e
cd "$(dirname "$0")/.."
export PYTHONPATH=platform:. LINKAGE_MODE=test LINKAGE_DATA_DIR=$(mktemp -d)
rm -f migrations/versions/*.py
python -m flask --app app db revision --autogenerate --rev-id 0001 -m first
ruff format -q migrations/versions || true
rm -rf "$LINKAGE_DATA_DIR"
