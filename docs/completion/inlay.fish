# SPDX-License-Identifier: Apache-2.0
# fish completion for inlay

function __inlay_profiles
    inlay profile list 2>/dev/null | string replace -r ' +' \t
end

set -l commands diff apply info sim profile
complete -c inlay -n "not __fish_seen_subcommand_from $commands" -f
complete -c inlay -n "not __fish_seen_subcommand_from $commands" -l version -d 'Show the version'
complete -c inlay -n "not __fish_seen_subcommand_from $commands" -a diff -d 'Make a patch'
complete -c inlay -n "not __fish_seen_subcommand_from $commands" -a apply -d 'Apply a patch'
complete -c inlay -n "not __fish_seen_subcommand_from $commands" -a info -d 'Show what a patch says'
complete -c inlay -n "not __fish_seen_subcommand_from $commands" -a sim -d 'Run it on modelled flash'
complete -c inlay -n "not __fish_seen_subcommand_from $commands" -a profile -d 'Device profiles'
complete -c inlay -s h -l help -d 'Show help'
complete -c inlay -n "__fish_seen_subcommand_from diff info sim profile" -l json -d 'Print JSON'
complete -c inlay -n "__fish_seen_subcommand_from diff sim" -s p -l profile -r -a '(__inlay_profiles)'
complete -c inlay -n "__fish_seen_subcommand_from diff" -s m -l mode -x -a 'in-place ab'
complete -c inlay -n "__fish_seen_subcommand_from diff" -l codec -x -a 'auto mix lzma'
complete -c inlay -n "__fish_seen_subcommand_from diff" -l arch -x \
    -a 'auto none thumb2 arm aarch64 riscv xtensa avr x86-64 wasm'
complete -c inlay -n "__fish_seen_subcommand_from diff" -l base -x -d 'Load address'
complete -c inlay -n "__fish_seen_subcommand_from diff" -l old-version -x
complete -c inlay -n "__fish_seen_subcommand_from diff" -l new-version -x
complete -c inlay -n "__fish_seen_subcommand_from diff apply" -l component -x
complete -c inlay -n "__fish_seen_subcommand_from diff apply" -l security-counter -x
complete -c inlay -n "__fish_seen_subcommand_from apply" -s i -l in-place -d 'Rewrite the image'
complete -c inlay -n "__fish_seen_subcommand_from sim" -s c -l cut -x -a 'none every random:'
complete -c inlay -n "__fish_seen_subcommand_from sim" -s t -l torn -x -a 'none all before after
    prefix suffix random one-bit all-but-one half-erased weak neighbour unstable'
complete -c inlay -n "__fish_seen_subcommand_from sim" -l cuts -x -a '1 2 3'
complete -c inlay -n "__fish_seen_subcommand_from sim" -l keep -x
complete -c inlay -n "__fish_seen_subcommand_from sim" -l seed -x
complete -c inlay -n "__fish_seen_subcommand_from sim" -l full -d 'Run every history to its end'
complete -c inlay -n "__fish_seen_subcommand_from diff" -s j -l jobs -x -d 'Threads at most'
complete -c inlay -n "__fish_seen_subcommand_from diff" -l old-checks -d 'Checks of each old block'
complete -c inlay -n "__fish_seen_subcommand_from sim" -l replay -x
complete -c inlay -n "__fish_seen_subcommand_from profile" -f -a 'list show'
complete -c inlay -n "__fish_seen_subcommand_from profile" -a '(__inlay_profiles)'
complete -c inlay -n "__fish_seen_subcommand_from info" -l old -r -d 'The old image'
