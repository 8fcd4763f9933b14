import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'
import {
  clockSkewSeconds,
  type KeyPlan,
  type KeySequence,
  mayStillSign,
  retiresAt,
  type SequenceKey,
  successorIsDue,
} from './key-schedule.js'

/** A key that was made and is not announced yet. */
export type NewKey = Pick<EventData<'key.announced'>, 'keyId' | 'algorithm' | 'jwk'>

export interface SigningKeysState {
  readonly keys: KeySequence
}

interface Moment {
  /** Seconds. */
  readonly now: number
  readonly plan: KeyPlan
}

/** What time alone brings: announcements, activations, retirements. `next` is the key to announce if one is due. */
export interface Advance extends Moment {
  readonly type: 'advance'
  readonly next: NewKey | null
}

/** The operator wants another key before its time. */
export interface Rotate extends Moment {
  readonly type: 'rotate'
  readonly next: NewKey
}

/** Somebody else may have the key. */
export interface Compromise extends Moment {
  readonly type: 'compromise'
  readonly keyId: string
  readonly reason: string | null
  /** Signs from now on, if the key was the one that signed. */
  readonly replacement: NewKey
  readonly causeId: string
}

export type SigningKeysEvent =
  | Fact<'key.announced' | 'key.activated' | 'key.retired' | 'token.revoked'>
  | (Fact<'key.compromised'> & { readonly id: string })

/**
 * The keys of one algorithm; the stream is named by it. Whichever instance is first appends what is due, and the others find it done:
 * which key signs is not decided here, but follows from the announcements (key-schedule.ts).
 */
export const signingKeys: Decider<Advance | Rotate | Compromise, SigningKeysEvent, SigningKeysState> = {
  category: 'key',
  initial: { keys: [] },

  decide(command, state) {
    switch (command.type) {
      case 'advance':
        return advance(command, state)
      case 'rotate':
        return rotate(command, state)
      case 'compromise':
        return compromise(command, state)
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'key.announced':
        return { keys: inserted(state.keys, { ...event.data, activated: false }) }
      case 'key.activated':
        return {
          keys: state.keys.map(key => (key.keyId === event.data.keyId ? { ...key, activated: true } : key)),
        }
      case 'key.retired':
      case 'key.compromised':
        return { keys: without(state.keys, event.data.keyId) }
      case 'token.revoked':
        return state
    }
  },
}

function advance({ now, plan, next }: Advance, { keys }: SigningKeysState): SigningKeysEvent[] {
  const announcement =
    next !== null && successorIsDue(keys, now, plan) ? [announced(next, keys, now, plan)] : []
  const known = announcement.reduce(signingKeys.evolve, { keys }).keys
  return [
    ...announcement,
    ...known.filter(key => !key.activated && key.activeFrom <= now).map(activated),
    ...known.filter(key => (retiresAt(known, key) ?? now + 1) <= now).map(retired),
  ]
}

/** The first key signs at once. Any other is known for as long as is planned before it takes over, be it late. */
function announced(next: NewKey, keys: KeySequence, now: number, plan: KeyPlan): Fact<'key.announced'> {
  const last = keys.at(-1)
  const from = last === undefined ? now : Math.max(last.activeUntil, now + plan.announceSeconds)
  return announcement(next, from, from + plan.activeSeconds)
}

function rotate({ now, plan, next }: Rotate, { keys }: SigningKeysState): SigningKeysEvent[] {
  const last = keys.at(-1)
  if (last === undefined) return advance({ type: 'advance', now, plan, next }, { keys })
  if (last.activeFrom > now) return []
  const from = now + plan.announceSeconds
  return [announcement(next, from, from + plan.activeSeconds)]
}

function compromise(command: Compromise, { keys }: SigningKeysState): SigningKeysEvent[] {
  const { keyId, reason, causeId } = command
  const key = keys.find(known => known.keyId === keyId)
  if (key === undefined) return []
  return [
    { type: 'key.compromised', id: causeId, data: { keyId, algorithm: key.algorithm, reason } },
    {
      type: 'token.revoked',
      data: {
        target: { kind: 'key', id: keyId },
        issuedBefore: null,
        reason: 'key-compromised',
        cause: causeId,
      },
    },
    ...(signsAbout(keys, key, command.now) ? replacement(command, keys) : []),
  ]
}

/** Whether an instance may take it for the key that signs, whatever its clock says. */
function signsAbout(keys: KeySequence, key: SequenceKey, now: number): boolean {
  return mayStillSign(keys, now).includes(key) && key.activeFrom <= now + clockSkewSeconds
}

/**
 * Nobody could know it before: it signs at once, on every instance whatever its clock says, until the one takes over that is announced
 * already.
 */
function replacement({ keyId, now, plan, replacement }: Compromise, keys: KeySequence): SigningKeysEvent[] {
  const from = now - clockSkewSeconds
  const next = keys.find(known => known.keyId !== keyId && known.activeFrom > from)
  const until = Math.min(now + plan.activeSeconds, next?.activeFrom ?? Number.POSITIVE_INFINITY)
  return [announcement(replacement, from, until), activated(replacement)]
}

function announcement(key: NewKey, activeFrom: number, activeUntil: number): Fact<'key.announced'> {
  return { type: 'key.announced', data: { ...key, activeFrom, activeUntil } }
}

const activated = ({ keyId, algorithm }: NewKey): SigningKeysEvent => ({
  type: 'key.activated',
  data: { keyId, algorithm },
})
const retired = ({ keyId, algorithm }: NewKey): SigningKeysEvent => ({
  type: 'key.retired',
  data: { keyId, algorithm },
})

function inserted(keys: KeySequence, key: SequenceKey): KeySequence {
  const after = keys.findIndex(({ activeFrom }) => activeFrom > key.activeFrom)
  return after < 0 ? [...keys, key] : keys.toSpliced(after, 0, key)
}

const without = (keys: KeySequence, keyId: string) => keys.filter(key => key.keyId !== keyId)
