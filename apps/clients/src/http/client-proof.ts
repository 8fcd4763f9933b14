import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { clientAuthenticationMethods, readDistinguishedName, thumbprintOf } from '@grantlog/oauth'
import { z } from 'zod'
import type { Registration } from '../domain/client.js'
import { unique, wrong } from './wrong-member.js'

type Proof = Pick<
  Registration,
  | 'tokenEndpointAuthMethod'
  | 'keys'
  | 'certificates'
  | 'senderConstraint'
  | 'requirePushedRequests'
  | 'requireSignedRequests'
>

const jwk = z.looseObject({ kty: z.string(), kid: z.string().min(1).max(128).optional() })

/** A JWK Set of public keys (RFC 7517 §5). */
export const jwks = z.strictObject({ keys: z.array(jwk).min(1).max(10) })

/** How a client proves who it is: RFC 7591 §2, RFC 8705 §2.1.2 and §3.4, RFC 9449 §5.2, RFC 9126 §6, RFC 9101 §10.5. */
export const proofBody = {
  token_endpoint_auth_method: z.enum(clientAuthenticationMethods).default('client_secret_basic'),
  jwks: jwks.optional(),
  tls_client_auth_subject_dn: z.string().min(1).max(512).optional(),
  tls_client_auth_san_dns: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'must be a DNS name in lower case')
    .max(253)
    .optional(),
  tls_client_auth_san_uri: z.url().max(512).optional(),
  tls_client_auth_san_ip: z
    .string()
    .refine(text => isIP(text) !== 0, 'must be an IP address')
    .optional(),
  dpop_bound_access_tokens: z.boolean().default(false),
  tls_client_certificate_bound_access_tokens: z.boolean().default(false),
  require_pushed_authorization_requests: z.boolean().default(false),
  require_signed_request_object: z.boolean().default(false),
}
type Body = z.infer<z.ZodObject<typeof proofBody>>

/** What these members mean together. @throws Problem 400 that points at the member */
export function readProof(body: Body): Proof {
  const tokenEndpointAuthMethod = body.token_endpoint_auth_method
  const named = certificateNames(body)
  if (tokenEndpointAuthMethod !== 'tls_client_auth' && named[0] !== undefined)
    throw wrong(`/tls_client_auth_${named[0].kind}`, 'is only for tls_client_auth')
  if (body.dpop_bound_access_tokens && body.tls_client_certificate_bound_access_tokens)
    throw wrong('/dpop_bound_access_tokens', 'a token is bound to a DPoP key or to a certificate')
  const senderConstraint = body.dpop_bound_access_tokens
    ? 'dpop'
    : body.tls_client_certificate_bound_access_tokens
      ? 'certificate'
      : null
  const read = readKeys(body)
  if (body.require_signed_request_object && read.keys.length === 0)
    throw wrong('/require_signed_request_object', 'needs the keys that sign, in jwks')
  const proof: Proof = {
    tokenEndpointAuthMethod,
    ...read,
    senderConstraint,
    requirePushedRequests: body.require_pushed_authorization_requests,
    requireSignedRequests: body.require_signed_request_object,
  }
  switch (tokenEndpointAuthMethod) {
    case 'private_key_jwt':
      if (read.keys.length === 0) throw wrong('/jwks', 'is needed for private_key_jwt')
      return proof
    case 'tls_client_auth':
      // RFC 8705 §2.1.2: "exactly one of the below metadata parameters"
      if (named.length !== 1)
        throw wrong('/token_endpoint_auth_method', 'tls_client_auth needs exactly one tls_client_auth_… name')
      return { ...proof, certificates: named }
    case 'self_signed_tls_client_auth':
      if (body.jwks === undefined) throw wrong('/jwks', 'is needed for self_signed_tls_client_auth')
      if (read.certificates.length === 0) throw wrong('/jwks/keys/0/x5c', noCertificate)
      return proof
    default:
      return proof
  }
}

export function shownProof(proof: Proof) {
  const { keys, certificates, senderConstraint } = proof
  const thumbprints = certificates.filter(({ kind }) => kind === 'thumbprint').map(({ value }) => value)
  const names = certificates
    .filter(({ kind }) => kind !== 'thumbprint')
    .map(({ kind, value }) => [`tls_client_auth_${kind}`, value])
  return {
    token_endpoint_auth_method: proof.tokenEndpointAuthMethod,
    ...(keys.length > 0 && {
      jwks: shownKeys(keys),
    }),
    ...(thumbprints.length > 0 && { certificate_thumbprints: thumbprints }),
    ...Object.fromEntries(names),
    dpop_bound_access_tokens: senderConstraint === 'dpop',
    tls_client_certificate_bound_access_tokens: senderConstraint === 'certificate',
    require_pushed_authorization_requests: proof.requirePushedRequests,
    require_signed_request_object: proof.requireSignedRequests,
  }
}

