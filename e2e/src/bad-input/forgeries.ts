import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { tampered } from './wire.js'

interface Parts {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
}

/** What an attacker makes of a good access token without the key that signed it. */
export const forgeries: readonly { readonly name: string; readonly forge: (token: string) => string }[] = [
  { name: 'another signature', forge: tampered },
  { name: 'no signature', forge: token => `${token.slice(0, token.lastIndexOf('.'))}.` },
  {
    name: 'another scope under the old signature',
    forge: token => {
      const { header, claims } = read(token)
      const wider = { ...claims, scope: 'invoices:read invoices:write' }
      return `${encode(header)}.${encode(wider)}.${token.split('.').at(-1)}`
    },
  },
  // RFC 9068 §4: 'MUST reject any JWT in which the value of "alg" is "none"'
  { name: 'alg none', forge: token => unsigned(token, { alg: 'none' }) },
  { name: 'alg None, in other letters', forge: token => unsigned(token, { alg: 'NoNe' }) },
  // RFC 8725 §2.1: an algorithm whose secret is what everybody can read
  {
    name: 'alg HS256',
    forge: token => {
      const input = unsigned(token, { alg: 'HS256' }).slice(0, -1)
      const kid = String(read(token).header.kid)
      return `${input}.${createHmac('sha256', kid).update(input).digest('base64url')}`
    },
  },
  { name: 'the key of somebody else under the issuer’s kid', forge: token => resigned(token, {}) },
  { name: 'an unknown kid', forge: token => resigned(token, { kid: 'unknown' }) },
  { name: 'no kid', forge: token => resigned(token, { kid: undefined }) },
  { name: 'a key that the token brings with it', forge: token => resigned(token, { jwk: publicJwk() }) },
  { name: 'typ JWT', forge: token => resigned(token, { typ: 'JWT' }) },
]

const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function publicJwk(): object {
  return { ...attacker.publicKey.export({ format: 'jwk' }), alg: 'ES256' }
}

function resigned(token: string, change: Record<string, unknown>): string {
  const { header, claims } = read(token)
  const input = `${encode({ ...header, ...change })}.${encode(claims)}`
  const key = { key: attacker.privateKey, dsaEncoding: 'ieee-p1363' } as const
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

function unsigned(token: string, change: Record<string, unknown>): string {
  const { header, claims } = read(token)
  return `${encode({ ...header, ...change })}.${encode(claims)}.`
}

function read(token: string): Parts {
  const [header, claims] = token
    .split('.')
    .slice(0, 2)
    .map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>)
  if (header === undefined || claims === undefined) throw new Error('That is no JWT')
  return { header, claims }
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
