import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { Append, AppendOutcome } from './append.js'
import { OutcomeUnknown, Overloaded } from './errors.js'
import { EventStore } from './event-store.js'
import { aLog, anAppend, anId, type LogDatabase, operator, suspended } from './specs/a-log.js'
import { aLineThatCuts } from './specs/cut.js'
import { appendedChannel } from './tables.js'

let log: LogDatabase
let store: EventStore

beforeAll(async () => {
  log = await aLog('event_store')
  store = new EventStore(log.pool)
})
afterAll(async () => {
  await store?.close()
  await log?.drop()
})

describe('append and read', () => {
  it('gives back what was appended, in order, with what never leaves the service', async () => {
    const id = anId()
    const time = new Date('2026-03-04T05:06:07.089Z')
    const first = { ...suspended(id, 'first'), id: randomUUID(), internal: { note: 'kept inside' } }
    await store.append(anAppend(store, id, 0, [first], time))
    await store.append(anAppend(store, id, 1, [suspended(id, 'second')], time))

    const events = await store.read(`client-${id}`)

    expect(events.map(event => [event.streamVersion, event.fact.data, event.time])).toEqual([
      [1, { clientId: id, reason: 'first' }, time],
      [2, { clientId: id, reason: 'second' }, time],
    ])
    expect(events[0]).toMatchObject({ id: first.id, fact: { internal: { note: 'kept inside' } } })
    expect(await store.read(`client-${id}`, 1)).toEqual(events.slice(0, 1))
  })

  it('takes many events in one append, one version each', async () => {
    const id = anId()
    const events = Array.from({ length: 300 }, (_, n) => suspended(id, `reason ${n}`))
    await store.append(anAppend(store, id, 0, events))
    const found = await store.read(`client-${id}`)
    expect(found.map(event => event.streamVersion)).toEqual(events.map((_, n) => n + 1))
    expect(found.map(event => event.fact.data)).toEqual(events.map(event => event.data))
    expect(await store.head(`client-${id}`)).toEqual({
      version: 300,
      state: { version: 300 },
      stateTag: 'spec',
      since: [],
    })
  })

  it('keeps the state of a stream in its page, so that no index hears of an append', async () => {
    const state = { facts: 'x'.repeat(500) }
    const pages = async (ids: readonly string[]) => {
      const { rows } = await log.pool.query<{ stream_id: string; page: number }>(
        'select stream_id, (ctid::text::point)[0] as page from streams where stream_id = any($1)',
        [ids.map(id => `client-${id}`)],
      )
      return new Map(rows.map(row => [row.stream_id, row.page]))
    }
    const check = async () => {
      const ids = Array.from({ length: 200 }, anId)
      for (const id of ids) await store.append({ ...anAppend(store, id, 0), state })
      const before = await pages(ids)
      for (const id of ids) await store.append({ ...anAppend(store, id, 1), state })
      const stayed = [...(await pages(ids))].filter(([id, page]) => before.get(id) === page)
      expect(stayed.length).toBeGreaterThan(190)
    }
    await eventually(check, { timeout: 5000 }) // again, where an analyze still sees the versions before
  })

  it('knows nothing of a stream in which nothing happened', async () => {
    expect(await store.head('client-nobody')).toBeUndefined()
    expect(await store.read('client-nobody')).toEqual([])
  })

  it('refuses facts that the catalogue does not allow', () => {
    const wrong = { type: 'client.suspended', data: { clientId: 'ledgerly', reason: 'x', extra: 1 } } as const
    expect(() => store.prepare([wrong], { actor: operator, time: new Date() })).toThrow(
      /client\.suspended is not valid.*extra/,
    )
  })
})

describe('a version conflict', () => {
  it('draws no number', async () => {
    const id = anId()
    const before = numberOf(await store.append(anAppend(store, id, 0)))
    for (const base of [0, 2, 7]) expect(await store.append(anAppend(store, id, base))).toBe('conflict')
    expect(await store.append(anAppend(store, anId(), 1))).toBe('conflict') // a stream that does not exist
    expect(numberOf(await store.append(anAppend(store, id, 1)))).toBe(before + 1)
  })

  it('leaves version and state as they were', async () => {
    const id = anId()
    await store.append(anAppend(store, id, 0))
    await store.append({ ...anAppend(store, id, 0), state: { stolen: true } })
    expect(await store.head(`client-${id}`)).toMatchObject({ version: 1, state: { version: 1 } })
  })
})

