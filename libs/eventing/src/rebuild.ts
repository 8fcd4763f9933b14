import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { beginAlone, loadPositions, registerProjection, saveCheckpoints } from './checkpoint.js'
import { copyRows } from './copy-rows.js'
import { type Feeds, subscribeTo } from './feeds.js'
import { GroupApply } from './group-apply.js'
import type { Projection, Row } from './projection.js'
import { park, tellChanged, writeRows } from './read-model.js'
import { compareWithReplay, type Progress, type Replayed, replay } from './replay.js'
import { type TableBeside, tableBeside } from './table-beside.js'
import { inTransaction } from './transaction.js'
import type { Position } from './transport/transport.js'

/**
 * Rebuilds a read model from the first event on while it serves: fills a table beside it, follows the events there, compares it
 * with a pure replay, and puts it in the other's place in one transaction, at a position that is not behind.
 * @returns how many rows there are now
 * @throws Error when what was built is not what a replay says; whatever stops the projection itself. The one that serves is untouched.
 */
export async function rebuild(
  pool: pg.Pool,
  projection: Projection,
  feeds: Feeds,
  options: {
    told: (stage: 'fill' | 'verify', progress: Progress) => Promise<void>
    /** Whether nobody else has taken the work over; asked within the transaction that swaps. */
    stillAsked: (client: pg.ClientBase) => Promise<boolean>
    signal: AbortSignal
  },
): Promise<number> {
  const teller = randomUUID()
  const mark = teller.slice(0, 8)
  const next: Projection = {
    ...projection,
    name: `${projection.name}#${mark}`,
    table: `${projection.table}_${mark}`,
  }
  await removeLeftovers(pool, projection)
  await registerProjection(pool, next, teller)
  const built = await tableBeside(pool, projection.table, mark)
  try {
    const { told, signal } = options
    const rows = new RowsOnTheirWay(pool, next)
    const replayed = await replay(next, feeds, {
      rows,
      told: progress => {
        rows.copy()
        void told('fill', progress)
      },
      signal,
    }).finally(() => rows.settled())
    await rows.copyRest()
    await built.index()
    await rows.writeChanged()
    await stand(pool, next, replayed)
    return await followUntilSwapped(pool, projection, next, feeds, built, options)
  } finally {
    await removeLeftovers(pool, projection)
  }
}

const rowsPerStatement = 5000

/**
 * Rows that are folded in memory, and meanwhile copied away into a table without a key, each once. One that changes after that is
 * written again when all are there and the table has its key.
 */
class RowsOnTheirWay extends Map<string, Row | undefined> {
  /** In the order in which they came; never asked for more than there are, as it would end there. */
  readonly #inOrder = this.entries()
  readonly #copied = new Set<string>()
  readonly #changed = new Set<string>()
  #copying: Promise<void> | undefined
  #failed: unknown

  constructor(
    private readonly pool: pg.Pool,
    private readonly next: Projection,
  ) {
    super()
  }

  override set(key: string, row: Row | undefined): this {
    if (this.#copied.has(key)) this.#changed.add(key)
    return super.set(key, row)
  }

  get #fresh(): number {
    return this.size - this.#copied.size
  }

