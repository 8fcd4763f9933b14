/** What time it is. Tests give their own. */
export class Clock {
  now(): Date {
    return new Date()
  }

  /** Seconds since 1970, whole. */
  seconds(): number {
    return Math.floor(this.now().getTime() / 1000)
  }
}
