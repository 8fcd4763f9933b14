import { describe, expect, it } from '@jest/globals'
import type { ShownGrant } from '../projections/grants.projection.js'
import type { Applied, Heard } from '../revocations/positions.js'
import type { ApiPosition } from '../revocations/positions-of-grants.js'
import { positionsCard, positionsPage } from './positions.page.js'

const at = new Date('2026-11-26T14:03:02.000Z')
const heard = (instances: number, ageSeconds = 0.42): Heard => ({
  completeUntil: Array.from({ length: instances }, () => at),
  ageSeconds,
})
const grant = (client_name: string | null) => ({ client_id: 'id-of-it', client_name }) as ShownGrant
const invoices = (applied?: Applied, client: string | null = 'Ledgerly'): ApiPosition => ({
  name: 'Invoices',
  heard: heard(2),
  revoked: applied ? [{ grant: grant(client), applied }] : [],
})

/** The facts of the frame, as they are read. */
const facts = (...apis: ApiPosition[]) =>
  [...positionsPage(apis).matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)].map(([, term = '', text = '']) =>
    [term, text.replace(/<[^>]+>/g, '')].join(': '),
  )

describe('what the APIs know', () => {
  it('is said of each as it reports, and of one that does not that it does not', () => {
    expect(
      facts(
        invoices(),
        { name: 'Mail', heard: heard(1, 0), revoked: [] },
        { name: 'Notes', heard: undefined, revoked: [] },
      ),
    ).toEqual([
      'Invoices: knows every revocation until 0.4 s ago (2 instances)',
      'Mail: knows every revocation until 0.0 s ago (1 instance)',
      'Notes: does not report',
    ])
  })

  it.each<[Applied, string]>([
    [{ instances: 2, by: 0, since: undefined }, 'Known to 0 of 2 instances of Invoices'],
    [{ instances: 2, by: 1, since: undefined }, 'Known to 1 of 2 instances of Invoices'],
    [{ instances: 1, by: 0, since: undefined }, 'Known to 0 of 1 instance of Invoices'],
    [{ instances: 2, by: 2, since: at }, 'Refused by Invoices since 14:03:02 UTC'],
    [{ instances: 2, by: 2, since: undefined }, 'Refused by Invoices'],
  ])('of what was revoked is who refuses it: %j', (applied, says) => {
    expect(facts(invoices(applied))[1]).toBe(`Ledgerly: ${says}`)
    expect(facts(invoices(applied, null))[1]).toBe(`id-of-it: ${says}`)
  })

  it('takes as much room on the page as there are facts, and none where there are none', () => {
    expect(positionsCard([invoices({ instances: 2, by: 2, since: at })])?.toString()).toContain(
      '<iframe class="frame frame-2" src="/grants/positions" title="How far the APIs know of revocations"',
    )
    expect(positionsCard([])).toBeUndefined()
    expect(positionsPage([])).toContain('No API reports at the moment.')
  })
})
