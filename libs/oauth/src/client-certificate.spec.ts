import { X509Certificate } from 'node:crypto'
import { certificates } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import {
  type CertificateName,
  isIssuedBy,
  isNamed,
  readClientCertificate,
  readDistinguishedName,
  thumbprintOf,
} from './client-certificate.js'

const read = (name: keyof typeof certificates) => new X509Certificate(certificates[name])
const now = Date.parse('2027-01-01') / 1000

describe('a client certificate', () => {
  it.each([
    ['as RFC 9440 §2.1 has it', `:${read('client').raw.toString('base64')}:`],
    ['as percent-encoded PEM', encodeURIComponent(certificates.client)],
  ])('is read from a header, %s', (_, header) => {
    expect(readClientCertificate(header).fingerprint256).toBe(read('client').fingerprint256)
  })

  it.each(['', ':', '::', ':AAAA:', 'nonsense', '%', `:${'A'.repeat(10_000)}:`])(
    'is refused where there is none: %.20s',
    header => {
      expect(() => readClientCertificate(header)).toThrow('does not hold a client certificate')
    },
  )

  it('has a thumbprint of 43 characters', () => {
    const hex = read('client').fingerprint256.replaceAll(':', '')
    expect(thumbprintOf(read('client'))).toBe(Buffer.from(hex, 'hex').toString('base64url'))
  })

  it.each<[string, keyof typeof certificates, keyof typeof certificates, number, boolean]>([
    ['by its authority', 'client', 'authority', now, true],
    ['not by another of the same name', 'impostor', 'authority', now, false],
    ['not by its own claim', 'selfSigned', 'authority', now, false],
    ['not by one that is no authority', 'belowNoAuthority', 'noAuthority', now, false],
    ['not when it is for servers', 'serverOnly', 'authority', now, false],
    ['not before it is valid', 'client', 'authority', Date.parse('2020-01-01') / 1000, false],
    ['not after its end', 'client', 'authority', Date.parse('2200-01-01') / 1000, false],
  ])('is issued %s', (_, certificate, authority, at, issued) => {
    expect(isIssuedBy(read(certificate), [read('otherAuthority'), read(authority)], at)).toBe(
      issued || certificate === 'impostor',
    )
    expect(isIssuedBy(read(certificate), [read(authority)], at)).toBe(issued)
    expect(isIssuedBy(read(certificate), [], at)).toBe(false)
  })

  it.each<[CertificateName['kind'], string, boolean]>([
    ['subject_dn', 'CN=Ledgerly Söhne,O=Example\\, Inc.,C=SE', true],
    ['subject_dn', 'cn=Ledgerly S\\C3\\B6hne , o=Example\\2C Inc., c=SE', true],
    ['subject_dn', 'C=SE,O=Example\\, Inc.,CN=Ledgerly Söhne', false],
    ['subject_dn', 'CN=Ledgerly Söhne', false],
    ['subject_dn', 'CN=Ledgerly Söhne,O=Example,C=SE', false],
    ['san_dns', 'client.example', true],
    ['san_dns', 'other.example', false],
    ['san_dns', 'sub.client.example', false],
    ['san_uri', 'https://client.example/app', true],
    ['san_uri', 'https://client.example/', false],
    ['san_ip', '192.0.2.7', true],
    ['san_ip', '192.0.2.8', false],
    ['thumbprint', thumbprintOf(read('client')), true],
    ['thumbprint', thumbprintOf(read('impostor')), false],
  ])('is named by %s %s: %s', (kind, value, named) => {
    expect(isNamed(read('client'), { kind, value })).toBe(named)
    expect(isNamed(read('selfSigned'), { kind, value })).toBe(false)
  })

  it.each(['', 'Ledgerly', 'CN=a,', ',CN=a', 'CN=a,b', '=a', 'CN=a\\'])('no name is %j', text => {
    expect(() => readDistinguishedName(text)).toThrow('distinguished name')
  })
})
