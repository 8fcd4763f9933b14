import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Commands } from './commands.js'
import type { Decider, NewEvent } from './decider.js'
import { EventStore } from './event-store.js'
import { aLog, anAppend, anId, type LogDatabase, operator } from './specs/a-log.js'
import { stateTag } from './state-tag.js'

let log: LogDatabase
let store: EventStore
let commands: Commands
const context = { actor: operator }
const now = () => new Date('2026-03-04T05:06:07.089Z')

beforeAll(async () => {
  log = await aLog('commands')
  store = new EventStore(log.pool)
  commands = new Commands(store, now)
})
afterAll(async () => {
  await store?.close()
  await log?.drop()
})

type Suspension = Extract<NewEvent, { type: 'client.suspended' | 'client.reinstated' }>
interface Tally {
  readonly suspended: boolean
  readonly reasons: readonly string[]
}
interface Suspend {
  readonly clientId: string
  readonly reason: string
  readonly once?: boolean
}

/** Suspends as often as it is told, or, if told so, only a client that never was. */
const suspension: Decider<Suspend, Suspension, Tally> = {
  category: 'client',
  initial: { suspended: false, reasons: [] },
  decide({ clientId, reason, once }, { suspended, reasons }) {
    if (reason === '') throw new TypeError('A suspension needs a reason')
    if (once && reasons.length > 0) return []
    const suspend: Suspension = { type: 'client.suspended', data: { clientId, reason } }
    return suspended ? [{ type: 'client.reinstated', data: { clientId } }, suspend] : [suspend]
  },
  evolve(state, event) {
    switch (event.type) {
      case 'client.suspended':
        return { suspended: true, reasons: [...state.reasons, event.data.reason] }
      case 'client.reinstated':
        return { ...state, suspended: false }
    }
  },
}

const folded = async (clientId: string) =>
  (await store.read(`client-${clientId}`)).reduce(
    (state, event) => suspension.evolve(state, event.fact as Suspension),
    suspension.initial,
  )

describe('parallel commands on one stream', () => {
  it('all succeed, one after the other, with dense versions', async () => {
    const clientId = anId()
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        commands.run(suspension, clientId, { clientId, reason: `${n}` }, context),
      ),
    )
    const events = await store.read(`client-${clientId}`)
    expect(events.map(event => event.streamVersion)).toEqual(events.map((_, n) => n + 1))
    expect(events).toHaveLength(99) // the first suspends, each of the others reinstates before
    expect(new Set((await folded(clientId)).reasons).size).toBe(50)
    expect(outcomes.map(outcome => outcome.version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, n) => 1 + 2 * n),
    )
  })

  it('all succeed from several processes', async () => {
    const clientId = anId()
    const processes = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const own = new EventStore(log.another())
        const its = new Commands(own, now)
        const runs = Array.from({ length: 15 }, (_, n) =>
          its.run(suspension, clientId, { clientId, reason: `${n}` }, context),
        )
        return { own, outcomes: await Promise.all(runs) }
      }),
    )
    const versions = processes.flatMap(({ outcomes }) => outcomes.map(({ version }) => version))
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, n) => 1 + 2 * n))
    for (const { own } of processes) await own.close()
  })

  it('take a decision that can be taken once exactly once', async () => {
    const clientId = anId()
    const others = [log.another(), log.another()].map(pool => new EventStore(pool))
    const runners = [store, ...others].map(own => new Commands(own, now))
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        runners[n % 3]?.run(suspension, clientId, { clientId, reason: `${n}`, once: true }, context),
      ),
    )
    const winners = outcomes.filter(outcome => outcome?.events.length === 1)
    expect(winners).toHaveLength(1)
    expect(await store.read(`client-${clientId}`)).toHaveLength(1)
    // everybody learns who was first
    for (const outcome of outcomes) expect(outcome?.state).toEqual(winners[0]?.state)
    for (const own of others) await own.close()
  })
})

describe('a command on a stream that the caller knows', () => {
  const fresh = { state: suspension.initial, version: 0 }

  it('begins one that is new', async () => {
    const clientId = anId()
    const { version } = await commands.run(suspension, clientId, { clientId, reason: 'a' }, context, fresh)
    expect(version).toBe(1)
    expect(await folded(clientId)).toEqual({ suspended: true, reasons: ['a'] })
  })

  it('is decided on what happened in it, when something has', async () => {
    const clientId = anId()
    await commands.run(suspension, clientId, { clientId, reason: 'a' }, context)
    const second = await commands.run(suspension, clientId, { clientId, reason: 'b' }, context, fresh)
    expect(second.version).toBe(3) // reinstated, and suspended again
    const third = await commands.run(
      suspension,
      clientId,
      { clientId, reason: 'c', once: true },
      context,
      fresh,
    )
    expect(third).toMatchObject({ version: 3, events: [] })
  })

  it('is decided on what the caller knows, while nothing happens', async () => {
    const clientId = anId()
    await commands.run(suspension, clientId, { clientId, reason: 'a' }, context)
    const known = await commands.load(suspension, clientId)
    const told = { ...known, state: { ...known.state, reasons: ['told'] } }
    const { state } = await commands.run(suspension, clientId, { clientId, reason: 'b' }, context, told)
    expect(state.reasons).toEqual(['told', 'b'])
  })

  it('is taken exactly once, when many come at once from several processes', async () => {
    const clientId = anId()
    const another = new EventStore(log.another())
    const runners = [commands, new Commands(another, now)]
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        runners[n % 2]?.run(suspension, clientId, { clientId, reason: `${n}`, once: true }, context, fresh),
      ),
    )
    expect(outcomes.filter(outcome => outcome?.events.length === 1)).toHaveLength(1)
    expect(await store.read(`client-${clientId}`)).toHaveLength(1)
    await another.close()
  })
})

