import { invalidRequest } from '@grantlog/oauth'
import { z } from 'zod'

/** How far a reader of the feed has come: the last `logseq` of each place, a partition and a source. The same at every instance. */
export type Cursor = Readonly<Record<string, number>>

const cursor = z.record(z.string().regex(/^\d{1,3}\/[a-z]{1,20}$/), z.int().nonnegative())

export const placeOf = (partition: number, source: string) => `${partition}/${source}`

export function writeCursor(at: Cursor): string {
  return Buffer.from(JSON.stringify(at)).toString('base64url')
}

/** @throws OAuthError invalid_request */
export function readCursor(text: string | undefined): Cursor {
  if (text === undefined) return {}
  try {
    return cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  } catch {
    throw invalidRequest('after must be a cursor that the feed has given.')
  }
}
