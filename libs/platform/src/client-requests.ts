import type { X509Certificate } from 'node:crypto'
import {
  authenticateClient,
  type ClientRequest,
  type DpopNonces,
  type DpopProof,
  invalidDpopProof,
  invalidRequest,
  type Parameters,
  parseParameters,
  parseSecretKeys,
  type RegisteredClient,
  rulesOf,
  type SecretKeys,
  verifyDpopProof,
} from '@grantlog/oauth'
import type { FastifyRequest } from 'fastify'
import { clientCertificateHeaderSetting, clientCertificateOf } from './client-certificate.js'
import type { Clock } from './clock.js'
import { setting, type ValuesOf } from './config.js'
import { secretKeysSetting } from './secret-keys-setting.js'
import type { UsedOnce } from './used-once.js'

/** The settings of a service with endpoints at which clients authenticate. */
export const clientRequestSettings = {
  CLIENT_SECRET_KEYS: secretKeysSetting,
  CLIENT_CERTIFICATE_HEADER: clientCertificateHeaderSetting,
  CLIENT_CERTIFICATE_AUTHORITIES: setting.optional(
    setting.certificates({
      describe:
        'Who issues certificates for tls_client_auth: every authority that a client’s certificate may be signed by.',
      example: '"$(cat client-ca.pem)"',
    }),
  ),
  MTLS_URL: setting.optional(
    setting.baseUrl({
      describe:
        'The URL under which clients with certificates reach /token, /revoke, /introspect, /par and /device_authorization, where it is another one (RFC 8705 §5).',
      example: 'https://mtls.auth.example.com',
    }),
  ),
}

interface Options<Client> {
  readonly config: ValuesOf<typeof clientRequestSettings> & {
    readonly ISSUER: string
    readonly TRUSTED_PROXIES: readonly string[]
  }
  /** Under which clients reach the service. */
  readonly url: string
  readonly clock: Clock
  /** Ids of assertions and proofs. */
  readonly usedOnce: UsedOnce
  readonly find: (clientId: string) => Promise<Client | undefined>
  /** Where DPoP proofs must have a nonce. */
  readonly dpopNonces?: DpopNonces | undefined
}

/** What clients send to the endpoints at which they authenticate: read, and believed when it is proven. */
export class ClientRequests<Client extends RegisteredClient> {
  readonly #certificateOf: (request: FastifyRequest) => X509Certificate | undefined

  readonly #secretKeys: SecretKeys

  constructor(private readonly options: Options<Client>) {
    this.#secretKeys = parseSecretKeys(options.config.CLIENT_SECRET_KEYS)
    this.#certificateOf = clientCertificateOf(options.config)
  }

  /** A request that is not yet believed. @throws OAuthError invalid_request */
  read(http: FastifyRequest, options: { maxValueLength?: number } = {}): ClientRequest {
    return {
      authorization: http.headers.authorization,
      parameters: readForm(http.body, options),
      certificate: this.#certificateOf(http),
    }
  }

  /**
   * The client of a request, when it is who it says.
   * @param found hears of the client that is named before its proof is looked at, and may refuse it by throwing
   * @throws OAuthError invalid_client, invalid_request
   */
  authenticate(request: ClientRequest, found?: (client: Client) => void): Promise<Client> {
    const { config, clock, usedOnce, find } = this.options
    return authenticateClient(request, {
      async find(clientId) {
        const client = await find(clientId)
        if (client !== undefined) found?.(client)
        return client
      },
      once: (id, expiresAt) => usedOnce.once(id, expiresAt),
      issuer: config.ISSUER,
      now: clock.seconds(),
      secretKeys: this.#secretKeys,
      certificateAuthorities: config.CLIENT_CERTIFICATE_AUTHORITIES ?? [],
    })
  }

  /**
   * The DPoP proof of a request, or undefined where there is none.
   * @param path of the endpoint
   * @param client who may sign only in what its profile allows
   * @throws OAuthError invalid_dpop_proof, use_dpop_nonce
   * @see RFC 9449 §5
   */
  async readProof(
    { headers, method }: FastifyRequest,
    path: string,
    client: Client,
  ): Promise<DpopProof | undefined> {
    if (headers.dpop === undefined) return undefined
    const { config, url, clock, dpopNonces, usedOnce } = this.options
    const proof = await verifyDpopProof([headers.dpop].flat().join(', '), {
      method,
      urls: [url, config.MTLS_URL ?? url].map(base => `${base.replace(/\/$/, '')}/${path}`),
      now: clock.seconds(),
      algorithms: rulesOf(client.profile).algorithms,
      ...(dpopNonces && { nonces: dpopNonces }),
    })
    // RFC 9449 §11.1: a proof is good for one use
    if (!(await usedOnce.once(proof.id, proof.expiresAt)))
      throw invalidDpopProof('The DPoP proof was used before.')
    return proof
  }
}

/**
 * The parameters of a request's body: a form, which arrives as text, or nothing. A body that was read as something else is
 * refused by name, where its parameters would otherwise all seem to be missing.
 * @see RFC 6749 §3.2, Appendix B; RFC 7009 §2.1; RFC 7662 §2.1
 */
function readForm(body: unknown, options: { maxValueLength?: number }): Parameters {
  if (body === undefined || body === null) return parseParameters('')
  if (typeof body !== 'string') throw invalidRequest('The body must be application/x-www-form-urlencoded.')
  return parseParameters(body, options)
}
