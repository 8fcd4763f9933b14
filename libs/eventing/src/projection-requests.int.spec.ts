import { describeWithKafka, eventually, testKafka } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { NewEvent } from './decider.js'
import { Locks } from './locks.js'
import { createProjectionTable, type Projection } from './projection.js'
import { ProjectionRunner } from './projection-runner.js'
import { askProjection, type ProjectionAction, requestState } from './requests.js'
import { aLog, anId, type LogDatabase, suspended } from './specs/a-log.js'
import { type ClientRow, foldedRows, liveRows, suspensions } from './specs/a-projection.js'
import { aSource, type Source } from './specs/a-source.js'
import { EmbeddedTransport } from './transport/embedded.js'
import { KafkaTransport } from './transport/kafka.js'
import { KafkaSink } from './transport/kafka-sink.js'
import { applyTopics } from './transport/kafka-topics.js'
import type { Transport } from './transport/transport.js'

const name = 'token.suspensions.v1'
let source: Source
let target: LogDatabase
let transport: Transport
const ends: (() => Promise<void>)[] = []

async function begin(remote?: { transport: Transport; sink: KafkaSink }) {
  source = await aSource(remote?.sink)
  target = await aLog('requests')
  await target.pool.query(createProjectionTable(suspensions()))
  await target.pool.query('create index suspensions_times on suspensions (times) where times > 0')
  transport = remote?.transport ?? new EmbeddedTransport({ clients: source.log.url })
}

async function end() {
  for (const end of ends.splice(0)) await end()
  await transport.close()
  await target.drop()
  await source.stop()
}

function anInstance(projection: Projection) {
  const pool = target.another()
  const locks = new Locks(pool)
  const options = { pool, locks, service: 'token', local: undefined, remote: transport } as const
  const runner = new ProjectionRunner(projection, { ...options, report: () => undefined })
  runner.start()
  let stopped = false
  const stop = async () => {
    if (stopped) return
    stopped = true
    await runner.stop()
    locks.close()
  }
  ends.push(stop)
  return { runner, stop }
}

/** Asks, and waits for the outcome. */
async function ask(action: ProjectionAction, key?: string) {
  const id = await askProjection(target.pool, name, action, key)
  return eventually(async () => {
    const state = await requestState(target.pool, id)
    expect(state.ok).not.toBeNull()
    return state
  })
}

const parked = async () =>
  (await target.pool.query('select key, error from parked order by number')).rows as {
    key: string
    error: string | null
  }[]
const rowOf = async (id: string) =>
  (await target.pool.query<ClientRow>('select * from suspensions where client_id = $1', [id])).rows[0]

/** Waits until all that was appended has a number and is applied. */
async function upToDate(): Promise<void> {
  const { rows } = await source.log.pool.query<{ count: number }>('select count(*)::int from events')
  await eventually(async () => {
    const events = await source.events()
    expect(events).toHaveLength(rows[0]?.count ?? 0)
    expect(await liveRows(target.pool)).toEqual(foldedRows(events))
  })
}

