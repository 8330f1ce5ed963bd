#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the public packages of PACKAGES.tsv by name and extracts their image pairs.
#
# usage: fetch.sh DIR [NAME...]     writes DIR/CLASS/NAME/{old,new}, only pairs that match NAME
#
# npm packages come through `npm pack`, Debian packages through `apt-get download`.  What a
# mirror no longer serves, or what a missing client would be needed for, is skipped with a
# message.  An image whose SHA-256 is not the one in SHA256SUMS is an error.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: fetch.sh DIR [NAME...]" >&2; exit 2; }
mkdir -p "$1/packages"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- /
log=$out/packages/log
got=0 skipped=0 failed=0

# Prints the package file, downloading it at most once.
get_package() { # kind package version
    dir=$out/packages/$1-$(printf %s "$2-$3" | tr -c 'A-Za-z0-9.+~-' _)
    if [ ! -d "$dir" ]; then
        part=$dir.part
        rm -rf "$part"
        mkdir "$part"
        chmod 755 "$part"
        case $1 in
        npm) (cd "$part" && npm pack --loglevel error "$2@$3") >"$log" 2>&1 || return 1 ;;
        deb) (cd "$part" && apt-get download -q "$2=$3") >"$log" 2>&1 || return 1 ;;
        *) echo "fetch.sh: PACKAGES.tsv: unknown kind $1" >&2; exit 1 ;;
        esac
        mv "$part" "$dir"
    fi
    set -- "$dir"/*
    echo "$1"
}

expect_sum() { # path below DIR
    sum=$(sha256sum "$out/$1" | cut -d' ' -f1)
    want=$(awk -v f="$1" '$2 == f { print $1 }' "$here/SHA256SUMS")
    [ "$sum" = "$want" ] && return
    echo "fetch.sh: $1 has SHA-256 $sum instead of ${want:-a known one}; removed" >&2
    rm "$out/$1"
    return 1
}

extract_image() { # pair side kind package version member
    if [ -f "$out/$1/$2" ]; then
        expect_sum "$1/$2"
        return
    fi
    file=$(get_package "$3" "$4" "$5") || return 3
    mkdir -p "$out/$1"
    python3 "$here/extract.py" "$file" "$6" "$out/$1/$2" || return 1
    expect_sum "$1/$2"
}

wanted() { # pair name...
    pair_name=$1
    shift
    for pattern; do
        case $pair_name in *"$pattern"*) return 0 ;; esac
    done
    return 1
}

tab=$(printf '\t')
exec 3<"$here/PACKAGES.tsv"
read -r _ <&3
while IFS=$tab read -r pair kind package old new old_member new_member <&3; do
    wanted "$pair" "$@" || continue
    code=0
    extract_image "$pair" old "$kind" "$package" "$old" "$old_member" || code=$?
    [ $code != 0 ] ||
        extract_image "$pair" new "$kind" "$package" "$new" "$new_member" || code=$?
    case $code in
    0) got=$((got + 1)); echo "$pair" ;;
    3) skipped=$((skipped + 1))
       echo "$pair: skipped, $package $old or $new is not served here:" \
           "$(grep -v '^npm warn' "$log" | tail -1)" >&2 ;;
    *) failed=$((failed + 1)) ;;
    esac
    [ $code = 0 ] || rm -rf "${out:?}/$pair"
done
echo "corpus: $got pairs in $out, $skipped skipped, $failed failed"
[ $failed = 0 ] && [ $got -gt 0 ]
