import { generateKeyPairSync } from 'node:crypto'
import { signAccessToken } from '@grantlog/oauth'
import { Freshness, Guard, type KeySource, RevocationSet } from '@grantlog/resource-guard'

export const issuer = 'https://auth.example.com'
export const audience = 'https://api.example.com/invoices'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const { publicKey } = key

/** Ids as ours are. */
export const idOf = (kind: string, n: number) =>
  `0199aa${kind.padStart(2, '0')}-0000-7000-8000-${String(n).padStart(12, '0')}`

/** Access tokens as the token service issues them after a person’s consent, all different. */
export function tokens(count: number): string[] {
  const now = Math.floor(Date.now() / 1000)
  return Array.from({ length: count }, (_, n) =>
    signAccessToken(
      {
        iss: issuer,
        sub: idOf('a', n % 100),
        aud: audience,
        client_id: idOf('b', n % 10),
        iat: now,
        exp: now + 600,
        jti: idOf('c', n),
        scope: 'invoices:read invoices:write',
        family: idOf('d', n),
        grant: idOf('e', n),
        auth_time: now - 60,
      },
      { kid: 'key-1', algorithm: 'ES256', privateKey: key.privateKey },
    ),
  )
}

/** A guard as a resource server has it, whose revocations are fresh. */
export function newGuard(keys: KeySource): Guard {
  const revocations = new RevocationSet()
  for (let n = 0; n < 1000; n += 1)
    revocations.apply({ target: { kind: 'family', id: idOf('f', n) }, issuedBefore: null })
  const freshness = new Freshness(['clients', 'consent', 'token'])
  for (const source of ['clients', 'consent', 'token'])
    freshness.alive(source, new Date(Date.now() + 3600_000))
  return new Guard({ issuer, audience, keys, revocations, freshness })
}
