import { Freshness, followRevocations, Guard, RevocationSet, remoteKeys } from '@grantlog/resource-guard'
import { eventually } from '@grantlog/testing'
import { expect } from '@jest/globals'
import type { Wire } from '../bad-input/wire.js'
import type { OwnSystem } from '../running-system.js'

/** How a resource server learns that a token is revoked. Another way to tell them is another of these. */
export const channelNames = ['Kafka', 'embedded', 'HTTP feed', 'introspection'] as const
export type ChannelName = (typeof channelNames)[number]

/** Everybody who can be asked whether a token is good, by the channel over which they hear of revocations. */
export interface Channels {
  readonly accepts: ReadonlyMap<string, (token: string) => Promise<boolean>>
  close(): Promise<void>
}

export async function openChannels(
  running: OwnSystem,
  wire: Wire,
  transport: 'embedded' | 'kafka',
): Promise<Channels> {
  const { audience, installation, system } = running
  const revocations = new RevocationSet()
  const freshness = new Freshness(['clients', 'consent', 'token'])
  const following = followRevocations({
    url: wire.url('/revocations'),
    accessToken: () => wire.operatorToken(),
    revocations,
    freshness,
  })
  const guard = new Guard({
    issuer: installation.url('token'),
    audience,
    keys: remoteKeys(wire.url('/jwks')),
    revocations,
    freshness,
  })
  const log: ChannelName = transport === 'kafka' ? 'Kafka' : 'embedded'
  const accepts = new Map<string, (token: string) => Promise<boolean>>([
    [
      `${log}: the sample API`,
      async token => {
        const answer = await fetch(audience, { headers: { authorization: `Bearer ${token}` } })
        const text = await answer.text()
        if (![200, 401, 403].includes(answer.status)) throw new Error(`${answer.status} ${text}`)
        return answer.status !== 401 // 403: the API took the token of a client, which has no invoices
      },
    ],
    [
      'HTTP feed: a guard of its own',
      token =>
        guard.verify({ authorization: `Bearer ${token}` }).then(
          () => true,
          error => {
            if (error.status !== 401) throw error
            return false
          },
        ),
    ],
    ...system.service('token').urls.map(
      (url, index) =>
        [
          `introspection: instance ${index + 1}`,
          async (token: string) => {
            const answer = await fetch(`${url}/introspect`, {
              method: 'POST',
              headers: wire.basic(running.demo.operator),
              body: new URLSearchParams({ token }),
            })
            const { active } = (await answer.json()) as { active?: boolean }
            if (active === undefined) throw new Error(`/introspect answers ${answer.status}`)
            return active
          },
        ] as const,
    ),
  ])
  await eventually(() => expect(freshness.complete).toBe(true))
  return { accepts, close: () => following.stop() }
}
