import { createHash, randomUUID } from 'node:crypto'
import type { CodeClaims } from '@grantlog/contracts'
import { Commands } from '@grantlog/eventing'
import {
  accessDenied,
  authorizationResponse,
  type OAuthError,
  parseSealKeys,
  sealCode,
} from '@grantlog/oauth'
import { Clock, CONFIG } from '@grantlog/platform'
import { Inject, Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { ConsentConfig } from '../consent.config.js'
import { type Approve, grant, type Owner } from '../domain/grant.js'
import type { Session } from '../people/sessions.js'
import { person } from '../people/who-commands.js'
import { findStandingGrant } from '../projections/grants.projection.js'
import { ApprovedDetails, type DetailsApproval } from './approved-details.js'
import type { AuthorizationRequest, ProvenRedirect } from './authorization-request.js'

/** Turns what a person decided into a grant, and into the URL that takes her back to the client. */
@Injectable()
export class Decisions {
  constructor(
    private readonly db: DataSource,
    private readonly commands: Commands,
    private readonly clock: Clock,
    private readonly approvedDetails: ApprovedDetails,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  /**
   * Approving again from the same page gives the same code: a form that is sent twice grants nothing twice.
   * @param interaction id of the page that the person saw; it becomes the code's id
   * @throws OAuthError `access_denied` when the same page was used to deny, or its grant was revoked since
   */
  async approve(
    request: AuthorizationRequest,
    { session, owner, interaction }: { session: Session; owner: Owner; interaction: string },
  ): Promise<string> {
    const now = this.clock.seconds()
    const fresh = grantIdOf(interaction)
    // a denial is recorded there also when another grant stands: the page was answered
    if ((await this.commands.load(grant, fresh)).state.status === 'denied') throw answeredOtherwise()
    const standing = await findStandingGrant(this.db, {
      owner,
      clientId: request.client.client_id,
      apiId: request.api.api_id,
      now,
    })
    for (const grantId of standing === undefined ? [fresh] : [standing, fresh]) {
      const details = await this.approvedDetails.keep(interaction, grantId, request.details)
      const command = this.#approval(request, { grantId, owner, session, interaction, now, details })
      const { state } = await this.commands.run(grant, grantId, command, person(session.accountId))
      // one that was revoked a moment ago stays so: the approval is a grant of its own
      if (state.status !== 'active' || state.code?.id !== interaction) continue
      const claims = claimsOf(request, {
        session,
        owner,
        command,
        now,
        grantExpiresAt: state.expiresAt,
        details,
      })
      const code = await sealCode(claims, parseSealKeys(this.config.CODE_KEYS), {
        expiresAt: state.code.expiresAt,
      })
      return this.#respond(request, { code })
    }
    throw answeredOtherwise()
  }

  /** @returns where the browser goes: back to the client, which learns that it was refused */
  async deny(
    request: AuthorizationRequest,
    { session, interaction }: { session: Session; interaction: string },
  ): Promise<string> {
    const grantId = grantIdOf(interaction)
    const denial = {
      grantId,
      deniedBy: session.accountId,
      clientId: request.client.client_id,
      apiId: request.api.api_id,
      scopes: request.scopes.map(scope => scope.name),
    }
    await this.commands.run(grant, grantId, { type: 'deny', denial }, person(session.accountId))
    return this.refuse(request, accessDenied('The resource owner denied the request.'))
  }

  /** RFC 6749 §4.1.2.1 */
  refuse(proven: ProvenRedirect, error: OAuthError): string {
    return this.#respond(proven, { ...error.toJSON() })
  }

  #respond({ redirectUri, state }: ProvenRedirect, parameters: Record<string, string>): string {
    // RFC 9207 §2: the issuer is in every response, so that a client that knows several is not confused
    return authorizationResponse(redirectUri, { ...parameters, state, iss: this.config.ISSUER })
  }

  #approval(
    { client, api, scopes }: AuthorizationRequest,
    by: {
      grantId: string
      owner: Owner
      session: Session
      interaction: string
      now: number
      details: DetailsApproval | undefined
    },
  ): Approve {
    return {
      type: 'approve',
      approval: {
        grantId: by.grantId,
        owner: by.owner,
        approvedBy: [by.session.accountId],
        clientId: client.client_id,
        apiId: api.api_id,
        audience: api.audience,
        scopes: scopes.map(scope => scope.name),
        clientVersion: client.version,
        apiVersion: api.version,
        expiresAt: by.now + this.config.GRANT_DAYS * 24 * 60 * 60,
      },
      code: {
        id: by.interaction,
        expiresAt: by.now + this.config.CODE_SECONDS,
        detailsDigest: by.details?.digest,
      },
    }
  }
}

const answeredOtherwise = () => accessDenied('The request was answered already, in another way.')

/** Names a page of ours, and the code that may come of it. */
export const newInteraction = () => randomUUID()

/** The grant that an interaction makes where there is none to add to. */
function grantIdOf(interaction: string): string {
  const bytes = createHash('sha256').update(`grant ${interaction}`).digest().subarray(0, 16)
  // RFC 9562 §5.8: a UUID of our own making
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function claimsOf(
  request: AuthorizationRequest,
  by: {
    session: Session
    owner: Owner
    command: Approve
    now: number
    grantExpiresAt: number | null
    details: DetailsApproval | undefined
  },
): CodeClaims {
  const { grantId, clientId, apiId, audience, scopes } = by.command.approval
  return {
    codeId: by.command.code.id,
    grantId,
    clientId,
    redirectUri: request.redirectUri,
    redirectUriGiven: request.redirectUriGiven,
    owner: by.owner,
    person: by.session.accountId,
    apiId,
    audience,
    scopes,
    ...(by.details && { details: by.details }),
    codeChallenge: request.codeChallenge,
    ...(request.dpopThumbprint !== undefined && { dpopThumbprint: request.dpopThumbprint }),
    accessTokenSeconds: request.api.access_token_seconds,
    issuedAt: by.now,
    authTime: by.session.signedInAt,
    grantExpiresAt: by.grantExpiresAt,
  }
}
