import { createHash, type KeyObject } from 'node:crypto'
import { openAccessToken, type SigningAlgorithm } from '@grantlog/oauth'

const maxTokens = 5000

type KeyOf = (kid: string) => Promise<{ algorithm: SigningAlgorithm; publicKey: KeyObject } | undefined>
type Opened = NonNullable<Awaited<ReturnType<typeof openAccessToken>>>

/**
 * Opens access tokens, and verifies one that is asked about again and again once. Only that its signature is good is remembered, by the
 * token’s digest and for as long as its key is one of ours: what else makes a token count is judged each time.
 */
export class VerifiedTokens {
  readonly #verified = new Map<string, Opened & { readonly publicKey: KeyObject }>()

  /** @param keyOf the public key of a `kid`; undefined: not one of ours */
  constructor(private readonly keyOf: KeyOf) {}

  /** As `openAccessToken`. Nobody may change the claims. */
  async open(token: string): Promise<Opened | undefined> {
    const digest = createHash('sha256').update(token).digest('base64url')
    const known = this.#verified.get(digest)
    if (known !== undefined && (await this.keyOf(known.kid))?.publicKey === known.publicKey) return known
    let publicKey: KeyObject | undefined
    const opened = await openAccessToken(token, async kid => {
      const key = await this.keyOf(kid)
      publicKey = key?.publicKey
      return key
    })
    this.#verified.delete(digest)
    if (opened !== undefined && publicKey !== undefined) this.#remember(digest, { ...opened, publicKey })
    return opened
  }

  #remember(digest: string, verified: Opened & { readonly publicKey: KeyObject }): void {
    const [oldest] = this.#verified.keys()
    if (this.#verified.size >= maxTokens && oldest !== undefined) this.#verified.delete(oldest)
    this.#verified.set(digest, verified)
  }
}
