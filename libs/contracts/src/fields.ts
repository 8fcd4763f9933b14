import { z } from 'zod'

/** Fields that several events share. Each has one meaning and one range, written once. */
export const uuid = z.uuid().describe('Opaque id, a UUID.')
export const accountId = uuid.describe('The account of a person: an opaque id.')
export const organizationId = uuid.describe('The organization.')
export const grantId = uuid.describe('The grant.')
export const familyId = uuid.describe(
  'The token family; its id is that of the code, or of the device, it began with.',
)
export const clientId = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,64}$/)
  .describe('OAuth client_id: 1 to 64 unreserved characters (RFC 3986 §2.3).')
export const apiId = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/)
  .describe('Id of a registered API: 1 to 64 of a-z, 0-9 and hyphen.')
export const audience = z
  .string()
  .min(1)
  .max(512)
  .describe('The API’s resource indicator (RFC 8707) and `aud`.')
export const scopes = z
  .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/))
  .describe('Scope values (RFC 6749 §3.3), in the order in which they were asked for.')
export const seconds = z.int().nonnegative().describe('Seconds since 1970-01-01T00:00:00Z.')
export const detailsType = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/)
  .describe('A type of authorization details (RFC 9396 §2).')
export const detailsDigest = z
  .string()
  .length(43)
  .describe(
    'SHA-256 of a random salt and the authorization details, base64url. They stay where they can be deleted; then it says nothing.',
  )
export const owner = z
  .strictObject({
    kind: z.enum(['person', 'organization']).describe('Who owns the resource.'),
    id: uuid.describe('The account of the person, or the organization.'),
  })
  .describe('The resource owner: a person, or an organization somebody acted for.')
export const grantType = z
  .enum([
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
  ])
  .describe('OAuth grant type (RFC 6749 §1.3; RFC 8693 §2.1; RFC 8628 §3.4; RFC 7523 §2.1).')
export const grantTypes = z.array(grantType).describe('The grant types the client may use (RFC 7591 §2).')
export const signingAlgorithm = z
  .enum(['ES256', 'EdDSA', 'PS256', 'RS256'])
  .describe('JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1).')

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
export const publicJwk = z
  .union([
    z.strictObject({
      kty: z.literal('EC').describe('Key type; `EC` for ES256, `OKP` for EdDSA, `RSA` for PS256 and RS256.'),
      crv: z.literal('P-256').describe('Curve.'),
      x: coordinate.describe('X coordinate, or the whole public key of Ed25519: 32 bytes, base64url.'),
      y: coordinate.describe('Y coordinate: 32 bytes, base64url.'),
    }),
    z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate }),
    z.strictObject({
      kty: z.literal('RSA'),
      n: z
        .string()
        .regex(/^[A-Za-z0-9_-]{342,1366}$/)
        .describe('Modulus: 2048 bits or more, base64url.'),
      e: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,8}$/)
        .describe('Exponent, base64url.'),
    }),
  ])
  .describe('A public key as a JWK (RFC 7517; RFC 7518 §6.2.1, §6.3.1; RFC 8037 §2).')
export const profile = z
  .enum(['fapi2'])
  .describe('What it is held to: the FAPI 2.0 Security Profile; absent: to no profile.')
export const senderConstraint = z.enum(['dpop', 'certificate'])
export const boundTo = z
  .strictObject({
    kind: senderConstraint.describe('A DPoP key (RFC 9449) or a certificate (RFC 8705).'),
    thumbprint: z
      .string()
      .length(43)
      .describe('`jkt` or `x5t#S256`: SHA-256 of the key or the certificate, base64url.'),
  })
  .describe('What the sender of the token must prove to hold; without it, whoever has the token may use it.')
export type BoundTo = z.infer<typeof boundTo>
