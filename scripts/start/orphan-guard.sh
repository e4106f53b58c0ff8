#!/bin/sh
# Ends the processes that its parent started, should the parent die without doing so (a kill -9).
# Standard input: lines "watch PID" and "forget PID"; PID leads a process group. When the parent dies the input ends.
trap '' INT TERM HUP
watched=

while read -r word pid; do
  case $word in
    watch) watched="$watched $pid" ;;
    forget)
      kept=
      for other in $watched; do [ "$other" = "$pid" ] || kept="$kept $other"; done
      watched=$kept
      ;;
  esac
done

for pid in $watched; do kill -s TERM -- "-$pid" 2>/dev/null; done
seconds=0
while [ "$seconds" -lt 5 ]; do
  alive=
  for pid in $watched; do kill -s 0 -- "-$pid" 2>/dev/null && alive="$alive $pid"; done
  watched=$alive
  [ -n "$watched" ] || exit 0
  sleep 1
  seconds=$((seconds + 1))
done
for pid in $watched; do kill -s KILL -- "-$pid" 2>/dev/null; done
