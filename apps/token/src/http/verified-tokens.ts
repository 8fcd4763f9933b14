import type { KeyObject } from 'node:crypto'
import { openAccessToken, type SigningAlgorithm, VerifiedTokens } from '@grantlog/oauth'
import { z } from 'zod'

const atMost = 4000

const act = z.object({
  sub: z.string(),
  get act() {
    return act.optional()
  },
})
const names = z.object({
  jti: z.uuid(),
  sub: z.string(),
  client_id: z.string(),
  iat: z.number(),
  family: z.uuid().optional(),
  grant: z.uuid().optional(),
  organization: z.uuid().optional(),
})
const claims = names.extend({
  iss: z.string(),
  aud: z.string(),
  scope: z.string(),
  exp: z.number(),
  auth_time: z.number().optional(),
  cnf: z.object({ jkt: z.string(), 'x5t#S256': z.string() }).partial().optional(),
  act: act.optional(),
  authorization_details: z.array(z.looseObject({ type: z.string() })).optional(),
  lineage: z.array(names.extend({ kid: z.string() })).optional(),
})

/** What an access token of ours says, whoever its issuer calls itself and whether or not it has expired. */
export type ReadClaims = Readonly<z.infer<typeof claims>> & {
  /** The id of the key that signed or sealed it. */
  readonly kid: string
}

/** Undefined for what no access token of ours says. */
export function claimsOf(opened: { claims: unknown; kid: string } | undefined): ReadClaims | undefined {
  const { success, data } = claims.safeParse(opened?.claims)
  return opened && success ? { ...data, kid: opened.kid } : undefined
}

type KeyOf = (kid: string) => Promise<{ algorithm: SigningAlgorithm; publicKey: KeyObject } | undefined>

/**
 * Opens our access tokens, as `openAccessToken` does, and reads what they say.
 *
 * @param keyOf the public key of a `kid`; undefined: not one of ours
 */
export function verifiedTokens(keyOf: KeyOf): VerifiedTokens<ReadClaims> {
  return new VerifiedTokens({
    atMost,
    keyOf: async kid => (await keyOf(kid))?.publicKey,
    async verify(token) {
      let key: KeyObject | undefined
      const read = claimsOf(
        await openAccessToken(token, async kid => {
          const found = await keyOf(kid)
          key = found?.publicKey
          return found
        }),
      )
      return read && { content: read, keyId: read.kid, key }
    },
  })
}
