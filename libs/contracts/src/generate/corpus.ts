import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { canonicalJson } from '../canonical-json.js'
import { assertFact, catalogue, readFact } from '../catalogue.js'
import { eventLine, parseEventLine, schemaOf } from '../envelope.js'
import { type EventDefinition, streamOf, versionsOf, wireType } from '../event.js'
import { topics } from '../topics.js'

/** The line that an event's example would be in a log. The same for ever: ids and times are made from the event's name. */
export function corpusLine(entry: EventDefinition): string {
  const type = wireType(entry)
  return eventLine({
    specversion: '1.0',
    id: uuidOf(type),
    type,
    source: topics[entry.topic].writers[0],
    subject: streamOf(entry, entry.example),
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    dataschema: schemaOf(type),
    logseq: 1,
    streamversion: 1,
    authtype: 'system',
    authid: 'corpus',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    data: entry.example,
  })
}

/** Why a stored line can no longer be read as what it was, or undefined when it can. */
export function corpusProblem(path: string, text: string): string | undefined {
  try {
    const line = text.replace(/\n$/, '')
    const event = parseEventLine(line)
    if (canonicalJson(JSON.parse(line)) !== line) return `${path} is not one canonical line`
    if (`${event.type}.json` !== basename(path)) return `${path} holds ${event.type}`
    const entry = catalogue.flatMap(versionsOf).find(candidate => wireType(candidate) === event.type)
    if (entry === undefined) return `${path} can no longer be read: the catalogue does not know ${event.type}`
    const { error } = entry.data.safeParse(event.data)
    if (error) {
      const where = error.issues.map(issue => `${issue.path.join('.') || 'data'}: ${issue.message}`)
      return `${path} can no longer be read: ${where.join('; ')}`
    }
    const fact = readFact(event.type, event.data)
    if (fact) assertFact(fact)
    return undefined
  } catch (error) {
    return `${path} is no event: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** A UUID made from a name (RFC 9562 §5.8). */
function uuidOf(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex')
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 3) | 8).toString(16)
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-')
}
