#!/bin/sh
# promtool_test.sh SAMPLE: the shipped web config is one that Prometheus' own tool accepts, with a certificate beside it.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$1" "$dir/web.yml"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
  -keyout "$dir/server.key" -out "$dir/server.crt" 2>/dev/null
promtool check web-config "$dir/web.yml"
# It can fail: a key that does not belong there is refused.
echo 'rate_limits: {}' >>"$dir/web.yml"
if promtool check web-config "$dir/web.yml" 2>/dev/null; then
  echo "promtool accepts anything" >&2
  exit 1
fi
