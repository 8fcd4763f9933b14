import type { Service, Topic } from '@grantlog/contracts'
import type pg from 'pg'

/** SQL: whether a session advisory lock of this database is held, by whatever session. */
export const lockIsHeld = (name: string) => `exists (
  select from pg_locks
  where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32) | objid::bigint = hashtextextended('${name}', 0))`

const rebuildLock = 'topics rebuild'
/** SQL: whether a rebuild of a topic is at work. A hold counts only as long as it is. */
export const rebuildIsAtWork = lockIsHeld(rebuildLock)

const lookMilliseconds = 100

/**
 * Keeps one service from publishing while a topic is rebuilt. It hangs on the session of `db`: when that ends, however it ends,
 * the service publishes again by itself.
 */
export class Hold {
  #mine = false

  constructor(
    readonly service: Service,
    readonly db: pg.ClientBase,
  ) {}

  /** @throws Error when another rebuild is at work */
  async ask(): Promise<void> {
    const { rows } = await this.db.query<{ got: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
      [rebuildLock],
    )
    if (rows[0]?.got !== true)
      throw new Error(`Another rebuild of a topic of ${this.service} is at work: wait for it.`)
    this.#mine = true
    await this.db.query(`update publisher set hold = 'asked' where hold <> 'asked'`)
  }

  /**
   * Waits until nothing is on its way any more. A service of which no instance owns the log sends nothing, and one that starts
   * finds itself held. @throws Error when it does not hold within the time, in milliseconds
   */
  async settled(within: number): Promise<void> {
    for (const until = Date.now() + within; ; ) {
      const { rows } = await this.db.query<{ hold: string; owned: boolean }>(
        `select hold, ${lockIsHeld('log')} as owned from publisher`,
      )
      const [row] = rows
      if (row?.hold === 'held') return
      if (row?.hold === 'asked' && !row.owned)
        await this.db.query(`update publisher set hold = 'held' where hold = 'asked'`)
      else if (Date.now() > until)
        throw new Error(
          `${this.service} did not stop publishing within ${within / 1000} s: is it well, and does it publish to Kafka? Nothing was changed.`,
        )
      else await new Promise(resolve => setTimeout(resolve, lookMilliseconds))
    }
  }

  /** @throws Error when the service may have published meanwhile */
  async confirm(): Promise<void> {
    const { rows } = await this.db.query<{ sure: boolean }>(
      `select hold = 'held' and ${rebuildIsAtWork} as sure from publisher`,
    )
    if (rows[0]?.sure !== true)
      throw new Error(`${this.service} did not hold to the end: nothing was removed. Run it again.`)
  }

  /** Writes what is published last in each partition of the topic, and lets the service go on. */
  async finish(topic: Topic, heads: ReadonlyMap<string, number>): Promise<void> {
    const places = [...heads].filter(([place]) => place.startsWith(`${topic}:`))
    await this.db.query(
      `with gone as (
         delete from published where topic = $1 and partition <> all($2::int[])
       ), heads as (
         insert into published (topic, partition, log_seq)
         select $1, m.partition, m.log_seq from unnest($2::int[], $3::bigint[]) as m (partition, log_seq)
         on conflict (topic, partition) do update set log_seq = excluded.log_seq
       )
       update publisher set hold = 'none'`,
      [topic, places.map(([place]) => Number(place.split(':')[1])), places.map(([, logSeq]) => logSeq)],
    )
  }

  /** Lets the service go on, as it was, if it is this that holds it. */
  async release(): Promise<void> {
    if (!this.#mine) return
    this.#mine = false
    await this.db.query(`update publisher set hold = 'none'`)
    await this.db.query('select pg_advisory_unlock(hashtextextended($1, 0))', [rebuildLock])
  }
}
