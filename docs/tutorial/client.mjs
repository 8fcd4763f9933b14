// A client in one file, on openid-client: it asks, redeems the code, and reads until it is refused.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import * as client from 'openid-client'

const api = 'http://localhost:4010/notes'
const redirectUri = 'http://127.0.0.1:4011/callback'
const config = await client.discovery(
  new URL('http://localhost:4003'),
  'notes-app',
  undefined,
  client.None(),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }, // http, because it is this machine
)

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const question = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: 'notes:read',
  resource: api,
  state,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
console.log(`Open ${question.href}\n`)

const server = createServer().listen(4011, '127.0.0.1')
const [request, response] = await once(server, 'request')
response.writeHead(200, { connection: 'close' }).end('Done: go back to the terminal.')
server.close()

const tokens = await client.authorizationCodeGrant(config, new URL(request.url, redirectUri), {
  pkceCodeVerifier: verifier,
  expectedState: state,
})
console.log(`token: ${tokens.expires_in} s, scope ${tokens.scope}`)

for (let status = 200; status === 200; await wait(2000)) {
  const answer = await fetch(api, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  status = answer.status
  console.log(`${status} ${await answer.text()}`)
}
