# SPDX-License-Identifier: Apache-2.0
# bash completion for inlay

_inlay_profiles() {
    inlay profile list 2>/dev/null | cut -d' ' -f1
}

_inlay() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "diff apply info sim profile --help --version" -- "$cur")
        return
    fi
    case $prev in
    -p | --profile | show)
        mapfile -t COMPREPLY < <(compgen -W "$(_inlay_profiles)" -- "$cur"; compgen -f -- "$cur")
        return
        ;;
    -m | --mode) words="in-place ab" ;;
    --codec) words="auto mix lzma" ;;
    --arch) words="auto none thumb2 arm aarch64 riscv xtensa avr x86-64 wasm" ;;
    -c | --cut) words="none every random:" ;;
    -t | --torn)
        words="none all before after prefix suffix random one-bit all-but-one half-erased weak
            neighbour unstable"
        ;;
    --base | --component | --old-version | --new-version | --security-counter | --cuts | --keep | \
        -j | --jobs | --seed | --replay) return ;;
    esac
    if [ -z "$words" ]; then
        case ${COMP_WORDS[1]} in
        diff)
            words="--profile --mode --codec --arch --base --component --old-version --new-version
                --security-counter --old-checks --jobs --json --help"
            ;;
        apply) words="--in-place --component --security-counter --help" ;;
        info) words="--old --json --help" ;;
        sim) words="--profile --cut --torn --cuts --keep --seed --full --replay --json --help" ;;
        profile) words="list show --json --help" ;;
        esac
        case $cur in
        -*) ;;
        *)
            [ "${COMP_WORDS[1]}" = profile ] || words=
            ;;
        esac
    fi
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

complete -o filenames -F _inlay inlay
