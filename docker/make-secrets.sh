#!/bin/sh
# Makes the passwords of a new installation, each in the volume of the one service that needs it. Runs at every start, and
# changes nothing once they exist. To rotate them, remove the four volumes of secrets while The Eye is stopped.
set -eu
umask 077

# The official images run PostgreSQL and Redis as user 999, ClickHouse as user 101, and Node as user 1000.
EYE=1000 SERVER=999 CLICKHOUSE=101
folder=${SECRETS:-/secrets}

secret() {
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# $1: the owner, $2: the file; the content comes from the standard input.
store() {
  rm -f "$2"
  cat > "$2"
  chmod 400 "$2"
  chown "$1:$1" "$2"
}

# ClickHouse came later: an installation that has the other passwords gets this one at its next start.
if [ ! -e "$folder/eye/clickhouse-url" ]; then
  clickhouse=$(secret)
  store $CLICKHOUSE "$folder/clickhouse/the-eye.xml" << XML
<clickhouse>
  <users>
    <default remove="remove"/>
    <the_eye>
      <password_sha256_hex>$(printf %s "$clickhouse" | sha256sum | cut -d ' ' -f 1)</password_sha256_hex>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT ALL ON the_eye.*</query>
        <query>GRANT CREATE DATABASE ON the_eye_empty.*</query>
        <query>GRANT SELECT ON system.settings</query>
        <query>GRANT SELECT ON system.parts</query>
        <query>GRANT SELECT ON system.mutations</query>
      </grants>
    </the_eye>
  </users>
</clickhouse>
XML
  printf 'http://the_eye:%s@clickhouse:8123/the_eye' "$clickhouse" | store $EYE "$folder/eye/clickhouse-url"
fi

[ -e "$folder/eye/redis-url" ] && exit 0

superuser=$(secret) database=$(secret) redis=$(secret)

printf %s "$superuser" | store $SERVER "$folder/postgres/superuser-password"
printf %s "$database" | store $SERVER "$folder/postgres/the-eye-password"
store $SERVER "$folder/redis/users.acl" << ACL
user default off
user health on nopass resetkeys resetchannels -@all +ping
user the_eye on #$(printf %s "$redis" | sha256sum | cut -d ' ' -f 1) ~* &* +@all -@dangerous +info +role +config|get +client|list
ACL
printf 'postgresql://the_eye:%s@postgres:5432/the_eye' "$database" | store $EYE "$folder/eye/database-url"
# The last file says that all of them are complete.
printf 'redis://the_eye:%s@redis:6379' "$redis" | store $EYE "$folder/eye/redis-url"
