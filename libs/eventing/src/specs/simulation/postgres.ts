import { EventEmitter } from 'node:events'
import type { Envelope } from '@grantlog/contracts'
import type pg from 'pg'
import type { Chance, VirtualTime } from './virtual-time.js'

/** How likely each fault is, per statement, and how long a stall is at most, in milliseconds. */
export interface Faults {
  readonly lost: number
  readonly stall: number
  readonly stallMilliseconds: number
}

const idleInTransactionMilliseconds = 5000

/**
 * The statements of the publisher, the transports and the projection runner, on tables in memory: transactions that end with their
 * session, row locks in the order of asking, session locks, leases. Each statement takes virtual time, and may find its session
 * gone before it ran, after it ran, or wake up much later. A statement that it does not know is an error, not a guess.
 */
export class Database {
  /** What was appended. */
  readonly log: Envelope[] = []
  readonly publisher = { cursor: 0, published: new Map<string, number>() }
  readonly checkpoints = new Map<string, { positions: string; nextOffset: string | null }>()
  readonly rows = new Map<string, Record<string, unknown>>()
  readonly projection = {
    known: false,
    caughtUp: false,
    waiting: 0,
    trouble: null as string | null,
    teller: '',
  }
  readonly sessions = new Set<Session>()
  readonly locks = new Map<string, Session>()
  readonly #waiting: { session: Session; take: () => void }[] = []
  #holder: Session | undefined
  faults: Faults | undefined

  constructor(
    readonly time: VirtualTime,
    readonly chance: Chance,
  ) {}

  /** A pool of one process: all of its sessions end with it. */
  pool(): pg.Pool {
    const idle: Session[] = []
    const connect = async () => {
      await this.time.sleep(this.chance.below(3))
      const session = idle.find(({ dead }) => !dead) ?? new Session(this)
      const at = idle.indexOf(session)
      if (at >= 0) idle.splice(at, 1)
      return Object.assign(session, {
        release: (destroy?: boolean | Error) => {
          if (destroy || session.dead || session.changes !== undefined) session.end()
          else idle.push(session)
        },
      })
    }
    return {
      connect,
      on: () => undefined,
      query: async (statement: Statement, values?: unknown[]) => {
        const session = await connect()
        try {
          return await session.query(statement, values)
        } finally {
          session.release(session.dead)
        }
      },
    } as unknown as pg.Pool
  }

  /** Ends what says nothing: sessions with an open transaction, or a lease. */
  sweep(): void {
    for (const session of this.sessions) {
      const silent = this.time.now - session.heard
      const limit = session.changes === undefined ? session.lease : idleInTransactionMilliseconds
      if (limit !== undefined && silent > limit) session.end()
    }
  }

  /** Resolves when the session holds the projection's row. */
  takeRow(session: Session): Promise<void> {
    if (this.#holder === undefined || this.#holder === session) {
      this.#holder = session
      return Promise.resolve()
    }
    return new Promise(resolve => this.#waiting.push({ session, take: resolve }))
  }

  leaveRow(session: Session): void {
    if (this.#holder !== session) return
    this.#holder = undefined
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.session.dead) {
        next.take()
        continue
      }
      this.#holder = next.session
      next.take()
      return
    }
  }
}

type Statement = string | { text: string; values?: unknown[] }

/** One connection: what it changed in an open transaction is seen by others only after the commit. */
class Session extends EventEmitter {
  dead = false
  heard: number
  lease: number | undefined
  changes: (() => void)[] | undefined
  #served: Promise<unknown> = Promise.resolve()

  constructor(private readonly db: Database) {
    super()
    this.heard = db.time.now
    db.sessions.add(this)
    this.on('error', () => undefined)
  }

  async query(statement: Statement, given?: unknown[]): Promise<{ rows: unknown[]; rowCount: number }> {
    const served = this.#served.then(() => this.#serve(statement, given))
    this.#served = served.catch(() => undefined)
    const answer = await served
    const { time, chance, faults } = this.db
    // the process stands still with the answer in its hands
    if (faults && chance.happens(faults.stall)) await time.sleep(chance.below(faults.stallMilliseconds))
    else await time.sleep(chance.below(4))
    return answer
  }

