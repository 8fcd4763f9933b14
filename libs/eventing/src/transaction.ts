import type pg from 'pg'

/** Runs work in a transaction on a connection of its own: all of it is stored, or nothing. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  begin = 'begin',
): Promise<T> {
  const client = await pool.connect()
  let broken: unknown
  const lost = (reason: unknown) => {
    broken = reason
  }
  client.on('error', lost)
  try {
    await client.query(begin)
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(lost)
    throw error
  } finally {
    client.off('error', lost)
    client.release(broken !== undefined)
  }
}
