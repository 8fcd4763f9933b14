import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Commands, type Known } from './commands.js'
import type { Decider, NewEvent } from './decider.js'
import { EventStore } from './event-store.js'
import { aLog, anId, type LogDatabase, operator } from './specs/a-log.js'
import { versionOfState } from './state-tag.js'

type Suspension = Extract<NewEvent, { type: 'client.suspended' | 'client.reinstated' }>
interface Reinstate {
  readonly clientId: string
}
interface Suspend extends Reinstate {
  readonly reason: string
}

const context = { actor: operator }
const now = () => new Date('2026-03-04T05:06:07.089Z')
let log: LogDatabase
let store: EventStore
let commands: Commands
beforeAll(async () => {
  log = await aLog('remembered')
  store = new EventStore(log.pool)
  commands = new Commands(store, now)
})
afterAll(async () => {
  await store?.close()
  await log?.drop()
})

describe('a stream that is remembered', () => {
  /** Suspends a client that is not suspended. */
  const state: Decider<Suspend | Reinstate, Suspension, { suspended: boolean }> = {
    category: 'client',
    initial: { suspended: false },
    remembered: true,
    decide(command, { suspended }) {
      if ('reason' in command) return suspended ? [] : [{ type: 'client.suspended', data: command }]
      return suspended ? [{ type: 'client.reinstated', data: command }] : []
    },
    evolve: (_, { type }) => ({ suspended: type === 'client.suspended' }),
  }
  const run = (by: Commands, command: Suspend | Reinstate, known?: Known<{ suspended: boolean }>) =>
    by.run(state, command.clientId, command, context, known)
  const suspend = (clientId: string) => ({ clientId, reason: 'maintenance' })

  let another: EventStore
  let elsewhere: Commands
  beforeAll(() => {
    another = new EventStore(log.another())
    elsewhere = new Commands(another, now)
  })
  afterAll(() => another?.close())

  it('is not read again by who appended to it', async () => {
    const clientId = anId()
    await run(commands, suspend(clientId))
    const head = jest.spyOn(store, 'head')
    const known = await commands.recall(state, clientId)
    expect(known).toMatchObject({ state: { suspended: true }, version: 1 })
    expect((await run(commands, { clientId }, known)).version).toBe(2)
    expect((await run(commands, suspend(clientId), await commands.recall(state, clientId))).version).toBe(3)
    expect(head).not.toHaveBeenCalled()
    head.mockRestore()
    expect(await store.read(`client-${clientId}`)).toHaveLength(3)
  })

  it('is read by who never appended to it', async () => {
    const clientId = anId()
    await run(commands, suspend(clientId))
    expect(await elsewhere.recall(state, clientId)).toEqual({ state: { suspended: true }, version: 1 })
  })

  it('is commanded on as it is, where another process has gone on', async () => {
    const clientId = anId()
    await run(commands, suspend(clientId))
    await run(elsewhere, { clientId })
    await run(elsewhere, suspend(clientId))
    const outcome = await run(commands, { clientId }, await commands.recall(state, clientId))
    expect(outcome).toMatchObject({ version: 4, state: { suspended: false } })
  })

  it('is read before nothing is done', async () => {
    const clientId = anId()
    await run(commands, suspend(clientId))
    await run(elsewhere, { clientId })
    const outcome = await run(commands, suspend(clientId), await commands.recall(state, clientId))
    expect(outcome).toMatchObject({ version: 3, state: { suspended: true } })
  })

  it('is known to a command that waited for the one before', async () => {
    const clientId = anId()
    await run(commands, suspend(clientId))
    const known = await commands.recall(state, clientId)
    const append = jest.spyOn(store, 'append')
    await Promise.all([run(commands, { clientId }, known), run(commands, suspend(clientId), known)])
    expect(append).toHaveBeenCalledTimes(2) // none in vain
    append.mockRestore()
  })

  /** Goes on with the stream, from what is remembered of it. */
  async function goOn(clientId: string, by = commands, decider = state) {
    const { suspended } = (await by.load(decider, clientId)).state
    const command = suspended ? { clientId } : suspend(clientId)
    return by.run(decider, clientId, command, context, await by.recall(decider, clientId))
  }
  /** Of a stream, and of the state that is stored of it. */
  async function versions(clientId: string, decider = state) {
    const head = await store.head(`client-${clientId}`)
    if (head === undefined) throw new Error(`No stream client-${clientId}`)
    return { stream: head.version, state: versionOfState(decider, head.stateTag, head.version) }
  }

  it('has its state stored with every eighth version', async () => {
    const clientId = anId()
    const stored: number[] = []
    for (let version = 1; version <= 20; version++) {
      await goOn(clientId)
      stored.push((await versions(clientId)).state)
    }
    expect(stored).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 17, 17, 17, 17])
  })

  it('is what the state that is stored and the events since make of it, whoever asks, in one query', async () => {
    const clientId = anId()
    const read = jest.spyOn(another, 'read')
    for (let version = 1; version <= 10; version++) {
      const { state: left } = await goOn(clientId)
      expect(await elsewhere.load(state, clientId)).toEqual({ state: left, version })
    }
    const head = await another.head(`client-${clientId}`)
    expect(head).toMatchObject({ version: 10, state: { suspended: true } })
    expect(head?.since).toEqual([{ type: 'client.reinstated', data: { clientId } }])
    expect(read).not.toHaveBeenCalled()
    read.mockRestore()
  })

  it('has its state stored where it comes back late, for it may be forgotten', async () => {
    const clientId = anId()
    const others = (count: number) => Promise.all(Array.from({ length: count }, () => goOn(anId())))
    await goOn(clientId)
    await others(127)
    await goOn(clientId)
    expect(await versions(clientId)).toEqual({ stream: 2, state: 1 })
    await others(128)
    await goOn(clientId)
    expect(await versions(clientId)).toEqual({ stream: 3, state: 3 })
  })

  it('has its state stored by each process that takes it over', async () => {
    const clientId = anId()
    for (let version = 1; version <= 6; version++) {
      await goOn(clientId, version % 2 === 0 ? elsewhere : commands)
      expect(await versions(clientId)).toEqual({ stream: version, state: version })
    }
  })

  it('has the state stored that it ends with: its events may leave', async () => {
    const ending = { ...state, endsAt: ({ suspended }: { suspended: boolean }) => (suspended ? null : 1) }
    const clientId = anId()
    await goOn(clientId, commands, ending)
    await goOn(clientId, commands, ending)
    expect(await versions(clientId, ending)).toEqual({ stream: 2, state: 2 })
  })

  it('is forgotten when the connection broke: what is there then may be a backup', async () => {
    const clientId = anId()
    await run(commands, suspend(clientId))
    await log.kill('with wanted as')
    await eventually(() => run(commands, suspend(anId())))
    expect(await commands.recall(state, clientId)).not.toHaveProperty('remembered')
  })
})
