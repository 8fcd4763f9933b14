export { canonicalJson } from './canonical-json.js'
export {
  assertFact,
  catalogue,
  definitionOf,
  type EventData,
  type EventType,
  eventTypeOf,
  type Fact,
  namesOnTheWire,
  readFact,
} from './catalogue.js'
export { type CodeClaims, codeClaims, type DeviceClaims, deviceClaims } from './code-claims.js'
export {
  type Actor,
  actorTypes,
  type Envelope,
  envelope,
  eventLine,
  parseEventLine,
  type RecordedEvent,
  recordedEvent,
  schemaOf,
} from './envelope.js'
export { defineEvent, type EventDefinition, streamOf, versionsOf, wireType } from './event.js'
export { cutoffLead, revocationReasons, revocationTargets } from './events/revocation.js'
export type { BoundTo } from './fields.js'
export { type Heartbeat, heartbeat, heartbeatLine } from './heartbeat.js'
export { MerkleRange } from './merkle.js'
export { timeOrderedId } from './time-ordered-id.js'
export { type Reader, readersOf, type Service, services, type Topic, topics } from './topics.js'
