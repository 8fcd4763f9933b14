import { signingAlgorithms } from '@grantlog/oauth'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import type { TokenServices } from '../token-services.js'

const claims = z.object({
  jti: z.uuid(),
  sub: z.string(),
  aud: z.string(),
  client_id: z.string(),
  scope: z.string(),
  iat: z.number(),
  exp: z.number(),
  family: z.uuid().optional(),
  grant: z.uuid().optional(),
  organization: z.uuid().optional(),
  auth_time: z.number().optional(),
})
export type OwnAccessToken = z.infer<typeof claims> & { readonly keyId: string }

/** The claims of an access token that we signed and that has not expired, or undefined for anything else. */
export async function readAccessToken(
  token: string,
  services: TokenServices,
): Promise<OwnAccessToken | undefined> {
  const verified = await verify(token, services)
  const read = claims.safeParse(verified?.payload)
  return read.success && verified ? { ...read.data, keyId: verified.keyId } : undefined
}

async function verify(
  token: string,
  { config, keys, clock }: TokenServices,
): Promise<{ payload: JWTPayload; keyId: string } | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(
      token,
      async ({ kid = '', alg }) => {
        const key = await keys.verificationKey(kid)
        // RFC 8725 §3.1: a key is for one algorithm
        if (key?.algorithm !== alg) throw new errors.JWKSNoMatchingKey()
        return key.publicKey
      },
      { algorithms: [...signingAlgorithms], typ: 'at+jwt', issuer: config.ISSUER, currentDate: clock.now() },
    )
    return { payload, keyId: protectedHeader.kid ?? '' }
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    return undefined // whatever is wrong with it, it is no token of ours: RFC 7009 §2.2, RFC 7662 §2.2
  }
}
