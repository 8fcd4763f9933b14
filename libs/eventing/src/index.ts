export type { Append, AppendOutcome } from './append.js'
export type { Barrable, Bars } from './bars.js'
export { type Allowed, type CommandContext, Commands, type Known, type Outcome } from './commands.js'
export { Connection } from './connection.js'
export { Deadlines } from './deadlines.js'
export type { AnyDecider, Deadline, Decider, NewEvent } from './decider.js'
export { readDetached } from './detached.js'
export { examine, repair } from './doctor/doctor.js'
export type { Finding } from './doctor/finding.js'
export { foldedStates } from './doctor/folded-states.js'
export { ChainBroken, Contended, EventsDetached, OutcomeUnknown, Overloaded } from './errors.js'
export { EventStore, type StoredEvent } from './event-store.js'
export { Eventing, type EventingOptions, type Measures } from './eventing.js'
export { type GroupedQuery, grouped } from './group-read.js'
export { kept } from './kept-rows.js'
export { readLog } from './log.js'
export { Loop } from './loop.js'
export { ProjectionServer } from './nest/projection-server.js'
export { partitionOf } from './partition.js'
export {
  createProjectionTable,
  defineProjection,
  fold,
  type Handler,
  type Projection,
  type ProjectionOf,
  type Row,
  topicsOf,
} from './projection.js'
export type { ProjectionStatus } from './projection-runner.js'
export { type EventSink, type OutgoingMessage, outgoing } from './publisher.js'
export { type ReadModel, readModels } from './read-models.js'
export { rebuildTopic } from './rebuild-topic.js'
export {
  askProjection,
  type ProjectionAction,
  projectionActions,
  type RequestState,
  requestState,
} from './requests.js'
export { grantRights, prepareDatabase, type Roles } from './rights.js'
export { attachSegment, detachSegment, listSegments, type Segment, SegmentStays } from './segments.js'
export { createEventTables, dropEventTables, eventTables } from './tables.js'
export { TransientMap } from './transient-map.js'
export { EmbeddedTransport } from './transport/embedded.js'
export { KafkaTransport } from './transport/kafka.js'
export { type Access, applyAccess, wantedAccess } from './transport/kafka-access.js'
export type { KafkaLogin, KafkaOptions } from './transport/kafka-client.js'
export { KafkaSink } from './transport/kafka-sink.js'
export { applyTopics, deleteTopic, ensureTopic, verifyTopics } from './transport/kafka-topics.js'
export type {
  DeliveredEvent,
  Delivery,
  Position,
  Subscriber,
  Subscription,
  Transport,
} from './transport/transport.js'
