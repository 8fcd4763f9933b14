import {
  type AuthorizationDetail,
  assertCodeChallenge,
  assertProfilesFit,
  assertResourceIndicator,
  invalidRequest,
  invalidRequestUri,
  invalidScope,
  invalidTarget,
  matchRedirectUri,
  missingFrom,
  type Parameters,
  parseParameters,
  parseScope,
  quoteScope,
  readAuthorizationDetails,
  unauthorizedClient,
  unsupportedResponseType,
} from '@grantlog/oauth'
import { Problem } from '@grantlog/platform'
import type { DataSource } from 'typeorm'
import { type ApiRow, type ApiScope, findApis } from '../projections/apis.projection.js'
import { type ClientRow, findClient } from '../projections/clients.projection.js'

/** Where the answer may go: a client that is known, at an address that it registered. */
export interface ProvenRedirect {
  readonly client: ClientRow
  readonly redirectUri: string
  /** Whether the request named it: then the token request must too (RFC 6749 §4.1.3). */
  readonly redirectUriGiven: boolean
  readonly state: string | undefined
}

/** What a person can be asked: who wants what. */
export interface AccessRequest {
  readonly client: ClientRow
  readonly api: ApiRow
  readonly scopes: readonly ApiScope[]
  /** What is asked for beyond scopes (RFC 9396). */
  readonly details: readonly AuthorizationDetail[]
}

/** An authorization request that is in order. */
export interface AuthorizationRequest extends ProvenRedirect, AccessRequest {
  readonly codeChallenge: string
  /** The key that the code is to be bound to (RFC 9449 §10). */
  readonly dpopThumbprint: string | undefined
}

/**
 * Finds out where the answer goes before anything else is looked at. What is wrong until then is told to the person: nothing is
 * sent to an address that nobody registered.
 * @param query as it stands in the URL, without `?`
 * @throws Problem 400
 * @see RFC 6749 §4.1.2.1
 */
export async function proveRedirect(db: DataSource, query: string): Promise<ProvenRedirect> {
  const given = new URLSearchParams(query)
  const clientId = oneOf(given, 'client_id')
  if (clientId === undefined) throw broken('It does not say which application asks (client_id).')
  const known = /^[A-Za-z0-9._~-]{1,64}$/.test(clientId)
  const client = known ? await findClient(db, clientId) : undefined
  if (client === undefined) throw broken('No application is registered under its client_id.')
  if (client.suspended) throw broken('The application has been suspended.')

  const named = oneOf(given, 'redirect_uri')
  // RFC 6749 §3.1.2.3: it may be left out when exactly one is registered
  const only = client.redirect_uris.length === 1 ? client.redirect_uris[0] : undefined
  const redirectUri = named ?? only
  if (redirectUri === undefined) throw broken('It does not say where to return to (redirect_uri).')
  if (!matchRedirectUri(client.redirect_uris, redirectUri)) {
    throw broken(
      'The address it wants to return to (redirect_uri) is not one that the application registered.',
    )
  }
  const states = given.getAll('state').filter(state => state !== '')
  // RFC 6749 §4.1.2.1: "The exact value received from the client"; of bytes that are no text there is none to give back
  const state = states.length === 1 && !states[0]?.includes('\ufffd') ? states[0] : undefined
  return { client, redirectUri, redirectUriGiven: named !== undefined, state }
}

/**
 * Reads the rest. What is wrong here goes back to the client.
 * @throws OAuthError
 * @see RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2, RFC 9396 §3
 */
export async function readRequest(
  db: DataSource,
  query: string,
  proven: ProvenRedirect,
): Promise<AuthorizationRequest> {
  const parameters = parseParameters(query)
  assertSupported(parameters)
  if (!proven.client.grant_types.includes('authorization_code'))
    throw unauthorizedClient('The client may not use the authorization code grant.')
  const codeChallenge = readChallenge(parameters)
  const dpopThumbprint = readThumbprint(parameters)
  return { ...proven, ...(await readAccess(db, parameters, proven.client)), codeChallenge, dpopThumbprint }
}