describe('an append made again', () => {
  it('is recognised and answers as the first time', async () => {
    const id = anId()
    const append = anAppend(store, id, 0, [suspended(id, 'a'), suspended(id, 'b')])
    const first = await store.append(append)
    expect(await store.append(append)).toEqual(first)
    await store.append(anAppend(store, id, 2))
    expect(await store.append(append)).toEqual(first)
    expect(await store.read(`client-${id}`)).toHaveLength(3)
  })

  it('is recognised beside itself', async () => {
    const append = anAppend(store, anId(), 0)
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => store.append(append)))
    expect(new Set(outcomes.map(numberOf)).size).toBe(1)
    expect(await store.read(append.streamId)).toHaveLength(1)
  })

  it('is recognised when the answer to the first was lost', async () => {
    const line = await aLineThatCuts(log.url)
    const far = new EventStore(log.another({ connectionString: line.url }))
    try {
      await far.append(anAppend(far, anId(), 0)) // connected, statement prepared
      const append = anAppend(far, anId(), 0)
      line.loseAnswerTo(append.streamId)
      await expect(far.append(append)).rejects.toThrow(OutcomeUnknown)
      const stored = await eventually(async () => {
        const { rows } = await log.pool.query('select log_seq from events where stream_id = $1', [
          append.streamId,
        ])
        expect(rows).toHaveLength(1)
        return Number(rows[0].log_seq)
      })
      expect(await far.append(append)).toEqual({ logSeq: stored })
    } finally {
      await far.close()
      await line.close()
    }
  })

  it('is refused where other events have taken their places', async () => {
    const id = anId()
    const append = anAppend(store, id, 0, [suspended(id, 'a'), suspended(id, 'b')])
    await store.append({ ...append, events: append.events.slice(0, 1) })
    expect(await store.append(append)).toBe('conflict') // half of it is there
    await store.append(anAppend(store, id, 1))
    expect(await store.append(append)).toBe('conflict')
    expect(await store.append({ ...append, streamId: `client-${anId()}`, base: 1 })).toBe('conflict')
  })
})

