#!/usr/bin/env bash
# Keeps the set of what is revoked, from the HTTP feed, with curl and jq: revocations.sh ISSUER TOKEN_FILE [STALE_AFTER_SECONDS]
set -uo pipefail
issuer=$1 token_file=$2 stale_after=${3:-10}
declare -A revoked # by kind and id: the cutoff that a token is compared with
cursor='' heard=0 state=starting page=$(mktemp)
trap 'rm -f "$page"' EXIT
trap 'kill "${!:-}" 2>/dev/null; exit 0' TERM

read_page() { # the token is read anew each time, so that another one may take its place; a command line would show it to everybody
  curl --silent --fail --max-time 30 --output "$page" \
    --config <(printf 'header = "authorization: Bearer %s"\n' "$(<"$token_file")") \
    "$issuer/revocations?wait=$(((stale_after + 1) / 2))${cursor:+&after=$cursor}" &
  wait "$!"
}

take() {
  local kind id cutoff line
  while IFS=$'\t' read -r kind id cutoff line; do
    [[ ${revoked["$kind $id"]:-} == null ]] && continue
    [[ $cutoff != null && ${revoked["$kind $id"]:--1} -ge $cutoff ]] && continue
    revoked["$kind $id"]=$cutoff
    printf '%s\n' "$line"
  done < <(jq -r '.events[] | select(.type == "token.revoked.v1").data
    | [.target.kind, .target.id, (.issuedBefore | tojson)] + [{kind: .target.kind, id: .target.id, issuedBefore} | tojson]
    | join("\t")' "$page")
  cursor=$(jq -r .cursor "$page")
  # rule 4: the feed is as old as the source that was heard longest ago; a page after which there is more says nothing of it
  heard=$(jq --argjson before "$heard" '.heard // {} | if length < 3 then $before else
    map(sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601) | min end' "$page")
}

look() {
  local now=stale
  ((EPOCHSECONDS - heard <= stale_after)) && now=ready
  if [[ $now != "$state" && "$now $state" == *ready* ]]; then # until it was ready once, it is starting
    state=$now
    printf '{"state":"%s"}\n' "$state"
  fi
}

while true; do
  if read_page; then take; else sleep 1 & wait "$!"; fi
  look
done
