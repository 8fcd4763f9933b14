import { openAccessToken } from '@grantlog/oauth'
import { z } from 'zod'
import type { TokenServices } from '../token-services.js'

const claims = z.object({
  iss: z.string(),
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
export type OwnAccessToken = Omit<z.infer<typeof claims>, 'iss'> & { readonly keyId: string }

/**
 * The claims of an access token that we signed and that has not expired, or undefined for anything else: whatever is wrong with it, it
 * is no token of ours (RFC 7009 §2.2, RFC 7662 §2.2).
 */
export function readAccessToken(
  token: string,
  { config, keys, clock }: TokenServices,
): OwnAccessToken | undefined {
  const opened = openAccessToken(token, kid => keys.publicKey(kid))
  const read = claims.safeParse(opened?.claims)
  if (opened === undefined || !read.success) return undefined
  const { iss, ...claimed } = read.data
  if (iss !== config.ISSUER || claimed.exp <= clock.seconds()) return undefined
  return { ...claimed, keyId: opened.kid }
}
