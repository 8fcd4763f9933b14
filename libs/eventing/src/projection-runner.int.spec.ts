import { randomUUID } from 'node:crypto'
import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type pg from 'pg'
import type { NewEvent } from './decider.js'
import { ChainBroken } from './errors.js'
import { Locks } from './locks.js'
import { createProjectionTable } from './projection.js'
import { ProjectionRunner } from './projection-runner.js'
import { aLog, anId, type LogDatabase, revoked, suspended } from './specs/a-log.js'
import { foldedRows, liveRows, suspensions } from './specs/a-projection.js'
import { aSource, Reader, type Source } from './specs/a-source.js'
import { EmbeddedTransport } from './transport/embedded.js'
import type { Delivery, Subscriber, Transport } from './transport/transport.js'

let source: Source
let target: LogDatabase
let transport: Transport
const ends: (() => Promise<void>)[] = []

beforeEach(async () => {
  source = await aSource()
  target = await aLog('projection')
  await target.pool.query(createProjectionTable(suspensions()))
  transport = new EmbeddedTransport({ clients: source.log.url })
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await transport.close()
  await target.drop()
  await source.stop()
})

/** An instance of the token service that keeps one read model. */
function anInstance(projection = suspensions(), remote = transport, lockedIn?: pg.Pool) {
  const pool = target.another()
  const locks = new Locks(lockedIn ?? pool)
  const runner = new ProjectionRunner(projection, {
    pool,
    locks,
    service: 'token',
    local: undefined,
    remote,
    report: () => undefined,
  })
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

const reinstated = (clientId: string): NewEvent => ({ type: 'client.reinstated', data: { clientId } })

async function upToDate(): Promise<void> {
  await eventually(async () => expect(await liveRows(target.pool)).toEqual(foldedRows(await source.events())))
}

describe('deliveries', () => {
  /** Hands over what it is told to. */
  class ByHand implements Transport {
    subscriber: Subscriber | undefined
    async subscribe(subscriber: Subscriber) {
      this.subscriber = subscriber
      return { places: [], stop: async () => undefined }
    }
    async close(): Promise<void> {
      this.subscriber = undefined
    }
    async deliver(delivery: Delivery | undefined): Promise<void> {
      if (delivery) await this.subscriber?.deliver(delivery)
    }
  }

  /** The source's events, one a delivery, as a transport would bring them. */
  async function deliveries(...facts: NewEvent[]): Promise<Delivery[]> {
    const reader = new Reader(['clients', 'revocations'])
    const subscription = await transport.subscribe(reader)
    await source.append(...facts)
    await eventually(() => expect(reader.events()).toHaveLength(facts.length))
    await subscription.stop()
    return reader.delivered
      .flatMap(delivery => delivery.events.map(event => ({ ...delivery, events: [event] })))
      .sort((a, b) => (a.events[0]?.event.logseq ?? 0) - (b.events[0]?.event.logseq ?? 0))
  }

  async function byHand(lockedIn?: pg.Pool) {
    const hand = new ByHand()
    const { runner } = anInstance(suspensions(), hand, lockedIn)
    await eventually(() => expect(runner.status().owner).toBe(true))
    return { hand, runner }
  }

  it('that come again are applied once, also within a batch and in another order', async () => {
    const [a, b, c] = await deliveries(suspended('x'), suspended('x'), suspended('x'))
    const { hand } = await byHand()
    for (const delivery of [a, a, b, a, b, c, c]) await hand.deliver(delivery)
    if (a && b && c) await hand.deliver({ ...a, events: [a, b, c, c].flatMap(({ events }) => events) })
    await upToDate()
    expect(await liveRows(target.pool)).toEqual([
      '{"client_id":"x","last":3,"reason":"maintenance","times":3}',
    ])
  })

  it('that come at the same time from two owners are applied once', async () => {
    const all = await deliveries(...Array.from({ length: 30 }, () => suspended('x')))
    const owner = await byHand()
    const zombie = await byHand(source.log.another()) // its lock is not the others' lock
    for (const delivery of all) await Promise.all([owner, zombie].map(({ hand }) => hand.deliver(delivery)))
    await upToDate()
  })

  it('with a gap stop the partition; health says so, whatever succeeds elsewhere, until the gap is filled', async () => {
    const facts = [suspended('x'), suspended('x'), suspended('x'), revoked('y')]
    const [a, b, c, elsewhere] = await deliveries(...facts)
    const { hand, runner } = await byHand()
    await hand.deliver(a)
    await expect(hand.deliver(c)).rejects.toThrow(ChainBroken)
    await hand.deliver(elsewhere)
    expect(runner.status()).toMatchObject({
      owner: true,
      security: true,
      trouble: expect.stringMatching(/event 3 follows 2, but the last one seen is 1/),
    })
    expect(await liveRows(target.pool)).toEqual([
      '{"client_id":"revoked y","last":4,"reason":"revoked: null","times":0}',
      '{"client_id":"x","last":1,"reason":"maintenance","times":1}',
    ])
    for (const delivery of [b, c]) await hand.deliver(delivery)
    expect(runner.status().trouble).toBeUndefined()
    await upToDate()
  })

  it('that the transport finds broken are trouble of the read model; that it can not fetch are not', async () => {
    const { hand, runner } = await byHand()
    hand.subscriber?.trouble?.(new Error('The broker is away'))
    expect(runner.status().trouble).toBeUndefined()
    const place = { source: 'clients', topic: 'clients', partition: 3 }
    hand.subscriber?.trouble?.(new ChainBroken(place, 1, { previous: 2, logSeq: 3 }))
    expect(runner.status().trouble).toMatch(/clients\[3\]/)
  })
})

describe('a handler that fails', () => {
  it('stops the read model, which keeps nothing of the batch, and goes on once it is mended', async () => {
    let poisoned = true
    const { runner } = anInstance(suspensions({ poisoned: () => poisoned }))
    await source.append(suspended('a'))
    await upToDate()
    const before = await liveRows(target.pool)
    await source.append(suspended('a', 'poison'), suspended('a', 'after'))
    await eventually(() => expect(runner.status().trouble).toMatch(/can not digest/))
    await source.append(suspended('a', 'later'))
    expect(await liveRows(target.pool)).toEqual(before)
    poisoned = false
    await upToDate()
    await eventually(() => expect(runner.status().trouble).toBeUndefined())
  })
})

describe('two instances', () => {
  it('have one owner; the other takes over when its connections are killed, and every event counts once', async () => {
    const [first, second] = [anInstance(), anInstance()]
    const owners = () => [first, second].filter(({ runner }) => runner.status().owner)
    await eventually(() => expect(owners()).toHaveLength(1))
    const [owner] = owners()
    const standby = owner === first ? second : first
    const clients = Array.from({ length: 6 }, anId)
    for (let n = 0; n < 10; n++) await source.append(...clients.map(id => suspended(id, `${n}`)))
    await upToDate()
    expect(owners()).toEqual([owner])

    const dead = owner?.stop() // it will not try again
    await target.kill('')
    await source.append(...clients.map(id => suspended(id, 'meanwhile')))
    await dead
    await eventually(() => expect(owners()).toEqual([standby]))
    await source.append(...clients.map(id => suspended(id, 'after')))
    await upToDate()
  })

  it('lose their connections again and again under load, and every event counts once', async () => {
    const instances = [anInstance(), anInstance()]
    const clients = Array.from({ length: 6 }, anId)
    for (let n = 0; n < 30; n++) {
      await source.append(...clients.map(id => suspended(id, `${n}`)))
      if (n % 5 === 0) await target.kill('')
    }
    await upToDate()
    await eventually(() =>
      expect(instances.map(({ runner }) => runner.status().owner).sort()).toEqual([false, true]),
    )
    for (const { runner } of instances) expect(runner.status().trouble).toBeUndefined()
  })
})

describe('reading what one wrote', () => {
  it('waits until the read model holds it, and not for ever', async () => {
    const pool = source.log.another()
    await pool.query(createProjectionTable(suspensions()))
    const local = new EmbeddedTransport({ clients: pool })
    const locks = new Locks(pool)
    const options = {
      pool,
      locks,
      service: 'clients',
      local,
      remote: transport,
      report: () => undefined,
    } as const
    const runner = new ProjectionRunner(suspensions(), options)
    await source.append(suspended('a'))
    const [stored] = (await pool.query<{ event_id: string }>('select event_id from events')).rows
    const event = { type: 'client.suspended', id: stored?.event_id ?? '' } as const
    // the last event of an append may be of another topic, with a later number
    const cause = { type: 'grant.revoked', id: randomUUID() } as const
    const appended = { streamId: 'client-a', events: [event, cause] }
    expect(await runner.applied(appended, 50)).toBe(false)
    const applied = runner.applied(appended, 20_000)
    runner.start()
    expect(await applied).toBe(true)
    expect(await liveRows(pool)).toEqual(foldedRows(await source.events()))
    expect(await runner.applied({ ...appended, events: [{ ...event, id: randomUUID() }] }, 50)).toBe(false)
    // it reads no such events: there is nothing to wait for
    expect(await runner.applied({ ...appended, events: [cause] }, 50)).toBe(true)
    await runner.stop()
    locks.close()
  })
})

describe('rows', () => {
  it('are, whatever happened in whatever batches, what a pure replay of all events says', async () => {
    const fact = fc.oneof(
      fc
        .record({ client: fc.nat(4), reason: fc.string({ maxLength: 20, unit: 'grapheme' }) })
        .map(one => suspended(`client-${one.client}`, one.reason.replaceAll('\0', ''))),
      fc.nat(4).map(client => reinstated(`client-${client}`)),
      fc
        .record({ client: fc.nat(4), cutoff: fc.nat() })
        .map(one => revoked(`client-${one.client}`, one.cutoff)),
    )
    anInstance()
    await fc.assert(
      fc.asyncProperty(fc.array(fact, { minLength: 1, maxLength: 80 }), async facts => {
        await source.append(...facts)
        await upToDate()
      }),
      { numRuns: 15, seed: 20260304, endOnFailure: true },
    )
    expect((await source.events()).length).toBeGreaterThan(50)
  })
})
