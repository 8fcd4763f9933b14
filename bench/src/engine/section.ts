import type { Figure, Machine } from '../benchmark.js'
import { markdownTable } from '../table.js'
import { rounds } from './rounds.js'

/** The event engine’s part of the page that publishes the figures. */
export function engineSection(figures: readonly Figure[], machine: Machine): string {
  return `## The event engine

What it does on one machine, each step beside what the machine allows: the same work by the plainest means, measured in the same run,
in turns. Ratios carry over to other machines; rates do not.

${markdownTable(figures)}

Measured on ${machine.cpu}, ${machine.memory}, ${machine.system}, Node ${machine.node}. Postgres, Kafka and the benchmark share it; Postgres is
durable (\`fsync=on\`, \`synchronous_commit=on\`). Each figure is the median of ${rounds} rounds; idle time and storage are measured once.

### What is measured, and beside what

- **Commands stored**: 64 commands at a time, each on a stream of its own: the stream’s folded state is read, one event is
  decided, checked and appended, the state after it is stored with it. Beside it: the same event’s columns by a prepared \`INSERT\` into a table
  whose only index is its primary key, a transaction each, on 64 connections.
- **One append**: one at a time. Beside it: the same \`INSERT\` on one connection.
- **A stream of 100,000 events**: its state is stored beside it, so that its length does not matter. Beside it: 10 events.
- **Store → Kafka**: from the log, in batches, one in flight, all replicas acknowledging, the cursor saved after each. Beside it: the
  client library alone (kafkajs) sends the very same batches, made beforehand.
- **Kafka → read model**: every event writes a row; each batch is one transaction with its checkpoint. Beside it: the same rows by
  \`INSERT … SELECT FROM unnest(…) ON CONFLICT\`, as many per statement, on one connection.
- **Rebuild**: a read model from the log’s first event, without a broker, while it serves: folded, and written into a table beside it;
  then compared with a second replay, and put in its place. Beside the first half: reading the log in order with all facts parsed, and nothing done with them.
- **Commit → visible**: from the moment the append is acknowledged in one service until the transaction that writes the row into another
  service’s read model is committed.
- **Store**: the tables \`events\` and \`streams\` with their indexes; ten events to a stream, about 700 bytes each on the wire.
- **Idle**: processor time of the token service’s process over ten seconds in which nothing happens.

\`npm run bench -- engine\` takes some minutes and starts a Postgres and a Kafka of its own (Java 17 and Maven).
`
}
