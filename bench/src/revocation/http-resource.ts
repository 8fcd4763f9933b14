import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  Freshness,
  followRevocations,
  Guard,
  GuardError,
  RevocationSet,
  remoteKeys,
} from '@grantlog/resource-guard'

/** A resource server as a team without Kafka writes it: the guard, fed over HTTP. It tells its port once it is ready. */
export interface HttpResourceSettings {
  readonly issuer: string
  readonly audience: string
  readonly client: { readonly id: string; readonly secret: string }
}

const { issuer, audience, client } = JSON.parse(process.argv[2] ?? '') as HttpResourceSettings

const revocations = new RevocationSet()
const freshness = new Freshness(['clients', 'consent', 'token'])
followRevocations({ url: `${issuer}/revocations`, accessToken, revocations, freshness })
const guard = new Guard({
  issuer,
  audience,
  keys: remoteKeys(`${issuer}/jwks`),
  revocations,
  freshness,
})

const server = createServer((request, response) => {
  guard
    .verify({
      authorization: request.headers.authorization,
      method: request.method ?? '',
      path: request.url ?? '',
    })
    .then(
      () => response.writeHead(200, { 'content-length': 2 }).end('ok'),
      (error: unknown) => {
        const status = error instanceof GuardError ? error.status : 500
        response.writeHead(status, { 'content-length': 2 }).end('no')
      },
    )
})
while (!freshness.complete) await new Promise(resolve => setTimeout(resolve, 20))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port)
process.once('disconnect', () => process.exit())

async function accessToken(): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: 'urn:grantlog:platform',
      scope: 'revocations:read',
    }),
  })
  if (!response.ok) throw new Error(`${issuer}/token answers ${response.status}`)
  return ((await response.json()) as { access_token: string }).access_token
}
