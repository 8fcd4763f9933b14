import { generateKeyPairSync } from 'node:crypto'
import { signAccessToken } from '@grantlog/oauth'
import { expect, it } from '@jest/globals'
import { verifiedTokens } from './verified-tokens.js'

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const claims = {
  iss: 'https://auth.example',
  sub: 'a',
  aud: 'https://api.example',
  client_id: 'c',
  iat: 1,
  exp: 2,
  jti: '0199aa00-0000-7000-8000-0000000000a1',
  scope: 's',
}

/** Keys that count how often the kid is looked up, and can be taken away. */
function aKey() {
  const { privateKey, publicKey } = pair()
  const keys = new Map([['k', { algorithm: 'ES256' as const, publicKey }]])
  const tokens = verifiedTokens(async kid => keys.get(kid))
  const token = signAccessToken(claims, { kid: 'k', algorithm: 'ES256', privateKey })
  return { keys, tokens, token, privateKey }
}

it('a token that was verified is opened again without its signature being verified, or its claims being read', async () => {
  const { tokens, token } = aKey()
  const opened = await tokens.open(token)
  expect(opened).toEqual({ ...claims, kid: 'k' })
  expect(await tokens.open(token)).toBe(opened)
})

it('a token whose key is gone, or is another one now, is none of ours any more', async () => {
  const { keys, tokens, token } = aKey()
  await tokens.open(token)
  keys.set('k', { algorithm: 'ES256', publicKey: pair().publicKey })
  expect(await tokens.open(token)).toBeUndefined()
  keys.clear()
  expect(await tokens.open(token)).toBeUndefined()
})

it('what is signed but says not what an access token says is none of ours', async () => {
  const { tokens, privateKey } = aKey()
  const signed = (said: object) =>
    signAccessToken({ ...claims, ...said }, { kid: 'k', algorithm: 'ES256', privateKey })
  expect(await tokens.open(signed({}))).toBeDefined()
  expect(await tokens.open(signed({ jti: 'no uuid' }))).toBeUndefined()
  expect(await tokens.open(signed({ act: { sub: 'b', act: { act: {} } } }))).toBeUndefined()
})

it('nothing but the very token is taken for it', async () => {
  const { tokens, token } = aKey()
  await tokens.open(token)
  const [header, , signature] = token.split('.')
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'b' })).toString('base64url')
  for (const other of [`${header}.${forged}.${signature}`, `${token} `, token.slice(0, -1), ''])
    expect(await tokens.open(other)).toBeUndefined()
})
