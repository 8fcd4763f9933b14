import { z } from 'zod'
import { canonicalJson } from './canonical-json.js'
import { services } from './topics.js'

/**
 * What each source says on every partition of the revocation feed, every second, when it has nothing to say. No event: not
 * stored, not numbered. It lets a consumer tell "nothing was revoked" from "I hear nothing".
 */
export const heartbeat = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  type: z.literal('feed.heartbeat.v1'),
  source: z.enum(services),
  time: z.iso.datetime({ precision: 3 }),
  datacontenttype: z.literal('application/json'),
  data: z.object({
    logSeq: z.int().nonnegative().describe('The last number that the source published to this partition.'),
    time: z.iso
      .datetime({ precision: 3 })
      .describe('The source’s clock when it had published everything up to it.'),
  }),
})
export type Heartbeat = z.infer<typeof heartbeat>

export function heartbeatLine(source: Heartbeat['source'], logSeq: number, time: Date): string {
  const at = time.toISOString()
  const beat: Heartbeat = {
    specversion: '1.0',
    id: `${source}-${at}`,
    type: 'feed.heartbeat.v1',
    source,
    time: at,
    datacontenttype: 'application/json',
    data: { logSeq, time: at },
  }
  return canonicalJson(beat)
}
