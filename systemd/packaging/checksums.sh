#!/bin/sh
# checksums.sh FOLDER [KEY]: SHA256SUMS of the files in the folder, and SHA256SUMS.asc by that key of gpg's if one is named.
set -eu
cd "$1"
rm -f SHA256SUMS SHA256SUMS.asc
find . -maxdepth 1 -type f ! -name 'SHA256SUMS*' -printf '%f\0' | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS.new
mv SHA256SUMS.new SHA256SUMS
cat SHA256SUMS
[ -z "${2-}" ] || gpg --batch --yes --local-user "$2" --armor --output SHA256SUMS.asc --detach-sign SHA256SUMS
