#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Joins the patcher into inlay_patch.c and inlay_patch.h in the directory $1.
#
# The header is codec_mix.h with what it includes: everything an integrator
# needs, and the codec interface for those who bring their own.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"

# Copies files, replacing includes of our own headers by their text, once each.
# Macros of a .c file end with it.
join='
function copy(path,  line, name, defs, n, i) {
    n = split(path, name, "/")
    seen[name[n]] = 1
    n = 0
    while ((getline line < path) > 0) {
        if (line ~ /^#include "/) {
            split(line, name, "\"")
            if (!(name[2] in seen)) {
                seen[name[2]] = 1
                copy(dir "/" name[2])
            }
        } else if (line ~ /^#include </) {
            if (!(line in seen)) {
                seen[line] = 1
                print line
            }
        } else if (line !~ /SPDX-License-Identifier/) {
            print line
            if (line ~ /^#define /) {
                split(line, name, "[ (]")
                defs[n++] = name[2]
            }
        }
    }
    close(path)
    if (path ~ /\.c$/)
        for (i = 0; i < n; i++)
            print "#undef " defs[i]
}
BEGIN {
    print "/* SPDX-License-Identifier: Apache-2.0 */"
    print "/* Inlay " version ", joined from patch/: change it there. */"
    if (kept != "") {
        print "#include \"inlay_patch.h\""
        while ((getline line < kept) > 0)
            seen[line] = 1
    }
    for (a = 1; a < ARGC; a++) {
        print ""
        n = split(ARGV[a], parts, "/")
        if (ARGV[a] ~ /\.c$/)
            print "/* ---- " parts[n] " ---- */"
        copy(ARGV[a])
    }
    if (names != "") {
        printf "" > names
        for (s in seen)
            print s > names
    }
}'

version=$(cat "$here/../VERSION")
LC_ALL=C
export LC_ALL
awk -v dir="$here" -v version="$version" -v names="$out/.names" \
    "$join" "$here/codec_mix.h" >"$out/inlay_patch.h"
awk -v dir="$here" -v version="$version" -v kept="$out/.names" \
    "$join" "$here"/*.c >"$out/inlay_patch.c"
rm -f "$out/.names"
