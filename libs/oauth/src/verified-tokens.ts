import { hash } from 'node:crypto'

/**
 * Verifies a token that comes again and again once. Only that its signature is good is remembered, by the token’s digest and for as long
 * as its key is the same: what else makes a token count is to be judged each time.
 */
export class VerifiedTokens<Content> {
  #recent = new Map<string, Opened<Content>>()
  /** Those before: what comes again is taken along, the rest is forgotten. */
  #before = new Map<string, Opened<Content>>()

  /**
   * @param options.verify undefined for what is no good token; as where it throws, nothing is remembered
   * @param options.keyOf the key of an id, the same object while it is the same; undefined: there is none any more
   * @param options.atMost how many are remembered; 0: none
   */
  constructor(
    private readonly options: {
      readonly verify: (token: string) => Promise<Opened<Content> | undefined>
      readonly keyOf: (keyId: string) => Promise<unknown>
      readonly atMost: number
    },
  ) {}

  /**
   * What was read of the token, the same for all who ask and therefore frozen; undefined: as `verify` says.
   *
   * @throws what `verify` and `keyOf` throw
   */
  async open(token: string): Promise<Content | undefined> {
    const { verify, keyOf, atMost } = this.options
    if (atMost === 0) return frozen((await verify(token))?.content)
    const digest = hash('sha256', token, 'base64url')
    const recent = this.#recent.get(digest)
    const known = recent ?? this.#before.get(digest)
    if (known !== undefined && (await keyOf(known.keyId)) === known.key) {
      if (recent === undefined) this.#remember(digest, known)
      return known.content
    }
    const opened = await verify(token)
    if (opened !== undefined) this.#remember(digest, opened)
    return frozen(opened?.content)
  }

  /** How many are remembered. */
  get size(): number {
    return this.#recent.size + this.#before.size
  }

  #remember(digest: string, opened: Opened<Content>): void {
    if (this.#recent.size >= this.options.atMost / 2) {
      this.#before = this.#recent
      this.#recent = new Map()
    }
    this.#before.delete(digest)
    this.#recent.set(digest, opened)
  }
}

/** A token whose signature is good. */
interface Opened<Content> {
  readonly content: Content
  readonly keyId: string
  /** What its signature was verified with. */
  readonly key: unknown
}

/** The value, which nobody can change from now on, nor anything in it. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
