import { Clock } from '@grantlog/platform'
import { Injectable } from '@nestjs/common'
import { DataSource, type EntityManager } from 'typeorm'
import { findApis } from '../projections/apis.projection.js'

/** How far one process of a resource server has applied the revocations of every service. */
export interface Position {
  /** Audience of the API. */
  readonly resource: string
  /** Of the process. */
  readonly instance: string
  /** Every revocation that was made until then has been applied. */
  readonly completeUntil: Date
}

/** What is heard of an API. */
export interface Heard {
  /** How far each of its processes was, as it said in the last minute. None: nothing is known of it. */
  readonly completeUntil: readonly Date[]
  /** How old the oldest of them is, in seconds. */
  readonly ageSeconds: number
}

/** Of a revocation at an API: how many of its processes have applied it, and since when all of them have, if that is known. */
export interface Applied {
  readonly instances: number
  readonly by: number
  readonly since: Date | undefined
}

/** Who was not heard for so long counts no more. */
const liveSeconds = 60
/** What is kept longer is of no use: no token lives longer than an hour after its revocation. */
const keptSeconds = 3600
/** An event bears the time at which it was decided; it is stored, and can be heard of, a moment later. */
const storedWithinSeconds = 1
const instancesAtMost = 1000

/** How far resource servers have come with the revocations, by their own word. Telemetry: rows with an end, and no events. */
@Injectable()
export class Positions {
  constructor(
    private readonly db: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Takes a position; an older one than is known of the process changes nothing but when it was heard. */
  async report(
    clientId: string,
    { resource, instance, completeUntil }: Position,
  ): Promise<'reported' | 'unknown resource' | 'too many'> {
    const apis = await findApis(this.db, { audience: resource, scopes: [] })
    if (apis.length === 0) return 'unknown resource'
    return this.db.transaction(async db => {
      // what all of them have applied is read from rows that nobody else changes meanwhile
      await db.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [resource])
      await this.#forget(db)
      const now = this.clock.now()
      const [{ others }]: [{ others: number }] = await db.query(
        `select count(*)::integer as others from positions
         where resource = $1 and client_id = $2 and instance <> $3`,
        [resource, clientId, instance],
      )
      if (others >= instancesAtMost) return 'too many'
      await db.query(
        `insert into positions (resource, client_id, instance, complete_until, heard_at) values ($1, $2, $3, $4, $5)
         on conflict (resource, client_id, instance) do update set
           complete_until = greatest(positions.complete_until, excluded.complete_until),
           heard_at = greatest(positions.heard_at, excluded.heard_at)`,
        [resource, clientId, instance, completeUntil, now],
      )
      await this.#note(db, resource, now)
      return 'reported'
    })
  }

  /** What all of its processes have applied by now. One that was not heard of before may be behind: then it was not all that had. */
  async #note(db: EntityManager, resource: string, now: Date): Promise<void> {
    const [{ all }]: [{ all: Date }] = await db.query(
      'select min(complete_until) as "all" from positions where resource = $1 and heard_at > $2',
      [resource, this.#ago(liveSeconds)],
    )
    await db.query('delete from positions_of_all where resource = $1 and complete_until > $2', [
      resource,
      all,
    ])
    await db.query(
      `insert into positions_of_all (resource, since, complete_until) values ($1, date_trunc('second', $2::timestamptz), $3)
       on conflict (resource, since) do update set complete_until = excluded.complete_until`,
      [resource, now, all],
    )
  }

  /** The process ends: it counts no more. */
  async withdraw(
    clientId: string,
    { resource, instance }: Pick<Position, 'resource' | 'instance'>,
  ): Promise<void> {
    await this.db.query('delete from positions where resource = $1 and client_id = $2 and instance = $3', [
      resource,
      clientId,
      instance,
    ])
  }

  /** What is heard of an API; undefined: it does not report. */
  async heardOf(resource: string): Promise<Heard | undefined> {
    const rows: { complete_until: Date }[] = await this.db.query(
      'select complete_until from positions where resource = $1 and heard_at > $2 order by complete_until',
      [resource, this.#ago(liveSeconds)],
    )
    const [oldest] = rows
    if (oldest === undefined) return undefined
    const age = (this.clock.now().getTime() - oldest.complete_until.getTime()) / 1000
    return { completeUntil: rows.map(row => row.complete_until), ageSeconds: Math.max(0, age) }
  }

  /** How far a revocation has come at an API. */
  async applied(resource: string, heard: Heard, revokedAt: Date): Promise<Applied> {
    const known = new Date(revokedAt.getTime() + storedWithinSeconds * 1000)
    const instances = heard.completeUntil.length
    const by = heard.completeUntil.filter(until => until >= known).length
    if (by < instances) return { instances, by, since: undefined }
    const [first]: { since: Date | null }[] = await this.db.query(
      'select min(since) as since from positions_of_all where resource = $1 and complete_until >= $2',
      [resource, known],
    )
    return { instances, by, since: first?.since ?? undefined }
  }

  async #forget(db: EntityManager): Promise<void> {
    const until = this.#ago(keptSeconds)
    // what another report is just about to delete, or to renew, is left to it
    await db.query(
      `delete from positions where (resource, client_id, instance) in (
         select resource, client_id, instance from positions where heard_at <= $1 for update skip locked)`,
      [until],
    )
    await db.query(
      `delete from positions_of_all where (resource, since) in (
         select resource, since from positions_of_all where since <= $1 for update skip locked)`,
      [until],
    )
  }

  #ago(seconds: number): Date {
    return new Date(this.clock.now().getTime() - seconds * 1000)
  }
}
