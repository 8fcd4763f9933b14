import { createHash, type KeyObject } from 'node:crypto'
import { openAccessToken, type SigningAlgorithm } from '@grantlog/oauth'

/** At most twice as many are remembered. */
const tokensAtATime = 2000

type KeyOf = (kid: string) => Promise<{ algorithm: SigningAlgorithm; publicKey: KeyObject } | undefined>
type Opened = NonNullable<Awaited<ReturnType<typeof openAccessToken>>>
type Verified = Opened & { readonly publicKey: KeyObject }

/**
 * Opens access tokens, and verifies one that is asked about again and again once. Only that its signature is good is remembered, by the
 * token’s digest and for as long as its key is one of ours: what else makes a token count is judged each time.
 */
export class VerifiedTokens {
  #recent = new Map<string, Verified>()
  /** Those before: what is asked about again is taken along, the rest is forgotten. */
  #before = new Map<string, Verified>()

  /** @param keyOf the public key of a `kid`; undefined: not one of ours */
  constructor(private readonly keyOf: KeyOf) {}

  /** As `openAccessToken`. Nobody may change the claims. */
  async open(token: string): Promise<Opened | undefined> {
    const digest = createHash('sha256').update(token).digest('base64url')
    const known = this.#recent.get(digest) ?? this.#before.get(digest)
    if (known !== undefined && (await this.keyOf(known.kid))?.publicKey === known.publicKey) {
      this.#remember(digest, known)
      return known
    }
    let publicKey: KeyObject | undefined
    const opened = await openAccessToken(token, async kid => {
      const key = await this.keyOf(kid)
      publicKey = key?.publicKey
      return key
    })
    if (opened !== undefined && publicKey !== undefined) this.#remember(digest, { ...opened, publicKey })
    return opened
  }

  #remember(digest: string, verified: Verified): void {
    if (this.#recent.size >= tokensAtATime) {
      this.#before = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(digest, verified)
  }
}
