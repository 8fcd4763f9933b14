#!/bin/sh
# Makes the secrets that no operator makes, a folder each, a file per key: sh make-secrets.sh FOLDER. What is there already stays.
set -eu
umask 077
folder=$1
hosts='auth api app'

key() { openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n'; }
keep() { # SECRET/KEY VALUE
  mkdir -p "$folder/$(dirname "$1")"
  [ -s "$folder/$1" ] || printf '%s' "$2" > "$folder/$1"
}

keep client-secret-keys/CLIENT_SECRET_KEYS "$(key)"
keep code-keys/CODE_KEYS "k1:$(key)"
keep consent/SESSION_KEY "$(key)"
keep token/KEY_ENCRYPTION_KEY "$(key)"
keep sample-client/SESSION_KEY "$(key)"
# the registration answers the true one
keep sample-client/CONFIDENTIAL_CLIENT_SECRET not-registered-yet

for service in clients consent token resource; do
  keep "postgres-service-$service/username" grantlog
  keep "postgres-service-$service/password" "$(key)"
  keep "postgres-service-$service/uri" \
    "postgres://grantlog:$(cat "$folder/postgres-service-$service/password")@postgres-$service-rw:5432/grantlog"
done

# An authority and a certificate for a cluster of one’s own. In production cert-manager makes the certificate, and nobody needs this.
if [ ! -s "$folder/gateway-certificate/tls.crt" ]; then
  mkdir -p "$folder/gateway-certificate" "$folder/authority"
  names=$(for host in $hosts; do printf 'DNS:%s.grantlog.svc.cluster.local,' "$host"; done)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj '/CN=Grantlog on a local cluster' \
    -keyout "$work/ca.key" -out "$folder/authority/ca.crt" 2> "$work/said" || { cat "$work/said" >&2; exit 1; }
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=Grantlog' \
    -keyout "$folder/gateway-certificate/tls.key" -out "$work/request" 2> "$work/said" || { cat "$work/said" >&2; exit 1; }
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names%,}" > "$work/extensions"
  openssl x509 -req -in "$work/request" -CA "$folder/authority/ca.crt" -CAkey "$work/ca.key" -CAserial "$work/serial" -CAcreateserial -days 825 \
    -extfile "$work/extensions" -out "$folder/gateway-certificate/tls.crt" 2> "$work/said" || { cat "$work/said" >&2; exit 1; }
fi
