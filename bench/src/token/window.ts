import { percentile } from '../engine/rounds.js'
import { cpuSeconds, cpuSecondsOfTree, residentMebibytes } from '../processor.js'
import type { Database, Ground } from './ground.js'
import { Requester, type Target } from './target.js'
import type { Work } from './works.js'

/** What one target did in one stretch of time. */
export interface Window {
  readonly perSecond: number
  /** Milliseconds from a request to its answer. */
  readonly p50: number
  readonly p99: number
  /** The longest time in which no answer came, in milliseconds. */
  readonly silence: number
  /** Processor time per operation in microseconds: of the service alone, and with that of Postgres. */
  readonly serviceMicroseconds: number
  readonly allMicroseconds: number
  /** By how much an operation made the database and the write-ahead log grow, in bytes. */
  readonly databaseBytes: number
  readonly walBytes: number
  /** What each process of the service held at the end, at most. */
  readonly mebibytes: number
}

/** Asks over so many connections for so long, each waiting for its answer. */
export async function measure(
  ground: Ground,
  target: Target,
  work: Work,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Window> {
  const requesters = Array.from({ length: connections }, (_, index) => new Requester(target, index))
  const step = await work.prepare(target, requesters)
  const before = await used(ground, target)
  const latencies: number[] = []
  let silence = 0
  const began = performance.now()
  let last = began
  const until = began + seconds * 1000
  await Promise.all(
    requesters.map(async (requester, connection) => {
      for (let asked = performance.now(); asked < until; ) {
        if (!(await step(requester, connection))) break
        const answered = performance.now()
        latencies.push(answered - asked)
        silence = Math.max(silence, answered - last)
        last = answered
        asked = answered
      }
    }),
  )
  const took = (last - began) / 1000
  const after = await used(ground, target)
  for (const requester of requesters) requester.close()
  const done = latencies.length
  const each = (name: keyof Used) => (after[name] - before[name]) / done
  return {
    perSecond: done / took,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    silence,
    serviceMicroseconds: each('service') * 1e6,
    allMicroseconds: (each('service') + each('postgres')) * 1e6,
    databaseBytes: each('databaseBytes'),
    walBytes: each('walBytes'),
    mebibytes: Math.max(...(await Promise.all(target.pids.map(residentMebibytes)))),
  }
}

interface Used {
  /** Processor seconds. */
  readonly service: number
  readonly postgres: number
  readonly databaseBytes: number
  readonly walBytes: number
}

async function used(ground: Ground, target: Target): Promise<Used> {
  const services = await Promise.all(target.pids.map(cpuSeconds))
  return {
    service: services.reduce((sum, seconds) => sum + seconds, 0),
    postgres: await cpuSecondsOfTree(ground.postgresPid),
    ...(target.database === undefined ? { databaseBytes: 0, walBytes: 0 } : await bytes(target.database)),
  }
}

async function bytes({ pool }: Database): Promise<{ databaseBytes: number; walBytes: number }> {
  const { rows } = await pool.query<{ size: string; wal: string }>(
    `select pg_database_size(current_database()) as size, pg_current_wal_lsn() - '0/0'::pg_lsn as wal`,
  )
  return { databaseBytes: Number(rows[0]?.size), walBytes: Number(rows[0]?.wal) }
}
