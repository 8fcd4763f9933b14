import { type Envelope, eventLine, recordedEvent, type Service, services } from '@grantlog/contracts'
import type { Eventing, Subscription } from '@grantlog/eventing'
import { temporarilyUnavailable } from '@grantlog/oauth'
import type { Clock } from '@grantlog/platform'
import { Freshness, RevocationSet, type VerifiedToken } from '@grantlog/resource-guard'
import { type Cursor, placeOf } from './cursor.js'

const maxTokenLifetimeSeconds = 3600
const clockSkewSeconds = 10
const openMilliseconds = 15_000
const mostAtOnce = 1000
const mostWaiting = 1000

interface Line {
  readonly logSeq: number
  /** Milliseconds: what was revoked then. */
  readonly time: number
  /** The event, byte for byte as its source logged it. */
  readonly text: string
  /** A key's revocation is never forgotten: who has the key makes tokens of any age. */
  readonly forever: boolean
}

export interface Page {
  readonly lines: readonly string[]
  readonly cursor: Cursor
  /** When each source had said everything that is here or before; undefined: there is more. */
  readonly heard: Readonly<Record<string, string>> | undefined
}

/**
 * The revocations of all services that can still matter, in memory, and who waits for the next. It is followed from the first time
 * that somebody asks for it.
 */
export class RevocationFeed {
  readonly revocations: RevocationSet
  readonly freshness = new Freshness(services)
  readonly #places = new Map<string, Line[]>()
  readonly #heard = new Map<Service, Date>()
  readonly #waiting = new Set<() => void>()
  #following: Promise<Subscription> | undefined
  #closed = false

  constructor(
    private readonly eventing: Eventing,
    private readonly clock: Clock,
    private readonly trouble: (error: unknown) => void,
  ) {
    this.revocations = new RevocationSet({
      maxTokenLifetimeSeconds,
      clockSkewSeconds,
      now: () => clock.seconds(),
    })
  }

  /** Returns when every source was read up to the present once. @throws OAuthError 503 when that takes too long */
  async open(): Promise<void> {
    this.#following ??= this.#follow()
    await this.#following.catch(error => {
      this.#following = undefined
      throw error
    })
    for (const until = performance.now() + openMilliseconds; !this.freshness.complete; ) {
      if (this.#closed || performance.now() > until)
        throw temporarilyUnavailable('The revocations are not read yet: try again in a moment.', 1)
      await this.changed(200)
    }
  }

  /** What comes after a cursor, in the order of each place. */
  after(cursor: Cursor): Page {
    const lines: string[] = []
    const at: Record<string, number> = { ...cursor }
    for (const [place, all] of this.#places) {
      for (const { logSeq, text } of all.slice(firstAfter(all, cursor[place] ?? 0))) {
        if (lines.length === mostAtOnce) return { lines, cursor: at, heard: undefined }
        lines.push(text)
        at[place] = logSeq
      }
    }
    const heard = [...this.#heard].map(([source, time]) => [source, time.toISOString()])
    return { lines, cursor: at, heard: Object.fromEntries(heard) }
  }

  /** Returns when something has come, or after the time. @throws OAuthError 503 when too many wait already */
  async changed(milliseconds: number): Promise<void> {
    if (this.#closed) return
    if (this.#waiting.size >= mostWaiting)
      throw temporarilyUnavailable('Too many wait for revocations here: try again in a moment.', 1)
    await new Promise<void>(resolve => {
      const wake = () => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      this.#waiting.add(wake)
    })
  }

  /** Whether a token that was good is so still. Its key’s revocation it survives until it expires: then whoever reads shows another. */
  admits(token: VerifiedToken): boolean {
    if (this.clock.seconds() >= token.expiresAt) return false
    return this.revocations.revokedBy({ ...token, keyId: '' }) === undefined
  }

  /** Whether the service stops: who reads goes on elsewhere. */
  get closed(): boolean {
    return this.#closed
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    const following = await this.#following?.catch(() => undefined) // then there is nothing to stop
    await following?.stop()
  }

  #follow(): Promise<Subscription> {
    // no snapshot is needed: what was revoked before a token's longest life can be on no token that is still valid
    const since = new Date(this.clock.now().getTime() - (maxTokenLifetimeSeconds + clockSkewSeconds) * 1000)
    return this.eventing.follow({
      name: 'revocation-feed',
      topics: ['revocations'],
      begin: () => ({ at: since }),
      deliver: async ({ partition, events }) => {
        for (const { event } of events) this.#take(partition, event)
        this.#wake()
      },
      alive: (source, time) => {
        this.freshness.alive(source, time)
        this.#heard.set(source, time)
      },
      trouble: this.trouble,
    })
  }

  #take(partition: number, event: Envelope): void {
    const recorded = recordedEvent(event)
    if (recorded?.type !== 'token.revoked') return
    this.revocations.apply(recorded.data)
    const place = placeOf(partition, event.source)
    const lines = this.#places.get(place) ?? []
    if (event.logseq <= (lines.at(-1)?.logSeq ?? 0)) return // again
    lines.push({
      logSeq: event.logseq,
      time: Date.parse(event.time),
      text: eventLine(event),
      forever: recorded.data.target.kind === 'key',
    })
    this.#places.set(place, this.#withoutOld(lines))
  }

  /** Looks when the oldest one is a minute too old: each is then looked at once a minute at most. */
  #withoutOld(lines: Line[]): Line[] {
    const oldest = this.clock.now().getTime() - (maxTokenLifetimeSeconds + clockSkewSeconds) * 1000
    const first = lines.find(line => !line.forever)
    if (first === undefined || first.time > oldest - 60_000) return lines
    return lines.filter(line => line.forever || line.time > oldest)
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

/** Index of the first line after a number, by halves. */
function firstAfter(lines: readonly Line[], logSeq: number): number {
  let [low, high] = [0, lines.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((lines[middle]?.logSeq ?? 0) <= logSeq) low = middle + 1
    else high = middle
  }
  return low
}
