import type { Figure, Machine } from '../benchmark.js'
import { markdownTable } from '../table.js'
import { rounds } from './throughput.js'

/** The guard’s part of the page that publishes the figures. */
export function guardSection(figures: readonly Figure[], machine: Machine): string {
  return `## The guard

What \`@grantlog/resource-guard\` costs a resource server, beside \`jwtVerify\` of [jose](https://github.com/panva/jose) alone, which knows no
revocation, no staleness, no sender and no scope.

${markdownTable(figures)}

Measured on ${machine.cpu}, ${machine.memory}, ${machine.system}, Node ${machine.node}. Rates are tokens per second of processor time, of all threads of the
process; both verify the same ES256 tokens, in turns, and shown is that one of ${rounds} rounds whose ratio is the median.

- **Tokens never seen before**: each comes once, to a guard with its defaults and a thousand revocations. A token whose header is what our issuer writes, to
  the letter, is verified by Node’s own \`crypto\`, on the same thread; every other one, and every refusal, is jose’s.
- **Tokens that come again**: a hundred, over and over. Revocation, staleness, sender, time and scope are decided each time.
- **Memory** is what the heap holds more once it is collected, divided by what is remembered: an hour of revocations, a family each; tokens after
  a person’s consent. A guard remembers 10,000 tokens by default.
- **A look-up** is everything that is asked about one token: every name by which it can be revoked.
`
}
