#!/bin/sh
# Stands in for an ffmpeg that never comes to an end; says in a file beside it which process it is.
echo $$ >"$0.new" && mv "$0.new" "$0.pid"
exec sleep 3600
