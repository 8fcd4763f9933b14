import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'
import { isSubset } from '@grantlog/oauth'
import type { Why } from './cutoff.js'
import type { Owner } from './owner.js'

export interface GrantState {
  readonly status: 'unknown' | 'active' | 'denied' | 'revoked' | 'expired'
  readonly owner: Owner | null
  readonly scopes: readonly string[]
  readonly clientVersion: number
  readonly apiVersion: number
  /** Seconds; null: only by revocation. */
  readonly expiresAt: number | null
  /** The code, or the device's, that was issued last: a form sent twice gets the same one. */
  readonly code: { readonly id: string; readonly expiresAt: number } | null
}

export interface Approve {
  readonly type: 'approve'
  /** What is approved now. An active grant keeps the scopes that it had besides. */
  readonly approval: EventData<'grant.approved'>
  readonly code: {
    readonly id: string
    readonly expiresAt: number
    /** Of the authorization details that are approved with it. */
    readonly detailsDigest?: string | undefined
    /** Where a device asked (RFC 8628): nothing is carried to it, the token service hears of it. */
    readonly device?: Pick<
      EventData<'grant.device-approved'>,
      'subject' | 'accessTokenSeconds' | 'authTime' | 'approvedAt'
    >
  }
}

export type GrantCommand =
  | Approve
  | {
      readonly type: 'deny'
      readonly denial: EventData<'grant.denied'>
      /** The authorization that a device asked for. */
      readonly deviceId?: string
    }
  | {
      readonly type: 'revoke'
      readonly grantId: string
      readonly why: Why
      /** The person's account; null: nobody's. */
      readonly revokedBy: string | null
      /** Id of the event that is the revocation's cause. */
      readonly eventId: string
    }
  /** Time has passed. */
  | { readonly type: 'expire'; readonly grantId: string; readonly at: number }

export type GrantEvent =
  | Fact<
      | 'grant.approved'
      | 'grant.amended'
      | 'grant.code-issued'
      | 'grant.device-approved'
      | 'grant.device-denied'
      | 'grant.denied'
      | 'grant.expired'
      | 'token.revoked'
    >
  | (Fact<'grant.revoked'> & { readonly id: string })

/** Seconds: approving the same again within a day is not worth an event of its own. */
const day = 24 * 60 * 60

/** A resource owner's standing permission to a client. Once revoked or expired it never comes back: another approval is another grant. */
export const grant: Decider<GrantCommand, GrantEvent, GrantState> = {
  category: 'grant',
  initial: {
    status: 'unknown',
    owner: null,
    scopes: [],
    clientVersion: 0,
    apiVersion: 0,
    expiresAt: null,
    code: null,
  },

  decide(command, state) {
    switch (command.type) {
      case 'approve':
        return approve(command, state)
      case 'deny':
        return state.status === 'unknown' ? deny(command) : []
      case 'revoke':
        return state.status === 'active' ? revoke(command) : []
      case 'expire':
        return state.status === 'active' && state.expiresAt !== null && state.expiresAt <= command.at
          ? [{ type: 'grant.expired', data: { grantId: command.grantId } }]
          : []
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'grant.approved': {
        const { owner, scopes, clientVersion, apiVersion, expiresAt } = event.data
        return { ...state, status: 'active', owner, scopes, clientVersion, apiVersion, expiresAt }
      }
      case 'grant.amended': {
        const { scopes, clientVersion, apiVersion, expiresAt } = event.data
        return { ...state, scopes, clientVersion, apiVersion, expiresAt }
      }
      case 'grant.code-issued':
        return { ...state, code: { id: event.data.codeId, expiresAt: event.data.expiresAt } }
      case 'grant.device-approved':
        return { ...state, code: { id: event.data.deviceId, expiresAt: event.data.expiresAt } }
      case 'grant.denied':
        return { ...state, status: 'denied' }
      case 'grant.revoked':
        return { ...state, status: 'revoked' }
      case 'grant.expired':
        return { ...state, status: 'expired' }
      case 'grant.device-denied':
      case 'token.revoked':
        return state
    }
  },

  endsAt: ({ status }) => (status === 'unknown' || status === 'active' ? null : 0),

  deadline: {
    at: ({ status, expiresAt }) => (status === 'active' ? expiresAt : null),
    command: (grantId, now) => ({ type: 'expire', grantId, at: now }),
  },
}

function approve(command: Approve, state: GrantState): GrantEvent[] {
  const { approval, code } = command
  const { grantId, approvedBy, scopes, clientVersion, apiVersion, expiresAt } = approval
  switch (state.status) {
    case 'unknown':
      return [{ type: 'grant.approved', data: approval }, issued(command, expiresAt)]
    case 'active': {
      if (state.code?.id === code.id) return []
      if (!isMore(approval, state)) return [issued(command, state.expiresAt)]
      const all = [...new Set([...state.scopes, ...scopes])]
      const amended = { grantId, approvedBy, scopes: all, clientVersion, apiVersion, expiresAt }
      return [{ type: 'grant.amended', data: amended }, issued(command, expiresAt)]
    }
    case 'denied':
    case 'revoked':
    case 'expired':
      return []
  }
}

/** What the approval gives: a code to the browser, or leave to a device. */
function issued({ approval, code }: Approve, grantExpiresAt: number | null): GrantEvent {
  const { grantId, clientId, owner, audience, scopes } = approval
  const { id, expiresAt, detailsDigest, device } = code
  const digest = detailsDigest !== undefined && { detailsDigest }
  if (device === undefined)
    return { type: 'grant.code-issued', data: { grantId, codeId: id, scopes, ...digest, expiresAt } }
  return {
    type: 'grant.device-approved',
    data: {
      deviceId: id,
      grantId,
      clientId,
      owner,
      audience,
      scopes,
      ...digest,
      ...device,
      grantExpiresAt,
      expiresAt,
    },
  }
}

function deny({ denial, deviceId }: Extract<GrantCommand, { type: 'deny' }>): GrantEvent[] {
  const { grantId, clientId } = denial
  const denied: GrantEvent = { type: 'grant.denied', data: denial }
  if (deviceId === undefined) return [denied]
  return [denied, { type: 'grant.device-denied', data: { deviceId, grantId, clientId } }]
}

/** Whether the approval says something that the grant does not: more scopes, other words, a later end. */
function isMore(approval: EventData<'grant.approved'>, state: GrantState): boolean {
  const later =
    state.expiresAt !== null && (approval.expiresAt === null || approval.expiresAt >= state.expiresAt + day)
  return (
    later ||
    !isSubset(approval.scopes, state.scopes) ||
    approval.clientVersion !== state.clientVersion ||
    approval.apiVersion !== state.apiVersion
  )
}

function revoke({
  grantId,
  revokedBy,
  why,
  eventId,
}: Extract<GrantCommand, { type: 'revoke' }>): GrantEvent[] {
  return [
    { type: 'grant.revoked', id: eventId, data: { grantId, revokedBy } },
    {
      type: 'token.revoked',
      data: {
        target: { kind: 'grant', id: grantId },
        issuedBefore: null,
        ...why,
        cause: eventId,
      },
    },
  ]
}
