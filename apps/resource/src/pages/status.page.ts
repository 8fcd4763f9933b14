import type { Guard } from '@grantlog/resource-guard'
import { badge, card, column, definitionList, heading, notice, page, table } from '@grantlog/ui'

type Health = ReturnType<Guard['health']> & { readonly reportedSeconds: number | null | undefined }

/** How far this process has heard the revocations of each source, for people. */
export function statusPage(resource: string, health: Health, maxStalenessSeconds: number): string {
  const { ok, sources, remembered, cached, reportedSeconds } = health
  return page({
    title: 'Status',
    service: 'Invoices',
    body: column([
      heading({
        title: 'Status',
        lede: 'What this API knows of revocations. It is asked anew every two seconds.',
      }),
      ok
        ? notice({
            kind: 'success',
            title: 'Up to date',
            body: 'A token that is revoked now is refused in a moment.',
          })
        : notice({
            kind: 'danger',
            title: 'No token is accepted',
            body: `Some revocations were not heard for more than ${maxStalenessSeconds} seconds: a revoked token could look like a good one.`,
          }),
      card({
        title: 'Heard',
        body: table({
          caption: 'How far each service’s revocations have been applied',
          captionHidden: true,
          columns: ['Service', { label: 'Complete until', align: 'end' }, { label: '', align: 'end' }],
          rows: Object.entries(sources).map(([source, seconds]) => [
            source,
            seconds === null ? 'not read yet' : `${seconds.toFixed(1)} s ago`,
            seconds !== null && seconds <= maxStalenessSeconds
              ? badge({ label: 'fresh', kind: 'success' })
              : badge({ label: 'stale', kind: 'danger' }),
          ]),
        }),
      }),
      card({
        title: 'Kept in memory',
        body: definitionList([
          ['API', resource],
          ['Position last reported', reported(reportedSeconds)],
          ['Revoked targets that can still matter', String(remembered)],
          ['Tokens that need not be verified again', String(cached)],
        ]),
      }),
    ]),
  })
}

function reported(seconds: number | null | undefined): string {
  if (seconds === undefined) return 'it reports to nobody'
  return seconds === null ? 'not yet' : `${seconds.toFixed(1)} s ago`
}
