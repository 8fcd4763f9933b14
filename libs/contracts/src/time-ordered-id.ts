import { randomUUID } from 'node:crypto'

/**
 * A UUID of version 7 (RFC 9562 §5.7): it begins with the millisecond, and 74 of its bits are random. Rows that are stored one after
 * the other then stand side by side in the index of their ids, however many there are already.
 */
export function timeOrderedId(): string {
  const now = Date.now()
  if (now !== last) {
    const time = now.toString(16).padStart(12, '0')
    last = now
    beginning = `${time.slice(0, 8)}-${time.slice(8)}-7`
  }
  return beginning + randomUUID().slice(15)
}

/** Of the millisecond that was the last to be asked for. */
let beginning = ''
let last = Number.NaN
