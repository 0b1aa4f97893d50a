# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # set here for scripts, or by them
# A PostgreSQL server of a script's own: in its scratch directory, on a socket there.  A server does not
# run as root: then it is the user postgres's.

pg=$scratch/postgres
export PGHOST=$pg PGDATABASE=postgres PGSERVICEFILE=$pg/service.conf
PATH=$PATH:$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)

pg_as_owner() # COMMAND...
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
	else
		"$@"
	fi
}

# WHY without fsync: no power is cut here.
pg_init()
{
	mkdir -p "$pg"
	[ "$(id -u)" != 0 ] || chown postgres "$pg"
	(cd "$pg" && pg_as_owner initdb -D "$pg/data" -U boss -A trust -E UTF8 --no-sync) > "$pg.log" 2>&1
	printf '%s\n' "[cfdfu]" "host=$pg" "dbname=postgres" "user=lab1" > "$PGSERVICEFILE"
}

pg_start()
{
	(cd "$pg" && pg_as_owner pg_ctl -D "$pg/data" -w -t 60 -l "$pg/log" \
		-o "-k $pg -c listen_addresses= -c fsync=off" start) >> "$pg.log" 2>&1
	pg_pid=$(head -n 1 "$pg/data/postmaster.pid")
}

pg_stop() # fast|immediate
{
	(cd "$pg" && pg_as_owner pg_ctl -D "$pg/data" -w -m "$1" stop) >> "$pg.log" 2>&1
}

pg_sql() # SQL [USER]: rows, values separated by |
{
	psql -XAtq -U "${2:-boss}" -v ON_ERROR_STOP=1 -c "$1"
}
