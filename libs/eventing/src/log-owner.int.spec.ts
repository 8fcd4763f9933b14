import { catalogue, type EventDefinition, revocationTargets, versionsOf, wireType } from '@grantlog/contracts'
import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { categoryOf } from './decider.js'
import { EventStore } from './event-store.js'
import { Locks } from './locks.js'
import { LogOwner } from './log-owner.js'
import type { OutgoingMessage } from './publisher.js'
import { aLog, anAppend, anId, type LogDatabase } from './specs/a-log.js'

let log: LogDatabase

beforeEach(async () => {
  log = await aLog('owner')
})
afterEach(() => log?.drop())

describe('the order of the log', () => {
  it('has no gap, and whoever reads on from the last number meets every event once, under four instances', async () => {
    const reader = aReader()
    const stores = Array.from({ length: 4 }, () => new EventStore(log.another()))
    await Promise.all(
      stores.flatMap(store =>
        Array.from({ length: 4 }, async () => {
          for (let n = 0; n < 25; n++) await store.append(anAppend(store, anId(), 0, events(1 + (n % 3))))
        }),
      ),
    )
    const seen = await reader.stop()
    expect(seen).toEqual(Array.from({ length: 16 * 49 }, (_, n) => n + 1))
    const commits = stores.reduce((sum, store) => sum + store.measures().batches, 0)
    expect(commits).toBeGreaterThan(16) // they were at it together
    for (const store of stores) await store.close()
  })

  it('of two instances that begin and go on with the same streams at once, each stream hears one, and neither waits for the other for ever', async () => {
    const stores = [new EventStore(log.another()), new EventStore(log.another())]
    const streams = Array.from({ length: 10 }, () => ({ id: anId(), base: 0 }))
    for (let round = 0; round < 30; round++) {
      streams.push(...Array.from({ length: 10 }, () => ({ id: anId(), base: 0 })))
      const wanted = streams.slice(-20)
      const outcomes = await Promise.all(
        stores.map(store =>
          Promise.all(wanted.map(({ id, base }) => store.append(anAppend(store, id, base, events(2))))),
        ),
      )
      for (const [index, stream] of wanted.entries()) {
        expect(outcomes.filter(each => each[index] === 'conflict')).toHaveLength(1)
        stream.base += 2
      }
    }
    for (const store of stores) await store.close()
  })

  it('has no gap where an append was refused, and the others of its commit were not', async () => {
    const store = new EventStore(log.pool)
    const id = anId()
    const outcomes = await Promise.all([
      store.append(anAppend(store, anId(), 0)),
      store.append(anAppend(store, id, 3)),
      store.append(anAppend(store, anId(), 0)),
    ])
    expect(outcomes[1]).toBe('conflict')
    expect(outcomes.flatMap(outcome => (outcome === 'conflict' ? [] : [outcome.logSeq])).sort()).toEqual([
      1, 2,
    ])
    expect(await store.append(anAppend(store, id, 3))).toBe('conflict')
    expect(await store.append(anAppend(store, id, 0))).toEqual({ logSeq: 3 })
    await store.close()
  })

  it('shows no number before those below it: the next append waits for the commit', async () => {
    const store = new EventStore(log.pool)
    const open = await log.pool.connect()
    await open.query(`begin; update log_end set last_seq = last_seq + 1`)
    await open.query(
      `insert into events (log_seq, stream_id, stream_version, event_id, type, data, actor_type, actor_id, time)
       select last_seq, 'client-first', 1, gen_random_uuid(), 'client.suspended.v1', '{}', 'system', 'spec', now() from log_end`,
    )
    const second = store.append(anAppend(store, anId(), 0))
    await eventually(async () => {
      const { rowCount } = await log.pool.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%with wanted as%'`,
      )
      expect(rowCount).toBe(1)
    })
    expect(await numbers()).toEqual([])
    await open.query('commit')
    open.release()
    expect(await second).toEqual({ logSeq: 2 })
    expect(await numbers()).toEqual([1, 2])
    await store.close()
  })

  it('has no gap where connections are killed in the middle, again and again', async () => {
    const store = new EventStore(log.another())
    let writing = true
    const killing = (async () => {
      while (writing) {
        await log.kill('with wanted as')
        await new Promise(resolve => setTimeout(resolve, 15))
      }
    })()
    for (let n = 0; n < 60; n++) {
      const append = anAppend(store, anId(), 0)
      await eventually(async () => expect(await store.append(append)).toHaveProperty('logSeq'))
    }
    writing = false
    await killing
    expect(await numbers()).toEqual(Array.from({ length: 60 }, (_, n) => n + 1))
    await store.close()
  })
})