describe('an event that can not be applied, of a projection that is not of security,', () => {
  beforeEach(() => begin())
  afterEach(end)

  async function poison(facts: NewEvent[]) {
    const state = { poisoned: true }
    const instance = anInstance(suspensions({ security: false, poisoned: () => state.poisoned }))
    await source.append(...facts)
    return { ...instance, state }
  }

  it('parks its key: what was before it is applied, what comes after it waits, other keys go on', async () => {
    const { runner } = await poison([
      suspended('a'),
      suspended('b'),
      suspended('a', 'poison'),
      suspended('a', 'behind'),
      suspended('b'),
    ])
    await eventually(async () => expect(await rowOf('b')).toMatchObject({ times: 2 }))
    await source.append(suspended('a', 'later'), suspended('b'))
    await eventually(async () => expect(await rowOf('b')).toMatchObject({ times: 3 }))
    expect(await rowOf('a')).toMatchObject({ times: 1, reason: 'maintenance' })
    expect(await parked()).toEqual([
      { key: 'a', error: expect.stringMatching(/^HandlerFailed: clients 3 client\.suspended: .*digest/) },
      { key: 'a', error: null },
      { key: 'a', error: null },
    ])
    expect(runner.status()).toMatchObject({ owner: true, trouble: undefined })
  })

  it('is applied with all behind it by retry, once the cause is mended; before, retry says why not', async () => {
    const { state } = await poison([suspended('a', 'poison'), suspended('a'), suspended('a')])
    await eventually(async () => expect(await parked()).toHaveLength(3))
    expect(await ask('retry', 'a')).toMatchObject({
      ok: false,
      outcome: expect.stringMatching(/^0 events were applied; the next one still can not be: .*digest/),
    })
    expect(await parked()).toHaveLength(3)
    state.poisoned = false
    expect(await ask('retry', 'a')).toMatchObject({
      ok: true,
      outcome: '3 events were applied; the key is up to date',
    })
    expect(await parked()).toEqual([])
    await source.append(suspended('a'))
    await upToDate()
  })

  it('is left out by skip, and what was behind it applied', async () => {
    await poison([suspended('a', 'poison'), suspended('a', 'behind')])
    await eventually(async () => expect(await parked()).toHaveLength(2))
    expect(await ask('skip', 'a')).toMatchObject({ ok: true })
    expect(await rowOf('a')).toMatchObject({ times: 1, reason: 'behind' })
    expect(await ask('skip', 'a')).toMatchObject({
      ok: false,
      outcome: `No event of ${name} is parked under the key “a”`,
    })
  })

  it('is left out alone, however often the skip is begun', async () => {
    await poison([suspended('a', 'poison'), suspended('a', 'behind'), suspended('a', 'later')])
    await eventually(async () => expect(await parked()).toHaveLength(3))
    // as if the instance were killed each time, before it could say that it was done, or that it failed
    await target.pool.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'killed'; end $$;
      create trigger refuse_done before update of ok on projection_requests for each row when (new.ok)
        execute function refuse();
      create trigger refuse_failed before update of ok on projection_requests for each row when (not new.ok)
        execute function refuse()`)
    const id = await askProjection(target.pool, name, 'skip', 'a')
    const takers = new Set<string>()
    await eventually(async () => {
      const { rows } = await target.pool.query('select taken_by from projection_requests where id = $1', [id])
      if (rows[0]?.taken_by) takers.add(rows[0].taken_by)
      expect(takers.size).toBeGreaterThan(2)
    })
    await target.pool.query('drop trigger refuse_done on projection_requests')
    await eventually(async () => expect(await requestState(target.pool, id)).toMatchObject({ ok: true }))
    expect(await rowOf('a')).toMatchObject({ times: 2, reason: 'later' })
  })

  it('may also be one that the table does not take', async () => {
    await target.pool.query('alter table suspensions add check (times < 2)')
    await poison([suspended('a'), suspended('a'), suspended('b')])
    await eventually(async () => expect(await rowOf('b')).toBeDefined())
    expect(await parked()).toEqual([{ key: 'a', error: expect.stringMatching(/violates check constraint/) }])
    expect(await rowOf('a')).toMatchObject({ times: 1 })
  })

  it('waits again after a rebuild', async () => {
    await poison([suspended('a', 'poison'), suspended('a'), suspended('b')])
    await eventually(async () => expect(await parked()).toHaveLength(2))
    expect(await ask('rebuild')).toMatchObject({ ok: true })
    expect(await parked()).toEqual([
      { key: 'a', error: expect.stringMatching(/digest/) },
      { key: 'a', error: null },
    ])
    expect(await ask('compare')).toMatchObject({
      ok: true,
      outcome: expect.stringMatching(/1 keys are parked/),
    })
  })
})

function aReadModel() {
  afterEach(end)

  it('is equal to a pure replay, or the rows that are not are named', async () => {
    anInstance(suspensions())
    await source.append(suspended('a'), suspended('b'), suspended('c'))
    await upToDate()
    expect(await ask('compare')).toMatchObject({ ok: true, outcome: '3 rows are what a pure replay says' })
    await target.pool.query(`update suspensions set times = 7 where client_id = 'a'`)
    await target.pool.query(`delete from suspensions where client_id = 'b'`)
    await target.pool.query(`insert into suspensions values ('z', 1, null, 1)`)
    expect(await ask('compare')).toMatchObject({
      ok: false,
      outcome: '3 of 3 rows differ from a pure replay: a, b, z',
    })
  })

  it('is rebuilt while it serves and events arrive, with its indexes, and goes on', async () => {
    anInstance(suspensions())
    const ids = Array.from({ length: 20 }, anId)
    for (let n = 0; n < 30; n++) await source.append(...ids.map(id => suspended(id)))
    await eventually(async () => expect(await rowOf(ids.at(-1) ?? '')).toMatchObject({ times: 30 }))
    await target.pool.query(`update suspensions set times = 7`)
    const shape = async () =>
      (
        await target.pool.query(
          `select indexname, indexdef from pg_indexes where tablename = 'suspensions' order by 1`,
        )
      ).rows
    const before = await shape()
    expect(before).toHaveLength(2)

    let done = false
    const reading = (async () => {
      while (!done) expect((await liveRows(target.pool)).length).toBe(20)
    })()
    const writing = (async () => {
      while (!done) await source.append(suspended(ids[0] ?? ''))
    })()
    expect(await ask('rebuild')).toMatchObject({
      ok: true,
      outcome: '20 rows: rebuilt, and equal to a pure replay',
    })
    done = true
    await Promise.all([reading, writing])
    expect(await shape()).toEqual(before)
    await source.append(...ids.map(id => suspended(id)))
    await upToDate()
    const left = await target.pool.query(
      `select tablename as name from pg_tables where tablename like 'suspensions_%'
       union all select name from projections where name like '%#%'
       union all select projection from checkpoints where projection like '%#%'`,
    )
    expect(left.rows).toEqual([])
  })
}

describe('a read model', () => {
  beforeEach(() => begin())
  aReadModel()

  it('that was rebuilt differently from a replay is not put in place', async () => {
    let impure = 0
    const projection = suspensions()
    const suspending = projection.on['client.suspended']
    if (suspending === undefined) throw new Error('The projection reads suspensions')
    anInstance({
      ...projection,
      on: {
        'client.suspended': {
          key: suspending.key,
          row: (row: ClientRow | undefined, event: Parameters<typeof suspending.row>[1]) => ({
            ...suspending.row(row, event),
            times: impure++,
          }),
        },
      },
    } as Projection)
    await source.append(suspended('a'), suspended('b'))
    await eventually(async () => expect(await rowOf('b')).toBeDefined())
    const before = await liveRows(target.pool)
    expect(await ask('rebuild')).toMatchObject({
      ok: false,
      outcome: expect.stringMatching(/differs from a pure replay in 2 of 2 rows \(a,b\)/),
    })
    expect(await liveRows(target.pool)).toEqual(before)
  })

  it('is rebuilt by another instance, where the one that began is gone', async () => {
    const never: Transport = {
      subscribe: async () => ({ places: ['clients'], stop: async () => undefined }),
      close: async () => undefined,
    }
    await source.append(suspended('a'), suspended('b'))
    const reads = transport
    transport = never
    const first = anInstance(suspensions())
    const id = await askProjection(target.pool, name, 'rebuild')
    await eventually(async () => expect((await requestState(target.pool, id)).taken).toBe(true))
    await first.stop()
    expect(await requestState(target.pool, id)).toMatchObject({ ok: null })
    transport = reads
    anInstance(suspensions())
    await eventually(async () => expect(await requestState(target.pool, id)).toMatchObject({ ok: true }))
    await upToDate()
  })
})

describeWithKafka('a read model on Kafka', () => {
  beforeEach(async () => {
    const options = { clientId: 'spec', ...(await testKafka()), topicPrefix: `requests-${anId()}.` }
    await applyTopics(options)
    await begin({ transport: new KafkaTransport(options), sink: new KafkaSink(options) })
  })
  aReadModel()
})
