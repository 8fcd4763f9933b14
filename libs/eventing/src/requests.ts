import { randomUUID } from 'node:crypto'
import type pg from 'pg'

export const projectionActions = ['rebuild', 'compare', 'retry', 'skip'] as const
/** What can be asked of a read model: the instance that keeps it does it. */
export type ProjectionAction = (typeof projectionActions)[number]

/** How far something that was asked for is. */
export interface RequestState {
  readonly id: string
  /** Whether an instance has begun with it. */
  readonly taken: boolean
  readonly progress: { readonly stage: string; readonly read: number; readonly of: number } | null
  /** null: not done yet. */
  readonly ok: boolean | null
  /** What became of it, in a sentence. */
  readonly outcome: string | null
}

/** Asks the instance that keeps a read model to do something. `retry` and `skip` name the key that is parked. */
export async function askProjection(
  db: pg.Pool | pg.ClientBase,
  projection: string,
  action: ProjectionAction,
  key?: string,
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    'insert into projection_requests (projection, action, key) values ($1, $2, $3) returning id',
    [projection, action, key],
  )
  return rows[0]?.id ?? ''
}

/** @throws RangeError for one that was never asked */
export async function requestState(db: pg.Pool | pg.ClientBase, id: string): Promise<RequestState> {
  const { rows } = await db.query<RequestState>(
    'select id, taken_by is not null as taken, progress, ok, outcome from projection_requests where id = $1',
    [id],
  )
  if (rows[0] === undefined) throw new RangeError(`There is no request ${id}`)
  return rows[0]
}

/** Something that was asked of a projection, taken by this instance. */
export class TakenRequest {
  readonly #token: string

  private constructor(
    private readonly pool: pg.Pool,
    private readonly id: string,
    readonly action: ProjectionAction,
    readonly key: string | null,
    token: string,
  ) {
    this.#token = token
  }

  /** The oldest that is not done, also one that an instance began with that is gone: the caller holds the projection's lock. */
  static async next(pool: pg.Pool, projection: string): Promise<TakenRequest | undefined> {
    const token = randomUUID()
    const { rows } = await pool.query<{ id: string; action: ProjectionAction; key: string | null }>({
      name: 'take-request',
      text: `update projection_requests set taken_by = $2
             where id = (select id from projection_requests where projection = $1 and ok is null order by id limit 1)
             returning id, action, key`,
      values: [projection, token],
    })
    const [row] = rows
    return row && new TakenRequest(pool, row.id, row.action, row.key, token)
  }

  /** Whether nobody else has taken it since. */
  async isOurs(client: pg.ClientBase): Promise<boolean> {
    const { rowCount } = await client.query(
      'select from projection_requests where id = $1 and taken_by = $2 and ok is null for update',
      [this.id, this.#token],
    )
    return rowCount === 1
  }

  async tell(progress: { stage: string; read: number; of: number }): Promise<void> {
    await this.pool.query('update projection_requests set progress = $3 where id = $1 and taken_by = $2', [
      this.id,
      this.#token,
      JSON.stringify(progress),
    ])
  }

  /**
   * Says what became of it, within the transaction that did it where doing it twice would be wrong.
   * @throws Error when another instance has taken it since: then what was done must not count
   */
  async done(ok: boolean, outcome: string, db: pg.Pool | pg.ClientBase = this.pool): Promise<void> {
    const { rowCount } = await db.query(
      'update projection_requests set ok = $3, outcome = $4 where id = $1 and taken_by = $2 and ok is null',
      [this.id, this.#token, ok, outcome],
    )
    if (rowCount !== 1) throw new Error('Another instance has taken the request over')
  }
}
