import type { ShownGrant } from '../projections/grants.projection.js'
import type { Applied, Heard, Positions } from './positions.js'

/** An API that somebody’s grants are for: how far it has heard revocations, and which of hers it refuses. */
export interface ApiPosition {
  readonly name: string
  /** undefined: it does not report. */
  readonly heard: Heard | undefined
  /** Grants that were revoked in the last hour; none where it does not report. */
  readonly revoked: readonly { readonly grant: ShownGrant; readonly applied: Applied }[]
}

/** A revoked token has expired after that long: where the API has come to is of no importance then. */
const longestToken = 3600
const shownOfEach = 5

/**
 * How far the APIs are that the grants are for, those that have ended long ago left out. Empty where none of them reports.
 * @param now seconds
 */
export async function positionsOf(
  positions: Positions,
  grants: readonly ShownGrant[],
  now: number,
): Promise<ApiPosition[]> {
  const concerned = grants.filter(grant => grant.api_audience !== null && matters(grant, now))
  const byAudience = Object.groupBy(concerned, grant => grant.api_audience ?? '')
  const all = Object.entries(byAudience).map(async ([audience, hers = []]): Promise<ApiPosition> => {
    const heard = await positions.heardOf(audience)
    const name = hers[0]?.api_name ?? audience
    if (heard === undefined) return { name, heard, revoked: [] }
    const ended = hers.filter(({ revoked_at }) => revoked_at !== null).toSorted(latestFirst)
    const revoked = ended.slice(0, shownOfEach).map(async grant => ({
      grant,
      applied: await positions.applied(audience, heard, new Date(grant.revoked_at ?? 0)),
    }))
    return { name, heard, revoked: await Promise.all(revoked) }
  })
  const found = await Promise.all(all)
  return found.some(({ heard }) => heard) ? found.toSorted((a, b) => a.name.localeCompare(b.name, 'en')) : []
}

function matters({ revoked_at, expires_at }: ShownGrant, now: number): boolean {
  if (revoked_at !== null) return Date.parse(revoked_at) / 1000 > now - longestToken
  return expires_at === null || Number(expires_at) > now
}

const latestFirst = (a: ShownGrant, b: ShownGrant) => ((a.revoked_at ?? '') < (b.revoked_at ?? '') ? 1 : -1)
