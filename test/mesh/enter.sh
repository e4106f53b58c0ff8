#!/bin/sh
# Runs a command in the namespaces that it is started in, on a system as the mesh's programs expect it: enter.sh FOLDER
# ADDRESSES COMMAND…. They have fixed places for what a pod has mounted: /var/lib/istio/data and /certs, which is FOLDER/certs here.
set -eu
folder=$1
addresses=$2
shift 2
ip link set lo up
for address in $addresses; do ip address add "$address/32" dev lo; done
root="$folder/root"
mkdir -p "$root" "$folder/certs"
mount -t tmpfs tmpfs "$root"
for path in /*; do
  if [ -L "$path" ]; then cp -P "$path" "$root$path"
  elif [ -d "$path" ]; then mkdir "$root$path" && mount --rbind "$path" "$root$path"
  fi
done
ln -sfn "$folder/certs" "$root/certs"
mount -t tmpfs tmpfs "$root/var/lib"
mkdir -p "$root/var/lib/istio/data" "$root/var/lib/eg/wasm"
mount --bind "$folder/hosts" "$root/etc/hosts"
exec chroot "$root" "$@"
