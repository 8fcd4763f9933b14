import type pg from 'pg'

/**
 * Copies every row of every table as a dump and its restore do: values as they are, transaction ids and identity values too, and
 * the sequences set. The tables exist already and are emptied.
 */
export async function restore(from: pg.Pool, to: pg.Pool): Promise<void> {
  const client = await to.connect()
  try {
    await client.query('begin; set local session_replication_role = replica') // no order of tables is asked for
    for (const [table, columns] of await tablesOf(from)) {
      await client.query(`delete from ${table}`)
      const { rows } = await from.query<Record<string, string | null>>(
        `select ${columns.map(({ name }) => `${name}::text`)} from ${table}`,
      )
      if (rows.length === 0) continue
      const values = columns.map((_, index) => `$${index + 1}::text[]`)
      await client.query(
        `insert into ${table} (${columns.map(({ name }) => name)}) overriding system value
         select ${columns.map(({ name, type }) => `${name}::${type}`)} from unnest(${values}) as t (${columns.map(({ name }) => name)})`,
        columns.map(({ name }) => rows.map(row => row[name])),
      )
    }
    const { rows: sequences } = await from.query<{ name: string; last: string | null }>(
      'select sequencename as name, last_value as last from pg_sequences where last_value is not null',
    )
    for (const { name, last } of sequences) await client.query('select setval($1, $2)', [name, last])
    await client.query('commit')
  } finally {
    client.release(true)
  }
}

async function tablesOf(db: pg.Pool): Promise<Map<string, { name: string; type: string }[]>> {
  const { rows } = await db.query<{ table_name: string; column_name: string; type: string }>(
    `select table_name, column_name, format_type(a.atttypid, a.atttypmod) as type
     from information_schema.columns c
     join pg_attribute a on a.attrelid = format('%I', table_name)::regclass and a.attname = column_name
     where table_schema = 'public' order by table_name, ordinal_position`,
  )
  const tables = Map.groupBy(rows, row => row.table_name)
  return new Map(
    [...tables].map(([table, columns]) => [
      table,
      columns.map(({ column_name, type }) => ({ name: column_name, type })),
    ]),
  )
}

/** Lets the cluster's transaction counter go on. */
export async function passTransactions(db: pg.Pool, count: number): Promise<void> {
  await db.query(
    `do $$ begin for n in 1..${count} loop perform pg_current_xact_id(); commit; end loop; end $$`,
  )
}
