#!/bin/bash
# build.sh           builds kubebox unless this very source was built before; prints the path of the binary
# build.sh --find    only prints the path if it is there, else ends with 1 (works without Go)
# The name of the binary holds a digest of all that goes into it, so a change of the source or of Go builds anew.
set -euo pipefail
cd "$(dirname "$0")"
bin=${CAPSTAN_CACHE:-${HOME:-/root}/.cache/capstan}/bin
source=$(cat go.mod go.sum ./*.go build.sh | sha256sum | cut -c1-16)
prefix=$bin/kubebox-$source

if ! command -v go >/dev/null; then
  for file in "$prefix"-*; do [ -x "$file" ] && echo "$file" && exit 0; done
  echo "kubebox is not built and there is no Go to build it with (install Go 1.26 from https://go.dev/dl)" >&2
  exit 1
fi
out=$prefix-$(go env GOVERSION)-$(go env GOOS)-$(go env GOARCH)
if [ -x "$out" ]; then echo "$out"; exit 0; fi
[ "${1:-}" != --find ] || exit 1

mkdir -p "$bin"
exec 9>"$bin/.kubebox.lock"
flock 9 # somebody else may be building it: wait, then look again
if [ -x "$out" ]; then echo "$out"; exit 0; fi
echo "kubebox: building (about 5 minutes on two cores, 5 GB of disk for the Go caches) …" >&2
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
major=${version#v}; minor=${major#*.}; major=${major%%.*}; minor=${minor%%.*}
stamp=""
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp="$stamp -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
  stamp="$stamp -X $package.gitTreeState=clean -X $package.buildDate=2000-01-01T00:00:00Z"
done
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $stamp" -o "$out.new" .
mv "$out.new" "$out"
echo "$out"
