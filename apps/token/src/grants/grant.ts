import type { BoundTo, EventData } from '@grantlog/contracts'
import type { AuthorizationDetail, Parameters } from '@grantlog/oauth'
import type { ClientRow } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'

/** A token request of an authenticated client that may use the grant type. */
export interface TokenRequest {
  readonly client: ClientRow
  readonly parameters: Parameters
  readonly traceparent: string | undefined
  /** What the tokens are to be bound to. */
  readonly boundTo: BoundTo | undefined
  /** What proves that a later request comes from the same sender; null where nothing does. */
  readonly sender: string | null
}

/** RFC 6749 §5.1 */
export interface TokenResponse {
  access_token: string
  token_type: 'Bearer' | 'DPoP'
  /** Seconds. */
  expires_in: number
  /** Absent where there are only authorization details. */
  scope?: string
  /** RFC 9396 §7 */
  authorization_details?: readonly AuthorizationDetail[]
  refresh_token?: string
  /** RFC 8693 §2.2.1 */
  issued_token_type?: string
}

/** One grant type: its name and what it does. It answers, or throws an OAuthError. */
export interface Grant {
  readonly type: EventData<'token.issued'>['grantType']
  /** Whether its request may name authorization details (RFC 9396 §6). */
  readonly takesDetails?: boolean
  readonly handle: (request: TokenRequest, services: TokenServices) => Promise<TokenResponse>
}