describe('a command that changes nothing', () => {
  it('stores nothing when decide throws, and says what decide said', async () => {
    const clientId = anId()
    const run = commands.run(suspension, clientId, { clientId, reason: '' }, context)
    await expect(run).rejects.toThrow(new TypeError('A suspension needs a reason'))
    expect(await store.head(`client-${clientId}`)).toBeUndefined()
    // the stream is not stuck behind it
    await commands.run(suspension, clientId, { clientId, reason: 'a' }, context)
    expect(await store.read(`client-${clientId}`)).toHaveLength(1)
  })

  it('stores nothing when there is nothing to decide', async () => {
    const clientId = anId()
    await commands.run(suspension, clientId, { clientId, reason: 'a' }, context)
    const again = await commands.run(suspension, clientId, { clientId, reason: 'b', once: true }, context)
    expect(again).toEqual({
      streamId: `client-${clientId}`,
      state: { suspended: true, reasons: ['a'] },
      version: 1,
      events: [],
      position: undefined,
    })
    expect(await store.read(`client-${clientId}`)).toHaveLength(1)
  })

  it('stores nothing of a decision with one fact that is not valid', async () => {
    const clientId = anId()
    const reason = 'x'.repeat(201) // the catalogue allows 200
    await commands.run(suspension, clientId, { clientId, reason: 'a' }, context)
    await expect(commands.run(suspension, clientId, { clientId, reason }, context)).rejects.toThrow(/reason/)
    expect((await store.head(`client-${clientId}`))?.version).toBe(1)
  })
})

describe('the state beside the stream', () => {
  it('is the pure fold of the events, after every command', async () => {
    const clientId = anId()
    for (let n = 0; n < 10; n++) {
      const outcome = await commands.run(suspension, clientId, { clientId, reason: `${n}` }, context)
      const state = await folded(clientId)
      expect(outcome.state).toEqual(state)
      expect((await store.head(`client-${clientId}`))?.state).toEqual(state)
      expect(await commands.load(suspension, clientId)).toEqual({ state, version: outcome.version })
    }
  })

  it('is folded anew when other code folded it', async () => {
    const clientId = anId()
    for (const reason of ['a', 'b']) await commands.run(suspension, clientId, { clientId, reason }, context)
    const shouting: typeof suspension = {
      ...suspension,
      evolve: (state, event) =>
        event.type === 'client.suspended'
          ? { suspended: true, reasons: [...state.reasons, event.data.reason.toUpperCase()] }
          : { ...state, suspended: false },
    }
    expect((await commands.load(shouting, clientId)).state.reasons).toEqual(['A', 'B'])
    const { state } = await commands.run(shouting, clientId, { clientId, reason: 'c' }, context)
    expect(state.reasons).toEqual(['A', 'B', 'C'])
    expect((await store.head(`client-${clientId}`))?.state).toEqual(state)
    expect((await commands.load(suspension, clientId)).state.reasons).toEqual(['a', 'b', 'c'])
  })

  it('is of the last version where a build stored it that said nothing of that', async () => {
    const clientId = anId()
    const [code] = stateTag(suspension, 1).split('@')
    const state = { suspended: true, reasons: ['as it was stored'] }
    await store.append({ ...anAppend(store, clientId, 0), state, stateTag: `${code}` })
    expect(await commands.load(suspension, clientId)).toEqual({ state, version: 1 })
  })

  it('is not trusted when its tag is unknown', async () => {
    const clientId = anId()
    await store.append({ ...anAppend(store, clientId, 0), state: { suspended: false, reasons: ['wrong'] } })
    const { state } = await commands.load(suspension, clientId)
    expect(state).toEqual({ suspended: true, reasons: ['maintenance'] })
  })
})

it('tells who, when and where', async () => {
  const clientId = anId()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { events } = await commands.run(
    suspension,
    clientId,
    { clientId, reason: 'a' },
    { ...context, traceparent },
  )
  const { rows } = await log.pool.query(
    'select event_id, actor_type, actor_id, traceparent, time from events where stream_id = $1',
    [`client-${clientId}`],
  )
  expect(rows).toEqual([
    { event_id: events[0]?.id, actor_type: 'operator', actor_id: 'spec', traceparent, time: now() },
  ])
})
