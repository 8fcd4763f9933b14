import { createSecretKey, type KeyObject } from 'node:crypto'
import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose'
import { expiredToken, invalidGrant, serverError } from './errors.js'

/** A key that seals codes. A `KeyObject` shows nothing of itself when it is logged. */
export type SealKey = { kid: string; key: KeyObject }

/** The first seals, all open. */
export type SealKeys = readonly [SealKey, ...SealKey[]]

/** What is sealed: an authorization code, or a device code (RFC 8628). One is never taken for the other. */
export type CodeKind = 'authorization code' | 'device code'

const types = { 'authorization code': 'grantlog-code+jwt', 'device code': 'grantlog-device+jwt' } as const
const MAX_LENGTH = 8192

/**
 * Seals a code: a compact JWE (`dir`, `A256GCM`). Rotate a key before it has sealed 2^32 codes (NIST SP 800-38D
 * §8.3).
 *
 * @param claims what the code says; `exp` is added
 * @param options.expiresAt seconds since the epoch
 * @param options.kind an authorization code, if nothing else is said
 * @throws OAuthError `server_error` when the code would be longer than 8 kB
 * @see RFC 7516 §7.1, RFC 7518 §4.5 and §5.3, RFC 6749 §4.1.2, RFC 8628 §3.2
 */
export async function sealCode(
  claims: object,
  keys: SealKeys,
  { expiresAt, kind = 'authorization code' }: { expiresAt: number; kind?: CodeKind },
): Promise<string> {
  const [{ kid, key }] = keys
  const code = await new EncryptJWT({ ...claims } satisfies JWTPayload)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, typ: types[kind] })
    .setExpirationTime(expiresAt)
    .encrypt(key)
  if (code.length > MAX_LENGTH) {
    throw serverError('The request is too large for a code.', `${kind} of ${code.length} characters`)
  }
  return code
}

/**
 * Opens a sealed code and returns its claims, `exp` among them. It does not know whether the code was used before.
 *
 * @param options.now seconds since the epoch
 * @throws OAuthError `invalid_grant` for whatever is wrong, only its `detail` says what; `expired_token` for a device code of ours that expired
 * @see RFC 6749 §4.1.2, §5.2; RFC 7516 §5.2; RFC 8628 §3.5
 */
export async function openCode(
  code: string,
  keys: SealKeys,
  { now, kind = 'authorization code' }: { now: number; kind?: CodeKind },
): Promise<Record<string, unknown>> {
  if (code.length > MAX_LENGTH) throw unacceptable(kind, `${code.length} characters`)
  try {
    const { payload } = await jwtDecrypt(code, ({ kid }) => keyOf(kid, keys), {
      // RFC 8725 §3.1: only the algorithms the application expects.
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
      typ: types[kind], // RFC 8725 §3.11
      requiredClaims: ['exp'],
      currentDate: new Date(now * 1000), // RFC 6749 §4.1.2: "MUST expire shortly after it is issued"
    })
    return payload
  } catch (error) {
    if (kind === 'device code' && error instanceof errors.JWTExpired)
      throw expiredToken('The device code has expired: begin again.')
    throw unacceptable(kind, String(error))
  }
}

/**
 * The keys of a text like `k2:<base64url of 32 bytes>,k1:<…>`: the first seals, all open. To rotate: add the new key last
 * everywhere, move it first everywhere, drop the old one after a code's life.
 *
 * @throws Error that names the key by its place and never shows any of it
 */
export function parseSealKeys(text: string): SealKeys {
  const entries = text.split(',').filter(entry => entry.trim() !== '')
  const [first, ...others] = entries.map((entry, index) => parseSealKey(entry.trim(), index + 1))
  if (!first) throw new Error('There is no seal key: at least one <id>:<base64url of 32 bytes> is needed.')
  for (const [index, { kid }] of others.entries()) {
    if ([first, ...others.slice(0, index)].some(earlier => earlier.kid === kid)) {
      throw new Error(`Seal key ${index + 2} has the same id as an earlier one.`)
    }
  }
  return [first, ...others]
}

function parseSealKey(entry: string, place: number): SealKey {
  const [kid, encoded, ...rest] = entry.split(':')
  if (kid === undefined || encoded === undefined || rest.length > 0) {
    throw new Error(`Seal key ${place} must look like <id>:<base64url of 32 bytes>.`)
  }
  // Shorter than an encoded key, so that a key without an id is never taken for one.
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(kid)) {
    throw new Error(
      `The id of seal key ${place} must be 1 to 32 letters, digits, dots, underscores or hyphens.`,
    )
  }
  // RFC 4648 §5, §3.5: canonical base64url without padding.
  if (!/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(encoded)) {
    throw new Error(`Seal key ${place} must be 32 bytes in base64url: 43 characters without padding.`)
  }
  return { kid, key: createSecretKey(encoded, 'base64url') }
}

function keyOf(kid: string | undefined, keys: SealKeys): KeyObject {
  const found = keys.find(key => key.kid === kid)
  if (!found) throw new Error('no key with the id of the header')
  return found.key
}

const unacceptable = (kind: CodeKind, detail: string) =>
  invalidGrant(`The ${kind} is invalid or has expired.`, `${kind}: ${detail}`)