it('what an append says fits into a notification, though it were of every kind there is', () => {
  const postgresAllows = 7999 // bytes; beyond it the append itself would fail
  const kinds = catalogue.flatMap(entry =>
    categoriesOf(entry).flatMap(category =>
      versionsOf(entry).map(version => `${wireType(version)}:${category}`),
    ),
  )
  expect(kinds).toContain('token.revoked.v1:owner')
  expect(kinds.join(' ').length).toBeLessThan(postgresAllows / 2) // a newer build may have written as many again
})

describe('two owners of a log', () => {
  it('publish one at a time, and the other goes on when the connection of the first is killed', async () => {
    const [first, second] = [anOwner(), anOwner()]
    first.owner.start()
    await eventually(() => expect(first.locks.holds('log')).toBe(true))
    second.owner.start()
    const store = new EventStore(log.another())
    let writing = true
    const load = (async () => {
      let n = 0
      while (writing) await store.append(anAppend(store, anId(), 0)).then(() => n++)
      return n
    })()
    await eventually(() => expect(first.sent.length).toBeGreaterThan(5))
    expect([second.locks.holds('log'), second.sent]).toEqual([false, []])

    // its process is killed: all of its connections end, and it never comes back
    const dead = first.owner.stop()
    expect(await log.kill('pg_try_advisory_lock')).toBeGreaterThan(0)
    await dead
    await eventually(() => expect(second.sent.length).toBeGreaterThan(5))
    expect(first.locks.holds('log')).toBe(false)
    writing = false
    const total = await load
    await eventually(() =>
      expect(new Set([...first.sent, ...second.sent])).toEqual(
        new Set(Array.from({ length: total }, (_, n) => n + 1)),
      ),
    )
    await second.owner.stop()
    for (const { locks } of [first, second]) locks.close()
    await store.close()
  })

  it('an owner whose connections are killed goes on by itself', async () => {
    const { owner, locks, sent, errors } = anOwner()
    const store = new EventStore(log.pool)
    owner.start()
    for (let n = 1; n <= 4; n++) {
      await store.append(anAppend(store, anId(), 0))
      await eventually(() => expect(new Set(sent).size).toBe(n))
      for (const last of ['pg_try_advisory_lock', 'listen grantlog_', 'publisher']) await log.kill(last)
    }
    await eventually(() => expect(owner.health()).toEqual({ ok: true, detail: 'published up to 4' }))
    expect(await owner.measures()).toEqual({ numbered: 4, published: 4 })
    expect(errors.every(error => error instanceof Error)).toBe(true)
    await owner.stop()
    locks.close()
    await store.close()
  })

  function anOwner() {
    const pool = log.another()
    const [locks, sent, errors] = [new Locks(pool), [] as number[], [] as unknown[]]
    const owner = new LogOwner(pool, locks, {
      service: 'clients',
      sink: {
        send: async (messages: readonly OutgoingMessage[]) =>
          void sent.push(...messages.filter(({ key }) => key !== '').map(numberOf)),
        close: async () => undefined,
      },
      report: error => void errors.push(error),
      now: () => new Date(),
    })
    return { owner, locks, sent, errors }
  }
})

const events = (count: number) =>
  Array.from({ length: count }, () => ({
    type: 'client.suspended' as const,
    data: { clientId: 'spec', reason: 'maintenance' },
  }))

const numberOf = ({ value }: OutgoingMessage): number => JSON.parse(value).logseq

async function numbers(after = 0): Promise<number[]> {
  const { rows } = await log.pool.query<{ log_seq: number }>(
    'select log_seq::int from events where log_seq > $1 order by log_seq',
    [after],
  )
  return rows.map(({ log_seq }) => log_seq)
}

/** Asks again and again for what stands behind the last number that it has seen. */
function aReader() {
  let stopped = false
  const seen: number[] = []
  const reading = (async () => {
    for (;;) {
      const finish = stopped
      seen.push(...(await numbers(seen.at(-1))))
      if (finish) return
    }
  })()
  return {
    /** @returns the numbers, in the order in which it met them */
    async stop(): Promise<number[]> {
      stopped = true
      await reading
      return seen
    },
  }
}

const categoriesOf = ({ streams }: EventDefinition) =>
  streams.flatMap(stream => (stream.startsWith('{target.kind}-') ? revocationTargets : [categoryOf(stream)]))
