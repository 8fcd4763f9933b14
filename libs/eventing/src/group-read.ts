import type pg from 'pg'

export interface StreamHead {
  readonly version: number
  readonly state: unknown
  readonly stateTag: string
}

/** Concurrent looks at the heads of streams share one query; those that come while it is under way share the next. */
export class GroupRead {
  #waiting: Waiting[] = []
  #reading: Promise<void> | undefined

  constructor(private readonly pool: pg.Pool) {}

  /** Version and folded state of a stream, or undefined when nothing has happened in it. */
  head(streamId: string): Promise<StreamHead | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ streamId, resolve, reject })
      this.#reading ??= this.#readAll()
    })
  }

  async #readAll(): Promise<void> {
    await undefined // those whose appends were answered together come along
    while (this.#waiting.length > 0) await this.#read(this.#waiting.splice(0))
    this.#reading = undefined
  }

  async #read(batch: readonly Waiting[]): Promise<void> {
    try {
      const { rows } = await this.pool.query<HeadRow>({
        name: 'stream-heads',
        text: 'select stream_id, version, state, state_tag from streams where stream_id = any($1::text[])',
        values: [batch.map(({ streamId }) => streamId)],
      })
      const heads = new Map(
        rows.map(row => [row.stream_id, { version: row.version, state: row.state, stateTag: row.state_tag }]),
      )
      for (const { streamId, resolve } of batch) resolve(heads.get(streamId))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

interface Waiting {
  readonly streamId: string
  resolve(head: StreamHead | undefined): void
  reject(error: unknown): void
}

interface HeadRow {
  stream_id: string
  version: number
  state: unknown
  state_tag: string
}