  /** One statement after the other, as they were asked; also when the next is asked before the answer has come. */
  async #serve(statement: Statement, given?: unknown[]): Promise<{ rows: unknown[]; rowCount: number }> {
    const { db } = this
    const text = typeof statement === 'string' ? statement : statement.text
    const values = (typeof statement === 'string' ? given : statement.values) ?? []
    const { faults } = db
    await db.time.sleep(db.chance.below(4))
    db.sweep()
    if (this.dead) throw new Error('Connection terminated')
    this.heard = db.time.now
    if (faults && db.chance.happens(faults.lost)) {
      this.end()
      throw new Error('Connection terminated unexpectedly')
    }
    const rows = await this.#execute(text.trim(), values)
    if (this.dead) throw new Error('Connection terminated unexpectedly')
    this.heard = db.time.now
    if (faults && db.chance.happens(faults.lost)) {
      this.end()
      throw new Error('Connection terminated unexpectedly, after the statement was done')
    }
    return { rows, rowCount: rows.length }
  }

  end(): void {
    if (this.dead) return
    this.dead = true
    this.changes = undefined
    this.db.sessions.delete(this)
    for (const [name, holder] of this.db.locks) if (holder === this) this.db.locks.delete(name)
    this.db.leaveRow(this)
    this.emit('error', new Error('terminating connection'))
  }

  #change(change: () => void): void {
    if (this.changes === undefined) change()
    else this.changes.push(change)
  }

  async #execute(text: string, values: unknown[]): Promise<unknown[]> {
    const { db } = this
    const is = (begin: string) => text.startsWith(begin)
    if (is('begin; set local synchronous_commit to off; select from projections')) {
      this.changes = []
      await db.takeRow(this)
      return []
    }
    if (is('begin')) {
      this.changes = []
      return []
    }
    if (is('commit')) {
      for (const change of this.changes ?? []) change()
      this.changes = undefined
      db.leaveRow(this)
      return []
    }
    if (is('rollback')) {
      this.changes = undefined
      db.leaveRow(this)
      return []
    }
    if (is('listen')) return []
    if (is('set idle_session_timeout')) {
      this.lease = Number(text.split('= ')[1])
      return []
    }
    if (is('select true as got')) return [{ got: true }]
    if (is('select pg_try_advisory_lock')) {
      const name = String(values[0])
      if (!db.locks.has(name)) db.locks.set(name, this)
      return [{ got: db.locks.get(name) === this }]
    }
    return this.#log(text, values) ?? this.#readModel(text, values) ?? unknown(text)
  }

  #log(text: string, values: unknown[]): unknown[] | undefined {
    const { log, publisher } = this.db
    const [, limit] = /from events .*order by log_seq limit (\d+)/s.exec(text) ?? []
    if (limit !== undefined) {
      const [after, without = []] = values as [number, string[]?]
      const slice = log.slice(after, after + Number(limit))
      const part = { up_to: slice.at(-1)?.logseq ?? null, numbers: slice.length }
      const rows = slice
        .filter(event => !without.includes(event.type))
        .map(event => ({
          ...part,
          log_seq: String(event.logseq),
          event_id: event.id,
          type: event.type,
          stream_id: event.subject,
          stream_version: event.streamversion,
          time: event.time.replace('T', ' ').replace('Z', ''),
          actor_type: event.authtype,
          actor_id: event.authid,
          traceparent: null,
          data: event.data,
        }))
      return /as up_to/.test(text) && rows.length === 0 ? [{ ...part, log_seq: null }] : rows
    }
    if (/^select detached_up_to/.test(text)) return [{ up_to: '0', heads: [], newest: null }]
    if (text === 'select add_segments()') return []
    if (/as restored from log_end$/.test(text)) return [{ restored: false }]
    if (text === 'select last_seq from log_end') return [{ last_seq: String(log.length) }]
    if (/^select cursor, hold/.test(text)) {
      const heads = [...publisher.published].map(([place, log_seq]) => ({ place, log_seq }))
      return [{ cursor: String(publisher.cursor), hold: 'none', asker: false, heads }]
    }
    if (text === 'select hold from publisher') return [{ hold: 'none' }]
    if (/update publisher set cursor = \$2/.test(text)) {
      const [from, to, topics, partitions, heads] = values as [number, number, string[], number[], number[]]
      if (publisher.cursor !== from) return []
      publisher.cursor = to
      for (const [index, topic] of topics.entries())
        publisher.published.set(`${topic}:${partitions[index]}`, heads[index] ?? 0)
      return [{ hold: 'none' }]
    }
    return undefined
  }

  #readModel(text: string, values: unknown[]): unknown[] | undefined {
    const { checkpoints, rows, projection } = this.db
    if (/^insert into projections/.test(text)) {
      Object.assign(projection, { known: true, teller: values[3] })
      return []
    }
    if (/^select caught_up from projections/.test(text)) return [{ caught_up: projection.caughtUp }]
    if (/^update projections set caught_up/.test(text)) {
      const [, caughtUp, waiting, trouble, teller] = values as [
        string,
        boolean,
        number,
        string | null,
        string,
      ]
      if (teller !== projection.teller) return []
      Object.assign(projection, { caughtUp, waiting, trouble })
      return [{}]
    }
    if (/^update projection_requests/.test(text)) return []
    if (/^select topic, partition, positions, next_offset from checkpoints/.test(text))
      return [...checkpoints].map(([place, { positions, nextOffset }]) => {
        const [topic, partition] = place.split(':')
        return {
          topic,
          partition: Number(partition),
          positions: JSON.parse(positions),
          next_offset: nextOffset,
        }
      })
    if (/^select w\.topic, w\.partition, c\.positions/.test(text)) {
      const [, topics, partitions] = values as [string, string[], number[]]
      return topics.map((topic, index) => {
        const kept = checkpoints.get(`${topic}:${partitions[index]}`)
        return {
          topic,
          partition: partitions[index],
          positions: kept ? JSON.parse(kept.positions) : null,
          next_offset: kept?.nextOffset ?? null,
          parks: false,
        }
      })
    }
    if (/^insert into checkpoints/.test(text)) {
      const [, topics, partitions, positions, offsets] = values as [
        string,
        string[],
        number[],
        string[],
        (string | null)[],
      ]
      this.#change(() => {
        for (const [index, topic] of topics.entries())
          checkpoints.set(`${topic}:${partitions[index]}`, {
            positions: positions[index] ?? '{}',
            nextOffset: offsets[index] ?? null,
          })
      })
      return []
    }
    if (/^select client_id::text as key/.test(text)) {
      const keys = values[0] as string[]
      return keys.flatMap(key => {
        const row = rows.get(key)
        return row === undefined ? [] : [{ key, row: structuredClone(row) }]
      })
    }
    if (/^insert into suspensions/.test(text)) {
      const kept = JSON.parse(String(values[0])) as Record<string, unknown>[]
      this.#change(() => {
        for (const row of kept) rows.set(String(row.client_id), row)
      })
      return []
    }
    if (/^delete from suspensions/.test(text)) {
      const gone = values[0] as string[]
      this.#change(() => {
        for (const key of gone) rows.delete(key)
      })
      return []
    }
    return undefined
  }
}

function unknown(text: string): never {
  throw new Error(`The simulation does not know this statement: ${text}`)
}
