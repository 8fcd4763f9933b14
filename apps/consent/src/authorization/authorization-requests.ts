import {
  invalidRequest,
  invalidRequestObject,
  OAuthError,
  type Parameters,
  type RequestObject,
  readRequestObject,
  rulesOf,
  verifyRequestObject,
} from '@grantlog/oauth'
import { Clock, CONFIG, Problem, UsedOnce } from '@grantlog/platform'
import { Inject, Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { ConsentConfig } from '../consent.config.js'
import type { ClientRow } from '../projections/clients.projection.js'
import {
  type AuthorizationRequest,
  broken,
  oneOf,
  type ProvenRedirect,
  proveRedirect,
  readRequest,
} from './authorization-request.js'
import { isPushed, PushedRequests } from './pushed-requests.js'

/** Longest query that the pages' forms carry on. */
const longest = 8192

/** Where the parameters of a request were found. */
export interface FoundRequest {
  /** The parameters, as if they stood in the URL. */
  readonly query: string
  /** What they stand in, not yet verified. */
  readonly object?: RequestObject
  /** By what they were pushed. */
  readonly uri?: string
}

/** Authorization requests, however their parameters come: in the URL, signed (RFC 9101), or pushed (RFC 9126). */
@Injectable()
export class AuthorizationRequests {
  constructor(
    private readonly db: DataSource,
    private readonly pushed: PushedRequests,
    private readonly usedOnce: UsedOnce,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  /**
   * Finds the parameters of a request that a browser brought. Those beside a `request` or `request_uri` count for nothing
   * (RFC 9101 §6.3, RFC 9126 §4).
   * @param query as it stands in the URL, without `?`
   * @param interaction the page on which it is decided
   * @throws Problem 400, for the person: it is not known yet where an answer could go
   */
  async find(query: string, interaction?: string): Promise<FoundRequest> {
    if (query.length > longest) throw broken('It is longer than 8 kB.')
    const given = new URLSearchParams(query)
    const jwt = oneOf(given, 'request')
    const uri = oneOf(given, 'request_uri')
    // RFC 9101 §5: "MUST NOT" both
    if (jwt !== undefined && uri !== undefined) throw broken('It has both a request and a request_uri.')
    if (jwt === undefined && (uri === undefined || !isPushed(uri))) return { query }
    const clientId = oneOf(given, 'client_id')
    if (clientId === undefined) throw broken('It does not say which application asks (client_id).')
    if (jwt !== undefined) return objectOf(jwt, clientId)
    return this.#pushed(uri ?? '', clientId, interaction)
  }

  /** @throws OAuthError when the request is not in order, or the client must ask in another way */
  read(found: FoundRequest, proven: ProvenRedirect): Promise<AuthorizationRequest> {
    if (found.uri === undefined) {
      assertPushed(proven.client)
      assertSigned(proven.client)
    }
    return readRequest(this.db, found.query, proven)
  }

  /**
   * Keeps a request object that a browser brought, as if it had been pushed: it expires soon and is good for one use, while a person
   * signs in and reloads.
   * @returns the query to go on with
   * @throws OAuthError
   */
  async keep(object: RequestObject, proven: ProvenRedirect): Promise<string> {
    const { client } = proven
    assertPushed(client)
    await this.#believe(object, client)
    await readRequest(this.db, object.query, proven)
    const { uri } = await this.pushed.push(client, object.query)
    return new URLSearchParams({ client_id: client.client_id, request_uri: uri }).toString()
  }

  /**
   * Takes what an authenticated client pushed, checked as at the authorization endpoint (RFC 9126 §2.1).
   * @param thumbprint of the key that it proved to hold
   * @throws OAuthError
   */
  async push(
    parameters: Parameters,
    client: ClientRow,
    thumbprint: string | undefined,
  ): Promise<{ uri: string; seconds: number }> {
    // RFC 9126 §2.1: "reject the request if the request_uri authorization request parameter is provided"
    if (parameters.get('request_uri') !== undefined)
      throw invalidRequest("Parameter 'request_uri' can not be pushed.")
    const query = bindTo(thumbprint, await this.#pushedQuery(parameters, client))
    const proven = await provenForClient(this.db, query)
    await readRequest(this.db, query, proven)
    if (rulesOf(client.profile).namesRedirectUri && !proven.redirectUriGiven)
      throw invalidRequest("Parameter 'redirect_uri' is missing.")
    return this.pushed.push(client, query)
  }

  /** Answers a request from a page. @throws Problem 400 when another page was first */
  async answer({ uri }: FoundRequest, interaction: string): Promise<void> {
    if (uri !== undefined && !(await this.pushed.answer(uri, interaction))) throw answered()
  }

  async #pushed(uri: string, clientId: string, interaction: string | undefined): Promise<FoundRequest> {
    // RFC 9126 §4: "the client_id … MUST be the same" as that of the client which pushed it
    const found = await this.pushed.open(uri, clientId)
    if (found === undefined) throw broken('It has expired, or the application did not push it (request_uri).')
    if (found.answeredBy !== null && found.answeredBy !== interaction) throw answered()
    return { query: found.query, uri }
  }

  async #pushedQuery(parameters: Parameters, client: ClientRow): Promise<string> {
    const jwt = parameters.get('request')
    if (jwt === undefined) {
      assertSigned(client)
      return queryOf(parameters, client)
    }
    // RFC 9126 §3: those of client authentication "are the only parameters other than request in the form body"
    const beside = parameters.names().find(name => name !== 'request' && !ofAuthentication.has(name))
    if (beside !== undefined)
      throw invalidRequest(`Parameter '${beside}' must stand in the request object, not beside it.`)
    const object = readRequestObject(jwt)
    await this.#believe(object, client)
    return object.query
  }

  async #believe(object: RequestObject, client: ClientRow): Promise<void> {
    const used = await verifyRequestObject(object, {
      clientId: client.client_id,
      keys: client.keys,
      algorithms: rulesOf(client.profile).algorithms,
      issuer: this.config.ISSUER,
      now: this.clock.seconds(),
    })
    if (used !== undefined && !(await this.usedOnce.once(used.id, used.expiresAt)))
      throw invalidRequestObject('The request object was used before.')
  }
}