/**
 * Reads what a client asks for, however it asks.
 * @throws OAuthError
 * @see RFC 6749 §3.3, RFC 8707 §2, RFC 9396 §3
 */
export async function readAccess(
  db: DataSource,
  parameters: Parameters,
  client: ClientRow,
): Promise<AccessRequest> {
  const scopes = readScope(parameters, client)
  const api = await findApi(db, parameters, scopes)
  assertProfilesFit(client, api)
  const details = readDetails(parameters, client, api)
  return { client, api, scopes: scopesAt(api, scopes), details }
}

function assertSupported(parameters: Parameters): void {
  if (parameters.require('response_type') !== 'code')
    throw unsupportedResponseType("Parameter 'response_type' must be code.")
  // ignored, it could say something else than what the person is asked
  if (parameters.get('request_uri') !== undefined)
    throw invalidRequestUri("Parameter 'request_uri' must be one that was pushed to this server.")
  const mode = parameters.get('response_mode')
  if (mode !== undefined && mode !== 'query') throw invalidRequest("Parameter 'response_mode' must be query.")
}

function readChallenge(parameters: Parameters): string {
  const challenge = parameters.get('code_challenge')
  assertCodeChallenge(challenge, parameters.get('code_challenge_method'))
  return challenge
}

// RFC 9449 §10: dpop_jkt is the base64url of a SHA-256
function readThumbprint(parameters: Parameters): string | undefined {
  const thumbprint = parameters.get('dpop_jkt')
  if (thumbprint !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(thumbprint))
    throw invalidRequest("Parameter 'dpop_jkt' must be a JWK thumbprint: 43 characters of base64url.")
  return thumbprint
}

// RFC 6749 §3.3: without a scope the server may "fail the request indicating an invalid scope"
function readScope(parameters: Parameters, client: ClientRow): string[] {
  const scopes = parseScope(parameters.get('scope') ?? '')
  // RFC 9396 §3.1: authorization details may stand instead of a scope
  if (scopes.length === 0 && parameters.get('authorization_details') === undefined)
    throw invalidScope("Parameter 'scope' is missing: say what access is asked for.")
  const [excess] = missingFrom(client.scopes, scopes)
  if (excess !== undefined)
    throw invalidScope(`The client is not registered for the scope ${quoteScope(excess)}.`)
  return scopes
}

async function findApi(db: DataSource, parameters: Parameters, scopes: readonly string[]): Promise<ApiRow> {
  const [audience, ...more] = parameters.all('resource')
  if (more.length > 0) throw invalidTarget("Name one 'resource' at a time: a token is for one API.")
  if (audience !== undefined) assertResourceIndicator(audience)
  if (audience === undefined && scopes.length === 0) throw invalidTarget("Name the API by 'resource'.")
  const [api, ...others] = await findApis(db, { audience, scopes })
  if (api === undefined) {
    if (audience === undefined) throw invalidScope('No API knows any of the scopes.')
    throw invalidTarget("No API is registered for the 'resource'.")
  }
  if (others.length > 0) throw invalidTarget("Several APIs know the scopes: name one by 'resource'.")
  if (api.suspended) throw invalidTarget('The API takes no tokens at the moment.')
  return api
}

function readDetails(parameters: Parameters, client: ClientRow, api: ApiRow): AuthorizationDetail[] {
  const text = parameters.get('authorization_details')
  if (text === undefined) return []
  const types = api.details_types.filter(({ type }) => client.details_types.includes(type))
  return readAuthorizationDetails(text, types, api.audience)
}

function scopesAt(api: ApiRow, wanted: readonly string[]): ApiScope[] {
  return wanted.map(name => {
    const scope = api.scopes.find(known => known.name === name)
    if (scope === undefined) throw invalidScope(`The API does not know the scope '${name}'.`)
    return scope
  })
}

/** A parameter before it is known where the answer may go. @throws Problem 400 when it stands there twice */
export function oneOf(given: URLSearchParams, name: string): string | undefined {
  const values = given.getAll(name).filter(value => value !== '')
  if (values.length > 1) throw broken(`It says “${name}” more than once.`)
  return values[0]
}

/** What is told to the person. */
export const broken = (what: string) => new Problem(400, 'This request is broken', what)
