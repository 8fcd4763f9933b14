import { randomUUID } from 'node:crypto'
import type { EventData } from '@grantlog/contracts'
import { describeWithKafka, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Wire } from '../bad-input/wire.js'
import { type OwnSystem, startTwice } from '../running-system.js'
import { type Channels, openChannels } from './channels.js'
import { MachineTokens } from './machine-tokens.js'
import { shiftedClock } from './shifted-clock.js'
import { operated, retrySeconds, type Scene, ways } from './ways.js'

type Revocation = EventData<'token.revoked'>

/** Each way to revoke, and everybody who must hear of it, while the clock of the service that issues is some seconds off. */
function matrix(transport: 'embedded' | 'kafka', secondsAhead: number) {
  let running: OwnSystem
  let channels: Channels
  let bystander: string
  beforeAll(async () => {
    const token = { ...shiftedClock(secondsAhead), REFRESH_RETRY_SECONDS: String(retrySeconds) }
    running = await startTwice({ token }, transport)
    const wire = new Wire(running)
    channels = await openChannels(running, wire, transport)
    bystander = (await wire.tokens(wire.publicClient)).access_token
  })
  afterAll(async () => {
    await channels?.close()
    await running?.stop()
  })

  /** A person who is in nothing else, and a client of her own kind. */
  async function scene(): Promise<Scene> {
    const operator = new Wire(running)
    const person = { email: `${randomUUID()}@example.com`, name: 'Mary Somerville', password: randomUUID() }
    const { account_id: id = '' } = await operated(operator, 'POST', '/accounts', person)
    const demo = { ...running.demo, person: { ...person, id } }
    return {
      wire: new Wire({ ...running, demo }),
      machine: await MachineTokens.open(running),
      person: demo.person,
      companyId: running.demo.company.id,
    }
  }

  /** Who takes a token, of all who were asked. */
  async function takenBy(token: string): Promise<string[]> {
    const answers = [...channels.accepts].map(async ([name, accepts]) => ((await accepts(token)) ? name : []))
    return (await Promise.all(answers)).flat()
  }

  const revokedSoFar = async (kind: string, id: string) => {
    const wire = new Wire(running)
    const answer = await fetch(wire.url('/revocations'), {
      headers: { authorization: `Bearer ${await wire.operatorToken()}` },
    })
    const { events } = (await answer.json()) as { events: { data: Revocation }[] }
    return events.map(({ data }) => data).filter(({ target }) => target.kind === kind && target.id === id)
  }

  it.each(ways.map(way => [way.target, way.how, way] as const))('%s: %s', async (target, _, way) => {
    const everybody = [...channels.accepts.keys()]
    const { victims, revoke } = await way.begin(await scene())
    for (const victim of victims)
      await eventually(async () => expect(await takenBy(victim)).toEqual(everybody))

    const id = await revoke()
    for (const victim of victims) await eventually(async () => expect(await takenBy(victim)).toEqual([]))
    // one event, whatever it reached
    await eventually(async () => {
      const found = await revokedSoFar(target, id)
      expect(found).toMatchObject([{ target: { kind: target, id }, reason: way.reason }])
    })
    // a key revokes whatever it signed, the bystander’s token among it
    if (target !== 'key') expect(await takenBy(bystander)).toEqual(everybody)
  })
}

describe('every way to revoke reaches everybody, embedded, while the token service’s clock is ahead', () =>
  matrix('embedded', 5))
describeWithKafka(
  'every way to revoke reaches everybody, on Kafka, while the token service’s clock is behind',
  () => matrix('kafka', -5),
)
