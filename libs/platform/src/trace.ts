import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'

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
  const traceId = given !== undefined && !/^0+$/.test(given) ? given : randomHex()
  return { traceId, traceparent: `00-${traceId}-${randomHex().slice(0, 16)}-01` }
}

/** 32 digits, never all zero: UUIDs are drawn from a store of random bytes, where others are fetched from the kernel one by one. */
const randomHex = () => randomUUID().replaceAll('-', '')

export function withinTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work)
}
