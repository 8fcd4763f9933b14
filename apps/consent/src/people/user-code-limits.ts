import { Injectable } from '@nestjs/common'
import { Attempts, attemptKey } from './attempts.js'

/** Wrong user codes per period: of one account, in however many sessions, and from one address (RFC 8628 §5.1). */
const limits = { account: 10, address: 100 } as const

/** How often somebody may try the codes of devices. */
@Injectable()
export class UserCodeLimits {
  constructor(private readonly attempts: Attempts) {}

  /** Counts an attempt. @returns how long to wait, in seconds, when there were too many; else undefined */
  count(accountId: string, address: string): Promise<number | undefined> {
    const [account, shared] = keysOf(accountId, address)
    return this.attempts.count({ [account]: limits.account, [shared]: limits.address })
  }

  /** The code was right. Wrong ones stay counted: a device of one's own must not buy more guesses. */
  succeeded(accountId: string, address: string): Promise<void> {
    return this.attempts.uncount(keysOf(accountId, address))
  }
}

const keysOf = (accountId: string, address: string) =>
  [attemptKey('user code of', accountId), attemptKey('user code from', address)] as const
