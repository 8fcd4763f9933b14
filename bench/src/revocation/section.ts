import type { Figure, Machine } from '../benchmark.js'
import { markdownTable } from '../table.js'

/** What the page says of revocations. */
export function revocationSection(figures: readonly Figure[], machine: Machine): string {
  const groups = Object.entries(Object.groupBy(figures, ({ group = '' }) => group))
  const tables = groups.map(([group, some]) => `### ${group}\n\n${markdownTable(some ?? [])}`)
  return `## Revoked → denied

From the answer to \`/revoke\` until a resource server’s first 401 to that token: a thousand tokens, one after the other, while the same
resource server answers 500 other requests per second.

${tables.join('\n\n')}

Measured on ${machine.cpu}, ${machine.memory}, ${machine.system}, Node ${machine.node}. Postgres, Kafka, all services and what asks them share it.

- **Kafka**: the sample API, as \`npm run start:kafka\` runs it. **HTTP feed**: a plain Node server with the guard, that follows \`GET /revocations\`.
- The token is asked about every millisecond; each is asked about once more at the end.
- **Beside: introspection**, which is what a resource server does that wants to be as fresh: 500 requests per second of a hundred tokens, each about
  five times a second, so that no answer that is younger than the p99 above could be used twice. Over the feed it asks nothing: a connection is open, on
  which something is said every second.
`
}
