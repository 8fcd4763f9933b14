import type { X509Certificate } from 'node:crypto'
import {
  authenticateClient,
  type ClientRequest,
  type DpopNonces,
  type DpopProof,
  invalidDpopProof,
  invalidRequest,
  OAuthError,
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
import { type ValuesOf } from './config.js'
import { type Limits, limitSettings } from './limits/limits.js'
import { networkOf } from './limits/network-of.js'
import { secretKeysSetting } from './secret-keys-setting.js'
import { setting } from './setting.js'
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
  ...limitSettings,
}

interface Options<Client> {
  readonly config: ValuesOf<typeof clientRequestSettings> & {
    readonly ISSUER: string
    readonly TRUSTED_PROXIES: readonly string[]
  }
  readonly limits: Limits
  /** Under which clients reach the service. */
  readonly url: string
  readonly clock: Clock
  /** Ids of assertions and proofs. */
  readonly usedOnce: UsedOnce
  readonly find: (clientId: string) => Promise<Client | undefined>
  /** Where DPoP proofs must have a nonce. */
  readonly dpopNonces?: DpopNonces | undefined
}

/** What is read of a request before anything of it is believed. */
export interface ReceivedRequest extends ClientRequest {
  /** Where it comes from: {@link networkOf}. */
  readonly network: string
}

/** What clients send to the endpoints at which they authenticate: counted, read, and believed when it is proven. */
export class ClientRequests<Client extends RegisteredClient> {
  readonly #certificateOf: (request: FastifyRequest) => X509Certificate | undefined

  readonly #secretKeys: SecretKeys

  constructor(private readonly options: Options<Client>) {
    this.#secretKeys = parseSecretKeys(options.config.CLIENT_SECRET_KEYS)
    this.#certificateOf = clientCertificateOf(options.config)
  }

  /** A request that is not yet believed. @throws OAuthError 429 when too many come from there; invalid_request */
  read(http: FastifyRequest, options: { maxValueLength?: number } = {}): ReceivedRequest {
    const network = networkOf(http.ip)
    this.options.limits.arrive(network)
    return {
      network,
      authorization: http.headers.authorization,
      parameters: readForm(http.body, options),
      certificate: this.#certificateOf(http),
    }
  }

  /**
   * Answers the client of a request, when it is who it says and within its limits.
   * @throws OAuthError invalid_client, invalid_request, 429; and what the answer throws
   */
  async answer<T>(request: ReceivedRequest, answer: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#authenticate(request)
    return this.options.limits.answer(client, request.network, () => answer(client))
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

  async #authenticate(request: ReceivedRequest): Promise<Client> {
    const { limits } = this.options
    let tried: Client | undefined
    try {
      return await this.#prove(request, client => {
        if (!canBeGuessed(client)) return
        limits.mayTry(client, request.network)
        tried = client
      })
    } catch (error) {
      const wrong = error instanceof OAuthError && error.code === 'invalid_client'
      if (wrong && tried !== undefined) limits.wasWrong(tried, request.network)
      throw error
    }
  }

  /** @param found hears of the client that is named before its proof is looked at, and may refuse it by throwing */
  #prove(request: ClientRequest, found: (client: Client) => void): Promise<Client> {
    const { config, clock, usedOnce, find } = this.options
    return authenticateClient(request, {
      async find(clientId) {
        const client = await find(clientId)
        if (client !== undefined) found(client)
        return client
      },
      once: (id, expiresAt) => usedOnce.once(id, expiresAt),
      issuer: config.ISSUER,
      now: clock.seconds(),
      secretKeys: this.#secretKeys,
      certificateAuthorities: config.CLIENT_CERTIFICATE_AUTHORITIES ?? [],
    })
  }
}

/** A client without a secret has none to guess, and nothing lets a suspended one in: their attempts count for nobody. */
const canBeGuessed = ({ auth_method, suspended }: RegisteredClient): boolean =>
  auth_method !== 'none' && !suspended

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
