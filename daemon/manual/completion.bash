# Bash completion of share-drift-exporter. It asks the program itself: --help has one flag a line, with its type.

_share_drift_exporter() {
  local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands="run check doctor lint baseline plan history" command="" word help type
  # Bash makes "=" a word of its own.
  if [ "$current" = "=" ]; then
    current=""
  elif [ "$previous" = "=" ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " $commands " in *" $word "*) command=$word && break ;; esac
  done
  help=$("$program" $command --help 2>/dev/null)
  COMPREPLY=()
  if [[ $previous == --* ]]; then
    type=$(sed -n "s/^  \(-h,\)\{0,1\}${previous//./\\.} \([^ ]\{1,\}\)  *.*/\2/p" <<<"$help")
    case $type in
      FILE)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return ;;
      N | N\|auto | DURATION | ADDRESS | PATH | URL | ID | NAME) return ;;
      *\|*)
        mapfile -t COMPREPLY < <(compgen -W "${type//|/ }" -- "$current")
        return ;;
    esac
  fi
  word=$(sed -n 's/^  \(-h,\)\{0,1\}\(--[a-z.-]*\) .*/\2/p' <<<"$help")
  [ -z "$command" ] && [[ $current != -* ]] && word=$commands
  mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")
}
complete -F _share_drift_exporter share-drift-exporter
