import pg from 'pg'

/** What a service may do with tables that are not its alone. */
const rightsTo: Readonly<Record<string, string>> = {
  // only ever inserted. Who writes to it needs no right to its partitions
  events: 'select, insert',
  // the owner's command says what is in files
  log_end: 'select, update (last_seq, xid)',
  segments: 'select',
  migrations: 'select',
}

/**
 * Gives a role what a service needs at run time, and takes from it what it may have had besides: it may read and append events, and
 * never change or remove one; write its other tables; create nothing. To be run by the owner, after each change of the schema.
 * Nobody else may connect.
 */
export async function grantRights(db: pg.ClientBase, role: string): Promise<void> {
  const name = pg.escapeIdentifier(role)
  const { rows } = await db.query<{ table: string }>(
    `select c.relname as table from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and c.relname !~ '^events_(kept|[0-9]+)' order by c.relname`,
  )
  const grants = rows.map(
    ({ table }) =>
      `grant ${rightsTo[table] ?? 'select, insert, update, delete, truncate'} on ${pg.escapeIdentifier(table)} to ${name};`,
  )
  await db.query(`
    begin;
    do $$ begin
      execute format('revoke all on database %I from public', current_database());
      execute format('grant connect on database %I to %I', current_database(), ${pg.escapeLiteral(role)});
    end $$;
    revoke create on schema public from public; -- which Postgres did not do by itself before 15
    revoke all on schema public from ${name};
    revoke all on all tables in schema public from ${name};
    revoke all on all sequences in schema public from ${name};
    grant usage on schema public to ${name};
    grant usage, select on all sequences in schema public to ${name};
    ${grants.join('\n')}
    commit`)
}

/** The two roles of a service's database, which is named like the one that the service runs as. */
export interface Roles {
  /** Migrates, and runs the operator's commands. */
  readonly owner: { readonly name: string; readonly password: string }
  /** The service runs as it. */
  readonly service: { readonly name: string; readonly password: string }
}

/**
 * Makes a database and its two roles, or gives those that exist these passwords. What the service's role may do is for the owner to
 * say, with `grantRights`.
 * @param admin URL of whoever may create roles and databases, of any database
 */
export async function prepareDatabase(admin: string, database: string, roles: Roles): Promise<void> {
  const db = new pg.Client({ connectionString: admin, application_name: 'grantlog' })
  db.on('error', () => undefined) // the next query says it
  await db.connect()
  try {
    for (const { name, password } of [roles.owner, roles.service]) {
      const { rowCount } = await db.query('select from pg_roles where rolname = $1', [name])
      await db.query(
        `${rowCount === 0 ? 'create' : 'alter'} role ${pg.escapeIdentifier(name)} login password ${pg.escapeLiteral(password)}`,
      )
    }
    const [owner, service] = [roles.owner.name, roles.service.name].map(name => pg.escapeIdentifier(name))
    // so that it sees, and may end, what the service's sessions do
    await db.query(`grant ${service} to ${owner}`)
    const { rowCount } = await db.query('select from pg_database where datname = $1', [database])
    const name = pg.escapeIdentifier(database)
    // who is no superuser may give away only to those whose member it is
    await db.query(`grant ${owner} to current_user`)
    await db.query(
      rowCount === 0 ? `create database ${name} owner ${owner}` : `alter database ${name} owner to ${owner}`,
    )
    await db.query(`revoke all on database ${name} from public`)
  } finally {
    await db.end()
  }
}
