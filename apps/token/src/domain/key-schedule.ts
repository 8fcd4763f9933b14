import type { EventData } from '@grantlog/contracts'

/** A signing key as it was announced, and whether the log says already that it signs. Times are seconds. */
export interface SequenceKey extends EventData<'key.announced'> {
  readonly activated: boolean
}

/** The keys of one algorithm that still count, in the order in which they sign. */
export type KeySequence = readonly SequenceKey[]

/** How long a key is announced before it signs, and how long it signs. */
export interface KeyPlan {
  readonly announceSeconds: number
  readonly activeSeconds: number
}

/** The clocks of two instances differ by less. */
export const clockSkewSeconds = 60
/** No access token lives longer: the registration of an API sees to it. */
const longestTokenSeconds = 3600
/** So long after its successor began, no token of a key is good: by the clocks of who signed it, and of who made the successor. */
export const lingerSeconds = longestTokenSeconds + 2 * clockSkewSeconds

/**
 * The key that signs: whoever knows the announcements and the time says the same. Before the first one’s time, which another
 * instance’s clock has set, the first one does.
 */
export function signingKeyAt(keys: KeySequence, now: number): SequenceKey | undefined {
  return keys.findLast(({ activeFrom }) => activeFrom <= now) ?? keys[0]
}

/** Those that may sign, now or later, on whatever instance: their private halves are needed. */
export function mayStillSign(keys: KeySequence, now: number): KeySequence {
  const oldest = signingKeyAt(keys, now - clockSkewSeconds)
  return oldest === undefined ? [] : keys.slice(keys.indexOf(oldest))
}

/** From when no token can be good that the key signed; undefined while nothing is to replace it. */
export function retiresAt(keys: KeySequence, key: SequenceKey): number | undefined {
  const successor = keys[keys.indexOf(key) + 1]
  return successor && successor.activeFrom + lingerSeconds
}

/** Whether it is time to announce the next key. */
export function successorIsDue(keys: KeySequence, now: number, plan: KeyPlan): boolean {
  const last = keys.at(-1)
  return last === undefined || (last.activeFrom <= now && last.activeUntil - plan.announceSeconds <= now)
}
