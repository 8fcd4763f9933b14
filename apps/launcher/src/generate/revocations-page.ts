import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../installation.js'

const folder = 'e2e/src/revocation'
const way = /target: '([a-z]+)',\s+reason: '([a-z-]+)',\s+how: '([^']+)'/g
const channels = /channelNames = \[([^\]]+)\]/

/** The page that says who can revoke what, and who is tested to hear of it: from the table that the test goes through. */
export function revocationsPage(): string {
  const read = (file: string) => readFileSync(join(root, folder, file), 'utf8')
  const ways = [...read('ways.ts').matchAll(way)].map(([, target, reason, how]) => ({ target, reason, how }))
  const names = channels
    .exec(read('channels.ts'))?.[1]
    ?.split(',')
    .map(name => name.replaceAll("'", '').trim())
  if (ways.length === 0 || names === undefined)
    throw new Error(`${folder} does not say which ways and channels there are`)
  const row = (cells: readonly unknown[]) => `| ${cells.join(' | ')} |`
  return `# Revocations

<!-- Generated from the tests by \`npm run generate -w @grantlog/launcher\`. Do not edit. -->

Every way to revoke, and every way to hear of it. Each ✓ is a test against running services: tokens that the target covers are good
everywhere, then they are revoked, and everybody refuses them; somebody else’s token stays good; and the feed has one event that says so. The clock of
the token service is five seconds ahead of the others (embedded), or behind them (Kafka).

${[
  row(['target', '`reason`', 'how', ...names]),
  row(['target', 'reason', 'how', ...names].map(() => '---')),
  ...ways.map(({ target, reason, how }) =>
    row([`\`${target}\``, `\`${reason}\``, how, ...names.map(() => '✓')]),
  ),
].join('\n')}

- **Kafka**, **embedded**: an API that follows the log of the services, as the sample API does.
- **HTTP feed**: an API that follows \`GET /revocations\` ([Consume revocations](../how-to/consume-revocations.md#over-http)).
- **introspection**: \`POST /introspect\`, at each instance of the token service.

What each target covers stands in [Consume revocations](../how-to/consume-revocations.md).
`
}
