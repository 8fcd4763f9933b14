import { createPublicKey, type KeyObject } from 'node:crypto'
import { Loop } from '@grantlog/eventing'
import { type PublicJwk, type SigningAlgorithm, serverError, signingAlgorithms } from '@grantlog/oauth'
import type { Check } from '@grantlog/platform'
import { type KeySequence, mayStillSign, type SequenceKey, signingKeyAt } from '../domain/key-schedule.js'
import type { KeyLife } from './key-life.js'
import { publishedJwk } from './key-pair.js'

export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
}

export interface VerificationKey {
  readonly algorithm: SigningAlgorithm
  readonly publicKey: KeyObject
}

interface Options {
  /** What tokens have to be signed with: each has a key before the first token. */
  readonly algorithms: () => Promise<readonly SigningAlgorithm[]>
  /** Hears of what goes wrong later. */
  readonly report: (error: Error) => void
  /** Whoever asks for a key that is not known makes the log be read, at most once in so many milliseconds. Default 100. */
  readonly readPause?: number
}

/** Changes that others make are seen within a second. */
const lookMilliseconds = 1000
/** The algorithm that always has a key. */
const standard: SigningAlgorithm = 'ES256'

/**
 * The keys that sign access tokens, as one instance holds them: read from the log again and again, so that all instances say the same.
 * Each also does what time brings; that it happens once is the stream’s version to see to.
 */
export class SigningKeys {
  #sequences: ReadonlyMap<SigningAlgorithm, { readonly keys: KeySequence; readonly version: number }> =
    new Map()
  #public: ReadonlyMap<string, VerificationKey> = new Map()
  #private: ReadonlyMap<string, KeyObject> = new Map()
  readonly #beginning = new Map<SigningAlgorithm, Promise<void>>()
  #reading: Promise<void> | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #trouble: Error | undefined
  readonly #loop: Loop

