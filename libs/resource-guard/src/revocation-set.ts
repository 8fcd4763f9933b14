/** What a revocation reaches: every token that names the target. */
export const targetKinds = ['token', 'family', 'grant', 'client', 'owner', 'organization', 'key'] as const
export type TargetKind = (typeof targetKinds)[number]

/** The facts of a `token.revoked` event. */
export interface Revocation {
  readonly target: { readonly kind: TargetKind; readonly id: string }
  /** Cutoff in seconds: tokens with `iat` <= it are revoked. null: all, for good. */
  readonly issuedBefore: number | null
}

/** By which names a token can be revoked. `issuedAt` in seconds. */
export interface RevocableToken {
  readonly tokenId: string
  readonly familyId?: string | undefined
  readonly grantId?: string | undefined
  readonly clientId: string
  readonly subject: string
  readonly organizationId?: string | undefined
  readonly keyId: string
  readonly issuedAt: number
  /** The tokens that it was made of, by exchange (RFC 8693): revoked with them. */
  readonly lineage?: readonly RevocableToken[]
}

/** How a token names each. */
const names: Readonly<Record<TargetKind, (token: RevocableToken) => string | undefined>> = {
  token: ({ tokenId }) => tokenId,
  family: ({ familyId }) => familyId,
  grant: ({ grantId }) => grantId,
  client: ({ clientId }) => clientId,
  owner: ({ subject }) => subject,
  organization: ({ organizationId }) => organizationId,
  key: ({ keyId }) => keyId,
}

interface Entry {
  readonly issuedBefore: number
  /** Seconds: from then on no token that it covers can still be valid. Infinity: who has a key makes tokens of any age. */
  readonly until: number
}

/**
 * The revocations that can still matter, in memory: one map per kind of target and a handful of look-ups per request, however
 * many tokens a cutoff covers. What can no longer matter is forgotten, so that the size is bounded by an hour of revocations, and the
 * few keys that were ever compromised.
 */
export class RevocationSet {
  readonly #kinds = targetKinds.map(kind => ({
    kind,
    nameIn: names[kind],
    entries: new Map<string, Entry>(),
  }))
  readonly #retention: number
  readonly #now: () => number
  #nextPrune = 0
  #applied = 0
  #latest: Entry = { issuedBefore: 0, until: 0 }

  /**
   * @param options.maxTokenLifetimeSeconds no access token lives longer; default 3600
   * @param options.clockSkewSeconds how far clocks may differ; default 10
   * @param options.now seconds; default the system's clock
   */
  constructor(
    options: { maxTokenLifetimeSeconds?: number; clockSkewSeconds?: number; now?: () => number } = {},
  ) {
    this.#retention = (options.maxTokenLifetimeSeconds ?? 3600) + (options.clockSkewSeconds ?? 10)
    this.#now = options.now ?? (() => Math.floor(Date.now() / 1000))
  }

  /** Applies a revocation. Again, or in another order, it changes nothing: a cutoff only ever moves later. */
  apply({ target, issuedBefore }: Revocation): void {
    this.#applied += 1
    const entries = this.#kinds.find(({ kind }) => kind === target.kind)?.entries
    if (entries === undefined) return // a kind of target that this version does not know can be on no token it accepts
    const now = this.#now()
    const cutoff = issuedBefore ?? Number.POSITIVE_INFINITY
    const until =
      target.kind === 'key' ? Number.POSITIVE_INFINITY : Math.max(now, issuedBefore ?? 0) + this.#retention
    const before = entries.get(target.id)
    const entry = {
      issuedBefore: Math.max(cutoff, before?.issuedBefore ?? 0),
      until: Math.max(until, before?.until ?? 0),
    }
    entries.set(target.id, this.#shared(entry))
    if (now >= this.#nextPrune) this.prune()
  }

  /** The kind of target by which the token, or one that it was made of, is revoked; or undefined. */
  revokedBy(token: RevocableToken): TargetKind | undefined {
    for (const each of [token, ...(token.lineage ?? [])]) {
      const kind = this.#namedBy(each)
      if (kind !== undefined) return kind
    }
    return undefined
  }

  #namedBy(token: RevocableToken): TargetKind | undefined {
    for (const { kind, nameIn, entries } of this.#kinds) {
      if (entries.size === 0) continue
      const id = nameIn(token)
      const entry = id === undefined ? undefined : entries.get(id)
      if (entry !== undefined && token.issuedAt <= entry.issuedBefore) return kind
    }
    return undefined
  }

  /** Where many come at once they are mostly alike: what is remembered of each is then its id. */
  #shared(entry: Entry): Entry {
    const { issuedBefore, until } = this.#latest
    if (entry.issuedBefore !== issuedBefore || entry.until !== until) this.#latest = entry
    return this.#latest
  }

  /** Forgets what can no longer matter. Called by itself, once a minute at most. */
  prune(): void {
    const now = this.#now()
    this.#nextPrune = now + 60
    for (const { entries } of this.#kinds) {
      for (const [id, { until }] of entries) if (until < now) entries.delete(id)
    }
  }

  /** How many revocations were applied, those that changed nothing among them. */
  get applied(): number {
    return this.#applied
  }

  /** How many targets are remembered. */
  get size(): number {
    return this.#kinds.reduce((sum, { entries }) => sum + entries.size, 0)
  }
}
