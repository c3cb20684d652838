#!/usr/bin/env bash
# run.sh SECONDS [TARGET...]: libFuzzer over the kept inputs, that long per target. What it finds new stays in
# build/fuzz/found; a failure's input is printed and kept there, too.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
seconds=${1:?seconds per target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(config web_config answer output request state)
failed=0
for target in "${targets[@]}"; do
  found=build/fuzz/found/$target
  mkdir -p "$found"
  seeds=(tests/fuzz/corpus/"$target")
  case $target in
    config) seeds+=(tests/data/config/ok tests/data/config/bad) ;;
    web_config) seeds+=(tests/data/web-config/ok tests/data/web-config/bad) ;;
    answer) seeds+=(tests/data/api) ;;
  esac
  printf '== %s, %s s\n' "$target" "$seconds"
  # A slow input is a finding as well: nothing here may take 10 s.
  build/fuzz/fuzz/fuzz_"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="$found/" "$found" "${seeds[@]}" 2>&1 | grep -avE '^#[0-9]+\s+(NEW|REDUCE|pulse|RELOAD)|^INFO:|NEW_FUNC|NEW_PC' ||
    { [ "${PIPESTATUS[0]}" -eq 0 ] || failed=1; }
done
exit "$failed"
