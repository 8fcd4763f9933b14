import { type AuthorizationDetail, membersOf } from '@grantlog/oauth'
import type { ApiDetailsType } from '../projections/apis.projection.js'

/** Authorization details in the API's own words. */
export interface ShownDetail {
  readonly title: string
  readonly members: [name: string, value: string][]
}

/** @param types of the API, as they are now: a member that it no longer knows is shown by its name */
export function shownDetail(detail: AuthorizationDetail, types: readonly ApiDetailsType[]): ShownDetail {
  const type = types.find(known => known.type === detail.type)
  return {
    title: type?.text ?? detail.type,
    members: membersOf(detail)
      .filter(([name]) => name !== 'locations')
      .map(([name, value]) => [
        type?.fields.find(field => field.name === name)?.text ?? name,
        wordsOf(value),
      ]),
  }
}

function wordsOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return Array.isArray(value) ? value.join(', ') : String(value)
}