describe('group commit', () => {
  it('stores what the database can hold, whatever is beside it', async () => {
    const [good, bad] = [anAppend(store, anId(), 0), anAppend(store, anId(), 0)]
    const actor = { type: 'client', id: 'a NUL \0' } as const
    const outcomes = await inOneStatement(log, store, [
      good,
      { ...bad, events: bad.events.map(event => ({ ...event, actor })) },
    ])
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: { logSeq: expect.any(Number) } },
      { status: 'rejected', reason: expect.objectContaining({ code: '22021' }) },
    ])
    expect(await store.head(bad.streamId)).toBeUndefined()
  })

  it('shares one transaction, and one stream’s conflict is its own', async () => {
    const [a, b, c] = [anId(), anId(), anId()]
    await store.append(anAppend(store, b, 0))
    const outcomes = await inOneStatement(log, store, [
      anAppend(store, a, 0),
      anAppend(store, b, 0), // somebody was first
      anAppend(store, c, 0),
      anAppend(store, b, 1), // the same stream again: the next statement's
    ])
    expect(outcomes.map(outcome => outcome.status === 'fulfilled' && outcome.value)).toEqual([
      { logSeq: expect.any(Number) },
      'conflict',
      { logSeq: expect.any(Number) },
      { logSeq: expect.any(Number) },
    ])
    const { rows } = await log.pool.query<{ stream_id: string; xmin: string }>(
      'select stream_id, xmin::text from events_1 where stream_id = any($1) order by log_seq desc',
      [[a, b, c].map(id => `client-${id}`)],
    )
    const transactionOf = (id: string) => rows.find(row => row.stream_id === `client-${id}`)?.xmin
    expect(transactionOf(a)).toBe(transactionOf(c))
    expect(transactionOf(b)).not.toBe(transactionOf(a))
  })

  it.each([
    ['all are stored', undefined],
    ['the first is refused', 0],
    ['one in the middle is', 2],
    ['the last one is', 4],
  ])('tells each append the number that its last event has in the log, where %s', async (_, refused) => {
    const ids = Array.from({ length: 5 }, anId).sort() // the order that a batch has
    if (refused !== undefined) await store.append(anAppend(store, ids[refused] ?? '', 0)) // somebody was first
    const appends = ids.map((id, index) =>
      anAppend(store, id, 0, new Array(1 + (index % 3)).fill(suspended(id))),
    )
    const outcomes = await inOneStatement(log, store, appends)
    const lasts = await Promise.all(
      ids.map(async id => {
        const query = 'select max(log_seq)::int as "logSeq" from events where stream_id = $1'
        return (await log.pool.query(query, [`client-${id}`])).rows[0]
      }),
    )
    expect(outcomes.map(outcome => outcome.status === 'fulfilled' && outcome.value)).toEqual(
      lasts.map((last, index) => (index === refused ? 'conflict' : last)),
    )
  })

  it('has the next batch of a crowd at the database before the first is stored', async () => {
    let asked = 0
    class Counting extends pg.Client {
      constructor(config?: pg.ClientConfig) {
        super(config)
        const query: (...args: unknown[]) => unknown = this.query.bind(this)
        Object.assign(this, {
          query: (...args: unknown[]) => {
            if (String(Reflect.get(Object(args[0]), 'name')).startsWith('append')) asked += 1
            return query(...args)
          },
        })
      }
    }
    const crowded = new EventStore(log.another({ Client: Counting }))
    await crowded.append(anAppend(crowded, anId(), 0))
    const blocker = await blocked(log)
    const outcomes = Array.from({ length: 64 }, () => crowded.append(anAppend(crowded, anId(), 0)))
    await eventually(() => expect(asked).toBe(1 + 2))
    await blocker.release()
    expect(await Promise.all(outcomes)).not.toContain('conflict')
    expect(crowded.measures()).toMatchObject({ batches: 3, appends: 65 })
    await crowded.close()
  })

  it('stores a crowd in one batch where there is work to do meanwhile', async () => {
    const working = new EventStore(log.pool)
    const meanwhile = () => undefined
    await Promise.all(
      Array.from({ length: 128 }, () => working.append({ ...anAppend(working, anId(), 0), meanwhile })),
    )
    expect(working.measures()).toMatchObject({ batches: 1, appends: 128 })
    await working.close()
  })

  it('works on while the database stores, and nobody’s append fails with that work', async () => {
    const done: string[] = []
    const work = (name: string) => () => {
      done.push(name)
      if (name === 'first') throw new Error('for a test')
    }
    const blocker = await blocked(log)
    const stored = Promise.all(
      ['first', 'second'].map(name => store.append({ ...anAppend(store, anId(), 0), meanwhile: work(name) })),
    ).then(outcomes => {
      done.push('stored')
      return outcomes
    })
    await eventually(() => expect(done.toSorted()).toEqual(['first', 'second']))
    await blocker.release()
    expect(await stored).not.toContain('conflict')
    expect(done).toHaveLength(3)
  })

  it('tells those who listen of what comes again and again once in ten milliseconds, and of the last', async () => {
    const listener = await log.pool.connect()
    const heard: number[] = []
    listener.on('notification', () => {
      // asked on the connection that was told: by then it is stored
      void listener
        .query<{ last_seq: string }>('select last_seq from log_end')
        .then(({ rows }) => heard.push(Number(rows[0]?.last_seq)))
    })
    await listener.query(`listen ${appendedChannel}`)
    const began = performance.now()
    let last: AppendOutcome = 'conflict'
    for (let appends = 0; appends < 300; appends++) last = await store.append(anAppend(store, anId(), 0))
    await eventually(() => expect({ logSeq: heard.at(-1) }).toEqual(last))
    expect(heard.length).toBeGreaterThan(0)
    expect(heard.length).toBeLessThanOrEqual((performance.now() - began) / 10 + 1)
    listener.release(true)
  })

  it('is gone with the next collection of the young once it is stored', async () => {
    // in a process of its own: this one's heap has been through a lot
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      '--input-type=module',
      '--eval',
      storeBigStates,
      log.url,
    ])
    expect(Number(stdout)).toBeLessThan(1_000_000) // of 4 MB
  })

  it('refuses at once what is more than may wait, and stores none of it', async () => {
    const small = new EventStore(log.another(), { maxPending: 3 })
    await small.append(anAppend(small, anId(), 0)) // before the first, it tells which kinds of events it writes
    const blocker = await blocked(log)
    const running = small.append(anAppend(small, anId(), 0))
    await new Promise(setImmediate) // it is under way
    const waiting = Array.from({ length: 3 }, () => small.append(anAppend(small, anId(), 0)))
    const refused = anAppend(small, anId(), 0)
    await expect(small.append(refused)).rejects.toThrow(Overloaded)
    await blocker.release()
    for (const outcome of await Promise.all([running, ...waiting]))
      expect(outcome).toEqual({ logSeq: expect.any(Number) })
    expect(await small.read(refused.streamId)).toEqual([])
    expect(await small.append(refused)).toEqual({ logSeq: expect.any(Number) })
    await small.close()
  })
})

