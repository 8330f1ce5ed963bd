#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs unit tests built with --coverage and prints the share of lines executed, per file.
#
# usage: BUILD=dir tests/cov.sh
set -u

find "$BUILD" -name '*.gcda' -delete
tests/unit.sh "$BUILD" | grep -E '^(not ok|    )'
find "$BUILD/patch" "$BUILD/diff" -name '*.gcda' | sort | xargs gcov -n 2>/dev/null | awk '
/^File / { gsub("\047", ""); file = $2 }
/^Lines executed:/ && file ~ /^(patch|diff)\// {
    split($0, p, /[:% ]+/)
    # A header may come several times; the best run counts.
    if (!(file in share) || p[3] > share[file]) { share[file] = p[3]; lines[file] = p[5] }
    file = "" }
END { for (f in share) { printf "%6.1f%% of %5d  %s\n", share[f], lines[f], f
          part = f; sub("/.*", "", part); n[part] += lines[f]; hit[part] += share[f] * lines[f] / 100 }
      for (p in n) printf "%6.1f%% of %5d  %s/ in all\n", 100 * hit[p] / n[p], n[p], p }' | sort -k4
