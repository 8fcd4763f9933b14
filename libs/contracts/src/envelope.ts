import { z } from 'zod'
import { canonicalJson } from './canonical-json.js'
import { type EventType, type Fact, readFact } from './catalogue.js'
import { type Service, services } from './topics.js'

/** Who did it (CloudEvents authcontext): never personal data. */
export const actorTypes = ['person', 'client', 'operator', 'system'] as const
export interface Actor {
  readonly type: (typeof actorTypes)[number]
  readonly id: string
}

/** One event on the wire: a CloudEvents 1.0 document in structured mode, whose `data` are the event's own facts. */
export const envelope = z.object({
  specversion: z.literal('1.0').describe('The version of CloudEvents.'),
  id: z.uuid().describe('The event’s id; the same on every delivery.'),
  type: z.string().describe('Dotted name and major version: grant.approved.v1.'),
  source: z.enum(services).describe('The service whose log holds the event.'),
  subject: z.string().describe('Stream id, also the Kafka key: grant-<id>.'),
  time: z.iso.datetime({ precision: 3 }).describe('When it was appended, UTC.'),
  datacontenttype: z.literal('application/json').describe('What `data` is.'),
  dataschema: z.string().describe('Where the schema of `data` is found.'),
  logseq: z.int().positive().describe('Dense number in the source’s own log: 1, 2, 3 …'),
  streamversion: z.int().positive().describe('Version of the stream after this event.'),
  authtype: z.enum(actorTypes).describe('Who did it: a person, a client, an operator, the system.'),
  authid: z.string().describe('The actor’s opaque id.'),
  traceparent: z.string().optional().describe('W3C trace context.'),
  data: z.record(z.string(), z.unknown()).describe('The event’s own facts.'),
})
export type Envelope = z.infer<typeof envelope>

/** What a consumer gets to see of an event that it knows by name. */
export type RecordedEvent<Type extends EventType = EventType> = Fact<Type> & {
  readonly id: string
  readonly source: Service
  readonly streamId: string
  readonly streamVersion: number
  readonly logSeq: number
  /** ISO 8601 with milliseconds, UTC. */
  readonly time: string
  readonly actor: Actor
}

/** Where the schema of an event's facts is found, relative to the platform's schema root. */
export function schemaOf(wireType: string): string {
  return `urn:grantlog:event:${wireType}`
}

/** The one line that is the Kafka value, the feed's line, the export's line and the audit log's leaf. */
export function eventLine(event: Envelope): string {
  return canonicalJson(event)
}

/**
 * Reads a line. Attributes that this build does not know are kept, so that `eventLine` gives the same bytes again.
 * @throws SyntaxError or ZodError when it is no event of ours
 */
export function parseEventLine(line: string): Envelope {
  const event: unknown = JSON.parse(line)
  return isWellFormed(event) ? event : received.parse(event)
}

const received = envelope.loose()
const uuidForm = z.regexes.uuid()
const timeForm = z.regexes.datetime({ precision: 3 })

/** What the schema says, in a tenth of its time: every consumer asks it of every event. Whatever fails here, the schema names. */
function isWellFormed(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false
  const event = value as { readonly [Attribute in keyof Envelope]?: unknown }
  return (
    event.specversion === '1.0' &&
    isText(event.id) &&
    uuidForm.test(event.id) &&
    isText(event.type) &&
    isOneOf(services, event.source) &&
    isText(event.subject) &&
    isText(event.time) &&
    timeForm.test(event.time) &&
    event.datacontenttype === 'application/json' &&
    isText(event.dataschema) &&
    isPositive(event.logseq) &&
    isPositive(event.streamversion) &&
    isOneOf(actorTypes, event.authtype) &&
    isText(event.authid) &&
    (event.traceparent === undefined || isText(event.traceparent)) &&
    typeof event.data === 'object' &&
    event.data !== null &&
    !Array.isArray(event.data)
  )
}

const isText = (value: unknown) => typeof value === 'string'
const isPositive = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0
const isOneOf = (values: readonly unknown[], value: unknown) => values.includes(value)

/** The event as its handlers read it, or undefined when this build does not know its name or its major version yet. */
export function recordedEvent(event: Envelope): RecordedEvent | undefined {
  const fact = readFact(event.type, event.data)
  if (fact === undefined) return undefined
  return {
    ...fact,
    id: event.id,
    source: event.source,
    streamId: event.subject,
    streamVersion: event.streamversion,
    logSeq: event.logseq,
    time: event.time,
    actor: { type: event.authtype, id: event.authid },
  } as RecordedEvent
}
