import { card, definitionList, fragment, frame, type Html, type HtmlValue, html } from '@grantlog/ui'
import type { Applied, Heard } from '../revocations/positions.js'
import type { ApiPosition } from '../revocations/positions-of-grants.js'

const title = 'How far the APIs know of revocations'

/** What is live on “your grants”, as a frame that is read anew by itself: forms beside it stay as they are. */
export function positionsCard(apis: readonly ApiPosition[]): Html | undefined {
  if (apis.length === 0) return undefined
  const facts = factsOf(apis).length
  return card({ title: 'What the APIs know', body: frame({ src: '/grants/positions', title, facts }) })
}

/** The inside of the frame. */
export function positionsPage(apis: readonly ApiPosition[]): string {
  return fragment({
    title,
    body:
      apis.length > 0
        ? definitionList(factsOf(apis))
        : html`<p class="muted">No API reports at the moment.</p>`,
  })
}

/** The inside of the frame, once she has signed out elsewhere. */
export const signedOutPage = () =>
  fragment({ title, body: html`<p class="muted">You are signed out: load the page again.</p>` })

function factsOf(apis: readonly ApiPosition[]): (readonly [string, HtmlValue])[] {
  return apis.flatMap(({ name, heard, revoked }) => [
    [name, heard ? known(heard) : 'does not report'] as const,
    ...revoked.map(
      ({ grant, applied }) => [grant.client_name ?? grant.client_id, refused(name, applied)] as const,
    ),
  ])
}

function known({ completeUntil, ageSeconds }: Heard): string {
  return `knows every revocation until ${ageSeconds.toFixed(1)} s ago (${instances(completeUntil.length)})`
}

function refused(api: string, { instances: all, by, since }: Applied): HtmlValue {
  if (by < all) return `Known to ${by} of ${instances(all)} of ${api}`
  return since ? html`Refused by ${api} since ${timeOfDay(since)}` : `Refused by ${api}`
}

const instances = (count: number) => `${count} ${count === 1 ? 'instance' : 'instances'}`

function timeOfDay(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${at.toISOString().slice(11, 19)} UTC</time>`
}
