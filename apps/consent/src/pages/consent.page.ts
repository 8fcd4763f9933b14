import {
  button,
  connection,
  definitionList,
  disclosure,
  equalActions,
  form,
  heading,
  html,
  iconLine,
  moment,
  notice,
  part,
  radioCards,
  scopeList,
  slip,
  split,
} from '@grantlog/ui'
import type { AccessRequest } from '../authorization/authorization-request.js'
import { shownDetail } from './details.js'
import { type SignedIn, shell } from './shell.js'

export interface ConsentPage {
  readonly request: AccessRequest
  /** Where the answer goes: to a redirect URI, by the request that the form carries on; or to a device, known by its code. */
  readonly answer:
    | { readonly kind: 'redirect'; readonly redirectUri: string; readonly query: string }
    | { readonly kind: 'device'; readonly userCode: string }
  readonly interaction: string
  readonly csrf: string
  readonly user: SignedIn
  readonly person: { readonly accountId: string; readonly name: string }
  /** The companies that she may act for. */
  readonly organizations: readonly { readonly organization_id: string; readonly name: string }[]
  /** When what she allows now would end, in seconds. */
  readonly until: number
  /** What is wrong with the choice that was sent. */
  readonly error?: string | undefined
}

/** Names the client, the API, each scope in words, for whom and for how long. */
export function consentPage(options: ConsentPage): string {
  const { request, answer, csrf, user } = options
  const { client, api } = request
  const title = `${client.name} wants to access ${api.name}`
  return shell({
    title,
    user,
    body: split({
      intro: html`${connection({ client: client.name, api: api.name })}
${heading({ title, lede: 'You decide for whom, you see what it may do, and you can take it back at any time.' })}
${
  answer.kind === 'device' &&
  notice({
    kind: 'info',
    title: 'A device asks',
    body: html`You allow it for the device that shows the code <strong>${answer.userCode}</strong>, not for this browser. If you do not have it in front of you, deny.`,
  })
}
${disclosure({ summary: `More about ${client.name}`, body: aboutClient(request) })}`,
      body: form(
        {
          ...carried(options),
          csrf,
          label: `Access for ${client.name}`,
        },
        slip({
          body: html`${whose(options)}
${request.scopes.length > 0 && part({ title: `What ${client.name} may do`, body: scopeList(request.scopes.map(({ text, access }) => ({ words: text, access }))) })}
${details(request)}
${part({
  title: 'For how long',
  body: iconLine(
    'clock',
    html`Until ${moment(new Date(options.until * 1000))}, or until you revoke it under <a href="/grants">your grants</a>.`,
  ),
})}`,
          decision: html`${equalActions(
            button({ label: 'Deny', name: 'decision', value: 'deny' }),
            button({ label: 'Allow', kind: 'primary', name: 'decision', value: 'approve' }),
          )}<p class="small">${
            answer.kind === 'device'
              ? 'Either way you then go on at your device.'
              : html`Either way your browser is then sent back to <strong>${placeOf(answer.redirectUri)}</strong>.`
          }</p>`,
        }),
      ),
    }),
  })
}

function carried({ answer, interaction }: ConsentPage) {
  return answer.kind === 'device'
    ? { action: '/device/decision', hidden: { interaction, user_code: answer.userCode } }
    : { action: '/authorize', hidden: { interaction, request: answer.query } }
}

function whose({ person, organizations, request, error }: ConsentPage) {
  const ask = request.api.name
  return radioCards({
    legend: `Whose ${ask}?`,
    name: 'owner',
    ...(error !== undefined && { error }),
    options: [
      {
        value: `person:${person.accountId}`,
        title: person.name,
        description: 'Your own',
        of: 'person',
        checked: error === undefined,
      },
      ...organizations.map(({ organization_id, name }) => ({
        value: `organization:${organization_id}`,
        title: name,
        description: 'You act for this company as its administrator',
        of: 'organization' as const,
      })),
    ],
  })
}

/** Each in the API’s words, with everything that was asked for: nothing of it is granted unseen. */
function details({ client, api, details }: AccessRequest) {
  return details
    .map(detail => shownDetail(detail, api.details_types))
    .map(({ title, members }) =>
      part({
        title: `${client.name} may do exactly this: ${title}`,
        body: members.length > 0 ? definitionList(members) : 'Without further limits.',
      }),
    )
}

function aboutClient({ client, api }: AccessRequest) {
  return definitionList([
    [
      'Website',
      client.homepage === null ? 'not told' : html`<a href="${client.homepage}">${client.homepage}</a>`,
    ],
    [
      'Kind',
      client.auth_method === 'none' ? 'Runs on your device' : 'Runs on a server, and keeps a secret or a key',
    ],
    ['Client id', html`<code>${client.client_id}</code>`],
    ['API', html`<code>${api.audience}</code>`],
  ])
}

/** Where a redirect URI leads, as far as a person can tell places apart. */
function placeOf(redirectUri: string): string {
  const url = new URL(redirectUri)
  return url.host === '' ? `${url.protocol}//` : url.host
}
