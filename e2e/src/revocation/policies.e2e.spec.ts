import { setTimeout as delay } from 'node:timers/promises'
import {
  Freshness,
  followRevocations,
  Guard,
  RevocationSet,
  remoteKeys,
  type WhenStale,
} from '@grantlog/resource-guard'
import { describeWithKafka, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Wire } from '../bad-input/wire.js'
import { type OwnSystem, startSystem } from '../running-system.js'
import { MachineTokens } from './machine-tokens.js'
import { type Channel, Watch } from './watch.js'

const maxStalenessSeconds = 3
const allowForSeconds = 3
const tokenCount = 2000

describeWithKafka('resource servers that hear no revocations, each with its policy', () => {
  let running: OwnSystem
  let machine: MachineTokens
  let following: ReturnType<typeof followRevocations>
  let watch: Watch
  const names = {
    api: 'the sample API, on Kafka',
    refuse: 'refuse, over HTTP',
    allow: 'allow, over HTTP',
    introspect: 'introspect, over HTTP',
  }

  beforeAll(async () => {
    running = await startSystem('kafka', {
      resource: { MAX_STALENESS_SECONDS: String(maxStalenessSeconds) },
      token: { ADDRESS_RATE: '0', CLIENT_RATE: '0', CLIENT_IN_FLIGHT: '0' },
    })
    machine = await MachineTokens.open(running)
    const revocations = new RevocationSet()
    const freshness = new Freshness(['clients', 'consent', 'token'])
    const wire = new Wire(running)
    following = followRevocations({
      url: wire.url('/revocations'),
      accessToken: () => wire.operatorToken(),
      revocations,
      freshness,
    })
    const keys = remoteKeys(wire.url('/jwks'))
    const guarded = (whenStale: WhenStale) => {
      const issuer = running.installation.url('token')
      const { audience } = running
      const options = { issuer, audience, keys, revocations, freshness, maxStalenessSeconds, whenStale }
      const guard = new Guard(options)
      return (token: string) =>
        guard.verify({ authorization: `Bearer ${token}` }).then(
          () => true,
          () => false,
        )
    }
    const channels: Channel[] = [
      {
        name: names.api,
        maxStalenessSeconds,
        // it has no invoices for a client: then it answers 403, to a token that it took
        accepts: async token => {
          const answer = await fetch(running.audience, { headers: { authorization: `Bearer ${token}` } })
          await answer.body?.cancel()
          return answer.status === 403
        },
      },
      { name: names.refuse, maxStalenessSeconds, accepts: guarded('refuse') },
      {
        name: names.allow,
        maxStalenessSeconds: maxStalenessSeconds + allowForSeconds,
        accepts: guarded({ allowForSeconds }),
      },
      {
        name: names.introspect,
        maxStalenessSeconds,
        accepts: guarded({ introspect: token => machine.introspect(token) }),
      },
    ]
    const tokens: string[] = []
    while (tokens.length < tokenCount)
      tokens.push(...(await Promise.all(Array.from({ length: 50 }, () => machine.issue()))))
    await eventually(() => expect(freshness.complete).toBe(true))
    watch = new Watch(channels, tokens, token => machine.revoke(token))
    await eventually(async () => expect(await watch.allAccept()).toBe(true))
  })
  afterAll(async () => {
    await watch?.stop()
    await following?.stop()
    await running?.stop()
  })

  it.each([
    [
      'Kafka is silent for 30 s',
      30_000,
      async () => running.system.broker.pause(),
      async () => running.system.broker.resume(),
    ],
    ['the broker is killed', 8000, () => running.system.broker.kill(), () => running.system.broker.restart()],
    ['a source is frozen', 8000, async () => signal('SIGSTOP'), async () => signal('SIGCONT')],
  ])('while %s', async (_, milliseconds, begin, end) => {
    await begin()
    const from = performance.now()
    await delay(milliseconds)
    const until = performance.now()
    await end()
    await eventually(async () => expect(await watch.allAccept()).toBe(true), { timeout: 60_000 })

    const refused = (name: string) => watch.count(name, from, until, false)
    expect(watch.acceptedUnheard(from, until).filter(line => !line.startsWith(names.introspect))).toEqual([])
    // it was a silence, and the policies differ
    const bound = (maxStalenessSeconds + allowForSeconds) * 1000
    expect(watch.count(names.allow, from + maxStalenessSeconds * 1000, from + bound, true)).toBeGreaterThan(0)
    expect(watch.count(names.introspect, from + bound, until, true)).toBeGreaterThan(0)
    for (const name of [names.api, names.refuse, names.allow]) expect(refused(name)).toBeGreaterThan(0)
    expect(watch.acceptedTooLate()).toEqual([])
  })

  it('and none that was revoked is ever accepted again', async () => {
    await watch.stop()
    expect(watch.revoked.size).toBeGreaterThan(500)
    expect(watch.acceptedTooLate()).toEqual([])
    expect(await watch.settledAnswers()).toEqual([])
  })

  function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of running.system.service('clients').pids) process.kill(pid, name)
  }
})