  /** Goes on copying while there is enough for a statement. @throws whatever a copy before has met */
  copy(): void {
    if (this.#failed !== undefined) throw this.#failed
    if (this.#copying !== undefined || this.#fresh < rowsPerStatement) return
    this.#copying = this.#copySome().then(
      () => {
        this.#copying = undefined
        this.copy()
      },
      error => {
        this.#copying = undefined
        this.#failed = error
      },
    )
  }

  async settled(): Promise<void> {
    while (this.#copying !== undefined) await this.#copying
  }

  async copyRest(): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed
    while (this.#fresh > 0) await this.#copySome()
  }

  /** Writes what has changed since it was copied. */
  async writeChanged(): Promise<void> {
    const changed = [...this.#changed]
    for (let from = 0; from < changed.length; from += rowsPerStatement) {
      const some = changed.slice(from, from + rowsPerStatement).map(key => [key, this.get(key)] as const)
      await inTransaction(this.pool, client => writeRows(client, this.next, new Map(some)))
    }
  }

  async #copySome(): Promise<void> {
    const rows: Row[] = []
    for (let left = Math.min(this.#fresh, rowsPerStatement); left > 0; left--) {
      const [key, row] = this.#inOrder.next().value as [string, Row | undefined]
      this.#copied.add(key)
      if (row !== undefined) rows.push(row)
    }
    const client = await this.pool.connect()
    await copyRows(client, this.next, rows).finally(() => client.release())
  }
}

/** Notes where the table that was filled stands, and what waits beside it. */
async function stand(pool: pg.Pool, next: Projection, { positions, parked }: Replayed): Promise<void> {
  await inTransaction(pool, async client => {
    await park(client, next, [...parked.values()].flat())
    await saveCheckpoints(client, next.name, positions)
  })
}

async function followUntilSwapped(
  pool: pg.Pool,
  live: Projection,
  next: Projection,
  feeds: Feeds,
  built: TableBeside,
  { told, stillAsked, signal }: Parameters<typeof rebuild>[3],
): Promise<number> {
  const positions = await loadPositions(pool, next.name)
  const group = new GroupApply(pool, next)
  let failed: unknown
  const subscription = await subscribeTo(next, feeds, {
    begin: (topic, partition) => positions.get(`${topic}:${partition}`) ?? { lastSeq: {}, nextOffset: null },
    deliver: async delivery => {
      try {
        positions.set(`${delivery.topic}:${delivery.partition}`, await group.apply(delivery))
      } catch (error) {
        failed = error
        throw error
      }
    },
  })
  try {
    const [{ differing, rows }] = await Promise.all([
      compareWithReplay(pool, next, feeds, { told: progress => told('verify', progress), signal }),
      built.analyze(),
    ])
    if (differing.length > 0)
      throw new Error(
        `What was built differs from a pure replay in ${differing.length} of ${rows} rows (${differing.slice(0, 3)}): a handler is not pure, or a column changes what it is given`,
      )
    // nothing is applied meanwhile to the one that serves; the one beside it catches up with where that stands
    const swap = async (client: pg.ClientBase) => {
      const reached = await loadPositions(client, live.name)
      while (!isAtLeast(positions, reached)) {
        if (failed !== undefined) throw failed
        signal.throwIfAborted()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      await client.query('select from projections where name = $1 for update', [next.name])
      if (!(await stillAsked(client))) throw new Error('Another instance has taken the rebuild over')
      await built.swap(client)
      await tellChanged(client, live)
      for (const table of ['checkpoints', 'parked']) {
        await client.query(`delete from ${table} where projection = $1`, [live.name])
        await client.query(`update ${table} set projection = $1 where projection = $2`, [
          live.name,
          next.name,
        ])
      }
      await client.query('delete from projections where name = $1', [next.name])
    }
    await inTransaction(pool, swap, beginAlone(live.name))
    return rows
  } finally {
    await subscription.stop()
  }
}

function isAtLeast(
  positions: ReadonlyMap<string, Position>,
  reached: ReadonlyMap<string, Position>,
): boolean {
  return [...reached].every(([place, { lastSeq }]) =>
    Object.entries(lastSeq).every(
      ([source, last]) => (positions.get(place)?.lastSeq[source as keyof typeof lastSeq] ?? 0) >= last,
    ),
  )
}

/** What a rebuild that did not come to its end left behind. */
async function removeLeftovers(pool: pg.Pool, { name, table }: Projection): Promise<void> {
  const { rows } = await pool.query<{ name: string; read_model: string }>(
    `select name, read_model from projections where starts_with(name, $1)`,
    [`${name}#`],
  )
  for (const left of rows) {
    if (!left.read_model.startsWith(`${table}_`)) continue
    await inTransaction(pool, async client => {
      await client.query('select drop_beside($1, $2)', [table, left.read_model.slice(table.length + 1)])
      for (const kept of ['checkpoints', 'parked'])
        await client.query(`delete from ${kept} where projection = $1`, [left.name])
      await client.query('delete from projections where name = $1', [left.name])
    })
  }
}
