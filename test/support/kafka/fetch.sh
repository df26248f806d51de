#!/usr/bin/env bash
# Fetches Kafka's jars with Maven, once, into a folder outside the repository, and prints that folder.
# Needs Java 17 or later and Maven: apt-get install openjdk-17-jre-headless maven
set -eu
cd "$(dirname "$0")"
version=$(sed -n '/kafka_2.13/,/version/ s:.*<version>\(.*\)</version>.*:\1:p' pom.xml)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/setlist"
folder="$cache/kafka-$version"
if [ ! -d "$folder" ]; then
  mkdir -p "$cache"
  draft=$(mktemp -d "$cache/draft-XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$draft/jars" >&2
  # Whole or not at all; another one may have been faster.
  mv -T "$draft/jars" "$folder" 2>/dev/null || [ -d "$folder" ]
fi
printf '%s\n' "$folder"
