import { Injectable } from '@nestjs/common'
import { Attempts, attemptKey } from './attempts.js'

/** Failed attempts per period. One guesser is stopped soon; a person whose address others try can still get in. */
const limits = { pair: 10, address: 100, email: 200 } as const

/** How often somebody may try passwords. */
@Injectable()
export class SignInLimits {
  constructor(private readonly attempts: Attempts) {}

  /** Counts an attempt. @returns how long to wait, in seconds, when there were too many; else undefined */
  count(email: string, address: string): Promise<number | undefined> {
    const keys = keysOf(email, address)
    return this.attempts.count({
      [keys.pair]: limits.pair,
      [keys.address]: limits.address,
      [keys.email]: limits.email,
    })
  }

  /** She knew the password: what was counted against her is forgotten, and her address is not charged for it. */
  async succeeded(email: string, address: string): Promise<void> {
    const { pair, email: any, address: shared } = keysOf(email, address)
    await this.attempts.forget([pair, any])
    // the others' failures there stay: one password that she knows must not buy an address more guesses
    await this.attempts.uncount([shared])
  }
}

function keysOf(email: string, address: string) {
  const known = email.toLowerCase()
  return {
    pair: attemptKey('pair', known, address),
    address: attemptKey('address', address),
    email: attemptKey('email', known),
  }
}
