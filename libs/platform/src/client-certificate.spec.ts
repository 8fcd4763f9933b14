import { X509Certificate } from 'node:crypto'
import { certificates } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import { clientCertificateOf } from './client-certificate.js'

const header = `:${new X509Certificate(certificates.client).raw.toString('base64')}:`
const read = clientCertificateOf({
  TRUSTED_PROXIES: ['10.0.0.0/8', '::1'],
  CLIENT_CERTIFICATE_HEADER: 'Client-Cert',
})
const from = (remoteAddress: string, value: string | string[] | undefined = header) => ({
  headers: { 'client-cert': value },
  socket: { remoteAddress },
})

describe("a client's certificate", () => {
  it.each(['10.1.2.3', '::ffff:10.1.2.3', '::1'])('is what a trusted proxy says: %s', address => {
    expect(read(from(address))?.subject).toContain('Ledgerly')
  })

  it.each(['192.0.2.1', '11.0.0.1', '::2', ''])('is not what anybody else says: %s', address => {
    expect(read(from(address))).toBeUndefined()
    expect(read(from(address, 'nonsense'))).toBeUndefined()
  })

  it('is none where the proxy says nothing, or nobody is trusted', () => {
    expect(read(from('10.0.0.1', ''))).toBeUndefined()
    const trusting = (proxies: string[], name?: string) =>
      clientCertificateOf({ TRUSTED_PROXIES: proxies, CLIENT_CERTIFICATE_HEADER: name })(from('10.0.0.1'))
    expect(trusting([], 'client-cert')).toBeUndefined()
    expect(trusting(['10.0.0.0/8'])).toBeUndefined()
    expect(trusting(['10.0.0.0/8'], 'client-cert')).toBeDefined()
  })

  it.each(['nonsense', [header, header]])('is refused where the proxy says nonsense, %#', value => {
    expect(() => read(from('10.0.0.1', value))).toThrow('does not hold a client certificate')
  })
})
