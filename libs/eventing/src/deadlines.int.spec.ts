import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { Commands } from './commands.js'
import { Connection } from './connection.js'
import { Deadlines } from './deadlines.js'
import type { Decider, NewEvent } from './decider.js'
import { EventStore } from './event-store.js'
import { Eventing } from './eventing.js'
import { aLog, anId, type LogDatabase, operator, suspended } from './specs/a-log.js'
import { aLineThatCuts } from './specs/cut.js'
import { EmbeddedTransport } from './transport/embedded.js'

type Command =
  | { readonly type: 'until'; readonly id: string; readonly until: number }
  | { readonly type: 'expire'; readonly id: string; readonly now: number }

/** A thing that ends at a time, which may be moved. */
const leased: Decider<Command, NewEvent, { until: number; over: boolean }> = {
  category: 'client',
  initial: { until: 0, over: false },
  decide(command, { until, over }) {
    if (command.type === 'until') return [suspended(command.id, String(command.until))]
    if (command.id.startsWith('cursed')) throw new Error(`${command.id} can not be decided`)
    return over || command.now < until ? [] : [{ type: 'client.reinstated', data: { clientId: command.id } }]
  },
  evolve: (state, event) =>
    event.type === 'client.suspended'
      ? { ...state, until: Number(event.data.reason) }
      : { ...state, over: true },
  deadline: {
    at: ({ until, over }) => (over ? null : until),
    command: (id, now) => ({ type: 'expire', id, now }),
  },
}

let log: LogDatabase
let time: number
let troubles: unknown[]
const closing: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  log = await aLog('deadlines')
  time = 1_800_000_000
  troubles = []
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await log.drop()
})

const options = () => ({
  service: 'clients' as const,
  report: (error: unknown) => void troubles.push(error),
  now: () => new Date(time * 1000),
})

function instance(deciders = [leased]) {
  const store = new EventStore(log.another())
  const commands = new Commands(store, options().now)
  closing.push(() => store.close())
  const until = (id: string, end: number) =>
    commands.run(leased, id, { type: 'until', id, until: end }, { actor: operator })
  return { store, until, deadlines: new Deadlines(deciders, commands, options()) }
}

const row = async (id: string) =>
  (await log.pool.query('select version, deadline::int from streams where stream_id = $1', [`client-${id}`]))
    .rows[0]
const endings = async () =>
  (
    await log.pool.query<{ stream_id: string }>(
      `select stream_id from events where type = 'client.reinstated.v1' order by 1`,
    )
  ).rows.map(({ stream_id }) => stream_id.replace('client-', ''))
const some = (count: number) => Array.from({ length: count }, anId).sort()

describe('what time brings', () => {
  it('happens once its deadline has passed, by the service', async () => {
    const { store, until, deadlines } = instance()
    const id = anId()
    await until(id, time + 10)
    expect(await row(id)).toEqual({ version: 1, deadline: time + 10 })
    time += 9
    expect(await deadlines.meet()).toBe(0)
    time += 1
    expect(await deadlines.meet()).toBe(1)
    const [, ending] = await store.read(`client-${id}`)
    expect(ending).toMatchObject({ fact: { type: 'client.reinstated' }, time: new Date(time * 1000) })
    expect(
      (await log.pool.query('select actor_type, actor_id from events where stream_version = 2')).rows,
    ).toEqual([{ actor_type: 'system', actor_id: 'clients' }])
    expect(await row(id)).toEqual({ version: 2, deadline: null })
    expect(await deadlines.meet()).toBe(0)
  })

  it('does not happen where the end has moved on: it is looked at again then, and at once where it moved nearer', async () => {
    const { until, deadlines } = instance()
    const id = anId()
    for (const end of [10, 200, 100]) await until(id, time + end)
    // the row says what was first: it is updated in its place
    expect(await row(id)).toEqual({ version: 3, deadline: time + 10 })
    time += 20
    expect(await deadlines.meet()).toBe(1)
    expect(await row(id)).toEqual({ version: 3, deadline: time + 80 })
    await until(id, time + 30)
    expect(await row(id)).toEqual({ version: 4, deadline: time + 30 })
    expect(await endings()).toEqual([])
    time += 30
    await deadlines.meet()
    expect(await endings()).toEqual([id])
  })

  it('happens once, however many instances look at the same moment', async () => {
    const [one, two] = [instance(), instance()]
    const ids = some(150)
    await Promise.all(ids.map(id => one.until(id, time)))
    await Promise.all([one, two, one, two].map(({ deadlines }) => deadlines.meet()))
    expect(await endings()).toEqual(ids)
    expect(troubles).toEqual([])
  })

  it('comes in batches after a long time, the oldest first', async () => {
    const { until, deadlines } = instance()
    const ids = some(450)
    await Promise.all(ids.map((id, n) => until(id, time + n)))
    time += 30 * 86_400
    expect(await deadlines.meet()).toBe(200)
    expect(await endings()).toEqual(ids.slice(0, 200))
    expect([await deadlines.meet(), await deadlines.meet(), await deadlines.meet()]).toEqual([200, 50, 0])
    expect(await endings()).toEqual(ids)
  })

  it('comes to the others where one stream can not be decided, or is another build’s; that is tried again a minute later', async () => {
    const { until, deadlines } = instance()
    const ids = some(50)
    const cursed = Array.from({ length: 200 }, () => `cursed-${anId()}`)
    await Promise.all(cursed.map(id => until(id, time)))
    await Promise.all(ids.map(id => until(id, time + 1)))
    await log.pool.query(
      `insert into streams (stream_id, base, version, state, state_tag, deadline) values ('newer-1', 0, 1, '{}', '', $1)`,
      [time],
    )
    time += 1
    await deadlines.meet()
    await deadlines.meet()
    expect(await endings()).toEqual(ids)
    expect(troubles).toHaveLength(200)
    expect(await deadlines.meet()).toBe(0)
    time += 60
    expect(await deadlines.meet()).toBe(200)
  })

  it('is done by another instance where one dies in the middle of it, and by nobody twice', async () => {
    const line = await aLineThatCuts(log.url)
    const mortal = new pg.Pool({ connectionString: line.url, max: 5, Client: Connection })
    mortal.on('error', () => undefined)
    const { until } = instance()
    const ids = some(600)
    await Promise.all(ids.map(id => until(id, time)))
    const start = (pool: pg.Pool) => {
      const eventing = new Eventing({
        ...options(),
        pool,
        projections: [],
        deciders: [leased],
        remote: new EmbeddedTransport({}),
      })
      eventing.start()
      closing.push(() => eventing.stop())
      return eventing
    }
    line.loseAnswerTo('clientId', true) // to an append
    start(mortal)
    await eventually(async () => expect((await endings()).length).toBeGreaterThan(0))
    expect((await endings()).length).toBeLessThan(600)
    start(log.another())
    await eventually(async () => expect(await endings()).toEqual(ids))
    closing.push(() => mortal.end())
  })
})
