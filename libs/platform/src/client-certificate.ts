import type { X509Certificate } from 'node:crypto'
import proxyAddress from '@fastify/proxy-addr'
import { readClientCertificate } from '@grantlog/oauth'
import { type Contradiction } from './config.js'
import { setting } from './setting.js'

export const clientCertificateHeaderSetting = setting.optional(
  setting.headerName({
    describe:
      'The header in which a trusted proxy (TRUSTED_PROXIES) gives the certificate that a client proved to hold: as RFC 9440 has it, or PEM, percent-encoded. Without it no client can use one.',
    example: 'client-cert',
  }),
)

/** A header that is believed from nobody would look as if clients could use certificates. */
export const certificateContradiction: Contradiction = ({ CLIENT_CERTIFICATE_HEADER, TRUSTED_PROXIES }) =>
  CLIENT_CERTIFICATE_HEADER !== undefined && [TRUSTED_PROXIES].flat().length === 0
    ? 'TRUSTED_PROXIES is missing: CLIENT_CERTIFICATE_HEADER is believed only from them, for example TRUSTED_PROXIES=10.0.0.0/8'
    : undefined

export interface ClientCertificateSettings {
  readonly TRUSTED_PROXIES: readonly string[]
  readonly CLIENT_CERTIFICATE_HEADER: string | undefined
}

interface Request {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/**
 * Reads the certificate that a client proved to hold, as a trusted proxy tells it. From anybody else the header says nothing.
 * @throws OAuthError `invalid_request` when a proxy's header holds none
 */
export function clientCertificateOf({
  TRUSTED_PROXIES,
  CLIENT_CERTIFICATE_HEADER,
}: ClientCertificateSettings): (request: Request) => X509Certificate | undefined {
  if (CLIENT_CERTIFICATE_HEADER === undefined) return () => undefined
  const name = CLIENT_CERTIFICATE_HEADER.toLowerCase()
  const trusts = proxyAddress.compile([...TRUSTED_PROXIES])
  return ({ headers, socket }) => {
    const value = headers[name]
    if (value === undefined || value === '' || !trusts(socket.remoteAddress ?? '', 0)) return undefined
    return readClientCertificate([value].flat().join(', '))
  }
}
