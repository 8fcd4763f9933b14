import {
  actions,
  badge,
  button,
  card,
  column,
  columns,
  definitionList,
  emptyState,
  form,
  type Html,
  heading,
  html,
  linkButton,
  moment,
  monogram,
  notice,
  scopeList,
  table,
} from '@grantlog/ui'
import type { ShownGrant } from '../projections/grants.projection.js'
import type { ApiPosition } from '../revocations/positions-of-grants.js'
import { shownDetail } from './details.js'
import { positionsCard } from './positions.page.js'
import { type SignedIn, shell } from './shell.js'

export interface GrantsPage {
  readonly user: SignedIn
  readonly grants: readonly ShownGrant[]
  readonly positions: readonly ApiPosition[]
  /** The grant that was revoked a moment ago. */
  readonly justRevoked: ShownGrant | undefined
  readonly done: 'revoked all' | 'changed password' | undefined
  readonly csrfOf: (grantId: string) => string
  readonly revokeAllCsrf: string
  /** In seconds. */
  readonly now: number
}

/** What a person, and the companies that she acts for, have allowed; and what has ended. */
export function grantsPage(options: GrantsPage): string {
  const { user, grants, positions, justRevoked, done, csrfOf, revokeAllCsrf, now } = options
  const active = grants.filter(grant => grant.revoked_at === null && !hasExpired(grant, now))
  const ended = grants.filter(grant => !active.includes(grant))
  return shell({
    title: 'Your grants',
    user,
    current: '/grants',
    body: column(html`${heading({
      title: 'Your grants',
      lede: 'Who may use your data, and what for. A revoked grant stops working everywhere within seconds.',
    })}
${
  justRevoked &&
  notice({
    kind: 'success',
    title: `Access for ${nameOf(justRevoked)} is revoked`,
    body: 'Every API refuses its tokens as soon as it hears of that, within seconds.',
  })
}
${done && notice(words[done])}
${active.length > 0 ? columns(...active.map(grant => grantCard(grant, csrfOf(grant.grant_id)))) : nobody()}
${positionsCard(positions)}
${ended.length > 0 && card({ body: endedTable(ended) })}
${accountCard(revokeAllCsrf)}`),
  })
}

function grantCard(grant: ShownGrant, csrf: string): Html {
  const client = nameOf(grant)
  return card({
    title: html`${monogram({ name: client, kind: 'client' })}${client}`,
    aside: badge({ label: 'Active', kind: 'success' }),
    body: html`${definitionList([
      ['For', grant.owner_name ?? 'somebody who has left'],
      ['API', grant.api_name ?? grant.api_id],
      ['Allowed', moment(new Date(grant.approved_at), { withTime: true })],
      ['Last used', lastUse(grant)],
      ['Ends', grant.expires_at === null ? 'when it is revoked' : moment(atSeconds(grant.expires_at))],
    ])}${scopeList([...scopesOf(grant), ...detailsOf(grant)])}${form(
      { action: `/grants/${grant.grant_id}/revoke`, csrf, label: `Access for ${client}` },
      actions(button({ label: 'Revoke', kind: 'danger', context: `access for ${client}` })),
    )}`,
  })
}

/** What concerns her account, and not one grant. */
function accountCard(csrf: string): Html {
  return card({
    title: 'Your account',
    body: html`<p>Revoke everything ends all access that you allowed in your own name, and all tokens that were issued to you for a company. It also signs you out everywhere else.</p>${form(
      { action: '/grants/revoke-all', csrf, label: 'Your account' },
      actions(
        button({ label: 'Revoke everything', kind: 'danger' }),
        linkButton({ label: 'Change your password', href: '/sign-in/password' }),
      ),
    )}`,
  })
}

const words = {
  'revoked all': {
    kind: 'success',
    title: 'Everything is revoked',
    body: 'Every API refuses the tokens as soon as it hears of that, within seconds, and you are signed out everywhere else.',
  },
  'changed password': {
    kind: 'success',
    title: 'Your password is changed',
    body: 'You are signed out everywhere else.',
  },
} as const

function endedTable(ended: readonly ShownGrant[]): Html {
  return table({
    caption: 'Ended',
    columns: ['Application', 'For', 'Ended', { label: 'How', align: 'end' }],
    rows: ended.map(grant => [
      nameOf(grant),
      grant.owner_name ?? 'somebody who has left',
      moment(grant.revoked_at === null ? atSeconds(grant.expires_at ?? 0) : new Date(grant.revoked_at)),
      grant.revoked_at === null ? badge({ label: 'Expired' }) : badge({ label: 'Revoked', kind: 'danger' }),
    ]),
  })
}

const nobody = () =>
  card({
    body: emptyState({
      title: 'Nobody has access',
      body: 'When you let an application use your data, it is listed here, and you can revoke it here.',
    }),
  })

const nameOf = (grant: ShownGrant) => grant.client_name ?? grant.client_id

/** In the API's own words, as they are now. */
function scopesOf({ scopes, api_scopes }: ShownGrant) {
  return scopes.map(name => {
    const scope = api_scopes?.find(known => known.name === name)
    return { words: scope?.text ?? name, access: scope?.access ?? ('read' as const) }
  })
}

function detailsOf({ details, api_details_types }: ShownGrant) {
  return details.flat().map(detail => {
    const { title, members } = shownDetail(detail, api_details_types ?? [])
    const words = [title, members.map(member => member.join(' ')).join(', ')]
      .filter(text => text !== '')
      .join(': ')
    return { words, access: 'write' as const }
  })
}

function lastUse({ last_used_at }: ShownGrant) {
  return last_used_at === null ? 'never' : moment(atSeconds(last_used_at), { withTime: true })
}

function hasExpired({ expires_at }: ShownGrant, now: number): boolean {
  return expires_at !== null && Number(expires_at) <= now
}

const atSeconds = (seconds: string | number) => new Date(Number(seconds) * 1000)
