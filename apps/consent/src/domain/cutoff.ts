import type { EventData, Fact } from '@grantlog/contracts'
import type { Owner } from './owner.js'

type Revocation = EventData<'token.revoked'>

/** Why something is revoked, and what an operator said of it. */
export type Why = Pick<Revocation, 'reason' | 'note'>

/** Ends at once all that was granted by an owner and issued until then, in seconds: however much it is, it is one event. */
export interface CutOff {
  readonly cutoff: number
  readonly why: Why
  /** Id of the event, in the same append, that it follows from. */
  readonly cause?: string
}

/** @param before the cutoff that the owner has; nothing happens where the new one reaches no further */
export function cutOff(
  owner: Owner,
  { cutoff, why, cause }: CutOff,
  before: number,
): Fact<'token.revoked'>[] {
  if (cutoff <= before) return []
  const kind = owner.kind === 'person' ? 'owner' : owner.kind
  return [
    {
      type: 'token.revoked',
      data: { target: { kind, id: owner.id }, issuedBefore: cutoff, ...why, cause: cause ?? null },
    },
  ]
}

/** The cutoff after a revocation. */
export function later(before: number, { issuedBefore }: Revocation): number {
  return Math.max(before, issuedBefore ?? before)
}
