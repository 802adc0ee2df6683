# Run a script and show what it prints, which is kept in a log, too: bash logged.sh PYTHON SCRIPT --log FILE [OPTION …]
set -euo pipefail
# Ctrl-C and `kill` can reach every process of a job at once: this shell, sed and tee outlast the script, so that its last
# words come through.
trap : INT TERM
VIDEO3D_LOG="$4" "$1" "$2" "${@:5}" 2>&1 |
  (trap '' INT TERM; exec sed --unbuffered --file "$(dirname "$0")/noise.sed") |
  (trap '' INT TERM; exec tee -- "$4")
