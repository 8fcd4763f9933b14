import { generateKeyPairSync } from 'node:crypto'
import { canonicalJson } from '@grantlog/contracts'
import { expect, it } from '@jest/globals'
import { issue } from './issuance.js'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const least = {
  issuer: 'https://auth.example',
  key: { kid: 'k', algorithm: 'ES256', privateKey },
  now: 1000,
  lifetimeSeconds: 600,
  grantType: 'client_credentials',
  clientId: 'ledgerly',
  subject: 'ledgerly',
  audience: 'https://api.example/invoices',
  scopes: ['invoices:read'],
  boundTo: undefined,
} as const

// else the engine could not write it, and it would cost several times as much (canonicalJson)
it.each([
  ['with the least in it', least],
  [
    'with all in it',
    {
      ...least,
      boundTo: { kind: 'dpop', thumbprint: 't' },
      assertedBy: 'https://idp.example',
      family: {
        familyId: 'f',
        grantId: 'g',
        grantExpiresAt: null,
        familyExpiresAt: 9000,
        organizationId: undefined,
        authTime: 900,
      },
      exchange: { subjectTokenId: 's', actorTokenId: null, act: undefined, lineage: [] },
    },
  ],
] as const)('a token’s event is made in canonical order, %s', (_, request) => {
  const { facts } = issue(request)
  expect(JSON.stringify(facts)).toBe(canonicalJson(facts))
})