  private constructor(
    private readonly life: KeyLife,
    private readonly options: Options,
  ) {
    this.#loop = new Loop(
      async () => {
        await this.keepUp()
        return lookMilliseconds
      },
      error => {
        this.#inTrouble(error)
        return lookMilliseconds
      },
    )
  }

  /**
   * Reads the keys, making the first where there is none.
   * @throws Error when the private half of a key does not open
   */
  static async open(life: KeyLife, options: Options): Promise<SigningKeys> {
    const keys = new SigningKeys(life, options)
    await keys.keepUp()
    if (keys.#trouble) throw keys.#trouble
    return keys
  }

  start(): void {
    this.#loop.start()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  /** Reads what others did, and does what time has brought. */
  async keepUp(): Promise<void> {
    await this.#read()
    const wanted = new Set([standard, ...(await this.options.algorithms())])
    const behind = signingAlgorithms.filter(algorithm => this.#isBehind(algorithm, wanted.has(algorithm)))
    for (const algorithm of behind) await this.life.advance(algorithm)
    if (behind.length > 0) await this.#read()
  }

  /**
   * The key that signs now, with an algorithm that may be used here for the first time.
   * @throws OAuthError server_error when its private half does not open
   */
  async current(algorithm: SigningAlgorithm): Promise<SigningKey> {
    if (this.#keysOf(algorithm).length === 0) await this.#begin(algorithm)
    const key = signingKeyAt(this.#keysOf(algorithm), this.life.clock.seconds())
    const privateKey = key && this.#private.get(key.keyId)
    if (privateKey === undefined)
      throw serverError('Tokens can not be signed at the moment.', this.#trouble?.message)
    return { kid: key?.keyId ?? '', algorithm, privateKey }
  }

  /** The JWK Set (RFC 7517 §5): the keys that signed, that sign, and that will. */
  async jwks(): Promise<{ keys: PublicJwk[] }> {
    // what another instance has just begun to sign with is in it too; without the database, what is known
    await this.#readSoon().catch(() => undefined)
    return { keys: this.#all().map(publishedJwk) }
  }

  /** The key that a token names, also if another instance has just made it. @throws Error when the log can not be read */
  async verificationKey(kid: string): Promise<VerificationKey | undefined> {
    if (!this.#public.has(kid)) await this.#readSoon()
    return this.#public.get(kid)
  }

  /** For readiness: whether tokens can be signed. */
  health(): Check {
    const key = signingKeyAt(this.#keysOf(standard), this.life.clock.seconds())
    const ok = key !== undefined && this.#private.has(key.keyId)
    return { ok, detail: this.#trouble?.message ?? `signs with ${key?.keyId}` }
  }

  /** How long the key of each algorithm has signed, in seconds. */
  ages(): ReadonlyMap<SigningAlgorithm, number> {
    const now = this.life.clock.seconds()
    const signing = [...this.#sequences.values()].flatMap(({ keys }) => signingKeyAt(keys, now) ?? [])
    return new Map(signing.map(({ algorithm, activeFrom }) => [algorithm, Math.max(0, now - activeFrom)]))
  }

  #keysOf(algorithm: SigningAlgorithm): KeySequence {
    return this.#sequences.get(algorithm)?.keys ?? []
  }

  #all(): SequenceKey[] {
    return [...this.#sequences.values()].flatMap(({ keys }) => keys)
  }

  /** An algorithm that was never wanted has no keys. */
  #isBehind(algorithm: SigningAlgorithm, wanted: boolean): boolean {
    const keys = this.#keysOf(algorithm)
    return keys.length === 0 ? wanted : this.life.isBehind(keys)
  }

  /** Many may want the first key at once. */
  #begin(algorithm: SigningAlgorithm): Promise<void> {
    const begun =
      this.#beginning.get(algorithm) ??
      this.life
        .advance(algorithm)
        .then(() => this.#read())
        .finally(() => this.#beginning.delete(algorithm))
    this.#beginning.set(algorithm, begun)
    return begun
  }

  /** A reading that begins after this call: one for all who ask meanwhile. */
  #readSoon(): Promise<void> {
    this.#reading ??= this.#pause().then(() => {
      this.#reading = undefined // whoever asks from now on may need what is stored from now on
      this.#readAt = performance.now()
      return this.#read()
    })
    return this.#reading
  }

  async #pause(): Promise<void> {
    const milliseconds = this.#readAt + (this.options.readPause ?? 100) - performance.now()
    if (milliseconds > 0) await new Promise(resolve => setTimeout(resolve, milliseconds))
  }

  async #read(): Promise<void> {
    const read = await Promise.all(
      signingAlgorithms.map(async algorithm => [algorithm, await this.life.read(algorithm)] as const),
    )
    // readings may overtake each other
    const newest = read.map(([algorithm, found]) => {
      const known = this.#sequences.get(algorithm)
      return [algorithm, known && known.version > found.version ? known : found] as const
    })
    this.#sequences = new Map(newest)
    this.#public = new Map(
      this.#all().map(key => [key.keyId, this.#public.get(key.keyId) ?? publicHalf(key)]),
    )
    await this.#openPrivate()
  }

  /** Holds the private halves that are needed, and lets go of the others: here, and in the database. */
  async #openPrivate(): Promise<void> {
    const now = this.life.clock.seconds()
    const before = this.#private
    const needed = [...this.#sequences.values()].flatMap(({ keys }) => mayStillSign(keys, now))
    const opened = await Promise.allSettled(
      needed.map(key => before.get(key.keyId) ?? this.life.privateHalves.open(key)),
    )
    this.#private = new Map(
      opened.flatMap((outcome, place) =>
        outcome.status === 'fulfilled' ? [[needed[place]?.keyId ?? '', outcome.value] as const] : [],
      ),
    )
    this.#inTrouble(opened.find(outcome => outcome.status === 'rejected')?.reason)
    const changed =
      this.#private.size !== before.size || [...before.keys()].some(kid => !this.#private.has(kid))
    if (changed) {
      const keyIds = needed.map(({ keyId }) => keyId)
      await this.life.privateHalves.removeAllBut(keyIds, now)
    }
  }

  /** Says it once, however often it is tried again. */
  #inTrouble(error: unknown): void {
    const trouble =
      error === undefined ? undefined : error instanceof Error ? error : new Error(String(error))
    if (trouble && trouble.message !== this.#trouble?.message) this.options.report(trouble)
    this.#trouble = trouble
  }
}

function publicHalf({ algorithm, jwk }: SequenceKey): VerificationKey {
  return { algorithm, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
}
