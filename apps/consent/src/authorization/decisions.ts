import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { type CodeClaims, cutoffLead, timeOrderedId } from '@grantlog/contracts'
import { Commands } from '@grantlog/eventing'
import { accessDenied, authorizationResponse, type OAuthError, rulesOf, sealCode } from '@grantlog/oauth'
import { Clock, CONFIG } from '@grantlog/platform'
import { Inject, Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { ConsentConfig } from '../consent.config.js'
import { account } from '../domain/account.js'
import { type Approve, grant } from '../domain/grant.js'
import type { Owner } from '../domain/owner.js'
import { Organizations } from '../people/organizations.js'
import type { Session } from '../people/sessions.js'
import { person } from '../people/who-commands.js'
import { findStandingGrant } from '../projections/grants.projection.js'
import { Revocations } from '../revocations/revocations.js'
import { ApprovedDetails, type DetailsApproval } from './approved-details.js'
import type { AccessRequest, AuthorizationRequest, ProvenRedirect } from './authorization-request.js'
import type { DeviceRequest } from './device-requests.js'

/** Who decides, for whom, and on which page. */
interface Decider {
  readonly session: Session
  readonly owner: Owner
  /** Id of the page that she saw, or of the device that asks. */
  readonly interaction: string
}

interface Approval {
  readonly command: Approve
  readonly grantExpiresAt: number | null
  readonly codeExpiresAt: number
  readonly details: DetailsApproval | undefined
}

/** Turns what a person decided into a grant, and into the URL that takes her back to the client. */
@Injectable()
export class Decisions {
  constructor(
    private readonly db: DataSource,
    private readonly commands: Commands,
    private readonly clock: Clock,
    private readonly approvedDetails: ApprovedDetails,
    private readonly organizations: Organizations,
    private readonly revocations: Revocations,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  /**
   * Approving again from the same page gives the same code: a form that is sent twice grants nothing twice.
   * @param interaction id of the page that the person saw; it becomes the code's id
   * @throws OAuthError `access_denied` when the same page was used to deny, or its grant was revoked since
   */
  async approve(request: AuthorizationRequest, by: Decider): Promise<string> {
    const now = await this.#afterCutoffs(by)
    const seconds = Math.min(this.config.CODE_SECONDS, rulesOf(request.client.profile).codeSeconds)
    const code = { id: by.interaction, expiresAt: now + seconds }
    const approval = await this.#approve(request, by, { now, code })
    const sealed = await sealCode(claimsOf(request, by, approval, now), this.config.CODE_KEYS, {
      expiresAt: approval.codeExpiresAt,
    })
    return this.#respond(request, { code: sealed })
  }

  /**
   * Lets a device have what it asked for (RFC 8628): the token service hears of it.
   * @throws OAuthError `access_denied` when it was denied before, or its grant was revoked since
   */
  async approveDevice(device: DeviceRequest, by: Omit<Decider, 'interaction'>): Promise<void> {
    const now = await this.#afterCutoffs(by)
    const code = {
      id: device.deviceId,
      expiresAt: device.expiresAt,
      device: {
        subject: by.session.accountId,
        accessTokenSeconds: device.request.api.access_token_seconds,
        authTime: by.session.signedInAt,
        approvedAt: now,
      },
    }
    await this.#approve(device.request, { ...by, interaction: device.deviceId }, { now, code })
  }

  async denyDevice({ deviceId, request }: DeviceRequest, session: Session): Promise<void> {
    await this.#deny(request, { session, interaction: deviceId }, deviceId)
  }

  async #approve(
    request: AccessRequest,
    by: Decider,
    { now, code }: { now: number; code: Omit<Approve['code'], 'detailsDigest'> },
  ): Promise<Approval> {
    const { session, owner, interaction } = by
    const fresh = grantIdOf(interaction)
    // a denial is recorded there also when another grant stands: the page was answered
    if ((await this.commands.load(grant, fresh)).state.status === 'denied') throw answeredOtherwise()
    const standing = await findStandingGrant(this.db, {
      owner,
      clientId: request.client.client_id,
      apiId: request.api.api_id,
      approvedAfter: await this.revocations.cutoffOf(owner),
      now,
    })
    for (const grantId of standing === undefined ? [fresh] : [standing, fresh]) {
      const details = await this.approvedDetails.keep(interaction, grantId, request.details)
      const command = this.#approval(request, by, { grantId, now, code, details })
      const { state } = await this.commands.run(grant, grantId, command, person(session.accountId))
      // one that was revoked a moment ago stays so: the approval is a grant of its own
      if (state.status !== 'active' || state.code?.id !== interaction) continue
      await this.#assertStillActs(grantId, by)
      return { command, grantExpiresAt: state.expiresAt, codeExpiresAt: state.code.expiresAt, details }
    }
    throw answeredOtherwise()
  }

  /**
   * A revocation of all that is hers, or the company's, reaches some seconds past it: what is approved before they are over would end
   * with it. @returns the time then, in seconds @throws OAuthError `access_denied` where her account is suspended
   */
  async #afterCutoffs({ owner, session }: Pick<Decider, 'owner' | 'session'>): Promise<number> {
    const [hers, theirs] = await Promise.all([
      this.commands.load(account, session.accountId),
      this.revocations.cutoffOf(owner),
    ])
    if (hers.state.suspended) throw accessDenied('The person may not decide at the moment.')
    const first = Math.max(hers.state.cutoff, theirs) + 1
    const left = first - this.clock.seconds()
    if (left > 0) await setTimeout(Math.min(left, cutoffLead + 1) * 1000)
    return Math.max(first, this.clock.seconds())
  }

  /** Who was removed from the organization meanwhile: her removal may not have seen this grant. @throws OAuthError `access_denied` */
  async #assertStillActs(grantId: string, { owner, session }: Decider): Promise<void> {
    if (owner.kind === 'person' || (await this.organizations.mayActFor(owner.id, session.accountId))) return
    const why = { reason: 'member-removed' } as const
    await this.revocations.ofGrant({ grantId, revokedBy: null, why }, person(session.accountId))
    throw accessDenied('The person may not decide for the organization any more.')
  }

  /** @returns where the browser goes: back to the client, which learns that it was refused */
  async deny(request: AuthorizationRequest, by: Omit<Decider, 'owner'>): Promise<string> {
    await this.#deny(request, by)
    return this.refuse(request, accessDenied('The resource owner denied the request.'))
  }

  async #deny(
    request: AccessRequest,
    { session, interaction }: Omit<Decider, 'owner'>,
    deviceId?: string,
  ): Promise<void> {
    const grantId = grantIdOf(interaction)
    const denial = {
      grantId,
      deniedBy: session.accountId,
      clientId: request.client.client_id,
      apiId: request.api.api_id,
      scopes: request.scopes.map(scope => scope.name),
    }
    const command = { type: 'deny', denial, ...(deviceId !== undefined && { deviceId }) } as const
    await this.commands.run(grant, grantId, command, person(session.accountId))
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
    { client, api, scopes }: AccessRequest,
    { owner, session }: Decider,
    of: {
      grantId: string
      now: number
      code: Omit<Approve['code'], 'detailsDigest'>
      details: DetailsApproval | undefined
    },
  ): Approve {
    return {
      type: 'approve',
      approval: {
        grantId: of.grantId,
        owner,
        approvedBy: [session.accountId],
        clientId: client.client_id,
        apiId: api.api_id,
        audience: api.audience,
        scopes: scopes.map(scope => scope.name),
        clientVersion: client.version,
        apiVersion: api.version,
        expiresAt: of.now + this.config.GRANT_DAYS * 24 * 60 * 60,
      },
      code: { ...of.code, detailsDigest: of.details?.digest },
    }
  }
}

const answeredOtherwise = () => accessDenied('The request was answered already, in another way.')

/** Names a page of ours, and the code that may come of it. */
export const newInteraction = () => timeOrderedId()

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
  by: Decider,
  { command, grantExpiresAt, details }: Approval,
  now: number,
): CodeClaims {
  const { grantId, clientId, apiId, audience, scopes } = command.approval
  return {
    codeId: command.code.id,
    grantId,
    clientId,
    redirectUri: request.redirectUri,
    redirectUriGiven: request.redirectUriGiven,
    owner: by.owner,
    person: by.session.accountId,
    apiId,
    audience,
    scopes,
    ...(details && { details }),
    codeChallenge: request.codeChallenge,
    ...(request.dpopThumbprint !== undefined && { dpopThumbprint: request.dpopThumbprint }),
    accessTokenSeconds: request.api.access_token_seconds,
    issuedAt: now,
    authTime: by.session.signedInAt,
    grantExpiresAt,
  }
}
