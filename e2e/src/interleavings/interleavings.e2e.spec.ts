import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type OwnSystem, startTwice } from '../running-system.js'
import { type Action, FamilyRun } from './family-run.js'
import { FamilyWorld } from './family-world.js'

const runs = 150
/** A slow machine runs fewer, but all of the examples. */
const milliseconds = 45_000

type Kind = 'confidential' | 'public' | 'bound' | 'device'
type Schedule = readonly [kind: Kind, redemptions: readonly Action[], rounds: readonly (readonly Action[])[]]

const at = fc.constantFrom(0, 1)
const back = fc.nat({ max: 7 })
const action = <T extends Action['does']>(does: T) => fc.constant(does)
/** What a client may repeat: the last tokens. An older one that is presented again is theft, whoever has it. */
const recent = fc.nat({ max: 3 })
const actions: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ does: action('refresh'), at, by: fc.constant('client'), back: recent }),
  },
  { weight: 20, arbitrary: fc.record({ does: action('exchange'), at, back }) },
  { weight: 6, arbitrary: fc.record({ does: action('revoke token'), at, back }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: action('refresh'), at, by: fc.constantFrom('thief', 'nobody'), back }),
  },
  { weight: 1, arbitrary: fc.record({ does: action('redeem'), at }) },
  { weight: 1, arbitrary: fc.record({ does: action('revoke family'), at, back }) },
  { weight: 1, arbitrary: fc.record({ does: action('end grant') }) },
)
const redemption = fc.record({ does: action('redeem'), at })
const schedules: fc.Arbitrary<Schedule> = fc.tuple(
  fc.constantFrom<Kind>('confidential', 'public', 'bound', 'device'),
  fc.oneof(
    { weight: 9, arbitrary: fc.tuple(redemption) },
    { weight: 1, arbitrary: fc.array(redemption, { minLength: 2, maxLength: 4 }) },
  ),
  fc.array(fc.array(actions, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
)

const redeem: Action = { does: 'redeem', at: 0 }
const refresh = (at: number, back = 0): Action => ({ does: 'refresh', at, by: 'client', back })
const steal = (at: number, back = 0): Action => ({ does: 'refresh', at, by: 'thief', back })
const exchange = (at: number, back = 0): Action => ({ does: 'exchange', at, back })
const parallel = Array.from({ length: 6 }, (_, index) => refresh(index % 2))
/** The ends that a family can come to, so that none is left to chance. */
const examples: [Schedule][] = [
  ['confidential', [redeem], [parallel, [refresh(1, 1)], [exchange(0)], [exchange(1)]]],
  [
    'public',
    [redeem],
    [parallel, [refresh(1, 1)], [exchange(0)], [{ does: 'revoke token', at: 1, back: 1 }]],
  ],
  ['confidential', [redeem], [[exchange(0)], [exchange(1), steal(1)], [refresh(0), exchange(0)]]],
  ['public', [redeem], [[refresh(0)], [exchange(1)], [steal(1, 1)], [refresh(0)]]],
  ['public', [redeem], [[refresh(0), steal(1)], [refresh(0)]]],
  [
    'bound',
    [redeem],
    [parallel, [refresh(1, 1)], [exchange(0)], [{ ...steal(1), by: 'nobody' }, refresh(0)]],
  ],
  ['bound', [redeem], [[refresh(0)], [exchange(1), steal(1)], [refresh(0)]]],
  ['public', [redeem, { ...redeem, at: 1 }], [[refresh(1)]]],
  ['device', [redeem], [parallel, [refresh(1, 1)], [exchange(0), redeem]]],
  ['device', [redeem, { ...redeem, at: 1 }], [[refresh(0)]]],
  ['confidential', [redeem], [[exchange(0)], [{ does: 'revoke family', at: 1, back: 0 }], parallel]],
  ['confidential', [redeem], [[exchange(0)], [{ does: 'end grant' }, refresh(1)], parallel]],
].map(schedule => [schedule as unknown as Schedule])

describe('a token family at two instances', () => {
  let running: OwnSystem
  let world: FamilyWorld
  beforeAll(async () => {
    running = await startTwice({ token: { ADDRESS_RATE: '0', CLIENT_RATE: '0' } })
    world = await FamilyWorld.create(running)
  })
  afterAll(async () => {
    await world?.close()
    await running?.stop()
  })

  it('keeps its promises whoever presents what, where and in whatever order', async () => {
    const seen = new Map<string, number>()
    const seed = randomInt(2 ** 31)
    const until = Date.now() + milliseconds
    let ran = 0
    await fc.assert(
      fc.asyncProperty(schedules, async ([kind, redemptions, rounds]) => {
        if (ran >= examples.length && Date.now() > until) return
        ran++
        const client = {
          confidential: world.confidential,
          public: world.publicClient,
          bound: world.boundClient,
          device: world.deviceClient,
        }[kind]
        const family = new FamilyRun(world, client, await world.authorize(client))
        await family.round(redemptions)
        for (const round of rounds) await family.round(round)
        for (const end of await family.end()) seen.set(end, (seen.get(end) ?? 0) + 1)
      }),
      { numRuns: runs, seed, examples, endOnFailure: true },
    )
    process.stdout.write(`${ran} families, seed ${seed}: ${JSON.stringify(Object.fromEntries(seen))}\n`)
    for (const end of ['alive', 'code-replayed', 'refresh-replayed', 'client-revoked', 'grant ended'])
      expect([...seen.keys()]).toContain(end)
  })
})
