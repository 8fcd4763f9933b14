import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Commands } from './commands.js'
import type { Decider, NewEvent } from './decider.js'
import { EventStore } from './event-store.js'
import { aLog, anAppend, anId, type LogDatabase, operator, suspended } from './specs/a-log.js'

let log: LogDatabase
let store: EventStore

beforeAll(async () => {
  log = await aLog('bars')
  await log.pool.query('create table bars (name text primary key, until bigint)')
  store = new EventStore(log.pool, { bars: { table: 'bars', key: 'name', until: 'until' } })
})
afterAll(async () => {
  await store?.close()
  await log?.drop()
})

const bar = (name: string, until: number | null) =>
  log.pool.query('insert into bars values ($1, $2)', [name, until])

const aBarrable = (keys: readonly string[], since = 100, base = 0, id = anId()) => ({
  ...anAppend(store, id, base),
  unlessBarred: { keys, since },
})

const stored = async ({ streamId }: { streamId: string }) => (await store.read(streamId)).length

it('is refused where any of its names is barred, for what began until then or for good; nothing of it is stored', async () => {
  const [early, same, late, never] = [anId(), anId(), anId(), anId()]
  await Promise.all([bar(early, 99), bar(same, 100), bar(late, 101), bar(never, null)])
  for (const [name, refused] of [
    [early, false],
    [same, true],
    [late, true],
    [never, true],
  ] as const) {
    const append = aBarrable(['somebody', name])
    const outcome = await store.append(append)
    expect([name, outcome === 'conflict', await stored(append)]).toEqual([name, refused, refused ? 0 : 1])
  }
})

it('does not keep those from being stored that share its commit: each has its own names and its own time', async () => {
  const [barred, other] = [anId(), anId()]
  await bar(barred, 100)
  const goesOn = anId()
  await store.append(anAppend(store, goesOn, 0))
  const appends = [
    aBarrable([barred]),
    aBarrable([other]),
    aBarrable([other, barred], 101),
    anAppend(store, anId(), 0),
    aBarrable([other, barred], 100, 1, goesOn),
    aBarrable([]),
  ]
  const { batches } = store.measures()

  const outcomes = await Promise.all(appends.map(append => store.append(append)))

  expect(outcomes.map(outcome => outcome === 'conflict')).toEqual([true, false, false, false, true, false])
  expect(await Promise.all(appends.map(stored))).toEqual([0, 1, 1, 1, 1, 1])
  expect(store.measures().batches - batches).toBe(1)
})

it('is recognised where it was stored before it was barred', async () => {
  const name = anId()
  const append = aBarrable([name])
  const first = await store.append(append)
  await bar(name, null)
  expect(await store.append(append)).toEqual(first)
})

it('can not be asked of a store that has no bars', async () => {
  const without = new EventStore(log.pool)
  await expect(without.append(aBarrable(['somebody']))).rejects.toThrow(TypeError)
})

const suspension: Decider<string, NewEvent, { times: number }> = {
  category: 'client',
  initial: { times: 0 },
  decide: clientId => [suspended(clientId)],
  evolve: ({ times }) => ({ times: times + 1 }),
}

it('fails a command with what its caller says of the bar, and with nothing when it was lifted meanwhile', async () => {
  const commands = new Commands(store, () => new Date())
  const id = anId()
  const told: string[] = []
  const suspend = (assertAllowed: () => Promise<void>) =>
    commands.run(suspension, id, id, {
      actor: operator,
      unlessBarred: { keys: [id], since: 0, assertAllowed },
    })
  await suspend(async () => void told.push('not barred'))
  await bar(id, null)

  const refused = suspend(async () => {
    throw new RangeError('Barred, says the caller')
  })
  await expect(refused).rejects.toThrow('Barred, says the caller')
  expect(await store.read(`client-${id}`)).toHaveLength(1)

  const lifted = await suspend(async () => {
    told.push('lifted')
    await log.pool.query('delete from bars where name = $1', [id])
  })
  expect([lifted.version, told]).toEqual([2, ['lifted']])
})
