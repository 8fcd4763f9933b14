import type pg from 'pg'
import { pipelined } from './connection.js'

/**
 * Runs work in a transaction on a connection of its own: all of it is stored, or nothing. Its first statements go to the server
 * together with `begin`; its last may go together with `commit`, if it waits for both.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient, commit: () => Promise<unknown>) => Promise<T>,
  begin = 'begin',
): Promise<T> {
  const client = pipelined(await pool.connect())
  let broken: unknown
  const lost = (reason: unknown) => {
    broken = reason
  }
  client.on('error', lost)
  let committed: Promise<unknown> | undefined
  const commit = () => {
    committed ??= client.query('commit')
    return committed
  }
  try {
    const [, result] = await Promise.all([client.query(begin), work(client, commit)])
    await commit()
    return result
  } catch (error) {
    await client.query('rollback').catch(lost)
    throw error
  } finally {
    client.off('error', lost)
    Object.assign(client, { pipeline: false }) // whoever has it next may copy, which goes alone
    client.release(broken !== undefined)
  }
}
