import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from '@jest/globals'
import * as oauth from './index.js'

// The steps of README.md: "A token request, from bytes to token".
test('the package carries a token request from its bytes to the token', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const now = 1_800_000_000
  const sealKeys = oauth.parseSealKeys(`k1:${Buffer.alloc(32, 7).toString('base64url')}`)
  const secretKeys = oauth.parseSecretKeys(Buffer.alloc(32, 9).toString('base64url'))
  const secret = oauth.createClientSecret()
  const client = { id: 's6BhdRkqt3', secretHashes: [oauth.hashSecret(secret, secretKeys)] }
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  const sealed = await oauth.sealCode({ codeChallenge: oauth.codeChallengeOf(verifier) }, sealKeys, {
    expiresAt: now + 60,
  })
  const body = `grant_type=authorization_code&code=${sealed}&code_verifier=${verifier}`
  const authorization = `Basic ${btoa(`${client.id}:${secret}`)}`

  const parameters = oauth.parseParameters(body, { maxValueLength: 8192 })
  const credentials = oauth.readClientCredentials({ authorization, parameters })
  expect(oauth.matchesSecret(credentials.secret ?? '', client.secretHashes, secretKeys)).toBe(true)
  const code = await oauth.openCode(parameters.require('code'), sealKeys, { now })
  oauth.verifyCodeVerifier(parameters.require('code_verifier'), String(code.codeChallenge))
  const { kid } = oauth.publicJwk(privateKey, 'ES256')
  const claims = {
    iss: 'https://as.example',
    sub: 'person',
    aud: 'https://api.example',
    client_id: credentials.clientId,
    iat: now,
    exp: now + 300,
    jti: '1',
    scope: 'invoices:read',
  }
  const token = oauth.signAccessToken(claims, { kid, algorithm: 'ES256', privateKey })
  expect(oauth.readAccessTokenHeader(`Bearer ${token}`)?.token).toBe(token)
})
