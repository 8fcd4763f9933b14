import { describe, expect, it } from '@jest/globals'
import type { EventSink } from './publisher.js'
import { simulate } from './specs/simulation/simulate.js'
import type { Delivery, Transport } from './transport/transport.js'

const schedules = Number(process.env.GRANTLOG_SCHEDULES ?? 300)
/** Seeds that have found something, once. */
const remembered: Readonly<Record<'embedded' | 'kafka', readonly number[]>> = {
  embedded: [2252],
  kafka: [50, 64, 119, 558],
}

describe.each(['embedded', 'kafka'] as const)('publisher, %s transport and projection runner', kind => {
  it('count each event once, whatever fails at whatever moment', async () => {
    const seeds = [...remembered[kind], ...Array.from({ length: schedules }, (_, seed) => seed)]
    const found: { seed: number; findings: string[] }[] = []
    for (const seed of seeds) {
      const findings = await simulate(seed, kind)
      if (findings.length > 0) found.push({ seed, findings })
    }
    expect(found.slice(0, 3)).toEqual([])
  }, 600_000)

  it('meet the same moments again with the same seed', async () => {
    const [first, second] = [await trace(7), await trace(7)]
    expect(first.length).toBeGreaterThan(10)
    expect(second).toEqual(first)
    expect(await trace(8)).not.toEqual(first)
  })

  /** What was delivered, and when. */
  async function trace(seed: number): Promise<string[]> {
    const seen: string[] = []
    await simulate(seed, kind, {
      transport: watching(({ topic, partition, events }) => {
        seen.push(`${Date.now()} ${topic}:${partition} ${events.map(({ event }) => event.logseq)}`)
      }),
    })
    return seen
  }
})

describe('the simulation finds', () => {
  const findings = async (kind: 'embedded' | 'kafka', replacements: Parameters<typeof simulate>[2]) => {
    for (let seed = 0; seed < 60; seed++) {
      const found = await simulate(seed, kind, replacements)
      if (found.length > 0) return found.join('; ')
    }
    return 'nothing'
  }

  it('a producer that forgets what it has acknowledged', async () => {
    let sent = 0
    const forgetful = (sink: EventSink): EventSink => ({
      send: async messages => {
        sent += 1
        await sink.send(sent % 10 === 0 ? messages.slice(1) : messages)
      },
      close: () => sink.close(),
    })
    expect(await findings('kafka', { sink: forgetful })).toMatch(/follows|Never published/)
  })

  it('a transport that drops a delivery, and says that it was applied', async () => {
    let count = 0
    const dropping = (transport: Transport): Transport => ({
      close: () => transport.close(),
      subscribe: subscriber =>
        transport.subscribe({
          ...subscriber,
          begin: (topic, partition) => subscriber.begin(topic, partition),
          deliver: async delivery => {
            count += 1
            if (count % 9 !== 0) await subscriber.deliver(delivery)
          },
        }),
    })
    expect(await findings('embedded', { transport: dropping })).toMatch(/The read model/)
  })

  it('a consumer that applies what comes without looking at what it has seen', async () => {
    const blind = (transport: Transport): Transport => {
      const last = new Map<string, number>()
      return {
        close: () => transport.close(),
        subscribe: subscriber =>
          transport.subscribe({
            ...subscriber,
            begin: (topic, partition) => subscriber.begin(topic, partition),
            deliver: delivery => subscriber.deliver(asIfNew(delivery, last)),
          }),
      }
    }
    expect(await findings('kafka', { transport: blind })).toMatch(/The read model/)
  })
})

function watching(seen: (delivery: Delivery) => void) {
  return (transport: Transport): Transport => ({
    close: () => transport.close(),
    subscribe: subscriber =>
      transport.subscribe({
        ...subscriber,
        begin: (topic, partition) => subscriber.begin(topic, partition),
        deliver: async delivery => {
          seen(delivery)
          await subscriber.deliver(delivery)
        },
      }),
  })
}

/** Numbers the events anew, so that the check for duplicates lets everything through. */
function asIfNew(delivery: Delivery, last: Map<string, number>): Delivery {
  const place = `${delivery.topic}:${delivery.partition}`
  const events = delivery.events.map(({ event }) => {
    const previous = last.get(place) ?? 0
    last.set(place, previous + 1)
    return { event: { ...event, logseq: previous + 1 }, previous }
  })
  return { ...delivery, events }
}
