import { describe, expect, it } from '@jest/globals'
import { type CodeClaims, codeClaims, type DeviceClaims, deviceClaims } from './code-claims.js'

const claims: CodeClaims = {
  codeId: '0199aa00-0000-7000-8000-0000000000fa',
  grantId: '0199aa00-0000-7000-8000-0000000000f1',
  clientId: 'ledgerly',
  redirectUri: 'https://ledgerly.example/callback',
  redirectUriGiven: true,
  owner: { kind: 'person', id: '0199aa00-0000-7000-8000-0000000000ad' },
  person: '0199aa00-0000-7000-8000-0000000000ad',
  apiId: 'invoices',
  audience: 'https://api.example/invoices',
  scopes: ['invoices:read'],
  codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', // RFC 7636 Appendix B
  accessTokenSeconds: 600,
  issuedAt: 1_767_225_600,
  authTime: 1_767_225_500,
  grantExpiresAt: null,
}

describe('the claims of a sealed code', () => {
  it('come back as they were sealed', () => {
    expect(codeClaims.parse(JSON.parse(JSON.stringify(claims)))).toEqual(claims)
  })

  it('may be of a newer build, with claims that this one does not know', () => {
    expect(codeClaims.parse({ ...claims, newClaim: 1 })).toEqual(claims)
  })

  it.each(Object.keys(claims))('are refused without %s', name => {
    const { [name]: _, ...rest } = claims as Record<string, unknown>
    expect(codeClaims.safeParse(rest).error?.issues[0]?.path).toEqual([name])
  })

  it.each<[string, Record<string, unknown>]>([
    ['a code id that is no UUID', { codeId: 'code' }],
    ['a client_id outside the unreserved characters', { clientId: 'ledger ly' }],
    ['a redirect URI of more than 1024 characters', { redirectUri: `https://a.example/${'x'.repeat(1024)}` }],
    ['a challenge that is no SHA-256 in base64url', { codeChallenge: 'short' }],
    ['an owner of another kind', { owner: { kind: 'robot', id: claims.person } }],
    ['a scope with a space', { scopes: ['invoices:read invoices:write'] }],
    ['a scope with a quotation mark', { scopes: ['invoices:"read"'] }],
    ['a lifetime of nothing', { accessTokenSeconds: 0 }],
    ['a time in fractions of seconds', { issuedAt: 1.5 }],
    ['a time before 1970', { authTime: -1 }],
  ])('are refused with %s', (_, wrong) => {
    expect(codeClaims.safeParse({ ...claims, ...wrong }).success).toBe(false)
  })
})

describe('the claims of a sealed device code', () => {
  const device: DeviceClaims = {
    deviceId: '0199aa00-0000-7000-8000-0000000000fd',
    clientId: 'telly',
    details: [{ type: 'payment', amount: { value: '123.50', currency: 'EUR' } }],
  }

  it('come back as they were sealed, with authorization details or without', () => {
    const { details: _, ...plain } = device
    for (const claims of [device, plain])
      expect(deviceClaims.parse(JSON.parse(JSON.stringify(claims)))).toEqual(claims)
  })

  it.each<[string, Record<string, unknown>]>([
    ['no device id', { deviceId: undefined }],
    ['a device id that is no UUID', { deviceId: 'telly' }],
    ['no client', { clientId: undefined }],
    ['details without a type', { details: [{ amount: 1 }] }],
  ])('are refused with %s', (_, wrong) => {
    expect(deviceClaims.safeParse({ ...device, ...wrong }).success).toBe(false)
  })
})
