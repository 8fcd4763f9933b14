import { createHash, X509Certificate } from 'node:crypto'
import { invalidRequest } from './errors.js'

/** By what a certificate is known to be a client's: a name in it (RFC 8705 §2.1.2), or its own thumbprint (§2.2). */
export interface CertificateName {
  readonly kind: 'subject_dn' | 'san_dns' | 'san_uri' | 'san_ip' | 'thumbprint'
  readonly value: string
}

const maxLength = 8192

/**
 * The certificate in a header by which a proxy tells what the client proved to hold: `:<base64 of DER>:` (RFC 9440), or PEM,
 * percent-encoded. Whether the header may be believed is the caller's to know.
 *
 * @throws OAuthError `invalid_request` when there is no certificate in it
 * @see RFC 9440 §2.1
 */
export function readClientCertificate(header: string): X509Certificate {
  const refuse = () => invalidRequest('The proxy’s header does not hold a client certificate.')
  if (header.length > maxLength) throw refuse()
  const der = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(header.trim())?.[1]
  try {
    return new X509Certificate(der === undefined ? decodeURIComponent(header) : Buffer.from(der, 'base64'))
  } catch {
    throw refuse()
  }
}

/** The SHA-256 of a certificate in base64url, 43 characters: `x5t#S256`. @see RFC 8705 §3.1, RFC 7515 §4.1.8 */
export function thumbprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url')
}

const clientAuthenticationUsage = '1.3.6.1.5.5.7.3.2'

/**
 * Whether a certificate is valid now, may authenticate a client, and was issued by one of these authorities themselves. Those
 * between a root and the certificate must be among them.
 *
 * @param now seconds
 * @see RFC 5280 §4.1.2.5, §4.2.1.9, §4.2.1.12
 */
export function isIssuedBy(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  now: number,
): boolean {
  const usages = certificate.keyUsage as string[] | undefined // extended key usage; undefined without the extension
  if (usages !== undefined && !usages.includes(clientAuthenticationUsage)) return false
  return (
    isValidAt(certificate, now) &&
    authorities.some(
      authority =>
        authority.ca &&
        isValidAt(authority, now) &&
        certificate.checkIssued(authority) &&
        certificate.verify(authority.publicKey),
    )
  )
}

/** Whether a certificate is known by exactly this name. @see RFC 8705 §2.1.2, §2.2 */
export function isNamed(certificate: X509Certificate, { kind, value }: CertificateName): boolean {
  switch (kind) {
    case 'subject_dn': {
      // Node gives a name as X.501 orders it, RFC 4514 §2.1 from its end
      const subject = certificate.subject.split('\n').reverse().map(readAttribute)
      return JSON.stringify(subject) === JSON.stringify(readDistinguishedName(value))
    }
    case 'san_dns':
      return certificate.checkHost(value, { subject: 'never', wildcards: false }) !== undefined
    case 'san_ip':
      return certificate.checkIP(value) !== undefined
    case 'thumbprint':
      return thumbprintOf(certificate) === value
    case 'san_uri':
      return (certificate.subjectAltName ?? '').split(', ').includes(`URI:${value}`)
  }
}

/**
 * The attributes of a distinguished name, `CN=client,O=Example\, Inc.`, so that equal names are equal.
 * @throws TypeError when it is none
 * @see RFC 4514 §3
 */
export function readDistinguishedName(text: string): string[] {
  const attributes = text.match(/(?:\\.|[^,\\])+/gs) ?? ['']
  if (text !== attributes.join(',') || !attributes.every(each => /^\s*[A-Za-z][\w.-]*\s*=/.test(each)))
    throw new TypeError('must be a distinguished name (RFC 4514), such as CN=client,O=Example,C=SE')
  return attributes.map(readAttribute)
}

function readAttribute(text: string): string {
  const equals = text.indexOf('=')
  const value = text
    .slice(equals + 1)
    .replace(/^ +|(?<!\\) +$/g, '')
    // RFC 4514 §2.4: a backslash before a character, or before two digits that are a byte of UTF-8
    .replace(/(?:\\[0-9A-Fa-f]{2})+/g, bytes => Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString())
    .replace(/\\(.)/gs, '$1')
  return `${text.slice(0, equals).trim().toUpperCase()}=${value}`
}

function isValidAt({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) / 1000 <= now && now <= Date.parse(validTo) / 1000
}