// RFC 9126 §6
function assertPushed(client: ClientRow): void {
  if (client.require_pushed) throw invalidRequest('The client must push its authorization requests.')
}

// RFC 9101 §10.5
function assertSigned(client: ClientRow): void {
  if (client.require_signed)
    throw invalidRequest("The client must sign its authorization requests: parameter 'request' is missing.")
}

function objectOf(jwt: string, clientId: string): FoundRequest {
  try {
    const object = readRequestObject(jwt)
    // RFC 9101 §6.3
    if (new URLSearchParams(object.query).get('client_id') !== clientId)
      throw broken('It names another application (client_id) than its request object.')
    return { query: object.query, object }
  } catch (error) {
    throw error instanceof OAuthError ? broken(error.description) : error
  }
}

/** Parameters by which a client says who it is: no part of what it asks for. */
const ofAuthentication = new Set(['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'])

function queryOf(parameters: Parameters, { client_id }: ClientRow): string {
  const query = new URLSearchParams({ client_id })
  for (const name of parameters.names()) {
    if (ofAuthentication.has(name)) continue
    for (const value of parameters.all(name)) query.append(name, value)
  }
  return query.toString()
}

// RFC 9449 §10.1: the proof's key is as good as dpop_jkt; where there are both, they must agree
function bindTo(thumbprint: string | undefined, query: string): string {
  const named = new URLSearchParams(query).get('dpop_jkt')
  if (thumbprint === undefined || named === thumbprint) return query
  if (named !== null) throw invalidRequest("Parameter 'dpop_jkt' is not the key of the DPoP proof.")
  return `${query}&dpop_jkt=${thumbprint}`
}

/** Nobody sits at this endpoint: what would be told to the person is told to the client. */
async function provenForClient(db: DataSource, query: string): Promise<ProvenRedirect> {
  try {
    return await proveRedirect(db, query)
  } catch (error) {
    throw error instanceof Problem && error.status === 400 ? invalidRequest(error.message) : error
  }
}

const answered = () =>
  new Problem(400, 'This request was answered', 'It can be answered once, and that was done already.')
