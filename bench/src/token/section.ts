import type { Figure, Machine } from '../benchmark.js'
import { markdownTable } from '../table.js'
import { processes, rounds, seconds, warmSeconds } from './side-by-side.js'

/** The token service’s part of the page that publishes the figures. */
export function tokenSection(figures: readonly Figure[], machine: Machine): string {
  const groups = Object.entries(Object.groupBy(figures, ({ group = '' }) => group))
  const tables = groups.map(([group, some]) => `### ${group}\n\n${markdownTable(some ?? [])}`)
  return `## The token service

Beside [oidc-provider](https://github.com/panva/node-oidc-provider), the leading authorization server for Node: once with all it knows in memory,
where nothing survives its end, and once on Postgres, with a plain adapter after the template in its documentation. Grantlog appends an event for
everything that it issues, rotates and revokes, and answers when Postgres has it on disk.

${tables.join('\n\n')}

Measured on ${machine.cpu}, ${machine.memory}, ${machine.system}, Node ${machine.node}. Each figure is the median of ${rounds} rounds of ${seconds} s in each
of ${processes} processes, which have done the same for ${warmSeconds} seconds before. In a round the servers take turns, in all orders one after the other.

- **Cores**: every service and Postgres share one core, what asks them has the other. Only one server is asked at a time;
  the others idle beside it, Grantlog with its look at the log every now and then.
- **The same work**: ES256, JWTs that live an hour, no ID token, \`client_secret_basic\`, keep-alive connections with one request in flight each.
  The service runs as in production: its read models are kept, each request has a line in the log, and Node has the options that it has in the
  images and under \`npm start\`. oidc-provider runs as its documentation starts it.
- **Postgres** is durable (\`fsync=on\`, \`synchronous_commit=on\`), one server for both, a database each.
- **Codes** are made beside what is measured, as the authorization endpoint of either would have made them.
- **Introspection, revocation**: of JWTs at Grantlog; of opaque access tokens at oidc-provider, which knows no JWT once it is issued. Only the
  revocation on Postgres is compared: what is revoked in memory was never kept.
- **oidc-provider stores nothing** for a JWT of the client credentials grant, on Postgres neither.
- **What made it faster**, after profiles: clients and APIs are kept in memory until they change
  ([ADR 0020](../adr/0020-the-registry-is-kept-in-memory.md)), so that a client credentials token is one statement; what arrives together is read
  together and shares a commit, while each turn of the event loop brings more; statements over arrays are planned once (Postgres would plan them anew
  each time, for longer than they run), and their values are sent in binary; ids begin with the time, so that new rows stand side by side in
  the indexes; a token that is asked about again is verified once; ECDSA signatures are taken from DER, which costs half of what Node's
  own conversion does; lines of the log are written more than a hundred at a time (a write costs as much
  as dozens of lines); what comes and goes with each request is in no map that lives on (each table that one outgrows points to the next: once one is among
  V8’s old objects, all that was in those after it stays until the whole heap is looked through, which was three times out of four for that); the heap is looked through
  when it has doubled, where Node would do so every second; what an append sent to Postgres is not kept among the old objects (a function that is set
  as a property is made there, and keeps what it refers to), nor does V8 make other objects of a request there: of four collections of
  the whole heap three are gone, and those of the young are half as many; Node’s own code and its C library’s memory are on large pages; an index fewer; followers of the log sleep through what they do not want, and are told of what comes again and again once in ten milliseconds (Postgres wakes all of them at each commit that tells, before it answers); the headers
  of CORS are set once (Nest sets them on Node's response as well, which then writes every header the slow way: a tenth of a client credentials
  token); events are made in the order of their canonical form; a refresh is one event ([ADR 0026](../adr/0026-a-refresh-is-one-event.md)), which took a
  tenth of its processor time; an append numbers its own events ([ADR 0027](../adr/0027-an-append-numbers-its-events.md)), another tenth; a
  token is signed while the database stores its event, so that up to 128 events share one commit before a second one goes beside it (what a commit
  costs whatever is in it is what two dozen appends cost: at 64 connections a tenth); an append sorts nothing, joins nothing and has only the steps
  that its batch needs; those who follow a log share the question for its end; whether something was revoked is looked up by
  the append that stores its tokens ([ADR 0028](../adr/0028-a-revocation-bars-the-append.md)), where a statement before it took a twentieth of a refresh at
  16 connections; ids and what is sent to Postgres are written without making anything on the way, for all that a request makes goes through the
  caches that Postgres shares; an HMAC is two one-shot hashes, for Node's object of each has memory outside of the heap (a twentieth of a
  refresh); the state of a stream that its process remembers is stored with every eighth version
  ([ADR 0029](../adr/0029-a-remembered-state-is-stored-now-and-then.md)), for each kilobyte that is sent goes through those caches half a dozen times (another
  twentieth); what is known at once is not waited for; one thread collects the young. Without success: JSON or a statement per batch size in place of arrays, copies in order for canonical JSON, client secrets that
  are hashed once, signing when the database has said that it begins, or that it has only the disk to wait for.
- **Refresh beside memory**: of what a refresh costs here, about a quarter is Postgres on the same core, which the server in memory does not have. At
  16 connections all of them wait for the same commit, 16 refreshes at a time, and neither side has anything left to share; in
  about half of the commits the core then waits for the disk, some per cent of the time. And two programs take turns on the core for every sixteen: each
  finds its code and data gone from the core's own cache. So 16 connections depend on who else uses the cache behind it, which this machine shares. Two runs of
  one day, before remembered states were stored with every eighth version only, had 1.34× and, within the hour, 1.07×, with 139 and 216 µs of processor time
  for a refresh; two runs later that day, with it, had 1.34× and 1.32×. In the slowest stretch that was seen since, where a refresh took 214 µs, it was still 1.07× at 16
  connections. The server in memory, which has the core for itself, loses a fifth there. By profiles of
  a fast and a slow stretch, what only computes (a signature) takes as long in both, what reads memory (Postgres's hash tables) twice as long.
- **A family that a process refreshed last is remembered** ([ADR 0024](../adr/0024-the-last-states-are-remembered.md)): the refreshes above, of one family per
  connection, read none, and store the state of every eighth; those of a thousand families or a million in turns read each, and store it each time.
- **A crowd** of 256 connections refreshes 256 families in turns, of which a process remembers none by the time that they come back. So it is compared with 64
  connections that do the same; and without a bound with 64 connections that have a family each, for which nothing is read.
- **A million families** are copies of a real one, its deadline included, with ids of their own; each refresh is the first of its family since the start. Both stores
  are vacuumed and analyzed once they are filled, before they are measured. Both are read again at each refresh.
  Each of a million is far from the one before, in indexes and pages that no cache of the processor holds, and the first on its page that changes
  after a checkpoint, so that Postgres logs the page whole. Compressing those pages, not logging them whole, or 4 GB of shared
  buffers made no difference that could be told from noise. Four runs of one day
  had 0.95×, 0.922×, 0.916× and 0.87×, the last where others used the machine's caches.
`
}

/** What two requests at once lead to. */
export function racesSection(figures: readonly Figure[]): string {
  return `## Races

Twenty trials each, the same requests in the same order to each server; how often it went wrong.

${markdownTable(figures)}

A confidential client’s refresh that comes again is answered with the same successor for a short time
([ADR 0011](../adr/0011-a-refresh-can-be-repeated.md)), 60 s by default, 2 s here. What comes later is taken for theft, and ends the family.
`
}

/** Where the time goes. */
export function profileSection(figures: readonly Figure[]): string {
  const groups = Object.entries(Object.groupBy(figures, ({ group = '' }) => group))
  const tables = groups.map(([group, some]) => `### ${group}\n\n${markdownTable(some ?? [])}`)
  return `## Where the token service’s time goes\n\nSelf time while 64 connections ask, by package; what has no package are system calls, as \`writev\`, in whose time Postgres may run\non the same core. \`PROFILE_DIR=FOLDER npm run bench -- profile\` keeps the profiles, for the developer tools of a browser.\n\n${tables.join('\n\n')}\n`
}