export function shownKeys(keys: Registration['keys']) {
  return { keys: keys.map(({ keyId, jwk }) => ({ ...jwk, ...(keyId !== null && { kid: keyId }) })) }
}

function certificateNames(body: Body): Registration['certificates'] {
  const kinds = ['subject_dn', 'san_dns', 'san_uri', 'san_ip'] as const
  const names = kinds.flatMap(kind => {
    const value = body[`tls_client_auth_${kind}`]
    return value === undefined ? [] : [{ kind, value }]
  })
  for (const { kind, value } of names) {
    if (kind !== 'subject_dn') continue
    try {
      readDistinguishedName(value)
    } catch (error) {
      throw wrong('/tls_client_auth_subject_dn', (error as Error).message) // it throws nothing else
    }
  }
  return names
}

/** The keys that sign assertions and request objects, and the certificates in the others (RFC 8705 §2.2.2). */
function readKeys(body: Body): Pick<Proof, 'keys' | 'certificates'> {
  const given = body.jwks?.keys ?? []
  if (given.length > 0 && body.token_endpoint_auth_method === 'none')
    throw wrong('/jwks', 'is only for clients that authenticate')
  assertPublic('/jwks', given)
  const selfSigned = body.token_endpoint_auth_method === 'self_signed_tls_client_auth'
  const isCertificate = (key: object) => selfSigned && 'x5c' in key
  const thumbprints = given.flatMap((key, index) => (isCertificate(key) ? [thumbprintOfKey(key, index)] : []))
  return {
    keys: given.flatMap((key, index) => (isCertificate(key) ? [] : [publicKeyOf('/jwks', key, index)])),
    certificates: unique('/jwks/keys', thumbprints).map(ofThumbprint),
  }
}

/** Public keys that sign. @throws Problem 400 that points into the JWK Set */
export function readPublicKeys(pointer: string, { keys }: z.infer<typeof jwks>): Registration['keys'] {
  assertPublic(pointer, keys)
  return keys.map((key, index) => publicKeyOf(pointer, key, index))
}

function assertPublic(pointer: string, keys: z.infer<typeof jwks>['keys']): void {
  for (const [index, key] of keys.entries()) {
    // it is on its way through logs and proxies already, but goes no further
    const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some(member => member in key)
    if (secret)
      throw wrong(
        `${pointer}/keys/${index}`,
        'holds a private key: register the public one, and replace this one',
      )
  }
  unique(
    `${pointer}/keys`,
    keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])),
  )
}

function publicKeyOf(pointer: string, key: z.infer<typeof jwk>, index: number): Registration['keys'][number] {
  const refuse = () =>
    wrong(
      `${pointer}/keys/${index}`,
      'must be a public key on P-256 or Ed25519, or of RSA with 2048 to 8192 bits',
    )
  if (key.use !== undefined && key.use !== 'sig') throw wrong(`${pointer}/keys/${index}/use`, 'must be sig')
  const imported = importKey(key, refuse)
  const { kty, crv, x = '', y = '', n = '', e = '' } = imported.export({ format: 'jwk' })
  const { modulusLength = 0 } = imported.asymmetricKeyDetails ?? {}
  const keyId = key.kid ?? null
  if (kty === 'EC' && crv === 'P-256') return { keyId, jwk: { kty, crv, x, y } }
  if (kty === 'OKP' && crv === 'Ed25519') return { keyId, jwk: { kty, crv, x } }
  if (kty === 'RSA' && modulusLength >= 2048 && modulusLength <= 8192) return { keyId, jwk: { kty, n, e } }
  throw refuse()
}

/** A key that is one: its point lies on its curve. */
function importKey(key: z.infer<typeof jwk>, refuse: () => Error): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    throw refuse()
  }
}

// RFC 8705 §2.2.2: the certificate stands in the x5c of its key, as base64 of DER (RFC 7517 §4.7)
function thumbprintOfKey({ x5c }: z.infer<typeof jwk>, index: number): string {
  try {
    const [encoded] = z.array(z.base64()).min(1).parse(x5c)
    return thumbprintOf(new X509Certificate(Buffer.from(encoded ?? '', 'base64')))
  } catch {
    throw wrong(`/jwks/keys/${index}/x5c`, noCertificate)
  }
}

const noCertificate = 'must hold the certificate (RFC 7517 §4.7)'

const ofThumbprint = (value: string) => ({ kind: 'thumbprint', value }) as const
