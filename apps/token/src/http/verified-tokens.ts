import type { KeyObject } from 'node:crypto'
import { openAccessToken, type SigningAlgorithm, VerifiedTokens } from '@grantlog/oauth'

const atMost = 4000

export type OpenedToken = NonNullable<Awaited<ReturnType<typeof openAccessToken>>>
type KeyOf = (kid: string) => Promise<{ algorithm: SigningAlgorithm; publicKey: KeyObject } | undefined>

/**
 * Opens our access tokens, as `openAccessToken` does.
 *
 * @param keyOf the public key of a `kid`; undefined: not one of ours
 */
export function verifiedTokens(keyOf: KeyOf): VerifiedTokens<OpenedToken> {
  return new VerifiedTokens({
    atMost,
    keyOf: async kid => (await keyOf(kid))?.publicKey,
    async verify(token) {
      let key: KeyObject | undefined
      const opened = await openAccessToken(token, async kid => {
        const found = await keyOf(kid)
        key = found?.publicKey
        return found
      })
      return opened && { content: opened, keyId: opened.kid, key }
    },
  })
}