describe('a connection that is killed', () => {
  it('in the middle of the load loses nothing that was acknowledged and doubles nothing', async () => {
    const writer = new EventStore(log.another())
    const acknowledged = new Map<string, number>()
    let unknown = 0
    const untilAnswered = async (append: Append): Promise<AppendOutcome> => {
      try {
        return await writer.append(append)
      } catch (error) {
        if (!(error instanceof OutcomeUnknown)) throw error
        unknown += 1
        return untilAnswered(append)
      }
    }
    let kills = 0
    const load = Promise.all(
      Array.from({ length: 40 }, async () => {
        const id = anId()
        for (let base = 0; base < 50; base++) {
          const append = anAppend(writer, id, base)
          acknowledged.set(append.events[0]?.id ?? '', numberOf(await untilAnswered(append)))
          if (acknowledged.size % 400 === 0) kills += await log.kill('with wanted as')
        }
      }),
    )
    await load
    expect(kills).toBeGreaterThan(2)
    expect(unknown).toBeGreaterThan(0)
    const { rows } = await log.pool.query<{ event_id: string; log_seq: string }>(
      'select event_id, log_seq from events where event_id = any($1::uuid[])',
      [[...acknowledged.keys()]],
    )
    expect(rows).toHaveLength(2000)
    expect(new Map(rows.map(row => [row.event_id, Number(row.log_seq)]))).toEqual(acknowledged)
    await writer.close()
  })

  it('while it is idle is replaced, however often, and none stays with the pool', async () => {
    const pool = log.another({ max: 2 })
    const writer = new EventStore(pool)
    const id = anId()
    for (let base = 0; base < 5; base++) {
      await eventually(async () =>
        expect(await writer.append(anAppend(writer, id, base))).toEqual({ logSeq: expect.any(Number) }),
      )
      await eventually(async () => expect(await log.kill('with wanted as')).toBe(0)) // all have gone
    }
    expect(await writer.read(`client-${id}`)).toHaveLength(5)
    await writer.close()
    await pool.end()
  })
})

function numberOf(outcome: AppendOutcome): number {
  if (outcome === 'conflict') throw new Error('Somebody else was first')
  return outcome.logSeq
}

/** Nobody can append until it is released. */
async function blocked({ another }: LogDatabase) {
  const pool = another({ max: 1 })
  const client = await pool.connect()
  await client.query('begin; lock table streams in exclusive mode')
  return {
    async release() {
      await client.query('rollback')
      client.release()
      await pool.end()
    },
  }
}

/** Appends that have to wait while another is under way, and so go together. */
async function inOneStatement(log: LogDatabase, store: EventStore, appends: readonly Append[]) {
  const blocker = await blocked(log)
  const first = store.append(anAppend(store, anId(), 0))
  const together = Promise.allSettled(appends.map(append => store.append(append)))
  await blocker.release()
  await first
  return together
}

/** Prints how many bytes remain of the parameters of 40 appends with a state of 100 kB each. */
const storeBigStates = `
  import { randomUUID } from 'node:crypto'
  import pg from 'pg'
  import { EventStore } from ${JSON.stringify(new URL('../dist/event-store.js', import.meta.url).href)}
  import { Connection } from ${JSON.stringify(new URL('../dist/connection.js', import.meta.url).href)}
  const pool = new pg.Pool({ connectionString: process.argv[1], Client: Connection })
  const store = new EventStore(pool)
  const actor = { type: 'operator', id: 'spec' }
  const append = async () => {
    const id = randomUUID()
    const fact = { type: 'client.suspended', data: { clientId: id, reason: 'maintenance' } }
    const events = store.prepare([fact], { actor, time: new Date() })
    await store.append({ streamId: 'client-' + id, base: 0, events, state: { text: 'x'.repeat(100_000) }, stateTag: 'spec' })
  }
  const collectYoung = () => {
    for (let twice = 0; twice < 2; twice++) gc({ type: 'minor' }) // what lives is moved once before it is old
  }
  await append() // the connection has room for it from now on
  collectYoung()
  const before = process.memoryUsage().arrayBuffers
  for (let count = 0; count < 40; count++) await append()
  collectYoung()
  console.log(process.memoryUsage().arrayBuffers - before)
  await store.close()
  await pool.end()`
