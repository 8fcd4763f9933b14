import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { freePort } from '@grantlog/servers'
import type { Database, Ground } from './ground.js'
import type { PeerQuestion } from './peer/main.js'
import { startServer } from './server-process.js'
import type { Target } from './target.js'

const main = join(import.meta.dirname, 'peer/main.js')

/** The leading authorization server for Node. Without a database everything it knows is gone when it ends. */
export async function startOidcProvider(ground: Ground, database?: Database): Promise<Target> {
  const port = await freePort()
  const [jwt, opaque] = ['jwt', 'opaque'].map(id => ({ id, secret: randomBytes(32).toString('base64url') }))
  if (jwt === undefined || opaque === undefined) throw new Error('unreachable')
  const server = await startServer(
    [main],
    {
      PORT: String(port),
      JWT_SECRET: jwt.secret,
      OPAQUE_SECRET: opaque.secret,
      ...(database && { DATABASE_URL: database.url }),
    },
    join(ground.folder, 'oidc-provider.log'),
  )
  return {
    name: database ? 'oidc-provider on Postgres' : 'oidc-provider in memory',
    pids: [server.pid],
    ports: [port],
    database,
    paths: { token: '/token', introspect: '/token/introspection', revoke: '/token/revocation' },
    client: jwt,
    known: opaque, // it keeps no JWT: what it can introspect and revoke is opaque
    async code() {
      const verifier = randomBytes(32).toString('base64url')
      const codeChallenge = createHash('sha256').update(verifier).digest('base64url')
      const code = String(await server.ask({ codeChallenge } satisfies PeerQuestion))
      return { code, verifier }
    },
    stop: () => server.stop(),
  }
}
