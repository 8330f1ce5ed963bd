#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nothing in tests/size-budget.txt may grow by more than 3 % without a word.
#
# Where growth is worth it, write the new figure into that file.
set -u

failed=0
if ! sizes=$(tests/size.sh --totals); then
    echo "not ok the sizes could not be measured"
    exit 1
fi
while read -r name budget; do
    case $name in ''|\#*) continue ;; esac
    now=$(echo "$sizes" | awk -v name="$name" '$1 == name { print $2 }')
    if [ -n "$now" ] && [ "$now" -le $((budget * 103 / 100)) ]; then
        echo "ok $name: $now bytes, $budget budgeted"
    else
        echo "not ok $name: ${now:-unknown} bytes, but tests/size-budget.txt says $budget"
        failed=1
    fi
done <tests/size-budget.txt
exit $failed
