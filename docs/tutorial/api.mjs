// An API in one file: it accepts access tokens of Grantlog, and refuses revoked ones.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { recordedEvent, services } from '@grantlog/contracts'
import { EmbeddedTransport } from '@grantlog/eventing'
import { Freshness, Guard, GuardError, RevocationSet, remoteKeys } from '@grantlog/resource-guard'

const { urls, databases } = JSON.parse(readFileSync('.grantlog/installation.json', 'utf8'))

const revocations = new RevocationSet()
const freshness = new Freshness(services)
const guard = new Guard({
  issuer: urls.token,
  audience: 'http://localhost:4010/notes',
  keys: remoteKeys(`${urls.token}/jwks`),
  revocations,
  freshness,
})

// No access token lives longer than an hour: older revocations are on no token that is still good.
const anHourAgo = new Date(Date.now() - 3_610_000)
const logs = Object.fromEntries(services.map(name => [name, databases[name]]))
await new EmbeddedTransport(logs).subscribe({
  name: 'notes',
  topics: ['revocations'],
  begin: () => ({ at: anHourAgo }),
  deliver: async ({ events }) => {
    for (const { event } of events) {
      const recorded = recordedEvent(event)
      if (recorded?.type === 'token.revoked') revocations.apply(recorded.data)
    }
  },
  alive: (source, time) => freshness.alive(source, time),
  trouble: error => console.error(error.message),
})

createServer(async ({ headers }, response) => {
  const answer = (status, more, body) =>
    response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body))
  try {
    const token = await guard.verify({ authorization: headers.authorization }, { scope: ['notes:read'] })
    answer(200, {}, { owner: token.owner, notes: ['Water the plants'] })
  } catch (error) {
    if (error instanceof GuardError) answer(error.status, error.headers, error)
    else answer(500, {}, { error: 'server_error' })
  }
}).listen(4010, () => console.log('http://localhost:4010/notes'))
