import type { AccessToken } from './client-token.js'
import type { Freshness } from './freshness.js'
import type { RevocationSet } from './revocation-set.js'

export interface ReportOptions {
  /** Of the consent service: `https://auth.example.com/positions`. */
  readonly url: string
  /** An access token with the scope `revocations:read`, asked for at each report. Where one was refused, another one: see `clientToken`. */
  readonly accessToken: AccessToken
  /** This resource server’s name, as it is registered: the guard’s `audience`. */
  readonly resource: string
  /** Of this process, and no other: 64 characters at most. Default: a random one. */
  readonly instance?: string
  readonly revocations: RevocationSet
  readonly freshness: Freshness
  /** Default 5. */
  readonly everySeconds?: number
  /** Hears of how each report ended, to count it. */
  readonly ended?: (outcome: ReportOutcome) => void
  /** Hears of what goes wrong, once until a report is accepted again. It is tried again, after 0.25 to 5 seconds. */
  readonly trouble?: (error: unknown) => void
}

export const reportOutcomes = ['accepted', 'failed'] as const
export type ReportOutcome = (typeof reportOutcomes)[number]

export interface Reports {
  /** Seconds since a report was accepted; null: none was. */
  readonly reportedSeconds: number | null
  /** Ends the one that is under way, makes no other, and takes back what was reported: this process counts no more. */
  stop(): Promise<void>
}

const tickMilliseconds = 250
const timeoutMilliseconds = 3000
const goodbyeMilliseconds = 1000
const longestPauseMilliseconds = 5000
/** For how long after a revocation, and how often, it is told how far the feed has come: until others can know that it was applied. */
const afterRevocation = { milliseconds: 3000, every: 1000 }

/**
 * Reports how far the revocations have been applied here, from whatever source they come: within a quarter of a second when some were, and
 * every few seconds. Nothing waits for it, and no failure of it disturbs the guard. It keeps no process alive.
 */
export function reportPositions(options: ReportOptions): Reports {
  const reporter = new Reporter(options)
  const timer = setInterval(() => reporter.tick(), tickMilliseconds).unref()
  return {
    get reportedSeconds() {
      return reporter.reportedSeconds
    },
    async stop() {
      clearInterval(timer)
      await reporter.stop()
    },
  }
}

/** Times are milliseconds of a clock that never goes back. */
class Reporter {
  readonly #instance: string
  readonly #stopping = new AbortController()
  #underWay: Promise<void> | undefined
  #acceptedAt = Number.NEGATIVE_INFINITY
  /** How many revocations the last accepted report had heard of, and when there were new ones. */
  #toldOf = 0
  #seen = 0
  #revokedAt = Number.NEGATIVE_INFINITY
  #pause = 0
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(private readonly options: ReportOptions) {
    this.#instance = options.instance ?? crypto.randomUUID()
  }

  get reportedSeconds(): number | null {
    if (!Number.isFinite(this.#acceptedAt)) return null
    return Math.round(performance.now() - this.#acceptedAt) / 1000
  }

  tick(): void {
    const now = performance.now()
    const completeUntil = this.options.freshness.completeUntil()
    // who has not read everything yet has nothing to say
    if (this.#underWay !== undefined || completeUntil === undefined || !this.#isDue(now)) return
    this.#underWay = this.#report(completeUntil).finally(() => {
      this.#underWay = undefined
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#underWay
    if (this.reportedSeconds === null) return
    const late = AbortSignal.timeout(goodbyeMilliseconds)
    // unheard, it is forgotten all the same, a minute later
    await this.#send(null, late).catch((error: unknown) => this.options.trouble?.(error))
  }

  #isDue(now: number): boolean {
    const { applied } = this.options.revocations
    if (applied !== this.#seen) {
      this.#seen = applied
      this.#revokedAt = now
    }
    if (now < this.#notBefore) return false
    const { everySeconds = 5 } = this.options
    const isRecent = now - this.#revokedAt <= afterRevocation.milliseconds
    const every = isRecent ? Math.min(afterRevocation.every, everySeconds * 1000) : everySeconds * 1000
    return applied !== this.#toldOf || now - this.#acceptedAt >= every
  }

  async #report(completeUntil: Record<string, Date>): Promise<void> {
    const { applied } = this.options.revocations
    try {
      const late = AbortSignal.timeout(timeoutMilliseconds)
      await this.#send(completeUntil, AbortSignal.any([this.#stopping.signal, late]))
      this.#acceptedAt = performance.now()
      this.#toldOf = applied
      this.#pause = 0
      this.options.ended?.('accepted')
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      if (this.#pause === 0) this.options.trouble?.(error)
      this.options.ended?.('failed')
      this.#pause = Math.min(Math.max(2 * this.#pause, tickMilliseconds), longestPauseMilliseconds)
      this.#notBefore = performance.now() + this.#pause
    }
  }

  /** @param completeUntil null: there is nobody any more. @throws Error where it is not accepted in time */
  async #send(completeUntil: Record<string, Date> | null, signal: AbortSignal): Promise<void> {
    const { url, accessToken, resource } = this.options
    const report = { resource, instance: this.#instance, complete_until: completeUntil }
    const put = async (token: string) => {
      const response = await fetch(url, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(report),
        signal,
        redirect: 'error',
      })
      await response.body?.cancel() // or it would keep its connection
      return response
    }
    const token = await before(signal, accessToken())
    let { ok, status } = await put(token)
    if (status === 401) ({ ok, status } = await put(await before(signal, accessToken(token))))
    if (!ok) throw new Error(`${url} answers ${status}`)
  }
}

/** What is promised, unless the signal comes first. */
function before<Value>(signal: AbortSignal, promised: Promise<Value>): Promise<Value> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
    if (signal.aborted) reject(signal.reason)
  })
  return Promise.race([promised, late])
}
