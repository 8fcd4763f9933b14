import { randomUUID } from 'node:crypto'

/**
 * A UUID of version 7 (RFC 9562 §5.7): it begins with the millisecond, and 74 of its bits are random. Rows that are stored one after
 * the other then stand side by side in the index of their ids, however many there are already.
 */
export function timeOrderedId(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
