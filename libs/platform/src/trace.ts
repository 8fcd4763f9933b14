import { AsyncLocalStorage } from 'node:async_hooks'
import { randomFillSync } from 'node:crypto'

/** W3C trace context of the request that is being handled. */
export interface Trace {
  readonly traceId: string
  readonly traceparent: string
}

const storage = new AsyncLocalStorage<Trace>()

export function currentTrace(): Trace | undefined {
  return storage.getStore()
}

/** Goes on with the caller's trace, or begins one. @see W3C Trace Context §3.2 */
export function traceOf(traceparent: string | undefined): Trace {
  const [, given] = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent ?? '') ?? []
  const digits = randomHex()
  const traceId = given !== undefined && !/^0+$/.test(given) ? given : digits.slice(0, 32)
  return { traceId, traceparent: `00-${traceId}-${digits.slice(32)}-01` }
}

const bytesOfTrace = 24
const random = Buffer.alloc(128 * bytesOfTrace)
let drawn = random.length

/** 48 random digits, of a store: fetched from the generator one by one, they cost as much as the rest of the trace. */
function randomHex(): string {
  if (drawn === random.length) {
    randomFillSync(random)
    drawn = 0
  }
  drawn += bytesOfTrace
  return random.toString('hex', drawn - bytesOfTrace, drawn)
}

export function withinTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work)
}
